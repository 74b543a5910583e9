using Epcis.Events;

namespace Epcis.Rules;

internal sealed class ShippedObjectsWereCommissioned() : DocumentRule(
    "DSCSA-HIST-01", "GS1 US DSCSA guideline, history of what is shipped",
    "What is shipped was commissioned earlier in the same document.",
    "Send the events of commissioning and packing in the same document, before the shipment.")
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
                if (units[named.Value] is not { IsCommissioned: true } && EpcForms.Of(named.Value) == EpcForm.Instance)
                {
                    findings.Add(e, named.Path, $"{named.Value} is shipped, but the document has not commissioned it.", named.Value, "a commissioning event before the shipment");
                }
            }
        }
    }
}
