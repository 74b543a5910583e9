using Epcis.Events;

namespace Epcis.Rules;

internal sealed class AssociationNeedsChildren() : EventRule(
    "EPCIS-ASSOC-02", "EPCIS 2.0, AssociationEvent",
    "An association names children unless it deletes.",
    "Name the parts in childEPCs or childQuantityList.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (e is AssociationEvent { ChildEpcs.Count: 0, ChildQuantityList.Count: 0, Action: not EventAction.Delete })
        {
            findings.Add(e, "", "The association has neither childEPCs nor childQuantityList.", want: "childEPCs or childQuantityList");
        }
    }
}
