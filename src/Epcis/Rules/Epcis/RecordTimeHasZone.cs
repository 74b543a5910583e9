using Epcis.Events;

namespace Epcis.Rules;

/// <summary>Capture ignores it, so this is never graver than a warning.</summary>
internal sealed class RecordTimeHasZone() : EventRule(
    "EPCIS-TIME-03", "EPCIS, recordTime",
    "recordTime, where it is given, is a time with seconds and a zone.",
    "Leave recordTime out: the gateway sets its own. Otherwise write it such as 2026-03-01T12:00:00.000Z.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (e.RecordTimeText is { Length: > 0 } text && !ZonedTime.Has(text))
        {
            findings.Add(e, "recordTime", $"recordTime '{text}' is not a time with seconds and a zone.", text, "2026-03-01T12:00:00Z");
        }
    }
}
