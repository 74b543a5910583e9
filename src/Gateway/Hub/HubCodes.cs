namespace Gateway.Hub;

/// <summary>What the gateway finds at a hub, as exceptions name it; explained at <c>/help</c>.</summary>
internal static class HubCodes
{
    /// <summary>Packs that the hub has not stored.</summary>
    public const string PacksFailed = "hub.packs";

    /// <summary>Product data that the hub has refused, or that have not come to a market.</summary>
    public const string ProductFailed = "hub.product";
}
