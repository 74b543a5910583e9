using Epcis;
using Epcis.Formats;
using Gateway.Database;
using Gateway.Delivery;

namespace Gateway.Capture;

/// <summary>The two ends of a document that was read, each written in its caller's transaction.</summary>
internal sealed class CaptureDecision(CaptureRouting routing, CaptureRules rules)
{
    public async Task AcceptAsync(Work work, CaptureLease lease, EpcisReader reader, EventStore store, CaptureTerms terms, CancellationToken ct)
    {
        await store.CompleteAsync(ct);
        await CaptureRecords.StoreFindingsAsync(work, lease.CaptureId, lease.PartyId, reader.Findings);
        await terms.StoreAsync(work, lease.CaptureId, lease.PartyId, reader.Header);
        if (routing.Route is { } route)
        {
            await route(work, new CapturedDocument(lease.CaptureId, lease.DocumentId, lease.PartyId, store.FirstEventId, store.LastEventId, store.Period, store.HasRepeats, reader.Header, store.Shipments.All));
        }
        await AuditAsync(work, "capture", lease, reader, store.Count, store.Digest());
        await lease.FinishAsync(work, "accepted", DocumentReading.NameOf(reader.Form), store.Count, rules.HeldTo);
    }

    public async Task RefuseAsync(Work work, CaptureLease lease, EpcisReader reader, CaptureTerms terms)
    {
        await CaptureRecords.StoreFindingsAsync(work, lease.CaptureId, lease.PartyId, reader.Findings);
        await terms.StoreAsync(work, lease.CaptureId, lease.PartyId, reader.Header);
        await CaptureExceptions.OpenAsync(work, lease.Source, reader.Findings, terms.OnlyLot);
        await AuditAsync(work, "refuse", lease, reader, 0, null);
        await lease.FinishAsync(work, "refused", DocumentReading.NameOf(reader.Form), 0, rules.HeldTo);
    }

    private Task AuditAsync(Work work, string action, CaptureLease lease, EpcisReader reader, int events, string? digest) =>
        CaptureRecords.AuditAsync(work, action, lease.PublicId, new
        {
            sha256 = Convert.ToHexStringLower(lease.Sha256),
            length = lease.Length,
            events,
            heldTo = rules.HeldTo,
            findings = reader.Findings.All.Count + reader.Findings.Dropped,
            eventIds = digest,
            submittedBy = lease.SubmittedBy,
        });
}
