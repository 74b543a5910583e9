using Epcis.Events;

namespace Epcis.Rules;

internal sealed class DocumentIsOfEvents() : DocumentRule(
    "DSCSA-SBDH-04", "GS1 US DSCSA guideline, Standard Business Document Header",
    "The type of the document in its header is Events.",
    "Write Events in DocumentIdentification/Type.")
{
    public override DocumentCheck Begin() => new Document();

    private sealed class Document : DocumentCheck
    {
        public override void End(DocumentHeader header, RuleFindings findings)
        {
            if (header.Sbdh?.Type is { } type && type != "Events")
            {
                findings.Add(header, "Type", $"The header says that the document is of type {type}.", type, "Events");
            }
        }
    }
}
