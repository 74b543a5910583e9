using Epcis.Events;

namespace Epcis.Rules;

internal sealed class QuantityIsPositive() : EventRule(
    "EPCIS-QTY-01", Severity.Error, "EPCIS, QuantityElement", "A quantity is greater than zero.")
{
    public override void Check(EpcisEvent e, Findings findings)
    {
        // The observation of a 1.x QuantityEvent may be that nothing is left.
        var mayBeZero = e is ObjectEvent { WasQuantityEvent: true };
        foreach (var (_, element) in e.Quantities)
        {
            if (element.Quantity < 0 || (element.Quantity == 0 && !mayBeZero))
            {
                Report(e, findings, $"The quantity of {element.EpcClass} is {element.QuantityText}.", element.QuantityText, "more than 0");
            }
        }
    }
}
