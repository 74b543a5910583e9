namespace Gateway.Hub;

/// <summary>What the gateway finds at a hub, as exceptions name it; explained at <c>/help</c>.</summary>
internal static class HubCodes
{
    /// <summary>Packs that the hub has not stored.</summary>
    public const string PacksFailed = "hub.packs";

    /// <summary>Product data that the hub has refused, or that have not come to a market.</summary>
    public const string ProductFailed = "hub.product";

    /// <summary>An order about packs, or a recall, that the hub has not done, or that a rule forbade before it was told.</summary>
    public const string OrderFailed = "hub.order";

    /// <summary>An order waits for signatures, because it can never be taken back.</summary>
    public const string Waits = "hub.waits";

    /// <summary>An event says something of reported packs that a person must decide about.</summary>
    public const string Decide = "hub.decide";

    /// <summary>Somebody has recalled units whom the gateway cannot tell.</summary>
    public const string Holders = "hub.holders";

    /// <summary>A case of alerts that somebody must work.</summary>
    public const string Alert = "hub.alert";

    /// <summary>The hub has taken a message and says something about it all the same.</summary>
    public const string Warning = "hub.warning";

    /// <summary>Packs of which a market holds something else than we believe.</summary>
    public const string HoldingDiffers = "hub.holding";
}
