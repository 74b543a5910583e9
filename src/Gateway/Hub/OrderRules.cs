using System.Globalization;
using Dapper;
using Gateway.Database;

namespace Gateway.Hub;

/// <summary>A rule that packs of an order break.</summary>
/// <param name="Code"><c>unknown</c>, <c>failed</c>, <c>waiting</c>, <c>pending</c>, <c>inactive</c>, <c>active</c>, <c>other</c>, <c>elsewhere</c> or <c>late</c>.</param>
/// <param name="Detail">The state, location or day that hinders.</param>
/// <param name="Count">How many packs.</param>
/// <param name="First">One of them.</param>
internal sealed record BrokenRule(string Code, string? Detail, long Count, string First);

/// <summary>A released lot, as rules ask of it.</summary>
/// <param name="Ended">The markets where it is recalled, or its product withdrawn.</param>
internal sealed class OrderedLot
{
    public int Id { get; init; }
    public int PartyId { get; init; }
    public int ProductId { get; init; }
    public DateOnly Expiry { get; init; }
    public bool IsExpired { get; init; }
    public string[] Markets { get; init; } = [];
    public string[] Ended { get; init; } = [];
    public long Units { get; init; }
}

/// <summary>The public rules about states of packs (EU-FMD.md sections 4, 5 and 11; docs/hub.md), looked at before anything is sent: what the hub would refuse is never asked of it.</summary>
internal static class OrderRules
{
    public static async Task<OrderedLot?> LotAsync(Work work, int partnerId, string gtin, string lot) => await work.Connection.QuerySingleOrDefaultAsync<OrderedLot>("""
        select l.hub_lot_id as Id, l.party_id as PartyId, l.hub_product_id as ProductId, l.expiry as Expiry, l.expiry < (gateway_now() at time zone 'UTC')::date as IsExpired, p.markets as Markets, hub_ended(l.partner_id, l.gtin, l.lot) as Ended,
            (select coalesce(sum(r.units) filter (where r.kind = 'release'), 0) from hub_round r where r.hub_lot_id = l.hub_lot_id) as Units
        from hub_lot l join hub_product p using (hub_product_id) where l.partner_id = @partnerId and l.gtin = @gtin and l.lot = @lot
        """, new { partnerId, gtin, lot }, work.Transaction);

    /// <summary>What is told of a lot for good forbids everything else about it.</summary>
    public static string? RefuseLot(OrderedLot? found, string gtin, string lot, bool isUndo) => found switch
    {
        null => $"The lot {lot} of {gtin} is not released: the hub has no packs of it.",
        { Ended.Length: > 0 } => $"The lot {lot} is recalled, or its product withdrawn, in {string.Join(", ", found.Ended)}: nothing is told of its packs any more.",
        { IsExpired: true } when isUndo => string.Create(CultureInfo.InvariantCulture, $"The lot {lot} has expired on {found.Expiry:yyyy-MM-dd}: nothing of it is undone."),
        _ => null,
    };

    /// <param name="order">The order that the packs belong to already; null: it is to be made.</param>
    public static async Task<IReadOnlyList<BrokenRule>> BrokenAsync(Work work, int hubLotId, IReadOnlyCollection<string> serials, string state, bool isUndo, string location, int? order = null) => (await work.Connection.QueryAsync<BrokenRule>(Judged + """
        select code as Code, case when code in ('inactive', 'other', 'elsewhere', 'late') then detail end as Detail, count(*) as Count, min(serial) as First from pack where code is not null group by 1, 2 order by 3 desc, 1
        """, new { hubLotId, serials = serials.ToArray(), state, isUndo, location, order, PackStates.UndoDays }, work.Transaction, commandTimeout: 600)).AsList();

    /// <summary>Pack by pack, those that break a rule.</summary>
    public static async Task<IReadOnlyList<BrokenRule>> BrokenPacksAsync(Work work, int hubLotId, IReadOnlyCollection<string> serials, string state, bool isUndo, string location) => (await work.Connection.QueryAsync<BrokenRule>(Judged + """
        select code as Code, detail as Detail, 1::bigint as Count, serial as First from pack where code is not null
        """, new { hubLotId, serials = serials.ToArray(), state, isUndo, location, order = (int?)null, PackStates.UndoDays }, work.Transaction, commandTimeout: 600)).AsList();

    private const string Judged = """
        with chunk as materialized (select c.hub_chunk_id, coalesce(hub_distributed(m.delivery_id), false) as is_there from hub_chunk c left join hub_message m using (hub_chunk_id) where c.hub_lot_id = @hubLotId),
        pack as (
            select a.serial, case
                    when p.serial is null then 'unknown'
                    when p.pending_order is distinct from @order and p.pending_order is not null then 'pending'
                    when p.fault is not null then 'failed'
                    when not c.is_there then 'waiting'
                    when not @isUndo and p.state is not null then 'inactive'
                    when @isUndo and p.state is null then 'active'
                    when @isUndo and p.state <> @state then 'other'
                    when @isUndo and o.location <> @location then 'elsewhere'
                    when @isUndo and p.state <> 'Locked' and o.confirmed_at + @UndoDays * interval '1 day' < gateway_now() then 'late'
                end as code,
                case when p.state is null then null when @isUndo and p.state = @state then case when o.location <> @location then o.location else to_char(o.confirmed_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') end else p.state end as detail
            from (select distinct serial from unnest(@serials) s (serial)) a left join hub_pack p on p.hub_lot_id = @hubLotId and p.serial = a.serial left join chunk c using (hub_chunk_id) left join hub_order o on o.hub_order_id = p.state_order)

        """;

    public static string InWords(IEnumerable<BrokenRule> broken, string state) => string.Join(" ", broken.Select(b => $"{Packs(b)} {b.Code switch
    {
        "unknown" => Plural(b, "was not reported", "were not reported") + " in this lot: case counts.",
        "failed" => Plural(b, "was", "were") + " not stored by the hub: send again what failed first.",
        "waiting" => Plural(b, "is", "are") + " not in every market yet: nothing is told of a pack before that.",
        "pending" => Plural(b, "is", "are") + " part of an order that is not finished: wait for it, or decline it.",
        "inactive" => $"{Plural(b, "is", "are")} {b.Detail} already: a state is changed only from Active. Undo it first, where that can be undone.",
        "active" => $"{Plural(b, "is", "are")} Active: there is no {state} to undo.",
        "other" => $"{Plural(b, "is", "are")} {b.Detail}, not {state}: an undo names the state that is undone.",
        "elsewhere" => $"{Plural(b, "was", "were")} made {state} at {b.Detail}: that is undone only there.",
        _ => $"{Plural(b, "was", "were")} confirmed as {state} at {b.Detail} UTC: after {PackStates.UndoDays} days it stays.",
    }}"));

    private static string Packs(BrokenRule b) => b.Count == 1 ? $"The pack {b.First}" : string.Create(CultureInfo.InvariantCulture, $"{b.Count} packs ({b.First} …)");

    private static string Plural(BrokenRule b, string one, string more) => b.Count == 1 ? one : more;
}
