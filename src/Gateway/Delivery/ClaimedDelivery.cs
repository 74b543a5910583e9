namespace Gateway.Delivery;

/// <summary>A delivery under a lease, with all that sending it (or asking for its receipt) needs. The token fences: who lost it can change nothing.</summary>
/// <param name="Settings">The partner's channel settings as stored.</param>
/// <param name="ReceivedAt">When the document came in.</param>
/// <param name="SentBefore">The partner may have it already: it was attempted before, or is a replay.</param>
/// <param name="HasCrashed">An attempt at it had no end: it may be what took the process down, or have been under way beside that.</param>
public sealed record ClaimedDelivery(
    long DeliveryId, int PartnerId, int PartyId, string PartnerGln, string Channel, string Url, byte[]? Secret, Guid MessageId,
    long DocumentId, byte[] Sha256, long Length, string MediaType, string? ContentEncoding, string Format, string PrivateRanges, string? ReceiptRef, bool IsReceipt, Guid LeaseToken, string? TraceParent,
    string Settings, DateTime ReceivedAt, bool SentBefore, bool HasCrashed)
{
    /// <summary>The document's, where it is small; null: they are read while they are sent.</summary>
    public byte[]? Bytes { get; init; }
}

/// <summary>What an attempt or a question has led to.</summary>
/// <param name="State">The delivery's state now.</param>
/// <param name="Opened">How often in a row the partner's breaker has opened, when this outcome opened it.</param>
/// <param name="Overdue">The receipt has just become overdue.</param>
public sealed record Outcome(string State, int? Opened, bool Overdue = false);
