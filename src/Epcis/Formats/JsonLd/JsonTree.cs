using System.Text;

namespace Epcis.Formats.JsonLd;

/// <summary>
/// One complete value of a document, an event for instance. It looks into the reader's buffer and is valid until the
/// reader moves on.
/// </summary>
/// <param name="pointer">JSON pointer of the root within the document.</param>
/// <param name="line">One-based line where the buffer's first byte stands, and that byte's column.</param>
internal sealed class JsonTree(byte[] buffer, int origin, int length, JsonItem root, string pointer, int line, int column)
{
    private List<int>? _lineStarts;

    public JsonItem Root { get; } = root;

    /// <summary>The value as written.</summary>
    public string Raw(JsonItem item) => Encoding.UTF8.GetString(buffer, origin + item.Start, item.End - item.Start);

    /// <summary>Columns count bytes, which takes no scan of a document that is all one line.</summary>
    public Place PlaceOf(JsonItem item)
    {
        if (item == Root)
        {
            // Every event asks for its own: few bytes stand before it, and those of all its lines are not gone through.
            var before = buffer.AsSpan(origin, item.At);
            var last = before.LastIndexOf((byte)'\n');
            return last < 0
                ? new Place(line, column + item.At, pointer)
                : new Place(line + before.Count((byte)'\n'), item.At - last, pointer);
        }
        _lineStarts ??= LineStarts();
        var found = _lineStarts.BinarySearch(item.At);
        var row = found >= 0 ? found : ~found - 1;
        return row < 0
            ? new Place(line, column + item.At, PointerOf(item))
            : new Place(line + row + 1, item.At - _lineStarts[row] + 1, PointerOf(item));
    }

    public string PointerOf(JsonItem item) => item.Parent is null
        ? pointer
        : PointerOf(item.Parent) + "/" + (item.Name is null ? FormattableString.Invariant($"{item.Index}") : Escape(item.Name));

    /// <summary>RFC 6901, 3.</summary>
    public static string Escape(string name) =>
        name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    private List<int> LineStarts()
    {
        var starts = new List<int>();
        var bytes = buffer.AsSpan(origin, length);
        for (var from = 0; bytes[from..].IndexOf((byte)'\n') is >= 0 and var next;)
        {
            from += next + 1;
            starts.Add(from);
        }
        return starts;
    }
}
