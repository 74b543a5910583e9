using Epcis.Events;

namespace Epcis.Rules;

internal sealed class QuantityWithoutUnitIsWhole() : EventRule(
    "EPCIS-QTY-02", Severity.Error, "EPCIS, QuantityElement", "A quantity without a unit of measure is a whole number.")
{
    public override void Check(EpcisEvent e, Findings findings)
    {
        foreach (var (_, element) in e.Quantities)
        {
            if (element is { Uom: null, Quantity: { } quantity } && quantity != decimal.Truncate(quantity))
            {
                Report(e, findings, $"{element.QuantityText} of {element.EpcClass} needs a unit of measure.", element.QuantityText, "a whole number, or uom");
            }
        }
    }
}
