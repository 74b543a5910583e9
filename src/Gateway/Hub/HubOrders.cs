using System.Text.Json;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Delivery;
using Gateway.MasterData;

namespace Gateway.Hub;

/// <summary>Where an order has come to in one market.</summary>
/// <param name="State"><c>pending</c>, <c>distributed</c> or <c>failed</c>.</param>
public sealed record OrderMarket(string Country, string State, DateTime? ConfirmedAt);

/// <summary>An order about packs, a recall or a withdrawal.</summary>
/// <param name="Kind">One of <see cref="OrderKinds"/>.</param>
/// <param name="State">One of <see cref="PackStates"/>; of an undo: that is undone.</param>
/// <param name="Status"><c>asked</c>: it waits for signatures; <c>ready</c>: it is told as soon as its packs are in every market; <c>told</c>; <c>done</c>; <c>failed</c>: somebody must look; <c>ended</c>: it was never told.</param>
/// <param name="Needs">How many signatures it takes.</param>
/// <param name="Signers">Who has signed.</param>
/// <param name="Failed">Packs that the hub has not done it of.</param>
/// <param name="ToldAt">Of a recall or withdrawal: when everybody who had units was told, or noted; null: who has them is not known yet.</param>
/// <param name="UndoUntil">Until when it can be undone, by the hub's confirmation; null: it was undone of all its packs, never can be, or always can (Locked).</param>
public sealed record HubOrder(
    int Id, string Kind, string Gtin, string? Lot, string? State, string? Location, int Units, string Status, string? EndedWhy, string Reason, string MadeBy, DateTime MadeAt, int Needs, IReadOnlyList<string> Signers, long? EventId,
    DateTime? ConfirmedAt, DateTime? ToldAt, DateTime? UndoUntil, long Failed, long? Delivery, IReadOnlyList<OrderMarket> Markets);

/// <param name="Fault">Why the hub has not done it, by its code; <c>market</c>: not every market has; null: it has, or has not answered.</param>
public sealed record OrderPack(string Serial, string? Fault);

/// <summary>What orders to look for; null: any.</summary>
/// <param name="Open">Only what is not finished: asked, ready, told or failed.</param>
/// <param name="Undoable">Only what can be undone still and not for ever, the next to run out first.</param>
public sealed record OrderFilter(string? Gtin = null, string? Lot = null, string? Kind = null, string? Status = null, bool Open = false, bool Undoable = false);

/// <summary>Who had units when they were recalled, and how he was told.</summary>
/// <param name="Gln">Null: events name none.</param>
/// <param name="Holder">As events say it; null: they do not.</param>
/// <param name="Untold">Why the gateway does not tell him: <c>no partner</c>; <c>not live</c>: his connection is not; <c>elsewhere</c>: he is in a country where it is not recalled; <c>unknown</c>. Null: it does.</param>
/// <param name="Captures">The documents of the gateway's own that hold his units, and tell him.</param>
/// <param name="Deliveries">By which he gets them; none: they are not captured yet.</param>
/// <param name="Refused">How many of the documents could not be captured: what they name he is not told.</param>
public sealed record RecallNotice(string? Gln, string? Holder, string? Name, long Units, string? Untold, IReadOnlyList<Guid> Captures, IReadOnlyList<NoticeDelivery> Deliveries, int Refused)
{
    /// <summary>Nobody else need tell him: he is told, or will be, or it is not recalled where he is.</summary>
    public bool IsGood => Untold is "elsewhere" || Untold is null && Refused == 0 && Deliveries.All(d => d.State is not ("dead" or "closed"));
}

/// <param name="State">As deliveries show it.</param>
public sealed record NoticeDelivery(long Id, string State);

/// <summary>Orders, and what became of them.</summary>
public sealed class HubOrders(GatewayDatabase database, KnownMasterData masterData)
{
    private const string Listed = """
        select o.hub_order_id as Id, o.kind as Kind, o.gtin as Gtin, o.lot as Lot, o.state as State, o.location as Location, o.units as Units, o.status as Status, o.ended_why as EndedWhy, o.reason as Reason, o.made_by as MadeBy, o.made_at as MadeAt,
            o.needs::int as Needs, array(select s.signer from signature s where s.record_type = 'hub order' and s.record_id = o.hub_order_id::text and s.meaning = 'hub order' order by s.signature_id) as Signers, o.event_id as EventId, o.confirmed_at as ConfirmedAt, o.told_at as ToldAt,
            case when o.kind = 'state change' and o.state not in ('Destroyed', 'Stolen', 'Locked') and exists (select from hub_pack p where p.state_order = o.hub_order_id) then o.confirmed_at + @UndoDays * interval '1 day' end as UndoUntil,
            (select count(*) from (select distinct on (p.serial) p.fault from hub_order_pack p join hub_order x using (hub_order_id) where o.status = 'failed' and (x.hub_order_id = o.hub_order_id or x.repeats = o.hub_order_id) order by p.serial, p.hub_order_id desc) f where fault is not null) as Failed,
            n.delivery_id as Delivery,
            coalesce((select json_agg(json_build_object('country', k.country, 'state', case when o.status = 'done' then 'distributed' else k.state end, 'confirmedAt', case when o.status = 'done' then (select min(e.confirmed_at) from hub_order y join hub_message g using (hub_order_id) join hub_message_market e using (delivery_id) where (y.hub_order_id = o.hub_order_id or y.repeats = o.hub_order_id) and e.country = k.country and e.state = 'distributed') else k.confirmed_at end) order by k.country)::text from hub_message_market k where k.delivery_id = n.delivery_id),
                (select json_agg(json_build_object('country', c, 'state', 'pending') order by c)::text from unnest(o.markets) c)) as Markets
        from hub_order o left join lateral (select m.delivery_id from hub_order x join hub_message m using (hub_order_id) where x.hub_order_id = o.hub_order_id or x.repeats = o.hub_order_id order by x.hub_order_id desc limit 1) n on true
        """;

    /// <summary>Newest first; what runs out, first first.</summary>
    /// <param name="before">The cursor of the page before.</param>
    public async Task<IReadOnlyList<HubOrder>> ListAsync(Actor reader, int partnerId, OrderFilter filter, int? before, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return [.. (await work.Connection.QueryAsync<Row>(new CommandDefinition(Listed + (filter.Undoable ? """

            where o.partner_id = @partnerId and o.repeats is null and o.kind = 'state change' and o.state not in ('Destroyed', 'Stolen', 'Locked') and o.confirmed_at > gateway_now() - @UndoDays * interval '1 day'
                and exists (select from hub_pack p where p.state_order = o.hub_order_id) and (@Gtin::text is null or o.gtin = @Gtin) and (@Lot::text is null or o.lot = @Lot)
            order by o.confirmed_at, o.hub_order_id limit @limit
            """ : """

            where o.partner_id = @partnerId and o.repeats is null and (@before::int is null or o.hub_order_id < @before) and (@Gtin::text is null or o.gtin = @Gtin) and (@Lot::text is null or o.lot = @Lot or o.lot is null and @Gtin::text is not null)
                and (@Kind::text is null or o.kind = @Kind) and (@Status::text is null or o.status = @Status) and (not @Open or o.status in ('asked', 'ready', 'told', 'failed'))
            order by o.hub_order_id desc limit @limit
            """), new { partnerId, before, limit, filter.Gtin, filter.Lot, filter.Kind, filter.Status, filter.Open, PackStates.UndoDays }, work.Transaction, cancellationToken: ct))).Select(Of)];
    }

    public async Task<HubOrder?> FindAsync(Actor reader, int order, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await work.Connection.QuerySingleOrDefaultAsync<Row>(new CommandDefinition(Listed + " where o.hub_order_id = @order and o.repeats is null", new { order, PackStates.UndoDays }, work.Transaction, cancellationToken: ct)) is { } row ? Of(row) : null;
    }

    /// <summary>The packs of an order in the order of their serial numbers, with why the hub has not done it.</summary>
    /// <param name="after">The serial number that ended the page before.</param>
    public async Task<IReadOnlyList<OrderPack>> PacksAsync(Actor reader, int order, string? after, int limit, CancellationToken ct) => await database.ReadAsync<OrderPack>(reader, """
        select distinct on (p.serial) p.serial as Serial, p.fault as Fault from hub_order_pack p join hub_order x using (hub_order_id) where (x.hub_order_id = @order or x.repeats = @order) and (@after::text is null or p.serial > @after) order by p.serial, p.hub_order_id desc limit @limit
        """, new { order, after, limit }, ct);

    /// <summary>Of a recall or withdrawal: who had units of it, most units first; empty until it is known.</summary>
    public async Task<IReadOnlyList<RecallNotice>> NoticesAsync(Actor reader, int order, CancellationToken ct)
    {
        var known = await masterData.ReadAsync(ct);
        return [.. (await database.ReadAsync<Notice>(reader, $"""
            select h.gln as "Gln", h.holder as "Holder", h.units as "Units", h.untold as "Untold", h.captures as "Captures",
                coalesce((select json_agg(json_build_object('id', d.delivery_id, 'state', {DeliveryOverview.ShownState}) order by d.delivery_id)::text
                    from (select gateway_now() as at) n, capture c join delivery d using (capture_id) join partner p on p.partner_id = d.partner_id left join breaker b on b.partner_id = d.partner_id
                    where c.public_id = any(h.captures) and d.partner_id = h.partner_id and h.untold is null), '[]') as "Deliveries",
                (select count(*)::int from capture c where c.public_id = any(h.captures) and (c.state in ('refused', 'failed')
                    or c.state = 'accepted' and h.untold is null and not exists (select from delivery d where d.capture_id = c.capture_id and d.partner_id = h.partner_id))) as "Refused"
            from hub_order_holder h where h.hub_order_id = @order order by h.number
            """, new { order }, ct)).Select(n => new RecallNotice(n.Gln, n.Holder, n.Gln is null ? null : known.FindLocation(n.Gln)?.Name, n.Units, n.Untold, n.Captures, JsonSerializer.Deserialize<List<NoticeDelivery>>(n.Deliveries, ProductData.Json)!, n.Refused))];
    }

    private static HubOrder Of(Row r) => new(r.Id, r.Kind, r.Gtin, r.Lot, r.State, r.Location, r.Units, r.Status, r.EndedWhy, r.Reason, r.MadeBy, r.MadeAt, r.Needs, r.Signers, r.EventId, r.ConfirmedAt, r.ToldAt, r.UndoUntil, r.Failed, r.Delivery,
        JsonSerializer.Deserialize<List<OrderMarket>>(r.Markets, ProductData.Json)!);

    private sealed class Notice
    {
        public string? Gln { get; init; }
        public string? Holder { get; init; }
        public long Units { get; init; }
        public string? Untold { get; init; }
        public Guid[] Captures { get; init; } = [];
        public string Deliveries { get; init; } = "";
        public int Refused { get; init; }
    }

    private sealed class Row
    {
        public int Id { get; init; }
        public string Kind { get; init; } = "";
        public string Gtin { get; init; } = "";
        public string? Lot { get; init; }
        public string? State { get; init; }
        public string? Location { get; init; }
        public int Units { get; init; }
        public string Status { get; init; } = "";
        public string? EndedWhy { get; init; }
        public string Reason { get; init; } = "";
        public string MadeBy { get; init; } = "";
        public DateTime MadeAt { get; init; }
        public int Needs { get; init; }
        public string[] Signers { get; init; } = [];
        public long? EventId { get; init; }
        public DateTime? ConfirmedAt { get; init; }
        public DateTime? ToldAt { get; init; }
        public DateTime? UndoUntil { get; init; }
        public long Failed { get; init; }
        public long? Delivery { get; init; }
        public string Markets { get; init; } = "";
    }
}
