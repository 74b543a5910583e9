using System.Diagnostics;

namespace Gateway.Bench;

/// <summary>Times in milliseconds, and what is said of many of them.</summary>
internal static class Figures
{
    public static async Task<double> TimeAsync(Func<Task> action)
    {
        var start = Stopwatch.GetTimestamp();
        await action();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    public static double Median(IEnumerable<double> times) => Percentile(times, 50);

    public static double Percentile(IEnumerable<double> times, int percent)
    {
        var sorted = times.Order().ToArray();
        return sorted[Math.Min(sorted.Length - 1, sorted.Length * percent / 100)];
    }
}
