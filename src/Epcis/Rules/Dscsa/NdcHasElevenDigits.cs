using Epcis.Events;

namespace Epcis.Rules;

internal sealed class NdcHasElevenDigits() : DocumentRule(
    "DSCSA-NDC-02", "GS1 US DSCSA guideline R1.2, NDC",
    "The NDC has the type code FDA_NDC_11 and eleven digits.",
    "Write the type code FDA_NDC_11 and the NDC with eleven digits without hyphens, such as 00001012345.")
{
    public override DocumentCheck Begin() => new Document();

    private sealed class Document : DocumentCheck
    {
        public override void End(DocumentHeader header, RuleFindings findings)
        {
            foreach (var element in header.MasterData.Where(Dscsa.IsProduct))
            {
                var (type, ndc) = (Dscsa.Attribute(element, "additionalTradeItemIdentificationTypeCode"), Dscsa.Attribute(element, "additionalTradeItemIdentification"));
                if (type is not null && type != "FDA_NDC_11")
                {
                    findings.Add(element.Place, $"The product {element.Id} has the type code {type}.", type, "FDA_NDC_11");
                }
                else if (type is not null && ndc is not null && !Ndc.IsEleven(ndc))
                {
                    findings.Add(element.Place, $"The NDC {ndc} of {element.Id} has not the form of FDA_NDC_11.", ndc, "eleven digits without hyphens, such as 00001012345");
                }
            }
        }
    }
}
