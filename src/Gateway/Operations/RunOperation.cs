using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Delivery;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Operations;

/// <summary>
/// One turn of an operation under a lease: about a second's worth of items, each in a transaction of its own together with its
/// outcome. Whoever lost the lease can change nothing, so that any node may go on at any item.
/// </summary>
public sealed partial class RunOperation(GatewayDatabase database, DeliveryDecisions decisions, IOptions<OperationOptions> options, TimeProvider time, ILogger<RunOperation> logger)
{
    private static readonly Actor Worker = Actor.System("operations");

    public async Task<IReadOnlyList<long>> RunnableAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Worker, ct);
        return (await work.Connection.QueryAsync<long>(
            "select operation_id from operation where state = 'running' and (lease_until is null or lease_until <= gateway_now()) order by operation_id", transaction: work.Transaction)).AsList();
    }

    /// <returns>How many items have an outcome now that had none before.</returns>
    public async Task<int> RunAsync(long operationId, CancellationToken ct)
    {
        if (await ClaimAsync(operationId, ct) is not { } claim)
        {
            return 0;
        }
        var ended = 0;
        try
        {
            foreach (var ordinal in await NextAsync(claim, ct))
            {
                if (ct.IsCancellationRequested || !await ApplyAsync(claim, ordinal))
                {
                    break;
                }
                ended++;
                await Task.Delay(TimeSpan.FromSeconds(1) / claim.Rate, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        finally
        {
            await ReleaseAsync(claim);
        }
        return ended;
    }

    private sealed record Claim(long OperationId, Guid Token, string Kind, string Reason, string Actor, string ActorName, string ActorRole, int PartyId, string Method, string Origin, int Rate, int ApprovedStage, DateTime? WaitingSince)
    {
        // The requester decided, as of then; the gateway only carries it out.
        public Actor Requester { get; } = new(Actor, ActorName, ActorRole, PartyId, Method, Origin) { Sees = "*", Reason = Reason, Correlation = FormattableString.Invariant($"operation:{OperationId}") };
    }

    private async Task<Claim?> ClaimAsync(long operationId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Worker, ct);
        var claim = await work.Connection.QuerySingleOrDefaultAsync<Claim>("""
            update operation o set lease_token = gen_random_uuid(), lease_until = gateway_now() + @LeaseTime
            from (select operation_id from operation where operation_id = @operationId and state = 'running' and (lease_until is null or lease_until <= gateway_now()) for update skip locked) mine
            where o.operation_id = mine.operation_id
            returning o.operation_id as "OperationId", lease_token as "Token", kind as "Kind", reason as "Reason", actor as "Actor", actor_name as "ActorName", actor_role as "ActorRole",
                party_id as "PartyId", method as "Method", origin as "Origin", rate as "Rate", approved_stage as "ApprovedStage", waiting_since as "WaitingSince"
            """, new { operationId, options.Value.LeaseTime }, work.Transaction);
        await work.CommitAsync();
        return claim;
    }

    /// <summary>The items of this turn: none while the stage before has no outcome yet, or when the operation ends or pauses here.</summary>
    private async Task<IReadOnlyList<int>> NextAsync(Claim claim, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Worker, ct);
        var next = (await work.Connection.QueryAsync<(int Ordinal, int Stage)>("""
            select ordinal, stage::int from operation_item where operation_id = @OperationId and outcome = 'pending' order by ordinal limit @Rate
            """, new { claim.OperationId, claim.Rate }, work.Transaction)).AsList();
        if (next.Count == 0)
        {
            await ChangeAsync(work, claim, "state = 'finished', finished_at = gateway_now(), lease_token = null, lease_until = null");
            return [];
        }
        var stage = next[0].Stage;
        // What is closed is not sent, so nothing is to be seen of it.
        if (stage > claim.ApprovedStage && claim.Kind != "close")
        {
            var before = (await OperationOverview.StagesAsync(work, claim.OperationId, ct)).Where(s => s.Stage < stage).ToList();
            var waiting = before.Sum(s => s.Waiting);
            var stop = waiting == 0 ? before[^1].Objection : await IsOverdueAsync(work, claim) ? $"{waiting} deliveries of the stage before have no outcome yet." : null;
            if (stop is not null)
            {
                await ChangeAsync(work, claim, "state = 'paused', pause_reason = @stop, waiting_since = null, lease_token = null, lease_until = null", stop);
                PausedItself(claim.OperationId, stage - 1);
                return [];
            }
            if (waiting > 0)
            {
                await ChangeAsync(work, claim, "waiting_since = coalesce(waiting_since, gateway_now())");
                return [];
            }
            await ChangeAsync(work, claim, "approved_stage = @stage, waiting_since = null", stage: stage);
        }
        return [.. next.TakeWhile(n => n.Stage == stage).Select(n => n.Ordinal)];
    }

    private async Task<bool> IsOverdueAsync(Work work, Claim claim) => claim.WaitingSince is not null && await work.Connection.ExecuteScalarAsync<bool>(
        "select waiting_since + @OutcomeWithin <= gateway_now() from operation where operation_id = @OperationId", new { options.Value.OutcomeWithin, claim.OperationId }, work.Transaction);

    private static async Task ChangeAsync(Work work, Claim claim, string change, string? stop = null, int? stage = null)
    {
        await work.Connection.ExecuteAsync($"update operation set {change} where operation_id = @OperationId and lease_token = @Token and state = 'running'",
            new { claim.OperationId, claim.Token, stop, stage }, work.Transaction);
        await work.CommitAsync();
    }

    /// <returns>False when the operation is no longer this node's to work on: paused, cancelled, or the lease lost.</returns>
    private async Task<bool> ApplyAsync(Claim claim, int ordinal)
    {
        try
        {
            return await ApplyAsync(claim, ordinal, decide: true);
        }
        catch (PostgresException e) when (!e.IsTransient)
        {
            // One that cannot be done must not keep the others from it.
            ItemBroke(claim.OperationId, ordinal, e);
            return await ApplyAsync(claim, ordinal, decide: false);
        }
    }

    private async Task<bool> ApplyAsync(Claim claim, int ordinal, bool decide)
    {
        await using var work = await database.BeginAsync(claim.Requester, CancellationToken.None);
        // The lease is prolonged and fences at once: the row stays locked until the outcome is written, so that a pause or a cancel comes before or after.
        var mine = await work.Connection.ExecuteAsync("update operation set lease_until = gateway_now() + @LeaseTime where operation_id = @OperationId and lease_token = @Token and state = 'running'",
            new { options.Value.LeaseTime, claim.OperationId, claim.Token }, work.Transaction);
        if (mine == 0)
        {
            return false;
        }
        var (deliveryId, version) = await work.Connection.QuerySingleOrDefaultAsync<(long, int)>(
            "select delivery_id, version from operation_item where operation_id = @OperationId and ordinal = @ordinal and outcome = 'pending' for update", new { claim.OperationId, ordinal }, work.Transaction);
        if (deliveryId == 0)
        {
            return false;
        }
        var decided = decide
            ? await decisions.DecideAsync(work, claim.Requester, claim.Kind, deliveryId, version, claim.Reason)
            : new Decided("It could not be done; the log of the gateway says why.");
        await work.Connection.ExecuteAsync("""
            update operation_item set outcome = case when @Refusal::text is null then 'done' else 'refused' end, detail = @Refusal, created = @Created, ended_at = gateway_now()
            where operation_id = @OperationId and ordinal = @ordinal
            """, new { decided.Refusal, decided.Created, claim.OperationId, ordinal }, work.Transaction);
        await work.CommitAsync();
        return true;
    }

    private async Task ReleaseAsync(Claim claim)
    {
        await using var work = await database.BeginAsync(Worker, CancellationToken.None);
        await work.Connection.ExecuteAsync("update operation set lease_token = null, lease_until = null where operation_id = @OperationId and lease_token = @Token", new { claim.OperationId, claim.Token }, work.Transaction);
        await work.CommitAsync();
    }

    [LoggerMessage(2201, LogLevel.Warning, "Operation {OperationId} paused itself after stage {Stage}.")]
    private partial void PausedItself(long operationId, int stage);

    [LoggerMessage(2202, LogLevel.Error, "Item {Ordinal} of operation {OperationId} could not be done.")]
    private partial void ItemBroke(long operationId, int ordinal, Exception e);
}
