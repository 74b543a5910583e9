using Epcis.Events;

namespace Epcis.Rules;

/// <summary>Both XML schemas take any text here, even <c>Z</c>.</summary>
internal sealed class OffsetHasForm() : EventRule(
    "EPCIS-TIME-02", "EPCIS, eventTimeZoneOffset",
    "eventTimeZoneOffset is written +hh:mm or -hh:mm.",
    "Write the local offset at the event, such as +01:00 or -05:00; for UTC it is +00:00.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (!ZonedTime.IsOffset(e.EventTimeZoneOffset))
        {
            findings.Add(e, "eventTimeZoneOffset", $"eventTimeZoneOffset '{e.EventTimeZoneOffset}' is not written +hh:mm or -hh:mm.", e.EventTimeZoneOffset, "+hh:mm or -hh:mm, at most 14:00");
        }
    }
}
