namespace Gateway.Delivery;

/// <summary>A due delivery under a lease, with all that sending it needs. The token fences: who lost it can change nothing.</summary>
public sealed record ClaimedDelivery(
    long DeliveryId, int PartnerId, int PartyId, string PartnerGln, string Channel, string Url, byte[]? Secret, Guid MessageId,
    long DocumentId, byte[] Sha256, long Length, string MediaType, string? ContentEncoding, string Format, string? ReceiptRef, Guid LeaseToken, string? TraceParent);
