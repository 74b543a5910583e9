using Epcis.Events;
using Epcis.Formats.JsonLd;

namespace Epcis.Rules;

internal sealed class SensorUnitHasForm() : EventRule(
    "EPCIS-SENS-03", "EPCIS 2.0, sensorReport",
    "The unit of a measured value is a UN/CEFACT Recommendation 20 code, and there is a value.",
    "Use the code of the unit, such as CEL, and give the value that it belongs to.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        foreach (var (report, _) in SensorValues.Of(e))
        {
            if (report["uom"] is not { } uom)
            {
                continue;
            }
            if (!JsonFormats.IsUom(uom))
            {
                findings.Add(e, report.Path("uom"), $"'{uom}' is not the form of a unit code.", uom, "two or three capital letters or digits, such as CEL");
            }
            else if (!SensorValues.Measured.Any(name => report[name] is not null))
            {
                findings.Add(e, report.Path("uom"), $"The report has the unit {uom} but no measured value.", uom, "value");
            }
        }
    }
}
