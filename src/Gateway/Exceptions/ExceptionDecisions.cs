using Dapper;
using Gateway.Access;
using Gateway.Database;
using Npgsql;

namespace Gateway.Exceptions;

/// <summary>What a person says and decides about an exception. Guarded by state and version, so that two people cannot decide the same record differently.</summary>
public sealed class ExceptionDecisions(GatewayDatabase database)
{
    public const int MaxText = 2_000;
    public const int MaxAssignee = 100;

    private static readonly Dictionary<string, (string Set, string When, string Refusal)> Decisions = new()
    {
        ["resolve"] = ("state = 'resolved', decided_at = gateway_now(), decided_by = @by, decided_why = @text", "state = 'open'", "Only what is open can be resolved."),
        ["dismiss"] = ("state = 'dismissed', decided_at = gateway_now(), decided_by = @by, decided_why = @text", "state = 'open'", "Only what is open can be dismissed."),
        ["reopen"] = ("state = 'open', decided_at = null, decided_by = null, decided_why = null", "state <> 'open'", "Only what is resolved or dismissed can be reopened."),
        ["assign"] = ("assigned_to = @to", "state = 'open'", "Only what is open can be assigned."),
        ["note"] = ("assigned_to = assigned_to", "true", "A note could not be added."),
    };

    /// <summary>What can be decided.</summary>
    public static IReadOnlyCollection<string> Steps => Decisions.Keys;

    /// <summary>What was wrong is right again.</summary>
    /// <returns>Null, or the refusal as a sentence; then nothing was changed.</returns>
    public Task<string?> ResolveAsync(Actor actor, Guid id, int? version, string reason, CancellationToken ct) => DecideAsync(actor, "resolve", id, version, reason, null, ct);

    /// <summary>Nothing was wrong, or nothing is to be done.</summary>
    /// <returns>Null, or the refusal as a sentence; then nothing was changed.</returns>
    public Task<string?> DismissAsync(Actor actor, Guid id, int? version, string reason, CancellationToken ct) => DecideAsync(actor, "dismiss", id, version, reason, null, ct);

    /// <returns>Null, or the refusal as a sentence; then nothing was changed.</returns>
    public Task<string?> ReopenAsync(Actor actor, Guid id, int? version, string reason, CancellationToken ct) => DecideAsync(actor, "reopen", id, version, reason, null, ct);

    /// <param name="to">Who is to settle it, a person or a team by name; null: nobody in particular.</param>
    /// <returns>Null, or the refusal as a sentence; then nothing was changed.</returns>
    public Task<string?> AssignAsync(Actor actor, Guid id, int? version, string reason, string? to, CancellationToken ct) =>
        to?.Length > MaxAssignee ? Task.FromResult<string?>($"A name has at most {MaxAssignee} characters.") : DecideAsync(actor, "assign", id, version, reason, string.IsNullOrWhiteSpace(to) ? null : to.Trim(), ct);

    /// <returns>Null, or the refusal as a sentence; then nothing was added.</returns>
    public Task<string?> NoteAsync(Actor actor, Guid id, int? version, string text, CancellationToken ct) => DecideAsync(actor, "note", id, version, text, null, ct);

    private async Task<string?> DecideAsync(Actor actor, string action, Guid id, int? version, string text, string? to, CancellationToken ct)
    {
        if (text.Length > MaxText)
        {
            return $"A reason or note has at most {MaxText} characters.";
        }
        var (set, when, refusal) = Decisions[action];
        await using var work = await database.BeginAsync(actor with { Reason = text }, ct);
        try
        {
            var decided = await work.Connection.ExecuteAsync($"""
                with decided as (
                    update exception set {set}, version = version + 1 where public_id = @id and {when} and version = coalesce(@version, version) returning exception_id, party_id)
                insert into exception_note (exception_id, party_id, action, text, assigned_to, actor, actor_name, actor_role, noted_at)
                select exception_id, party_id, @action, @text, @to, @actorId, @by, @role, gateway_now() from decided
                """, new { id, version, action, text, to, actorId = actor.Id, by = actor.Name, role = actor.Role }, work.Transaction);
            if (decided == 0)
            {
                return await work.RefuseAsync(Refused(refusal + " Or it has changed since you looked."));
            }
            await work.CommitAsync();
            return null;
        }
        catch (PostgresException e) when (e.ConstraintName == "exception_once")
        {
            return await work.RefuseAsync(Refused("The same has been found again since, and stands in an exception of its own: decide about that one."));
        }

        RefusedStep Refused(string sentence) => new("exception", id.ToString(), action, sentence, "select state, version from exception where public_id = @key::uuid", version);
    }
}
