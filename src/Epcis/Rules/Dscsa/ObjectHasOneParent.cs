using Epcis.Events;

namespace Epcis.Rules;

internal sealed class ObjectHasOneParent() : DocumentRule(
    "DSCSA-HIST-04", "GS1 US DSCSA guideline, packing",
    "An object is packed in one container at a time.",
    "Unpack it from the first container before it is packed into the second.")
{
    public override DocumentCheck Begin() => new Document();

    private sealed class Document : DocumentCheck
    {
        public override void See(EpcisEvent e, UnitHistory units, RuleFindings findings)
        {
            if (e is not AggregationEvent { Action: EventAction.Add, ParentId: { } parent })
            {
                return;
            }
            var key = UnitHistory.KeyOf(parent);
            foreach (var named in EventIdentifiers.Members(e))
            {
                if (units[named.Value] is { Parent: { } other } && other != key)
                {
                    findings.Add(e, named.Path, $"{named.Value} is packed into {parent}, but it is still in another container.", named.Value, "an unpacking event before");
                }
            }
        }
    }
}
