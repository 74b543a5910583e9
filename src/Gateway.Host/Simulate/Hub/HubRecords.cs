namespace Gateway.Host.Simulate.Hub;

/// <summary>A sender broke a public rule.</summary>
/// <param name="Rule">The number of the rule in docs/hub.md, or <c>wire</c>.</param>
public sealed record HubViolation(string Rule, string Text, string? CorrelationId, DateTimeOffset At);

/// <summary>One message as it came, also again.</summary>
/// <param name="Kind">Its element; empty when it could not be read so far.</param>
/// <param name="Count">Of its serial numbers, as far as it was read.</param>
public sealed record ReceivedHubMessage(string? CorrelationId, string Kind, string Sha256, int Count, int Status, DateTimeOffset At);

/// <summary>A version of a product's data.</summary>
public sealed record HubVersion(string Product, int Version, IReadOnlyList<string> Markets, IReadOnlyList<string> DistributedIn);

/// <summary>A lot, with the markets where it is recalled.</summary>
public sealed record HubLotState(string Product, string Lot, int Version, string Expiry, IReadOnlyList<string> RecalledIn);

/// <summary>What a national system raised.</summary>
/// <param name="Number">Its place in the order in which they came, from 1.</param>
/// <param name="User">Whose request it was, where that is told.</param>
public sealed record HubAlert(
    long Number, string Id, string Code, string Country, DateTimeOffset At, string Product, string? Lot, string? Expiry, string? Serial, string? User, string Text);

/// <summary>One document that was pushed, or should have been.</summary>
/// <param name="Status">What the gateway answered; <see langword="null"/> when it was lost, or nothing answered.</param>
public sealed record HubPushed(string Kind, string? CorrelationId, int? Status);
