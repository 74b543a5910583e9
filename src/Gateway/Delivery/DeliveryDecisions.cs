using Dapper;
using Gateway.Access;
using Gateway.Database;
using Microsoft.Extensions.Options;

namespace Gateway.Delivery;

/// <param name="Refusal">Why nothing was done; null when it was.</param>
/// <param name="Created">The row a replay made.</param>
public sealed record Decided(string? Refusal, long? Created = null);

/// <summary>What a person decides about a delivery. Guarded by state and version, so that two people cannot decide the same row differently.</summary>
public sealed class DeliveryDecisions(GatewayDatabase database, IOptions<DeliveryOptions> options)
{
    private sealed record Decision(string Change, string Refusal);

    private static readonly Dictionary<string, Decision> Decisions = new()
    {
        ["retry"] = new("""
            update delivery set state = 'due', dead_reason = null, equal_refusals = 0, crashes = 0, due_at = gateway_now(), give_up_at = gateway_now() + @RetryLifetime, finished_at = null,
                receipt = 'none', receipt_ref = null, version = version + 1
            where delivery_id = @id and (state = 'dead' or state = 'due' and lease_token is null) and version = coalesce(@version, version) returning party_id, null::bigint
            """, "Only what needs a decision or waits can be retried."),
        ["close"] = new("""
            update delivery set state = 'closed', finished_at = gateway_now(), version = version + 1
            where delivery_id = @id and state = 'dead' and version = coalesce(@version, version) returning party_id, null::bigint
            """, "Only what needs a decision can be closed."),
        ["reopen"] = new("""
            update delivery set state = 'dead', finished_at = null, version = version + 1
            where delivery_id = @id and state = 'closed' and version = coalesce(@version, version) returning party_id, null::bigint
            """, "Only what is closed can be reopened."),
        ["replay"] = new("""
            with original as (update delivery set version = version + 1
                where delivery_id = @id and state = 'delivered' and version = coalesce(@version, version)
                  and not exists (select from delivery r where r.replay_of = @id and r.state = 'due') returning *)
            insert into delivery (party_id, document_id, partner_id, replay_of, message_id, ordering, state, due_at, created_at, give_up_at)
            select party_id, document_id, partner_id, delivery_id, message_id, ordering, 'due', gateway_now(), gateway_now(), gateway_now() + @RetryLifetime from original
            on conflict (replay_of) where state = 'due' do nothing
            returning party_id, delivery_id
            """, "Only what is delivered can be replayed, once at a time; retry or close what is not."),
    };

    public Task<Decided> RetryAsync(Actor actor, long id, int? version, string reason, CancellationToken ct) => DecideAsync(actor, "retry", id, version, reason, ct);

    public Task<Decided> CloseAsync(Actor actor, long id, int? version, string reason, CancellationToken ct) => DecideAsync(actor, "close", id, version, reason, ct);

    public Task<Decided> ReopenAsync(Actor actor, long id, int? version, string reason, CancellationToken ct) => DecideAsync(actor, "reopen", id, version, reason, ct);

    /// <summary>Sends the same bytes under the same message id again, as a row of its own.</summary>
    public Task<Decided> ReplayAsync(Actor actor, long id, int? version, string reason, CancellationToken ct) => DecideAsync(actor, "replay", id, version, reason, ct);

    /// <summary>Ends the while a partner is left alone: what has waited longest is sent to it now, and its outcome decides about the rest.</summary>
    /// <returns>False when it is not left alone, or is being tried at this moment.</returns>
    public async Task<bool> TryNowAsync(Actor actor, int partnerId, string reason, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor with { Reason = reason }, ct);
        var tried = await work.Connection.ExecuteAsync(
            "update breaker set open_until = gateway_now() where partner_id = @partnerId and open_until > gateway_now() and probe is null", new { partnerId }, work.Transaction);
        await work.Connection.ExecuteAsync("""
            select audit_write('try now', 'partner', @partnerId::text, null, null), pg_notify('delivery_due', @partnerId::text), pg_notify('changed', 'delivery 0') where @tried > 0
            """, new { partnerId, tried }, work.Transaction);
        await work.CommitAsync();
        return tried > 0;
    }

    private async Task<Decided> DecideAsync(Actor actor, string action, long id, int? version, string reason, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor with { Reason = reason }, ct);
        var decided = await DecideAsync(work, actor, action, id, version, reason);
        if (decided.Refusal is null)
        {
            await work.CommitAsync();
        }
        return decided;
    }

    /// <summary>In a transaction of the caller's, who commits it; a refusal has changed nothing.</summary>
    /// <param name="action">retry, close, reopen or replay.</param>
    public async Task<Decided> DecideAsync(Work work, Actor actor, string action, long id, int? version, string reason)
    {
        var (change, refusal) = Decisions[action];
        var done = await work.Connection.QuerySingleOrDefaultAsync<(int PartyId, long? Created)?>(change, new { id, version, options.Value.RetryLifetime }, work.Transaction);
        if (done is not { } row)
        {
            return new Decided(refusal + " Or it has changed since you looked.");
        }
        await work.Connection.ExecuteAsync("""
            insert into delivery_decision (delivery_id, party_id, action, reason, actor, decided_at, created) values (@id, @PartyId, @action, @reason, @actorId, gateway_now(), @Created)
            """, new { id, row.PartyId, action, reason, actorId = actor.Id, row.Created }, work.Transaction);
        return new Decided(null, row.Created);
    }
}
