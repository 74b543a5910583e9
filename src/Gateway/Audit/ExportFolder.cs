using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Gateway.Audit;

/// <summary>The files of an export (<see cref="TrailExport"/>) as they are read to be verified, except the entries: see <see cref="ExportReading"/>.</summary>
internal sealed class ExportFolder(DirectoryInfo folder)
{
    private const int MaxNote = 1 << 16;

    // What is spelled wrongly in the head would otherwise be taken for not said.
    private static readonly JsonSerializerOptions s_strict = new(JsonSerializerOptions.Web) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow };

    public DirectoryInfo Folder { get; } = folder;

    public string PathOf(string file) => Path.Combine(Folder.FullName, file);

    public bool Has(string file) => File.Exists(PathOf(file));

    /// <exception cref="NoExportException">There is none, or it cannot be one.</exception>
    public ExportHead Head()
    {
        try
        {
            var head = JsonSerializer.Deserialize<ExportHead>(File.ReadAllText(PathOf(TrailExport.Head)), s_strict);
            var isRight = head is { Format: ExportHead.V1, Epochs: not null }
                && head.Epochs.All(e => e is { From: >= 0, Left: not null, Right: not null } && e.From <= e.To && e.To <= e.Size && e.Left.Concat(e.Right).All(h => h is { Length: MerkleTree.HashBytes }))
                && head.Epochs.Zip(head.Epochs.Skip(1)).All(e => e.First.Epoch < e.Second.Epoch);
            return isRight ? head! : throw new NoExportException($"{Folder.FullName} is no export that this program can read.");
        }
        catch (Exception e) when (e is IOException or JsonException or UnauthorizedAccessException)
        {
            throw new NoExportException($"{Folder.FullName} is no finished export: {TrailExport.Head} is missing or damaged.", e);
        }
    }

    /// <exception cref="NoExportException">It is not there.</exception>
    public IEnumerable<string> Lines(string file, bool keepEmpty = false) =>
        Has(file) ? File.ReadLines(PathOf(file)).Where(l => keepEmpty || l.Length > 0) : throw new NoExportException($"{file} is missing.");

    /// <summary>The checkpoints one after the other, as they were signed.</summary>
    /// <exception cref="NoExportException">There is text among them that is no checkpoint.</exception>
    public IEnumerable<string> CheckpointNotes()
    {
        var note = new StringBuilder();
        foreach (var line in Lines(TrailExport.Checkpoints, keepEmpty: true))
        {
            note.Append(line).Append('\n');
            if (note.Length > MaxNote)
            {
                throw new NoExportException($"{TrailExport.Checkpoints} has text that is no checkpoint.");
            }
            if (line.StartsWith("— ", StringComparison.Ordinal))
            {
                yield return note.ToString();
                note.Clear();
            }
            else if (note.Length == 1)
            {
                note.Clear(); // between two notes
            }
        }
        if (note.Length > 0)
        {
            yield return note.ToString();
        }
    }

    /// <summary>What senders have put into it.</summary>
    public IReadOnlyList<(string Name, string Note)> Receipts() =>
        Directory.Exists(PathOf(TrailExport.Receipts)) ? [.. Directory.EnumerateFiles(PathOf(TrailExport.Receipts)).Order(StringComparer.Ordinal).Select(f => (Path.GetFileName(f), File.ReadAllText(f)))] : [];

    /// <returns>Null when the line is nothing of the kind.</returns>
    public static T? Parsed<T>(string line)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize<T>(line, JsonSerializerOptions.Web);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
