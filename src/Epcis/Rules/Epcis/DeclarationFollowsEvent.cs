using Epcis.Events;

namespace Epcis.Rules;

internal sealed class DeclarationFollowsEvent() : EventRule(
    "EPCIS-ERR-02", "EPCIS, errorDeclaration",
    "An error is declared after the event that was in error.",
    "Correct declarationTime, or eventTime: the declaration repeats the time of the event that it retracts.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (e is { EventTime: { } at, ErrorDeclaration.DeclarationTime: { } declared } && declared < at)
        {
            findings.Add(e, "errorDeclaration/declarationTime", "The error was declared before the event took place.", e.ErrorDeclaration.DeclarationTimeText, $"a time after {e.EventTimeText}");
        }
    }
}
