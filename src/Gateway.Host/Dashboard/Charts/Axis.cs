namespace Gateway.Host.Dashboard.Charts;

/// <summary>A named line or part of a column.</summary>
public sealed record ChartSeries(string Name, string Colour)
{
    // UI.md's series colours; each is told by word in the legend too.
    public static readonly string[] Colours = ["#3B6EA5", "#B97A10", "#A3161C", "#6B7A8F"];
}

/// <summary>Round numbers for grid lines.</summary>
public static class Axis
{
    /// <summary>Two to five values above zero at 1, 2 or 5 times a power of ten, none above <paramref name="max"/>.</summary>
    public static IReadOnlyList<double> Lines(double max)
    {
        if (max <= 0)
        {
            return [];
        }
        var power = Math.Pow(10, Math.Floor(Math.Log10(max)));
        var step = (max / power) switch { < 2 => power / 2, < 5 => power, _ => power * 2 };
        return [.. Enumerable.Range(1, 5).Select(n => n * step).TakeWhile(v => v <= max * 1.0001)];
    }
}
