using Epcis.Events;

namespace Epcis.Rules;

internal sealed class AggregationNeedsParent() : EventRule(
    "EPCIS-AGG-01", Severity.Error, "EPCIS, AggregationEvent", "An aggregation names its parent unless it only observes.")
{
    public override void Check(EpcisEvent e, Findings findings)
    {
        if (e is AggregationEvent { ParentId: null or "", Action: not EventAction.Observe } a)
        {
            Report(a, findings, $"parentID is required when action is {a.Action.ToString()?.ToUpperInvariant()}.", want: "parentID");
        }
    }
}
