using System.Globalization;
using Dapper;
using Gateway.Access;
using Gateway.Capture;
using Gateway.Database;
using Gateway.Units;

namespace Gateway.Hub;

/// <summary>
/// Puts on hold what is still ours of a recalled lot or withdrawn product, so that no shipment of it is taken as done and no partner is told of one (EXCHANGES.md S12): the units are named in EPCIS documents of the gateway's own (OBSERVE, holding,
/// recalled), captured like any other. Each is stored with the note of how far the holds have come in one transaction, so a crash holds none twice and forgets none.
/// </summary>
public sealed class HoldRecalled(GatewayDatabase database)
{
    private const int Slice = 20_000;
    private static readonly Actor s_hub = Actor.System("hub");

    /// <returns>False when there is nothing to hold now.</returns>
    public async Task<bool> RunAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(s_hub, ct);
        if (await work.Connection.QuerySingleOrDefaultAsync<(int Order, int PartyId, string Gtin, string? Lot, long Held)?>(new CommandDefinition("""
            select hub_order_id, party_id, gtin, lot, coalesce(held_unit, 0) from hub_order where kind in ('recall', 'withdrawal') and repeats is null and held_at is null and status not in ('asked', 'ended')
            order by hub_order_id limit 1 for update skip locked
            """, transaction: work.Transaction, cancellationToken: ct)) is not { } recall)
        {
            return false;
        }
        // What is packed is where its outermost container is.
        var units = (await work.Connection.QueryAsync<(long Id, string Key, short Prefix, bool IsOurs)>(new CommandDefinition("""
            with recursive own as materialized (
                select u.unit_id, u.key, u.prefix_length, u.parent_id, u.state, u.holds from lot t join unit u using (lot_id) where t.gtin = @Gtin and (@Lot::text is null or t.lot = @Lot) and starts_with(u.key, '01') and u.unit_id > @Held order by u.unit_id limit @Slice),
            up (of, parent_id, state) as (
                select unit_id, parent_id, state from own
                union all select up.of, c.parent_id, c.state from up join unit c on c.unit_id = up.parent_id)
            select o.unit_id, o.key, o.prefix_length, t.state = any(@stock) and not ('recalled' = any(string_to_array(coalesce(o.holds, ''), ' '))) from own o join up t on t.of = o.unit_id and t.parent_id is null order by o.unit_id
            """, new { recall.Gtin, recall.Lot, recall.Held, Slice, stock = new[] { (short)UnitState.Commissioned, (short)UnitState.Returned } }, work.Transaction, commandTimeout: 600, cancellationToken: ct))).AsList();
        var now = await work.Connection.ExecuteScalarAsync<DateTime>("select gateway_now()", transaction: work.Transaction);
        if (units.Where(u => u.IsOurs).Select(u => UnitKey.ToEpc(u.Key, u.Prefix)).ToList() is { Count: > 0 } epcs)
        {
            await OwnHolding.CaptureAsync(work, s_hub, recall.PartyId, OfOrder(recall.Order, now), epcs, now, ct);
        }
        await work.Connection.ExecuteAsync("update hub_order set held_unit = @last, held_at = case when @isAll then gateway_now() end where hub_order_id = @Order", new { recall.Order, last = units.Count > 0 ? units[^1].Id : recall.Held, isAll = units.Count < Slice }, work.Transaction);
        await work.CommitAsync();
        return true;
    }

    /// <summary>What the gateway says of recalled units; by the order in it, it is not heard as news of them.</summary>
    internal static OwnHolding OfOrder(int order, DateTime now) => new(now, "recalled", [("reason", "recalled"), ("order", order.ToString(CultureInfo.InvariantCulture))]);
}
