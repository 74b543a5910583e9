namespace Gateway.Host.Simulate.Hub;

/// <summary>A product with its versions and lots.</summary>
internal sealed class HubProduct(string code, string scheme)
{
    public string Code => code;
    public string Scheme => scheme;
    public SortedDictionary<int, HubProductVersion> Versions { get; } = [];

    /// <summary>Case counts.</summary>
    public Dictionary<string, HubLot> Lots { get; } = new(StringComparer.Ordinal);

    /// <summary>Markets for which a withdrawal came. From then on the sender is held to it.</summary>
    public SortedSet<string> WithdrawalTold { get; } = new(StringComparer.Ordinal);

    /// <summary>Markets from which it is withdrawn.</summary>
    public SortedSet<string> Withdrawn { get; } = new(StringComparer.Ordinal);
}

/// <summary>A version of a product's data, never overwritten.</summary>
/// <param name="Message">That brought it last.</param>
internal sealed record HubProductVersion(int Number, string Content, IReadOnlyList<string> Markets, HubMessage Message)
{
    public SortedSet<string> Distributed { get; } = new(StringComparer.Ordinal);

    public bool IsDistributed => Distributed.Count == Markets.Count;
}
