using System.Diagnostics.CodeAnalysis;

namespace Epcis.Identifiers;

/// <summary>A location: <c>urn:epc:id:sgln:C.R.X</c>, (414)(254), <c>/414/…/254/…</c>; extension 0 means none.</summary>
public sealed record Sgln
{
    /// <summary>How an EPC URI writes that there is no extension.</summary>
    public const string NoExtension = "0";

    private Sgln(Gln gln, int companyPrefixLength, string extension) =>
        (Gln, CompanyPrefixLength, Extension) = (gln, companyPrefixLength, extension);

    public Gln Gln { get; }
    public int CompanyPrefixLength { get; }

    /// <summary>1 to 20 characters, decoded.</summary>
    public string Extension { get; }

    public static Parsed<Sgln> Create(Gln gln, int companyPrefixLength, string extension = NoExtension) =>
        (Digits.RefusePrefixLength(companyPrefixLength) ?? Gs1CharacterSet82.Refuse("extension", extension, 20)) is { } refusal
            ? refusal
            : new Sgln(gln, companyPrefixLength, extension);

    public static Parsed<Sgln> FromUrn(string urn) =>
        EpcUri.Parse(urn, EpcUriKind.PureIdentity, "sgln")
            .Then<Sgln>(uri => new Sgln(Gln.Of(uri), uri.CompanyPrefix.Length, uri.Components[2]));

    public static Parsed<Sgln> FromDigitalLink(string uri, int companyPrefixLength) =>
        DigitalLink.Parse(uri, "414").Then(link =>
            Gln.Parse(link.Key).Then(gln => Create(gln, companyPrefixLength, link.Qualifiers.GetValueOrDefault("254", NoExtension))));

    public static Parsed<Sgln> FromElementString(string text, int companyPrefixLength) =>
        ElementString.Parse(text).Then(e => e.Require("414").Then(Gln.Parse).Then(gln => e.Has("254")
            ? e.Require("254").Then(extension => Create(gln, companyPrefixLength, extension))
            : Create(gln, companyPrefixLength)));

    /// <summary>Reads an EPC URI, the one form that needs no company prefix length.</summary>
    public static bool TryParse(string urn, [NotNullWhen(true)] out Sgln? value, [NotNullWhen(false)] out string? error) =>
        FromUrn(urn).Try(out value, out error);

    public string ToUrn() =>
        EpcUri.Write("id", "sgln", Gln.Prefix(CompanyPrefixLength), Gln.Reference(CompanyPrefixLength), Extension);

    public string ToDigitalLink() => Extension == NoExtension
        ? DigitalLink.Write("414", Gln.Value)
        : DigitalLink.Write("414", Gln.Value, "254", Extension);

    public string ToElementString() => ElementString.Write(Elements);

    /// <summary>The form for people, with brackets.</summary>
    public string ToPrintedElementString() => ElementString.Print(Elements);

    private (string, string)[] Elements => Extension == NoExtension
        ? [("414", Gln.Value)]
        : [("414", Gln.Value), ("254", Extension)];

    public override string ToString() => ToUrn();
}
