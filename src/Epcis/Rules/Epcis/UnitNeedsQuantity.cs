using Epcis.Events;

namespace Epcis.Rules;

internal sealed class UnitNeedsQuantity() : EventRule(
    "EPCIS-QTY-03", "EPCIS, QuantityElement",
    "A unit of measure stands only with a quantity.",
    "Add the quantity, or leave the unit out.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        foreach (var (field, item, element) in EventIdentifiers.Quantities(e))
        {
            // A number beyond decimal is a quantity still.
            if (element is { Uom: not null, Quantity: null, QuantityText: null or "" })
            {
                findings.Add(e, FormattableString.Invariant($"{field}/{item}/uom"), $"{element.EpcClass} has the unit {element.Uom} but no quantity.", element.Uom, "quantity");
            }
        }
    }
}
