using Epcis.Events;

namespace Epcis.Rules;

internal sealed class ShippedContainersAreNotEmpty() : DocumentRule(
    "DSCSA-HIST-06", "GS1 US DSCSA guideline, shipping",
    "A logistic unit that is shipped has contents.",
    "Send the packing events of the container in the same document.")
{
    public override DocumentCheck Begin() => new Document();

    private sealed class Document : DocumentCheck
    {
        public override void See(EpcisEvent e, UnitHistory units, RuleFindings findings)
        {
            if (!Dscsa.IsShipping(e) || !units.IsComplete)
            {
                return;
            }
            foreach (var named in EventIdentifiers.Members(e))
            {
                if (EpcForms.IsSscc(named.Value) && units[named.Value] is not { Children: > 0 })
                {
                    findings.Add(e, named.Path, $"{named.Value} is shipped, but nothing was packed into it.", named.Value, "a packing event before the shipment");
                }
            }
        }
    }
}
