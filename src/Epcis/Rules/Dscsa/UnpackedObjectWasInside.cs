using Epcis.Events;

namespace Epcis.Rules;

/// <summary>A container of which the document has packed nothing may have come full.</summary>
internal sealed class UnpackedObjectWasInside() : DocumentRule(
    "DSCSA-HIST-05", "GS1 US DSCSA guideline, unpacking",
    "What is unpacked was in that container.",
    "Correct the parentID, or send the packing event.")
{
    public override DocumentCheck Begin() => new Document();

    private sealed class Document : DocumentCheck
    {
        public override void See(EpcisEvent e, UnitHistory units, RuleFindings findings)
        {
            if (e is not AggregationEvent { Action: EventAction.Delete, ParentId: { } parent } || units[parent] is not { Children: > 0 })
            {
                return;
            }
            var key = UnitHistory.KeyOf(parent);
            foreach (var named in EventIdentifiers.Members(e))
            {
                if (units[named.Value] is not { Parent: { } container } || container != key)
                {
                    findings.Add(e, named.Path, $"{named.Value} is unpacked from {parent}, but it was not in it.", named.Value, "an object that is in it");
                }
            }
        }
    }
}
