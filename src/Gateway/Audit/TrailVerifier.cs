using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Gateway.Audit;

/// <summary>Something that is not as it was sealed.</summary>
/// <param name="Leaf">The place of the entry in its epoch; null when it is about no single entry.</param>
/// <param name="Ord">The number of the entry; null likewise.</param>
public sealed record TrailProblem(int Epoch, long? Leaf, long? Ord, string Message);

/// <param name="Problems">The first that were found, in the order of leaves.</param>
/// <param name="Notices">What was lost and said to be lost: sentences that a person should read.</param>
/// <param name="Last">The newest checkpoint that was verified.</param>
/// <param name="Keys">The keys that signed, by their numbers.</param>
public sealed record TrailVerdict(IReadOnlyList<ExportedEpoch> Epochs, long Entries, long Checkpoints, IReadOnlyList<TrailProblem> Problems, IReadOnlyList<string> Notices, Checkpoint? Last, IReadOnlyCollection<string> Keys)
{
    public bool IsSound => Problems.Count == 0;
}

/// <summary>The folder is no export that this program can read; the message is a sentence.</summary>
public sealed class NoExportException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// Verifies an export (<see cref="TrailExport"/>) by its files and keys alone, in memory that does not grow with its entries: each has the
/// bytes that were sealed and says in its columns what they say, no leaf is missing, and each signed root is that of the leaves.
/// </summary>
public sealed class TrailVerifier
{
    /// <summary>More are not kept.</summary>
    public const int MaxProblems = 100;

    private readonly DirectoryInfo _export;
    private readonly Dictionary<string, ECDsa> _keys;
    private readonly List<TrailProblem> _problems = [];
    private readonly List<string> _notices = [];
    private readonly Dictionary<int, EpochRecord> _begun = []; // by the epoch that ended
    private readonly HashSet<string> _signed = [];
    private long _entries, _checkpoints;
    private Checkpoint? _last;
    private IReadOnlyList<ExportedEpoch> _epochs = [];

    private TrailVerifier(DirectoryInfo export, Dictionary<string, ECDsa> keys) => (_export, _keys) = (export, keys);

    /// <param name="keys">Public keys that are trusted, as PEM; null: those in the export, which is right only when their numbers are compared with what is known.</param>
    /// <param name="anchors">Checkpoints that were kept elsewhere; null: those in the export.</param>
    /// <exception cref="NoExportException">It is no export, or a key is none.</exception>
    public static TrailVerdict Verify(DirectoryInfo export, IReadOnlyList<string>? keys, string? anchors)
    {
        var trusted = new Dictionary<string, ECDsa>();
        var folder = Path.Combine(export.FullName, TrailExport.Keys);
        foreach (var pem in keys ?? (Directory.Exists(folder) ? [.. Directory.EnumerateFiles(folder, "*.pem").Select(File.ReadAllText)] : []))
        {
            var key = SealKey.ReadPublic(pem) ?? throw new NoExportException("A key is no public key on the curve P-256.");
            trusted[SealKey.IdOf(key)] = key;
        }
        var verifier = new TrailVerifier(export, trusted);
        verifier.Run(anchors);
        return new TrailVerdict(verifier._epochs, verifier._entries, verifier._checkpoints, verifier._problems, verifier._notices, verifier._last, verifier._signed);
    }

    private void Run(string? anchors)
    {
        var head = Head();
        _epochs = head.Epochs;
        using var entries = Lines(TrailExport.Entries).GetEnumerator();
        using var notes = Notes().GetEnumerator();
        var more = (Entry: entries.MoveNext(), Note: notes.MoveNext());
        var outside = Outside(anchors, head.Origin);
        foreach (var epoch in head.Epochs)
        {
            Epoch(head, epoch, entries, notes, ref more, outside);
        }
        if (more.Entry)
        {
            Problem(0, null, null, "There are entries after the last that the export's head tells of, or they are out of order.");
        }
        if (more.Note)
        {
            Problem(0, null, null, "There are checkpoints after the last that the export's head tells of, or they are out of order.");
        }
        foreach (var lost in _begun.Values.OrderBy(b => b.Epoch))
        {
            _notices.Add($"Epoch {lost.Epoch} began at {lost.At}: of epoch {lost.PreviousEpoch} the database has {lost.PreviousSize} leaves{(lost.OutsideSize is { } known ? $", and {known} were known outside" : "")}. {lost.Actor}: {lost.Reason}");
        }
        // What is left was not seen. Before what the export begins with it need not be.
        foreach (var (at, checkpoint) in outside.Where(o => !IsToldLost(o.Value)).Where(o => head.Epochs.FirstOrDefault(e => e.Epoch == o.Key.Item1) is not { } e || o.Key.Item2 >= e.From).OrderBy(o => o.Key))
        {
            Problem(checkpoint.Epoch, null, null, $"Outside there is a checkpoint of {at.Item2} leaves, signed at {checkpoint.Time:O}, that the export does not have: the trail was cut or made anew.");
        }
        foreach (var line in Lines(TrailExport.Unsealed))
        {
            using var entry = Parsed(line);
            Problem(0, null, entry?.RootElement is { ValueKind: JsonValueKind.Object } said && said.TryGetProperty("ord", out var ord) && ord.TryGetInt64(out var number) ? number : null, "The entry is in the trail and in no leaf, though it is older than what is sealed: it was put in.");
        }
    }

    private ExportHead Head()
    {
        try
        {
            var head = JsonSerializer.Deserialize<ExportHead>(File.ReadAllText(Path.Combine(_export.FullName, TrailExport.Head)), JsonSerializerOptions.Web);
            var isRight = head is { Format: ExportHead.V1, Epochs.Count: > 0 }
                && head.Epochs.All(e => e is { From: >= 0, Left: not null, Right: not null } && e.From <= e.To && e.To <= e.Size && e.Left.Concat(e.Right).All(h => h is { Length: MerkleTree.HashBytes }))
                && head.Epochs.Zip(head.Epochs.Skip(1)).All(e => e.First.Epoch < e.Second.Epoch);
            return isRight ? head! : throw new NoExportException($"{_export.FullName} is no export that this program can read.");
        }
        catch (Exception e) when (e is IOException or JsonException or UnauthorizedAccessException)
        {
            throw new NoExportException($"{_export.FullName} is no finished export: {TrailExport.Head} is missing or damaged.", e);
        }
    }

    private void Epoch(ExportHead head, ExportedEpoch epoch, IEnumerator<string> entries, IEnumerator<string> notes, ref (bool Entry, bool Note) more, Dictionary<(int, long), Checkpoint> outside)
    {
        var frontier = new MerkleFrontier();
        Add(frontier, epoch.Epoch, epoch.Left, 0, epoch.From);
        string? before = null;
        var proved = frontier.Size; // up to where the last root was right
        var isWhole = false; // the newest root that the head tells of was made from these leaves, and is signed
        Compare(ref more);
        while (more.Entry && Read(entries.Current) is { } entry && entry.Epoch == epoch.Epoch && frontier.Size < epoch.To)
        {
            if (entry.Leaf != frontier.Size)
            {
                Problem(epoch.Epoch, frontier.Size, null, $"Leaf {frontier.Size} is missing: leaf {entry.Leaf} (entry {entry.Ord}) follows leaf {frontier.Size - 1}.");
                break;
            }
            Check(entry);
            frontier.Add(entry.Hash.Length == MerkleTree.HashBytes ? entry.Hash : MerkleTree.EmptyRoot);
            _entries++;
            more.Entry = entries.MoveNext();
            Compare(ref more);
        }
        if (frontier.Size < epoch.To)
        {
            Problem(epoch.Epoch, frontier.Size, null, $"The entries of epoch {epoch.Epoch} end before leaf {frontier.Size}, and {epoch.To} were to be there.");
            while (more.Entry && Read(entries.Current)?.Epoch == epoch.Epoch)
            {
                more.Entry = entries.MoveNext();
            }
        }
        else
        {
            Add(frontier, epoch.Epoch, epoch.Right, epoch.To, epoch.Size);
            Compare(ref more, isEnd: true);
        }

        // Each signed root where the leaves have come so far; past the exported leaves only the newest can be made.
        void Compare(ref (bool Entry, bool Note) more, bool isEnd = false)
        {
            while (more.Note)
            {
                if (Checkpoint.Parse(notes.Current) is { } next && next.Epoch == epoch.Epoch && next.Size > frontier.Size && !isEnd)
                {
                    return;
                }
                var note = notes.Current;
                if (Believed(note, out var wrong) is not { } checkpoint)
                {
                    Problem(epoch.Epoch, null, null, $"A checkpoint is not to be believed. {wrong}");
                }
                else if (checkpoint.Epoch != epoch.Epoch)
                {
                    return;
                }
                else
                {
                    _checkpoints++;
                    if (checkpoint.Origin != head.Origin)
                    {
                        Problem(epoch.Epoch, null, null, $"The checkpoint of {checkpoint.Size} leaves is of another installation.");
                    }
                    if (before is null ? epoch.From == 0 && checkpoint.Previous is not null : checkpoint.Previous?.AsSpan().SequenceEqual(SHA256.HashData(Encoding.UTF8.GetBytes(before))) != true)
                    {
                        Problem(epoch.Epoch, null, null, $"The checkpoint of {checkpoint.Size} leaves does not name the one before it.");
                    }
                    if (checkpoint.Size == frontier.Size && !checkpoint.Root.AsSpan().SequenceEqual(frontier.Root()))
                    {
                        Problem(epoch.Epoch, proved, null, $"The leaves from {proved} up to {checkpoint.Size - 1} do not have the root that was signed at {checkpoint.Time:O}.");
                    }
                    else if (checkpoint.Size < frontier.Size && !isEnd)
                    {
                        Problem(epoch.Epoch, null, null, $"The checkpoint of {checkpoint.Size} leaves is out of order.");
                    }
                    if (outside.Remove((epoch.Epoch, checkpoint.Size), out var kept) && !kept.Root.AsSpan().SequenceEqual(checkpoint.Root))
                    {
                        Problem(epoch.Epoch, null, null, $"The checkpoint of {checkpoint.Size} leaves has another root than the one that is kept outside.");
                    }
                    isWhole |= checkpoint.Size == epoch.Size && checkpoint.Size == frontier.Size && checkpoint.Root.AsSpan().SequenceEqual(frontier.Root());
                    (proved, _last, before) = (checkpoint.Size, checkpoint, note);
                }
                more.Note = notes.MoveNext();
            }
            if (isEnd && !isWhole)
            {
                Problem(epoch.Epoch, proved, null, $"There is no checkpoint that these leaves make up to leaf {epoch.Size - 1}, where the export ends.");
            }
        }
    }

    // A record of the next epoch says up to where more, or something else, was known than the restored database has.
    private bool IsToldLost(Checkpoint checkpoint) => _begun.TryGetValue(checkpoint.Epoch, out var lost) && lost.OutsideEpoch == checkpoint.Epoch
        && (checkpoint.Size < lost.OutsideSize || checkpoint.Size == lost.OutsideSize && checkpoint.Root.AsSpan().SequenceEqual(lost.OutsideRoot));

    private void Add(MerkleFrontier frontier, int epoch, IReadOnlyList<byte[]> subtrees, long from, long to)
    {
        var places = MerkleFrontier.PlacesOf(from, to).ToList();
        if (places.Count != subtrees.Count || subtrees.Any(s => s.Length != MerkleTree.HashBytes))
        {
            throw new NoExportException($"The head of the export does not have the subtrees of the leaves from {from} to {to} of epoch {epoch}.");
        }
        foreach (var (place, root) in places.Zip(subtrees))
        {
            frontier.Add(place.Height, root);
        }
    }

    private void Check(ExportedEntry entry)
    {
        if (entry.Canonical is null || entry.Columns is not { } columns)
        {
            Problem(entry.Epoch, entry.Leaf, entry.Ord, "The entry is gone.");
            return;
        }
        if (!MerkleTree.LeafHash(entry.Canonical).AsSpan().SequenceEqual(entry.Hash))
        {
            Problem(entry.Epoch, entry.Leaf, entry.Ord, "The entry does not have the bytes that were sealed.");
            return;
        }
        using var canonical = Parsed(entry.Canonical);
        if (canonical is null || !JsonElement.DeepEquals(canonical.RootElement, columns))
        {
            Problem(entry.Epoch, entry.Leaf, entry.Ord, "The entry's columns do not say what was sealed.");
            return;
        }
        if (entry.Leaf == 0 && canonical.RootElement.TryGetProperty("entity", out var entity) && entity.GetString() == "audit_epoch"
            && canonical.RootElement.GetProperty("new").Deserialize<EpochRecord>(JsonSerializerOptions.Web) is { } begun && begun.Epoch == entry.Epoch)
        {
            var said = canonical.RootElement;
            _begun[begun.PreviousEpoch] = begun with { At = said.GetProperty("at").GetString(), Actor = said.GetProperty("actorName").GetString(), Reason = said.GetProperty("reason").GetString() };
        }
    }

    /// <summary>The first leaf of an epoch that began after a restore: see <see cref="BeginEpoch"/>.</summary>
    private sealed record EpochRecord(int Epoch, int PreviousEpoch, long PreviousSize, int? OutsideEpoch, long? OutsideSize, byte[]? OutsideRoot, string? At, string? Actor, string? Reason);

    private Checkpoint? Believed(string note, out string? wrong)
    {
        string? by = null;
        var checkpoint = Checkpoint.Read(note, id => _keys.GetValueOrDefault(by = id), out wrong);
        if (checkpoint is not null)
        {
            _signed.Add(by!);
        }
        return checkpoint;
    }

    private Dictionary<(int, long), Checkpoint> Outside(string? anchors, Guid origin)
    {
        var path = Path.Combine(_export.FullName, TrailExport.Anchors);
        var known = new Dictionary<(int, long), Checkpoint>();
        foreach (var note in AnchorFile.Notes((anchors ?? (File.Exists(path) ? File.ReadAllText(path) : "")).ReplaceLineEndings("\n")))
        {
            // Whoever kept it himself believes it, whichever key the folder has. Of the folder's own, what nobody who is trusted signed says nothing.
            if ((anchors is null ? Believed(note, out _) : Checkpoint.Parse(note)) is { } checkpoint && (anchors is not null || checkpoint.Origin == origin))
            {
                known[(checkpoint.Epoch, checkpoint.Size)] = checkpoint;
                if (checkpoint.Origin != origin)
                {
                    Problem(checkpoint.Epoch, null, null, $"The checkpoint of {checkpoint.Size} leaves that was kept elsewhere is of another installation.");
                }
            }
        }
        if (anchors is not null && known.Count == 0)
        {
            Problem(0, null, null, "What was kept elsewhere has no checkpoint.");
        }
        return known;
    }

    private IEnumerable<string> Notes()
    {
        var note = new StringBuilder();
        foreach (var line in Lines(TrailExport.Checkpoints, keepEmpty: true))
        {
            note.Append(line).Append('\n');
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

    private IEnumerable<string> Lines(string file, bool keepEmpty = false)
    {
        var path = Path.Combine(_export.FullName, file);
        return File.Exists(path) ? File.ReadLines(path).Where(l => keepEmpty || l.Length > 0) : throw new NoExportException($"{file} is missing.");
    }

    private static ExportedEntry? Read(string line)
    {
        try
        {
            return JsonSerializer.Deserialize<ExportedEntry>(line, JsonSerializerOptions.Web) is { Hash: not null } entry ? entry : throw new JsonException("Its hash is missing.");
        }
        catch (JsonException e)
        {
            throw new NoExportException($"A line of {TrailExport.Entries} cannot be read. {e.Message}", e);
        }
    }

    private static JsonDocument? Parsed(string json) => Parsed(Encoding.UTF8.GetBytes(json));

    private static JsonDocument? Parsed(byte[] json)
    {
        try
        {
            return JsonDocument.Parse(json);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private void Problem(int epoch, long? leaf, long? ord, string message)
    {
        if (_problems.Count < MaxProblems)
        {
            _problems.Add(new TrailProblem(epoch, leaf, ord, message));
        }
    }
}
