using Epcis.Events;

namespace Epcis.Rules;

internal sealed class GtinHoldsNdc() : DocumentRule(
    "DSCSA-NDC-04", "GS1 US DSCSA guideline, GTIN of a drug",
    "The GTIN of a drug is made of its NDC: indicator, 03, the ten digits, check digit.",
    "Correct the NDC or the GTIN of the product in the header.")
{
    public override DocumentCheck Begin() => new Document();

    private sealed class Document : DocumentCheck
    {
        public override void End(DocumentHeader header, RuleFindings findings)
        {
            Span<char> gtin = stackalloc char[Gtins.Length];
            foreach (var element in header.MasterData.Where(Dscsa.IsProduct))
            {
                if (Dscsa.Attribute(element, "additionalTradeItemIdentification") is { } ndc && Ndc.IsHyphenated(ndc) && Gtins.TryWrite(element.Id, gtin)
                    && "03" + ndc.Replace("-", "", StringComparison.Ordinal) is var want && !gtin[1..13].SequenceEqual(want))
                {
                    findings.Add(element.Place, $"The GTIN {gtin} does not hold the NDC {ndc}.", gtin.ToString(), $"digits {want} behind the indicator");
                }
            }
        }
    }
}
