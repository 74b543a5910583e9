using Epcis.Events;

namespace Epcis.Rules;

internal sealed class AssociationNeedsParent() : EventRule(
    "EPCIS-ASSOC-01", Severity.Error, "EPCIS 2.0, AssociationEvent", "An association always names its parent.")
{
    public override void Check(EpcisEvent e, Findings findings)
    {
        if (e is AssociationEvent { ParentId: null or "" })
        {
            Report(e, findings, "parentID is required in an association.", want: "parentID");
        }
    }
}
