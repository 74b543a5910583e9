using Epcis.Events;

namespace Epcis.Rules;

internal sealed class NdcFormsAreNotMixed() : DocumentRule(
    "DSCSA-NDC-03", "GS1 US DSCSA guideline, NDC",
    "A document uses one type code for NDCs.",
    "Use US_FDA_NDC for release 1.3, FDA_NDC_11 for release 1.2, and not both.")
{
    public override DocumentCheck Begin() => new Document();

    private sealed class Document : DocumentCheck
    {
        public override void End(DocumentHeader header, RuleFindings findings)
        {
            var coded = header.MasterData.Where(Dscsa.IsProduct)
                .Select(p => (p.Place, Type: Dscsa.Attribute(p, "additionalTradeItemIdentificationTypeCode")))
                .Where(p => p.Type is "US_FDA_NDC" or "FDA_NDC_11").ToList();
            if (coded.Find(p => p.Type != coded[0].Type) is { Type: { } other } second)
            {
                findings.Add(second.Place, $"The document has NDCs as {coded[0].Type} and as {other}.", other, coded[0].Type);
            }
        }
    }
}
