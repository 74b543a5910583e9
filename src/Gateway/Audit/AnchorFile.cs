using System.Text;

namespace Gateway.Audit;

/// <summary>
/// Checkpoints outside the database, one after another, each on the disk before the next is written: what they say cannot be taken
/// back by whoever rules the database. What a crash left unfinished at its end is no checkpoint, and the next begins on a line of its own.
/// </summary>
public sealed class AnchorFile(string path)
{
    private const string First = "gateway audit checkpoint v1\n";

    public string Path { get; } = System.IO.Path.GetFullPath(path);

    /// <summary>The whole notes in it, the oldest first: each ends with the line of its signature.</summary>
    public static IEnumerable<string> Notes(string text)
    {
        for (var start = text.IndexOf(First, StringComparison.Ordinal); start >= 0;)
        {
            var next = text.IndexOf(First, start + First.Length, StringComparison.Ordinal);
            var signature = text.IndexOf("\n\n— ", start, StringComparison.Ordinal);
            var end = signature < 0 ? -1 : text.IndexOf('\n', signature + 2);
            if (end >= 0 && (next < 0 || end < next))
            {
                yield return text[start..(end + 1)];
            }
            start = next;
        }
    }

    /// <summary>The checkpoint that reaches farthest; null when there is none.</summary>
    public async Task<string?> LastAsync(CancellationToken ct) => File.Exists(Path)
        ? Notes(await TailAsync(ct)).Select(n => (Note: n, Said: Checkpoint.Parse(n))).Where(n => n.Said is not null).OrderBy(n => n.Said!.Epoch).ThenBy(n => n.Said!.Size).LastOrDefault().Note
        : null;

    public async Task AppendAsync(string note, CancellationToken ct)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path)!);
        await using var file = new FileStream(Path, FileMode.Append, FileAccess.Write, FileShare.Read);
        await file.WriteAsync(Encoding.UTF8.GetBytes((file.Position > 0 ? "\n" : "") + note), ct);
        file.Flush(flushToDisk: true);
    }

    private async Task<string> TailAsync(CancellationToken ct)
    {
        const int Enough = 1 << 18; // a note has about 400 bytes
        await using var file = new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        file.Seek(-Math.Min(Enough, file.Length), SeekOrigin.End);
        using var reader = new StreamReader(file, Encoding.UTF8);
        return await reader.ReadToEndAsync(ct);
    }
}
