using System.Text.Json;

namespace Epcis.Formats.JsonLd;

/// <summary>Finds a document's <c>@context</c> wherever it stands, keeping nothing else.</summary>
internal static class JsonContextScan
{
    public static void Read(JsonSource source, JsonHeaderParser header)
    {
        source.Next();
        while (source.Next() is JsonTokenType.PropertyName)
        {
            if (source.Name != "@context")
            {
                Skip(source);
            }
            else if (source.Take() is { } context)
            {
                header.ForeseeContext(context);
                return;
            }
        }
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
