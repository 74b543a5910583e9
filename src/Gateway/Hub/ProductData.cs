using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Epcis.Identifiers;

namespace Gateway.Hub;

/// <summary>A company with its address, which hubs demand since 1.16.</summary>
/// <param name="Street">At most 1,000 characters; the others at most 255.</param>
/// <param name="Country">ISO 3166-1, two capital letters.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record Company(string? Id, string? Name, string? Street, string? City, string? PostalCode, string? Country);

/// <summary>A product in one market.</summary>
/// <param name="Country">ISO 3166-1, two capital letters.</param>
/// <param name="Holder">Of the marketing authorisation.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record MarketData(string? Country, string? NationalCode, Company? Holder, IReadOnlyList<Company>? Wholesalers = null);

/// <summary>
/// What a hub knows of a product (product master data, EU-FMD.md section 3.1). Names are mandatory where the hub's version 1.16 demands them, and no longer than it takes.
/// </summary>
/// <param name="Gtin">14 digits.</param>
/// <param name="PackSize">Doses or pieces in a pack.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed partial record ProductData(
    string? Gtin, string? Name, string? CommonName, string? Form, string? Strength, string? PackType, int? PackSize, IReadOnlyList<string>? Atc, Company? Manufacturer, IReadOnlyList<MarketData>? Markets)
{
    private const int MaxText = 255, MaxStreet = 1000, MaxMarkets = 60, MaxWholesalers = 500, MaxAtc = 20;

    internal static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    /// <summary>The countries it is sold in, in alphabetical order.</summary>
    internal string[] Countries => [.. Markets!.Select(m => m.Country!).Order(StringComparer.Ordinal)];

    /// <returns>Everything that a hub would refuse, each with its place.</returns>
    public IReadOnlyList<string> Refuse()
    {
        var wrong = new List<string>();
        if (Gtin is not { Length: 14 } || !Epcis.Identifiers.Gtin.Parse(Gtin).Try(out _, out _))
        {
            wrong.Add("gtin: a GTIN of 14 digits.");
        }
        Text("name", Name);
        Text("commonName", CommonName);
        Text("form", Form);
        Text("strength", Strength);
        Text("packType", PackType);
        if (PackSize is not > 0)
        {
            wrong.Add("packSize: a whole number from 1.");
        }
        if (Atc is { Count: > MaxAtc } || Atc?.Any(a => a is null || !AtcForm().IsMatch(a)) is true)
        {
            wrong.Add($"atc: at most {MaxAtc} codes such as N02BE01.");
        }
        Address("manufacturer", Manufacturer);
        if (Markets is null or [])
        {
            wrong.Add("markets: at least one; a product that is sold nowhere is not reported.");
        }
        else if (Markets.Count > MaxMarkets || Markets.DistinctBy(m => m?.Country).Count() < Markets.Count)
        {
            wrong.Add($"markets: at most {MaxMarkets}, each country once.");
        }
        for (var i = 0; Markets is { Count: <= MaxMarkets } && i < Markets.Count; i++)
        {
            Market($"markets[{i}]", Markets[i]);
        }
        return wrong;

        void Market(string at, MarketData? market)
        {
            if (market is null)
            {
                wrong.Add($"{at}: missing.");
                return;
            }
            Country($"{at}.country", market.Country);
            if (market.NationalCode is { } code && (code.Length > MaxText || string.IsNullOrWhiteSpace(code)))
            {
                wrong.Add($"{at}.nationalCode: at most {MaxText} characters, and not blank.");
            }
            Address($"{at}.holder", market.Holder);
            if (market.Wholesalers is { Count: > MaxWholesalers })
            {
                wrong.Add($"{at}.wholesalers: at most {MaxWholesalers}.");
                return;
            }
            for (var n = 0; n < (market.Wholesalers?.Count ?? 0); n++)
            {
                Address($"{at}.wholesalers[{n}]", market.Wholesalers![n]);
            }
        }

        void Address(string at, Company? company)
        {
            if (company is null)
            {
                wrong.Add($"{at}: missing: id, name, street, city, postalCode and country.");
                return;
            }
            Text($"{at}.id", company.Id);
            Text($"{at}.name", company.Name);
            Text($"{at}.street", company.Street, MaxStreet);
            Text($"{at}.city", company.City);
            Text($"{at}.postalCode", company.PostalCode);
            Country($"{at}.country", company.Country);
        }

        void Text(string at, string? value, int most = MaxText)
        {
            if (string.IsNullOrWhiteSpace(value))
            {
                wrong.Add($"{at}: missing.");
            }
            else if (value.Length > most || value.Any(c => char.IsControl(c) || !System.Xml.XmlConvert.IsXmlChar(c) && !char.IsSurrogate(c)))
            {
                wrong.Add($"{at}: at most {most} characters in one line; it has {value.Length}.");
            }
        }

        void Country(string at, string? value)
        {
            if (value is not { Length: 2 } || !value.All(char.IsAsciiLetterUpper))
            {
                wrong.Add($"{at}: two capital letters (ISO 3166-1).");
            }
        }
    }

    [GeneratedRegex("^[A-Z][0-9]{2}[A-Z]{2}[0-9]{2}$")]
    private static partial Regex AtcForm();
}
