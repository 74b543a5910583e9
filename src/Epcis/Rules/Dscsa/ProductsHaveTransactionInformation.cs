using Epcis.Events;

namespace Epcis.Rules;

internal sealed class ProductsHaveTransactionInformation() : DocumentRule(
    "DSCSA-MD-04", "FD&C Act 581(26), transaction information; GS1 US DSCSA guideline",
    "A product is described by its NDC, name, manufacturer, dosage form, strength and content.",
    "Add the missing attributes to the product: TI consists of them.")
{
    public override DocumentCheck Begin() => new Document();

    private sealed class Document : DocumentCheck
    {
        private static readonly string[] Needed =
        [
            "additionalTradeItemIdentification", "additionalTradeItemIdentificationTypeCode", "regulatedProductName",
            "manufacturerOfTradeItemPartyName", "dosageFormType", "strengthDescription", "netContentDescription",
        ];

        public override void End(DocumentHeader header, RuleFindings findings)
        {
            foreach (var element in header.MasterData.Where(Dscsa.IsProduct))
            {
                var missing = Needed.Where(n => string.IsNullOrWhiteSpace(Dscsa.Attribute(element, n))).ToList();
                if (missing.Count > 0)
                {
                    findings.Add(element.Place, $"The product {element.Id} lacks {string.Join(", ", missing)}.", element.Id, string.Join(", ", missing));
                }
            }
        }
    }
}
