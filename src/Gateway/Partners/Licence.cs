namespace Gateway.Partners;

/// <summary>What authorises a trading partner: a licence or registration, for a time (FD&amp;C Act 581(2)).</summary>
/// <param name="Kind">One of <see cref="Kinds"/>.</param>
/// <param name="Issuer">The authority.</param>
/// <param name="Region">ISO 3166: a country such as <c>US</c>, or a state of it such as <c>US-NJ</c>.</param>
/// <param name="ValidUntil">Its last day.</param>
/// <param name="Evidence">Where it was looked up.</param>
public sealed record Licence(string? Kind, string? Number, string? Issuer, string? Region, DateOnly? ValidFrom, DateOnly? ValidUntil, string? Evidence = null)
{
    private const int MaxLength = 200;

    public static IReadOnlyList<string> Kinds { get; } = ["manufacturer", "repackager", "wholesale distributor", "third-party logistics provider", "dispenser"];

    /// <returns>What is wrong with it, as a sentence; null when nothing is.</returns>
    public string? Refuse() => this switch
    {
        _ when Kind is null || !Kinds.Contains(Kind) => $"kind is one of {string.Join(", ", Kinds)}.",
        _ when !IsText(Number) => $"number is missing, or longer than {MaxLength} characters.",
        _ when !IsText(Issuer) => $"issuer is missing, or longer than {MaxLength} characters.",
        _ when Region is null || !IsRegion(Region) => "region is a country such as US, or a state of it such as US-NJ (ISO 3166).",
        { ValidFrom: null } or { ValidUntil: null } => "validFrom and validUntil are days such as 2026-11-30.",
        _ when ValidUntil < ValidFrom => "validUntil is before validFrom.",
        _ when Evidence?.Length > 2_000 => "evidence is longer than 2,000 characters.",
        _ => null,
    };

    private static bool IsText(string? text) => !string.IsNullOrWhiteSpace(text) && text.Length <= MaxLength && !text.Any(char.IsControl);

    private static bool IsRegion(string region) => region.Split('-') is var parts && parts[0].Length == 2 && parts[0].All(char.IsAsciiLetterUpper)
        && (parts.Length == 1 || parts.Length == 2 && parts[1].Length is >= 1 and <= 3 && parts[1].All(c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c)));
}

/// <summary>A licence on record.</summary>
/// <param name="State">valid, lapsed, not yet valid or withdrawn, as of today.</param>
public sealed record LicenceItem(
    int LicenceId, string Kind, string Number, string Issuer, string Region, DateOnly ValidFrom, DateOnly ValidUntil, string Evidence, DateTime CheckedAt, string CheckedBy, string State, int Version);

/// <summary>Until when somebody answers for sending to a partner without a licence.</summary>
/// <param name="Until">Its last day.</param>
public sealed record LicenceExceptionItem(DateOnly Until, string Why, string SignedBy, DateTime SignedAt, bool Stands);

/// <summary>Whether documents may go to a partner, as far as licences decide it.</summary>
/// <param name="Until">The last day on which they may as things stand; null when they may not today.</param>
public sealed record LicenceStanding(bool IsNeeded, DateOnly? Until, IReadOnlyList<LicenceItem> Licences, IReadOnlyList<LicenceExceptionItem> Exceptions)
{
    public bool MayBeSentTo => !IsNeeded || Until is not null;
}
