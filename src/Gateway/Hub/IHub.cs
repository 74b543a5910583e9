using Gateway.Delivery;
using Gateway.Delivery.Channels;

namespace Gateway.Hub;

/// <summary>What a repository is told of.</summary>
public enum ReportUnit
{
    /// <summary>The serial numbers of packs.</summary>
    Serials,

    /// <summary>Events about packs.</summary>
    Events,
}

/// <summary>What differs between repositories of packs, so that the rest need not. Each decides something here; what only an adapter must know stands in the adapter.</summary>
/// <param name="Unit">As people are shown it.</param>
/// <param name="AnswersLater">It takes a message at once and tells its result later; of one that does not, an answer without a result is none.</param>
/// <param name="MaxSerials">In one message.</param>
public sealed record HubTraits(ReportUnit Unit, bool AnswersLater, int MaxSerials)
{
    /// <summary>It is told what a product is, and packs only after every market has that; of one that is not, a version is known as soon as it is made.</summary>
    public bool TakesProductData { get; init; }

    /// <summary>It tells what a market holds of a lot, pack by pack; of one that does not, nothing is compared.</summary>
    public bool TellsHolding { get; init; }

    /// <summary>It tells what end users' systems raise about packs.</summary>
    public bool HasAlerts { get; init; }

    /// <summary>It is told states of packs, recalls and withdrawals.</summary>
    public bool TakesOrders { get; init; }
}

/// <summary>
/// The port to a repository of packs: what it is told, and what it answers, in the gateway's own words. An adapter knows how that looks on its wire,
/// and nothing else does.
/// </summary>
public interface IHub
{
    /// <summary>As a partner's channel names it.</summary>
    string Protocol { get; }

    HubTraits Traits { get; }

    /// <summary>Writes the message that tells a version of product data; only of one that takes them.</summary>
    void Write(ProductDataMessage message, Stream to);

    /// <summary>Writes the message that tells packs.</summary>
    /// <param name="serials">In any order, as many as the message says.</param>
    Task WriteAsync(PackDataMessage message, IAsyncEnumerable<string> serials, Stream to, CancellationToken ct);

    /// <summary>Writes the message that tells states of packs, a recall or a withdrawal.</summary>
    /// <param name="serials">Of a state change or undo, as many as the message says.</param>
    Task WriteAsync(OrderMessage message, IAsyncEnumerable<string> serials, Stream to, CancellationToken ct);

    /// <summary>One attempt to bring a message to it; never retries by itself.</summary>
    /// <returns>The result too, where it was told at once.</returns>
    Task<(ChannelAnswer Answer, HubResult? Result)> SendAsync(ClaimedDelivery delivery, CancellationToken ct);

    /// <summary>Asks what became of a message that it took.</summary>
    /// <returns>No result where nothing was told, or nothing that can be understood.</returns>
    Task<(ChannelAnswer Answer, HubResult? Result)> AskAsync(ClaimedDelivery delivery, CancellationToken ct);

    /// <summary>Reads a result that it pushed.</summary>
    /// <exception cref="HubAnswerException">It cannot be understood.</exception>
    HubResult Read(byte[] answer);

    /// <summary>Asks for a page of alerts; only of one that has them (<see cref="HubTraits.HasAlerts"/>).</summary>
    /// <param name="after">Where the page before ended; 0 for the first.</param>
    /// <returns>No page where nothing was told, or nothing that can be understood.</returns>
    Task<(ChannelAnswer Answer, AlertPage? Page)> AskAlertsAsync(HubAddress hub, long after, CancellationToken ct);

    /// <summary>Reads alerts that it pushed.</summary>
    /// <exception cref="HubAnswerException">They cannot be understood.</exception>
    AlertPage ReadAlerts(byte[] alerts);

    /// <summary>What a market holds of a lot, in the order of the characters of the serial numbers; read as it is asked for, never as a whole.</summary>
    /// <param name="country">The market.</param>
    /// <exception cref="HubSilentException">It could not be read, or not to its end.</exception>
    IAsyncEnumerable<HeldPack> HoldingAsync(HubAddress hub, string gtin, string lot, string country, CancellationToken ct);
}

/// <summary>A pack that a market holds.</summary>
/// <param name="State">As the hub names it: <c>Active</c>, or what it was made.</param>
/// <param name="At">Since when, by the hub's clock.</param>
public sealed record HeldPack(string Serial, string State, DateTime? At);

/// <summary>A hub did not tell what it was asked.</summary>
/// <param name="code">As of an attempt: <c>http-503</c>, <c>timeout</c> …</param>
/// <param name="message">A sentence.</param>
public sealed class HubSilentException(string code, string message) : Exception(message)
{
    /// <summary>Why.</summary>
    public string Code { get; } = code;
}

/// <summary>What a hub said cannot be understood.</summary>
/// <param name="message">A sentence with the place.</param>
public sealed class HubAnswerException(string message) : Exception(message);

/// <summary>A message to a hub, named once and for all.</summary>
public abstract record HubMessage(Guid CorrelationId, DateTime Timestamp);

public sealed record ProductDataMessage(Guid CorrelationId, DateTime Timestamp, ProductData Product, int Version) : HubMessage(CorrelationId, Timestamp);

/// <param name="Count">How many serial numbers follow.</param>
public sealed record PackDataMessage(Guid CorrelationId, DateTime Timestamp, ProductData Product, int Version, string Lot, DateOnly Expiry, int Count) : HubMessage(CorrelationId, Timestamp)
{
    /// <summary>Digits of the company prefix, as the packs were first written; 0: nobody has told.</summary>
    public int PrefixLength { get; init; }
}

/// <summary>What became of a message.</summary>
public enum HubStatus
{
    /// <summary>Nothing is decided.</summary>
    Pending,

    /// <summary>All of it was stored.</summary>
    Accepted,

    /// <summary>All was stored but what failed.</summary>
    Partial,

    /// <summary>Nothing was stored.</summary>
    Refused,
}

/// <summary>Where a message has come to in one market.</summary>
/// <param name="State"><c>pending</c>, <c>distributed</c> or <c>failed</c>.</param>
/// <param name="At">When, by the hub's clock.</param>
public sealed record HubMarket(string Country, string State, DateTime? At);

/// <param name="Temporary">The same may succeed when it is sent again as it is.</param>
public sealed record FailedPack(string Serial, string Code, bool Temporary);

/// <summary>What a hub says of a message, as far as it knows.</summary>
/// <param name="Bytes">As it came.</param>
public sealed record HubResult(Guid CorrelationId, HubStatus Status, string? Code, string? Text, IReadOnlyList<HubMarket> Markets, IReadOnlyList<FailedPack> Failed, byte[] Bytes)
{
    /// <summary>It tells nothing of markets one by one: what it says holds in all of them.</summary>
    public bool HoldsEverywhere { get; init; }

    /// <summary>Nothing more is to come.</summary>
    public bool IsFinal => Status == HubStatus.Refused || Status != HubStatus.Pending && Markets.All(m => m.State != "pending");
}
