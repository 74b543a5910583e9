using Dapper;
using Gateway.Access;
using Gateway.Database;
using Npgsql;

namespace Gateway.Delivery;

/// <summary>What became of a decision: done (and the row a replay made), or a sentence why not.</summary>
public sealed record DecisionOutcome(bool Done, string Sentence, long? Created = null);

/// <summary>
/// A person's decision about one delivery. It names the version it was made on, so that two people, or one double click,
/// decide once; state, decision and audit entry are one transaction.
/// </summary>
public sealed class DecideDelivery(GatewayDatabase database)
{
    // A retried delivery gets its whole lifetime again, else the first failure would end it.
    private const string Again = "state = 'due', dead_reason = null, due_at = gateway_now(), give_up_at = gateway_now() + (give_up_at - created_at), equal_refusals = 0, crashes = 0, finished_at = null, lease_token = null, lease_until = null";

    /// <param name="action">retry, replay, close or reopen.</param>
    /// <param name="version">The delivery's version as the person saw it.</param>
    public async Task<DecisionOutcome> DecideAsync(Actor actor, long deliveryId, string action, int version, string reason, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(reason))
        {
            return new DecisionOutcome(false, "A decision needs a reason.");
        }
        var (from, change) = action switch
        {
            "retry" => ("dead", Again),
            "reopen" => ("closed", Again),
            "close" => ("dead", "state = 'closed', dead_reason = null, finished_at = gateway_now()"),
            "replay" => ("delivered", "state = state"),
            _ => throw new ArgumentOutOfRangeException(nameof(action), action, "There is no such decision."),
        };
        await using var work = await database.BeginAsync(actor with { Reason = reason.Trim() }, ct);
        var changed = await work.Connection.ExecuteAsync(new CommandDefinition(
            $"update delivery set {change}, version = version + 1 where delivery_id = @deliveryId and version = @version and state = @from",
            new { deliveryId, version, from }, work.Transaction, cancellationToken: ct));
        if (changed == 0)
        {
            return new DecisionOutcome(false, "Nothing was changed: the delivery has moved on since you looked. Look again, then decide.");
        }
        try
        {
            var created = action == "replay" ? await ReplayAsync(work, deliveryId, ct) : (long?)null;
            await work.Connection.ExecuteAsync(new CommandDefinition("""
                insert into delivery_decision (delivery_id, party_id, action, reason, actor, decided_at, created)
                select delivery_id, party_id, @action, @reason, @actor, gateway_now(), @created from delivery where delivery_id = @deliveryId
                """, new { deliveryId, action, reason = reason.Trim(), actor = actor.Id, created }, work.Transaction, cancellationToken: ct));
            await work.CommitAsync();
            return new DecisionOutcome(true, created is { } row ? $"Replayed as delivery {row}." : "Done.", created);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            return new DecisionOutcome(false, "Nothing was changed: a replay of this delivery is already under way.");
        }
        catch (CommitUnknownException)
        {
            return new DecisionOutcome(false, "It is not known whether this took effect: look at the delivery again before you repeat it.");
        }
    }

    // The same document under the same message identifier, so that the partner can tell that it has it.
    private static Task<long> ReplayAsync(Work work, long deliveryId, CancellationToken ct) =>
        work.Connection.ExecuteScalarAsync<long>(new CommandDefinition("""
            insert into delivery (party_id, document_id, partner_id, replay_of, message_id, ordering, state, due_at, created_at, give_up_at)
            select party_id, document_id, partner_id, delivery_id, message_id, ordering, 'due', gateway_now(), gateway_now(), gateway_now() + (give_up_at - created_at)
            from delivery where delivery_id = @deliveryId returning delivery_id
            """, new { deliveryId }, work.Transaction, cancellationToken: ct));
}
