using Epcis.Events;

namespace Epcis.Rules;

internal sealed class InspectingIsOfRelease13() : EventRule(
    "DSCSA-STEP-01", "GS1 US DSCSA guideline R1.2, business steps",
    "Release 1.2 has no events of inspecting.",
    "Leave the event out of documents of release 1.2, or agree on release 1.3.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (EventTerms.BizStep(e) == "inspecting")
        {
            findings.Add(e, "bizStep", "inspecting is not among the steps of release 1.2.", e.BizStep, "a step of release 1.2");
        }
    }
}
