using Dapper;
using Epcis.Events;
using Gateway.Database;
using Gateway.Units;

namespace Gateway.Shipments;

/// <summary>
/// Finds what was in a shipment at its time, at any depth, from the stored events: as whoever composes its document does, and apart from him, so
/// that the two can be counted against each other.
/// </summary>
internal sealed class FindShippedUnits(GatewayDatabase database)
{
    private const int ContainersAtOnce = 500, UnitsAtOnce = 5_000;

    // More workers than that never search side by side.
    private const int AtOnce = 16;

    // First half of the lock's key; the second is the shipment's number, folded.
    private const int LockSpace = 0x47_57_53_48;

    /// <summary>Of the oldest shipment whose units are not known, in one transaction.</summary>
    /// <returns>False when there is none.</returns>
    public async Task<bool> RunAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(FollowShipments.Gateway, ct);
        // Not its row: a search may take long, and who delivers its document must not wait for it.
        var shipment = await work.Connection.QuerySingleOrDefaultAsync<Row>(new CommandDefinition("""
            select s.shipment_id as ShipmentId, s.generation as Generation, s.party_id as PartyId, s.partner_id as PartnerId, s.capture_id as CaptureId, s.event_id as EventId, e.body as Body, e.event_time as At
            from (select shipment_id from (select shipment_id from shipment where units is null order by shipment_id limit @AtOnce) w
                  where pg_try_advisory_xact_lock(@LockSpace, (shipment_id % 2147483647)::int) limit 1) next
            join shipment s using (shipment_id) cross join lateral (select body, event_time from event where event_id = s.event_id limit 1) e where s.units is null
            """, new { LockSpace, AtOnce }, work.Transaction, cancellationToken: ct));
        if (shipment is null)
        {
            return false;
        }
        // What was said of it before is looked at again.
        await work.Connection.ExecuteAsync(new CommandDefinition("""
            with gone as (delete from shipped_unit where shipment_id = @ShipmentId returning received_by, taken_back_by)
            update shipment_news set is_done = false, seen = null where partner_id = @PartnerId and event_id in (select received_by from gone union select taken_back_by from gone)
            """, shipment, work.Transaction, commandTimeout: 0, cancellationToken: ct));
        var units = await FindAsync(work, shipment, ct);
        // Whoever was heard before these were known is heard again.
        await work.Connection.ExecuteAsync(new CommandDefinition("""
            update shipment_news set seen = null where partner_id = @PartnerId and not is_done;
            update shipment set units = @units, stale = true where shipment_id = @ShipmentId and generation = @Generation and units is null
            """, new { units, shipment.PartnerId, shipment.ShipmentId, shipment.Generation }, work.Transaction, cancellationToken: ct));
        if (await work.Connection.ExecuteScalarAsync<bool>("select exists (select from shipment where shipment_id = @ShipmentId and generation = @Generation and units is not null)", shipment, work.Transaction))
        {
            await work.CommitAsync();
        }
        return true;
    }

    private static async Task<int> FindAsync(Work work, Row shipment, CancellationToken ct)
    {
        var (history, products) = (new PackHistory(work), new EverContainers(work));
        var named = StoredEvents.Parse(shipment.Body).Epcs.Where(x => x.Role is EpcRole.Epc or EpcRole.Parent).Select(x => UnitKey.Of(x.Epc)).OfType<string>().Distinct(StringComparer.Ordinal).ToList();
        var (whole, parts) = await TellersAsync(work, shipment, ct);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var (added, level) = await AddAsync(work, shipment, [.. named.Select(k => (k, (long?)null, parts.TryGetValue(k, out var part) ? part : whole))], ct);
        while (level.Count > 0)
        {
            await products.LearnAsync(level.Keys, ct);
            var next = new Dictionary<string, (long Id, long? Delivery)>(StringComparer.Ordinal);
            foreach (var some in level.Where(u => products.MayHold(u.Key) && seen.Add(u.Key)).Chunk(ContainersAtOnce))
            {
                var contents = await history.AsOfAsync([.. some.Select(u => u.Key)], shipment.At, ct);
                var inside = some.Where(u => contents.ContainsKey(u.Key)).SelectMany(u => contents[u.Key].Inside.Keys.Where(k => k.Length > 0).Select(k => (k, (long?)u.Value.Id, u.Value.Delivery))).ToList();
                await products.LearnAsync(inside.Select(i => i.k), ct);
                foreach (var few in inside.Chunk(UnitsAtOnce))
                {
                    var (count, found) = await AddAsync(work, shipment, few, ct);
                    added += count;
                    foreach (var (key, unit) in found.Where(f => products.MayHold(f.Key)))
                    {
                        next[key] = unit;
                    }
                }
            }
            level = next;
        }
        return added;
    }

    /// <summary>Which delivery tells of the shipment; of one that was divided, which part tells of what it names.</summary>
    private static async Task<(long? Whole, Dictionary<string, long?> Parts)> TellersAsync(Work work, Row shipment, CancellationToken ct)
    {
        var deliveries = await work.Connection.QueryAsync<(long DeliveryId, string[]? Epcs)>(new CommandDefinition("""
            select delivery_id, shipment_epcs from delivery where capture_id = @CaptureId and partner_id = @PartnerId and replay_of is null
              and coalesce(compose_kind, 'shipment') = 'shipment' and (shipment_events is null or @EventId = any(shipment_events)) order by delivery_id
            """, shipment, work.Transaction, cancellationToken: ct));
        (long? whole, Dictionary<string, long?> parts) = (null, new(StringComparer.Ordinal));
        foreach (var (id, epcs) in deliveries)
        {
            whole ??= epcs is null ? id : null;
            foreach (var key in (epcs ?? []).Select(UnitKey.Of).OfType<string>())
            {
                parts.TryAdd(key, id);
            }
        }
        return (whole, parts);
    }

    private static async Task<(int Count, Dictionary<string, (long Id, long? Delivery)> Units)> AddAsync(Work work, Row shipment, IReadOnlyList<(string Key, long? Parent, long? Delivery)> units, CancellationToken ct)
    {
        var count = 0;
        var known = new Dictionary<string, (long, long?)>(StringComparer.Ordinal);
        foreach (var some in units.Chunk(UnitsAtOnce))
        {
            var rows = (await work.Connection.QueryAsync<(int N, long UnitId, int? LotId)>(new CommandDefinition("""
                select n.n::int, u.unit_id, u.lot_id from unnest(@heads, @hashes, @keys) with ordinality as n (head, hash, key, n)
                cross join lateral (select unit_id, lot_id from unit where head = n.head and hash = n.hash and key = n.key limit 1) u
                """, new { heads = some.Select(u => UnitKey.Head(u.Key)).ToArray(), hashes = some.Select(u => UnitKey.Hash(u.Key)).ToArray(), keys = some.Select(u => u.Key).ToArray() }, work.Transaction, cancellationToken: ct))).AsList();
            count += await work.Connection.ExecuteAsync(new CommandDefinition("""
                insert into shipped_unit (shipment_id, unit_id, parent_id, delivery_id, party_id, lot_id, is_serial)
                select @ShipmentId, unit_id, parent_id, delivery_id, @PartyId, lot_id, is_serial from unnest(@ids, @parents, @deliveries, @lots, @serials) as n (unit_id, parent_id, delivery_id, lot_id, is_serial)
                on conflict do nothing
                """, new
            {
                shipment.ShipmentId, shipment.PartyId, ids = rows.Select(r => r.UnitId).ToArray(), parents = rows.Select(r => some[r.N - 1].Parent).ToArray(), deliveries = rows.Select(r => some[r.N - 1].Delivery).ToArray(),
                lots = rows.Select(r => r.LotId).ToArray(), serials = rows.Select(r => !UnitKey.GtinOf(some[r.N - 1].Key).IsEmpty).ToArray(),
            }, work.Transaction, cancellationToken: ct));
            foreach (var row in rows)
            {
                known[some[row.N - 1].Key] = (row.UnitId, some[row.N - 1].Delivery);
            }
        }
        return (count, known);
    }

    private sealed record Row
    {
        public long ShipmentId { get; init; }
        public int Generation { get; init; }
        public int PartyId { get; init; }
        public int PartnerId { get; init; }
        public long CaptureId { get; init; }
        public long EventId { get; init; }
        public string Body { get; init; } = "";
        public DateTime At { get; init; }
    }
}
