using Epcis;
using Epcis.Formats;
using Gateway.Database;
using Gateway.Delivery;
using Gateway.Units;

namespace Gateway.Capture;

/// <summary>The document is refused after all, and what its storing has written must not stay.</summary>
internal sealed class NothingLeftException() : Exception("What is without error in the document was stored before.");

/// <summary>A document that was read to its end, with its verdict.</summary>
/// <param name="Reader">Ended, for its findings, form and header.</param>
/// <param name="Store">What was stored of it; null when it is refused.</param>
internal sealed record DecidedDocument(CaptureLease Lease, EpcisReader Reader, CaptureTerms Terms, EventStore? Store)
{
    /// <summary>What it is refused for whole, whatever its sender wanted done with errors; null: for its first error.</summary>
    public Finding? Cause { get; init; }

    /// <summary>What names it among documents.</summary>
    public DocumentIdentity? Identity => DocumentIdentity.Of(Reader.Header);

    /// <summary>It was accepted before, compressed otherwise; that capture keeps the name, and nothing of this one is new.</summary>
    public bool IsSentAgain { get; init; }
}

/// <summary>
/// The end of documents that were read, written in their caller's transaction: one document that was stored as it was read, or
/// several small ones of a party together.
/// </summary>
internal sealed class CaptureDecision(CaptureRouting routing, CaptureRules rules, UnitLedgers ledgers, CaptureOptions options)
{
    /// <summary>Stores and decides documents that were read whole.</summary>
    /// <param name="at">Of their events, and of the decision.</param>
    /// <exception cref="NothingLeftException">What errors left of one was all stored before.</exception>
    /// <returns>How many events are stored of each.</returns>
    public async Task<IReadOnlyList<int>> DecideAsync(Work work, IReadOnlyList<(CaptureLease Lease, ParsedDocument Document)> documents, DateTime at, CancellationToken ct)
    {
        var first = documents[0].Lease;
        // One ledger for all, since they may touch the same units; new ones have their numbers from the first capture.
        var ledger = await ledgers.OpenAsync(work, first.PartyId, first.CaptureId, isCareful: true, isHuge: false, ct);
        var decided = documents.Select(d => new DecidedDocument(d.Lease, d.Document.Reader, d.Document.Terms, d.Document.IsRefused ? null : new EventStore(work, d.Lease, at, ledger, routing.Numbers, options.LateAfter)) { Cause = d.Document.Foreign }).ToList();
        try
        {
            await EventStore.StoreAsync(work, [.. decided.Zip(documents).Where(d => d.First.Store is not null)
                .SelectMany(d => d.Second.Document.Events.Select(e => new NewEvent(d.First.Store!, e, d.First.Reader.Findings)))], ct);
            if (decided.Any(d => d is { Store.Count: 0, Reader.Findings.HasErrors: true }))
            {
                throw new NothingLeftException();
            }
            await EndAsync(work, decided, at, ct);
            return [.. decided.Select(d => d.Store?.Count ?? 0)];
        }
        finally
        {
            decided.ForEach(d => d.Store?.Dispose());
        }
    }

    /// <summary>Writes the verdicts on documents of one party, with all that follows from them.</summary>
    /// <param name="at">When they are decided; null: now.</param>
    /// <exception cref="Npgsql.PostgresException">Deadlock or unique violation: other captures touch the same units.</exception>
    public async Task EndAsync(Work work, IReadOnlyList<DecidedDocument> decided, DateTime? at, CancellationToken ct)
    {
        if (decided.FirstOrDefault(d => d.Store is not null)?.Store is { } any)
        {
            await any.CompleteAsync(ct); // all have one ledger
        }
        foreach (var d in decided)
        {
            d.Store?.Times.Tell(d.Reader.Findings);
        }
        var party = decided[0].Lease.PartyId;
        await CaptureRecords.StoreFindingsAsync(work, party, decided.Select(d => (d.Lease.CaptureId, d.Reader.Findings)));
        await CaptureTerms.StoreAsync(work, party, decided.Select(d => (d.Lease.CaptureId, d.Terms, d.Reader.Header)));
        if (routing.Route is { } route && decided.Any(d => d is { Store: not null, IsSentAgain: false }))
        {
            await route(work, [.. decided.Where(d => d is { Store: not null, IsSentAgain: false }).Select(d => CapturedDocumentOf(d, d.Store!))]);
        }
        foreach (var taken in decided.Where(d => d.Store is not null && d.Lease.Mapping is not null && d.Reader.Findings.HasErrors))
        {
            await CaptureExceptions.OpenSetAsideAsync(work, taken.Lease.Source, taken.Reader.Findings, taken.Terms.OnlyLot);
        }
        foreach (var refused in decided.Where(d => d.Store is null))
        {
            await CaptureExceptions.OpenAsync(work, refused.Lease.Source, refused.Cause, refused.Reader.Findings, refused.Terms.OnlyLot);
        }
        await CaptureRecords.AuditAsync(work, [.. decided.Select(d => (d.Store is null ? "refuse" : "capture", d.Lease.PublicId, AuditOf(d)))]);
        await CaptureLease.FinishAsync(work, [.. decided.Select(d => (d.Lease, d.Store is null ? "refused" : "accepted", (string?)DocumentReading.NameOf(d.Reader.Form), d.Store?.Count ?? 0, d.Store is null || d.IsSentAgain ? null : d.Identity?.Key))], rules.HeldTo, at);
    }

    private static CapturedDocument CapturedDocumentOf(DecidedDocument d, EventStore store) =>
        new(d.Lease.CaptureId, d.Lease.DocumentId, d.Lease.PartyId, store.FirstEventId, store.LastEventId, store.Period, store.HasRepeats, d.Reader.Header, store.Shipments.All) { Voids = store.Shipments.Voids, Evidence = store.Shipments.Evidence, Receipts = store.Shipments.Receipts, States = store.Shipments.States, TraceParent = d.Lease.TraceParent };

    private object AuditOf(DecidedDocument d) => new
    {
        sha256 = Convert.ToHexStringLower(d.Lease.Sha256),
        length = d.Lease.Length,
        events = d.Store?.Count ?? 0,
        heldTo = rules.HeldTo,
        findings = d.Reader.Findings.All.Count + d.Reader.Findings.Dropped,
        eventIds = d.Store?.Digest(),
        submittedBy = d.Lease.SubmittedBy,
    };
}
