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
internal sealed class JsonItem(JsonItem? parent, string? name, int at, JsonKind kind, int start)
{
    public JsonItem? Parent { get; } = parent;

    /// <summary>The member's name; <see langword="null"/> for an array's item and the root.</summary>
    public string? Name { get; } = name;

    /// <summary>Place in <see cref="Parent"/>.</summary>
    public int Index { get; } = parent?.Items.Count ?? 0;

    /// <summary>Where a member's name or an item's value begins, for findings.</summary>
    public int At { get; } = at;
    public JsonKind Kind { get; } = kind;
    public int Start { get; } = start;
    public int End { get; set; }

    /// <summary>The text of a string, the literal of a number.</summary>
    public string Text { get; init; } = "";

    /// <summary>Members of an object or items of an array.</summary>
    public List<JsonItem> Items { get; } = kind is JsonKind.Object or JsonKind.Array ? [] : s_none;

    private static readonly List<JsonItem> s_none = [];

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
