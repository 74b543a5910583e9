using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Hub;

/// <summary>
/// Keeps what a hub told of alerts, each once: fetched or pushed, twice and in any order. Those of one pack by one code join one case while it is not closed; what comes after that begins another, which names the earlier.
/// </summary>
public sealed class TakeAlerts(GatewayDatabase database)
{
    /// <summary>One statement's: a document has at most 500, whoever else calls may have more.</summary>
    private const int AtOnce = 500;

    private const string Told = """
        with told as (
            select distinct on (id) * from unnest(@ids, @codes, @countries, @moments, @products, @lots, @expiries, @serials, @users, @texts)
                with ordinality as t (id, code, country, raised_at, product, lot, expiry, serial, end_user, text, n) order by id, n),
        fresh as materialized (select t.* from told t where not exists (select from hub_alert a where a.partner_id = @partnerId and a.hub_alert_id = t.id))
        """;

    /// <param name="teller">Who brought them: whoever asked for them, or the hub's own key.</param>
    /// <returns>How many were new.</returns>
    public async Task<int> TakeAsync(Actor teller, int partnerId, IReadOnlyList<HubAlert> alerts, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(teller with { Sees = "*" }, ct);
        var taken = await TakeAsync(work, partnerId, alerts, ct);
        await work.CommitAsync();
        return taken;
    }

    /// <summary>Keeps a page and moves on in the hub's stream, both or neither.</summary>
    /// <param name="place">Where the page was asked for.</param>
    /// <returns>Null: somebody else was faster, and nothing was done.</returns>
    public async Task<int?> TakeAsync(Actor teller, int partnerId, long place, AlertPage page, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(teller with { Sees = "*" }, ct);
        var taken = await TakeAsync(work, partnerId, page.Alerts, ct);
        if (await work.Connection.ExecuteAsync(new CommandDefinition("update hub_alert_stream set place = @Last where partner_id = @partnerId and place = @place", new { page.Last, partnerId, place }, work.Transaction, cancellationToken: ct)) == 0)
        {
            return null;
        }
        await work.CommitAsync();
        return taken;
    }

    /// <summary>Whoever takes alerts of a hub, or closes a case of it, does so alone: an alert joins a case that is open, or begins another.</summary>
    internal static Task LockAsync(Work work, int partnerId) =>
        work.Connection.ExecuteAsync("select pg_advisory_xact_lock(hashtextextended('hub alerts ' || @partnerId, 62))", new { partnerId }, work.Transaction);

    private static async Task<int> TakeAsync(Work work, int partnerId, IReadOnlyList<HubAlert> alerts, CancellationToken ct)
    {
        await LockAsync(work, partnerId);
        var taken = 0;
        foreach (var some in alerts.Chunk(AtOnce))
        {
            var told = new
            {
                partnerId,
                ids = some.Select(a => a.Id).ToArray(), codes = some.Select(a => a.Code).ToArray(), countries = some.Select(a => a.Country).ToArray(), moments = some.Select(a => a.At).ToArray(),
                products = some.Select(a => a.Product).ToArray(), lots = some.Select(a => a.Lot).ToArray(), expiries = some.Select(a => a.Expiry).ToArray(), serials = some.Select(a => a.Serial).ToArray(),
                users = some.Select(a => a.User).ToArray(), texts = some.Select(a => a.Text).ToArray(),
            };
            await work.Connection.ExecuteAsync(new CommandDefinition($"""
                {Told},
                wanted as (select code, product, coalesce(lot, '') as lot, coalesce(serial, '') as serial, min(raised_at) as first_at, max(raised_at) as last_at from fresh group by 1, 2, 3, 4)
                insert into hub_alert_case (party_id, partner_id, code, product, lot, serial, earlier_id, first_at, last_at)
                select o.party_id, @partnerId, w.code, w.product, w.lot, w.serial,
                    (select max(e.case_id) from hub_alert_case e where e.partner_id = @partnerId and e.product = w.product and e.lot = w.lot and e.serial = w.serial and e.code = w.code), w.first_at, w.last_at
                from wanted w cross join party o where o.kind = 'organisation'
                    and not exists (select from hub_alert_case c where c.partner_id = @partnerId and c.product = w.product and c.lot = w.lot and c.serial = w.serial and c.code = w.code and c.state <> 'closed')
                order by w.first_at, w.product, w.lot, w.serial, w.code
                """, told, work.Transaction, cancellationToken: ct));
            taken += await work.Connection.ExecuteScalarAsync<int>(new CommandDefinition($"""
                {Told},
                kept as (
                    insert into hub_alert (party_id, partner_id, case_id, hub_alert_id, code, country, raised_at, product, lot, expiry, serial, end_user, text)
                    select c.party_id, @partnerId, c.case_id, f.id, f.code, f.country, f.raised_at, f.product, f.lot, f.expiry, f.serial, f.end_user, f.text
                    from fresh f join hub_alert_case c on c.partner_id = @partnerId and c.product = f.product and c.lot = coalesce(f.lot, '') and c.serial = coalesce(f.serial, '') and c.code = f.code and c.state <> 'closed'
                    order by f.n returning case_id, country, raised_at),
                counted as (select case_id, count(*)::int as n, array_agg(distinct country) as markets, min(raised_at) as first_at, max(raised_at) as last_at from kept group by case_id),
                told_of as (
                    update hub_alert_case c set alerts = c.alerts + k.n, looked_at = null, first_at = least(c.first_at, k.first_at), last_at = greatest(c.last_at, k.last_at),
                        markets = array(select distinct m from unnest(c.markets || k.markets) as m order by m)
                    from counted k where c.case_id = k.case_id)
                select count(*)::int from kept
                """, told, work.Transaction, cancellationToken: ct));
        }
        return taken;
    }
}
