using Epcis.Events;

namespace Epcis.Rules;

/// <summary>The 2.0 schema takes INF and NaN, and numbers beyond any stock.</summary>
internal sealed class QuantityIsFinite() : EventRule(
    "EPCIS-QTY-05", "EPCIS, QuantityElement",
    "A quantity is a finite number.",
    "Write how much there is as a decimal number, or leave quantity out when it is not known.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        foreach (var (field, item, element) in EventIdentifiers.Quantities(e))
        {
            if (element is { Quantity: null, QuantityText: { Length: > 0 } text })
            {
                findings.Add(e, FormattableString.Invariant($"{field}/{item}/quantity"), $"The quantity {text} cannot be counted with.", text, "a decimal number");
            }
        }
    }
}
