using System.Diagnostics.CodeAnalysis;

namespace Epcis.Identifiers;

/// <summary>A Global Location Number: 13 digits with check digit. It names a party or a place; partners are routed by it.</summary>
public sealed record Gln
{
    private Gln(string digits) => Value = digits;

    public string Value { get; }

    public static Parsed<Gln> Parse(string digits) =>
        (Digits.Refuse("GLN", digits, 13) ?? CheckDigit.Refuse("GLN", digits)) is { } refusal ? refusal : new Gln(digits);

    /// <summary>Of an EPC URI, whose structure has been checked and which carries no check digit.</summary>
    internal static Gln Of(EpcUri uri) => new(uri.Key);

    /// <summary>The GLN of <c>urn:epc:id:sgln:</c>, whatever its extension.</summary>
    public static Parsed<Gln> FromSgln(string urn) =>
        EpcUri.Parse(urn, EpcUriKind.PureIdentity, "sgln").Then<Gln>(uri => Of(uri));

    /// <summary>Reads SGLN and PGLN URIs, Digital Links of (414) and (417), element strings of both, and 13 bare digits.</summary>
    public static Parsed<Gln> FromAny(string value)
    {
        if (EpcUri.IsEpcUri(value))
        {
            return EpcUri.Parse(value).Then<Gln>(uri => uri is { Kind: EpcUriKind.PureIdentity, Scheme: "sgln" or "pgln" }
                ? Of(uri)
                : new Refusal($"{value} holds no GLN.", value, "urn:epc:id:sgln:… or urn:epc:id:pgln:…"));
        }
        if (value.Contains("://", StringComparison.Ordinal))
        {
            return DigitalLink.Parse(value).Then(link => link.KeyAi is "414" or "417"
                ? Parse(link.Key)
                : new Refusal($"{value} holds no GLN.", value, "/414/… or /417/…"));
        }
        return Digits.AreAll(value) && value.Length == 13
            ? Parse(value)
            : ElementString.Parse(value).Then(e => e.Require(e.Has("414") ? "414" : "417")).Then(Parse);
    }

    public static bool TryFromAny(string value, [NotNullWhen(true)] out string? gln13)
    {
        gln13 = FromAny(value).Value?.Value;
        return gln13 is not null;
    }

    internal string Prefix(int companyPrefixLength) => Value[..companyPrefixLength];

    internal string Reference(int companyPrefixLength) => Value[companyPrefixLength..12];

    public override string ToString() => Value;
}
