namespace Gateway.Http.Help;

/// <summary>Why a document cannot be composed for a partner yet.</summary>
internal static class ComposingTopics
{
    private const string Looked = "It is looked at again by itself, and at once when somebody resumes the delivery.";

    public static HelpTopic[] All { get; } =
    [
        new("compose.path", "The history of a unit is not complete", "No event tells how a unit of the shipment was commissioned, with which lot and expiry, or what is in a container that is shipped. The partner must have the whole path of every unit, so nothing is sent before.", $"Capture what is missing: the findings of the delivery name the units. {Looked} A capture that may hold it has it looked at, too.", "EXCHANGES.md S2; DSCSA.md section 3"),
        new("compose.masterdata", "Master data are missing", "The regulation of the partner demands master data of every product and of every party and place in the document, and some are not known here.", $"Add what the findings of the delivery name to the products or locations. {Looked}", "FD&C Act 581(26), transaction information"),
        new("compose.held", "A unit of the shipment is held", "The ledger holds a unit that is shipped, or its lot: nothing is told of it to a partner before somebody has released it.", $"Find out why it is held, on the page of the unit, and release it when it is good. {Looked}"),
        new("compose.statement", "Nobody may make the transaction statement", "The shipment changes the owner, and the law wants the statement of the one who sells. That owner has not authorised the gateway to make it, and it is never made without.", $"Record the authorisation with the words of the legal notice (POST /api/statement-authorisations). {Looked}", "FD&C Act 581(27)"),
        new("compose.invalid", "The document does not pass its own check", "What was composed was read as its receiver would read it, with the schema and the rules of the partner's regulation, and they refuse it. It is not sent.", $"The findings name the rules. Mostly an event was captured that cannot be told so: send its correction. {Looked}"),
        new("compose.limit", "One container is too much for a document", "The partner takes documents up to a limit, and what is shipped as one container is more. A container is never divided over documents.", $"Agree on a higher limit with the partner, and change its profile. {Looked}"),
    ];
}
