using Epcis.Events;
using Epcis.Identifiers;

namespace Epcis.Rules;

/// <summary>The authority and the form of the value vary in the field: every one that holds a GLN is taken.</summary>
internal sealed class PartiesAreNamedByGln() : DocumentRule(
    "DSCSA-SBDH-02", "GS1 US DSCSA guideline, Standard Business Document Header",
    "Sender and receiver are named by a GLN or SGLN.",
    "Name the party by its GLN of 13 digits or by urn:epc:id:sgln:….")
{
    public override DocumentCheck Begin() => new Document();

    private sealed class Document : DocumentCheck
    {
        public override void End(DocumentHeader header, RuleFindings findings)
        {
            Check(header, "Sender", header.Sbdh?.Senders ?? [], findings);
            Check(header, "Receiver", header.Sbdh?.Receivers ?? [], findings);
        }

        private static void Check(DocumentHeader header, string what, IReadOnlyList<SbdhParty> parties, RuleFindings findings)
        {
            for (var i = 0; i < parties.Count; i++)
            {
                if (Gln.FromAny(parties[i].Identifier) is { Ok: false } refused)
                {
                    findings.Add(header, FormattableString.Invariant($"{what}/{i}"), $"The {what} is not named by a GLN: {refused.Error}", parties[i].Identifier, "a GLN or SGLN");
                }
            }
        }
    }
}
