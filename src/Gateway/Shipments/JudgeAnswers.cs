using Dapper;
using Gateway.Database;
using Gateway.Delivery;

namespace Gateway.Shipments;

/// <summary>Makes the sums of shipments of which something is new, and from them what the partner has acknowledged by the goods of each delivery.</summary>
internal sealed class JudgeAnswers(GatewayDatabase database)
{
    private const int AtOnce = 50;

    /// <returns>The shipments of which something was new; null when nothing was.</returns>
    public async Task<IReadOnlyList<long>?> RunAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(FollowShipments.Gateway, ct);
        // The deliveries are locked first, as whoever sends them does; a shipment of which one is just being sent is left for the next time.
        var stale = (await work.Connection.QueryAsync<long>(new CommandDefinition($"select shipment_id from shipment where stale and units is not null order by shipment_id limit {AtOnce}", transaction: work.Transaction, cancellationToken: ct))).ToArray();
        var deliveries = (await work.Connection.QueryAsync<long>(new CommandDefinition("""
            select d.delivery_id from delivery d where d.replay_of is null and coalesce(d.compose_kind, 'shipment') = 'shipment' and d.lease_token is null
              and d.delivery_id in (select o.delivery_id from shipment s join delivery o on o.capture_id = s.capture_id and o.partner_id = s.partner_id where s.shipment_id = any(@stale)) order by 1 for update skip locked
            """, new { stale }, work.Transaction, cancellationToken: ct))).ToArray();
        stale = [.. await work.Connection.QueryAsync<long>(new CommandDefinition("""
            select s.shipment_id from shipment s where s.shipment_id = any(@stale) and not exists (select from delivery d where d.capture_id = s.capture_id and d.partner_id = s.partner_id
                and d.replay_of is null and coalesce(d.compose_kind, 'shipment') = 'shipment' and d.delivery_id <> all(@deliveries)) order by 1
            """, new { stale, deliveries }, work.Transaction, cancellationToken: ct))];
        await work.Connection.ExecuteAsync(new CommandDefinition("""
            update shipment set stale = false where shipment_id = any(@stale);
            delete from shipment_sum where shipment_id = any(@stale);
            insert into shipment_sum (shipment_id, party_id, delivery_id, gtin, lot, units, taken_back, received)
            select s.shipment_id, s.party_id, x.delivery_id, l.gtin, l.lot, sum(x.units), case when s.taken_back_by is null then sum(x.taken_back) else sum(x.units) end, case when s.taken_back_by is null then sum(x.received) else 0 end
            from shipment s join (
                select shipment_id, delivery_id, lot_id, count(*) as units, count(taken_back_by) as taken_back, count(received_by) filter (where taken_back_by is null) as received
                from shipped_unit where shipment_id = any(@stale) group by 1, 2, 3) x using (shipment_id)
            left join lot l on l.lot_id = x.lot_id group by s.shipment_id, s.party_id, x.delivery_id, l.gtin, l.lot, s.taken_back_by
            """, new { stale }, work.Transaction, commandTimeout: 0, cancellationToken: ct));
        // A document that tells another number than was found: the history may have come in between, so once it is counted again.
        await work.Connection.ExecuteAsync(new CommandDefinition($"""
            with counted as materialized (
                select d.delivery_id, nullif((d.composed ->> 'units')::bigint - coalesce(sum(x.units), 0), 0)::int as wrong from delivery d left join shipment_sum x using (delivery_id)
                where d.delivery_id = any(@deliveries) and d.composed is not null group by d.delivery_id),
            again as (
                update shipment s set units = null, recounted = true, stale = true where not s.recounted and s.shipment_id in (
                    select x.shipment_id from counted c join shipment_sum x using (delivery_id) where c.wrong is not null) returning s.shipment_id)
            update delivery d set miscounted = case when not exists (select from again a join shipment_sum x using (shipment_id) where x.delivery_id = d.delivery_id) then c.wrong end from counted c where d.delivery_id = c.delivery_id
            """, new { deliveries }, work.Transaction, cancellationToken: ct));
        var judged = await work.Connection.ExecuteAsync(new CommandDefinition($"""
            with judged as (
                select d.delivery_id, x.answered_by, e.message,
                    case when x.expected = 0 then null when e.message is not null then 'disputed' when x.received >= x.expected then 'received' when x.received > 0 then 'partly' when d.business = 'assumed' then 'assumed' else 'awaited' end as business
                from delivery d
                cross join lateral (select coalesce(sum(u.units - u.taken_back), 0) as expected, coalesce(sum(u.received), 0) as received, max(s.answered_by) as answered_by
                    from shipment_sum u join shipment s using (shipment_id) where u.delivery_id = d.delivery_id) x
                left join lateral (select e.message from exception e where e.source_id = d.delivery_id::text and e.source_kind = 'delivery' and e.code = any(@Disputed) and e.state = 'open' order by e.exception_id desc limit 1) e on true
                where (d.delivery_id = any(@deliveries) or d.business = 'disputed') and d.state = 'delivered' and {Acknowledgements.IsToBeAnswered})
            update delivery d set business = j.business, business_at = gateway_now(), business_event = coalesce(j.answered_by, d.business_event), business_note = j.message,
                business_overdue = d.business_overdue and j.business in ('awaited', 'partly')
            from judged j where d.delivery_id = j.delivery_id and (d.business, d.business_note) is distinct from (j.business, j.message)
            """, new { deliveries, Disputed = Disputes.All }, work.Transaction, cancellationToken: ct));
        await work.CommitAsync();
        return stale.Length + judged > 0 ? stale : null;
    }
}
