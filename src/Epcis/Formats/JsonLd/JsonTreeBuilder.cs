using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Epcis.Formats.JsonLd;

/// <summary>Builds one value from tokens; refuses what two readers of JSON could understand differently.</summary>
internal sealed class JsonTreeBuilder(ReaderLimits limits) : IDisposable
{
    private readonly string?[] _names = new string?[64];
    private readonly PooledList<string> _texts = new();
    private readonly PooledList<(int Start, int End)> _spans = new();
    private JsonItem? _open;
    private string? _name;
    private int _at;
    private int _values;
    private int _namesSeen;
    private bool _isOfTexts; // what is open is an array and holds, so far, nothing but strings

    /// <summary>The value that was built; <see langword="null"/> when the array or object around it ended instead.</summary>
    public JsonItem? Root { get; private set; }

    /// <summary>Begins a value. The one before is no longer valid.</summary>
    public void Begin()
    {
        (Root, _open, _name, _values, _namesSeen, _isOfTexts) = (null, null, null, 0, 0, false);
        _texts.Clear();
        _spans.Clear();
    }

    /// <summary>Builds on, until the value ends or the reader has no more of it.</summary>
    /// <param name="origin">Bytes of the value before those that the reader has.</param>
    /// <returns>Whether the value is complete; if not, more of it is wanted.</returns>
    public bool Build(ref Utf8JsonReader reader, int origin)
    {
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.String when _isOfTexts:
                    CountValue();
                    _texts.Add(TextOf(ref reader, limits.MaxTextLength, "A text"));
                    _spans.Add((origin + (int)reader.TokenStartIndex, origin + (int)reader.BytesConsumed));
                    break;
                case JsonTokenType.PropertyName:
                    _at = origin + (int)reader.TokenStartIndex;
                    _name = NameOf(ref reader);
                    AddingTo(_open!, _name);
                    break;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    if (_open is null)
                    {
                        return true;
                    }
                    HoldTexts();
                    _open.End = origin + (int)reader.BytesConsumed;
                    if (_open.Parent is null)
                    {
                        Root = _open;
                        return true;
                    }
                    _open = _open.Parent;
                    break;
                default:
                    HoldTexts();
                    if (Add(ref reader, origin))
                    {
                        return true;
                    }
                    break;
            }
        }
        return false;
    }

    /// <returns>Whether the item is the whole value.</returns>
    private bool Add(ref Utf8JsonReader reader, int origin)
    {
        var start = origin + (int)reader.TokenStartIndex;
        var kind = KindOf(reader.TokenType);
        var item = new JsonItem(_open, _name, _open?.Count ?? 0, _name is null ? start : _at, kind, start)
        {
            Text = kind switch
            {
                JsonKind.String => TextOf(ref reader, limits.MaxTextLength, "A text"),
                JsonKind.Number => NumberOf(ref reader),
                _ => "",
            },
            End = origin + (int)reader.BytesConsumed,
        };
        CountValue();
        _name = null;
        _open?.Add(item);
        if (kind is JsonKind.Object or JsonKind.Array)
        {
            CheckDepth(ref reader);
            _open = item;
            _isOfTexts = kind is JsonKind.Array;
            return false;
        }
        Root = _open is null ? item : null;
        return _open is null;
    }

    /// <summary>Gives the open array the strings that it has so far.</summary>
    private void HoldTexts()
    {
        if (_isOfTexts)
        {
            _open!.Hold(new JsonTexts(_texts.Items.ToArray(), _spans, _spans.Count - _texts.Count));
            _texts.Clear();
            _isOfTexts = false;
        }
    }

    private void CountValue()
    {
        if (++_values > limits.MaxValues)
        {
            throw new JsonRefusal(JsonCodes.Limit, FormattableString.Invariant($"An event, or another value, has more than {limits.MaxValues} values in it."), default);
        }
    }

    /// <summary>One event has its members much as the one before it: the same name in the same place is the same string.</summary>
    private string NameOf(ref Utf8JsonReader reader)
    {
        ref var name = ref _names[_namesSeen++ % _names.Length];
        if (name is null || reader.ValueIsEscaped || !reader.ValueTextEquals(name))
        {
            name = TextOf(ref reader, limits.MaxNameLength, "A member name");
        }
        return name;
    }

    public void Dispose()
    {
        _texts.Dispose();
        _spans.Dispose();
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
        if (!reader.ValueIsEscaped && bytes.Length <= maxLength && Ascii.IsValid(bytes))
        {
            return Encoding.ASCII.GetString(bytes); // nearly all text is, and nothing else can be wrong with it
        }
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
        return Encoding.ASCII.GetString(bytes);
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
