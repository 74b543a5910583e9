using Epcis.Events;

namespace Epcis.Rules;

internal sealed class NdcIsHyphenated() : DocumentRule(
    "DSCSA-NDC-01", "GS1 US DSCSA guideline R1.3, NDC",
    "The NDC has the type code US_FDA_NDC and ten digits with hyphens.",
    "Write the type code US_FDA_NDC and the NDC with ten digits in three groups, such as 0001-0123-45.")
{
    public override DocumentCheck Begin() => new Document();

    private sealed class Document : DocumentCheck
    {
        public override void End(DocumentHeader header, RuleFindings findings)
        {
            foreach (var element in header.MasterData.Where(Dscsa.IsProduct))
            {
                var (type, ndc) = (Dscsa.Attribute(element, "additionalTradeItemIdentificationTypeCode"), Dscsa.Attribute(element, "additionalTradeItemIdentification"));
                if (type is not null && type != "US_FDA_NDC")
                {
                    findings.Add(element.Place, $"The product {element.Id} has the type code {type}.", type, "US_FDA_NDC");
                }
                else if (type is not null && ndc is not null && !Ndc.IsHyphenated(ndc))
                {
                    findings.Add(element.Place, $"The NDC {ndc} of {element.Id} has not the form of US_FDA_NDC.", ndc, "ten digits in three groups, such as 0001-0123-45");
                }
            }
        }
    }
}
