using System.Text;
using System.Text.Json;

namespace Epcis.Tests.Schemas;

/// <summary>A JSON value that can be damaged: members keep their order and may stand twice, which no library's tree allows.</summary>
internal sealed class JsonDraft
{
    /// <summary>The value as written when it is neither object nor array.</summary>
    public string Literal { get; private set; } = "";

    public bool IsObject { get; private set; }

    public bool IsArray { get; private set; }

    /// <summary>Members of an object, items of an array (with empty names).</summary>
    public List<(string Name, JsonDraft Value)> Parts { get; } = [];

    public bool IsString => Literal.StartsWith('"');

    public static JsonDraft Parse(string json)
    {
        using var document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = true });
        return Of(document.RootElement);
    }

    public static JsonDraft String(string text) => new() { Literal = JsonSerializer.Serialize(text) };

    public JsonDraft Clone()
    {
        var clone = new JsonDraft();
        clone.Become(this);
        return clone;
    }

    public void Become(JsonDraft other)
    {
        var parts = other.Parts.Select(p => (p.Name, p.Value.Clone())).ToList();
        (Literal, IsObject, IsArray) = (other.Literal, other.IsObject, other.IsArray);
        Parts.Clear();
        Parts.AddRange(parts);
    }

    /// <summary>Makes of the value an array of it.</summary>
    public void Wrap()
    {
        var inner = Clone();
        Become(new JsonDraft { IsArray = true });
        Parts.Add(("", inner));
    }

    /// <summary>This value and all within.</summary>
    public List<JsonDraft> All()
    {
        var all = new List<JsonDraft> { this };
        for (var i = 0; i < all.Count; i++)
        {
            foreach (var (_, value) in all[i].Parts)
            {
                all.Add(value);
            }
        }
        return all;
    }

    public override string ToString() => Write(new StringBuilder()).ToString();

    private StringBuilder Write(StringBuilder json)
    {
        if (!IsObject && !IsArray)
        {
            return json.Append(Literal);
        }
        json.Append(IsObject ? '{' : '[');
        for (var i = 0; i < Parts.Count; i++)
        {
            json.Append(i == 0 ? "" : ",");
            if (IsObject)
            {
                json.Append(JsonSerializer.Serialize(Parts[i].Name)).Append(':');
            }
            Parts[i].Value.Write(json);
        }
        return json.Append(IsObject ? '}' : ']');
    }

    private static JsonDraft Of(JsonElement element)
    {
        var value = new JsonDraft
        {
            IsObject = element.ValueKind is JsonValueKind.Object,
            IsArray = element.ValueKind is JsonValueKind.Array,
        };
        if (value.IsObject)
        {
            value.Parts.AddRange(element.EnumerateObject().Select(m => (m.Name, Of(m.Value))));
        }
        else if (value.IsArray)
        {
            value.Parts.AddRange(element.EnumerateArray().Select(i => ("", Of(i))));
        }
        else
        {
            value.Literal = element.GetRawText();
        }
        return value;
    }
}
