using System.Globalization;
using Dapper;
using Epcis;
using Epcis.Events;
using Gateway.Access;
using Gateway.Database;
using Gateway.Exceptions;
using Gateway.MasterData;
using Gateway.Units;

namespace Gateway.Hub;

/// <summary>
/// Hears what captured events say of packs that a hub has, one event a turn in one transaction, and makes orders of it. Containers mean what is in them. Whoever is a trading partner tells the repository of his own country, so
/// only what the organisation and its contract manufacturers tell counts. What a rule forbids becomes a decision for a person, never a message.
/// </summary>
public sealed class HearStates(GatewayDatabase database, Hubs hubs, KnownMasterData masterData)
{
    private const int ExceptionUnits = 10_000, MostKeys = 1_000_000;
    private static readonly Actor s_hub = Actor.System("hub");
    private static readonly TimeSpan s_later = TimeSpan.FromMinutes(1);

    // What the units are in, where they are packs of released lots.
    private const string Named = """
        with recursive named as materialized (
            select distinct u.unit_id, u.key, u.lot_id from unnest(@heads, @hashes, @keys) as n (head, hash, key) cross join lateral (select unit_id, key, lot_id from unit where head = n.head and hash = n.hash and key = n.key limit 1) u),
        inside as (select unit_id, key, lot_id from named union select c.unit_id, c.key, c.lot_id from inside i join unit c on c.parent_id = i.unit_id),
        pack as materialized (select substr(i.key, 3, 14) as gtin, substr(i.key, 19) as serial, t.lot from inside i join lot t using (lot_id) where starts_with(i.key, '01') limit @MostKeys)
        """;

    private const string Lots = Named + " select distinct gtin, lot from pack order by gtin, lot";

    private const string Meant = Named + """
         select l.gtin as Gtin, l.lot as Lot, array_agg(distinct k.serial) as Serials from pack p join hub_lot l on l.partner_id = @PartnerId and l.gtin = p.gtin and l.lot = p.lot
        join hub_pack k on k.hub_lot_id = l.hub_lot_id and k.serial = p.serial group by l.gtin, l.lot order by l.gtin, l.lot
        """;

    /// <returns>False when there is nothing to hear now.</returns>
    public async Task<bool> RunAsync(CancellationToken ct)
    {
        var known = await masterData.ReadAsync(ct);
        await using var work = await database.BeginAsync(s_hub, ct);
        if (await work.Connection.QuerySingleOrDefaultAsync<News>(new CommandDefinition("""
            select n.event_id as EventId, n.party_id as PartyId, n.teller_id as TellerId, e.body as Body from hub_news n cross join lateral (select body from event where event_id = n.event_id limit 1) e
            where n.heard_at is null and n.not_before <= (select gateway_now()) order by n.event_id limit 1 for update of n skip locked
            """, transaction: work.Transaction, cancellationToken: ct)) is not { } news)
        {
            return false;
        }
        var e = StoredEvents.Parse(news.Body);
        if (await IsBehindAsync(work, news))
        {
            await LaterAsync(work, news);
            await work.CommitAsync();
            return true;
        }
        var isLater = e.ErrorDeclaration is not null ? await DeclaredAsync(work, news, e) : StateNews.Of(e, known) is { } said && await HeardAsync(work, news, e, said, ct);
        await (isLater ? LaterAsync(work, news) : work.Connection.ExecuteAsync("update hub_news set heard_at = gateway_now() where event_id = @EventId and party_id = @PartyId", new { news.EventId, news.PartyId }, work.Transaction));
        await work.CommitAsync();
        return true;
    }

    /// <summary>What was said of the same units before waits, and so does what came after it.</summary>
    private static Task<bool> IsBehindAsync(Work work, News news) => work.Connection.ExecuteScalarAsync<bool>("""
        select exists (select from hub_news n join event_epc b on b.event_id = n.event_id join event_epc a on a.epc = b.epc and a.event_id = @EventId where n.heard_at is null and n.event_id < @EventId and n.party_id = @PartyId)
        """, news, work.Transaction, commandTimeout: 600);

    private static Task LaterAsync(Work work, News news) => work.Connection.ExecuteAsync("update hub_news set not_before = gateway_now() + @later where event_id = @EventId and party_id = @PartyId", new { news.EventId, news.PartyId, later = s_later }, work.Transaction);

    /// <summary>The event was not so: what was not told is not told, and of the rest somebody decides.</summary>
    private static async Task<bool> DeclaredAsync(Work work, News news, EpcisEvent e)
    {
        foreach (var (order, partnerId, gtin, lot, state) in (await work.Connection.QueryAsync<(int, int, string, string, string?)>("""
            select o.hub_order_id, o.partner_id, o.gtin, o.lot, o.state from hub_order o where o.repeats is null and o.kind <> 'withdrawal' and o.status <> 'ended'
                and o.event_id in (select event_id from event where event_uri = @uri and party_id = @TellerId and event_id <> @EventId) order by o.gtin, o.lot, o.hub_order_id
            """, new { uri = e.EventId, news.TellerId, news.EventId }, work.Transaction)).AsList())
        {
            await ReleaseLot.LockAsync(work, partnerId, gtin, lot);
            if (await work.Connection.ExecuteScalarAsync<bool>("select status in ('asked', 'ready') from hub_order where hub_order_id = @order for update", new { order }, work.Transaction))
            {
                await PlaceOrders.EndAsync(work, order, news.PartyId, "Whoever told the event has declared it to be in error.");
            }
            else
            {
                await DecideAsync(work, news, e, gtin, lot, string.Create(CultureInfo.InvariantCulture, $"The event by which the hub was told that packs of the lot {lot} are {state} (order {order}) was declared in error: undo it where the rules allow that."), []);
            }
        }
        return false;
    }

    /// <returns>True: it waits for what the hub is being told of the same packs.</returns>
    private async Task<bool> HeardAsync(Work work, News news, EpcisEvent e, StateNews said, CancellationToken ct)
    {
        string[] keys = [.. e.Epcs.Where(x => x.Role is EpcRole.Epc or EpcRole.Parent).Select(x => UnitKey.Of(x.Epc)).OfType<string>().Distinct(StringComparer.Ordinal)];
        var isLater = false;
        foreach (var hub in keys.Length == 0 ? [] : (await hubs.ListAsync(s_hub, ct)).Where(h => hubs.Of(h.Protocol).Traits.TakesOrders))
        {
            var ask = new { heads = keys.Select(k => UnitKey.Head(k)).ToArray(), hashes = keys.Select(UnitKey.Hash).ToArray(), keys, hub.PartnerId, MostKeys };
            // A release that is under way has not seen the event: what it reports is looked at after it.
            foreach (var (gtin, lot) in (await work.Connection.QueryAsync<(string, string)>(Lots, ask, work.Transaction, commandTimeout: 600)).AsList())
            {
                await ReleaseLot.LockAsync(work, hub.PartnerId, gtin, lot);
            }
            foreach (var meant in (await work.Connection.QueryAsync<Packs>(Meant, ask, work.Transaction, commandTimeout: 600)).AsList())
            {
                isLater |= await OfLotAsync(work, news, e, said, hub, meant);
            }
        }
        return isLater;
    }

    private async Task<bool> OfLotAsync(Work work, News news, EpcisEvent e, StateNews said, HubPartner hub, Packs meant)
    {
        var lot = (await OrderRules.LotAsync(work, hub.PartnerId, meant.Gtin, meant.Lot))!;
        if (said.IsRecall)
        {
            await RecalledAsync(work, news, hub, lot, meant);
            return false;
        }
        if (said.State is not { } state)
        {
            await DecideAsync(work, news, e, meant.Gtin, meant.Lot, string.Create(CultureInfo.InvariantCulture, $"{meant.Serials.Length} packs of the lot {meant.Lot} were decommissioned, and nothing tells why: decide what the hub is told of them."), meant.Serials);
            return false;
        }
        if (OrderRules.RefuseLot(lot, meant.Gtin, meant.Lot, said.IsUndo) is not null)
        {
            return false; // and so it is never told
        }
        var place = StateNews.PlaceOf(e) ?? await work.Connection.ExecuteScalarAsync<string?>("select gln from party where party_id = @PartyId", new { news.PartyId }, work.Transaction);
        if (place is null)
        {
            await DecideAsync(work, news, e, meant.Gtin, meant.Lot, $"Packs of the lot {meant.Lot} are {(said.IsUndo ? "not " : "")}{state}, and the event tells no place with a GLN: decide what the hub is told of them.", meant.Serials);
            return false;
        }
        var own = (await work.Connection.QueryAsync<string>("select serial from hub_order_pack p join hub_order o using (hub_order_id) where o.event_id = @EventId and o.partner_id = @PartnerId and o.hub_lot_id = @Id", new { news.EventId, hub.PartnerId, lot.Id }, work.Transaction)).ToHashSet(StringComparer.Ordinal);
        var wanted = meant.Serials.Where(s => !own.Contains(s)).ToList();
        var broken = await OrderRules.BrokenPacksAsync(work, lot.Id, wanted, state, said.IsUndo, place);
        // Packs that are in the state already, or were never locked by us, need nothing. What not every market has stored is not sent again once its life has ended, so nothing would ever be told of it.
        var forbidden = broken.Where(b => b.Code is "elsewhere" or "late" or "failed" || b.Code == "inactive" && b.Detail != state).ToList();
        if (forbidden.Count > 0)
        {
            await DecideAsync(work, news, e, meant.Gtin, meant.Lot, OrderRules.InWords(Grouped(forbidden), state) + " An event says otherwise: decide.", [.. forbidden.Select(b => b.First)]);
        }
        var not = broken.Where(b => b.Code != "waiting").Select(b => b.First).ToHashSet(StringComparer.Ordinal);
        foreach (var some in wanted.Where(s => !not.Contains(s)).Chunk(hubs.Of(hub.Protocol).Traits.MaxSerials))
        {
            await PlaceOrders.AddAsync(work, hub.PartnerId, lot, new StateAsk(meant.Gtin, meant.Lot, some, state, said.IsUndo, place), some, $"An event says so ({e.BizStep ?? e.Disposition}).", news.EventId);
        }
        return broken.Any(b => b.Code == "pending");
    }

    // Two people decide; an event only asks.
    private static async Task RecalledAsync(Work work, News news, HubPartner hub, OrderedLot lot, Packs meant)
    {
        var order = await work.Connection.ExecuteScalarAsync<int?>("""
            insert into hub_order (party_id, partner_id, kind, gtin, lot, hub_lot_id, hub_product_id, markets, units, event_id, reason)
            select @PartyId, @PartnerId, 'recall', @Gtin, @Lot, @Id, @ProductId, @open, @units, @EventId, 'An event calls the lot recalled.'
            where cardinality(@open) > 0 and not exists (select from hub_order where hub_lot_id = @Id and kind = 'recall' and status <> 'ended') returning hub_order_id
            """, new { lot.PartyId, hub.PartnerId, meant.Gtin, meant.Lot, lot.Id, lot.ProductId, open = lot.Markets.Except(lot.Ended).ToArray(), units = (int)lot.Units, news.EventId }, work.Transaction);
        if (order is { } asked)
        {
            await ExceptionRecords.OpenAsync(work, new ExceptionFacts(HubCodes.Waits, Severity.Warning, $"An event calls the lot {meant.Lot} recalled: its recall waits for the signatures of two people.") { Gtin = meant.Gtin, Lot = meant.Lot }, PlaceOrders.Source(asked, lot.PartyId), []);
        }
    }

    private static IEnumerable<BrokenRule> Grouped(IEnumerable<BrokenRule> packs) => packs.GroupBy(b => (b.Code, b.Detail)).Select(g => new BrokenRule(g.Key.Code, g.Key.Detail, g.Count(), g.Select(b => b.First).Min(StringComparer.Ordinal)!));

    private static Task DecideAsync(Work work, News news, EpcisEvent e, string gtin, string lot, string sentence, IReadOnlyCollection<string> serials) => ExceptionRecords.OpenAsync(work,
        new ExceptionFacts(HubCodes.Decide, Severity.Warning, sentence) { Gtin = gtin, Lot = lot, EventUri = e.EventId }, new ExceptionSource("hub", string.Create(CultureInfo.InvariantCulture, $"event {news.EventId} {lot}"), news.PartyId, null),
        [.. serials.Take(ExceptionUnits).Select(s => UnitKey.ToEpc($"01{gtin}21{s}", 0))]);

    private sealed class News
    {
        public long EventId { get; init; }
        public int PartyId { get; init; }
        public int TellerId { get; init; }
        public string Body { get; init; } = "";
    }

    private sealed class Packs
    {
        public string Gtin { get; init; } = "";
        public string Lot { get; init; } = "";
        public string[] Serials { get; init; } = [];
    }
}
