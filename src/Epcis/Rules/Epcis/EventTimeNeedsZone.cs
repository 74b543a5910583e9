using Epcis.Events;

namespace Epcis.Rules;

/// <summary>The 1.2 schema takes a time without zone, though its prose demands one.</summary>
internal sealed class EventTimeNeedsZone() : EventRule(
    "EPCIS-TIME-01", "EPCIS, eventTime",
    "eventTime is a time with seconds and a zone.",
    "Write eventTime such as 2026-03-01T12:00:00.000Z.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (!ZonedTime.Has(e.EventTimeText))
        {
            findings.Add(e, "eventTime", $"eventTime '{e.EventTimeText}' is not a time with seconds and a zone.", e.EventTimeText, "2026-03-01T12:00:00Z");
        }
        else if (e.EventTime is null)
        {
            // Such as the last hours of the year 9999 west of Greenwich, which schemas accept.
            findings.Add(e, "eventTime", $"eventTime '{e.EventTimeText}' is no instant that can be kept.", e.EventTimeText, "an instant between the years 1 and 9999");
        }
    }
}
