using Epcis.Events;
using Epcis.Formats.JsonLd;

namespace Epcis.Rules;

internal sealed class ComponentHasValue() : EventRule(
    "CBV-COMP-01", "CBV 2.0, component",
    "A component is one of the CBV and stands with the value that it is a component of.",
    "Use a component of the CBV, such as x, y, z, latitude or longitude, and give its value.")
{
    private static readonly string[] Values = [.. SensorValues.Measured, "stringValue", "booleanValue", "hexBinaryValue", "uriValue"];

    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        foreach (var (report, _) in SensorValues.Of(e))
        {
            if (report["component"] is not { } component)
            {
                continue;
            }
            if (!JsonVocabulary.Components.Accepts(JsonVocabulary.Components.ToJson(component)))
            {
                findings.Add(e, report.Path("component"), $"component '{component}' is no CBV term and no URI of another vocabulary.", component, "a component of the CBV");
            }
            else if (!Values.Any(name => report[name] is not null))
            {
                findings.Add(e, report.Path("component"), $"The report has the component {component} but no value.", component, "value");
            }
        }
    }
}
