using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Delivery;

/// <summary>A delivery as lists and its own page show it.</summary>
/// <param name="Sending">A worker holds it at this moment.</param>
/// <param name="HeldWhy">Why a due delivery waits for more than its time: a paused partner, or one left alone after failures.</param>
/// <param name="CaptureId">The capture its document came with; null for a reader who may not see that.</param>
public sealed record DeliveryRow(
    long DeliveryId, string State, string? DeadReason, string? Code, int PartnerId, string Partner, string Channel, int Attempts, bool Sending, string? HeldWhy, DateTime? HeldUntil,
    DateTime DueAt, DateTime CreatedAt, DateTime GiveUpAt, DateTime? FinishedAt, string Receipt, Guid MessageId, long? ReplayOf, int Version, Guid? CaptureId);

/// <summary>How many deliveries are in each state as it is shown; they add up to all.</summary>
public sealed record DeliveryCounts(long Queued, long Sending, long Retrying, long Held, long Sent, long Delivered, long Dead, long Closed)
{
    public long All => Queued + Sending + Retrying + Held + Sent + Delivered + Dead + Closed;
}

public sealed record AttemptRow(int Number, DateTime StartedAt, DateTime? EndedAt, string RequestHash, int? Status, string? Code, string? Verdict, string? Response);

public sealed record DecisionRow(string Action, string Reason, string Actor, DateTime DecidedAt, long? Created);

/// <summary>Deliveries for reading, newest first; each reader sees what row security lets it see.</summary>
public sealed class DeliveryOverview(GatewayDatabase database)
{
    public const int MaxAttempts = 200;

    /// <summary>The states as they are shown, and as the address of the list names them.</summary>
    public static IReadOnlyList<string> Shown { get; } = ["queued", "sending", "retrying", "held", "sent", "delivered", "dead", "closed"];

    // The words of the user interface from what is stored, decided in one place so that counts and rows agree.
    private const string From = """
        from (
            select d.*, p.name as partner, p.channel, c.public_id,
                d.state = 'due' and coalesce(d.lease_until > n.at, false) as sending,
                case when d.state <> 'due' then null when p.state = 'paused' then coalesce(p.pause_reason, 'The partner is paused.') when b.open_until > n.at then coalesce(b.reason, 'The partner kept failing.') end as held_why,
                case when d.state = 'due' and p.state <> 'paused' and b.open_until > n.at then b.open_until end as held_until
            from (select gateway_now() as at) n, delivery d join partner p using (partner_id) left join breaker b on b.partner_id = d.partner_id left join capture c on c.document_id = d.document_id
        ) d cross join lateral (select case
            when d.state = 'delivered' and d.receipt = 'pending' then 'sent' when d.state <> 'due' then d.state
            when d.sending then 'sending' when d.held_why is not null then 'held' when d.attempts = 0 then 'queued' else 'retrying' end as shown) s
        """;

    private const string Row = """
        select d.delivery_id as DeliveryId, s.shown as State, d.dead_reason as DeadReason, d.code as Code, d.partner_id as PartnerId, d.partner as Partner, d.channel as Channel,
               d.attempts as Attempts, d.sending as Sending, d.held_why as HeldWhy, d.held_until as HeldUntil, d.due_at as DueAt, d.created_at as CreatedAt, d.give_up_at as GiveUpAt,
               d.finished_at as FinishedAt, d.receipt as Receipt, d.message_id as MessageId, d.replay_of as ReplayOf, d.version as Version, d.public_id as CaptureId
        """;

    /// <param name="state">One of <see cref="Shown"/>; null for all.</param>
    /// <param name="before">The number of the last row already known; null for the newest.</param>
    public async Task<IReadOnlyList<DeliveryRow>> ListAsync(Actor reader, string? state, int? partnerId, long? before, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<DeliveryRow>(new CommandDefinition($"""
            {Row} {From}
            where (@state::text is null or s.shown = @state) and (@partnerId::int is null or d.partner_id = @partnerId) and (@before::bigint is null or d.delivery_id < @before)
            order by d.delivery_id desc limit @limit
            """, new { state, partnerId, before, limit }, work.Transaction, cancellationToken: ct))).AsList();
    }

    public async Task<DeliveryCounts> CountAsync(Actor reader, int? partnerId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        var counts = (await work.Connection.QueryAsync<(string State, long Count)>(new CommandDefinition(
            $"select s.shown, count(*) {From} where @partnerId::int is null or d.partner_id = @partnerId group by s.shown", new { partnerId }, work.Transaction, cancellationToken: ct)))
            .ToDictionary(c => c.State, c => c.Count);
        long Of(string state) => counts.GetValueOrDefault(state);
        return new DeliveryCounts(Of("queued"), Of("sending"), Of("retrying"), Of("held"), Of("sent"), Of("delivered"), Of("dead"), Of("closed"));
    }

    /// <summary>The deliveries of all documents received on one day (UTC), replays included.</summary>
    internal static async Task<DeliveryCounts> CountDayAsync(Work work, DateTime day, CancellationToken ct) => Counts(await work.Connection.QueryAsync<(string, long)>(new CommandDefinition(
        $"select s.shown, count(*) {From} where d.document_id in (select document_id from capture where created_at >= @day and created_at < @day + interval '1 day') group by s.shown",
        new { day }, work.Transaction, cancellationToken: ct)));

    private static DeliveryCounts Counts(IEnumerable<(string State, long Count)> counted)
    {
        var counts = counted.ToDictionary(c => c.State, c => c.Count);
        long Of(string state) => counts.GetValueOrDefault(state);
        return new DeliveryCounts(Of("queued"), Of("sending"), Of("retrying"), Of("held"), Of("sent"), Of("delivered"), Of("dead"), Of("closed"));
    }

    /// <summary>The partners the reader may see, for choosing one.</summary>
    public async Task<IReadOnlyList<(int PartnerId, string Name)>> PartnersAsync(Actor reader, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<(int, string)>(new CommandDefinition(
            "select partner_id, name from partner order by name, partner_id limit 500", transaction: work.Transaction, cancellationToken: ct))).AsList();
    }

    /// <returns>The delivery, or null when there is none or it is another party's.</returns>
    public async Task<DeliveryRow?> FindAsync(Actor reader, long deliveryId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await work.Connection.QuerySingleOrDefaultAsync<DeliveryRow>(new CommandDefinition(
            $"{Row} {From} where d.delivery_id = @deliveryId", new { deliveryId }, work.Transaction, cancellationToken: ct));
    }

    /// <summary>The last <see cref="MaxAttempts"/> attempts, newest first.</summary>
    public async Task<IReadOnlyList<AttemptRow>> AttemptsAsync(Actor reader, long deliveryId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<AttemptRow>(new CommandDefinition("""
            select number as Number, started_at as StartedAt, ended_at as EndedAt, encode(request_hash, 'hex') as RequestHash, status as Status, code as Code, verdict as Verdict, response as Response
            from attempt where delivery_id = @deliveryId order by number desc limit @max
            """, new { deliveryId, max = MaxAttempts }, work.Transaction, cancellationToken: ct))).AsList();
    }

    public async Task<IReadOnlyList<DecisionRow>> DecisionsAsync(Actor reader, long deliveryId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<DecisionRow>(new CommandDefinition("""
            select action as Action, reason as Reason, actor as Actor, decided_at as DecidedAt, created as Created
            from delivery_decision where delivery_id = @deliveryId order by decision_id desc
            """, new { deliveryId }, work.Transaction, cancellationToken: ct))).AsList();
    }
}
