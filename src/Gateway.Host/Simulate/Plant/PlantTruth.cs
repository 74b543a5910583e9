namespace Gateway.Host.Simulate.Plant;

/// <summary>What truly became of one unit or container.</summary>
/// <param name="Id">Element string.</param>
/// <param name="Level">unit, case or pallet.</param>
public sealed class PlantTruth(string line, string id, string level)
{
    public string Line { get; } = line;
    public string Id { get; } = id;
    public string Level { get; } = level;

    /// <summary>In the words of LINES.md section 2.</summary>
    public string State { get; set; } = "COMMISSIONED";

    /// <summary>The element string of what it truly is in.</summary>
    public string? Parent { get; set; }

    /// <summary>As it is printed on it; null: it bears none.</summary>
    public string? Lot { get; set; }

    /// <summary>The faults that touched it.</summary>
    public SortedSet<string> Faults { get; } = new(StringComparer.Ordinal);
}
