namespace Epcis.Identifiers;

/// <summary>One spelling per identifier, for storing and matching.</summary>
public static class EpcKey
{
    /// <summary>
    /// An EPC URI with canonical escapes; a Digital Link at the canonical host, and as EPC URI when
    /// <paramref name="gcpLength"/> says how long its company prefix is; everything else as it stands.
    /// </summary>
    public static string Normalise(string value, int? gcpLength = null)
    {
        if (EpcUri.IsEpcUri(value))
        {
            return EpcUri.Parse(value).Value?.ToString() ?? value;
        }
        if (DigitalLink.Parse(value).Value is not { } link)
        {
            return value;
        }
        return gcpLength is { } length && Identify.Link(link, length).Value is { } known ? known.Urn : link.ToString();
    }
}
