using Epcis.Events;

namespace Epcis.Rules;

internal sealed class EventsSayWhere() : EventRule(
    "DSCSA-EVT-02", "GS1 US DSCSA guideline, events",
    "An event says where it took place and, unless the goods have left, where they are.",
    "Add readPoint and bizLocation; a shipment has its readPoint only.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (e.ReadPoint is null)
        {
            findings.Add(e, "", "The event has no readPoint.", want: "readPoint");
        }
        if (e.BizLocation is null && EventTerms.BizStep(e) is "commissioning" or "packing" or "unpacking" or "receiving" or "decommissioning" or "destroying")
        {
            findings.Add(e, "", $"{EventTerms.BizStep(e)} has no bizLocation.", want: "bizLocation");
        }
    }
}
