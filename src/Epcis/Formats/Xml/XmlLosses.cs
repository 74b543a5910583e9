using System.Text;
using System.Text.Json;
using Epcis.Events;

namespace Epcis.Formats.Xml;

/// <summary>What XML has no place for in an extension of JSON: its elements hold text and repeat, and know no other type.</summary>
internal static class XmlLosses
{
    /// <returns>The first extension that JSON would not give back as it was, or <see langword="null"/>.</returns>
    public static string? In(IEnumerable<Extension> extensions) =>
        extensions.FirstOrDefault(x => x.Json is { } json && !IsTextOnly(json)) is { } lost ? $"{lost.Name}: {lost.Json}" : null;

    /// <inheritdoc cref="In(IEnumerable{Extension})"/>
    public static string? In(IEnumerable<SensorElement> sensors)
    {
        foreach (var field in sensors.SelectMany(s => s.Reports.Append(s.Metadata)).SelectMany(f => f))
        {
            if (field.IsLiteral && (field.Namespace.Length > 0 || field.Name.Contains(':', StringComparison.Ordinal)))
            {
                return $"{field.Name}: {field.Value}";
            }
        }
        return null;
    }

    /// <summary>Texts, objects with members, and arrays of at least two of them come back as they were.</summary>
    private static bool IsTextOnly(string json)
    {
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(json), new JsonReaderOptions { MaxDepth = 2 * ReaderLimits.Default.MaxDepth });
        var open = new Stack<(bool IsArray, int Items)>();
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName or JsonTokenType.String or JsonTokenType.StartObject or JsonTokenType.StartArray:
                    if (open.TryPop(out var around) && (!around.IsArray || reader.TokenType != JsonTokenType.StartArray))
                    {
                        open.Push((around.IsArray, around.Items + 1));
                    }
                    else if (around.IsArray)
                    {
                        return false;
                    }
                    if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
                    {
                        open.Push((reader.TokenType is JsonTokenType.StartArray, 0));
                    }
                    break;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    if (open.Pop() is var (isArray, items) && items < (isArray ? 2 : 1))
                    {
                        return false;
                    }
                    break;
                default:
                    return false;
            }
        }
        return true;
    }
}
