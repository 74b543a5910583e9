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
/// whose destination is the partner, by which each goes to him like any other. Whoever is no partner is noted, his units are held should they come back, and a person is told. All of it is stored in one transaction, so nobody is told twice and
/// nobody forgotten.
/// </summary>
public sealed class TellHolders(GatewayDatabase database, RecallScope scope, KnownMasterData masterData)
{
    private const int MaxUnits = 20_000, LeastUnits = 100, UnitsOfEvent = 1_000, BytesOfUnit = 200;
    private static readonly Actor s_hub = Actor.System("hub");

    /// <returns>False when nobody is to be told now, or another node finds out.</returns>
    public async Task<bool> RunAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(s_hub, ct);
        // Looking for the units of a large lot takes longer than a transaction may be idle. What the order itself is told meanwhile does not wait.
        await work.Connection.ExecuteAsync("set local idle_in_transaction_session_timeout = 0", transaction: work.Transaction);
        if (!await work.Connection.ExecuteScalarAsync<bool>(new CommandDefinition("select pg_try_advisory_xact_lock(hashtextextended('hub holders', 62))", transaction: work.Transaction, cancellationToken: ct))
            // What is held stands in the history first: what is shipped after that is not taken as done.
            || await work.Connection.QuerySingleOrDefaultAsync<Recall>(new CommandDefinition("""
            select o.hub_order_id as Id, o.party_id as PartyId, o.gtin as Gtin, o.lot as Lot, p.markets as Markets, hub_ended(o.partner_id, o.gtin, o.lot) as Ended
            from hub_order o join hub_product p using (hub_product_id)
            where o.kind in ('recall', 'withdrawal') and o.repeats is null and o.held_at is not null and o.told_at is null and o.status not in ('asked', 'ended') and not exists (select from capture c where c.state = 'processing' and c.submitted_by = @Id)
            order by o.hub_order_id limit 1
            """, new { s_hub.Id }, work.Transaction, cancellationToken: ct)) is not { } recall)
        {
            return false;
        }
        var now = await work.Connection.ExecuteScalarAsync<DateTime>("select gateway_now()", transaction: work.Transaction);
        var partners = (await work.Connection.QueryAsync<Partner>("""
            select g.gln as Gln, p.partner_id as Id, p.state not in ('draft', 'practice') as IsLive, f.max_events as MaxEvents, f.max_bytes as MaxBytes
            from partner p join partner_gln g using (partner_id) left join partner_profile f using (partner_id) where p.channel <> 'hub'
            """, transaction: work.Transaction)).ToDictionary(p => p.Gln, StringComparer.Ordinal);
        var known = await masterData.ReadAsync(ct);
        var holders = new Dictionary<string, Holder>(StringComparer.Ordinal);
        // A lot number may have been told with several expiry days.
        foreach (var lot in recall.Lot is { } one ? [one] : (await work.Connection.QueryAsync<string>("select distinct lot from lot where gtin = @Gtin order by lot", recall, work.Transaction)).AsList())
        {
            var found = await scope.RunAsync(s_hub, new RecallAsk(recall.Gtin, lot, null, null, null, null), ct);
            var byPartners = await ByPartnersAsync(work, found);
            await foreach (var unit in scope.UnitsAsync(s_hub, found, ct))
            {
                var partner = unit.Gln is { } gln ? partners.GetValueOrDefault(gln) : null;
                // What neither is with a partner nor was shipped, and of which no partner has told last, is in stock, and held.
                if (unit.Standing is RecallStandings.Ended || partner is null && unit.State != Lifecycle.Word(UnitState.Shipped) && !(unit.CaptureId is { } told && byPartners.Contains(told)))
                {
                    continue;
                }
                var key = unit.Gln ?? unit.Holder ?? "";
                if (!holders.TryGetValue(key, out var holder))
                {
                    holders.Add(key, holder = new Holder(unit.Gln, unit.Holder, partner, Untold(recall, unit.Gln, partner, known)));
                    holder.Sender = holder.Untold is null ? await SenderAsync(work, partner!.Id, recall.Gtin, lot) : null;
                }
                holder.Units++;
                if (holder.Untold != Elsewhere)
                {
                    holder.Waiting.Add(unit.Epc);
                    if (holder.Waiting.Count == holder.MaxWaiting)
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

    private const string Elsewhere = "elsewhere";

    // Where the product has a market in which it is not recalled, it is not.
    private static string? Untold(Recall recall, string? gln, Partner? partner, MasterDataSnapshot known) =>
        gln is null ? "unknown"
        : known.FindLocation(gln) is { Country.Length: 2 } place && recall.Markets.Contains(place.Country) && !recall.Ended.Contains(place.Country) ? Elsewhere
        : partner is null ? "no partner"
        : partner.IsLive ? null : "not live";

    /// <summary>Those of the documents that a partner has told.</summary>
    private static async Task<HashSet<Guid>> ByPartnersAsync(Work work, RecallAnswer found) => (await work.Connection.QueryAsync<Guid>(
        "select c.public_id from capture c join party y using (party_id) where y.kind = 'partner' and c.public_id = any(@captures)", new { captures = found.Documents.Select(d => d.CaptureId).ToArray() }, work.Transaction, commandTimeout: 300)).ToHashSet();

    /// <summary>Who of ours told him of goods last; where nobody did, whoever made the lot.</summary>
    private static async Task<string?> SenderAsync(Work work, int partnerId, string gtin, string lot) => (await work.Connection.QueryAsync<string>("""
            (select e.body from shipment s cross join lateral (select body, party_id from event where event_id = s.event_id limit 1) e join party y on y.party_id = e.party_id and y.kind <> 'partner' where s.partner_id = @partnerId order by s.shipment_id desc limit 1)
            union all (select e.body from (select u.first_event from lot l join unit u using (lot_id) where l.gtin = @gtin and l.lot = @lot order by u.unit_id limit 1) u cross join lateral (select body from event where event_id = u.first_event limit 1) e)
            """, new { partnerId, gtin, lot }, work.Transaction, commandTimeout: 300))
        .Select(StoredEvents.Parse).Select(e => e.Sources.FirstOrDefault(s => CbvTerms.BareOrNull(CbvVocabulary.SourceDestType, s.Type) == "location")?.Value ?? e.ReadPoint?.Id).FirstOrDefault(place => place is not null);

    // Who cannot be told has his units held all the same.
    private static async Task TellAsync(Work work, Recall recall, Holder holder, DateTime now, CancellationToken ct)
    {
        var holding = HoldRecalled.OfOrder(recall.Id, now);
        holder.Captures.Add(await OwnHolding.CaptureAsync(work, s_hub, recall.PartyId, holder.Untold is null ? holding with { Sender = holder.Sender, Holder = holder.Place } : holding, holder.Waiting, now, ct));
        holder.Waiting.Clear();
    }

    private static async Task NoteAsync(Work work, Recall recall, IReadOnlyList<Holder> holders)
    {
        await work.Connection.ExecuteAsync("""
            insert into hub_order_holder (hub_order_id, party_id, number, gln, holder, partner_id, units, untold, captures)
            select @Id, @PartyId, number, gln, holder, nullif(partner, 0), units, untold, array(select c::uuid from unnest(string_to_array(captures, ' ')) c) from unnest(@glns, @places, @partners, @units, @untold, @captures) with ordinality as h (gln, holder, partner, units, untold, captures, number)
            """, new
        {
            recall.Id,
            recall.PartyId,
            glns = holders.Select(h => h.Gln).ToArray(),
            places = holders.Select(h => h.Place).ToArray(),
            partners = holders.Select(h => h.Partner?.Id ?? 0).ToArray(),
            units = holders.Select(h => h.Units).ToArray(),
            untold = holders.Select(h => h.Untold).ToArray(),
            captures = holders.Select(h => string.Join(' ', h.Captures)).ToArray(), // arrays of arrays are square, and these are not
        }, work.Transaction);
        await work.Connection.ExecuteAsync("update hub_order set told_at = gateway_now() where hub_order_id = @Id", new { recall.Id }, work.Transaction);
        if (holders.Where(h => h.Untold is not (null or Elsewhere)).ToList() is { Count: > 0 } others)
        {
            var who = string.Join(", ", others.Take(5).Select(h => string.Create(CultureInfo.InvariantCulture, $"{h.Units} with {h.Gln ?? h.Place ?? "nobody that is named"}")));
            await ExceptionRecords.OpenAsync(work, new ExceptionFacts(HubCodes.Holders, Severity.Error, $"Units of the {(recall.Lot is { } lot ? $"recalled lot {lot}" : $"withdrawn product {recall.Gtin}")} are with somebody whom the gateway cannot tell: {who}{(others.Count > 5 ? $", and {others.Count - 5} others" : "")}.")
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

        /// <summary>Of the product.</summary>
        public string[] Markets { get; init; } = [];

        /// <summary>Of those: where it is recalled or withdrawn, by this order or another.</summary>
        public string[] Ended { get; init; } = [];
    }

    private sealed class Partner
    {
        public string Gln { get; init; } = "";
        public int Id { get; init; }
        public bool IsLive { get; init; }
        public int? MaxEvents { get; init; }
        public long? MaxBytes { get; init; }
    }

    private sealed class Holder(string? gln, string? place, Partner? partner, string? untold)
    {
        public string? Gln => gln;
        public string? Place => place;
        public Partner? Partner => partner;
        public string? Untold => untold;
        public string? Sender { get; set; }
        public long Units { get; set; }
        public List<string> Waiting { get; } = [];
        public List<Guid> Captures { get; } = [];

        /// <summary>What one document may name, so that it is not more than the partner takes.</summary>
        public int MaxWaiting { get; } = (int)Math.Clamp(Math.Min((partner?.MaxEvents ?? int.MaxValue) * (long)UnitsOfEvent, (partner?.MaxBytes ?? long.MaxValue) / BytesOfUnit), LeastUnits, MaxUnits);
    }
}
