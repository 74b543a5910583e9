using Epcis.Events;

namespace Epcis.Rules;

internal sealed class PurchaseFormsAreNotMixed() : DocumentRule(
    "DSCSA-EXT-03", "GS1 US DSCSA guideline, directPurchase",
    "A document states direct purchases in one form.",
    "Use the form of one release: true or false in R1.2, a qualifier in R1.3.")
{
    public override DocumentCheck Begin() => new Document();

    private sealed class Document : DocumentCheck
    {
        private bool? _isQualified;

        public override void See(EpcisEvent e, UnitHistory units, RuleFindings findings)
        {
            if (Dscsa.Find(e.Extensions, "directPurchase") is { } direct)
            {
                var isQualified = direct.Attributes.Any(a => a.Name == "qualifier");
                if (_isQualified is { } before && before != isQualified)
                {
                    findings.Add(e, "", "The document states direct purchases in the forms of both releases.", isQualified ? "with qualifier" : "true or false", before ? "with qualifier" : "true or false");
                }
                _isQualified ??= isQualified;
            }
        }
    }
}
