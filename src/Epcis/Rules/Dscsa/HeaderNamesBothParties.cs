using Epcis.Events;

namespace Epcis.Rules;

internal sealed class HeaderNamesBothParties() : DocumentRule(
    "DSCSA-SBDH-01", "GS1 US DSCSA guideline, Standard Business Document Header",
    "The header names one sender and one receiver.",
    "Add the StandardBusinessDocumentHeader with one Sender and one Receiver, each with its Identifier.")
{
    public override DocumentCheck Begin() => new Document();

    private sealed class Document : DocumentCheck
    {
        public override void End(DocumentHeader header, RuleFindings findings)
        {
            if (header.Sbdh is not { } sbdh)
            {
                findings.Add(header, "EPCISHeader", "The document has no business document header, so it names neither sender nor receiver.", want: "StandardBusinessDocumentHeader");
                return;
            }
            One(header, "Sender", sbdh.Senders.Count, findings);
            One(header, "Receiver", sbdh.Receivers.Count, findings);
        }

        private static void One(DocumentHeader header, string what, int count, RuleFindings findings)
        {
            if (count != 1)
            {
                findings.Add(header, what, FormattableString.Invariant($"The header has {count} identifiers of a {what}."), FormattableString.Invariant($"{count}"), $"one {what}");
            }
        }
    }
}
