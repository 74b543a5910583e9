using Dapper;
using Gateway.Access;

namespace Gateway.Database;

/// <summary>A step that a record did not allow as it was: by its state, or because somebody else's change came before.</summary>
/// <param name="Entity">The record as the audit trail names it.</param>
/// <param name="Step">A word of the code's own, never what a caller may invent.</param>
/// <param name="Refusal">The sentence that the caller is answered.</param>
/// <param name="Look">Selects the state as text and the version as a number, or null, of the record named <c>@key</c>.</param>
/// <param name="Expected">The version that the caller had seen.</param>
public sealed record RefusedStep(string Entity, string Key, string Step, string Refusal, string Look, int? Expected = null)
{
    /// <summary>A second refusal of the same step to the same caller, of the same record in the same state, is no entry of its own within it.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromHours(1);

    /// <summary>Writes the entry in the caller's transaction; of a record that the actor does not see there is none.</summary>
    internal async Task NoteAsync(Work work, Actor actor)
    {
        if (await work.Connection.QuerySingleOrDefaultAsync<(string State, int? Version)?>(Look, new { key = Key }, work.Transaction) is not { } found)
        {
            return;
        }
        await work.ActAsAsync(actor with { Sees = "*" });
        // Of several at once the first writes, and the others find its entry.
        await work.Connection.ExecuteAsync("select pg_advisory_xact_lock(hashtextextended(@what, 26))", new { what = $"{actor.Id} {Entity} {Key} {Step}" }, work.Transaction);
        await work.Connection.ExecuteAsync("""
            select audit_write('refused', @Entity, @Key, null, jsonb_strip_nulls(jsonb_build_object('step', @Step, 'found', @State, 'version', @Version, 'expected', @Expected, 'refusal', @Refusal)))
            where not exists (select from audit_entry where entity = @Entity and entity_key = @Key and action = 'refused' and actor = @Id
                and new ->> 'step' = @Step and new ->> 'found' = @State and recorded_at > gateway_now() - @Window)
            """, new { Entity, Key, Step, found.State, found.Version, Expected, Refusal, actor.Id, Window }, work.Transaction);
        await work.ActAsAsync(actor); // who goes on sees what he saw
    }
}
