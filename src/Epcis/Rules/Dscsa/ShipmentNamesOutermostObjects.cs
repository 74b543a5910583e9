using Epcis.Events;

namespace Epcis.Rules;

internal sealed class ShipmentNamesOutermostObjects() : DocumentRule(
    "DSCSA-HIST-03", "GS1 US DSCSA guideline, shipping",
    "A shipment names the outermost containers only.",
    "Name the pallet or case; its contents are known from the packing.")
{
    public override DocumentCheck Begin() => new Document();

    private sealed class Document : DocumentCheck
    {
        public override void See(EpcisEvent e, UnitHistory units, RuleFindings findings)
        {
            if (!Dscsa.IsShipping(e))
            {
                return;
            }
            foreach (var named in EventIdentifiers.Members(e))
            {
                if (units[named.Value] is { Parent: not null })
                {
                    findings.Add(e, named.Path, $"{named.Value} is shipped by itself, but it is packed in another object.", named.Value, "the outermost container");
                }
            }
        }
    }
}
