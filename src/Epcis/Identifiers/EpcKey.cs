namespace Epcis.Identifiers;

/// <summary>One spelling per identifier, for storing and matching.</summary>
public static class EpcKey
{
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
