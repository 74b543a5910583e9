using Epcis.Identifiers;

namespace Epcis.Rules;

/// <summary>The GTIN inside an identifier, without allocating: it is asked of every unit.</summary>
internal static class Gtins
{
    public const int Length = 14;

    /// <returns>False when the identifier holds none.</returns>
    public static bool TryWrite(ReadOnlySpan<char> epc, Span<char> gtin)
    {
        var at = epc.IndexOf("gtin:", StringComparison.Ordinal);
        if (epc.StartsWith("urn:epc:", StringComparison.OrdinalIgnoreCase) && at > 0)
        {
            var rest = epc[(at + "gtin:".Length)..];
            var first = rest.IndexOf('.');
            var second = first < 0 ? -1 : rest[(first + 1)..].IndexOf('.');
            if (second < 1 || first + second != Length - 1)
            {
                return false;
            }
            var prefix = rest[..first];
            var reference = rest.Slice(first + 1, second);
            gtin[0] = reference[0];
            prefix.CopyTo(gtin[1..]);
            reference[1..].CopyTo(gtin[(1 + prefix.Length)..]);
            if (gtin[..(Length - 1)].ContainsAnyExceptInRange('0', '9'))
            {
                return false;
            }
            gtin[Length - 1] = CheckDigit.Of(gtin[..(Length - 1)]);
            return true;
        }
        var key = epc.IndexOf("/01/", StringComparison.Ordinal);
        if (key < 0)
        {
            return false;
        }
        var digits = epc[(key + 4)..];
        var end = digits.IndexOfAnyExceptInRange('0', '9');
        digits = end < 0 ? digits : digits[..end];
        if (digits.Length is not (8 or 12 or 13 or 14))
        {
            return false;
        }
        gtin[..(Length - digits.Length)].Fill('0');
        digits.CopyTo(gtin[(Length - digits.Length)..]);
        return true;
    }
}
