using Epcis.Events;

namespace Epcis.Rules;

internal sealed class SensorValuesAreOrdered() : EventRule(
    "EPCIS-SENS-04", "EPCIS 2.0, sensorReport",
    "The smallest value is not above the mean, nor the mean above the largest; a deviation is not negative.",
    "Look whether minValue, meanValue and maxValue were exchanged.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        foreach (var (report, _) in SensorValues.Of(e))
        {
            Order(e, report, "minValue", "maxValue", findings);
            Order(e, report, "minValue", "meanValue", findings);
            Order(e, report, "meanValue", "maxValue", findings);
            if (report.Number("sDev") < 0)
            {
                findings.Add(e, report.Path("sDev"), $"The deviation {report["sDev"]} is negative.", report["sDev"], "0 or more");
            }
        }
    }

    private static void Order(EpcisEvent e, SensorValues report, string smaller, string larger, RuleFindings findings)
    {
        if (report.Number(smaller) > report.Number(larger))
        {
            findings.Add(e, report.Path(smaller), $"{smaller} {report[smaller]} is above {larger} {report[larger]}.", report[smaller], $"at most {report[larger]}");
        }
    }
}
