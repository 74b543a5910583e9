using Epcis.Events;

namespace Epcis.Rules;

/// <summary>Information only: EPCIS leaves bizStep optional, and CBV-Compatible documents may omit it.</summary>
internal sealed class BizStepIsSaid() : EventRule(
    "CBV-STEP-01", "CBV, CBV-Compliant documents",
    "A CBV-Compliant event has a bizStep.",
    "Say in bizStep what was done.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (string.IsNullOrEmpty(e.BizStep))
        {
            findings.Add(e, "", "The event has no bizStep, so the document is not CBV-Compliant.", want: "bizStep");
        }
    }
}
