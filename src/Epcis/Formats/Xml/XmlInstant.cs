namespace Epcis.Formats.Xml;

/// <summary>xsd:dateTime with a zone, as an instant. Finer than 100 ns is cut off; the literal text keeps it.</summary>
internal static class XmlInstant
{
    private const int DigitsOfTicks = 7;
    private const int MaxOffsetMinutes = 14 * 60;

    /// <summary><see langword="null"/> when the text is no xsd:dateTime or has no zone: then it is no instant.</summary>
    public static DateTimeOffset? Parse(ReadOnlySpan<char> text)
    {
        if (text.Length < "0000-00-00T00:00:00Z".Length || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':'
            || !Number(text[..4], out var year) || !Number(text[5..7], out var month) || !Number(text[8..10], out var day)
            || !Number(text[11..13], out var hour) || !Number(text[14..16], out var minute) || !Number(text[17..19], out var second))
        {
            return null;
        }
        var rest = text[19..];
        if (!Fraction(ref rest, out var ticks) || !Offset(rest, out var offset))
        {
            return null;
        }
        var endOfDay = hour == 24 && minute == 0 && second == 0 && ticks == 0; // xsd:dateTime: 24:00:00 is the next day's start
        if (year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month) || minute > 59 || second > 59 || (hour > 23 && !endOfDay))
        {
            return null;
        }
        var local = new DateTime(year, month, day).Ticks
            + (((((hour * 60L) + minute) * 60) + second) * TimeSpan.TicksPerSecond) + ticks;
        var utc = local - offset.Ticks;
        return local > DateTime.MaxValue.Ticks || utc < 0 || utc > DateTime.MaxValue.Ticks ? null : new DateTimeOffset(local, offset);
    }

    private static bool Fraction(ref ReadOnlySpan<char> rest, out long ticks)
    {
        ticks = 0;
        if (rest[0] != '.')
        {
            return true;
        }
        var digits = rest[1..].IndexOfAnyExceptInRange('0', '9');
        if (digits < 1) // no digit, or nothing after them and so no zone
        {
            return false;
        }
        for (var i = 1; i <= DigitsOfTicks; i++)
        {
            ticks = (ticks * 10) + (i <= digits ? rest[i] - '0' : 0);
        }
        rest = rest[(digits + 1)..];
        return true;
    }

    private static bool Offset(ReadOnlySpan<char> zone, out TimeSpan offset)
    {
        offset = TimeSpan.Zero;
        if (zone is "Z")
        {
            return true;
        }
        if (zone.Length != "+00:00".Length || zone[0] is not ('+' or '-') || zone[3] != ':'
            || !Number(zone[1..3], out var hours) || !Number(zone[4..], out var minutes) || minutes > 59 || (hours * 60) + minutes > MaxOffsetMinutes)
        {
            return false;
        }
        offset = TimeSpan.FromMinutes(zone[0] == '-' ? -((hours * 60) + minutes) : (hours * 60) + minutes);
        return true;
    }

    private static bool Number(ReadOnlySpan<char> digits, out int number)
    {
        number = 0;
        foreach (var c in digits)
        {
            if (!char.IsAsciiDigit(c))
            {
                return false;
            }
            number = (number * 10) + c - '0';
        }
        return true;
    }
}
