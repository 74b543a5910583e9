using System.Text.Json;
using Epcis.Events;

namespace Epcis.Formats.JsonLd;

/// <summary>
/// Extensions as JSON members: verbatim where they came from JSON; from XML, repetition becomes an array, nesting an
/// object, text a string (EPCIS.md, section 5), and attributes members named with <c>@</c> beside <c>#text</c>, so that no child element can have their name.
/// </summary>
internal sealed class JsonExtensionWriter(Utf8JsonWriter json, JsonPrefixes prefixes)
{
    public void Members(IEnumerable<Extension> extensions)
    {
        foreach (var same in extensions.GroupBy(e => prefixes.Key(e.Namespace, e.Prefix, e.Name)))
        {
            var all = same.ToList();
            json.WritePropertyName(same.Key);
            if (all.Count == 1)
            {
                Value(all[0]);
                continue;
            }
            json.WriteStartArray();
            foreach (var one in all)
            {
                Value(one);
            }
            json.WriteEndArray();
        }
    }

    private void Value(Extension extension)
    {
        if (extension.Json is { } verbatim)
        {
            json.WriteRawValue(verbatim);
            return;
        }
        if (extension.Children.Count == 0 && extension.Attributes.Count == 0)
        {
            json.WriteStringValue(extension.Text ?? "");
            return;
        }
        json.WriteStartObject();
        foreach (var attribute in extension.Attributes)
        {
            json.WriteString("@" + prefixes.Key(attribute.Namespace, attribute.Prefix, attribute.Name), attribute.Value);
        }
        if (extension.Children.Count == 0 && extension.Text is { } text)
        {
            json.WriteString("#text", text);
        }
        Members(extension.Children);
        json.WriteEndObject();
    }
}
