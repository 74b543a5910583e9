using Epcis.Cbv;
using Epcis.Events;

namespace Epcis.Rules;

internal sealed class TermsAreOfTheCbv() : EventRule(
    "CBV-TERM-03", "CBV, CBV-Compliant documents",
    "A CBV-Compliant document uses values of the CBV only.",
    "Use the term of the CBV that comes nearest; a document with values of your own is CBV-Compatible.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        foreach (var (path, field, vocabulary, value) in EventTerms.Of(e))
        {
            if (CbvTerms.StandingOf(vocabulary, value) == CbvStanding.Private)
            {
                findings.Add(e, path, $"{field} '{value}' is a value of somebody's own.", value, "a term of the CBV");
            }
        }
    }
}
