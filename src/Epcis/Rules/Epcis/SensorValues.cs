using System.Globalization;
using Epcis.Events;

namespace Epcis.Rules;

/// <summary>A sensor report, or the metadata around it, read by the names of its fields.</summary>
internal readonly struct SensorValues(string path, IReadOnlyList<SensorField> fields)
{
    public static readonly string[] Measured = ["value", "minValue", "maxValue", "meanValue", "sDev", "percValue"];

    /// <summary>Every report of the event, each with the metadata of its element.</summary>
    public static IEnumerable<(SensorValues Report, SensorValues Metadata)> Of(EpcisEvent e)
    {
        for (var i = 0; i < e.SensorElements.Count; i++)
        {
            var element = e.SensorElements[i];
            var at = FormattableString.Invariant($"sensorElementList/{i}");
            for (var j = 0; j < element.Reports.Count; j++)
            {
                yield return (new(FormattableString.Invariant($"{at}/sensorReport/{j}"), element.Reports[j]), new($"{at}/sensorMetadata", element.Metadata));
            }
        }
    }

    public string Path(string field = "") => field.Length == 0 ? path : $"{path}/{field}";

    /// <summary>One of the standard's own fields; <see langword="null"/> when it is not there.</summary>
    public string? this[string name]
    {
        get
        {
            foreach (var field in fields)
            {
                if (field.Namespace.Length == 0 && field.Name == name)
                {
                    return field.Value;
                }
            }
            return null;
        }
    }

    public double? Number(string name) =>
        double.TryParse(this[name], NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;

    public DateTimeOffset? Time(string name) =>
        this[name] is { } text && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
}
