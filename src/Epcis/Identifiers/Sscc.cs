using System.Diagnostics.CodeAnalysis;

namespace Epcis.Identifiers;

/// <summary>A logistic unit: <c>urn:epc:id:sscc:C.ES</c>, (00), <c>/00/…</c>.</summary>
public sealed record Sscc
{
    private Sscc(string digits, int companyPrefixLength) => (Value, CompanyPrefixLength) = (digits, companyPrefixLength);

    /// <summary>18 digits with extension digit and check digit.</summary>
    public string Value { get; }
    public int CompanyPrefixLength { get; }

    public static Parsed<Sscc> Create(string digits, int companyPrefixLength) =>
        (Digits.RefusePrefixLength(companyPrefixLength) ?? Digits.Refuse("SSCC", digits, 18) ?? CheckDigit.Refuse("SSCC", digits)) is { } refusal
            ? refusal
            : new Sscc(digits, companyPrefixLength);

    public static Parsed<Sscc> FromUrn(string urn) =>
        EpcUri.Parse(urn, EpcUriKind.PureIdentity, "sscc").Then<Sscc>(uri => new Sscc(uri.Key, uri.CompanyPrefix.Length));

    public static Parsed<Sscc> FromDigitalLink(string uri, int companyPrefixLength) =>
        DigitalLink.Parse(uri, "00").Then(link => Create(link.Key, companyPrefixLength));

    public static Parsed<Sscc> FromElementString(string text, int companyPrefixLength) =>
        ElementString.Parse(text).Then(e => e.Require("00")).Then(digits => Create(digits, companyPrefixLength));

    /// <summary>Reads an EPC URI, the one form that needs no company prefix length.</summary>
    public static bool TryParse(string urn, [NotNullWhen(true)] out Sscc? value, [NotNullWhen(false)] out string? error) =>
        FromUrn(urn).Try(out value, out error);

    // The extension digit leads the key, but stands behind the dot in the EPC URI.
    public string ToUrn() =>
        EpcUri.Write("id", "sscc", Value.Substring(1, CompanyPrefixLength), Value[0] + Value[(1 + CompanyPrefixLength)..17]);

    public string ToDigitalLink() => DigitalLink.Write("00", Value);

    public string ToElementString() => ElementString.Write(("00", Value));

    /// <summary>The form for people, with brackets.</summary>
    public string ToPrintedElementString() => ElementString.Print(("00", Value));

    public override string ToString() => ToUrn();
}
