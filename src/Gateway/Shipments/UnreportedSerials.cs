using System.Globalization;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Units;

namespace Gateway.Shipments;

/// <summary>A serial number that is shipped to a partner which must be told of it, and of which nothing that the partner took tells.</summary>
/// <param name="Delivery">The delivery that is to tell it; null: none is.</param>
/// <param name="State">As stored, of that delivery; null without one.</param>
/// <param name="CaptureId">What told of the shipment; null for a reader who may not see it.</param>
public sealed record UnreportedSerial(string Epc, string Gtin, string Serial, string? Lot, string Partner, string PartnerName, DateTime ShippedAt, long? Delivery, string? State, Guid? CaptureId)
{
    internal string Cursor { get; init; } = "";
}

/// <summary>Shipped but unreported: the units of shipments to partners with a profile that no delivery tells which was taken.</summary>
public sealed class UnreportedSerials(GatewayDatabase database)
{
    /// <summary>In the order of shipments.</summary>
    /// <param name="cursor">Of the last one already known; null from the beginning.</param>
    /// <returns>A page with the cursor of the next, or null when the cursor is none of ours.</returns>
    public async Task<(IReadOnlyList<UnreportedSerial> Items, string? Next)?> ListAsync(Actor reader, string? cursor, int limit, CancellationToken ct)
    {
        var (shipment, unit) = (0L, 0L);
        if (cursor is not null && !(cursor.Split('.') is [var s, var u] && long.TryParse(s, NumberStyles.None, CultureInfo.InvariantCulture, out shipment) && long.TryParse(u, NumberStyles.None, CultureInfo.InvariantCulture, out unit)))
        {
            return null;
        }
        await using var work = await database.BeginAsync(reader, ct);
        // The sums say in which shipments there are any; of those only a page is read, in the order of the key.
        var rows = (await work.Connection.QueryAsync<Row>(new CommandDefinition("""
            with untold as materialized (
                select distinct m.shipment_id, m.delivery_id, d.state from shipment_sum m join shipment s using (shipment_id) left join delivery d on d.delivery_id = m.delivery_id
                where m.shipment_id >= @shipment and m.units > m.taken_back and (d.delivery_id is null or d.state <> 'delivered')
                  and exists (select from partner_profile f where f.partner_id = s.partner_id)),
            page as materialized (
                select x.shipment_id, x.unit_id, x.delivery_id, o.state from (select shipment_id, array_agg(delivery_id) as deliveries, bool_or(delivery_id is null) as untold from untold group by 1 order by 1) g
                cross join lateral (select * from shipped_unit x where x.shipment_id = g.shipment_id and x.is_serial and x.taken_back_by is null and (x.shipment_id > @shipment or x.unit_id > @unit)
                    and (x.delivery_id = any(g.deliveries) or g.untold and x.delivery_id is null) order by x.unit_id limit @limit + 1) x
                join untold o on o.shipment_id = x.shipment_id and o.delivery_id is not distinct from x.delivery_id
                order by x.shipment_id, x.unit_id limit @limit + 1)
            select g.shipment_id as ShipmentId, g.unit_id as UnitId, u.key as Key, u.prefix_length as PrefixLength, l.lot as Lot, coalesce(y.gln, '') as Partner, p.name as PartnerName, e.event_time as ShippedAt,
                g.delivery_id as Delivery, g.state as State, c.public_id as CaptureId
            from page g join shipment s on s.shipment_id = g.shipment_id join partner p on p.partner_id = s.partner_id join party y on y.party_id = p.party_id
            cross join lateral (select key, prefix_length, lot_id from unit where unit_id = g.unit_id limit 1) u left join lot l on l.lot_id = u.lot_id
            cross join lateral (select event_time from event where event_id = s.event_id limit 1) e left join capture c on c.capture_id = s.capture_id
            order by g.shipment_id, g.unit_id
            """, new { shipment, unit, limit }, work.Transaction, cancellationToken: ct))).Select(r => r.ToSerial()).ToList();
        return (rows.Take(limit).ToList(), rows.Count > limit ? rows[limit - 1].Cursor : null);
    }

    /// <summary>How many there are.</summary>
    public async Task<long> CountAsync(Actor reader, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await work.Connection.ExecuteScalarAsync<long>(new CommandDefinition("""
            select coalesce(sum(case when m.gtin is not null then m.units - m.taken_back else l.units end), 0) from shipment_sum m join shipment s using (shipment_id) left join delivery d on d.delivery_id = m.delivery_id
            cross join lateral (
                -- The sums do not tell serial numbers without a lot from containers.
                select count(*) as units from shipped_unit x where m.gtin is null and x.shipment_id = m.shipment_id and x.delivery_id is not distinct from m.delivery_id and x.lot_id is null and x.is_serial and x.taken_back_by is null) l
            where m.units > m.taken_back and (d.delivery_id is null or d.state <> 'delivered') and exists (select from partner_profile f where f.partner_id = s.partner_id)
            """, transaction: work.Transaction, cancellationToken: ct));
    }

    private sealed record Row
    {
        public long ShipmentId { get; init; }
        public long UnitId { get; init; }
        public string Key { get; init; } = "";
        public short PrefixLength { get; init; }
        public string? Lot { get; init; }
        public string Partner { get; init; } = "";
        public string PartnerName { get; init; } = "";
        public DateTime ShippedAt { get; init; }
        public long? Delivery { get; init; }
        public string? State { get; init; }
        public Guid? CaptureId { get; init; }

        public UnreportedSerial ToSerial() => new(UnitKey.ToEpc(Key, PrefixLength), UnitKey.GtinOf(Key).ToString(), UnitKey.SerialOf(Key).ToString(), Lot, Partner, PartnerName, ShippedAt, Delivery, State, CaptureId)
        {
            Cursor = FormattableString.Invariant($"{ShipmentId}.{UnitId}"),
        };
    }
}
