namespace Epcis.Identifiers;

public enum IdentifierType
{
    Sgtin,
    GtinClass,
    Lgtin,
    Sscc,
    Sgln,
}

/// <param name="Urn">The normal form: the pure identity EPC URI (of a class, its pattern or class URI).</param>
public sealed record Identified(IdentifierType Type, string Urn);

/// <summary>Recognises an identifier in whichever form it was written, scanned or printed.</summary>
public static class Identify
{
    /// <param name="gcpLength">Length of the company prefix; only an EPC URI does without, and it is never guessed.</param>
    public static Parsed<Identified> Any(string input, int? gcpLength = null)
    {
        if (EpcUri.IsEpcUri(input))
        {
            return EpcUri.Parse(input).Then<Identified>(uri => TypeOf(uri) is { } type
                ? new Identified(type, uri.ToString())
                : new Refusal($"{input} is no SGTIN, SSCC, SGLN, LGTIN or GTIN class.", input));
        }
        return input.Contains("://", StringComparison.Ordinal)
            ? DigitalLink.Parse(input).Then(link => NeedsLength(input, gcpLength, length => Link(link, length)))
            : ElementString.Parse(input).Then(elements => NeedsLength(input, gcpLength, length => Elements(input, elements, length)));
    }

    internal static Parsed<Identified> Link(DigitalLink link, int gcpLength)
    {
        var uri = link.ToString();
        return (link.KeyAi, link.Qualifiers) switch
        {
            ("01", var q) when q.ContainsKey("235") => new Refusal($"{uri} is a UPUI, which is not read here.", uri),
            ("01", var q) when q.ContainsKey("21") => Sgtin.FromDigitalLink(uri, gcpLength).Then(Known),
            ("01", var q) when q.ContainsKey("10") => Lgtin.FromDigitalLink(uri, gcpLength).Then(Known),
            ("01", _) => GtinClass.FromDigitalLink(uri, gcpLength).Then(Known),
            ("00", _) => Sscc.FromDigitalLink(uri, gcpLength).Then(Known),
            ("414", _) => Sgln.FromDigitalLink(uri, gcpLength).Then(Known),
            _ => new Refusal($"{uri} is no SGTIN, SSCC, SGLN, LGTIN or GTIN class.", uri),
        };
    }

    private static Parsed<Identified> Elements(string input, ElementString elements, int gcpLength) =>
        elements.Has("00") ? Sscc.FromElementString(input, gcpLength).Then(Known)
        : elements.Has("01") && elements.Has("21") ? Sgtin.FromElementString(input, gcpLength).Then(Known)
        : elements.Has("01") && elements.Has("10") ? Lgtin.FromElementString(input, gcpLength).Then(Known)
        : elements.Has("01") ? GtinClass.FromElementString(input, gcpLength).Then(Known)
        : elements.Has("414") ? Sgln.FromElementString(input, gcpLength).Then(Known)
        : new Refusal($"{input} holds no GTIN, SSCC or location GLN.", input, "(00), (01) or (414)");

    private static Parsed<Identified> NeedsLength(string input, int? gcpLength, Func<int, Parsed<Identified>> next) =>
        gcpLength is { } length
            ? next(length)
            : new Refusal($"The length of the company prefix in {input} is not known, so its EPC URI cannot be written.", input, "a company prefix length");

    private static IdentifierType? TypeOf(EpcUri uri) => (uri.Kind, uri.Scheme) switch
    {
        (EpcUriKind.PureIdentity, "sgtin") => IdentifierType.Sgtin,
        (EpcUriKind.PureIdentity, "sscc") => IdentifierType.Sscc,
        (EpcUriKind.PureIdentity, "sgln") => IdentifierType.Sgln,
        (EpcUriKind.Class, "lgtin") => IdentifierType.Lgtin,
        (EpcUriKind.Pattern, "sgtin") when uri.Components[1] != "*" => IdentifierType.GtinClass,
        _ => null,
    };

    private static Parsed<Identified> Known(Sgtin x) => new Identified(IdentifierType.Sgtin, x.ToUrn());

    private static Parsed<Identified> Known(Lgtin x) => new Identified(IdentifierType.Lgtin, x.ToUrn());

    private static Parsed<Identified> Known(GtinClass x) => new Identified(IdentifierType.GtinClass, x.ToUrn());

    private static Parsed<Identified> Known(Sscc x) => new Identified(IdentifierType.Sscc, x.ToUrn());

    private static Parsed<Identified> Known(Sgln x) => new Identified(IdentifierType.Sgln, x.ToUrn());
}
