namespace Epcis.Identifiers;

/// <summary>
/// Tells the GS1 keys that begin with one of some company prefixes from everything else. The digits of the key are compared, so
/// where an EPC URI cuts them, or whether anything cuts them, makes no difference. Identifiers of one list are mostly alike, and
/// what is alike costs a comparison.
/// </summary>
/// <param name="prefixes">Digits.</param>
public sealed class KeysOfPrefixes(IReadOnlyList<string> prefixes)
{
    private string _known = "";

    // A link of an item that is included, up to its serial or lot number.
    private string _head = "";

    /// <summary>False also for what holds no GS1 key, such as a private identifier: nothing shows whose it is.</summary>
    public bool Include(string identifier)
    {
        if (EpcNeighbours.AreLike(_known, identifier) || HasHead(identifier))
        {
            return true;
        }
        if (Epc.Parse(identifier, CompanyPrefixes.None).Value is not { } epc || Find(epc.Scheme.FromPrefix(epc.Key)) is not { } prefix)
        {
            return false;
        }
        if (DigitalLink.IsWebAddress(identifier))
        {
            // The key of an item with a serial or lot number stands before the last slash.
            _head = epc is { Scheme.KeyName: "GTIN", Serial: not null } ? identifier[..(identifier.LastIndexOf('/') + 1)] : "";
        }
        else if (epc.Scheme == EpcScheme.Sgtin || epc.CompanyPrefixLength >= prefix.Length)
        {
            // SSCCs are alike up to their dot: where the prefix goes on behind it, the next one may be of another.
            _known = identifier;
        }
        return true;
    }

    private bool HasHead(string identifier) =>
        _head.Length > 0 && identifier.StartsWith(_head, StringComparison.Ordinal) && !identifier.AsSpan(_head.Length).Contains('/');

    private string? Find(ReadOnlySpan<char> digits)
    {
        foreach (var prefix in prefixes)
        {
            if (digits.StartsWith(prefix))
            {
                return prefix;
            }
        }
        return null;
    }
}
