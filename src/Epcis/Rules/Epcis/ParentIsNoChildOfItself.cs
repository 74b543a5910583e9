using Epcis.Events;
using Epcis.Identifiers;

namespace Epcis.Rules;

internal sealed class ParentIsNoChildOfItself() : EventRule(
    "EPCIS-PAR-01", "EPCIS, parentID",
    "A parent is not among its own children.",
    "Name the container in parentID and only its contents as children.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (e is not (AggregationEvent or AssociationEvent) || EventIdentifiers.ParentOf(e) is not { } parent)
        {
            return;
        }
        var isLink = parent.Contains("://", StringComparison.Ordinal);
        var normal = EpcKey.Normalise(parent);
        foreach (var (field, children) in EventIdentifiers.Lists(e))
        {
            for (var i = 0; i < children.Count; i++)
            {
                var child = children[i];
                // Only a child of the other notation, or one with escapes, could be the parent in another spelling.
                if (child == parent || ((isLink || child.Contains('%')) && EpcKey.Normalise(child) == normal))
                {
                    findings.Add(e, new Named(field, i, child).Path, $"{child} is its own parent.", child, "the contents of the parent");
                }
            }
        }
    }
}
