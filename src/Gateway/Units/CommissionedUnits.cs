using Dapper;
using Gateway.Database;
using Npgsql;

namespace Gateway.Units;

/// <summary>A unit, with the event that commissioned it.</summary>
public sealed record CommissionedUnit(long EventId, string Epc, DateTime At);

/// <summary>What was commissioned at a place since a moment.</summary>
public static class CommissionedUnits
{
    // One event may tell of what happened one after another within a minute (docs/decisions/0027), and its time is that of the first.
    private const string Together = "interval '1 minute'";

    private static readonly short[] Ended = [(short)UnitState.Voided, (short)UnitState.Scrapped, (short)UnitState.Decommissioned, (short)UnitState.Destroyed];

    /// <summary>
    /// The units as events spell them, each with its event and the event's time, in the order of both and no more than asked for. Of a line's event that tells of more than
    /// one moment all are taken: rather one too many.
    /// </summary>
    /// <param name="seen">Of events that this snapshot shows nothing is told; null: of all is.</param>
    /// <param name="after">The last one that was told before.</param>
    public static async Task<IReadOnlyList<CommissionedUnit>> FindAsync(
        Work work, int partyId, string readPoint, DateTime since, DateTime? until, string? seen, CommissionedUnit? after, int limit, CancellationToken ct) =>
        (await work.Connection.QueryAsync<CommissionedUnit>(new CommandDefinition($"""
            select e.event_id as EventId, x.epc as Epc, e.event_time as At from event e join event_epc x on x.event_id = e.event_id and x.period = e.period and x.role = 1
            where e.event_time >= @since - {Together} and (@until::timestamptz is null or e.event_time <= @until) and e.party_id = @partyId and e.read_point = @readPoint and e.event_type = 'ObjectEvent' and e.action = 'ADD'
              and (e.event_time >= @since or strpos(e.body, 'urn:gateway:line') > 0)
              {(seen is null ? "" : "and e.txid >= pg_snapshot_xmin(@seen::pg_snapshot) and not pg_visible_in_snapshot(e.txid, @seen::pg_snapshot)")}
              {(after is null ? "" : "and e.event_id >= @EventId and (e.event_id, x.epc) > (@EventId, @Epc)")}
            order by e.event_id, x.epc limit @limit
            """, new { partyId, readPoint, since, until, seen, after?.EventId, after?.Epc, limit }, work.Transaction, cancellationToken: ct))).AsList();

    /// <summary>Those of the units that are still in a life that can be held.</summary>
    public static async Task<IReadOnlyList<string>> HoldableAsync(Work work, IEnumerable<string> epcs, CancellationToken ct)
    {
        var keys = epcs.Select(epc => (Epc: epc, Key: UnitKey.Of(epc)!)).Where(k => k.Key is not null).ToList();
        await using var select = new NpgsqlCommand("""
            select k.epc from unnest($1, $2, $3, $4) k (key, head, hash, epc) cross join lateral (select state from unit where head = k.head and hash = k.hash and key = k.key limit 1) u where u.state <> all($5)
            """, work.Connection, work.Transaction)
        {
            Parameters =
            {
                new() { Value = keys.Select(k => k.Key).ToArray() }, new() { Value = keys.Select(k => UnitKey.Head(k.Key)).ToArray() }, new() { Value = keys.Select(k => UnitKey.Hash(k.Key)).ToArray() },
                new() { Value = keys.Select(k => k.Epc).ToArray() }, new() { Value = Ended },
            },
        };
        var holdable = new List<string>();
        await using var rows = await select.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
        {
            holdable.Add(rows.GetString(0));
        }
        return holdable;
    }
}
