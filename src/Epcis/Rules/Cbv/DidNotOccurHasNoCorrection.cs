using Epcis.Events;
using Epcis.Cbv;

namespace Epcis.Rules;

internal sealed class DidNotOccurHasNoCorrection() : EventRule(
    "CBV-ERR-01", Severity.Error, "CBV, error reason did_not_occur", "An event that did not occur has no corrective events.")
{
    public override void Check(EpcisEvent e, Findings findings)
    {
        if (e.ErrorDeclaration is { Reason: { } reason, CorrectiveEventIds.Count: > 0 }
            && CbvTerms.ToBare(CbvVocabulary.ErrorReason, reason) == "did_not_occur")
        {
            Report(e, findings, "did_not_occur may not be combined with correctiveEventIDs.", reason, "incorrect_data, or no correctiveEventIDs");
        }
    }
}
