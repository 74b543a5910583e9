using System.Text.Json;

namespace Gateway.Audit;

/// <summary>
/// What stands beside the trail in an export, compared with what its entries say: documents as they are stored now, documents themselves,
/// signatures as they are kept, and receipts that senders were given. They come in the order of the entries, so nothing of them is kept.
/// </summary>
internal sealed class ExportedRecords : IDisposable
{
    // A document that was received so long ago is decided, and its entry sealed.
    private static readonly TimeSpan s_decided = TimeSpan.FromDays(1);

    private readonly ExportFolder _export;
    private readonly ExportHead _head;
    private readonly Action<int, long?, long?, string> _problem;
    private readonly IEnumerator<string>? _documents, _signatures;
    private readonly Dictionary<string, (string Sha256, long? Length)?> _received = []; // by capture, of those that there are receipts of
    private long _originals;

    /// <param name="problem">Told of each: epoch, leaf, entry, sentence.</param>
    public ExportedRecords(ExportFolder export, ExportHead head, Action<int, long?, long?, string> problem)
    {
        (_export, _head, _problem) = (export, head, problem);
        _documents = head.HasDocuments ? export.Lines(TrailExport.Documents).GetEnumerator() : null;
        _signatures = head.HasSignatures ? export.Lines(TrailExport.Signatures).GetEnumerator() : null;
    }

    /// <summary>What the trail says of this receipt's document is looked out for.</summary>
    public void Expect(CaptureReceipt receipt) => _received[receipt.Capture.ToString()] = null;

    /// <param name="said">What the entry says, which was sealed.</param>
    /// <exception cref="Exception">It is not as the gateway writes entries: of the kinds that reading JSON throws.</exception>
    public void Check(in ReadEntry entry, JsonElement said)
    {
        var entity = said.GetProperty("entity").GetString();
        if (entity == "capture" && said.GetProperty("new") is { ValueKind: JsonValueKind.Object } captured && captured.TryGetProperty("sha256", out var sha256))
        {
            CheckDocument(entry, said.GetProperty("key").GetString()!, captured, sha256.GetString()!);
        }
        else if (entity == "signature" && said.GetProperty("action").GetString() == "insert" && _signatures is not null)
        {
            var signature = _signatures.MoveNext() ? ExportFolder.Parsed<ExportedSignature>(_signatures.Current) : null;
            if (signature?.Ord != entry.Ord)
            {
                Problem(entry, "What its signature is now is not in the export.");
            }
            else if (signature.Record is not { ValueKind: JsonValueKind.Object } record)
            {
                Problem(entry, "The signature is gone.");
            }
            else if (!JsonElement.DeepEquals(record, said.GetProperty("new")))
            {
                Problem(entry, "The signature is not the one that was given.");
            }
        }
    }

    /// <summary>When all entries were read: what none of them tells of.</summary>
    public void End()
    {
        if (_documents?.MoveNext() == true)
        {
            _problem(0, null, null, "There are documents that no entry tells of, or they are out of order.");
        }
        if (_signatures?.MoveNext() == true)
        {
            _problem(0, null, null, "There are signatures that no entry tells of, or they are out of order.");
        }
        var originals = _export.PathOf(TrailExport.Originals);
        if (Directory.Exists(originals) && (!_head.HasOriginals || Directory.EnumerateFileSystemEntries(originals).LongCount() != _originals))
        {
            _problem(0, null, null, $"There are files in {TrailExport.Originals} that no entry tells of.");
        }
    }

    /// <summary>When all entries were read: what was received then is what the trail says.</summary>
    /// <param name="last">The newest checkpoint.</param>
    /// <returns>Sentences that a person should read, about receipts of which these entries say nothing.</returns>
    public IEnumerable<string> CheckReceipts(IEnumerable<(string Name, string Note)> receipts, TrustedKeys keys, Checkpoint? last)
    {
        foreach (var (name, note) in receipts)
        {
            var receipt = CaptureReceipt.Read(note.ReplaceLineEndings("\n"), keys.Find, out var wrong);
            if (receipt is null)
            {
                _problem(0, null, null, $"The receipt {name} is not to be believed. {wrong}");
            }
            else if (receipt.Origin != _head.Origin)
            {
                _problem(0, null, null, $"The receipt {name} is of another installation.");
            }
            else if (_received[receipt.Capture.ToString()] is not { } sealedAs)
            {
                if (_head is { From: null, To: null } && last is not null && last.Time - receipt.Received > s_decided)
                {
                    _problem(0, null, null, $"The receipt {name} is of capture {receipt.Capture}, received at {receipt.Received:O}, of which the whole trail says nothing.");
                    continue;
                }
                yield return $"The receipt {name} is of capture {receipt.Capture}, received at {receipt.Received:O}, of which these entries say nothing.";
            }
            else if (sealedAs.Sha256 != Convert.ToHexStringLower(receipt.Sha256) || sealedAs.Length is { } length && length != receipt.Length)
            {
                _problem(0, null, null, $"The receipt {name} is of a document of {receipt.Length} bytes with SHA-256 {Convert.ToHexStringLower(receipt.Sha256)}, and the trail says {sealedAs.Length} bytes and {sealedAs.Sha256} of capture {receipt.Capture}.");
            }
        }
    }

    public void Dispose()
    {
        _documents?.Dispose();
        _signatures?.Dispose();
    }

    private void CheckDocument(in ReadEntry entry, string capture, JsonElement captured, string sha256)
    {
        if (_received.ContainsKey(capture))
        {
            _received[capture] = (sha256, captured.TryGetProperty("length", out var length) ? length.GetInt64() : null);
        }
        if (_head.HasOriginals)
        {
            CheckOriginal(entry, capture, sha256);
        }
        if (_documents is null)
        {
            return;
        }
        var document = _documents.MoveNext() ? ExportFolder.Parsed<ExportedDocument>(_documents.Current) : null;
        if (document?.Ord != entry.Ord)
        {
            Problem(entry, "What its document is now is not in the export.");
        }
        else if (document.Sha256 is null)
        {
            Problem(entry, "The original document is gone.");
        }
        else if (document.Sha256 != sha256)
        {
            Problem(entry, $"The original document is not the one that was received: its SHA-256 was {sha256}, and is {document.Sha256}.");
        }
    }

    private void CheckOriginal(in ReadEntry entry, string capture, string sha256)
    {
        // A name that is written from the number leads nowhere else.
        var path = Path.Combine(_export.PathOf(TrailExport.Originals), Guid.Parse(capture).ToString());
        if (!File.Exists(path))
        {
            Problem(entry, "The original document is not in the export.");
            return;
        }
        _originals++;
        if (ReadableExport.Hash(path) != sha256)
        {
            Problem(entry, $"The file {TrailExport.Originals}/{capture} is not the document that was received.");
        }
    }

    private void Problem(in ReadEntry entry, string message) => _problem(entry.Epoch, entry.Leaf, entry.Ord, message);
}
