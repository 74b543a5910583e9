using System.Text.Json;

namespace Epcis.Formats.JsonLd;

/// <summary>
/// Finds a document's <c>@context</c> and <c>type</c> wherever they stand, keeping nothing else: what the events mean, and
/// which of a body's members hold them, depends on both.
/// </summary>
internal static class JsonForesight
{
    public static void Read(JsonSource source, JsonHeaderParser header)
    {
        source.Next();
        for (var wanted = 2; wanted > 0 && source.Next() is JsonTokenType.PropertyName;)
        {
            if (source.Name is not ("@context" or "type"))
            {
                Skip(source);
            }
            else if (source.Take() is { } value)
            {
                header.Foresee(source.Name, value);
                wanted--;
            }
        }
    }

    /// <summary>The document's type alone.</summary>
    public static string? Type(JsonSource source)
    {
        source.Next();
        while (source.Next() is JsonTokenType.PropertyName)
        {
            if (source.Name == "type")
            {
                return source.Take() is { Root: { Kind: JsonKind.String, Text: var type } } ? type : null;
            }
            Skip(source);
        }
        return null;
    }

    private static void Skip(JsonSource source)
    {
        var depth = 0;
        do
        {
            depth += source.Next() switch
            {
                JsonTokenType.StartObject or JsonTokenType.StartArray => 1,
                JsonTokenType.EndObject or JsonTokenType.EndArray => -1,
                _ => 0,
            };
        }
        while (depth > 0);
    }
}
