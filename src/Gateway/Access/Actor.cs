namespace Gateway.Access;

/// <summary>
/// Who acts in a transaction. Written into the transaction, where audit entries take it from, and row security its party.
/// Name and role are those of the moment.
/// </summary>
public sealed record Actor(string Id, string Name, string Role, int? PartyId, string Method, string Origin)
{
    /// <summary>The rows this actor may touch: <c>*</c> for the organisation's own people and machines, else one party's.</summary>
    public required string Sees { get; init; }

    /// <summary>What the actor's key may send; null when it is not bound, as a person never is.</summary>
    public KeyScope? Scope { get; init; }
    public string? Reason { get; init; }
    public string? Correlation { get; init; }

    /// <summary>The gateway itself, named by the part that works.</summary>
    public static Actor System(string part) => new($"system:{part}", $"Gateway {part}", "system", null, "process", Environment.MachineName) { Sees = "*" };
}
