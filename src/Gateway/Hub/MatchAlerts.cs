using Dapper;
using Epcis;
using Gateway.Access;
using Gateway.Database;
using Gateway.Exceptions;
using Gateway.Units;
using Microsoft.Extensions.Options;

namespace Gateway.Hub;

/// <summary>
/// One turn: looks for the causes of a batch of cases, and puts what is open before people. A case is looked at when an alert joined it, when a hub has answered something of its product, and now and then, until it is closed:
/// what comes late changes what is proposed.
/// </summary>
public sealed class MatchAlerts(GatewayDatabase database, IOptions<AlertOptions> options)
{
    private const int AtOnce = 500;

    private const int LongTime = 300; // seconds: a lot may have a million units

    private static readonly Actor Matcher = Actor.System("hub");

    // Units are looked up by their keys one by one, or by their whole lot once for all cases of it; never by reading all there are.
    // The states are UnitState: 8 sampled, 9 decommissioned, 10 destroyed.
    private const string Known = """
        with recursive c as materialized (
            select c.case_id, c.partner_id, c.code, c.product, c.lot, c.serial,
                (select a.expiry from hub_alert a where a.case_id = c.case_id and a.expiry is not null order by a.alert_id desc limit 1) as expiry,
                exists (select from hub_alert a where a.case_id = c.case_id and a.end_user = 'OBP') as by_us,
                exists (select from lot l where l.gtin = c.product) or exists (select from hub_product p where p.gtin = c.product) as known_product,
                exists (select from lot l where l.gtin = c.product and l.lot = c.lot) as known_lot
            from hub_alert_case c where c.case_id = any(@cases)),
        exact as materialized (
            select c.case_id, u.key, u.unit_id, u.lot_id from c cross join lateral (select * from unit u where u.key = '01' || c.product || '21' || c.serial limit 1) u where c.serial <> ''),
        other as materialized (select * from c where not exists (select from exact e where e.case_id = c.case_id)),
        swapped as materialized (
            select c.case_id, u.key, u.unit_id, u.lot_id, case c.serial when '' then 'the serial number came as the lot' else 'lot and serial number came in each other''s place' end as how
            from other c cross join lateral (select * from unit u where u.key = '01' || c.product || '21' || c.lot limit 1) u left join lot l using (lot_id) where c.lot <> '' and (c.serial = '' or l.lot = c.serial)),
        run_on as materialized (
            select c.case_id, u.key, u.unit_id, u.lot_id, v.how from other c join lot l on l.gtin = c.product and l.lot <> ''
            cross join lateral (values
                (case when starts_with(c.lot, l.lot || '21') then substr(c.lot, length(l.lot) + 3) end, 'the separator behind the lot was lost, and the serial number came as part of it'),
                (case when right(c.serial, length(l.lot) + 2) = '10' || l.lot then left(c.serial, - length(l.lot) - 2) end, 'the separator behind the serial number was lost, and the lot came as part of it'),
                (case when right(c.serial, length(l.lot) + 2) = '10' || l.lot then substring(left(c.serial, - length(l.lot) - 2) from '^(.+)17[0-9]{6}$') end, 'the separator behind the serial number was lost, and expiry and lot came as part of it')) v (serial, how)
            cross join lateral (select * from unit u where u.key = '01' || c.product || '21' || v.serial limit 1) u
            where v.serial <> '' and u.lot_id in (select o.lot_id from lot o where o.gtin = c.product and o.lot = l.lot)),
        meant as materialized (
            select c.case_id, l.lot_id, l.lot, l.expiry, hub_misread(l.lot, c.lot) as how from c join lot l on l.gtin = c.product and l.lot <> '' and hub_coarse(l.lot) = hub_coarse(c.lot)
            where c.lot <> '' and (l.lot = c.lot or hub_misread(l.lot, c.lot) is not null)),
        sought as materialized (select c.case_id, c.serial, hub_coarse(c.serial) as coarse, m.lot_id from other c join meant m using (case_id) where c.serial <> ''),
        held as materialized (select u.key, u.unit_id, u.lot_id, hub_coarse(substr(u.key, 19)) as coarse from (select distinct lot_id from sought) s join unit u using (lot_id) where starts_with(u.key, '01')),
        near as materialized (
            select s.case_id, h.key, h.unit_id, h.lot_id, hub_misread(substr(h.key, 19), s.serial) as how from sought s join held h on h.lot_id = s.lot_id and h.coarse = s.coarse where hub_misread(substr(h.key, 19), s.serial) is not null),
        found as materialized (
            select distinct on (case_id) * from (
                select case_id, key, unit_id, lot_id, null as how, 1 as way from exact union all select case_id, key, unit_id, lot_id, how, 2 from swapped
                union all select case_id, key, unit_id, lot_id, how, 3 from run_on union all select case_id, key, unit_id, lot_id, how, 4 from near) f order by case_id, way, key),
        t as materialized (
            select c.*, f.key, f.unit_id, f.how, coalesce(nullif(l.lot, ''), m.lot) as unit_lot, coalesce(l.expiry, m.expiry) as unit_expiry,
                case when f.key is null then m.how when f.way in (1, 4) and c.lot <> '' then hub_misread(l.lot, c.lot) end as lot_how
            from c left join found f using (case_id) left join lot l on l.lot_id = f.lot_id
            left join lateral (select * from meant m where m.case_id = c.case_id order by m.how is null desc, m.lot_id limit 1) m on f.key is null),
        above (case_id, parent_id, state, last_at, height) as (
            select f.case_id, u.parent_id, u.state, u.last_at, 0 from found f cross join lateral (select * from unit u where u.unit_id = f.unit_id limit 1) u
            union all
            select a.case_id, p.parent_id, p.state, p.last_at, a.height + 1 from above a cross join lateral (select * from unit p where p.unit_id = a.parent_id limit 1) p where a.height < @MaxHeight),
        world as materialized (select distinct on (case_id) case_id, case state when 8 then 'sampled' when 9 then 'decommissioned' when 10 then 'destroyed' end as ended_as, last_at as ended_at from above order by case_id, height desc),
        told as materialized (select a.case_id, a.country, min(a.raised_at) as raised_at from hub_alert a where a.case_id = any(@cases) group by a.case_id, a.country),
        market as (
            select t.case_id, d.country, d.raised_at, hl.hub_lot_id, hl.expiry, d.country = any(pr.markets) as is_market, p.hub_chunk_id, p.fault, m.delivery_id, m.state,
                case when e.confirmed_at <= d.raised_at then e.confirmed_at else m.confirmed_at end as confirmed_at
            from t join told d using (case_id)
            left join hub_lot hl on hl.partner_id = t.partner_id and hl.gtin = t.product and hl.lot = t.unit_lot
            left join hub_product pr on pr.hub_product_id = hl.hub_product_id
            left join lateral (select p.hub_chunk_id, p.fault, h.round from hub_pack p join hub_chunk h using (hub_chunk_id) where p.hub_lot_id = hl.hub_lot_id and p.serial = substr(t.key, 19) limit 1) p on true
            left join lateral (
                select m.delivery_id, k.state, k.confirmed_at from hub_chunk h join hub_message m using (hub_chunk_id) left join hub_message_market k on k.delivery_id = m.delivery_id and k.country = d.country
                where h.hub_lot_id = hl.hub_lot_id and (h.hub_chunk_id = p.hub_chunk_id or t.serial = '' and t.key is null)
                order by k.state = 'distributed' desc nulls last, k.confirmed_at, m.delivery_id limit 1) m on true
            -- What was sent again because another market had not taken it may have been here since the message before.
            left join lateral (
                select min(k.confirmed_at) as confirmed_at from hub_chunk h join hub_message b using (hub_chunk_id) join hub_message_market k on k.delivery_id = b.delivery_id and k.country = d.country and k.state = 'distributed'
                where h.hub_lot_id = hl.hub_lot_id and h.round < p.round and exists (select from hub_message_market o where o.delivery_id = b.delivery_id and o.state = 'failed')) e on true),
        worst as (
            select distinct on (case_id) * from market
            order by case_id, case when state is distinct from 'distributed' or coalesce(fault, 'market') <> 'market' then 0 when confirmed_at > raised_at then 1 else 2 end, country)
        select t.case_id as CaseId, t.code as Code, t.product as Product, t.lot as Lot, t.serial as Serial, t.expiry as Expiry, t.by_us as IsByUs, t.known_product as IsKnownProduct, t.known_lot as IsKnownLot,
            t.key as UnitKey, t.unit_lot as UnitLot, t.unit_expiry as UnitExpiry, t.how as How, t.lot_how as LotHow, w.ended_as as EndedAs, case when w.ended_as is not null then w.ended_at end as EndedAt,
            m.country as Country, m.raised_at as RaisedAt, m.hub_lot_id is not null as IsReleased, coalesce(m.is_market, false) as IsMarket, m.hub_chunk_id is not null or t.key is null and m.delivery_id is not null as IsReported,
            m.expiry as HubExpiry, m.fault as Fault, m.delivery_id as DeliveryId, m.state as MarketState, m.confirmed_at as ConfirmedAt
        from t join worst m using (case_id) left join world w using (case_id) order by t.case_id
        """;

    /// <returns>False when no case is to be looked at, or other nodes look at all of them.</returns>
    public async Task<bool> RunAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Matcher, ct);
        var cases = (await work.Connection.QueryAsync<Case>(new CommandDefinition("""
            select case_id as CaseId, party_id as PartyId, product as Product, code as Code, markets as Markets, alerts as Alerts, told as Told, cause as Cause from hub_alert_case c
            where state <> 'closed' and (looked_at is null or looked_at < (select gateway_now()) - @LookAgainAfter
                or looked_at < (select gateway_now()) - interval '10 s' and exists (select from hub_message m join hub_chunk h using (hub_chunk_id) join hub_lot l using (hub_lot_id) where m.answered_at >= c.looked_at and l.partner_id = c.partner_id and l.gtin = c.product))
            order by looked_at nulls first, case_id limit @AtOnce for update skip locked
            """, new { options.Value.LookAgainAfter, AtOnce }, work.Transaction, cancellationToken: ct))).ToDictionary(c => c.CaseId);
        if (cases.Count == 0)
        {
            return false;
        }
        var proposed = (await work.Connection.QueryAsync<AlertFacts>(new CommandDefinition(Known, new { cases = cases.Keys.ToArray(), MaxHeight = 32 }, work.Transaction, LongTime, cancellationToken: ct)))
            .Select(f => (Facts: f, Proposal: RootCause.Propose(f))).ToList();
        await work.Connection.ExecuteAsync(new CommandDefinition("""
            with w as (select * from unnest(@cases, @causes, @findings, @deliveries, @keys) as w (case_id, cause, finding, delivery_id, unit_key)),
            noted as (
                insert into hub_alert_step (party_id, case_id, kind, told, cause, delivery_id) select c.party_id, c.case_id, 'proposed', w.finding, w.cause, w.delivery_id
                from w join hub_alert_case c using (case_id) where c.cause is distinct from w.cause or c.finding is distinct from w.finding order by c.case_id)
            update hub_alert_case c set cause = w.cause, finding = w.finding, delivery_id = w.delivery_id, unit_key = w.unit_key, looked_at = gateway_now(), told = c.alerts from w where c.case_id = w.case_id
            """, new
        {
            cases = proposed.Select(p => p.Facts.CaseId).ToArray(), causes = proposed.Select(p => p.Proposal.Cause).ToArray(), findings = proposed.Select(p => p.Proposal.Finding).ToArray(),
            deliveries = proposed.Select(p => p.Facts.DeliveryId).ToArray(), keys = proposed.Select(p => p.Facts.UnitKey).ToArray(),
        }, work.Transaction, cancellationToken: ct));
        foreach (var (facts, proposal) in proposed)
        {
            await TellAsync(work, cases[facts.CaseId], facts, proposal.Cause, proposal.Finding);
        }
        await work.CommitAsync();
        return true;
    }

    /// <summary>The exception that a case is to people, by the case.</summary>
    internal static ExceptionSource SourceOf(int caseId, int partyId) => new("hub", AlertCases.SourceId(caseId), partyId, null);

    private static async Task TellAsync(Work work, Case c, AlertFacts f, string cause, string finding)
    {
        var (source, isSuspect) = (SourceOf(c.CaseId, c.PartyId), cause == RootCause.NotOurs);
        var fresh = c.Alerts - c.Told;
        if (c.Cause is not null && c.Cause == RootCause.NotOurs != isSuspect)
        {
            // How grave it is has changed, and an exception says so once: another takes its place.
            await ExceptionRecords.ResolveAsync(work, HubCodes.Alert, source, "More is known now: " + finding);
            fresh = c.Alerts;
        }
        if (fresh > 0)
        {
            await ExceptionRecords.OpenAsync(work, new ExceptionFacts(HubCodes.Alert, isSuspect ? Severity.Error : Severity.Warning, $"{string.Join(", ", c.Markets)} raised {c.Code}: {finding}")
            {
                Gtin = f.IsKnownProduct && c.Product.Length == 14 ? c.Product : null, Lot = f.UnitLot, Occurrences = fresh,
            }, source, f.UnitKey is { } key ? [UnitKey.ToEpc(key, 0)] : []);
        }
    }

    private sealed class Case
    {
        public int CaseId { get; init; }
        public int PartyId { get; init; }
        public string Product { get; init; } = "";
        public string Code { get; init; } = "";
        public string[] Markets { get; init; } = [];
        public int Alerts { get; init; }
        public int Told { get; init; }
        public string? Cause { get; init; }
    }
}
