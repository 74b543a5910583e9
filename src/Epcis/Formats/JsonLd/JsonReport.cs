using System.Collections.Frozen;
using System.Globalization;

namespace Epcis.Formats.JsonLd;

/// <summary>Checks values of one tree and tells what is wrong with them, where, what was got and what was wanted.</summary>
/// <param name="distinct">Serves the lists of many events.</param>
internal sealed class JsonReport(Findings findings, JsonTree tree, int? eventIndex = null, JsonDistinct? distinct = null)
{
    public const string Clause = "EPCIS 2.0.1 JSON Schema";
    private const int MaxGotLength = 200;

    private readonly string? _eventId = eventIndex is null ? null
        : tree.Root.Find("eventID") is { Kind: JsonKind.String } id ? id.Text : null;

    public JsonTree Tree { get; } = tree;

    /// <summary>Lowered where the schema has a gap that we look into without refusing what it accepts.</summary>
    public Severity Severity { get; set; } = Severity.Error;

    public void Error(string code, JsonItem at, string message, string? got = null, string? want = null) =>
        Add(code, Severity, at, message, got, want);

    public void Warning(string code, JsonItem at, string message, string? got = null, string? want = null) =>
        Add(code, Severity.Warning, at, message, got, want);

    public bool Is(JsonItem item, JsonKind kind)
    {
        if (item.Kind == kind)
        {
            return true;
        }
        Error(JsonCodes.WrongType, item, $"{Of(item)} has the wrong type.", NameOf(item.Kind), NameOf(kind));
        return false;
    }

    public string? String(JsonItem? item) => item is not null && Is(item, JsonKind.String) ? item.Text : null;

    public string? Uri(JsonItem? item)
    {
        var text = String(item);
        if (text is not null && !JsonFormats.IsUri(text))
        {
            Error(JsonCodes.Uri, item!, $"{Of(item!)} is no absolute URI.", text, "a URI (RFC 3986)");
        }
        return text;
    }

    /// <summary>The literal text and, if it is one, the instant.</summary>
    public (string? Text, DateTimeOffset? Instant) Time(JsonItem? item)
    {
        var text = String(item);
        if (text is null)
        {
            return (null, null);
        }
        if (JsonFormats.IsInstant(text, out var instant))
        {
            return (text, instant);
        }
        Error(JsonCodes.Time, item!, $"{Of(item!)} is no date and time with zone.", text, "such as 2026-01-31T13:05:00.000Z (RFC 3339)");
        return (text, null);
    }

    public string? Word(JsonItem? item, JsonVocabulary vocabulary)
    {
        var text = String(item);
        if (text is not null && !vocabulary.Accepts(text))
        {
            // Senders who come from XML write the URN or the Web URI of a word.
            var word = vocabulary.ToJson(text);
            Error(JsonCodes.Vocabulary, item!, $"{Of(item!)} is no {vocabulary.What} of the CBV and no other URI.", text, vocabulary.IsWord(word) ? word : $"a bare {vocabulary.What} of the CBV, or a URI of your own");
        }
        return text;
    }

    /// <summary>A word that has to be one of a few.</summary>
    public string? OneOf(JsonItem? item, params ReadOnlySpan<string> allowed)
    {
        var text = String(item);
        if (text is not null && !allowed.Contains(text))
        {
            Error(JsonCodes.Vocabulary, item!, $"{Of(item!)} has none of the allowed values.", text, string.Join(", ", allowed!));
        }
        return text;
    }

    public delegate bool Pattern(ReadOnlySpan<char> text);

    public string? Matching(JsonItem? item, Pattern pattern, string want)
    {
        var text = String(item);
        if (text is not null && !pattern(text))
        {
            Error(JsonCodes.Pattern, item!, $"{Of(item!)} has not the demanded form.", text, want);
        }
        return text;
    }

    /// <summary>The items of an array; none when it is missing or no array.</summary>
    public IReadOnlyList<JsonItem> Array(JsonItem? item, int atLeast = 0, bool unique = false)
    {
        if (item is null || !Is(item, JsonKind.Array))
        {
            return [];
        }
        if (item.Count < atLeast)
        {
            Error(JsonCodes.TooFew, item, $"{Of(item)} is empty.", "0", "at least one item");
        }
        if (unique)
        {
            CheckUnique(item);
        }
        return item.Items;
    }

    public IReadOnlyList<string> Uris(JsonItem? item, bool unique = false)
    {
        // A list with nothing wrong in it is taken as it is; any other is gone through item by item for its findings.
        if (item?.Texts is { } texts && AreUris(texts) && (!unique || (distinct ?? new()).Are(texts)))
        {
            return texts;
        }
        var items = Array(item, unique: unique);
        var uris = new List<string>(items.Count);
        foreach (var one in items)
        {
            if (Uri(one) is { } uri)
            {
                uris.Add(uri);
            }
        }
        return uris;
    }

    private static bool AreUris(string[] texts)
    {
        foreach (var text in texts)
        {
            if (!JsonFormats.IsUri(text))
            {
                return false;
            }
        }
        return true;
    }

    public void CheckUnique(JsonItem array)
    {
        var seen = new HashSet<string>(array.Items.Count, StringComparer.Ordinal);
        foreach (var item in array.Items)
        {
            if (!seen.Add(Canonical(item)))
            {
                Error(JsonCodes.NotUnique, item, $"{Of(array)} holds one item twice.", Tree.Raw(item), "different items");
            }
        }
    }

    public JsonItem? Require(JsonItem owner, string name)
    {
        var found = owner.Find(name);
        if (found is null)
        {
            Error(JsonCodes.Missing, owner, $"'{name}' is missing.", want: name);
        }
        return found;
    }

    /// <summary>Members beyond those known that are extensions, that is, named by a URI or prefix:name; others are refused.</summary>
    public IReadOnlyList<JsonItem> Others(JsonItem owner, FrozenSet<string> known)
    {
        var extensions = new List<JsonItem>();
        foreach (var member in owner.Items)
        {
            if (known.Contains(member.Name!))
            {
                continue;
            }
            if (JsonFormats.IsUri(member.Name))
            {
                extensions.Add(member);
            }
            else
            {
                Unknown(member, "a member of the standard, or prefix:name");
            }
        }
        return extensions;
    }

    /// <summary>Refuses every member beyond those known.</summary>
    public void Close(JsonItem owner, FrozenSet<string> known)
    {
        foreach (var member in owner.Items)
        {
            if (!known.Contains(member.Name!))
            {
                Unknown(member, string.Join(", ", known.Order(StringComparer.Ordinal)));
            }
        }
    }

    private void Unknown(JsonItem member, string want) =>
        Error(JsonCodes.UnknownMember, member, $"There is no member '{member.Name}' here.", member.Name, want);

    /// <summary>Equal values have equal texts, whatever the order of their members.</summary>
    private string Canonical(JsonItem item) => item.Kind switch
    {
        JsonKind.Object => "{" + string.Join(',', item.Items.OrderBy(m => m.Name, StringComparer.Ordinal).Select(m => Quoted(m.Name!) + ":" + Canonical(m))) + "}",
        JsonKind.Array => "[" + string.Join(',', item.Items.Select(Canonical)) + "]",
        JsonKind.String => Quoted(item.Text),
        // 1 and 1.0 are one number.
        JsonKind.Number => double.Parse(item.Text, CultureInfo.InvariantCulture).ToString("R", CultureInfo.InvariantCulture),
        _ => Tree.Raw(item),
    };

    private static string Quoted(string text) =>
        "\"" + text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + "\"";

    private void Add(string code, Severity severity, JsonItem at, string message, string? got, string? want) =>
        findings.Add(new Finding(code, severity, message)
        {
            Clause = Clause,
            Event = eventIndex,
            EventId = _eventId,
            Where = Tree.PlaceOf(at),
            Got = got is { Length: > MaxGotLength } ? got[..MaxGotLength] + "…" : got,
            Want = want,
        });

    private static string Of(JsonItem item) => item.Name is { } name ? $"'{name}'"
        : item.Parent?.Name is { } list ? $"An item of '{list}'" : "The value";

    private static string NameOf(JsonKind kind) => kind switch
    {
        JsonKind.Object => "an object",
        JsonKind.Array => "an array",
        JsonKind.String => "a string",
        JsonKind.Number => "a number",
        JsonKind.True or JsonKind.False => "a boolean",
        _ => "null",
    };
}
