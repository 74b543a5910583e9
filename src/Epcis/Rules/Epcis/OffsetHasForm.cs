using Epcis.Events;

namespace Epcis.Rules;

/// <summary>Both XML schemas take any text here, even <c>Z</c>.</summary>
internal sealed class OffsetHasForm() : EventRule(
    "EPCIS-TIME-02", Severity.Error, "EPCIS, eventTimeZoneOffset", "eventTimeZoneOffset is written +hh:mm or -hh:mm.")
{
    public override void Check(EpcisEvent e, Findings findings)
    {
        if (!ZonedTime.IsOffset(e.EventTimeZoneOffset))
        {
            Report(e, findings, $"eventTimeZoneOffset '{e.EventTimeZoneOffset}' is not written +hh:mm or -hh:mm.", e.EventTimeZoneOffset, "+hh:mm or -hh:mm, at most 14:00");
        }
    }
}
