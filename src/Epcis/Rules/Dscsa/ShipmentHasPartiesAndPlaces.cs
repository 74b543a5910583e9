using Epcis.Events;

namespace Epcis.Rules;

internal sealed class ShipmentHasPartiesAndPlaces() : EventRule(
    "DSCSA-SHIP-02", "GS1 US DSCSA guideline, shipping",
    "A shipment says who owned and who will own the goods, and from where to where they go.",
    "Add owning_party and location to sourceList and to destinationList.")
{
    private static readonly string[] Types = ["owning_party", "location"];

    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (!Dscsa.IsShipping(e))
        {
            return;
        }
        foreach (var type in Types)
        {
            if (Dscsa.End(e.Sources, type) is null)
            {
                findings.Add(e, "sourceList", $"The shipment has no source of type {type}.", want: $"a source of type {type}");
            }
            if (Dscsa.End(e.Destinations, type) is null)
            {
                findings.Add(e, "destinationList", $"The shipment has no destination of type {type}.", want: $"a destination of type {type}");
            }
        }
    }
}
