using Epcis.Identifiers;

namespace Gateway.MasterData;

/// <summary>A party or a place, named by its GLN; or a place within it, by an extension besides. Texts are empty where nothing is known.</summary>
/// <param name="Gln">13 digits.</param>
/// <param name="Extension">Of a place within the place, such as a line (AI 254); empty for the place itself.</param>
public sealed record Location(string Gln, string Extension = "")
{
    private const int MaxLength = 500;

    public string Name { get; init; } = "";

    /// <summary><c>party</c>, <c>place</c>, or <c>both</c> where one GLN names both.</summary>
    public string Kind { get; init; } = "place";

    public string Street { get; init; } = "";
    public string Street2 { get; init; } = "";
    public string City { get; init; } = "";
    public string State { get; init; } = "";
    public string PostalCode { get; init; } = "";

    /// <summary>ISO 3166-1, two capital letters.</summary>
    public string Country { get; init; } = "";

    /// <summary>Digits of the company prefix in the GLN; null when nobody has said it.</summary>
    public int? CompanyPrefixLength { get; init; }

    /// <summary>It was a mistake, or exists no longer: it counts as unknown.</summary>
    public bool Withdrawn { get; init; }

    /// <summary>As a place in an event: the EPC URI, or the Digital Link while the company prefix is not known; null for a mere party.</summary>
    public string? Sgln() => Kind == "party" ? null : Written("sgln", Extension.Length == 0 ? ["0"] : [Extension]);

    /// <summary>As a party in an event; null for a mere place.</summary>
    public string? Pgln() => Kind == "place" ? null : Written("pgln", []);

    internal string? CompanyPrefix => CompanyPrefixLength is { } length ? Gln[..length] : null;

    private string? Written(string scheme, string[] tail) =>
        Epc.Create(EpcScheme.Named(scheme)!, Gln, CompanyPrefixLength is { } length ? CompanyPrefixes.OfLength(length) : CompanyPrefixes.None, tail).Value?.ToString();

    /// <returns>The member that cannot be as it is, and why; null when there is none.</returns>
    internal (string Member, string Why)? Refuse() => this switch
    {
        _ when !Epcis.Identifiers.Gln.Parse(Gln).Try(out _, out var error) => ("gln", error),
        _ when string.IsNullOrWhiteSpace(Name) => ("name", "A party or place has a name."),
        _ when Kind is not ("party" or "place" or "both") => ("kind", "A kind is party, place or both."),
        _ when TooLong() is { } member => (member, $"At most {MaxLength} characters."),
        _ when Extension.Length > 0 && Epc.Create(EpcScheme.Named("sgln")!, Gln, CompanyPrefixes.None, Extension).Error is { } wrong => ("extension", wrong),
        _ when Country.Length > 0 && (Country.Length != 2 || !Country.All(char.IsAsciiLetterUpper)) => ("country", "A country is two capital letters (ISO 3166-1)."),
        { CompanyPrefixLength: < 6 or > 12 } => ("companyPrefixLength", "A GS1 company prefix has 6 to 12 digits."),
        _ => null,
    };

    private string? TooLong() => ((string Member, string Value)[])[("name", Name), ("street", Street), ("street2", Street2), ("city", City), ("state", State), ("postalCode", PostalCode)]
        is var texts && texts.FirstOrDefault(t => t.Value.Length > MaxLength).Member is { } member ? member : null;
}
