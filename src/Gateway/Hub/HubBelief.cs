namespace Gateway.Hub;

/// <summary>A pack as we believe a market holds it.</summary>
/// <param name="State">Null: we believe that the market has not got it.</param>
/// <param name="IsUnderWay">A message that tells it was not answered: nothing is believed yet.</param>
internal sealed record BelievedPack(string Serial, string? State, bool IsUnderWay);

/// <summary>What we believe that markets hold: the one place that says so.</summary>
internal static class HubBelief
{
    /// <summary>
    /// Selects serial, state and under_way of the packs that were reported of <c>@lotId</c>, for the market <c>@country</c>, by what was answered until <c>@asOf</c>.
    /// </summary>
    /// <remarks>
    /// What a hub answered later than that is under way: it may have been stored after the market was asked. Of a pack whose fault is that other markets lack it, a market that was distributed to has it.
    /// What the hub is being told of a pack by an order is under way; the state of the others is the last that it has confirmed.
    /// </remarks>
    public const string Query = """
        select p.serial, case when k.state = 'distributed' and coalesce(p.fault, 'market') = 'market' then coalesce(p.state, 'Active') end as state,
            coalesce(m.answered_at > @asOf, true) or p.pending_order is not null or coalesce((select o.answered_at > @asOf from hub_message o where o.hub_order_id = p.state_order), false) as under_way
        from hub_pack p left join hub_message m using (hub_chunk_id) left join hub_message_market k on k.delivery_id = m.delivery_id and k.country = @country
        where p.hub_lot_id = @lotId
        """;
}
