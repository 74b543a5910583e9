using Epcis.Events;

namespace Epcis.Rules;

internal sealed class SensorTimesFit() : EventRule(
    "EPCIS-SENS-05", "EPCIS 2.0, sensorMetadata",
    "A report is of a time within the period of its sensor element, which does not end before it starts.",
    "Correct the times: startTime, then the times of the reports, then endTime.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        for (var i = 0; i < e.SensorElements.Count; i++)
        {
            var at = FormattableString.Invariant($"sensorElementList/{i}");
            var metadata = new SensorValues($"{at}/sensorMetadata", e.SensorElements[i].Metadata);
            if (metadata.Time("endTime") < metadata.Time("startTime"))
            {
                findings.Add(e, metadata.Path("endTime"), "endTime is before startTime.", metadata["endTime"], $"a time after {metadata["startTime"]}");
            }
        }
        foreach (var (report, metadata) in SensorValues.Of(e))
        {
            var time = report.Time("time");
            if (time < metadata.Time("startTime") || time > metadata.Time("endTime"))
            {
                findings.Add(e, report.Path("time"), "The report's time is outside the period of its sensor element.", report["time"], $"{metadata["startTime"]} to {metadata["endTime"]}");
            }
        }
    }
}
