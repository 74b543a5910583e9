namespace Gateway.Delivery.Testing;

/// <summary>A partner as it is tested.</summary>
/// <param name="IsLive">Real documents may go to it: a sample goes there only when somebody says so.</param>
internal sealed record TestedPartner(
    int PartnerId, int PartyId, string Gln, string Channel, string Url, byte[]? Secret, string PrivateRanges, string Settings, string Format, int Version, bool IsLive)
{
    /// <summary>The sample as a delivery's channel is given one. It is none: nothing of it is counted, retried or reported.</summary>
    public ClaimedDelivery Sample(Guid messageId, long documentId, byte[] sha256, long length, string mediaType, DateTime at) =>
        new(0, PartnerId, PartyId, Gln, Channel, Url, Secret, messageId, documentId, sha256, length, mediaType, null, Format, PrivateRanges, null, false, Guid.Empty, null, Settings, at, SentBefore: false, HasCrashed: false);
}
