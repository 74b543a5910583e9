using Epcis.Events;

namespace Epcis.Rules;

internal sealed class CorrectionIsAnotherEvent() : EventRule(
    "EPCIS-ERR-03", "EPCIS, errorDeclaration",
    "An event in error is corrected by other events, not by itself.",
    "Name in correctiveEventIDs the events that say what really happened; they have eventIDs of their own.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        for (var i = 0; i < e.ErrorDeclaration?.CorrectiveEventIds.Count; i++)
        {
            if (e.ErrorDeclaration.CorrectiveEventIds[i] == e.EventId)
            {
                findings.Add(e, FormattableString.Invariant($"errorDeclaration/correctiveEventIDs/{i}"), "The event is named as its own correction.", e.EventId, "the eventID of another event");
            }
        }
    }
}
