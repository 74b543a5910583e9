using System.Security.Cryptography;
using Gateway.Database;
using Gateway.MasterData;
using Gateway.Units;
using Microsoft.Extensions.Options;

namespace Gateway.Capture;

/// <summary>A document of the past, read and checked, ready to be stored.</summary>
public sealed class PastDocument
{
    internal PastDocument(byte[] bytes, string mediaType, ParsedDocument parsed) => (Bytes, MediaType, Parsed, Sha256) = (bytes, mediaType, parsed, SHA256.HashData(bytes));

    public byte[] Bytes { get; }
    public byte[] Sha256 { get; }

    /// <summary>It has an error, so nothing of it becomes events.</summary>
    public bool IsRefused => Parsed.IsRefused;

    internal string MediaType { get; }
    internal ParsedDocument Parsed { get; }
}

/// <summary>Where a document of the past was stored.</summary>
public sealed record PastCapture(long CaptureId, long DocumentId, Guid PublicId);

/// <summary>
/// Stores documents as if they had come in earlier, with the parts that capture itself is made of: many in one transaction, each
/// decided at once. For demonstrations and tests; a live database refuses it.
/// </summary>
public sealed class CaptureHistory(CaptureRouting routing, CaptureRules rules, UnitLedgers ledgers, IOptions<CaptureOptions> options)
{
    private readonly CaptureDecision _decision = new(routing, rules, ledgers, options.Value);

    /// <summary>Reads a small document whole; on any thread, so that the next ones are read while others are stored. What master data told then is not known now.</summary>
    public PastDocument Read(byte[] bytes, string mediaType)
    {
        using var stream = new MemoryStream(bytes, writable: false);
        return new PastDocument(bytes, mediaType, ParsedDocument.Read(stream, options.Value, rules, proceed: false, MasterDataSnapshot.Nothing, scope: null));
    }

    /// <param name="work">Its clock stands at <paramref name="receivedAt"/> afterwards.</param>
    /// <param name="key">The idempotency key it came with.</param>
    /// <exception cref="InvalidOperationException">The database is live.</exception>
    public async Task<PastCapture> StoreAsync(Work work, PastDocument document, DateTime receivedAt, int partyId, string submittedBy, string? key, CancellationToken ct)
    {
        const string rollback = "rollback";
        var now = await TransactionClock.MoveToAsync(work, receivedAt);
        var capture = new NewCapture(Guid.NewGuid(), partyId, submittedBy, document.Sha256, document.Bytes.Length, document.MediaType, null, key, rollback, now, 202, "")
        {
            LeaseToken = Guid.NewGuid(),
        };
        capture = capture with { Answer = CaptureJob.FirstAnswer(capture.PublicId, now, rollback) };
        using var bytes = new MemoryStream(document.Bytes, writable: false);
        var (captureId, documentId) = await CaptureRecords.InsertAsync(work, capture, bytes, ct) ?? throw new InvalidOperationException("The document is stored already.");
        await _decision.DecideAsync(work, [(CaptureLease.Of(capture, captureId, documentId), document.Parsed)], now, ct);
        return new PastCapture(captureId, documentId, capture.PublicId);
    }
}
