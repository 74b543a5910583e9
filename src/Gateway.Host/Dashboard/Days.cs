using System.Globalization;

namespace Gateway.Host.Dashboard;

/// <summary>Days and moments in addresses, of UTC: <c>2026-11-21</c>, <c>2026-11-21T08:00:00Z</c>.</summary>
public static class Days
{
    private const string DayForm = "yyyy-MM-dd", MomentForm = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    /// <returns>The day's first moment; null for what is no day, which then restricts nothing.</returns>
    public static DateTime? Parse(string? text) => Read(text, DayForm);

    public static string Of(DateTime day) => day.ToString(DayForm, CultureInfo.InvariantCulture);

    /// <returns>Null for what is no moment, which then restricts nothing.</returns>
    public static DateTime? ParseMoment(string? text) => Read(text, MomentForm);

    public static string Moment(DateTime at) => at.ToString(MomentForm, CultureInfo.InvariantCulture);

    /// <summary>As exact as an address can say it.</summary>
    public static DateTime Second(DateTime at) => at.AddTicks(-(at.Ticks % TimeSpan.TicksPerSecond));

    private static DateTime? Read(string? text, string form) =>
        DateTime.TryParseExact(text, form, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at) ? at : null;
}
