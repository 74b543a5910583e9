using System.Text.RegularExpressions;
using Epcis.Identifiers;

namespace Gateway.MasterData;

/// <summary>A packaging level, lowest first.</summary>
public static class PackLevels
{
    public static IReadOnlyList<string> All { get; } = ["unit", "bundle", "case", "pallet"];
}

/// <summary>One trade item: a product at one packaging level, named by its GTIN. Texts are empty where nothing is known.</summary>
/// <param name="Gtin">14 digits.</param>
public sealed partial record Product(string Gtin)
{
    private const int MaxLength = 500;
    private const int MaxPatternLength = 200;

    public string Name { get; init; } = "";

    /// <summary>The National Drug Code as it is printed, with its hyphens; or its eleven digits, where nobody told the hyphens.</summary>
    public string Ndc { get; init; } = "";

    /// <summary>Countries (ISO 3166-1) in alphabetical order, parted by blanks.</summary>
    public string Markets { get; init; } = "";

    public string Manufacturer { get; init; } = "";
    public string DosageForm { get; init; } = "";
    public string Strength { get; init; } = "";
    public string NetContent { get; init; } = "";

    /// <summary>One of <see cref="PackLevels"/>; null when it is not known.</summary>
    public string? Level { get; init; }

    /// <summary>The GTIN of what a container of this product holds; null for a unit, or when it is not known.</summary>
    public string? Holds { get; init; }

    /// <summary>How many of <see cref="Holds"/> a full container holds.</summary>
    public int? Quantity { get; init; }

    /// <summary>A container of it may hold several lots.</summary>
    public bool MixedLots { get; init; }

    /// <summary>How many of it a full logistic unit (SSCC) holds.</summary>
    public int? PerLogisticUnit { get; init; }

    /// <summary>What the SSCCs of those logistic units begin with: extension digit and company prefix.</summary>
    public string? SsccPrefix { get; init; }

    /// <summary>Digits of the company prefix in the GTIN; null when nobody has said it, for nothing else tells.</summary>
    public int? CompanyPrefixLength { get; init; }

    /// <summary>A regular expression that every serial number of it matches.</summary>
    public string? SerialPattern { get; init; }

    /// <summary>It was a mistake, or is no longer ours: it counts as unknown.</summary>
    public bool Withdrawn { get; init; }

    /// <summary>The company prefix; null when its length is not known.</summary>
    internal string? CompanyPrefix => CompanyPrefixLength is { } length ? Gtin.Substring(1, length) : null;

    /// <summary>The same with its countries in order, each once.</summary>
    internal Product InOrder() => this with { Markets = string.Join(' ', Markets.Split(' ', StringSplitOptions.RemoveEmptyEntries).Distinct().Order(StringComparer.Ordinal)) };

    /// <returns>The member that cannot be as it is, and why; null when there is none.</returns>
    internal (string Member, string Why)? Refuse() => this switch
    {
        _ when Gtin.Length != 14 || !Epcis.Identifiers.Gtin.Parse(Gtin).Try(out _, out _) => ("gtin", Epcis.Identifiers.Gtin.Parse(Gtin).Error ?? "A GTIN is written with 14 digits here."),
        _ when string.IsNullOrWhiteSpace(Name) => ("name", "A product has a name."),
        _ when TooLong() is { } member => (member, $"At most {MaxLength} characters."),
        _ when Ndc.Length > 0 && !NdcForm().IsMatch(Ndc) => ("ndc", "An NDC is written with its hyphens (4-4-2, 5-3-2, 5-4-1 or 5-4-2 digits), or as 11 digits."),
        _ when Markets.Length > 0 && !CountriesForm().IsMatch(Markets) => ("markets", "Markets are countries of two capital letters (ISO 3166-1), parted by blanks."),
        _ when Level is not null && !PackLevels.All.Contains(Level) => ("level", $"A level is {string.Join(", ", PackLevels.All)}."),
        _ when Holds is not null && (Holds.Length != 14 || !Epcis.Identifiers.Gtin.Parse(Holds).Try(out _, out _)) => ("holds", Epcis.Identifiers.Gtin.Parse(Holds).Error ?? "A GTIN is written with 14 digits here."),
        _ when Holds == Gtin => ("holds", "Nothing holds itself."),
        _ when Holds is not null && Level is null or "unit" && Holds is not null => ("level", "What holds other products is a bundle, case or pallet."),
        _ when Holds is null != Quantity is null => ("quantity", "What a container holds and how many of it are told together."),
        { Quantity: < 1 } => ("quantity", "A quantity is at least 1."),
        { PerLogisticUnit: < 1 } => ("perLogisticUnit", "A quantity is at least 1."),
        _ when SsccPrefix is not null && (SsccPrefix.Length is < 7 or > 16 || !SsccPrefix.All(char.IsAsciiDigit)) => ("ssccPrefix", "An SSCC's beginning is its extension digit and the company prefix: 7 to 16 digits."),
        { CompanyPrefixLength: < 6 or > 12 } => ("companyPrefixLength", "A GS1 company prefix has 6 to 12 digits."),
        _ when SerialPattern is not null && !IsPattern(SerialPattern) => ("serialPattern", "A serial pattern is a regular expression without backward references or lookarounds, of at most 200 characters."),
        _ => null,
    };

    private string? TooLong() => ((string Member, string Value)[])[("name", Name), ("manufacturer", Manufacturer), ("dosageForm", DosageForm), ("strength", Strength), ("netContent", NetContent), ("markets", Markets)]
        is var texts && texts.FirstOrDefault(t => t.Value.Length > MaxLength).Member is { } member ? member : null;

    private static bool IsPattern(string pattern)
    {
        if (pattern.Length is 0 or > MaxPatternLength)
        {
            return false;
        }
        try
        {
            // The engine that cannot run for ever: a pattern is somebody's input, and serial numbers are others'.
            _ = new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
            return true;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return false;
        }
    }

    [GeneratedRegex("^([0-9]{4}-[0-9]{4}-[0-9]{2}|[0-9]{5}-[0-9]{3}-[0-9]{2}|[0-9]{5}-[0-9]{4}-[0-9]{1,2}|[0-9]{11})$")]
    private static partial Regex NdcForm();

    [GeneratedRegex("^[A-Z]{2}( [A-Z]{2})*$")]
    private static partial Regex CountriesForm();
}
