using Epcis.Events;

namespace Epcis.Rules;

internal sealed class AggregationNeedsChildren() : EventRule(
    "EPCIS-AGG-02", Severity.Error, "EPCIS, AggregationEvent", "An aggregation names children, except a deletion, which without them removes all.")
{
    public override void Check(EpcisEvent e, Findings findings)
    {
        if (e is AggregationEvent { ChildEpcs.Count: 0, ChildQuantityList.Count: 0, Action: not EventAction.Delete })
        {
            Report(e, findings, "The aggregation has neither childEPCs nor childQuantityList.", want: "childEPCs or childQuantityList");
        }
    }
}
