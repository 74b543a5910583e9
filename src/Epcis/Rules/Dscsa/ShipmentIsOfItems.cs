using Epcis.Events;

namespace Epcis.Rules;

internal sealed class ShipmentIsOfItems() : EventRule(
    "DSCSA-LOT-01", "GS1 US DSCSA guideline R1.3, scope",
    "Goods are named one by one, not by lot and quantity.",
    "Name the serialised units, cases or pallets in epcList.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (EventIdentifiers.Quantities(e).FirstOrDefault() is { Quantity: { } quantity } first)
        {
            findings.Add(e, FormattableString.Invariant($"{first.Field}/{first.Item}"), $"{quantity.EpcClass} is named by quantity; release 1.3 is about single items.", quantity.EpcClass, "identifiers with serial numbers");
        }
    }
}
