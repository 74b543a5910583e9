namespace Epcis.Identifiers;

/// <summary>One spelling per identifier, for storing and matching.</summary>
public static class EpcKey
{
    private const string PureIdentity = "urn:epc:id:", Canonical = DigitalLink.CanonicalHost + "/";

    /// <summary>
    /// An EPC URI with canonical escapes; a Digital Link at the canonical host, of a unit with nothing but its key and serial number, and as EPC URI when
    /// <paramref name="gcpLength"/> says how long its company prefix is; everything else as it stands.
    /// </summary>
    public static string Normalise(string value, int? gcpLength = null)
    {
        if (EpcUri.IsEpcUri(value))
        {
            return EpcUri.Canonical(value);
        }
        if (DigitalLink.Parse(value).Value is not { } link)
        {
            return value;
        }
        // Lot and dates beside the serial number of a unit are no part of what it is called.
        var canonical = Epc.Of(link, CompanyPrefixes.None).Value is { IsClass: false } unit && (unit.Scheme == EpcScheme.Sgtin || unit.Scheme == EpcScheme.Sscc) ? unit.ToDigitalLink() : link.ToString();
        // An EPC URI that would say less than the link, as of a lot of an ITIP, is not the same identifier.
        return gcpLength is { } length && Epc.Of(link, CompanyPrefixes.OfLength(length)).Value is { } epc && epc.ToDigitalLink() == canonical
            ? epc.ToUrn() ?? canonical
            : canonical;
    }

    /// <summary>
    /// What an identifier of one object has in common with those that a pattern <c>urn:epc:idpat:</c> may name with it: all that stands before its
    /// serial number. Of an EPC URI without the last dot (<c>urn:epc:id:sgtin:4012345.011111</c>), of a Digital Link with whatever separates
    /// the two (<c>https://id.gs1.org/01/04012345111118/21/</c>). Empty for what is no GS1 key.
    /// </summary>
    /// <param name="key">As <see cref="Normalise"/> spells it.</param>
    public static ReadOnlySpan<char> ClassOf(string key) =>
        key.StartsWith(PureIdentity, StringComparison.Ordinal) ? ClassOfUri(key)
        : key.StartsWith(Canonical, StringComparison.Ordinal) ? ClassOfLink(key)
        : default;

    private static ReadOnlySpan<char> ClassOfUri(ReadOnlySpan<char> key)
    {
        var name = key[PureIdentity.Length..];
        name = name[..Math.Max(0, name.IndexOf(':'))];
        if (EpcScheme.Named(name) is not { } scheme)
        {
            return default;
        }
        // The last component may hold dots of its own.
        var end = PureIdentity.Length + name.Length;
        for (var i = 1; i < scheme.Components; i++)
        {
            var dot = key[(end + 1)..].IndexOf('.');
            if (dot < 0)
            {
                return default;
            }
            end += 1 + dot;
        }
        return key[..end];
    }

    private static ReadOnlySpan<char> ClassOfLink(ReadOnlySpan<char> key)
    {
        var path = key.IndexOf('?') is var query and >= 0 ? key[..query] : key;
        var last = path.LastIndexOf('/') + 1;
        var ai = path[..Math.Max(0, last - 1)];
        ai = ai[(ai.LastIndexOf('/') + 1)..];
        // A serial number that follows its key directly: GRAI, GDTI, GCN.
        return EpcScheme.WithSerialInKey(ai) is { } length and > 0 && path.Length > last + length ? path[..(last + length)] : path[..last];
    }
}

/// <summary>Normalises identifiers one after the other. Those of one list are mostly alike, and what is alike costs a comparison.</summary>
public sealed class EpcKeys
{
    private string _known = "";

    /// <inheritdoc cref="EpcKey.Normalise"/>
    public string Normalise(string value)
    {
        if (EpcNeighbours.AreLike(_known, value))
        {
            return value;
        }
        var key = EpcKey.Normalise(value);
        _known = key == value ? value : "";
        return key;
    }
}
