using Epcis.Cbv;
using Epcis.Events;

namespace Epcis.Rules;

/// <summary>A warning: documents of 1.2 were right to use them.</summary>
internal sealed class TermsAreCurrent() : EventRule(
    "CBV-TERM-02", "CBV 2.0, standard vocabularies",
    "Terms that the CBV has withdrawn are no longer used.",
    "Use a term of CBV 2.0.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        foreach (var (path, field, vocabulary, value) in EventTerms.Of(e))
        {
            if (CbvTerms.StandingOf(vocabulary, value) == CbvStanding.Withdrawn)
            {
                findings.Add(e, path, $"{field} '{value}' has been withdrawn from the CBV.", value);
            }
        }
    }
}
