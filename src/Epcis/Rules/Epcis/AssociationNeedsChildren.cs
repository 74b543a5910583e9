using Epcis.Events;

namespace Epcis.Rules;

internal sealed class AssociationNeedsChildren() : EventRule(
    "EPCIS-ASSOC-02", Severity.Error, "EPCIS 2.0, AssociationEvent", "An association names children unless it deletes.")
{
    public override void Check(EpcisEvent e, Findings findings)
    {
        if (e is AssociationEvent { ChildEpcs.Count: 0, ChildQuantityList.Count: 0, Action: not EventAction.Delete })
        {
            Report(e, findings, "The association has neither childEPCs nor childQuantityList.", want: "childEPCs or childQuantityList");
        }
    }
}
