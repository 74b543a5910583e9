using Dapper;
using Gateway.Database;

namespace Gateway.Delivery;

/// <summary>Notes, in the capture's own transaction, the events that may say something of packs that a hub has: what it is told of them follows afterwards, so nothing that was captured is missed and no capture waits for it.</summary>
internal static class StatesToHear
{
    /// <summary>Nothing where there is no hub, or a trading partner tells: he reports to the repository of his own country. What was told again was noted then.</summary>
    public static Task AddAsync(Work work, CapturedDocument document) => work.Connection.ExecuteAsync("""
        insert into hub_news (event_id, party_id, teller_id)
        select n.event_id, o.party_id, @PartyId from unnest(@events) as n (event_id) cross join (select party_id from party where kind = 'organisation') o
        where exists (select from partner where channel = 'hub' and state <> 'closed') and exists (select from party where party_id = @PartyId and kind <> 'partner')
            and (not @HasRepeats or not exists (select from event e where e.event_id = n.event_id and e.told_again))
        on conflict do nothing
        """, new { document.PartyId, document.HasRepeats, events = document.States.ToArray() }, work.Transaction);
}
