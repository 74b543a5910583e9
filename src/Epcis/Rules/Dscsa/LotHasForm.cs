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
        if (Dscsa.IlmdOf(e, "lotNumber") is { Length: > 0 } lot && Gs1CharacterSet82.Refuse("lot number", lot, 20) is { } refusal)
        {
            findings.Add(e, "ilmd", refusal.Error, lot, refusal.Want ?? "1 to 20 characters of a barcode");
        }
    }
}
