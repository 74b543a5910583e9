using Epcis.Events;

namespace Epcis.Rules;

internal sealed class AggregationNeedsParent() : EventRule(
    "EPCIS-AGG-01", "EPCIS, AggregationEvent",
    "An aggregation names its parent unless it only observes.",
    "Name the container or pallet in parentID.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (e is AggregationEvent { ParentId: null or "", Action: not EventAction.Observe } a)
        {
            findings.Add(a, "", $"parentID is required when action is {a.Action.ToString()?.ToUpperInvariant()}.", want: "parentID");
        }
    }
}
