namespace Gateway.Intake;

/// <summary>One record of a file, as its reader found it: names with texts, and where it stands.</summary>
/// <param name="row">Line, element or message, counted from 1 as its format counts.</param>
/// <param name="kind">What rules call it: a record type, a path of elements, a message type; <c>row</c> where all are alike.</param>
/// <param name="header">What the file says before it, or around it.</param>
internal sealed class SourceRecord(int row, string kind, IReadOnlyDictionary<string, string> header)
{
    public int Row { get; } = row;
    public string Kind { get; } = kind;
    public IReadOnlyDictionary<string, string> Header { get; } = header;
    public Dictionary<string, string> Values { get; } = new(StringComparer.Ordinal);

    /// <summary>Members that hold several texts.</summary>
    public Dictionary<string, IReadOnlyList<string>>? Lists { get; set; }

    /// <summary>The record that it stands in; null where nothing nests.</summary>
    public SourceRecord? Parent { get; init; }

    /// <summary>Taken off each time that the record says: device minus gateway.</summary>
    public TimeSpan ClockOffset { get; init; }

    /// <summary>Why it cannot be read at all; null when it can.</summary>
    public IntakeFault? Fault { get; init; }
}

/// <summary>
/// Where a mapping finds a text: <c>Name</c> of the record, <c>header.Name</c>, <c>parent.Name</c> of the record around it, <c>'a constant'</c>;
/// several with <c>|</c> between them, of which the first that is filled counts.
/// </summary>
internal sealed class Source
{
    private readonly (char Kind, string Name)[] _from;

    private Source((char, string)[] from) => _from = from;

    /// <returns>Null when the text names nothing.</returns>
    public static Source? Parse(string text)
    {
        var from = text.Split('|').Select(t => t.Trim()).Select(t =>
            t is ['\'', .., '\''] and { Length: >= 2 } ? ('=', t[1..^1])
            : t.StartsWith("header.", StringComparison.Ordinal) ? ('h', t["header.".Length..])
            : t.StartsWith("parent.", StringComparison.Ordinal) ? ('p', t["parent.".Length..])
            : ('r', t)).ToArray();
        return from.All(f => f.Item1 == '=' || f.Item2.Length > 0) ? new Source(from) : null;
    }

    /// <summary>The text; null when nothing is there, or nothing but blanks.</summary>
    public string? Of(SourceRecord record)
    {
        foreach (var (kind, name) in _from)
        {
            var text = kind switch
            {
                '=' => name,
                'h' => record.Header.GetValueOrDefault(name),
                'p' => record.Parent?.Values.GetValueOrDefault(name),
                _ => record.Values.GetValueOrDefault(name),
            };
            if (!string.IsNullOrWhiteSpace(text))
            {
                return text.Trim();
            }
        }
        return null;
    }
}
