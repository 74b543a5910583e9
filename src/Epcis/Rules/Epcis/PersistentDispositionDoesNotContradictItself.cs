using Epcis.Cbv;
using Epcis.Events;

namespace Epcis.Rules;

internal sealed class PersistentDispositionDoesNotContradictItself() : EventRule(
    "EPCIS-PDISP-03", "EPCIS 2.0, persistentDisposition",
    "One event does not set and unset the same disposition.",
    "Keep it in the one of set and unset that is meant.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        for (var i = 0; i < e.PersistentDisposition?.Set.Count; i++)
        {
            var set = CbvTerms.ToBare(CbvVocabulary.Disposition, e.PersistentDisposition.Set[i]);
            if (e.PersistentDisposition.Unset.Any(u => CbvTerms.ToBare(CbvVocabulary.Disposition, u) == set))
            {
                findings.Add(e, FormattableString.Invariant($"persistentDisposition/set/{i}"), $"{set} is both set and unset.", set);
            }
        }
    }
}
