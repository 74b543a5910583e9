namespace Gateway.Hub;

/// <summary>What a national system raised about a pack, as the hub told it. Codes are the hub's: A2, A3, A7, A24, A52, A68 and whatever else it has.</summary>
/// <param name="Id">The hub's own; the same id is the same alert.</param>
/// <param name="At">When it was raised, by the national system's clock.</param>
/// <param name="Expiry">As it was scanned or typed.</param>
/// <param name="User">Whose request it was; OBP: our own.</param>
public sealed record HubAlert(string Id, string Code, string Country, DateTime At, string Product, string? Lot, string? Expiry, string? Serial, string? User, string? Text);

/// <summary>A page of a hub's alerts.</summary>
/// <param name="Last">Where the next page begins.</param>
public sealed record AlertPage(IReadOnlyList<HubAlert> Alerts, long Last);
