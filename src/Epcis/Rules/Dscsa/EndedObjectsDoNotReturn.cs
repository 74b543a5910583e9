using Epcis.Events;

namespace Epcis.Rules;

internal sealed class EndedObjectsDoNotReturn() : DocumentRule(
    "DSCSA-HIST-07", "EPCIS, action DELETE; GS1 US DSCSA guideline",
    "A serial number that was decommissioned or destroyed is never used again.",
    "Give the object a new serial number, or correct the event that ended it with an error declaration.")
{
    public override DocumentCheck Begin() => new Document();

    private sealed class Document : DocumentCheck
    {
        public override void See(EpcisEvent e, UnitHistory units, RuleFindings findings)
        {
            foreach (var named in EventIdentifiers.Objects(e))
            {
                if (e.ErrorDeclaration is null && units[named.Value] is { IsEnded: true })
                {
                    findings.Add(e, named.Path, $"{named.Value} has been ended by an earlier event.", named.Value, "an object that exists");
                }
            }
        }
    }
}
