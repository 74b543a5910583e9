namespace Epcis.Formats.JsonLd;

internal enum JsonKind
{
    Object,
    Array,
    String,
    Number,
    True,
    False,
    Null,
}

/// <summary>One value of the buffered part of a document, with the place where it stands.</summary>
/// <param name="index">Place in the parent.</param>
internal sealed class JsonItem(JsonItem? parent, string? name, int index, int at, JsonKind kind, int start)
{
    private static readonly List<JsonItem> s_none = [];

    private List<JsonItem>? _items = kind switch { JsonKind.Object => [], JsonKind.Array => null, _ => s_none };
    private JsonTexts? _texts;

    public JsonItem? Parent { get; } = parent;

    /// <summary>The member's name; <see langword="null"/> for an array's item and the root.</summary>
    public string? Name { get; } = name;

    /// <summary>Place in <see cref="Parent"/>.</summary>
    public int Index { get; } = index;

    /// <summary>Where a member's name or an item's value begins, for findings.</summary>
    public int At { get; } = at;
    public JsonKind Kind { get; } = kind;
    public int Start { get; } = start;
    public int End { get; set; }

    /// <summary>The text of a string, the literal of a number.</summary>
    public string Text { get; init; } = "";

    /// <summary>The items of an array that holds nothing but strings; <see langword="null"/> for any other value.</summary>
    public string[]? Texts => _texts?.All;

    /// <summary>Members of an object or items of an array.</summary>
    public List<JsonItem> Items => _items ??= [.. Enumerable.Range(0, Count).Select(i => _texts!.Item(this, i))];

    public int Count => _items?.Count ?? Texts?.Length ?? 0;

    /// <summary>One item of an array, without the others.</summary>
    public JsonItem Item(int index) => _items?[index] ?? _texts!.Item(this, index);

    /// <summary>Says what an array holds that is, so far, of strings only.</summary>
    public void Hold(JsonTexts texts) => _texts = texts;

    /// <summary>Adds to an object, or to an array what makes it one of more than strings.</summary>
    public void Add(JsonItem item)
    {
        Items.Add(item);
        _texts = null;
    }

    public JsonItem? Find(string name)
    {
        foreach (var item in Items)
        {
            if (item.Name == name)
            {
                return item;
            }
        }
        return null;
    }
}
