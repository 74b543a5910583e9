using Epcis.Events;

namespace Epcis.Rules;

internal sealed class OlderGuidelineIsNotNamed() : DocumentRule(
    "DSCSA-DOC-02", "GS1 US DSCSA guideline R1.2",
    "A document of release 1.2 has no guidelineVersion.",
    "Check the document against the release that it names, or remove guidelineVersion.")
{
    public override DocumentCheck Begin() => new Document();

    private sealed class Document : DocumentCheck
    {
        public override void End(DocumentHeader header, RuleFindings findings)
        {
            if (Dscsa.Find(header.Extensions, "guidelineVersion") is { } version)
            {
                findings.Add(header, "guidelineVersion", $"guidelineVersion says '{Dscsa.TextOf(version)}', but the document is to be of release 1.2.", Dscsa.TextOf(version), "no guidelineVersion");
            }
        }
    }
}
