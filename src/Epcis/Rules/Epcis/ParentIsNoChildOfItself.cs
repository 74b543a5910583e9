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
        foreach (var child in EventIdentifiers.Members(e))
        {
            // Only a child of the other notation, or one with escapes, could be the parent in another spelling.
            if (child.Value == parent || ((isLink || child.Value.Contains('%')) && EpcKey.Normalise(child.Value) == normal))
            {
                findings.Add(e, child.Path, $"{child.Value} is its own parent.", child.Value, "the contents of the parent");
            }
        }
    }
}
