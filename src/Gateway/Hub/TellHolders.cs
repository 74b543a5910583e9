using System.Globalization;
using Dapper;
using Epcis;
using Epcis.Cbv;
using Gateway.Access;
using Gateway.Capture;
using Gateway.Database;
using Gateway.Exceptions;
using Gateway.MasterData;
using Gateway.Units;

namespace Gateway.Hub;

/// <summary>
/// Tells every partner who has units of a recalled lot or withdrawn product, or to whom they are on their way, that they are recalled (EXCHANGES.md S12): the units are found by the recall's scope, and named in documents of the gateway's own
/// whose destination is the partner, by which each goes to him like any other. Whoever is no partner is noted, and a person is told. All of it is stored in one transaction, so nobody is told twice and nobody forgotten.
/// </summary>
public sealed class TellHolders(GatewayDatabase database, RecallScope scope, KnownMasterData masterData)
{
    private const int MaxUnits = 20_000;
    private static readonly Actor s_hub = Actor.System("hub");

    /// <returns>False when nobody is to be told now.</returns>
    public async Task<bool> RunAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(s_hub, ct);
        // What is held stands in the history first: what is shipped after that is not taken as done.
        if (await work.Connection.QuerySingleOrDefaultAsync<Recall>(new CommandDefinition("""
            select o.hub_order_id as Id, o.party_id as PartyId, o.gtin as Gtin, o.lot as Lot, o.markets as Markets, o.kind as Kind, p.markets <@ o.markets as Everywhere
            from hub_order o join hub_product p using (hub_product_id)
            where o.kind in ('recall', 'withdrawal') and o.repeats is null and o.held_at is not null and o.told_at is null and o.status not in ('asked', 'ended') and not exists (select from capture c where c.state = 'processing' and c.submitted_by = @Id)
            order by o.hub_order_id limit 1 for update of o skip locked
            """, new { s_hub.Id }, work.Transaction, cancellationToken: ct)) is not { } recall)
        {
            return false;
        }
        var now = await work.Connection.ExecuteScalarAsync<DateTime>("select gateway_now()", transaction: work.Transaction);
        var partners = (await work.Connection.QueryAsync<(string Gln, int Id, bool IsLive)>("select g.gln, p.partner_id, p.state not in ('draft', 'practice') from partner p join partner_gln g using (partner_id) where p.channel <> 'hub'", transaction: work.Transaction))
            .ToDictionary(p => p.Gln, p => (p.Id, p.IsLive), StringComparer.Ordinal);
        var known = await masterData.ReadAsync(ct);
        var holders = new Dictionary<string, Holder>(StringComparer.Ordinal);
        foreach (var lot in recall.Lot is { } one ? [one] : (await work.Connection.QueryAsync<string>("select lot from lot where gtin = @Gtin order by lot", recall, work.Transaction)).AsList())
        {
            var found = await scope.RunAsync(s_hub, new RecallAsk(recall.Gtin, lot, null, null, null, null), ct);
            await foreach (var unit in scope.UnitsAsync(s_hub, found, ct))
            {
                var isPartners = unit.Gln is { } gln && partners.ContainsKey(gln);
                // What neither is with a partner nor was shipped is in stock, and held.
                if (unit.Standing is RecallStandings.Ended || !isPartners && unit.State != Lifecycle.Word(UnitState.Shipped))
                {
                    continue;
                }
                var key = unit.Gln ?? unit.Holder ?? "";
                if (!holders.TryGetValue(key, out var holder))
                {
                    holders.Add(key, holder = new Holder(unit.Gln, unit.Holder, Untold(recall, unit.Gln, partners, known)));
                    holder.Sender = holder.Untold is null ? await SenderAsync(work, partners[unit.Gln!].Id, recall.Gtin, lot) : null;
                }
                holder.Units++;
                if (holder.Untold is null)
                {
                    holder.Waiting.Add(unit.Epc);
                    if (holder.Waiting.Count == MaxUnits)
                    {
                        await TellAsync(work, recall, holder, now, ct);
                    }
                }
            }
        }
        foreach (var holder in holders.Values.Where(h => h.Waiting.Count > 0))
        {
            await TellAsync(work, recall, holder, now, ct);
        }
        await NoteAsync(work, recall, [.. holders.Values.OrderByDescending(h => h.Units).ThenBy(h => h.Gln is null).ThenBy(h => h.Gln, StringComparer.Ordinal)]);
        await work.CommitAsync();
        return true;
    }

    // A recall of some markets is none in the others.
    private static string? Untold(Recall recall, string? gln, Dictionary<string, (int Id, bool IsLive)> partners, MasterDataSnapshot known) =>
        gln is null ? "unknown"
        : !recall.Everywhere && known.FindLocation(gln) is { Country.Length: 2 } place && !recall.Markets.Contains(place.Country) ? "elsewhere"
        : !partners.TryGetValue(gln, out var partner) ? "no partner"
        : partner.IsLive ? null : "not live";

    /// <summary>Who told him of goods last; where nobody did, whoever made the lot.</summary>
    private static async Task<string?> SenderAsync(Work work, int partnerId, string gtin, string lot) => (await work.Connection.QueryAsync<string>("""
            (select e.body from (select event_id from shipment where partner_id = @partnerId order by shipment_id desc limit 1) s cross join lateral (select body from event where event_id = s.event_id limit 1) e)
            union all (select e.body from (select u.first_event from lot l join unit u using (lot_id) where l.gtin = @gtin and l.lot = @lot order by u.unit_id limit 1) u cross join lateral (select body from event where event_id = u.first_event limit 1) e)
            """, new { partnerId, gtin, lot }, work.Transaction))
        .Select(StoredEvents.Parse).Select(e => e.Sources.FirstOrDefault(s => CbvTerms.BareOrNull(CbvVocabulary.SourceDestType, s.Type) == "location")?.Value ?? e.ReadPoint?.Id).FirstOrDefault(place => place is not null);

    private static async Task TellAsync(Work work, Recall recall, Holder holder, DateTime now, CancellationToken ct)
    {
        holder.Captures.Add(await OwnHolding.CaptureAsync(work, s_hub, recall.PartyId, HoldRecalled.OfOrder(recall.Id, now) with { Sender = holder.Sender, Holder = holder.Place }, holder.Waiting, now, ct));
        holder.Waiting.Clear();
    }

    private static async Task NoteAsync(Work work, Recall recall, IReadOnlyList<Holder> holders)
    {
        await work.Connection.ExecuteAsync("insert into hub_order_holder (hub_order_id, party_id, number, gln, holder, units, untold, captures) values (@Id, @PartyId, @number, @Gln, @Place, @Units, @Untold, @captures)",
            holders.Select((h, i) => new { recall.Id, recall.PartyId, number = i + 1, h.Gln, h.Place, h.Units, h.Untold, captures = h.Captures.ToArray() }), work.Transaction);
        await work.Connection.ExecuteAsync("update hub_order set told_at = gateway_now() where hub_order_id = @Id", new { recall.Id }, work.Transaction);
        if (holders.Where(h => h.Untold is not (null or "elsewhere")).ToList() is { Count: > 0 } others)
        {
            var who = string.Join(", ", others.Take(5).Select(h => string.Create(CultureInfo.InvariantCulture, $"{h.Units} with {h.Gln ?? h.Place ?? "nobody that is named"}")));
            await ExceptionRecords.OpenAsync(work, new ExceptionFacts(HubCodes.Holders, Severity.Error, $"Units of the {(recall.Lot is { } lot ? $"recalled lot {lot}" : $"withdrawn product {recall.Gtin}")} were shipped to somebody whom the gateway cannot tell: {who}{(others.Count > 5 ? $", and {others.Count - 5} others" : "")}.")
            {
                Gtin = recall.Gtin, Lot = recall.Lot,
            }, PlaceOrders.Source(recall.Id, recall.PartyId), []);
        }
    }

    private sealed class Recall
    {
        public int Id { get; init; }
        public int PartyId { get; init; }
        public string Gtin { get; init; } = "";
        public string? Lot { get; init; }
        public string[] Markets { get; init; } = [];
        public string Kind { get; init; } = "";

        /// <summary>In all markets of the product.</summary>
        public bool Everywhere { get; init; }
    }

    private sealed class Holder(string? gln, string? place, string? untold)
    {
        public string? Gln => gln;
        public string? Place => place;
        public string? Untold => untold;
        public string? Sender { get; set; }
        public long Units { get; set; }
        public List<string> Waiting { get; } = [];
        public List<Guid> Captures { get; } = [];
    }
}
