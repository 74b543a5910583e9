using System.Text.Json;
using System.Text.Unicode;

namespace Epcis.Formats.JsonLd;

/// <summary>Builds one value from tokens; refuses what two readers of JSON could understand differently.</summary>
internal sealed class JsonTreeBuilder(ReaderLimits limits)
{
    /// <summary>A value's last byte, relative to the span that was read.</summary>
    public int End { get; private set; }

    /// <summary>Builds from the reader's current token on.</summary>
    /// <returns><see langword="null"/> when the bytes ended inside the value.</returns>
    public JsonItem? Build(ref Utf8JsonReader reader)
    {
        JsonItem? open = null;
        string? name = null;
        var at = 0;
        var values = 0;
        while (true)
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName:
                    at = (int)reader.TokenStartIndex;
                    name = TextOf(ref reader, limits.MaxNameLength, "A member name");
                    AddingTo(open!, name);
                    break;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    open!.End = (int)reader.BytesConsumed;
                    if (open.Parent is null)
                    {
                        End = open.End;
                        return open;
                    }
                    open = open.Parent;
                    break;
                default:
                    var start = (int)reader.TokenStartIndex;
                    var kind = KindOf(reader.TokenType);
                    var item = new JsonItem(open, name, name is null ? start : at, kind, start)
                    {
                        Text = kind switch
                        {
                            JsonKind.String => TextOf(ref reader, limits.MaxTextLength, "A text"),
                            JsonKind.Number => NumberOf(ref reader),
                            _ => "",
                        },
                        End = (int)reader.BytesConsumed,
                    };
                    if (++values > limits.MaxValues)
                    {
                        throw new JsonRefusal(JsonCodes.Limit, FormattableString.Invariant($"An event, or another value, has more than {limits.MaxValues} values in it."), default);
                    }
                    name = null;
                    open?.Items.Add(item);
                    if (kind is JsonKind.Object or JsonKind.Array)
                    {
                        CheckDepth(ref reader);
                        open = item;
                    }
                    else if (open is null)
                    {
                        End = item.End;
                        return item;
                    }
                    break;
            }
            if (!reader.Read())
            {
                return null;
            }
        }
    }

    public void CheckDepth(ref Utf8JsonReader reader)
    {
        if (reader.CurrentDepth >= limits.MaxDepth)
        {
            throw new JsonRefusal(JsonCodes.Limit, FormattableString.Invariant($"The document nests deeper than {limits.MaxDepth} levels."), default);
        }
    }

    /// <summary>The text of a name or string; .NET would throw for what is no text, so it is looked at first.</summary>
    public static string TextOf(ref Utf8JsonReader reader, int maxLength, string what)
    {
        var bytes = reader.ValueSpan;
        if (!Utf8.IsValid(bytes))
        {
            throw new JsonRefusal(JsonCodes.Characters, $"{what} is not valid UTF-8.", default);
        }
        if (bytes.Length > maxLength * 6L)
        {
            throw TooLong(what, maxLength);
        }
        if (reader.ValueIsEscaped)
        {
            JsonEscapes.Check(bytes, what);
        }
        var text = reader.GetString()!;
        return text.Length > maxLength ? throw TooLong(what, maxLength) : text;
    }

    private static string NumberOf(ref Utf8JsonReader reader)
    {
        // Beyond a double nobody agrees on the value: infinity, zero, an error, or minutes of arithmetic.
        var bytes = reader.ValueSpan;
        var exponent = bytes.LastIndexOfAny((byte)'e', (byte)'E');
        var hugeExponent = exponent >= 0 && bytes[(exponent + 1)..].TrimStart("+-0"u8).Length > 3;
        if (hugeExponent || bytes.Length > 1024 || !reader.TryGetDouble(out var value) || !double.IsFinite(value))
        {
            throw new JsonRefusal(JsonCodes.Limit, "A number is larger than any a double can hold.", default);
        }
        return System.Text.Encoding.ASCII.GetString(bytes);
    }

    private void AddingTo(JsonItem open, string name)
    {
        if (open.Find(name) is not null)
        {
            throw new JsonRefusal(JsonCodes.DuplicateMember, $"The member '{name}' stands twice in one object.", default);
        }
        if (open.Items.Count >= limits.MaxAttributes)
        {
            throw new JsonRefusal(JsonCodes.Limit, FormattableString.Invariant($"An object has more than {limits.MaxAttributes} members."), default);
        }
    }

    private static JsonRefusal TooLong(string what, int maxLength) =>
        new(JsonCodes.Limit, FormattableString.Invariant($"{what} is longer than {maxLength} characters."), default);

    private static JsonKind KindOf(JsonTokenType token) => token switch
    {
        JsonTokenType.StartObject => JsonKind.Object,
        JsonTokenType.StartArray => JsonKind.Array,
        JsonTokenType.String => JsonKind.String,
        JsonTokenType.Number => JsonKind.Number,
        JsonTokenType.True => JsonKind.True,
        JsonTokenType.False => JsonKind.False,
        _ => JsonKind.Null,
    };
}
