namespace Gateway.Http.Help;

/// <summary>What a partner acknowledges, and what is missing between what was shipped, sent and acknowledged.</summary>
internal static class ReceiptTopics
{
    private const string Ends = "While it is open the delivery is shown as disputed; resolve it when it is settled with the partner.";

    public static HelpTopic[] All { get; } =
    [
        new("receipt.over", "The partner has more than it was told of", "The partner's receiving event names units that no document tells it of, or that were taken back. In HDA's classes this is Product No Data: the goods are held there until it is solved.", $"Capture the shipping event of what was sent too much, and a second document goes to the partner; or have the units returned. It ends by itself when a shipment tells of them. {Ends}", "EXCHANGES.md S8"),
        new("receipt.short", "The partner has less than it was told of", "A part of a shipment was received, and the rest not in the agreed days. In HDA's classes this is Data No Product.", "Find out with the partner what did not arrive. Capture void_shipping for what did not go or is lost; it ends by itself when nothing is outstanding any more.", "EXCHANGES.md S9"),
        new("receipt.declared", "The partner says that something was not so", "The partner has declared its receipt, or an event that it was told, to be in error, or has received goods as not matching their data. In HDA's classes this is a Data Issue.", $"Find out with the partner which of the two is right, and correct the events or have the partner correct its own. {Ends}", "EXCHANGES.md S10"),
        new("receipt.damaged", "The partner has received damaged goods", "The partner's receiving event has the disposition damaged. In HDA's classes this is Packaging and Labeling.", $"Agree on return or destruction with the partner. {Ends}", "EXCHANGES.md S11"),
        new("receipt.unavailable", "The partner cannot distribute what it received", "The partner's receiving event has a disposition by which the goods cannot be sold: recalled, expired or another. In HDA's classes this is Unavailable for Distribution.", $"Look at holds and recalls of the lot, and agree with the partner. {Ends}", "EXCHANGES.md S12"),
        new("receipt.overdue", "A partner owes what became of documents", "The partner's channel took documents, and its system has not said in the agreed hours whether it accepts them. Taken is not yet received.", "Ask the partner. Its deliveries are listed with the state overdue. It ends by itself when nothing is overdue any more.", "RELIABILITY.md section 4"),
        new("receipt.unanswered", "A partner owes what it received", "The partner has promised to tell what of the goods it received, and has told nothing in the agreed days.", "Ask the partner. Where it never tells, say so in its profile (tellsReceipt): then silence means that the goods were received. It ends by itself when the partner has told.", "EXCHANGES.md S3"),
        new("reconcile.gap", "What was shipped, sent and acknowledged is not even", "Of a lot, units are shipped to a partner that no document tells it of, or only documents that were refused, given up or closed, or a document tells more or fewer than were shipped.", "The page of reconciliation names the deliveries and captures. Retry or reopen what was not sent; where nothing was queued, the capture says why. It ends by itself when all is even.", "P11-41"),
    ];
}
