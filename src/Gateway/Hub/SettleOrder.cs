using System.Globalization;
using Dapper;
using Epcis;
using Gateway.Database;
using Gateway.Exceptions;
using Gateway.Units;

namespace Gateway.Hub;

/// <summary>What becomes of an order when everything is known of its message: packs get their state, what failed for a while goes again by itself, and somebody is told of the rest.</summary>
internal static class SettleOrder
{
    // By itself an order is told again so often, each time later; then a person decides.
    private const int MostTries = 5;

    private const int ExceptionUnits = 10_000, MaxSentenceCodes = 20;

    /// <summary>In the transaction that takes the answer, which holds the lot or product.</summary>
    public static async Task RunAsync(Work work, int order, long deliveryId, TimeSpan retryBase)
    {
        var o = await work.Connection.QuerySingleAsync<Told>("""
            select o.hub_order_id as Id, coalesce(o.repeats, o.hub_order_id) as Root, o.party_id as PartyId, o.kind as Kind, o.gtin as Gtin, o.lot as Lot, o.hub_lot_id as LotId, o.state as State, o.tries as Tries, m.state = 'refused' as IsRefused, m.code as Code, m.text as Text,
                array(select country from hub_message_market k where k.delivery_id = @deliveryId and k.state <> 'distributed' order by country) as Missing,
                (select min(confirmed_at) from hub_message_market k where k.delivery_id = @deliveryId and k.state = 'distributed') as ConfirmedAt
            from hub_order o join hub_message m using (hub_order_id) where m.delivery_id = @deliveryId for update of o
            """, new { deliveryId }, work.Transaction);
        if (o.IsOfPacks)
        {
            // A market counts that took the pack with one telling or another; of what was told again, the last time says what is lacking.
            await work.Connection.ExecuteAsync("""
                with told as materialized (
                    select m.hub_order_id, array_agg(k.country) as markets from hub_order x join hub_message m using (hub_order_id) join hub_message_market k using (delivery_id) where (x.hub_order_id = @Root or x.repeats = @Root) and k.state = 'distributed' group by m.hub_order_id),
                everywhere as materialized (
                    select p.serial from hub_order_pack p join told using (hub_order_id) cross join unnest(told.markets) c where coalesce(p.fault, 'market') = 'market' group by p.serial
                    having count(distinct c) = (select cardinality(markets) from hub_order where hub_order_id = @order)),
                late as (
                    update hub_order_pack p set fault = null from hub_order x where x.hub_order_id = p.hub_order_id and (x.hub_order_id = @Root or x.repeats = @Root) and p.hub_order_id <> @order and p.fault = 'market' and exists (select from everywhere e where e.serial = p.serial))
                update hub_order_pack p set fault = 'market' where p.hub_order_id = @order and p.fault is null and not exists (select from everywhere e where e.serial = p.serial)
                """, new { order, o.Root }, work.Transaction, commandTimeout: 600);
        }
        var wait = retryBase * Math.Pow(4, o.Tries);
        var isBarred = o is { IsRefused: false, Missing.Length: > 0, Code: "A24" }; // nothing changes there any more, so it is not tried again
        var again = o.IsRefused || isBarred || o.Tries >= MostTries ? 0 : await PlaceOrders.RepeatAsync(work, o.Root, order, o.Tries + 1, wait, "The hub calls what hindered it temporary, or a market took nothing.", byItself: true);
        if (o.IsOfPacks)
        {
            // What some markets have is no more what it was: it counts as changed, and as unchanged again only when all of them have undone it.
            await work.Connection.ExecuteAsync("""
                update hub_pack h set state = case when p.fault is null or p.fault = 'market' and not @isUndo and @ConfirmedAt::timestamptz is not null then case when @isUndo then null else @State end else h.state end,
                    state_order = case when p.fault is null or p.fault = 'market' and not @isUndo and @ConfirmedAt::timestamptz is not null then case when @isUndo then null else @Root end else h.state_order end,
                    pending_order = case when h.pending_order = @order then null else h.pending_order end
                from hub_order_pack p where p.hub_order_id = @order and h.hub_lot_id = @lot and h.serial = p.serial and coalesce(h.state_order, 0) <= @order -- a late answer takes nothing back that came after it
                """, new { order, lot = o.LotId, o.State, o.Root, o.ConfirmedAt, isUndo = o.Kind == OrderKinds.Undo }, work.Transaction, commandTimeout: 600);
        }
        // Of what was told again, the last time counts.
        var faults = (await work.Connection.QueryAsync<(string Code, long Count)>("""
            select fault, count(*) from (select distinct on (serial) fault from hub_order_pack p join hub_order x using (hub_order_id) where x.hub_order_id = @Root or x.repeats = @Root order by serial, hub_order_id desc) p
            where fault is not null group by fault order by 2 desc, 1
            """, new { o.Root }, work.Transaction)).AsList();
        var isWhole = !o.IsRefused && (o.IsOfPacks || o.Missing.Length == 0);
        var isDone = isWhole && faults.Count == 0;
        await work.Connection.ExecuteAsync("""
            update hub_order set status = case when status = 'done' or @isWhole and not exists (select from hub_order_pack where hub_order_id = @order and fault is not null) then 'done' else 'failed' end where hub_order_id = @order and hub_order_id <> @Root;
            update hub_order set confirmed_at = least(confirmed_at, @ConfirmedAt), status = case when @again > 0 or status = 'done' then status when @isDone then 'done' else 'failed' end where hub_order_id = @Root
            """, new { order, o.Root, isWhole, isDone, again, o.ConfirmedAt }, work.Transaction);
        if (again == 0)
        {
            await TellAsync(work, o, isDone, faults);
        }
    }

    /// <summary>Its message was given up or closed before the hub answered: nothing is known of it, its packs are free for others, and somebody is told. What the hub answers all the same counts.</summary>
    public static async Task GivenUpAsync(Work work, int order, long deliveryId)
    {
        // Whoever waited for the lot looks again: the hub may have answered, or somebody may have it sent again.
        if (await work.Connection.QuerySingleOrDefaultAsync<(int, int, string, string, string?, string?, string)?>("""
            with o as (
                update hub_order o set status = 'failed' where hub_order_id = @order and status = 'told' and exists (select from hub_message m join delivery d using (delivery_id) where m.hub_order_id = @order and m.answered_at is null and d.state in ('dead', 'closed'))
                returning coalesce(repeats, hub_order_id) as root, party_id, kind, gtin, lot, state),
            r as (update hub_order r set status = 'failed' from o where r.hub_order_id = o.root and r.hub_order_id <> @order and r.status = 'told'),
            p as (update hub_order_pack set fault = 'unsent' where hub_order_id in (select @order from o) and fault is null),
            h as (update hub_pack set pending_order = null where pending_order in (select @order from o))
            select o.root, o.party_id, o.kind, o.gtin, o.lot, o.state, case when d.state = 'closed' then 'it was closed' else 'it was given up (' || coalesce(d.dead_reason, d.code, 'dead') || ')' end from o cross join delivery d where d.delivery_id = @deliveryId
            """, new { order, deliveryId }, work.Transaction, commandTimeout: 600) is not (var root, var partyId, var kind, var gtin, var lot, var state, var why))
        {
            return;
        }
        await ExceptionRecords.OpenAsync(work, new ExceptionFacts(HubCodes.OrderFailed, Severity.Error,
            $"The hub has not answered the message of the {kind}{(state is null ? "" : $" {state}")} of {(lot is null ? gtin : $"the lot {lot}")}: {why}. Compare what the markets hold before it is told again.") { Gtin = gtin, Lot = lot }, PlaceOrders.Source(root, partyId), []);
    }

    private static async Task TellAsync(Work work, Told o, bool isDone, List<(string Code, long Count)> faults)
    {
        var source = PlaceOrders.Source(o.Root, o.PartyId);
        if (isDone)
        {
            await ExceptionRecords.ResolveAsync(work, HubCodes.OrderFailed, source, "The hub has done it in every market.");
            return;
        }
        var what = o.Kind switch
        {
            OrderKinds.StateChange => $"that packs of the lot {o.Lot} are {o.State}",
            OrderKinds.Undo => $"that packs of the lot {o.Lot} are {o.State} no more",
            OrderKinds.Recall => $"the recall of the lot {o.Lot}",
            _ => $"the withdrawal of {o.Gtin}",
        };
        var why = o.IsRefused ? $"it refuses it with {o.Code ?? "no code"}: {o.Text ?? "it does not say why"}"
            : string.Join("; ", ((string[])[.. o.Missing.Length > 0 ? [$"not told: {string.Join(", ", o.Missing)}{(o.Text is null ? "" : $" ({o.Text})")}"] : Array.Empty<string>(),
                .. faults.Where(f => f.Code != "market").Take(MaxSentenceCodes).Select(f => string.Create(CultureInfo.InvariantCulture, $"{f.Count} with {f.Code}"))]));
        var failing = (await work.Connection.QueryAsync<string>("""
            select serial from (select distinct on (serial) serial, fault from hub_order_pack p join hub_order x using (hub_order_id) where x.hub_order_id = @Root or x.repeats = @Root order by serial, hub_order_id desc) p
            where fault is not null order by serial limit @ExceptionUnits
            """, new { o.Root, ExceptionUnits }, work.Transaction)).AsList();
        await ExceptionRecords.OpenAsync(work, new ExceptionFacts(HubCodes.OrderFailed, Severity.Error, $"The hub has not done {what}: {why}{(why.EndsWith('.') ? "" : ".")}") { Gtin = o.Gtin, Lot = o.Lot }, source, [.. failing.Select(serial => UnitKey.ToEpc($"01{o.Gtin}21{serial}", 0))]);
    }

    private sealed class Told
    {
        public int Id { get; init; }
        public int Root { get; init; }
        public int PartyId { get; init; }
        public string Kind { get; init; } = "";
        public bool IsOfPacks => Kind is OrderKinds.StateChange or OrderKinds.Undo;
        public string Gtin { get; init; } = "";
        public string? Lot { get; init; }
        public int? LotId { get; init; }
        public string? State { get; init; }
        public int Tries { get; init; }
        public bool IsRefused { get; init; }
        public string? Code { get; init; }
        public string? Text { get; init; }
        public string[] Missing { get; init; } = [];
        public DateTime? ConfirmedAt { get; init; }
    }
}
