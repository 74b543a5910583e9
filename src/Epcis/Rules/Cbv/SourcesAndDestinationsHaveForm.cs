using Epcis.Cbv;
using Epcis.Events;

namespace Epcis.Rules;

internal sealed class SourcesAndDestinationsHaveForm() : EventRule(
    "CBV-SD-01", "CBV, source and destination identifiers",
    "A party is named by a PGLN or SGLN, a location by an SGLN, or by a URI of one’s own.",
    "Name the party by urn:epc:id:pgln:… or urn:epc:id:sgln:…, the location by urn:epc:id:sgln:….")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        Check(e, "sourceList", e.Sources, findings);
        Check(e, "destinationList", e.Destinations, findings);
    }

    private static void Check(EpcisEvent e, string list, IReadOnlyList<SourceOrDestination> ends, RuleFindings findings)
    {
        for (var i = 0; i < ends.Count; i++)
        {
            var type = CbvTerms.BareOrNull(CbvVocabulary.SourceDestType, ends[i].Type);
            var form = EpcForms.Of(ends[i].Value);
            var isWrong = type switch
            {
                "location" => form is not (EpcForm.Place or EpcForm.Private),
                "owning_party" or "possessing_party" => form is not (EpcForm.Place or EpcForm.Party or EpcForm.Private),
                _ => false,
            };
            if (isWrong)
            {
                findings.Add(e, FormattableString.Invariant($"{list}/{i}"), $"{ends[i].Value} cannot be a {type}.", ends[i].Value, type == "location" ? "an SGLN" : "a PGLN or SGLN");
            }
        }
    }
}
