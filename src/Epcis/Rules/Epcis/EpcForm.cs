namespace Epcis.Rules;

/// <summary>What kind of thing an identifier names.</summary>
internal enum EpcForm
{
    /// <summary>An identifier of somebody's own, of which nothing is known.</summary>
    Private,
    Instance,

    /// <summary>A product, or a lot of it.</summary>
    Class,

    /// <summary>A pattern that leaves even the class open.</summary>
    WidePattern,
    Place,
    Party,
}

/// <summary>Tells the kind by the spelling alone and allocates nothing: it is asked of every identifier.</summary>
internal static class EpcForms
{
    public static EpcForm Of(ReadOnlySpan<char> identifier)
    {
        if (identifier.StartsWith("urn:epc:", StringComparison.OrdinalIgnoreCase))
        {
            return OfEpcUri(identifier["urn:epc:".Length..]);
        }
        var scheme = identifier.IndexOf("://", StringComparison.Ordinal);
        return scheme > 0 && identifier[..scheme] is var name && (name.Equals("https", StringComparison.OrdinalIgnoreCase) || name.Equals("http", StringComparison.OrdinalIgnoreCase))
            ? OfWebAddress(identifier[(scheme + 3)..])
            : EpcForm.Private;
    }

    public static bool IsSscc(ReadOnlySpan<char> identifier) =>
        identifier.StartsWith("urn:epc:id:sscc:", StringComparison.OrdinalIgnoreCase)
        || (identifier.Contains("/00/", StringComparison.Ordinal) && Of(identifier) == EpcForm.Instance);

    /// <summary>An item with a serial number: an SGTIN.</summary>
    public static bool IsSgtin(ReadOnlySpan<char> identifier) =>
        identifier.StartsWith("urn:epc:id:sgtin:", StringComparison.OrdinalIgnoreCase)
        || (identifier.Contains("/01/", StringComparison.Ordinal) && Of(identifier) == EpcForm.Instance);

    private static EpcForm OfEpcUri(ReadOnlySpan<char> rest)
    {
        var colon = rest.IndexOf(':');
        if (colon < 0)
        {
            return EpcForm.Private;
        }
        var kind = rest[..colon];
        var body = rest[(colon + 1)..];
        if (kind is "class")
        {
            return EpcForm.Class;
        }
        if (body.StartsWith("sgln:", StringComparison.Ordinal))
        {
            return EpcForm.Place;
        }
        return kind switch
        {
            "id" => body.StartsWith("pgln:", StringComparison.Ordinal) ? EpcForm.Party : EpcForm.Instance,
            "idpat" => body.Count('*') > 1 ? EpcForm.WidePattern : EpcForm.Class,
            _ => EpcForm.Private,
        };
    }

    /// <summary>A path with a key and as many digits as the key has; every other address is somebody's own.</summary>
    private static EpcForm OfWebAddress(ReadOnlySpan<char> address)
    {
        var end = address.IndexOfAny('?', '#');
        var path = end < 0 ? address : address[..end];
        for (var slash = path.IndexOf('/'); slash >= 0;)
        {
            var rest = path[(slash + 1)..];
            var next = rest.IndexOf('/');
            if (next < 0)
            {
                break;
            }
            var value = rest[(next + 1)..];
            var valueEnd = value.IndexOf('/');
            var key = valueEnd < 0 ? value : value[..valueEnd];
            var qualifiers = valueEnd < 0 ? default : value[valueEnd..];
            if (OfKey(rest[..next], key, qualifiers) is var form and not EpcForm.Private)
            {
                return form;
            }
            path = rest;
            slash = next;
        }
        return EpcForm.Private;
    }

    private static EpcForm OfKey(ReadOnlySpan<char> ai, ReadOnlySpan<char> key, ReadOnlySpan<char> qualifiers)
    {
        var digits = key.IndexOfAnyExceptInRange('0', '9');
        digits = digits < 0 ? key.Length : digits;
        var isNumber = digits == key.Length;
        return ai switch
        {
            "414" or "gln" when isNumber && digits == 13 => EpcForm.Place,
            "417" or "party" when isNumber && digits == 13 => EpcForm.Party,
            "00" or "sscc" or "8017" or "8018" when isNumber && digits == 18 => EpcForm.Instance,
            "402" when isNumber && digits == 17 => EpcForm.Instance,
            "01" or "gtin" when isNumber && digits is 8 or 12 or 13 or 14 => IsSerial(qualifiers, "/21/", "/ser/", "/235/") ? EpcForm.Instance : EpcForm.Class,
            "8006" when isNumber && digits == 18 => IsSerial(qualifiers, "/21/", "/ser/", "/21/") ? EpcForm.Instance : EpcForm.Class,
            "253" or "255" when digits >= 13 => key.Length > 13 ? EpcForm.Instance : EpcForm.Class,
            "8003" when digits >= 14 => key.Length > 14 ? EpcForm.Instance : EpcForm.Class,
            _ => EpcForm.Private,
        };
    }

    private static bool IsSerial(ReadOnlySpan<char> qualifiers, string first, string second, string third) =>
        qualifiers.Contains(first, StringComparison.Ordinal)
        || qualifiers.Contains(second, StringComparison.Ordinal)
        || qualifiers.Contains(third, StringComparison.Ordinal);
}
