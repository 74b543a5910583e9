using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Epcis.Identifiers;

namespace Gateway.Units;

/// <summary>
/// The identity of a unit: the element string of its GTIN and serial number (<c>01…21…</c>) or of its SSCC (<c>00…</c>), which
/// any spelling leads to. An EPC URI cut at another length of the company prefix names the same unit (LINES.md section 1).
/// </summary>
public static class UnitKey
{
    /// <summary>01, a GTIN, 21, and a serial number of at most 20 characters.</summary>
    public const int MaxLength = 2 + GtinLength + 2 + MaxSerial;

    /// <summary>How many characters of a serial number <see cref="Head"/> needs, and so a search by its beginning.</summary>
    public const int SerialHead = 2;

    /// <summary>How many digits of an SSCC <see cref="Head"/> needs.</summary>
    public const int SsccHead = 8;

    private const int GtinLength = 14, MaxSerial = 20, SsccLength = 18, HeadOfSgtin = 4 + GtinLength + SerialHead, HeadOfSscc = 2 + SsccHead;
    private const string Sgtin = "urn:epc:id:sgtin:", Sscc = "urn:epc:id:sscc:";

    // Legal in every serial number, and never escaped.
    private static readonly SearchValues<char> s_plain = SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_");

    /// <summary>The key of an SGTIN or SSCC in any spelling; <see langword="null"/> for whatever else there is.</summary>
    public static string? Of(string epc)
    {
        Span<char> key = stackalloc char[MaxLength];
        return Read(epc, key) is var length and > 0 ? new string(key[..length]) : null;
    }

    /// <summary>The GTIN of a key; empty for an SSCC.</summary>
    public static ReadOnlySpan<char> GtinOf(string key) => key[1] == '1' ? key.AsSpan(2, GtinLength) : default;

    /// <summary>The serial number of a key; empty for an SSCC.</summary>
    public static ReadOnlySpan<char> SerialOf(string key) => key[1] == '1' ? key.AsSpan(4 + GtinLength) : default;

    /// <summary>The EPC URI of a key, cut at a length of the company prefix; with the length 0 its Digital Link.</summary>
    public static string ToEpc(string key, int prefixLength)
    {
        if (prefixLength == 0)
        {
            return DigitalLink.Of(ElementString.Parse(key).Value!).Value!.ToString();
        }
        if (key[1] == '0')
        {
            return Sscc + Cut(key.AsSpan(2, SsccLength), prefixLength);
        }
        var serial = key.AsSpan(4 + GtinLength);
        return serial.ContainsAnyExcept(s_plain)
            ? Epc.Create(EpcScheme.Sgtin, key.Substring(2, GtinLength), CompanyPrefixes.OfLength(prefixLength), serial.ToString()).Value!.ToUrn()!
            : $"{Sgtin}{Cut(key.AsSpan(2, GtinLength), prefixLength)}.{serial}";
    }

    // Company prefix, a dot, the indicator or extension digit, and the rest without the check digit.
    private static string Cut(ReadOnlySpan<char> key, int prefixLength) => $"{key.Slice(1, prefixLength)}.{key[0]}{key[(1 + prefixLength)..^1]}";

    /// <summary>The lengths that a company prefix may have; 0 stands for a Digital Link, which does not tell.</summary>
    public static int[] PrefixLengths { get; } = [0, 6, 7, 8, 9, 10, 11, 12];

    /// <summary>Every spelling in which an event may name the unit, as events are stored.</summary>
    public static IEnumerable<string> Spellings(string key) => PrefixLengths.Select(length => ToEpc(key, length));

    /// <summary>Digits of the company prefix in an EPC URI; 0 in whatever else there is, which does not tell.</summary>
    internal static byte PrefixLength(string epc)
    {
        if (!epc.StartsWith(Sgtin, StringComparison.Ordinal) && !epc.StartsWith(Sscc, StringComparison.Ordinal))
        {
            epc = EpcKey.Normalise(epc);
        }
        var start = epc.StartsWith(Sgtin, StringComparison.Ordinal) ? Sgtin.Length : epc.StartsWith(Sscc, StringComparison.Ordinal) ? Sscc.Length : -1;
        return start < 0 ? (byte)0 : (byte)(epc.IndexOf('.', start) - start);
    }

    /// <summary>
    /// A number that units whose keys begin alike have in common: GTIN and two characters of the serial number, or eight digits of
    /// an SSCC. It is stored and never changes (FNV-1a).
    /// </summary>
    public static int Head(ReadOnlySpan<char> key)
    {
        var head = key[..Math.Min(key.Length, key[1] == '1' ? HeadOfSgtin : HeadOfSscc)];
        var hash = 2166136261;
        foreach (var c in head)
        {
            hash = unchecked((hash ^ c) * 16777619);
        }
        return unchecked((int)hash);
    }

    /// <summary>
    /// A number of the whole key: the first eight bytes of its SHA-256, so nobody can make two keys that have it in common. It is stored and never
    /// changes. With <see cref="Head"/> it keeps one row for each key; should two keys of one head ever share it, the second is refused.
    /// </summary>
    public static long Hash(string key)
    {
        Span<byte> bytes = stackalloc byte[MaxLength];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes[..Encoding.ASCII.GetBytes(key, bytes)], hash);
        return BinaryPrimitives.ReadInt64BigEndian(hash);
    }

    /// <summary>Writes the key and says how long it is; 0 for what is no unit.</summary>
    internal static int Read(string epc, Span<char> key)
    {
        var text = epc.AsSpan();
        var length = text.StartsWith(Sgtin) ? ReadSgtin(text[Sgtin.Length..], key)
            : text.StartsWith(Sscc) ? ReadSscc(text[Sscc.Length..], key)
            : 0;
        return length > 0 ? length : ReadOther(epc, key);
    }

    // Nearly all are plain EPC URIs, so those are read without parsing anything into objects.
    private static int ReadSgtin(ReadOnlySpan<char> text, Span<char> key)
    {
        var company = text.IndexOf('.');
        var serial = GtinLength;
        if (company is < 6 or > 12 || text.Length <= serial + 1 || text[serial] != '.')
        {
            return 0;
        }
        var prefix = text[..company];
        var reference = text[(company + 1)..serial];
        var behind = text[(serial + 1)..];
        if (behind.Length > MaxSerial || behind.ContainsAnyExcept(s_plain) || !AreDigits(prefix) || !AreDigits(reference))
        {
            return 0;
        }
        "01".CopyTo(key);
        Key(prefix, reference, key.Slice(2, GtinLength));
        "21".CopyTo(key[(2 + GtinLength)..]);
        behind.CopyTo(key[(4 + GtinLength)..]);
        return 4 + GtinLength + behind.Length;
    }

    private static int ReadSscc(ReadOnlySpan<char> text, Span<char> key)
    {
        var company = text.IndexOf('.');
        if (company is < 6 or > 12 || text.Length != SsccLength || !AreDigits(text[..company]) || !AreDigits(text[(company + 1)..]))
        {
            return 0;
        }
        "00".CopyTo(key);
        Key(text[..company], text[(company + 1)..], key.Slice(2, SsccLength));
        return 2 + SsccLength;
    }

    // The indicator or extension digit leads the key, and stands behind the dot in the EPC URI.
    private static void Key(ReadOnlySpan<char> prefix, ReadOnlySpan<char> reference, Span<char> key)
    {
        key[0] = reference[0];
        prefix.CopyTo(key[1..]);
        reference[1..].CopyTo(key[(1 + prefix.Length)..]);
        key[^1] = CheckDigit.Of(key[..^1]);
    }

    private static int ReadOther(string epc, Span<char> key)
    {
        if (Epc.Parse(epc, CompanyPrefixes.None).Value is not { IsClass: false } unit || unit.Scheme != EpcScheme.Sgtin && unit.Scheme != EpcScheme.Sscc)
        {
            return 0;
        }
        var element = unit.ToElementString();
        element.CopyTo(key);
        return element.Length;
    }

    private static bool AreDigits(ReadOnlySpan<char> text) => !text.ContainsAnyExceptInRange('0', '9');
}
