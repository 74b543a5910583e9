using Epcis.Events;

namespace Epcis.Rules;

internal sealed class ClassesAreDefinite() : EventRule(
    "EPCIS-EPC-06", "EPCIS, QuantityElement; Tag Data Standard, patterns",
    "A class leaves only the serial number open.",
    "Name the product: only the last part of the pattern may be *.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        foreach (var (field, item, quantity) in EventIdentifiers.Quantities(e))
        {
            if (EpcForms.Of(quantity.EpcClass) == EpcForm.WidePattern)
            {
                findings.Add(e, FormattableString.Invariant($"{field}/{item}/epcClass"), $"{quantity.EpcClass} leaves the class itself open.", quantity.EpcClass, "a pattern in which only the last part is *");
            }
        }
    }
}
