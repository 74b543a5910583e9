using Epcis.Events;

namespace Epcis.Rules;

internal sealed class QuantityWithoutUnitIsWhole() : EventRule(
    "EPCIS-QTY-02", "EPCIS, QuantityElement",
    "A quantity without a unit of measure is a whole number.",
    "Add the unit of measure in uom, or count whole things.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        foreach (var (field, item, element) in EventIdentifiers.Quantities(e))
        {
            if (element is { Uom: null, Quantity: { } quantity } && quantity != decimal.Truncate(quantity))
            {
                findings.Add(e, FormattableString.Invariant($"{field}/{item}/quantity"), $"{element.QuantityText} of {element.EpcClass} needs a unit of measure.", element.QuantityText, "a whole number, or uom");
            }
        }
    }
}
