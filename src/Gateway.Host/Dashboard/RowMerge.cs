namespace Gateway.Host.Dashboard;

/// <summary>Lists never move by themselves: shown rows change in place, new ones wait until they are asked for.</summary>
public static class RowMerge
{
    /// <param name="shown">Newest first.</param>
    /// <param name="fresh">The same page read again, newest first.</param>
    /// <returns>The rows to show, and how many newer ones wait.</returns>
    public static (IReadOnlyList<T> Rows, int Waiting) Merge<T>(IReadOnlyList<T> shown, IReadOnlyList<T> fresh, Func<T, long> id)
    {
        if (shown.Count == 0)
        {
            return (fresh, 0);
        }
        var newest = id(shown[0]);
        // Below the re-read page's end nothing is known, so those rows stay; within it, a missing row has left the filter.
        var end = fresh.Count == 0 ? long.MaxValue : id(fresh[^1]);
        var byId = fresh.ToDictionary(id);
        return ([.. shown.Where(r => byId.ContainsKey(id(r)) || id(r) < end && fresh.Count > 0).Select(r => byId.GetValueOrDefault(id(r), r))],
            fresh.Count(r => id(r) > newest));
    }
}
