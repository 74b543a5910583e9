using System.Globalization;

namespace Gateway.Host.Dashboard;

/// <summary>Days in addresses: <c>2026-11-21</c>, of UTC.</summary>
public static class Days
{
    /// <returns>The day's first moment; null for what is no day, which then restricts nothing.</returns>
    public static DateTime? Parse(string? text) =>
        DateTime.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var day) ? day : null;

    public static string Of(DateTime day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
