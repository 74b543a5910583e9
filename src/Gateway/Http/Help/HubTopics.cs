namespace Gateway.Http.Help;

/// <summary>What packs are reported to.</summary>
internal static class HubTopics
{
    public static HelpTopic[] All { get; } =
    [
        new("GW-HUB-01", "Not possible at the hub", "A rule of the hub, or the order in which it must be told things, forbids what was asked for; the answer's detail says which. Nothing was sent, for a hub raises alerts for what it must refuse.", "Do what the detail names first: tell the product's data and wait until every market has them, explain the units that are left out, or settle what contradicts itself in the lot.", "Commission Delegated Regulation (EU) 2016/161, Article 33"),
        new("hub.packs", "Packs that the hub has not stored", "The hub has answered a message of packs and has not stored all of them: the exception names the lot, the hub's codes and the packs. What it has stored is not sent again. A market without these packs would call them unknown (A3).", "Mend what the code names, then send them again on the lot's page at the hub, or with gateway hub resend: only what failed is sent. What the hub calls temporary is sent again by itself, up to five times. The exception ends by itself when all are stored.", "Commission Delegated Regulation (EU) 2016/161, Article 33"),
        new("hub.product", "Product data that the hub has not taken", "The hub has refused a version of a product's data, or a market has not got it. No lot can be released to that version.", "Look what the hub says, correct the data and tell them again: that is a further version, and the refused one stays on record. The exception ends by itself when a version is in all its markets.", "Commission Delegated Regulation (EU) 2016/161, Article 33(2)"),
    ];
}
