using Epcis.Events;

namespace Epcis.Rules;

internal sealed class SensorReportSaysWhat() : EventRule(
    "EPCIS-SENS-01", "EPCIS 2.0, sensorReport",
    "A sensor report has a type of measurement or an exception.",
    "Say in type what was measured, such as Temperature, or in exception what is wrong.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        foreach (var (report, _) in SensorValues.Of(e))
        {
            if (string.IsNullOrEmpty(report["type"]) && string.IsNullOrEmpty(report["exception"]))
            {
                findings.Add(e, report.Path(), "The sensor report has neither type nor exception.", want: "type or exception");
            }
        }
    }
}
