using Epcis.Events;

namespace Epcis.Rules;

internal sealed class AggregationNeedsChildren() : EventRule(
    "EPCIS-AGG-02", "EPCIS, AggregationEvent",
    "An aggregation names children, except a deletion, which without them removes all.",
    "Name what was packed or observed in childEPCs or childQuantityList.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (e is AggregationEvent { ChildEpcs.Count: 0, ChildQuantityList.Count: 0, Action: not EventAction.Delete })
        {
            findings.Add(e, "", "The aggregation has neither childEPCs nor childQuantityList.", want: "childEPCs or childQuantityList");
        }
    }
}
