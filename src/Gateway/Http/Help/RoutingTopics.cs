namespace Gateway.Http.Help;

/// <summary>Why a captured document goes to a partner, or does not.</summary>
internal static class RoutingTopics
{
    public static HelpTopic[] All { get; } =
    [
        new("ROUTE-SHIPMENT", "Sent: the shipment is the partner's", "Every shipment in the document goes to this partner, so the document was queued for it.", "Nothing. The delivery's page tells how it goes."),
        new("ROUTE-PARTNER-DRAFT", "Not sent: the partner is a draft", "The shipment names this partner, whose record is still a draft. Drafts get nothing.", "Activate the partner, then replay or capture the document again."),
        new("ROUTE-PARTNER-PRACTICE", "Not sent: the partner is in practice", "The shipment names this partner, which practises still: nothing but marked test documents goes to it, and those are no deliveries.", "Complete the partner's onboarding and sign its go-live. What was captured before is not sent by itself: capture it again when the partner must have it."),
        new("ROUTE-NO-SHIPMENT", "Not sent: nothing is shipped", "The document holds no shipping event, so nothing in it says that it concerns a partner.", "Nothing, when no shipment was meant. Otherwise send a document whose shipping event names source and destination."),
        new("ROUTE-COMPOSED", "Sent: a document composed for the partner", "The partner gets a document of its own: the shipments that concern it, with the history of exactly what is shipped, in its format. It is composed in a moment, or held with the reason until it is complete.", "Nothing. The delivery's page tells what is in it, what was left out and why, or what it waits for.", "docs/operations.md"),
        new("ROUTE-MIXED-DESTINATIONS", "Not sent: shipments to others", "The document also holds shipments to other parties. None of its shipments concerns this partner, or it repeats what was sent.", "Nothing, when no shipment to this partner was meant. Otherwise correct the destinations, or the partner's routes."),
        new("ROUTE-FOREIGN-EVENTS", "Not sent: units outside the shipment", "The document tells of units that are neither shipped nor packed in what is shipped, and sending it would tell the partner of them.", "Have the sender leave the other units' events out of the shipment's document."),
        new("ROUTE-PARTNER-FORMAT", "Not sent: another format", "The document is in one form and the partner takes another. A captured document is not changed.", "Send the document in the partner's form, or correct the partner's format when it is wrong."),
    ];
}
