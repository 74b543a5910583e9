using System.Globalization;

namespace Gateway.Hub;

/// <summary>Why there was an alert: what the gateway proposes, and what a person confirms.</summary>
public static class RootCause
{
    public const string NotUploaded = "not uploaded", UploadedAfter = "uploaded after the alert", WrongExpiry = "wrong expiry", Misread = "case or characters changed by a scanner", WrongLot = "wrong lot",
        Overtaken = "state change overtook distribution", AlreadyInState = "already in that state", NotOurs = "not ours", Unexplained = "not explained";

    /// <summary>All that a person may choose from.</summary>
    public static IReadOnlyList<string> All { get; } = [NotUploaded, UploadedAfter, WrongExpiry, Misread, WrongLot, Overtaken, AlreadyInState, NotOurs, Unexplained];

    /// <summary>How cases end, in the words of the national systems.</summary>
    public static IReadOnlyList<string> Closings { get; } = ["end-user technical error", "end-user process error", "manufacturer technical error", "manufacturer process error", SuspectedFalsification, "false alert"];

    public const string SuspectedFalsification = "suspected falsification";

    /// <summary>What the facts say.</summary>
    /// <returns>The cause, and why, in a sentence with its facts.</returns>
    internal static (string Cause, string Finding) Propose(AlertFacts f)
    {
        if (f is { UnitKey: null, UnitLot: null })
        {
            return f is { Lot: "", Serial: "", IsKnownProduct: true } ? (Unexplained, $"Only the product {f.Product} was told, and it is ours.")
                : (NotOurs, f.IsKnownProduct ? $"The product {f.Product} is ours; {Named(f)} is not, nor like anything of ours." : $"The product {f.Product} is not known here, so nothing of it was ever reported.");
        }
        return NotOursInLot(f) ?? Changed(f) ?? Ended(f) ?? (f.Code == "A52" ? Expiry(f) : null) ?? Reported(f) ?? Expiry(f)
            ?? (Unexplained, $"{Of(f)} was in {f.Country} before the alert ({Moment(f.ConfirmedAt)}), and nothing that was told differs from what is known of it."
                + (f.Code is "A7" or "A24" ? " It is not ended here: somebody else has ended it, or another pack has its number." : ""));
    }

    // A serial number was told that no unit of ours has, in a lot that is one.
    private static (string, string)? NotOursInLot(AlertFacts f) => f is { UnitKey: null, Serial: not "" }
        ? (NotOurs, $"The lot {f.UnitLot} of {f.Product} is ours; the serial number {f.Serial} is not of it and never was, nor is it like one of its serial numbers.") : null;

    private static (string, string)? Changed(AlertFacts f) => f switch
    {
        { How: { } how } => (Misread, $"{Of(f)} is ours; told was {Named(f)}: {how}{(f.LotHow is { } lot ? $"; of the lot: {lot}" : "")}."),
        { LotHow: { } lot } => (Misread, $"{Of(f)} is ours; told was the lot {f.Lot}: {lot}."),
        { UnitKey: not null, Lot: not "", UnitLot: { } own } when own != f.Lot => (WrongLot, $"The serial number {f.Serial} is ours in the lot {own}; told was the lot {f.Lot}{(f.IsKnownLot ? ", which is ours too" : ", which is not ours")}."),
        _ => null,
    };

    private static (string, string)? Ended(AlertFacts f) => f is { EndedAs: { } ended, Code: "A7" or "A24" }
        ? (AlreadyInState, $"{Of(f)} was {ended} here ({Moment(f.EndedAt)}), so it is not active any more.") : null;

    private static (string, string)? Expiry(AlertFacts f)
    {
        if (f.Expiry is not { } told || (f.HubExpiry ?? f.UnitExpiry) is not { } known)
        {
            return null;
        }
        var ours = known.ToString("yyMMdd", CultureInfo.InvariantCulture);
        if (told == ours)
        {
            return null;
        }
        var isDay = told.Length == 6 && told[..4] == ours[..4];
        var lastDay = DateTime.DaysInMonth(known.Year, known.Month) == known.Day;
        return (WrongExpiry, $"The lot {f.UnitLot} expires {ours} {(f.HubExpiry is null ? "by what is known of it" : "as it was reported")}; told was {told}{(isDay && told.EndsWith("00", StringComparison.Ordinal) ? lastDay ? ": the day 00, where the last day of the month was reported" : ": the day 00, where another day was reported" : isDay ? ": another day of the same month" : "")}.");
    }

    private static (string, string)? Reported(AlertFacts f)
    {
        var when = $"the alert of {Moment(f.RaisedAt)}";
        if (f is { MarketState: "distributed", Fault: null or "market", ConfirmedAt: { } confirmed })
        {
            return confirmed <= f.RaisedAt ? null
                : f is { Code: "A3", IsByUs: true } ? (Overtaken, $"{Of(f)} came to {f.Country} at {Moment(confirmed)} with the message {f.DeliveryId}, after our own change of its state had: that was at {Moment(f.RaisedAt)}.")
                : (UploadedAfter, $"{Of(f)} came to {f.Country} at {Moment(confirmed)} with the message {f.DeliveryId}, after {when}: it was on the market before it was reported.");
        }
        if (f is { Code: "A3", IsByUs: true, MarketState: "pending", Fault: null })
        {
            return (Overtaken, $"{Of(f)} is on its way to {f.Country} with the message {f.DeliveryId}; our own change of its state was there before, at {Moment(f.RaisedAt)}.");
        }
        return (NotUploaded, $"{Of(f)} is ours and was not in {f.Country} at {when}: " + f switch
        {
            { IsReleased: false } => "its lot is not released to the hub.",
            { IsMarket: false } => $"{f.Country} is no market of its lot.",
            { Fault: { } fault } => fault == "market" ? $"a market did not take the message {f.DeliveryId}." : $"the hub did not store it from the message {f.DeliveryId} ({fault}).",
            { IsReported: false } => "it was not among what was reported of its lot.",
            { DeliveryId: null } => "the message that tells it is not written yet.",
            { MarketState: "failed" } => $"{f.Country} did not take the message {f.DeliveryId}.",
            _ => $"the message {f.DeliveryId} has not come there yet.",
        });
    }

    private static string Of(AlertFacts f) => f.UnitKey is { } key ? $"The pack {key[18..]}{(f.UnitLot is { } lot ? $" of the lot {lot}" : "")}" : $"The lot {f.UnitLot} of {f.Product}";

    private static string Named(AlertFacts f) => (f.Serial, f.Lot) switch
    {
        ("", "") => "what was told",
        ("", var lot) => $"the lot {lot}",
        (var serial, "") => $"the serial number {serial}",
        var (serial, lot) => $"the serial number {serial} of the lot {lot}",
    };

    private static string Moment(DateTime? at) => at is { } moment ? moment.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture) : "it is not known when";
}

/// <summary>What is known of the pack of a case, and of the market of it that has the most to explain.</summary>
internal sealed class AlertFacts
{
    public int CaseId { get; init; }
    public string Code { get; init; } = "";

    /// <summary>This and what follows as told.</summary>
    public string Product { get; init; } = "";
    public string Lot { get; init; } = "";
    public string Serial { get; init; } = "";
    public string? Expiry { get; init; }

    /// <summary>The request was our own.</summary>
    public bool IsByUs { get; init; }
    public bool IsKnownProduct { get; init; }
    public bool IsKnownLot { get; init; }

    /// <summary>The unit of ours, by whatever way it was found.</summary>
    public string? UnitKey { get; init; }

    /// <summary>Its lot; where no serial number was told, the lot that was meant.</summary>
    public string? UnitLot { get; init; }
    public DateOnly? UnitExpiry { get; init; }

    /// <summary>How what was told can have come of it; null: it is what was told.</summary>
    public string? How { get; init; }

    /// <summary>How the lot that was told can have come of its own.</summary>
    public string? LotHow { get; init; }
    public string? EndedAs { get; init; }
    public DateTime? EndedAt { get; init; }
    public string Country { get; init; } = "";
    public DateTime RaisedAt { get; init; }
    public bool IsReleased { get; init; }
    public bool IsMarket { get; init; }
    public bool IsReported { get; init; }
    public DateOnly? HubExpiry { get; init; }
    public string? Fault { get; init; }
    public long? DeliveryId { get; init; }
    public string? MarketState { get; init; }
    public DateTime? ConfirmedAt { get; init; }
}
