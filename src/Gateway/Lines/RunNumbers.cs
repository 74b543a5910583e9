using Gateway.Database;

namespace Gateway.Lines;

/// <summary>The numbers that were given out for runs, and what became of those that were never printed.</summary>
/// <param name="Gtin">Empty for logistic units (SSCC).</param>
/// <param name="Open">Given out and neither printed, returned nor voided: still at a device.</param>
public sealed record LevelNumbers(string Gtin, long Allocated, long Unused, long Voided, long Open);

/// <summary>What the pools say of runs. The one place where pools and runs meet.</summary>
public static class RunNumbers
{
    /// <summary>Nothing yet: no pool gives out numbers for a run, so lines bring their own.</summary>
    internal static Task<IReadOnlyList<LevelNumbers>> OfAsync(Work work, IReadOnlyList<long> runs) => Task.FromResult<IReadOnlyList<LevelNumbers>>([]);
}
