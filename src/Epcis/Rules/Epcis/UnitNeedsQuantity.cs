using Epcis.Events;

namespace Epcis.Rules;

internal sealed class UnitNeedsQuantity() : EventRule(
    "EPCIS-QTY-03", Severity.Error, "EPCIS, QuantityElement", "A unit of measure stands only with a quantity.")
{
    public override void Check(EpcisEvent e, Findings findings)
    {
        foreach (var (_, element) in e.Quantities)
        {
            // A number beyond decimal is a quantity still.
            if (element is { Uom: not null, Quantity: null, QuantityText: null or "" })
            {
                Report(e, findings, $"{element.EpcClass} has the unit {element.Uom} but no quantity.", element.Uom, "quantity");
            }
        }
    }
}
