using Dapper;
using Epcis.Cbv;
using Gateway.Database;

namespace Gateway.Delivery;

/// <summary>
/// Notes, in the capture's own transaction, what was shipped to partners and what was said of it since: whether all of it is sent, received and
/// acknowledged is followed afterwards, so nothing that was captured is missed and no capture waits for it.
/// </summary>
internal static class ShipmentsToFollow
{
    /// <summary>Of each event, the partner that it concerns. What takes a shipment back is news of it.</summary>
    public static async Task AddAsync(Work work, CapturedDocument document, IReadOnlyList<(int PartnerId, int PartyId, ShippingEvent Event)> concerned)
    {
        if (concerned.Count == 0)
        {
            return;
        }
        // What another party told first is one shipment, and was noted then.
        var again = (await work.Connection.QueryAsync<(long EventId, int PartnerId)>("""
            select n.event_id, s.partner_id from (select event_id, event_uri from event where event_id = any(@events) and told_again offset 0) n
            cross join lateral (select event_id from event_identity where event_uri = n.event_uri and declared_at = '' and event_id <> n.event_id offset 0) i
            cross join lateral (select partner_id from shipment where event_id = i.event_id offset 0) s
            """, new { events = concerned.Select(c => c.Event.EventId).Distinct().ToArray() }, work.Transaction)).ToHashSet();
        concerned = [.. concerned.Where(c => c.Event.IsDeclaration || !again.Contains((c.Event.EventId, c.PartnerId)))];
        var voids = document.Voids.Select(v => v.EventId).ToHashSet();
        await work.Connection.ExecuteAsync("""
            insert into shipment (party_id, partner_id, capture_id, event_id, transactions, created_at)
            select party_id, partner_id, @CaptureId, event_id, transactions::text[], gateway_now() from unnest(@partners, @parties, @events, @kinds, @transactions) as n (partner_id, party_id, event_id, kind, transactions)
            where kind = 'shipment' on conflict do nothing;
            insert into shipment_news (event_id, partner_id, party_id, kind, created_at)
            select event_id, partner_id, party_id, kind, gateway_now() from unnest(@partners, @parties, @events, @kinds) as n (partner_id, party_id, event_id, kind)
            where kind <> 'shipment' on conflict do nothing
            """, new
        {
            document.CaptureId,
            partners = concerned.Select(c => c.PartnerId).ToArray(),
            parties = concerned.Select(c => c.PartyId).ToArray(),
            events = concerned.Select(c => c.Event.EventId).ToArray(),
            kinds = concerned.Select(c => voids.Contains(c.Event.EventId) ? "void" : c.Event.IsDeclaration ? "declaration" : "shipment").ToArray(),
            // Arrays of arrays are square, and these are not.
            transactions = concerned.Select(c => ArrayOf(c.Event)).ToArray(),
        }, work.Transaction);
    }

    /// <summary>What a partner says of what was shipped to it; nothing when the document is no partner's.</summary>
    public static Task AnswerAsync(Work work, CapturedDocument document) => work.Connection.ExecuteAsync("""
        insert into shipment_news (event_id, partner_id, party_id, kind, created_at)
        select n.event_id, p.partner_id, p.party_id, 'receipt', gateway_now() from partner p cross join unnest(@events) as n (event_id) where p.party_id = @PartyId on conflict do nothing
        """, new { document.PartyId, events = document.Receipts.ToArray() }, work.Transaction);

    /// <summary>Which part of a delivery tells of which units is to be found again.</summary>
    public static Task DividedAsync(Work work, long deliveryId) => work.Connection.ExecuteAsync("""
        update shipment s set units = null, stale = true, generation = s.generation + 1 from delivery d where d.delivery_id = @deliveryId and s.partner_id = d.partner_id and s.event_id = any(d.shipment_events)
        """, new { deliveryId }, work.Transaction);

    private static string ArrayOf(ShippingEvent e) => "{" + string.Join(',', e.BizTransactions
        .Where(t => t.Type is { } type && CbvTerms.ToBare(CbvVocabulary.BizTransactionType, type) is "po" or "desadv").Select(t => Quoted(t.Value))) + "}";

    private static string Quoted(string text) => $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\0", "", StringComparison.Ordinal)}\"";
}
