using System.Text.Json;
using Epcis.Events;

namespace Epcis.Formats.JsonLd;

/// <summary>
/// Extensions as JSON members: verbatim where they came from JSON; from XML, repetition becomes an array, nesting an
/// object, text a string (EPCIS.md, section 5), and attributes members named with <c>@</c> beside <c>#text</c>, so that no child element can have their name.
/// Where text stands between children, <c>#text</c> is an array: each item stands before the child of its number.
/// </summary>
internal sealed class JsonExtensionWriter(Utf8JsonWriter json, JsonPrefixes prefixes)
{
    /// <summary>
    /// The extensions of one of the standard's own objects. Such an object takes names with a namespace only; those without
    /// are carried in a member of their own.
    /// </summary>
    /// <param name="isOpen">The object takes any name: what came from JSON stays where it was.</param>
    public void Level(IReadOnlyList<Extension> extensions, bool isOpen = false)
    {
        bool HasPlace(Extension x) => x.Namespace.Length + x.Prefix.Length > 0 || (isOpen && x.Json is not null && x.Name != "id");
        if (extensions.All(HasPlace))
        {
            Members(extensions);
            return;
        }
        Members(extensions.Where(HasPlace));
        json.WriteStartObject(prefixes.Key(Carried.Namespace, Carried.Prefix, Carried.Local));
        Members(extensions.Where(x => !HasPlace(x)));
        json.WriteEndObject();
    }

    private void Members(IEnumerable<Extension> extensions)
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

    public void Value(Extension extension)
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
        if (extension.Texts.Count > 0)
        {
            json.WriteStartArray("#text");
            for (var child = 0; child <= extension.Children.Count; child++)
            {
                json.WriteStringValue(string.Concat(extension.TextsBefore(child)));
            }
            json.WriteEndArray();
        }
        else if (extension.Text is { } text)
        {
            json.WriteString("#text", text);
        }
        Members(extension.Children);
        json.WriteEndObject();
    }
}
