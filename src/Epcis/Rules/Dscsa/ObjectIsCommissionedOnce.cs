using Epcis.Events;

namespace Epcis.Rules;

internal sealed class ObjectIsCommissionedOnce() : DocumentRule(
    "DSCSA-HIST-08", "GS1 US DSCSA guideline, commissioning",
    "A serial number is commissioned once.",
    "Remove the second commissioning, or give the objects serial numbers of their own.")
{
    public override DocumentCheck Begin() => new Document();

    private sealed class Document : DocumentCheck
    {
        public override void See(EpcisEvent e, UnitHistory units, RuleFindings findings)
        {
            if (!Dscsa.IsCommissioning(e) || e.ErrorDeclaration is not null)
            {
                return;
            }
            foreach (var named in EventIdentifiers.Members(e))
            {
                if (units[named.Value] is { IsCommissioned: true, IsEnded: false })
                {
                    findings.Add(e, named.Path, $"{named.Value} is commissioned a second time.", named.Value, "a new serial number");
                }
            }
        }
    }
}
