using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.MasterData;
using Gateway.Units;

namespace Gateway.Hub;

/// <summary>A pack that was commissioned and that a market's repository has not confirmed.</summary>
/// <param name="Why">Why it may not be reported (<c>held</c>, <c>loose</c> …); <c>not released</c>; <c>waiting</c> to be written; <c>sent</c>; or <c>failed</c> with the hub's code.</param>
/// <param name="Since">When it was commissioned.</param>
public sealed record UnreportedPack(string Serial, string Why, DateTime? Since);

/// <summary>What is commissioned and not confirmed, per lot and market: empty before a lot is sold, or explained.</summary>
public sealed class UnreportedPacks(GatewayDatabase database, KnownMasterData masterData)
{
    /// <param name="country">One of the lot's markets.</param>
    /// <param name="after">The serial number that ended the page before.</param>
    /// <returns>Null: the lot is released, and to other markets.</returns>
    public async Task<IReadOnlyList<UnreportedPack>?> ListAsync(Actor reader, int partnerId, string gtin, string lot, string country, string? after, int limit, CancellationToken ct)
    {
        var known = await masterData.ReadAsync(ct);
        var mustBePacked = ReleaseLot.MustBePacked(gtin, known);
        await using var work = await database.BeginAsync(reader, ct);
        if (await work.Connection.ExecuteScalarAsync<bool>(new CommandDefinition("select exists (select from hub_lot l join hub_product p using (hub_product_id) where l.partner_id = @partnerId and l.gtin = @gtin and l.lot = @lot and not @country = any(p.markets))",
            new { partnerId, gtin, lot, country }, work.Transaction, cancellationToken: ct)))
        {
            return null;
        }
        return (await work.Connection.QueryAsync<UnreportedPack>(new CommandDefinition($"""
            with standing as materialized ({ReleasableUnits.Query}),
            told as (
                select p.serial, p.fault, k.state from hub_lot l join hub_pack p using (hub_lot_id) left join hub_message m using (hub_chunk_id) left join hub_message_market k on k.delivery_id = m.delivery_id and k.country = @country
                where l.partner_id = @partnerId and l.gtin = @gtin and l.lot = @lot),
            open as (
                select s.serial, case when t.fault is not null then 'failed ' || t.fault when t.state = 'failed' then 'failed' when t.state is not null then 'sent' when t.serial is not null then 'waiting' else coalesce(s.why, 'not released') end as why
                from standing s left join told t using (serial) where (t.serial is null or t.fault is not null or t.state is distinct from 'distributed') and (@after::text is null or s.serial collate "C" > @after)
                order by s.serial collate "C" limit @limit)
            select o.serial as Serial, o.why as Why, (select min(e.event_time) from event e where e.event_id = u.first_event) as Since
            from open o left join unit u on u.key = '01' || @gtin || '21' || o.serial order by o.serial collate "C"
            """, new { partnerId, gtin, lot, country, mustBePacked, after, limit }, work.Transaction, cancellationToken: ct, commandTimeout: 120))).AsList();
    }
}
