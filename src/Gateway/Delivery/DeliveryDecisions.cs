using System.Globalization;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Microsoft.Extensions.Options;
using Npgsql;

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
        ["retry"] = new($"""
            update delivery set state = 'due', dead_reason = null, equal_refusals = 0, crashes = 0, due_at = gateway_now(), give_up_at = gateway_now() + @RetryLifetime, finished_at = null,
                receipt = 'none', receipt_ref = null, {Acknowledgements.Ends}, {DeliveryHold.Ends}, version = version + 1
            where delivery_id = @id and (state = 'dead' or state = 'due' and lease_token is null and not {DeliveryHold.Stands}) and version = coalesce(@version, version) returning party_id, null::bigint
            """, "Only what needs a decision or waits can be retried; what a person holds is resumed first."),
        // The time for retries is not used up by waiting for a person.
        ["hold"] = new($"""
            update delivery set held_by = @by, held_why = @reason, held_until = @until, give_up_at = greatest(give_up_at, @until + @RetryLifetime), version = version + 1
            where delivery_id = @id and state = 'due' and lease_token is null and not {DeliveryHold.Stands} and (@until::timestamptz is null or @until > gateway_now())
              and version = coalesce(@version, version) returning party_id, null::bigint
            """, "Only what waits to be sent and is not held already can be held, and until a moment that is yet to come."),
        ["resume"] = new($"""
            update delivery set {DeliveryHold.Ends}, give_up_at = greatest(give_up_at, gateway_now() + @RetryLifetime), due_at = case when document_id is null then gateway_now() else due_at end, version = version + 1
            where delivery_id = @id and state = 'due' and {DeliveryHold.Stands} and version = coalesce(@version, version) returning party_id, null::bigint
            """, "Only what a person holds can be resumed; what waits for its partner goes on when the partner does."),
        ["close"] = new($"""
            update delivery set state = 'closed', finished_at = gateway_now(), held_until = null, version = version + 1
            where delivery_id = @id and (state = 'dead' or state = 'due' and {DeliveryHold.Stands}) and version = coalesce(@version, version) returning party_id, null::bigint
            """, "Only what needs a decision or is held by a person can be closed."),
        // It is not sent before somebody says so: as before, it needs a decision or is held.
        ["reopen"] = new("""
            update delivery set state = case when held_by is null then 'dead' else 'due' end, finished_at = null, compose_findings = null, version = version + 1
            where delivery_id = @id and state = 'closed' and version = coalesce(@version, version) returning party_id, null::bigint
            """, "Only what is closed can be reopened."),
        ["replay"] = new("""
            with original as (update delivery set version = version + 1
                where delivery_id = @id and state = 'delivered' and version = coalesce(@version, version)
                  and not exists (select from delivery r where r.replay_of = @id and r.state = 'due') returning *)
            insert into delivery (party_id, document_id, capture_id, partner_id, replay_of, message_id, ordering, state, due_at, created_at, need_by, give_up_at)
            select party_id, document_id, capture_id, partner_id, delivery_id, message_id, ordering, 'due', gateway_now(), gateway_now(),
                gateway_now() + coalesce((select p.need_within from partner p where p.partner_id = original.partner_id), @NeedWithin), gateway_now() + @RetryLifetime from original
            on conflict (replay_of) where state = 'due' do nothing
            returning party_id, delivery_id
            """, "Only what is delivered can be replayed, once at a time; retry or close what is not."),
    };

    /// <summary>What can be decided.</summary>
    public static IReadOnlyCollection<string> Steps => Decisions.Keys;

    public Task<Decided> RetryAsync(Actor actor, long id, int? version, string reason, CancellationToken ct) => DecideAsync(actor, "retry", id, version, reason, ct);

    /// <summary>Nothing sends it before somebody resumes it, or the moment has come.</summary>
    /// <param name="until">Null: until somebody resumes it.</param>
    public Task<Decided> HoldAsync(Actor actor, long id, int? version, string reason, DateTime? until, CancellationToken ct) => DecideAsync(actor, "hold", id, version, reason, ct, until);

    /// <summary>Ends a person's hold: it is due as it was.</summary>
    public Task<Decided> ResumeAsync(Actor actor, long id, int? version, string reason, CancellationToken ct) => DecideAsync(actor, "resume", id, version, reason, ct);

    public Task<Decided> CloseAsync(Actor actor, long id, int? version, string reason, CancellationToken ct) => DecideAsync(actor, "close", id, version, reason, ct);

    public Task<Decided> ReopenAsync(Actor actor, long id, int? version, string reason, CancellationToken ct) => DecideAsync(actor, "reopen", id, version, reason, ct);

    /// <summary>Sends the same bytes under the same message id again, as a row of its own.</summary>
    public Task<Decided> ReplayAsync(Actor actor, long id, int? version, string reason, CancellationToken ct) => DecideAsync(actor, "replay", id, version, reason, ct);

    /// <summary>Ends the while a partner is left alone: what has waited longest is sent to it now, and its outcome decides about the rest, which waits for nothing else.</summary>
    /// <returns>False when it is not left alone, or is being tried at this moment.</returns>
    public async Task<bool> TryNowAsync(Actor actor, int partnerId, string reason, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor with { Reason = reason }, ct);
        var tried = await work.Connection.ExecuteAsync(
            "update breaker set open_until = gateway_now() where partner_id = @partnerId and open_until > gateway_now() and probe is null", new { partnerId }, work.Transaction);
        if (tried == 0)
        {
            await work.RefuseAsync(new RefusedStep("partner", partnerId.ToString(CultureInfo.InvariantCulture), "try now", "Only a partner that is left alone, and is not being tried already, can be tried now.", """
                select case when b.open_until > gateway_now() then 'left alone' else 'served' end || case when b.probe is null then '' else ', being tried' end, null::int
                from partner p left join breaker b using (partner_id) where p.partner_id = @key::int
                """));
            return false;
        }
        // What failed before does not wait for its next time to try. What is being sent is locked before the breaker, so it is passed by.
        await work.Connection.ExecuteAsync($"""
            update delivery d set due_at = gateway_now() from (
                select delivery_id from delivery where partner_id = @partnerId and state = 'due' and document_id is not null and due_at > (select gateway_now()) and lease_token is null and not {DeliveryHold.Stands}
                for update skip locked) w where d.delivery_id = w.delivery_id;
            select audit_write('try now', 'partner', @partnerId::text, null, null), pg_notify('delivery_due', @partnerId::text), pg_notify('changed', 'delivery 0')
            """, new { partnerId }, work.Transaction);
        await work.CommitAsync();
        return true;
    }

    private async Task<Decided> DecideAsync(Actor actor, string action, long id, int? version, string reason, CancellationToken ct, DateTime? until = null)
    {
        await using var work = await database.BeginAsync(actor with { Reason = reason }, ct);
        Decided decided;
        try
        {
            decided = await TryAsync(work, actor, action, id, version, reason, until);
        }
        catch (PostgresException e) when (e.ConstraintName == "delivery_one_open_replay")
        {
            decided = new Decided("Another replay of the same delivery is on its way: decide about this one when that has ended.");
        }
        if (decided.Refusal is { } refusal)
        {
            await work.RefuseAsync(Refused(action, id, version, refusal));
        }
        else
        {
            await work.CommitAsync();
        }
        return decided;
    }

    /// <summary>In a transaction of the caller's, who commits it; a refusal has changed nothing.</summary>
    /// <param name="action">One of <see cref="Steps"/>.</param>
    public async Task<Decided> DecideAsync(Work work, Actor actor, string action, long id, int? version, string reason)
    {
        var decided = await TryAsync(work, actor, action, id, version, reason, until: null);
        if (decided.Refusal is { } refusal)
        {
            await work.NoteAsync(Refused(action, id, version, refusal));
        }
        return decided;
    }

    private static RefusedStep Refused(string action, long id, int? version, string refusal) => new("delivery", id.ToString(CultureInfo.InvariantCulture), action, refusal, $"""
        select case when state <> 'due' then state when {DeliveryHold.Stands} then 'held' when lease_token is not null then 'being sent' else 'due' end, version from delivery where delivery_id = @key::bigint
        """, version);

    private async Task<Decided> TryAsync(Work work, Actor actor, string action, long id, int? version, string reason, DateTime? until)
    {
        var (change, refusal) = Decisions[action];
        var done = await work.Connection.QuerySingleOrDefaultAsync<(int PartyId, long? Created)?>(change, new { id, version, options.Value.RetryLifetime, options.Value.NeedWithin, by = actor.Name, reason, until }, work.Transaction);
        if (done is not { } row)
        {
            return new Decided(refusal + " Or it has changed since you looked.");
        }
        await work.Connection.ExecuteAsync("""
            insert into delivery_decision (delivery_id, party_id, action, reason, actor, decided_at, created) values (@id, @PartyId, @action, @reason, @actorId, gateway_now(), @Created)
            """, new { id, row.PartyId, action, reason, actorId = actor.Id, row.Created }, work.Transaction);
        if (action == "close")
        {
            await ComposeQueue.EndExceptionsAsync(work, id, except: null, "The delivery is closed.");
        }
        return new Decided(null, row.Created);
    }
}
