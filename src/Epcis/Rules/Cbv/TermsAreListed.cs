using Epcis.Events;
using Epcis.Cbv;

namespace Epcis.Rules;

/// <summary>Other URIs are values of private vocabularies, which CBV-Compatible documents may use.</summary>
internal sealed class TermsAreListed() : EventRule(
    "CBV-TERM-01", Severity.Error, "CBV, standard vocabularies", "A value spelled as a CBV term is one.")
{
    public override void Check(EpcisEvent e, Findings findings)
    {
        foreach (var (field, vocabulary, value) in EventTerms.Of(e))
        {
            if (CbvTerms.StandingOf(vocabulary, value) == CbvStanding.Unknown)
            {
                Report(e, findings, $"{field} '{value}' is no CBV term and no URI of another vocabulary.", value, suggestion: CbvTerms.Nearest(vocabulary, value));
            }
        }
    }
}
