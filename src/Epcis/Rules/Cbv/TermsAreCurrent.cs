using Epcis.Events;
using Epcis.Cbv;

namespace Epcis.Rules;

/// <summary>A warning: documents of 1.2 were right to use them.</summary>
internal sealed class TermsAreCurrent() : EventRule(
    "CBV-TERM-02", Severity.Warning, "CBV 2.0, standard vocabularies", "Terms that the CBV has withdrawn are no longer used.")
{
    public override void Check(EpcisEvent e, Findings findings)
    {
        foreach (var (field, vocabulary, value) in EventTerms.Of(e))
        {
            if (CbvTerms.StandingOf(vocabulary, value) == CbvStanding.Withdrawn)
            {
                Report(e, findings, $"{field} '{value}' has been withdrawn from the CBV.", value);
            }
        }
    }
}
