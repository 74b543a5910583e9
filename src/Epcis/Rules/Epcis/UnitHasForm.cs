using Epcis.Events;

namespace Epcis.Rules;

/// <summary>Only the form is known here, and only the JSON Schema enforces it; XML documents with other units are common.</summary>
internal sealed class UnitHasForm() : EventRule(
    "EPCIS-QTY-04", "EPCIS, QuantityElement",
    "A unit of measure is a UN/CEFACT Recommendation 20 code.",
    "Use the code of the unit, such as KGM for kilogram or LTR for litre.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        foreach (var (field, item, element) in EventIdentifiers.Quantities(e))
        {
            if (element.Uom is { } uom && !(uom.Length is 2 or 3 && uom.All(c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c))))
            {
                findings.Add(e, FormattableString.Invariant($"{field}/{item}/uom"), $"'{uom}' is not the form of a unit code.", uom, "two or three capital letters or digits, such as KGM");
            }
        }
    }
}
