using Epcis.Events;
using Epcis.Formats.JsonLd;

namespace Epcis.Rules;

/// <summary>XML takes any text; in JSON the schema refuses it already.</summary>
internal sealed class SensorTermsAreListed() : EventRule(
    "CBV-SENS-01", "GS1 Web Vocabulary, measurement and alert types",
    "The type and the exception of a sensor report are terms of GS1, or URIs.",
    "Use a type such as Temperature or RelativeHumidity, an exception such as ALARM_CONDITION, or a URI of your own.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        foreach (var (report, _) in SensorValues.Of(e))
        {
            Check(e, report, "type", JsonVocabulary.MeasurementTypes, findings);
            Check(e, report, "exception", JsonVocabulary.SensorAlertTypes, findings);
        }
    }

    private static void Check(EpcisEvent e, SensorValues report, string field, JsonVocabulary vocabulary, RuleFindings findings)
    {
        if (report[field] is { Length: > 0 } value && !vocabulary.IsWord(vocabulary.ToJson(value)) && !JsonFormats.IsUri(value))
        {
            findings.Add(e, report.Path(field), $"{field} '{value}' is no {vocabulary.What} and no URI.", value, $"a {vocabulary.What} of GS1, or a URI");
        }
    }
}
