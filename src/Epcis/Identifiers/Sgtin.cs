using System.Diagnostics.CodeAnalysis;

namespace Epcis.Identifiers;

/// <summary>One trade item: GTIN and serial number, <c>urn:epc:id:sgtin:C.IR.S</c>, (01)(21), <c>/01/…/21/…</c>.</summary>
public sealed record Sgtin
{
    private Sgtin(Gtin gtin, int companyPrefixLength, string serial) =>
        (Gtin, CompanyPrefixLength, Serial) = (gtin, companyPrefixLength, serial);

    public Gtin Gtin { get; }

    /// <summary>Only the EPC URI says it; every other form has to be told.</summary>
    public int CompanyPrefixLength { get; }

    /// <summary>1 to 20 characters, decoded; case counts.</summary>
    public string Serial { get; }

    public static Parsed<Sgtin> Create(Gtin gtin, int companyPrefixLength, string serial) =>
        (Digits.RefusePrefixLength(companyPrefixLength) ?? Gs1CharacterSet82.Refuse("serial number", serial, 20)) is { } refusal
            ? refusal
            : new Sgtin(gtin, companyPrefixLength, serial);

    public static Parsed<Sgtin> FromUrn(string urn) =>
        EpcUri.Parse(urn, EpcUriKind.PureIdentity, "sgtin")
            .Then<Sgtin>(uri => new Sgtin(Gtin.Of(uri), uri.CompanyPrefix.Length, uri.Components[2]));

    public static Parsed<Sgtin> FromDigitalLink(string uri, int companyPrefixLength) =>
        DigitalLink.Parse(uri, "01").Then(link => link.Qualifiers.GetValueOrDefault("21") is { } serial
            ? Of(link.Key, companyPrefixLength, serial)
            : new Refusal($"{uri} has no serial number (/21/).", uri, "/01/…/21/…"));

    /// <summary>Other application identifiers of the same symbol, such as lot or expiry, do not disturb.</summary>
    public static Parsed<Sgtin> FromElementString(string text, int companyPrefixLength) =>
        ElementString.Parse(text).Then(e => e.Require("01").Then(gtin => e.Require("21").Then(serial => Of(gtin, companyPrefixLength, serial))));

    private static Parsed<Sgtin> Of(string gtin, int companyPrefixLength, string serial) =>
        Gtin.Parse(gtin).Then(g => Create(g, companyPrefixLength, serial));

    /// <summary>Reads an EPC URI, the one form that needs no company prefix length.</summary>
    public static bool TryParse(string urn, [NotNullWhen(true)] out Sgtin? value, [NotNullWhen(false)] out string? error) =>
        FromUrn(urn).Try(out value, out error);

    public string ToUrn() =>
        EpcUri.Write("id", "sgtin", Gtin.Prefix(CompanyPrefixLength), Gtin.IndicatorAndReference(CompanyPrefixLength), Serial);

    public string ToDigitalLink() => DigitalLink.Write("01", Gtin.Value, "21", Serial);

    public string ToElementString() => ElementString.Write(("01", Gtin.Value), ("21", Serial));

    /// <summary>The form for people, with brackets.</summary>
    public string ToPrintedElementString() => ElementString.Print(("01", Gtin.Value), ("21", Serial));

    public override string ToString() => ToUrn();
}
