using Epcis.Events;

namespace Epcis.Rules;

/// <summary>An event that never had an id is retracted by equal content: legal, and easily missed.</summary>
internal sealed class DeclarationRepeatsEventId() : EventRule(
    "EPCIS-ERR-04", "EPCIS, errorDeclaration",
    "An error declaration repeats the eventID of the event that it retracts.",
    "Repeat the eventID of the event in error.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (e is { ErrorDeclaration: not null, EventId: null or "" })
        {
            findings.Add(e, "errorDeclaration", "The declaration names no eventID, so the event in error can be found by its content only.", want: "eventID");
        }
    }
}
