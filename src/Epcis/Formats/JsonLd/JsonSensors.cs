using System.Collections.Frozen;
using Epcis.Events;

namespace Epcis.Formats.JsonLd;

/// <summary>EPCIS 2.0, sensorElementList.</summary>
internal sealed class JsonSensors(JsonReport report, JsonContext context)
{
    private static readonly FrozenSet<string> s_element = FrozenSet.Create("sensorMetadata", "sensorReport");

    private static readonly FrozenSet<string> s_metadata = FrozenSet.Create(
        "time", "startTime", "endTime", "deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "bizRules");

    private static readonly FrozenSet<string> s_report = FrozenSet.Create(
        "type", "exception", "deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "bizRules", "time", "microorganism",
        "chemicalSubstance", "coordinateReferenceSystem", "value", "component", "stringValue", "booleanValue", "hexBinaryValue",
        "uriValue", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue", "uom");

    public IReadOnlyList<SensorElement> Elements(JsonItem? list)
    {
        if (list is null)
        {
            return [];
        }
        var elements = new List<SensorElement>();
        foreach (var item in report.Array(list))
        {
            if (report.Is(item, JsonKind.Object))
            {
                elements.Add(Element(item));
            }
        }
        return elements;
    }

    private SensorElement Element(JsonItem item)
    {
        var metadata = item.Find("sensorMetadata");
        var reports = report.Array(report.Require(item, "sensorReport"), atLeast: 1);
        return new SensorElement
        {
            Metadata = metadata is not null && report.Is(metadata, JsonKind.Object) ? Fields(metadata, s_metadata) : [],
            Reports = [.. reports.Where(r => report.Is(r, JsonKind.Object)).Select(Report)],
            Extensions = JsonExtensions.Of(report.Others(item, s_element), report, context),
        };
    }

    private IReadOnlyList<SensorField> Report(JsonItem item)
    {
        report.Require(item, "type");
        return Fields(item, s_report);
    }

    private List<SensorField> Fields(JsonItem item, FrozenSet<string> known)
    {
        var others = report.Others(item, known).ToHashSet();
        var fields = new List<SensorField>(item.Items.Count);
        foreach (var member in item.Items)
        {
            var isKnown = known.Contains(member.Name!);
            if (isKnown)
            {
                Check(member);
            }
            if (isKnown || others.Contains(member))
            {
                var ns = isKnown ? "" : context.Split(member.Name!).Namespace;
                var isText = member.Kind is JsonKind.String;
                fields.Add(new SensorField(ns, member.Name!, isText ? member.Text : report.Tree.Raw(member), !isText));
            }
        }
        return fields;
    }

    private void Check(JsonItem member)
    {
        switch (member.Name)
        {
            case "time" or "startTime" or "endTime":
                report.Time(member);
                break;
            case "type":
                report.Word(member, JsonVocabulary.MeasurementTypes);
                break;
            case "exception":
                report.Word(member, JsonVocabulary.SensorAlertTypes);
                break;
            case "component":
                report.Word(member, JsonVocabulary.Components);
                break;
            case "stringValue" or "uom":
                report.String(member);
                break;
            case "hexBinaryValue":
                report.Matching(member, JsonFormats.IsHex, "hexadecimal digits");
                break;
            case "booleanValue":
                if (member.Kind is not JsonKind.False)
                {
                    report.Is(member, JsonKind.True);
                }
                break;
            case "value" or "minValue" or "maxValue" or "meanValue" or "sDev" or "percRank" or "percValue":
                report.Is(member, JsonKind.Number);
                break;
            default:
                report.Uri(member);
                break;
        }
    }
}
