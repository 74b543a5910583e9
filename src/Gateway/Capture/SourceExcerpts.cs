using System.Text;

namespace Gateway.Capture;

/// <summary>A part of a line of a document.</summary>
/// <param name="FirstColumn">The column (1-based) of the first character of <paramref name="Text"/>.</param>
public sealed record SourceLine(int Number, int FirstColumn, string Text, bool CutBefore, bool CutAfter);

/// <summary>The lines of a document that findings point at, with a few lines around each.</summary>
public sealed class SourceExcerpts
{
    /// <summary>Characters shown of one line, around the place. A JSON document may be one line of a hundred megabytes.</summary>
    public const int MaxWidth = 160;

    /// <summary>Characters read before giving up: a page must not cost a minute.</summary>
    public const long MaxCharacters = 64L << 20;

    /// <summary>Lines shown before and after the place.</summary>
    public const int Around = 2;

    /// <summary>With more places than this, each shows its own line only.</summary>
    public const int MaxWithAround = 100;

    public static readonly SourceExcerpts None = new(0);

    private readonly int _around;
    private readonly Dictionary<(int Line, int First), SourceLine> _lines = [];

    private SourceExcerpts(int around) => _around = around;

    /// <summary>The lines around a place, in order; none when the document was not read that far.</summary>
    public IReadOnlyList<SourceLine> At(int line, int column)
    {
        var first = FirstOf(column);
        return !_lines.ContainsKey((line, first))
            ? []
            : [.. Enumerable.Range(line - _around, 2 * _around + 1).Where(n => _lines.ContainsKey((n, first))).Select(n => _lines[(n, first)])];
    }

    /// <param name="places">Line and column, from 1; a line of 0 is no place.</param>
    public static async Task<SourceExcerpts> ReadAsync(Stream document, IEnumerable<(int Line, int Column)> places, CancellationToken ct)
    {
        using var text = new StreamReader(document, Encoding.UTF8, detectEncodingFromByteOrderMarks: true, 1 << 16, leaveOpen: true);
        return await ReadAsync(text, places, ct);
    }

    public static async Task<SourceExcerpts> ReadAsync(TextReader text, IEnumerable<(int Line, int Column)> places, CancellationToken ct)
    {
        var wanted = places.Where(p => p.Line > 0).Distinct().ToList();
        var excerpts = new SourceExcerpts(wanted.Count > MaxWithAround ? 0 : Around);
        await excerpts.CutAsync(text, new Queue<Cut>(wanted
            .SelectMany(p => Enumerable.Range(p.Line - excerpts._around, 2 * excerpts._around + 1).Select(line => (Line: line, First: FirstOf(p.Column))))
            .Where(c => c.Line > 0).Distinct().Order().Select(c => new Cut(c.Line, c.First))), ct);
        return excerpts;
    }

    // Cuts of one line may overlap, as many findings in a document of one line do, so several are open at once.
    private async Task CutAsync(TextReader text, Queue<Cut> wanted, CancellationToken ct)
    {
        var open = new List<Cut>();
        var buffer = new char[1 << 14];
        int line = 1, column = 1;
        long seen = 0;
        while ((wanted.Count > 0 || open.Count > 0) && seen < MaxCharacters)
        {
            var read = await text.ReadAsync(buffer, ct);
            for (var i = 0; i < read && (wanted.Count > 0 || open.Count > 0); i++)
            {
                while (wanted.TryPeek(out var next) && next.Line == line && next.First <= column)
                {
                    open.Add(wanted.Dequeue());
                }
                if (buffer[i] == '\n')
                {
                    EndLine(line);
                    (line, column) = (line + 1, 1);
                    continue;
                }
                if (buffer[i] != '\r')
                {
                    Append(buffer[i]);
                }
                column++;
            }
            seen += read;
            if (read == 0)
            {
                EndLine(line);
                return;
            }
        }

        void Append(char c)
        {
            for (var n = open.Count - 1; n >= 0; n--)
            {
                if (open[n].Text.Length == MaxWidth)
                {
                    Keep(open[n], cutAfter: true);
                    open.RemoveAt(n);
                }
                else
                {
                    open[n].Text.Append(c);
                }
            }
        }

        // A line that ends before its cut begins is shown without text: its number still tells where one is.
        void EndLine(int number)
        {
            while (wanted.TryPeek(out var missed) && missed.Line == number)
            {
                open.Add(wanted.Dequeue());
            }
            open.ForEach(cut => Keep(cut, cutAfter: false));
            open.Clear();
        }
    }

    private void Keep(Cut cut, bool cutAfter) =>
        _lines[(cut.Line, cut.First)] = new SourceLine(cut.Line, cut.First, cut.Text.ToString(), cut.First > 1, cutAfter);

    private static int FirstOf(int column) => Math.Max(1, column - MaxWidth / 2);

    private sealed record Cut(int Line, int First)
    {
        public StringBuilder Text { get; } = new();
    }
}
