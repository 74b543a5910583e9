using Epcis.Events;

namespace Epcis.Rules;

/// <summary>Only the form is known here, and only the JSON Schema enforces it; XML documents with other units are common.</summary>
internal sealed class UnitHasForm() : EventRule(
    "EPCIS-QTY-04", Severity.Warning, "EPCIS, QuantityElement", "A unit of measure is a UN/CEFACT Recommendation 20 code.")
{
    public override void Check(EpcisEvent e, Findings findings)
    {
        foreach (var (_, element) in e.Quantities)
        {
            if (element.Uom is { } uom && !(uom.Length is 2 or 3 && uom.All(c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c))))
            {
                Report(e, findings, $"'{uom}' is not the form of a unit code.", uom, "two or three capital letters or digits, such as KGM");
            }
        }
    }
}
