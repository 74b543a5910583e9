using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

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

    private readonly ExportFolder _export;
    private readonly TrustedKeys _keys;
    private readonly List<TrailProblem> _problems = [];
    private readonly List<string> _notices = [];
    private readonly Dictionary<int, EpochRecord> _begun = []; // by the epoch that ended
    private readonly HashSet<string> _signed = [], _inOrder = []; // keys, and those of checkpoints so far
    private ExportedRecords _records = null!;
    private string? _lastSigner;
    private long _entries, _checkpoints;
    private Checkpoint? _last;
    private IReadOnlyList<ExportedEpoch> _epochs = [];

    private TrailVerifier(DirectoryInfo export, TrustedKeys keys) => (_export, _keys) = (new ExportFolder(export), keys);

    /// <param name="keys">Public keys that are trusted, as PEM; null: those in the export, which is right only when their numbers are compared with what is known.</param>
    /// <param name="anchors">Checkpoints that were kept elsewhere; null: those in the export.</param>
    /// <param name="receipts">What senders were given of their documents (<see cref="CaptureReceipt"/>); null: what is in the folder's <c>receipts</c>.</param>
    /// <exception cref="NoExportException">It is no export, or a key is none.</exception>
    public static TrailVerdict Verify(DirectoryInfo export, IReadOnlyList<string>? keys, string? anchors, IReadOnlyList<(string Name, string Note)>? receipts = null)
    {
        var trusted = new TrustedKeys();
        var folder = Path.Combine(export.FullName, TrailExport.Keys);
        foreach (var pem in keys ?? (Directory.Exists(folder) ? [.. Directory.EnumerateFiles(folder, "*.pem").Select(File.ReadAllText)] : []))
        {
            if (!trusted.Add(pem))
            {
                throw new NoExportException("A key is no public key on the curve P-256.");
            }
        }
        var verifier = new TrailVerifier(export, trusted);
        verifier.Run(anchors, receipts);
        return new TrailVerdict(verifier._epochs, verifier._entries, verifier._checkpoints, verifier._problems, verifier._notices, verifier._last, verifier._signed);
    }

    private void Run(string? anchors, IReadOnlyList<(string Name, string Note)>? receipts)
    {
        var head = _export.Head();
        _epochs = head.Epochs;
        if (_epochs.Count == 0)
        {
            Problem(0, null, null, "There is no sealed tree in it: nothing was sealed yet, or all of it was taken away.");
        }
        using var entries = new ExportReading(_export.Has(TrailExport.Entries) ? _export.PathOf(TrailExport.Entries) : throw new NoExportException($"{TrailExport.Entries} is missing."));
        using var records = _records = new ExportedRecords(_export, head, Problem);
        if (!head.HasDocuments)
        {
            _notices.Add("The original documents were not read when this was exported: whether one was changed is not known.");
        }
        if (!head.HasSignatures)
        {
            _notices.Add("The signatures as they are kept are not in this export: whether one was changed is not known.");
        }
        Trust(_export.Has(TrailExport.Replacements) ? _export.Lines(TrailExport.Replacements) : []);
        receipts ??= _export.Receipts();
        var outside = Outside(anchors, head.Origin);
        foreach (var (_, note) in receipts)
        {
            if (CaptureReceipt.Read(note.ReplaceLineEndings("\n"), _keys.Find, out _) is { } receipt)
            {
                records.Expect(receipt);
                // What a sender keeps is a root outside. One that was written after the export is not in it.
                if (receipt.Origin == head.Origin && head.Epochs.FirstOrDefault(e => e.Epoch == receipt.Epoch) is { } known && receipt.Size <= known.Size)
                {
                    outside.TryAdd((receipt.Epoch, receipt.Size), new Checkpoint(receipt.Origin, receipt.Epoch, receipt.Size, receipt.Root, receipt.Written, null, null));
                }
            }
        }
        using var notes = _export.CheckpointNotes().Select(n => (Note: n, Says: Checkpoint.Parse(n))).GetEnumerator();
        var more = (Entry: entries.MoveNext(), Note: notes.MoveNext());
        foreach (var epoch in head.Epochs)
        {
            Epoch(head, epoch, entries, notes, ref more, outside);
        }
        records.End();
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
        _notices.AddRange(records.CheckReceipts(receipts, _keys, _last));
        if (head.IsReadable || Directory.Exists(_export.PathOf(ReadableExport.Folder)))
        {
            foreach (var problem in ReadableExport.Problems(_export.Folder, head, _keys.Find, _lastSigner is null ? [] : [_lastSigner, _keys.SuccessorOf(_lastSigner)]))
            {
                Problem(0, null, null, problem);
            }
        }
        foreach (var line in _export.Lines(TrailExport.Unsealed))
        {
            Problem(0, null, ExportFolder.Parsed<UnsealedEntry>(line)?.Ord, "The entry is in the trail and in no leaf, though it is older than what is sealed: it was put in.");
        }
    }

    private void Epoch(ExportHead head, ExportedEpoch epoch, ExportReading entries, IEnumerator<(string Note, Checkpoint? Says)> notes, ref (bool Entry, bool Note) more, Dictionary<(int, long), Checkpoint> outside)
    {
        var frontier = new MerkleFrontier();
        Add(frontier, epoch.Epoch, epoch.Left, 0, epoch.From);
        string? before = null;
        var proved = frontier.Size; // up to where the last root was right
        var isWhole = false; // the newest root that the head tells of was made from these leaves, and is signed
        Compare(ref more);
        while (more.Entry && frontier.Size < epoch.To)
        {
            if (!entries.TryRead(out var entry))
            {
                Problem(epoch.Epoch, frontier.Size, null, $"Line {entries.Line} of {TrailExport.Entries} is no entry.");
                more.Entry = entries.MoveNext();
                break;
            }
            if (entry.Epoch != epoch.Epoch)
            {
                break;
            }
            if (entry.Leaf != frontier.Size)
            {
                Problem(epoch.Epoch, frontier.Size, null, $"Leaf {frontier.Size} is missing: leaf {entry.Leaf} (entry {entry.Ord}) follows leaf {frontier.Size - 1}.");
                break;
            }
            var hash = entry.Hash.Length == MerkleTree.HashBytes ? entry.Hash.ToArray() : MerkleTree.EmptyRoot;
            Check(entry, hash);
            frontier.Add(hash);
            _entries++;
            more.Entry = entries.MoveNext();
            Compare(ref more);
        }
        if (frontier.Size < epoch.To)
        {
            Problem(epoch.Epoch, frontier.Size, null, $"The entries of epoch {epoch.Epoch} end before leaf {frontier.Size}, and {epoch.To} were to be there.");
            while (more.Entry && (!entries.TryRead(out var rest) || rest.Epoch == epoch.Epoch))
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
                if (notes.Current.Says is { } next && next.Epoch == epoch.Epoch && next.Size > frontier.Size && !isEnd)
                {
                    return;
                }
                var note = notes.Current.Note;
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
                    if (_keys.SuccessorOf(SignedNote.NamedSigner(note)) is { } successor && _inOrder.Contains(successor))
                    {
                        Problem(epoch.Epoch, null, null, $"The checkpoint of {checkpoint.Size} leaves was signed with the key {SignedNote.NamedSigner(note)} after the key {successor} had replaced it.");
                    }
                    _lastSigner = SignedNote.NamedSigner(note);
                    _inOrder.Add(_lastSigner);
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

    private void Check(in ReadEntry entry, byte[] hash)
    {
        if (!entry.IsThere || entry.Columns.Length == 0)
        {
            Problem(entry.Epoch, entry.Leaf, entry.Ord, "The entry is gone.");
            return;
        }
        if (!MerkleTree.LeafHash(entry.Canonical).AsSpan().SequenceEqual(hash))
        {
            Problem(entry.Epoch, entry.Leaf, entry.Ord, "The entry does not have the bytes that were sealed.");
            return;
        }
        // Written by the same function, they are the same bytes; entries from before their number was sealed are not.
        if (!entry.Columns.SequenceEqual(entry.Canonical) && !SaysTheSame(entry.Canonical, entry.Columns))
        {
            Problem(entry.Epoch, entry.Leaf, entry.Ord, "The entry's columns do not say what was sealed.");
            return;
        }
        var isRenumbered = entry.Canonical.IndexOf(Number(entry.Ord)) < 0 && entry.Canonical.IndexOf("\"ord\":"u8) >= 0;
        if (entry.Leaf == 0 || isRenumbered || entry.Canonical.IndexOf("\"entity\":\"capture\""u8) >= 0 || entry.Canonical.IndexOf("\"entity\":\"signature\""u8) >= 0)
        {
            try
            {
                using var canonical = JsonDocument.Parse(entry.Canonical.ToArray());
                if (isRenumbered && canonical.RootElement.TryGetProperty("ord", out var number) && number.GetInt64() != entry.Ord)
                {
                    Problem(entry.Epoch, entry.Leaf, entry.Ord, $"The entry was sealed as number {number.GetInt64()}.");
                }
                CheckRecord(entry, canonical.RootElement);
            }
            catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
            {
                Problem(entry.Epoch, entry.Leaf, entry.Ord, "The entry is not as the gateway writes entries.");
            }
        }

        static byte[] Number(long ord) => Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"\"ord\":{ord},"));
    }

    /// <summary>What an entry says of something that is kept outside the trail.</summary>
    private void CheckRecord(in ReadEntry entry, JsonElement said)
    {
        var entity = said.GetProperty("entity").GetString();
        if (entity == "audit_epoch" && entry.Leaf == 0 && said.GetProperty("new").Deserialize<EpochRecord>(JsonSerializerOptions.Web) is { } begun && begun.Epoch == entry.Epoch)
        {
            _begun[begun.PreviousEpoch] = begun with { At = said.GetProperty("at").GetString(), Actor = said.GetProperty("actorName").GetString(), Reason = said.GetProperty("reason").GetString() };
        }
        _records.Check(entry, said);
    }

    // Spelled in another way, or sealed before the number was.
    private static bool SaysTheSame(ReadOnlySpan<byte> canonical, ReadOnlySpan<byte> columns)
    {
        try
        {
            var (sealedNode, now) = (JsonNode.Parse(canonical) as JsonObject, JsonNode.Parse(columns) as JsonObject);
            if (sealedNode is null || now is null)
            {
                return false;
            }
            if (!sealedNode.ContainsKey("ord"))
            {
                now.Remove("ord");
            }
            return JsonNode.DeepEquals(sealedNode, now);
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            return false; // no JSON, a name twice, or no UTF-8
        }
    }

    /// <summary>Keys that took over: each was announced by a leaf of a tree that the key before it signed.</summary>
    private void Trust(IEnumerable<string> lines)
    {
        foreach (var line in lines)
        {
            if (!_keys.Follow(ExportFolder.Parsed<KeyReplacement>(line)))
            {
                Problem(0, null, null, $"A line of {TrailExport.Replacements} does not prove that a key was replaced by the one it names.");
            }
        }
    }

    /// <summary>The first leaf of an epoch that began after a restore: see <see cref="BeginEpoch"/>.</summary>
    private sealed record EpochRecord(int Epoch, int PreviousEpoch, long PreviousSize, int? OutsideEpoch, long? OutsideSize, byte[]? OutsideRoot, string? At, string? Actor, string? Reason);

    private sealed record UnsealedEntry(long? Ord);

    private Checkpoint? Believed(string note, out string? wrong)
    {
        string? by = null;
        var checkpoint = Checkpoint.Read(note, id => _keys.Find(by = id), out wrong);
        if (checkpoint is not null)
        {
            _signed.Add(by!);
        }
        return checkpoint;
    }

    private Dictionary<(int, long), Checkpoint> Outside(string? anchors, Guid origin)
    {
        var known = new Dictionary<(int, long), Checkpoint>();
        foreach (var note in AnchorFile.Notes((anchors ?? (_export.Has(TrailExport.Anchors) ? File.ReadAllText(_export.PathOf(TrailExport.Anchors)) : "")).ReplaceLineEndings("\n")))
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

    private void Problem(int epoch, long? leaf, long? ord, string message)
    {
        if (_problems.Count < MaxProblems)
        {
            _problems.Add(new TrailProblem(epoch, leaf, ord, message));
        }
    }
}
