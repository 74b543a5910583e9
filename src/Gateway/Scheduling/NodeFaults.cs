using System.Collections.Concurrent;

namespace Gateway.Scheduling;

/// <summary>What this node has found wrong with itself or its surroundings, told by its readiness until it is mended.</summary>
public sealed class NodeFaults
{
    private readonly ConcurrentDictionary<string, Fault> _faults = new();

    public IReadOnlyList<Fault> All => [.. _faults.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => f.Value)];

    /// <summary>The same, each with what it was found of, which stays when the detail changes.</summary>
    public IReadOnlyList<(string What, Fault Fault)> Named => [.. _faults.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => (f.Key, f.Value))];

    /// <param name="isFatal">True when documents must not be accepted meanwhile: the node is not ready.</param>
    /// <returns>True when this was not known yet.</returns>
    public bool Found(string what, string detail, bool isFatal)
    {
        var fault = new Fault(detail, isFatal);
        var known = _faults.TryGetValue(what, out var before) && before == fault;
        _faults[what] = fault;
        return !known;
    }

    /// <returns>True when it had been found.</returns>
    public bool Mended(string what) => _faults.TryRemove(what, out _);
}

public sealed record Fault(string Detail, bool IsFatal);
