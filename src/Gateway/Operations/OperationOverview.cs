using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Delivery;

namespace Gateway.Operations;

/// <summary>Operations for reading, newest first; each reader sees what row security lets it see.</summary>
public sealed class OperationOverview(GatewayDatabase database)
{
    private const string Rows = """
        select o.operation_id as OperationId, o.kind as Kind, o.state as State, o.pause_reason as PauseReason, o.partner_id as PartnerId, o.partner_name as PartnerName,
               o.filter as Filter, o.filter_words as FilterWords, o.reason as Reason, o.actor as Actor, o.actor_name as ActorName, o.rate as Rate, o.approved_stage as ApprovedStage,
               o.waiting_since as WaitingSince, o.total as Total, i.pending as Pending, i.done as Done, i.refused as Refused, i.cancelled as Cancelled, o.created_at as CreatedAt, o.finished_at as FinishedAt, o.request_key as RequestKey
        from operation o cross join lateral (
            select count(*) filter (where outcome = 'pending') as pending, count(*) filter (where outcome = 'done') as done,
                   count(*) filter (where outcome = 'refused') as refused, count(*) filter (where outcome = 'cancelled') as cancelled
            from operation_item i where i.operation_id = o.operation_id) i
        """;

    /// <param name="before">The number of the last row already known; null for the newest.</param>
    public async Task<IReadOnlyList<OperationRow>> ListAsync(Actor reader, long? before, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<OperationRow>(new CommandDefinition(
            Rows + " where @before::bigint is null or o.operation_id < @before order by o.operation_id desc limit @limit", new { before, limit }, work.Transaction, cancellationToken: ct))).AsList();
    }

    /// <returns>The operation, or null when there is none or it is another party's.</returns>
    public async Task<OperationRow?> FindAsync(Actor reader, long operationId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await work.Connection.QuerySingleOrDefaultAsync<OperationRow>(new CommandDefinition(
            Rows + " where o.operation_id = @operationId", new { operationId }, work.Transaction, cancellationToken: ct));
    }

    /// <param name="outcome">pending, done, refused or cancelled; null for all.</param>
    /// <param name="after">The last ordinal already known.</param>
    public async Task<IReadOnlyList<OperationItem>> ItemsAsync(Actor reader, long operationId, string? outcome, int after, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<OperationItem>(new CommandDefinition("""
            select ordinal as Ordinal, stage::int as Stage, delivery_id as DeliveryId, version as Version, outcome as Outcome, detail as Detail, created as Created, ended_at as EndedAt
            from operation_item where operation_id = @operationId and ordinal > @after and (@outcome::text is null or outcome = @outcome) order by ordinal limit @limit
            """, new { operationId, outcome, after, limit }, work.Transaction, cancellationToken: ct))).AsList();
    }

    public async Task<IReadOnlyList<OperationStage>> StagesAsync(Actor reader, long operationId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await StagesAsync(work, operationId, ct);
    }

    internal static async Task<IReadOnlyList<OperationStage>> StagesAsync(Work work, long operationId, CancellationToken ct)
    {
        var items = (await work.Connection.QueryAsync<(int Stage, string Outcome, long Delivery, DateTime? At)>(new CommandDefinition("""
            select stage::int, outcome, coalesce(created, delivery_id), ended_at from operation_item where operation_id = @operationId
            """, new { operationId }, work.Transaction, cancellationToken: ct))).AsList();
        var done = items.Where(i => i.Outcome == "done").ToList();
        var since = await DeliveryOverview.OutcomesSinceAsync(work, [.. done.Select(i => i.Delivery)], [.. done.Select(i => i.At!.Value)], ct);
        return [.. items.GroupBy(i => i.Stage).OrderBy(g => g.Key).Select(g =>
        {
            long Of(string outcome) => g.LongCount(i => i.Outcome == outcome);
            long Became(DeliverySince what) => g.LongCount(i => i.Outcome == "done" && since.GetValueOrDefault(i.Delivery) == what);
            return new OperationStage(g.Key, g.LongCount(), Of("pending"), Of("done"), Of("refused"), Of("cancelled"), Became(DeliverySince.Settled), Became(DeliverySince.FailedAgain), Became(DeliverySince.Waiting));
        })];
    }
}
