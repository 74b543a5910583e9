using Epcis.Events;

namespace Epcis.Rules;

internal sealed class QuantityIsPositive() : EventRule(
    "EPCIS-QTY-01", "EPCIS, QuantityElement",
    "A quantity is greater than zero.",
    "Write how much there is, or leave quantity out when it is not known.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        // The observation of a 1.x QuantityEvent may be that nothing is left.
        var mayBeZero = e is ObjectEvent { WasQuantityEvent: true };
        foreach (var (field, item, element) in EventIdentifiers.Quantities(e))
        {
            if (element.Quantity < 0 || (element.Quantity == 0 && !mayBeZero))
            {
                findings.Add(e, FormattableString.Invariant($"{field}/{item}/quantity"), $"The quantity of {element.EpcClass} is {element.QuantityText}.", element.QuantityText, "more than 0");
            }
        }
    }
}
