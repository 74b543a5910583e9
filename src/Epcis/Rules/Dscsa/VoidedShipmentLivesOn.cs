using Epcis.Events;

namespace Epcis.Rules;

internal sealed class VoidedShipmentLivesOn() : EventRule(
    "DSCSA-VOID-01", "GS1 US DSCSA guideline, void shipping; EPCIS, action",
    "A voided shipment observes the goods: they live on.",
    "Write action OBSERVE; DELETE would end the serial numbers.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (e.Action == EventAction.Delete && EventTerms.BizStep(e) == "void_shipping")
        {
            findings.Add(e, "action", "void_shipping has the action DELETE.", "DELETE", "OBSERVE");
        }
    }
}
