using System.Buffers;

namespace Epcis.Identifiers;

/// <summary>
/// Identifiers that differ in their serial numbers only. A list of EPCs is mostly of one product: what was found out about the
/// first holds for those behind it, without parsing each.
/// </summary>
internal static class EpcNeighbours
{
    private const string Sgtin = "urn:epc:id:sgtin:", Sscc = "urn:epc:id:sscc:";
    private const int MaxSerial = 20;

    // Legal in every serial number, and never escaped.
    private static readonly SearchValues<char> s_plain = SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_");

    /// <summary>The other is well-formed because the known one is: the same product or company, and a plain serial number.</summary>
    public static bool AreLike(string known, string other) =>
        AreOfOneProduct(known, other)
        || (known.Length == other.Length && known.StartsWith(Sscc, StringComparison.Ordinal) && known.LastIndexOf('.') + 1 is var serial and > 0
            && other.AsSpan(0, serial).SequenceEqual(known.AsSpan(0, serial)) && !other.AsSpan(serial).ContainsAnyExceptInRange('0', '9'));

    /// <summary>Both are SGTINs of one product in the pure identity form, and the serial number of the other is plain.</summary>
    public static bool AreOfOneProduct(string known, string other)
    {
        if (!known.StartsWith(Sgtin, StringComparison.Ordinal))
        {
            return false;
        }
        var serial = SerialOf(known);
        return other.Length > serial && other.Length - serial <= MaxSerial && other.AsSpan(0, serial).SequenceEqual(known.AsSpan(0, serial)) && !other.AsSpan(serial).ContainsAnyExcept(s_plain);
    }

    /// <summary>Where the serial number of an SGTIN begins: behind company prefix and item reference.</summary>
    public static int SerialOf(string sgtin)
    {
        var company = sgtin.IndexOf('.', Sgtin.Length);
        return company < 0 ? sgtin.Length : sgtin.IndexOf('.', company + 1) + 1 is var serial and > 0 ? serial : sgtin.Length;
    }
}
