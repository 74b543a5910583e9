using System.Diagnostics.CodeAnalysis;

namespace Epcis.Identifiers;

/// <summary>One lot of a trade item: <c>urn:epc:class:lgtin:C.IR.L</c>, (01)(10), <c>/01/…/10/…</c>.</summary>
public sealed record Lgtin
{
    private Lgtin(Gtin gtin, int companyPrefixLength, string lot) =>
        (Gtin, CompanyPrefixLength, Lot) = (gtin, companyPrefixLength, lot);

    public Gtin Gtin { get; }

    /// <summary>Only the EPC URI says it; every other form has to be told.</summary>
    public int CompanyPrefixLength { get; }

    /// <summary>1 to 20 characters, decoded; case counts.</summary>
    public string Lot { get; }

    public static Parsed<Lgtin> Create(Gtin gtin, int companyPrefixLength, string lot) =>
        (Digits.RefusePrefixLength(companyPrefixLength) ?? Gs1CharacterSet82.Refuse("lot number", lot, 20)) is { } refusal
            ? refusal
            : new Lgtin(gtin, companyPrefixLength, lot);

    public static Parsed<Lgtin> FromUrn(string urn) =>
        EpcUri.Parse(urn, EpcUriKind.Class, "lgtin")
            .Then<Lgtin>(uri => new Lgtin(Gtin.Of(uri), uri.CompanyPrefix.Length, uri.Components[2]));

    public static Parsed<Lgtin> FromDigitalLink(string uri, int companyPrefixLength) =>
        DigitalLink.Parse(uri, "01").Then(link => link.Qualifiers.GetValueOrDefault("10") is { } lot
            ? Of(link.Key, companyPrefixLength, lot)
            : new Refusal($"{uri} has no lot number (/10/).", uri, "/01/…/10/…"));

    /// <summary>Other application identifiers of the same symbol, such as lot or expiry, do not disturb.</summary>
    public static Parsed<Lgtin> FromElementString(string text, int companyPrefixLength) =>
        ElementString.Parse(text).Then(e => e.Require("01").Then(gtin => e.Require("10").Then(lot => Of(gtin, companyPrefixLength, lot))));

    private static Parsed<Lgtin> Of(string gtin, int companyPrefixLength, string lot) =>
        Gtin.Parse(gtin).Then(g => Create(g, companyPrefixLength, lot));

    /// <summary>Reads an EPC URI, the one form that needs no company prefix length.</summary>
    public static bool TryParse(string urn, [NotNullWhen(true)] out Lgtin? value, [NotNullWhen(false)] out string? error) =>
        FromUrn(urn).Try(out value, out error);

    public string ToUrn() =>
        EpcUri.Write("class", "lgtin", Gtin.Prefix(CompanyPrefixLength), Gtin.IndicatorAndReference(CompanyPrefixLength), Lot);

    public string ToDigitalLink() => DigitalLink.Write("01", Gtin.Value, "10", Lot);

    public string ToElementString() => ElementString.Write(("01", Gtin.Value), ("10", Lot));

    /// <summary>The form for people, with brackets.</summary>
    public string ToPrintedElementString() => ElementString.Print(("01", Gtin.Value), ("10", Lot));

    public override string ToString() => ToUrn();
}
