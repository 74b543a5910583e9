using Epcis.Cbv;
using Epcis.Events;

namespace Epcis.Rules;

/// <summary>Other URIs are values of private vocabularies, which CBV-Compatible documents may use.</summary>
internal sealed class TermsAreListed() : EventRule(
    "CBV-TERM-01", "CBV, standard vocabularies",
    "A value spelled as a CBV term is one.",
    "Use a term of the CBV, or a URI of your own.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        foreach (var (path, field, vocabulary, value) in EventTerms.Of(e))
        {
            if (CbvTerms.StandingOf(vocabulary, value) == CbvStanding.Unknown)
            {
                findings.Add(e, path, $"{field} '{value}' is no CBV term and no URI of another vocabulary.", value, suggestion: CbvTerms.Nearest(vocabulary, value));
            }
        }
    }
}
