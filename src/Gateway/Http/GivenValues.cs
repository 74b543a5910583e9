using System.Globalization;

namespace Gateway.Http;

/// <summary>What an address or a command line says to narrow a list, name by name. The first value that cannot be is told in a sentence, and narrows nothing.</summary>
/// <param name="value">What was given for a name; null or blank does not narrow.</param>
public sealed class GivenValues(Func<string, string?> value)
{
    /// <summary>A sentence about the first value that cannot be; null when all can.</summary>
    public string? Wrong { get; private set; }

    /// <returns>What was given, without blanks around it; null when it was nothing, or cannot be.</returns>
    public string? Of(string name, Predicate<string> isPossible, string sentence)
    {
        if (value(name)?.Trim() is not { Length: > 0 } given)
        {
            return null;
        }
        if (isPossible(given) && !given.Contains('\0', StringComparison.Ordinal))
        {
            return given;
        }
        Wrong ??= sentence;
        return null;
    }

    /// <summary>A whole number, zero or more.</summary>
    public long? Number(string name, string sentence)
    {
        long number = 0;
        return Of(name, v => long.TryParse(v, NumberStyles.None, CultureInfo.InvariantCulture, out number), sentence) is null ? null : number;
    }

    /// <summary>A moment in UTC, unless it names its zone.</summary>
    /// <param name="format">Null: as ISO 8601 has it.</param>
    public DateTime? Moment(string name, string? format, string sentence)
    {
        const DateTimeStyles utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        DateTime at = default;
        return Of(name, v => (format is null ? DateTime.TryParse(v, CultureInfo.InvariantCulture, utc, out at) && v.Length >= 4 : DateTime.TryParseExact(v, format, CultureInfo.InvariantCulture, utc, out at))
            && at.Year is >= 1900 and <= 9998, sentence) is null ? null : at;
    }
}
