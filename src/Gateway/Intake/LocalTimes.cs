using System.Globalization;
using Epcis.Identifiers;

namespace Gateway.Intake;

/// <summary>
/// Times and dates as a dialect writes them. Local times follow each other in the order of the records: in the hour that the autumn
/// change repeats, a step back begins the second pass (LINES.md section 7).
/// </summary>
internal sealed class LocalTimes(IReadOnlyList<string> patterns)
{
    // What is earlier or later is a value that nobody has set.
    private const int FirstYear = 1970, LastYear = 9000;
    private readonly Dictionary<string, TimeZoneInfo?> _zones = new(StringComparer.Ordinal);
    private DateTime _last;
    private bool _isSecondPass;

    /// <param name="zone">An IANA name, <c>UTC</c>, or an offset such as <c>+02:00</c>; null when the text says its offset itself.</param>
    public DateTimeOffset? Read(string text, string? zone, out IntakeFault? fault)
    {
        fault = null;
        if (zone is null)
        {
            foreach (var pattern in patterns)
            {
                if ((pattern == "iso" ? IsIso(text, out var iso) : DateTimeOffset.TryParseExact(text, pattern, CultureInfo.InvariantCulture, DateTimeStyles.None, out iso)) && iso.Year is >= FirstYear and <= LastYear)
                {
                    return iso;
                }
            }
            fault = new IntakeFault(IntakeCodes.TimeInvalid, $"'{text}' is no time with an offset.", text);
            return null;
        }
        if (Local(text) is not { Year: >= FirstYear and <= LastYear } local)
        {
            fault = new IntakeFault(IntakeCodes.TimeInvalid, $"'{text}' is no time of the form {string.Join(" or ", patterns)}.", text);
            return null;
        }
        if (zone is ['+' or '-', ..] && TimeSpan.TryParseExact(zone.AsSpan(1), @"hh\:mm", CultureInfo.InvariantCulture, out var offset) && offset <= TimeSpan.FromHours(14))
        {
            return new DateTimeOffset(local, zone[0] == '-' ? -offset : offset);
        }
        if (Zone(zone) is not { } of)
        {
            fault = new IntakeFault(IntakeCodes.TimeInvalid, $"'{zone}' is no time zone.", zone);
            return null;
        }
        if (of.IsInvalidTime(local))
        {
            fault = new IntakeFault(IntakeCodes.TimeInvalid, $"'{text}' never was: the clocks of {zone} went past it.", text);
            return null;
        }
        return new DateTimeOffset(local, of.IsAmbiguousTime(local) ? Pass(local, of) : End(of.GetUtcOffset(local)));
    }

    // Not the repeated hour, or no longer.
    private TimeSpan End(TimeSpan offset)
    {
        (_last, _isSecondPass) = (default, false);
        return offset;
    }

    private TimeSpan Pass(DateTime local, TimeZoneInfo zone)
    {
        _isSecondPass |= local < _last;
        _last = local;
        var offsets = zone.GetAmbiguousTimeOffsets(local);
        return _isSecondPass ? offsets.Min() : offsets.Max();
    }

    private DateTime? Local(string text)
    {
        foreach (var pattern in patterns)
        {
            if (pattern == "iso"
                ? DateTime.TryParseExact(text, ["yyyy-MM-ddTHH:mm:ss.FFFFFFF", "yyyy-MM-dd HH:mm:ss.FFFFFFF"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var local)
                : DateTime.TryParseExact(text, pattern, CultureInfo.InvariantCulture, DateTimeStyles.None, out local))
            {
                return local;
            }
        }
        return null;
    }

    private static bool IsIso(string text, out DateTimeOffset time) =>
        DateTimeOffset.TryParseExact(Shortened(text), ["yyyy-MM-ddTHH:mm:ss.FFFFFFFK", "yyyy-MM-dd HH:mm:ss.FFFFFFFK", "yyyy-MM-ddTHH:mmK"], CultureInfo.InvariantCulture, DateTimeStyles.None, out time)
        && (text.EndsWith('Z') || text.LastIndexOfAny(['+', '-']) > 10);

    // More than seven digits of a second are of clocks that we do not have.
    private static string Shortened(string text)
    {
        var dot = text.IndexOf('.');
        var end = dot < 0 ? -1 : text.AsSpan(dot + 1).IndexOfAnyExceptInRange('0', '9');
        return end > 7 ? text[..(dot + 8)] + text[(dot + 1 + end)..] : text;
    }

    private TimeZoneInfo? Zone(string name)
    {
        if (!_zones.TryGetValue(name, out var zone))
        {
            _zones.Add(name, zone = name == "UTC" ? TimeZoneInfo.Utc : TimeZoneInfo.TryFindSystemTimeZoneById(name, out var found) ? found : null);
        }
        return zone;
    }

    /// <summary>A date; of six digits YYMMDD as GS1 writes it, whose day 00 is the last of the month (LINES.md section 1).</summary>
    public static DateOnly? Date(string text, IReadOnlyList<string> patterns, int currentYear)
    {
        foreach (var pattern in patterns)
        {
            if (pattern == "yyMMdd")
            {
                if (Gs1Date.Read(text, currentYear) is { } day)
                {
                    return day;
                }
            }
            else if (DateOnly.TryParseExact(text, pattern == "iso" ? "yyyy-MM-dd" : pattern, CultureInfo.InvariantCulture, DateTimeStyles.None, out var date))
            {
                return date;
            }
        }
        return null;
    }
}
