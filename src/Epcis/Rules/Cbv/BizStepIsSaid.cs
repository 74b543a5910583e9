using Epcis.Events;

namespace Epcis.Rules;

/// <summary>Information only: EPCIS leaves bizStep optional, and CBV-Compatible documents may omit it.</summary>
internal sealed class BizStepIsSaid() : EventRule(
    "CBV-STEP-01", Severity.Info, "CBV, CBV-Compliant documents", "A CBV-Compliant event has a bizStep.")
{
    public override void Check(EpcisEvent e, Findings findings)
    {
        if (string.IsNullOrEmpty(e.BizStep))
        {
            Report(e, findings, "The event has no bizStep, so the document is not CBV-Compliant.", want: "bizStep");
        }
    }
}
