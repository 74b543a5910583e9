using Epcis.Cbv;
using Epcis.Events;

namespace Epcis.Rules;

internal sealed class DidNotOccurHasNoCorrection() : EventRule(
    "CBV-ERR-01", "CBV, error reason did_not_occur",
    "An event that did not occur has no corrective events.",
    "Leave correctiveEventIDs out, or give the reason incorrect_data.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (e.ErrorDeclaration is { Reason: { } reason, CorrectiveEventIds.Count: > 0 }
            && CbvTerms.ToBare(CbvVocabulary.ErrorReason, reason) == "did_not_occur")
        {
            findings.Add(e, "errorDeclaration/correctiveEventIDs", "did_not_occur may not be combined with correctiveEventIDs.", reason, "incorrect_data, or no correctiveEventIDs");
        }
    }
}
