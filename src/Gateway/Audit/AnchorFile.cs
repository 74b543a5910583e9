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

    /// <summary>The notes in it, the oldest first.</summary>
    public static IEnumerable<string> Notes(string text)
    {
        for (var start = text.IndexOf(First, StringComparison.Ordinal); start >= 0;)
        {
            var next = text.IndexOf("\n" + First, start, StringComparison.Ordinal);
            var note = next < 0 ? text[start..] : text[start..(next + 1)];
            yield return note.TrimEnd('\n') + "\n";
            start = next < 0 ? -1 : next + 1;
        }
    }

    /// <summary>The last whole note; null when there is none.</summary>
    public async Task<string?> LastAsync(CancellationToken ct) =>
        File.Exists(Path) ? Notes(await TailAsync(ct)).LastOrDefault(n => n.Contains("\n\n— ", StringComparison.Ordinal)) : null;

    public async Task AppendAsync(string note, CancellationToken ct)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path)!);
        await using var file = new FileStream(Path, FileMode.Append, FileAccess.Write, FileShare.Read);
        await file.WriteAsync(Encoding.UTF8.GetBytes((file.Position > 0 ? "\n" : "") + note), ct);
        file.Flush(flushToDisk: true);
    }

    private async Task<string> TailAsync(CancellationToken ct)
    {
        const int Enough = 8192; // a note has about 400 bytes
        await using var file = new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        file.Seek(-Math.Min(Enough, file.Length), SeekOrigin.End);
        using var reader = new StreamReader(file, Encoding.UTF8);
        return await reader.ReadToEndAsync(ct);
    }
}
