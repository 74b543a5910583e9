using Epcis.Events;

namespace Epcis.Rules;

internal sealed class AssociationNeedsParent() : EventRule(
    "EPCIS-ASSOC-01", "EPCIS 2.0, AssociationEvent",
    "An association always names its parent.",
    "Name in parentID what the children are joined to.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (e is AssociationEvent { ParentId: null or "" })
        {
            findings.Add(e, "", "parentID is required in an association.", want: "parentID");
        }
    }
}
