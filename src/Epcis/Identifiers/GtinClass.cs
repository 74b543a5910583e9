namespace Epcis.Identifiers;

/// <summary>All instances of a GTIN: <c>urn:epc:idpat:sgtin:C.IR.*</c>, (01), <c>/01/…</c>.</summary>
public sealed record GtinClass
{
    private GtinClass(Gtin gtin, int companyPrefixLength) => (Gtin, CompanyPrefixLength) = (gtin, companyPrefixLength);

    public Gtin Gtin { get; }
    public int CompanyPrefixLength { get; }

    public static Parsed<GtinClass> Create(Gtin gtin, int companyPrefixLength) =>
        Digits.RefusePrefixLength(companyPrefixLength) is { } refusal ? refusal : new GtinClass(gtin, companyPrefixLength);

    public static Parsed<GtinClass> FromUrn(string urn) =>
        EpcUri.Parse(urn, EpcUriKind.Pattern, "sgtin").Then<GtinClass>(uri => uri.Components[1] == "*"
            ? new Refusal($"{urn} names no single GTIN.", urn, "urn:epc:idpat:sgtin:C.IR.*")
            : new GtinClass(Gtin.Of(uri), uri.CompanyPrefix.Length));

    public static Parsed<GtinClass> FromDigitalLink(string uri, int companyPrefixLength) =>
        DigitalLink.Parse(uri, "01").Then(link => Gtin.Parse(link.Key)).Then(gtin => Create(gtin, companyPrefixLength));

    public static Parsed<GtinClass> FromElementString(string text, int companyPrefixLength) =>
        ElementString.Parse(text).Then(e => e.Require("01")).Then(v => Gtin.Parse(v)).Then(gtin => Create(gtin, companyPrefixLength));

    public string ToUrn() =>
        EpcUri.Write("idpat", "sgtin", Gtin.Prefix(CompanyPrefixLength), Gtin.IndicatorAndReference(CompanyPrefixLength), "*");

    public string ToDigitalLink() => DigitalLink.Write("01", Gtin.Value);

    public string ToElementString() => ElementString.Write(("01", Gtin.Value));

    /// <summary>The form for people, with brackets.</summary>
    public string ToPrintedElementString() => ElementString.Print(("01", Gtin.Value));

    public override string ToString() => ToUrn();
}
