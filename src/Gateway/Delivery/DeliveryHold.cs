using System.Globalization;

namespace Gateway.Delivery;

/// <summary>A person's hold on one delivery. Nothing else than what is said here decides whether it still stands.</summary>
public static class DeliveryHold
{
    /// <summary>The condition, for statements in which only one table is of deliveries.</summary>
    internal const string Stands = "(held_by is not null and coalesce(held_until > (select gateway_now()), true))";

    /// <summary>Forgets it.</summary>
    internal const string Ends = "held_by = null, held_why = null, held_until = null";

    /// <summary>What is said when <see cref="TryReadUntil"/> does not understand.</summary>
    public const string UntilUnknown = "until is a moment such as 2026-11-21T08:00:00Z.";

    private static readonly string[] Moments = ["yyyy-MM-dd", .. from blank in (string[])["'T'", "' '"] from time in (string[])["HH:mmK", "HH:mm:ssK", "HH:mm:ss.FFFFFFFK"] select $"yyyy-MM-dd{blank}{time}"];

    /// <summary>Reads until when; without a zone it is UTC.</summary>
    /// <param name="text">Null or empty: until somebody resumes it.</param>
    public static bool TryReadUntil(string? text, out DateTime? until)
    {
        until = null;
        if (string.IsNullOrEmpty(text))
        {
            return true;
        }
        // What can be read in two ways, such as 03/04/2027, is no moment.
        var isMoment = DateTime.TryParseExact(text, Moments, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at);
        until = isMoment ? at : null;
        return isMoment;
    }
}
