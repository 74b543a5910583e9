using Gateway.Delivery;

namespace Gateway.Hub;

/// <summary>Where a hub is reached, and as whom.</summary>
/// <param name="PartyId">The hub's own, whose secret is opened.</param>
/// <param name="Settings">The partner's channel settings as stored.</param>
public sealed record HubAddress(int PartnerId, int PartyId, string Url, byte[]? Secret, string PrivateRanges, string Settings)
{
    /// <summary>That of a message on its way.</summary>
    public static HubAddress Of(ClaimedDelivery delivery) => new(delivery.PartnerId, delivery.PartyId, delivery.Url, delivery.Secret, delivery.PrivateRanges, delivery.Settings);
}
