using Dapper;
using Epcis;
using Gateway.Database;

namespace Gateway.Exceptions;

/// <summary>What found an exception, and whose rows it is about.</summary>
/// <param name="Kind">capture, delivery, device, run or pool.</param>
/// <param name="Id">As the source's own address names it: a captureID, a delivery's number, a device's name.</param>
/// <param name="DocumentId">The document it was found in, when it is the same party's.</param>
public sealed record ExceptionSource(string Kind, string Id, int PartyId, long? DocumentId);

/// <summary>What happened, as the record of the first occurrence keeps it.</summary>
/// <param name="Code">Explained at <c>/help</c>.</param>
/// <param name="Message">A sentence for people, without a line break.</param>
public sealed record ExceptionFacts(string Code, Severity Severity, string Message)
{
    /// <summary>eventID of the event it was found in.</summary>
    public string? EventUri { get; init; }

    /// <summary>GTIN-14 of all units; null when they are of several, or not known.</summary>
    public string? Gtin { get; init; }

    /// <summary>Lot of all units; null when they are of several, or not known.</summary>
    public string? Lot { get; init; }

    /// <summary>How often it happened.</summary>
    public int Occurrences { get; init; } = 1;
}

/// <summary>Opens exceptions, for every slice that finds what a person must settle.</summary>
public static class ExceptionRecords
{
    private const int MaxUnitsAStatement = 20_000;

    /// <summary>
    /// Opens an exception in the caller's transaction. While one of the same code and source is open, that one is taken: its
    /// count rises, and the units it does not name yet join it.
    /// </summary>
    /// <param name="epcs">The units it is about, spelled as events are stored (<c>EpcKey.Normalise</c>); none when they are not known.</param>
    public static async Task OpenAsync(Work work, ExceptionFacts facts, ExceptionSource source, IReadOnlyCollection<string> epcs)
    {
        var units = epcs.Distinct(StringComparer.Ordinal).ToList();
        var exceptionId = await work.Connection.ExecuteScalarAsync<long>("""
            insert into exception (party_id, code, severity, message, source_kind, source_id, document_id, event_uri, gtin, lot, opened_at, last_at, occurrences)
            select @PartyId, @Code, @severity, @Message, @Kind, @Id, @DocumentId, @EventUri, @Gtin, @Lot, n.at, n.at, @Occurrences from (select gateway_now() as at) n
            on conflict (party_id, code, source_kind, source_id) where state = 'open' do update set
                occurrences = exception.occurrences + excluded.occurrences, last_at = excluded.last_at, version = exception.version + 1,
                gtin = case when exception.gtin = excluded.gtin then exception.gtin end, lot = case when exception.lot = excluded.lot then exception.lot end
            returning exception_id
            """, new
        {
            source.PartyId, facts.Code, severity = facts.Severity.ToString().ToLowerInvariant(), facts.Message, source.Kind, source.Id, source.DocumentId,
            facts.EventUri, facts.Gtin, facts.Lot, facts.Occurrences,
        }, work.Transaction);
        foreach (var some in units.Chunk(MaxUnitsAStatement))
        {
            await work.Connection.ExecuteAsync("""
                with added as (
                    insert into exception_unit (exception_id, party_id, epc) select @exceptionId, @PartyId, epc from unnest(@some) as u (epc)
                    on conflict do nothing returning 1)
                update exception set unit_count = unit_count + (select count(*) from added) where exception_id = @exceptionId
                """, new { exceptionId, source.PartyId, some }, work.Transaction);
        }
    }

    /// <summary>Adds to what is open of this code and source what is true of it now: its count rises, and its story goes on. The caller acts for the organisation.</summary>
    public static Task GoOnAsync(Work work, string code, ExceptionSource source, string sentence) => work.Connection.ExecuteAsync("""
        with gone as (
            update exception set occurrences = occurrences + 1, last_at = gateway_now(), version = version + 1
            where party_id = @PartyId and code = @code and source_kind = @Kind and source_id = @Id and state = 'open' returning exception_id, party_id)
        insert into exception_note (exception_id, party_id, action, text, actor, actor_name, actor_role, noted_at)
        select exception_id, party_id, 'note', @sentence, current_setting('app.actor'), current_setting('app.actor_name'), current_setting('app.actor_role'), gateway_now() from gone
        """, new { source.PartyId, code, source.Kind, source.Id, sentence }, work.Transaction);

    /// <summary>Resolves what is open of this code and source, because what was wrong has become right by itself. The caller acts for the organisation.</summary>
    /// <param name="why">A sentence for its story.</param>
    public static Task ResolveAsync(Work work, string code, ExceptionSource source, string why) => work.Connection.ExecuteAsync("""
        with decided as (
            update exception set state = 'resolved', decided_at = gateway_now(), decided_by = current_setting('app.actor_name'), decided_why = @why, version = version + 1
            where party_id = @PartyId and code = @code and source_kind = @Kind and source_id = @Id and state = 'open' returning exception_id, party_id)
        insert into exception_note (exception_id, party_id, action, text, actor, actor_name, actor_role, noted_at)
        select exception_id, party_id, 'resolve', @why, current_setting('app.actor'), current_setting('app.actor_name'), current_setting('app.actor_role'), gateway_now() from decided
        """, new { source.PartyId, code, source.Kind, source.Id, why }, work.Transaction);
}
