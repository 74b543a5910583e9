using Epcis.Events;

namespace Epcis.Rules;

internal sealed class GuidelineIsNamed() : DocumentRule(
    "DSCSA-DOC-01", "GS1 US DSCSA guideline R1.3, guidelineVersion",
    "A document of release 1.3 says so in guidelineVersion.",
    "Add the element guidelineVersion with the text GS1 US DSCSA R1.3 to the header, after its extension.")
{
    public override DocumentCheck Begin() => new Document();

    private sealed class Document : DocumentCheck
    {
        public override void End(DocumentHeader header, RuleFindings findings)
        {
            var version = Dscsa.TextOf(Dscsa.Find(header.Extensions, "guidelineVersion"));
            if (version != Dscsa.Guideline13)
            {
                findings.Add(header, version is null ? "EPCISHeader" : "guidelineVersion", version is null ? "The header has no guidelineVersion." : $"guidelineVersion says '{version}'.", version, Dscsa.Guideline13);
            }
        }
    }
}
