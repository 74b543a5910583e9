using Epcis.Events;
using Epcis.Identifiers;

namespace Epcis.Rules;

internal sealed class LotHasForm() : EventRule(
    "DSCSA-COM-04", "GS1 General Specifications, AI (10)",
    "A lot number has at most 20 characters that a barcode can hold.",
    "Write the lot number as it stands in the barcode.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (Dscsa.IlmdOf(e, "lotNumber") is { Length: > 0 } lot && (lot.Length > 20 || Gs1Characters.Set82.IndexOfForeign(lot) >= 0))
        {
            findings.Add(e, "ilmd", $"The lot number '{lot}' cannot stand in a barcode.", lot, $"1 to 20 of {Gs1Characters.Set82.Name}");
        }
    }
}
