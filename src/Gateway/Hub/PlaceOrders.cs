using System.Globalization;
using Dapper;
using Epcis.Identifiers;
using Gateway.Access;
using Gateway.Database;
using Gateway.Exceptions;

namespace Gateway.Hub;

/// <param name="State">One of <see cref="PackStates"/>; of an undo: that is undone.</param>
/// <param name="Location">GLN of where it is done.</param>
public sealed record StateAsk(string Gtin, string Lot, IReadOnlyList<string> Serials, string State, bool IsUndo, string Location);

/// <summary>
/// Takes orders: states of packs, undoing them, recalls and withdrawals. Whatever a public rule forbids is refused here, in words, and what can never be taken back waits until people who did not ask for it
/// have signed it (EU-FMD.md section 9; docs/decisions/0038).
/// </summary>
public sealed class PlaceOrders(GatewayDatabase database, Hubs hubs)
{
    /// <summary>Of a signed order, whose id is its number.</summary>
    public const string RecordType = "hub order";

    /// <summary>What people sign who let an order be told that can never be taken back.</summary>
    public const string Meaning = "hub order";

    /// <summary>A serial number or lot has no more characters (GS1 General Specifications, AI 10 and 21).</summary>
    private const int MaxSerial = 20;

    private const int LongTime = 600; // seconds: a lot may have millions of units

    /// <summary>Tells the hub that packs are in a state, or are in it no more.</summary>
    /// <param name="isTrial">Only looks: nothing is changed.</param>
    public async Task<Placed> ChangeAsync(Actor actor, HubPartner hub, StateAsk ask, string reason, bool isTrial, CancellationToken ct)
    {
        if (Refuse(hub, ask) is { } wrong)
        {
            return Placed.Not(wrong);
        }
        await using var work = await database.BeginAsync(actor with { Sees = "*", Reason = isTrial ? null : reason }, ct);
        await ReleaseLot.LockAsync(work, hub.PartnerId, ask.Gtin, ask.Lot);
        var lot = await OrderRules.LotAsync(work, hub.PartnerId, ask.Gtin, ask.Lot);
        if (OrderRules.RefuseLot(lot, ask.Gtin, ask.Lot, ask.IsUndo) is { } refusal)
        {
            return Placed.Not(refusal);
        }
        var serials = ask.Serials.Distinct(StringComparer.Ordinal).ToList();
        if (await OrderRules.BrokenAsync(work, lot!.Id, serials, ask.State, ask.IsUndo, ask.Location) is { Count: > 0 } broken)
        {
            return Placed.Not(OrderRules.InWords(broken, ask.State));
        }
        var needs = !ask.IsUndo && PackStates.IsFinal(ask.State) ? 1 : 0;
        if (isTrial)
        {
            return new Placed(null, null, serials.Count, needs) { Markets = lot.Markets };
        }
        var order = await AddAsync(work, hub.PartnerId, lot, ask, serials, reason, null);
        await work.CommitAsync();
        return new Placed(null, order, serials.Count, needs) { Markets = lot.Markets };
    }

    /// <summary>Recalls a lot: its packs become unusable in these markets, for ever.</summary>
    /// <param name="markets">Null: all of the lot's.</param>
    /// <param name="typed">The lot number, as whoever asks has typed it.</param>
    public async Task<Placed> RecallAsync(Actor actor, HubPartner hub, string gtin, string lot, IReadOnlyList<string>? markets, string? typed, string reason, bool isTrial, CancellationToken ct)
    {
        if (Refuse(hub) is { } closed)
        {
            return Placed.Not(closed);
        }
        await using var work = await database.BeginAsync(actor with { Sees = "*", Reason = isTrial ? null : reason }, ct);
        await ReleaseLot.LockAsync(work, hub.PartnerId, gtin, lot);
        var found = await OrderRules.LotAsync(work, hub.PartnerId, gtin, lot);
        if (found is null)
        {
            return Placed.Not($"The lot {lot} of {gtin} is not released: the hub has no packs of it that could be recalled.");
        }
        if (RefuseMarkets(markets, found.Markets, found.Ended, $"the lot {lot}", out var where) is { } refusal)
        {
            return Placed.Not(refusal);
        }
        if (await AskedAsync(work, hub.PartnerId, OrderKinds.Recall, gtin, lot) is { } before)
        {
            return Placed.Not(string.Create(CultureInfo.InvariantCulture, $"The recall of the lot {lot} is asked for already and waits for signatures (order {before})."));
        }
        var needs = Needs(actor);
        if (isTrial)
        {
            return new Placed(null, null, (int)found.Units, needs) { Markets = where };
        }
        if (!string.Equals(typed, lot, StringComparison.Ordinal))
        {
            return Placed.Not($"A recall can never be taken back: type the lot number {lot} to confirm it.");
        }
        var order = await work.Connection.ExecuteScalarAsync<int>("""
            insert into hub_order (party_id, partner_id, kind, gtin, lot, hub_lot_id, hub_product_id, markets, units, reason) values (@PartyId, @PartnerId, 'recall', @gtin, @lot, @Id, @ProductId, @where, @units, @reason) returning hub_order_id
            """, new { found.PartyId, hub.PartnerId, gtin, lot, found.Id, found.ProductId, where, units = (int)found.Units, reason }, work.Transaction);
        await WaitAsync(work, order, found.PartyId, gtin, lot, $"The recall of the lot {lot} in {string.Join(", ", where)} waits for signatures.");
        await work.CommitAsync();
        return new Placed(null, order, (int)found.Units, needs) { Markets = where };
    }

    /// <summary>Withdraws a product: all its lots and packs become unusable in these markets, for ever, and no new lot comes there.</summary>
    /// <param name="typed">The GTIN, as whoever asks has typed it.</param>
    public async Task<Placed> WithdrawAsync(Actor actor, HubPartner hub, string gtin, IReadOnlyList<string>? markets, string? typed, string reason, bool isTrial, CancellationToken ct)
    {
        if (Refuse(hub) is { } closed)
        {
            return Placed.Not(closed);
        }
        await using var work = await database.BeginAsync(actor with { Sees = "*", Reason = isTrial ? null : reason }, ct);
        await ReleaseLot.LockProductAsync(work, hub.PartnerId, gtin);
        var (product, partyId, all, ended, units) = await work.Connection.QuerySingleAsync<(int?, int?, string[]?, string[], int)>("""
            with v as (select p.hub_product_id, p.party_id, p.version, p.markets from hub_product p join hub_message m using (hub_product_id) where p.partner_id = @PartnerId and p.gtin = @gtin and hub_distributed(m.delivery_id))
            select (select hub_product_id from v order by version desc limit 1), (select party_id from v limit 1), (select array_agg(distinct c order by c) from v cross join unnest(v.markets) c), hub_ended(@PartnerId, @gtin, null),
                (select coalesce(sum(r.units) filter (where r.kind = 'release'), 0)::int from hub_lot l join hub_round r using (hub_lot_id) where l.partner_id = @PartnerId and l.gtin = @gtin)
            """, new { hub.PartnerId, gtin }, work.Transaction);
        if (product is null)
        {
            return Placed.Not($"No market has data of the product {gtin}: there is nothing to withdraw.");
        }
        if (RefuseMarkets(markets, all!, ended, $"the product {gtin}", out var where) is { } refusal)
        {
            return Placed.Not(refusal);
        }
        if (await AskedAsync(work, hub.PartnerId, OrderKinds.Withdrawal, gtin, null) is { } before)
        {
            return Placed.Not(string.Create(CultureInfo.InvariantCulture, $"The withdrawal of {gtin} is asked for already and waits for signatures (order {before})."));
        }
        var needs = Needs(actor);
        if (isTrial)
        {
            return new Placed(null, null, units, needs) { Markets = where };
        }
        if (!string.Equals(typed, gtin, StringComparison.Ordinal))
        {
            return Placed.Not($"A withdrawal can never be taken back: type the GTIN {gtin} to confirm it.");
        }
        var order = await work.Connection.ExecuteScalarAsync<int>("""
            insert into hub_order (party_id, partner_id, kind, gtin, hub_product_id, markets, units, reason) values (@partyId, @PartnerId, 'withdrawal', @gtin, @product, @where, @units, @reason) returning hub_order_id
            """, new { partyId, hub.PartnerId, gtin, product, where, units, reason }, work.Transaction);
        await WaitAsync(work, order, partyId!.Value, gtin, null, $"The withdrawal of the product {gtin} from {string.Join(", ", where)} waits for signatures.");
        await work.CommitAsync();
        return new Placed(null, order, units, needs) { Markets = where };
    }

    /// <summary>The order as it is signed; null when there is none.</summary>
    public async Task<SignableRecord?> RecordAsync(Actor signer, int order, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(signer with { Sees = "*" }, ct);
        return await work.Connection.QuerySingleOrDefaultAsync<Signable>("""
            select o.hub_order_id as Id, o.kind as Kind, o.gtin as Gtin, o.lot as Lot, o.state as State, o.markets as Markets, o.units as Units, o.made_by as MadeBy, content_sha256(hub_order_content(o.hub_order_id)) as Content from hub_order o where o.hub_order_id = @order
            """, new { order }, work.Transaction) is { } o
            ? new SignableRecord(RecordType, o.Id.ToString(CultureInfo.InvariantCulture), 1, string.Create(CultureInfo.InvariantCulture,
                $"{(o.Kind == OrderKinds.StateChange ? $"{o.Units} packs of the lot {o.Lot} of {o.Gtin} {o.State}" : o.Kind == OrderKinds.Recall ? $"Recall of the lot {o.Lot} of {o.Gtin} ({o.Units} packs)" : $"{o.Kind} of {o.Gtin} ({o.Units} packs)")} in {string.Join(", ", o.Markets)}"), o.Content, [o.MadeBy])
            : null;
    }

    /// <summary>What a signature does, in its transaction: with the last that is needed, the order is told.</summary>
    public async Task<string?> SignedAsync(Work work, Signature signature)
    {
        var id = int.Parse(signature.RecordId, CultureInfo.InvariantCulture);
        if (await work.Connection.QuerySingleOrDefaultAsync<(int PartnerId, string Gtin, string? Lot)?>("select partner_id, gtin, lot from hub_order where hub_order_id = @id", new { id }, work.Transaction) is not { } of)
        {
            return "There is no such order.";
        }
        await (of.Lot is { } number ? ReleaseLot.LockAsync(work, of.PartnerId, of.Gtin, number) : ReleaseLot.LockProductAsync(work, of.PartnerId, of.Gtin));
        var o = await work.Connection.QuerySingleAsync<Asked>("""
            select kind as Kind, status as Status, hub_lot_id as LotId, party_id as PartyId, state as State, location as Location, markets as Markets, needs as Needs, content_sha256(hub_order_content(hub_order_id)) as Content,
                (select count(distinct signer)::int from signature where record_type = @RecordType and record_id = @key and meaning = @Meaning and signer <> o.made_by and content_sha256 = content_sha256(hub_order_content(o.hub_order_id))) as Signed,
                hub_ended(o.partner_id, o.gtin, o.lot) as Ended
            from hub_order o where hub_order_id = @id for update
            """, new { id, RecordType, Meaning, key = signature.RecordId }, work.Transaction);
        if (o.Status != "asked" || !signature.Covers(1, o.Content))
        {
            return "The order is not what was shown any more: look at it again.";
        }
        if (o.Ended.Intersect(o.Markets).Any())
        {
            return $"The lot is recalled, or its product withdrawn, in {string.Join(", ", o.Ended)} meanwhile: nothing more is told there. Decline the order.";
        }
        if (o.Kind == OrderKinds.StateChange)
        {
            var serials = (await work.Connection.QueryAsync<string>("select serial from hub_order_pack where hub_order_id = @id", new { id }, work.Transaction)).AsList();
            // What is not in every market yet is waited for.
            if ((await OrderRules.BrokenAsync(work, o.LotId!.Value, serials, o.State!, false, o.Location!, id)).Where(b => b.Code is not ("waiting" or "failed")).ToList() is { Count: > 0 } broken)
            {
                return OrderRules.InWords(broken, o.State!) + " Decline the order.";
            }
        }
        if (o.Signed < o.Needs)
        {
            return null; // and somebody else signs too
        }
        await work.Connection.ExecuteAsync("update hub_order set status = 'ready', not_before = gateway_now() where hub_order_id = @id", new { id }, work.Transaction);
        if (o.Kind is OrderKinds.Recall or OrderKinds.Withdrawal)
        {
            await EndOthersAsync(work, id, of.PartnerId, of.Gtin, of.Lot, o.Markets);
        }
        await ExceptionRecords.ResolveAsync(work, HubCodes.Waits, Source(id, o.PartyId), "It is signed.");
        return null;
    }

    /// <summary>An order that nobody has told yet is not to be told.</summary>
    public async Task<string?> DeclineAsync(Actor actor, int order, string reason, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor with { Sees = "*", Reason = reason }, ct);
        if (await work.Connection.QuerySingleOrDefaultAsync<(int PartyId, string Status, bool IsHeld)?>("select party_id, status, coalesce(held_unit, 0) > 0 or told_at is not null from hub_order where hub_order_id = @order for update", new { order }, work.Transaction) is not { } found)
        {
            return "There is no such order.";
        }
        if (found.Status is not ("asked" or "ready"))
        {
            return await work.RefuseAsync(new RefusedStep("hub_order", order.ToString(CultureInfo.InvariantCulture), "decline", found.Status == "ended" ? "The order has ended already." : "The hub is told already: this cannot be declined any more.", "select status, null::int from hub_order where hub_order_id = @key::int"));
        }
        if (found.IsHeld)
        {
            return await work.RefuseAsync(new RefusedStep("hub_order", order.ToString(CultureInfo.InvariantCulture), "decline", "It is signed, what is ours is held for it and whoever has the rest is told: this cannot be declined any more.", "select status, null::int from hub_order where hub_order_id = @key::int"));
        }
        await EndAsync(work, order, found.PartyId, $"Declined: {reason}");
        await work.CommitAsync();
        return null;
    }

    /// <summary>Tells once more what the hub has not done, or what a market did not take; nothing else.</summary>
    public async Task<string?> AgainAsync(Actor actor, int order, string reason, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor with { Sees = "*", Reason = reason }, ct);
        var o = await work.Connection.QuerySingleOrDefaultAsync<(int PartnerId, string Gtin, string? Lot, string Status, int? Repeats)?>("select partner_id, gtin, lot, status, repeats from hub_order where hub_order_id = @order", new { order }, work.Transaction);
        if (o is not { Repeats: null } of)
        {
            return "There is no such order.";
        }
        await (of.Lot is { } lot ? ReleaseLot.LockAsync(work, of.PartnerId, of.Gtin, lot) : ReleaseLot.LockProductAsync(work, of.PartnerId, of.Gtin));
        var last = await work.Connection.ExecuteScalarAsync<int>("select max(hub_order_id) from hub_order where hub_order_id = @order or repeats = @order", new { order }, work.Transaction);
        if (await work.Connection.ExecuteScalarAsync<string>("select status from hub_order where hub_order_id = @order", new { order }, work.Transaction) != "failed")
        {
            return await work.RefuseAsync(new RefusedStep("hub_order", order.ToString(CultureInfo.InvariantCulture), "again", "Nothing of this order has failed.", "select status, null::int from hub_order where hub_order_id = @key::int"));
        }
        if (await work.Connection.ExecuteScalarAsync<bool>("select exists (select from hub_order where repeats = @order and status in ('ready', 'told'))", new { order }, work.Transaction))
        {
            return await work.RefuseAsync(new RefusedStep("hub_order", order.ToString(CultureInfo.InvariantCulture), "again", "It is being told again already: wait for the hub's answer.", "select status, null::int from hub_order where hub_order_id = @key::int"));
        }
        if (await RepeatAsync(work, order, last, 0, TimeSpan.Zero, reason, byItself: false) == 0)
        {
            return of.Lot is null || await work.Connection.ExecuteScalarAsync<bool>("select kind = 'recall' from hub_order where hub_order_id = @order", new { order }, work.Transaction) ? "Every market has it, or the hub refuses it as it is." : "The lot is recalled or its product withdrawn meanwhile, or its packs were told otherwise since: nothing more is told of them by this order.";
        }
        await work.CommitAsync();
        return null;
    }

    /// <summary>Makes the order that tells again what of another did not succeed: packs with a fault, or all where a market took nothing.</summary>
    /// <param name="of">The last that told it.</param>
    /// <param name="byItself">Nobody asked: only what the hub calls temporary, and what a market did not take.</param>
    /// <returns>How many packs; for a recall or withdrawal, markets.</returns>
    internal static async Task<int> RepeatAsync(Work work, int root, int of, int tries, TimeSpan wait, string reason, bool byItself) => await work.Connection.ExecuteScalarAsync<int>("""
        with o as (select * from hub_order where hub_order_id = @root),
        missing as materialized (select k.country from hub_message m join hub_message_market k using (delivery_id) where m.hub_order_id = @of and k.state <> 'distributed'),
        pack as materialized (
            -- What another order was told of the pack since, or is being told, stands.
            select p.serial, p.party_id from o join hub_pack h on h.hub_lot_id = o.hub_lot_id and (h.pending_order is null or h.pending_order = @of)
                and (o.kind = 'undo' and h.state = o.state or o.kind = 'state change' and (h.state is null or h.state = o.state and h.state_order = o.hub_order_id)) join (
                select distinct on (p.serial) p.* from hub_order_pack p join hub_order x using (hub_order_id) where case when @byItself then x.hub_order_id = @of else x.hub_order_id = @root or x.repeats = @root end order by p.serial, p.hub_order_id desc) p on p.serial = h.serial
            where p.temporary or not @byItself and p.fault is not null or p.fault = 'market'),
        n as (select case when o.hub_lot_id is null or o.kind = 'recall' then (select count(*)::int from missing) else (select count(*)::int from pack) end as n from o where o.kind in ('recall', 'withdrawal') or hub_ended(o.partner_id, o.gtin, o.lot) = '{}'),
        added as (
            insert into hub_order (party_id, partner_id, kind, gtin, lot, hub_lot_id, hub_product_id, state, location, markets, units, event_id, repeats, tries, not_before, reason)
            select o.party_id, o.partner_id, o.kind, o.gtin, o.lot, o.hub_lot_id, o.hub_product_id, o.state, o.location, case when o.kind in ('recall', 'withdrawal') then (select array_agg(country order by country) from missing) else o.markets end,
                case when o.kind in ('recall', 'withdrawal') then o.units else n.n end, o.event_id, o.hub_order_id, @tries, gateway_now() + @wait, @reason
            from o cross join n where n.n > 0 returning hub_order_id, hub_lot_id, kind),
        packs as (insert into hub_order_pack (hub_order_id, party_id, serial) select a.hub_order_id, p.party_id, p.serial from added a cross join pack p where a.kind in ('state change', 'undo')),
        pending as (update hub_pack h set pending_order = a.hub_order_id from added a cross join pack p where h.hub_lot_id = a.hub_lot_id and h.serial = p.serial and a.kind in ('state change', 'undo'))
        select coalesce((select n from n), 0)
        """, new { root, of, tries, wait, reason, byItself }, work.Transaction, LongTime);

    /// <summary>Writes an order about packs and marks them as being told of, in the caller's transaction, which holds the lot.</summary>
    internal static async Task<int> AddAsync(Work work, int partnerId, OrderedLot lot, StateAsk ask, IReadOnlyCollection<string> serials, string reason, long? eventId)
    {
        var (order, status) = await work.Connection.QuerySingleAsync<(int, string)>("""
            with o as (
                insert into hub_order (party_id, partner_id, kind, gtin, lot, hub_lot_id, hub_product_id, state, location, markets, units, event_id, reason)
                values (@PartyId, @partnerId, @kind, @Gtin, @Lot, @Id, @ProductId, @State, @Location, @Markets, @Count, @eventId, @reason) returning hub_order_id, party_id, status),
            p as (insert into hub_order_pack (hub_order_id, party_id, serial) select o.hub_order_id, o.party_id, s from o cross join unnest(@serials) s),
            h as (update hub_pack k set pending_order = o.hub_order_id from o cross join unnest(@serials) s where k.hub_lot_id = @Id and k.serial = s)
            select hub_order_id, status from o
            """, new { lot.PartyId, partnerId, kind = ask.IsUndo ? OrderKinds.Undo : OrderKinds.StateChange, ask.Gtin, ask.Lot, lot.Id, lot.ProductId, ask.State, ask.Location, lot.Markets, serials.Count, eventId, reason, serials = serials.ToArray() }, work.Transaction, LongTime);
        if (status == "asked")
        {
            await WaitAsync(work, order, lot.PartyId, ask.Gtin, ask.Lot, string.Create(CultureInfo.InvariantCulture, $"{serials.Count} packs of the lot {ask.Lot} are to be told as {ask.State}, which can never be taken back: somebody who did not ask for it signs first."));
        }
        return order;
    }

    /// <summary>Ends an order that was not told: its packs are free for others.</summary>
    internal static async Task EndAsync(Work work, int order, int partyId, string why)
    {
        await work.Connection.ExecuteAsync("update hub_order set status = 'ended', ended_why = @why where hub_order_id = @order; update hub_pack set pending_order = null where pending_order = @order; update hub_order r set status = 'failed' from hub_order o where o.hub_order_id = @order and r.hub_order_id = o.repeats and r.status = 'told'", new { order, why }, work.Transaction, LongTime);
        await ExceptionRecords.ResolveAsync(work, HubCodes.Waits, Source(order, partyId), why);
    }

    internal static ExceptionSource Source(int order, int partyId) => new("hub", string.Create(CultureInfo.InvariantCulture, $"order {order}"), partyId, null);

    // Nothing of a lot is told after its recall, so what was not told by then never is.
    private static async Task EndOthersAsync(Work work, int recall, int partnerId, string gtin, string? lot, string[] markets)
    {
        foreach (var (order, partyId) in (await work.Connection.QueryAsync<(int, int)>("""
            select hub_order_id, party_id from hub_order where partner_id = @partnerId and gtin = @gtin and (@lot::text is null or lot = @lot) and hub_order_id <> @recall and repeats is null
                and (kind in ('state change', 'undo') and status in ('asked', 'ready') or kind in ('recall', 'withdrawal') and status = 'asked' and (@lot::text is not null or lot is not null) and markets <@ @markets)
            union all
            select hub_order_id, party_id from hub_order where partner_id = @partnerId and gtin = @gtin and (@lot::text is null or lot = @lot) and repeats is not null and kind in ('state change', 'undo') and status = 'ready'
            """, new { partnerId, gtin, lot, recall, markets }, work.Transaction)).AsList())
        {
            await EndAsync(work, order, partyId, lot is null ? "The product was withdrawn before this was told." : "The lot was recalled before this was told.");
        }
    }

    private static Task WaitAsync(Work work, int order, int partyId, string gtin, string? lot, string sentence) =>
        ExceptionRecords.OpenAsync(work, new ExceptionFacts(HubCodes.Waits, Epcis.Severity.Warning, sentence) { Gtin = gtin, Lot = lot }, Source(order, partyId), []);

    // As the database has it: of who asks with a key, nobody has answered for it yet.
    private static int Needs(Actor actor) => actor.Id.StartsWith("person:", StringComparison.Ordinal) ? 1 : 2;

    private static Task<int?> AskedAsync(Work work, int partnerId, string kind, string gtin, string? lot) => work.Connection.ExecuteScalarAsync<int?>(
        "select hub_order_id from hub_order where partner_id = @partnerId and kind = @kind and gtin = @gtin and lot is not distinct from @lot and status = 'asked' limit 1", new { partnerId, kind, gtin, lot }, work.Transaction);

    private static string? RefuseMarkets(IReadOnlyList<string>? markets, string[] all, string[] ended, string what, out string[] where)
    {
        where = markets is null or { Count: 0 } ? [.. all.Except(ended)] : [.. markets.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        return where.Except(all).ToList() is { Count: > 0 } foreign ? $"{string.Join(", ", foreign)}: no market of {what}, which is in {string.Join(", ", all)}."
            : where.Length == 0 ? $"In every market of {what} a recall or withdrawal is told already: it is told once."
            : where.Intersect(ended).ToList() is { Count: > 0 } twice ? $"In {string.Join(", ", twice)} a recall or withdrawal is told already: it is told once."
            : null;
    }

    private string? Refuse(HubPartner hub) => hubs.Of(hub.Protocol).Traits.TakesOrders ? hub.Refuse() : $"{hub.Name} is told packs, and nothing of what becomes of them.";

    private string? Refuse(HubPartner hub, StateAsk ask)
    {
        if (Refuse(hub) is { } closed)
        {
            return closed;
        }
        var most = hubs.Of(hub.Protocol).Traits.MaxSerials;
        return !PackStates.All.Contains(ask.State) ? $"A state is one of {string.Join(", ", PackStates.All)}."
            : ask.IsUndo && PackStates.IsFinal(ask.State) ? $"{ask.State} is never undone."
            : !Gln.Parse(ask.Location).Try(out _, out var wrong) ? $"The location is a GLN: {wrong}"
            : ask.Serials.Count == 0 ? "No serial number is named."
            : ask.Serials.Count > most ? string.Create(CultureInfo.InvariantCulture, $"One order is of at most {most} packs.")
            : ask.Serials.FirstOrDefault(s => s is not { Length: > 0 and <= MaxSerial }) is { } bad ? $"“{bad}” is no serial number."
            : null;
    }

    private sealed class Signable
    {
        public int Id { get; init; }
        public string Kind { get; init; } = "";
        public string Gtin { get; init; } = "";
        public string? Lot { get; init; }
        public string? State { get; init; }
        public string[] Markets { get; init; } = [];
        public int Units { get; init; }
        public string MadeBy { get; init; } = "";
        public byte[] Content { get; init; } = [];
    }

    private sealed class Asked
    {
        public string Kind { get; init; } = "";
        public string Status { get; init; } = "";
        public int? LotId { get; init; }
        public int PartyId { get; init; }
        public string? State { get; init; }
        public string? Location { get; init; }
        public string[] Markets { get; init; } = [];
        public short Needs { get; init; }
        public byte[] Content { get; init; } = [];
        public int Signed { get; init; }
        public string[] Ended { get; init; } = [];
    }
}
