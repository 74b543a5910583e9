using Epcis.Events;

namespace Epcis.Rules;

internal sealed class SensorReportHasOneKindOfValue() : EventRule(
    "EPCIS-SENS-06", "EPCIS 2.0, sensorReport",
    "A sensor report has one kind of value: a number, a text, a truth value, bytes or a URI.",
    "Write one sensorReport for each value.")
{
    private static readonly string[] Kinds = ["value", "stringValue", "booleanValue", "hexBinaryValue", "uriValue"];

    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        foreach (var (report, _) in SensorValues.Of(e))
        {
            var kinds = Kinds.Where(k => report[k] is not null).ToList();
            if (kinds.Count > 1)
            {
                findings.Add(e, report.Path(kinds[1]), $"The report has {string.Join(" and ", kinds)}.", string.Join(", ", kinds), "one of them");
            }
        }
    }
}
