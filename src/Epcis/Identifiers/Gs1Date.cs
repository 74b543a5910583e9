using System.Globalization;

namespace Epcis.Identifiers;

/// <summary>The dates of element strings, such as the expiry (17): YYMMDD, whose day 00 means the end of the month.</summary>
public static class Gs1Date
{
    /// <summary>The day meant, seen from <paramref name="currentYear"/>; <see langword="null"/> when the digits are no date.</summary>
    public static DateOnly? Read(ReadOnlySpan<char> yymmdd, int currentYear)
    {
        if (yymmdd.Length != 6 || !Digits.AreAll(yymmdd))
        {
            return null;
        }
        var (year, month, day) = (YearOf(Number(yymmdd[..2]), currentYear), Number(yymmdd[2..4]), Number(yymmdd[4..]));
        if (year is < 1 or > 9999 || month is < 1 or > 12 || day > DateTime.DaysInMonth(year, month))
        {
            return null;
        }
        return new DateOnly(year, month, day == 0 ? DateTime.DaysInMonth(year, month) : day);
    }

    /// <summary>GS1 General Specifications, 7.12: 51 years or more ahead is the century before, 50 or more behind the one after.</summary>
    private static int YearOf(int yy, int currentYear)
    {
        var century = currentYear - currentYear % 100;
        return century + yy + ((yy - currentYear % 100) switch { >= 51 => -100, <= -50 => 100, _ => 0 });
    }

    /// <summary>Says what is wrong with a date whatever its century; the 29th of February is left to who knows the year.</summary>
    internal static ValueFinding? Refuse(string what, ReadOnlySpan<char> yymmdd, bool dayMayBeZero)
    {
        var (month, day) = (Number(yymmdd[2..4]), Number(yymmdd[4..6]));
        if (month is < 1 or > 12)
        {
            return new ValueFinding(ValueCodes.Date, $"The {what} {yymmdd} names no month: its third and fourth digit are {yymmdd[2..4]}.", 3)
            {
                Got = yymmdd[2..4].ToString(),
                Want = "01 to 12",
                Suggestion = "A date is written YYMMDD.",
            };
        }
        // Any leap year will do.
        var days = month == 2 && Number(yymmdd[..2]) % 4 != 0 ? 28 : DateTime.DaysInMonth(2000, month);
        return day <= days && (day > 0 || dayMayBeZero)
            ? null
            : new ValueFinding(ValueCodes.Date, $"The {what} {yymmdd} names no day: its last digits are {yymmdd[4..6]}.", 5)
            {
                Got = yymmdd[4..6].ToString(),
                Want = $"{(dayMayBeZero ? "00" : "01")} to {days}",
                Suggestion = dayMayBeZero ? "The day 00 means the end of the month." : null,
            };
    }

    internal static int Number(ReadOnlySpan<char> digits) => int.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);
}
