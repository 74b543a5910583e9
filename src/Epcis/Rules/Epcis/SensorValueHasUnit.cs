using Epcis.Events;

namespace Epcis.Rules;

internal sealed class SensorValueHasUnit() : EventRule(
    "EPCIS-SENS-02", "EPCIS 2.0, sensorReport",
    "A measured value has a unit of measure, unless it is a coordinate or a pure number.",
    "Add uom with the code of the unit, such as CEL for degrees Celsius.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        foreach (var (report, _) in SensorValues.Of(e))
        {
            if (report["uom"] is null && report["component"] is null && !IsPure(report["type"])
                && SensorValues.Measured.FirstOrDefault(name => report[name] is not null) is { } measured)
            {
                findings.Add(e, report.Path(measured), $"{measured} {report[measured]} has no unit of measure.", report[measured], "uom");
            }
        }
    }

    private static bool IsPure(string? type) => type is not null
        && (type.EndsWith("Dimensionless", StringComparison.Ordinal) || type.EndsWith("Count", StringComparison.Ordinal));
}
