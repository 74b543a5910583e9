using Dapper;
using Gateway.Database;
using Microsoft.Extensions.Options;

namespace Gateway.Devices;

/// <summary>A pause that no machine proved: what its line commissioned since the trigger is held.</summary>
/// <param name="ReadPoint">Of the line, as events name it.</param>
/// <param name="Until">When the machine stood after all; null: it has not said so.</param>
/// <param name="CmdId">Of the pause.</param>
/// <param name="Seen">The snapshot whose events have been looked through; null: none have.</param>
public sealed record LineHold(long LineHoldId, int PartyId, int LineId, string Line, string ReadPoint, DateTime Since, DateTime? Until, Guid CmdId, string? Seen);

/// <summary>The holds that unproved pauses have put on lines. Who knows of units puts them into effect, and notes here of which units it did.</summary>
public sealed class LineHolds(IOptions<CommandOptions> options)
{
    private const string Rows = """
        select h.line_hold_id as LineHoldId, h.party_id as PartyId, h.line_id as LineId, l.code as Line, l.read_point as ReadPoint, h.since_at as Since, h.until_at as Until, c.public_id as CmdId, h.seen::text as Seen
        from line_hold h join line l using (line_id) join device_command c using (command_id)
        """;

    // Units are looked for often while the machine runs on, and seldom when all that can come is what was told late.
    private static readonly TimeSpan WhileRunning = TimeSpan.FromSeconds(2), WhenStanding = TimeSpan.FromMinutes(1);

    /// <summary>Those that it is time to look at for units: of machines that do not stand, or of which units may still be told late.</summary>
    public async Task<IReadOnlyList<LineHold>> DueAsync(Work work, CancellationToken ct) => (await work.Connection.QueryAsync<LineHold>(new CommandDefinition($"""
        {Rows} where h.looked_at is null or h.until_at is null and h.looked_at <= gateway_now() - @WhileRunning
            or h.until_at > gateway_now() - @HoldLateUnitsFor and h.looked_at <= gateway_now() - @WhenStanding order by 1
        """, new { WhileRunning, WhenStanding, options.Value.HoldLateUnitsFor }, work.Transaction, cancellationToken: ct))).AsList();

    /// <summary>Takes the hold until the transaction ends, so that one node puts it into effect.</summary>
    /// <returns>False when another has it.</returns>
    public async Task<bool> TakeAsync(Work work, LineHold hold) =>
        await work.Connection.ExecuteScalarAsync<bool>("with taken as (select line_hold_id from line_hold where line_hold_id = @LineHoldId for update skip locked), looked as (update line_hold set looked_at = gateway_now() where line_hold_id in (select line_hold_id from taken) returning 1) select exists (select from looked)", hold, work.Transaction);

    /// <summary>Which of these units the hold has not concerned yet.</summary>
    public async Task<IReadOnlyList<string>> NewAsync(Work work, LineHold hold, IReadOnlyCollection<string> epcs) => (await work.Connection.QueryAsync<string>("""
        select epc from unnest(@epcs) as e (epc) where not exists (select from line_hold_unit u where u.line_hold_id = @LineHoldId and u.epc = e.epc) order by 1
        """, new { hold.LineHoldId, epcs = epcs.ToArray() }, work.Transaction)).AsList();

    /// <summary>All that the snapshot shows has been looked through. Where the hold has changed meanwhile it is looked through again.</summary>
    public Task SeenAsync(Work work, LineHold hold, string snapshot) => work.Connection.ExecuteAsync(
        "update line_hold set seen = @snapshot::pg_snapshot where line_hold_id = @LineHoldId and until_at is not distinct from @Until", new { hold.LineHoldId, hold.Until, snapshot }, work.Transaction);

    /// <param name="capture">The document that holds them.</param>
    public Task NoteAsync(Work work, LineHold hold, IReadOnlyCollection<string> epcs, Guid capture) => work.Connection.ExecuteAsync("""
        insert into line_hold_unit (line_hold_id, party_id, epc, capture) select @LineHoldId, @PartyId, epc, @capture from unnest(@epcs) as e (epc);
        update line_hold set unit_count = unit_count + cardinality(@epcs) where line_hold_id = @LineHoldId
        """, new { hold.LineHoldId, hold.PartyId, epcs = epcs.ToArray(), capture }, work.Transaction);
}
