using Epcis.Events;

namespace Epcis.Rules;

internal sealed class DocumentHasIdentifier() : DocumentRule(
    "DSCSA-SBDH-03", "GS1 US DSCSA guideline, Standard Business Document Header",
    "The header has an InstanceIdentifier, by which a second transmission is known.",
    "Add an InstanceIdentifier that is new for each document, such as a UUID.")
{
    public override DocumentCheck Begin() => new Document();

    private sealed class Document : DocumentCheck
    {
        public override void End(DocumentHeader header, RuleFindings findings)
        {
            if (string.IsNullOrWhiteSpace(header.Sbdh?.InstanceIdentifier))
            {
                findings.Add(header, "DocumentIdentification", "The document has no InstanceIdentifier.", want: "InstanceIdentifier");
            }
        }
    }
}
