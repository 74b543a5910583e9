using System.Collections.Frozen;

namespace Epcis.Identifiers;

/// <summary>
/// What there is to know of an EPC scheme. Company prefix and reference together have so many digits (where the reference is
/// text, at most so many characters); in the URI the fields of the tail follow, in the other forms they follow the key
/// directly or have an application identifier of their own.
/// </summary>
public sealed class EpcScheme
{
    private static readonly EpcField s_serial = new("serial number", "21", Gs1Characters.Set82, 1, 20);

    /// <summary>The trade item with its serial number.</summary>
    public static readonly EpcScheme Sgtin = new("sgtin", "GTIN", "01", 13, s_serial) { LeadingDigitMoves = true };

    /// <summary>The lot of a trade item.</summary>
    public static readonly EpcScheme Lgtin = new("lgtin", "GTIN", "01", 13, new EpcField("lot number", "10", Gs1Characters.Set82, 1, 20)) { LeadingDigitMoves = true, IsOfClasses = true };

    /// <summary>The logistic unit.</summary>
    public static readonly EpcScheme Sscc = new("sscc", "SSCC", "00", 17) { LeadingDigitMoves = true };

    /// <summary>The place, with its extension.</summary>
    public static readonly EpcScheme Sgln = new("sgln", "GLN", "414", 12, new EpcField("extension", "254", Gs1Characters.Set82, 1, 20) { Absent = "0" });

    /// <summary>Every scheme of a GS1 key; of those with one key, the one that takes most comes first.</summary>
    public static IReadOnlyList<EpcScheme> All { get; } =
    [
        new("upui", "GTIN", "01", 13, new EpcField("third-party serial number", "235", Gs1Characters.Set82, 1, 28)) { LeadingDigitMoves = true },
        Sgtin,
        Lgtin,
        new("itip", "ITIP", "8006", 13, Number("piece number", 2, 2), Number("total of pieces", 2, 2), s_serial) { LeadingDigitMoves = true },
        Sscc,
        Sgln,
        new("pgln", "GLN", "417", 12),
        new("grai", "GRAI", "8003", 12, Serial(16)) { Filler = "0" },
        new("gdti", "GDTI", "253", 12, Serial(17)),
        new("sgcn", "GCN", "255", 12, Number("serial number", 1, 12)),
        new("gsrn", "GSRN", "8018", 17),
        new("gsrnp", "GSRNP", "8017", 17),
        new("gsin", "GSIN", "402", 16),
        new("giai", "GIAI", "8004", 30) { ReferenceCharacters = Gs1Characters.Set82 },
        new("ginc", "GINC", "401", 30) { ReferenceCharacters = Gs1Characters.Set82 },
        new("cpi", "CPI", "8010", 30, new EpcField("serial number", "8011", Gs1Characters.Numeric, 1, 12) { MayBeginWithZero = false }) { ReferenceCharacters = Gs1Characters.Set39 },
    ];

    private static readonly FrozenDictionary<string, EpcScheme>.AlternateLookup<ReadOnlySpan<char>> s_byName =
        All.ToFrozenDictionary(s => s.Name, StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();

    private static readonly FrozenDictionary<string, EpcScheme[]> s_byKey =
        All.GroupBy(s => s.KeyAi).ToFrozenDictionary(g => g.Key, g => g.ToArray(), StringComparer.Ordinal);

    private readonly int _length;

    private EpcScheme(string name, string keyName, string keyAi, int length, params EpcField[] tail) =>
        (Name, KeyName, KeyAi, _length, Tail) = (name, keyName, keyAi, length, tail);

    /// <summary>As it stands in the EPC URI, such as <c>sgtin</c>.</summary>
    public string Name { get; }

    /// <summary>Such as <c>SGTIN</c>.</summary>
    public string Title => Name.ToUpperInvariant();

    /// <summary>The GS1 key it is made of, such as <c>GTIN</c>.</summary>
    public string KeyName { get; }

    /// <summary>The application identifier of the key.</summary>
    public string KeyAi { get; }

    /// <summary>The application identifier of what makes one of many; <see langword="null"/> when the key alone does, or it follows the key directly.</summary>
    public string? QualifierAi => Tail is [.., { Ai: { } ai }] ? ai : null;

    /// <summary>Named by <c>urn:epc:class:</c>.</summary>
    public bool IsOfClasses { get; private init; }

    internal EpcField[] Tail { get; }

    internal Gs1Characters ReferenceCharacters { get; private init; } = Gs1Characters.Numeric;

    /// <summary>The indicator or extension digit leads the key, but stands behind the dot in the EPC URI.</summary>
    internal bool LeadingDigitMoves { get; private init; }

    /// <summary>GRAI's element string begins with a zero that says nothing.</summary>
    internal string Filler { get; private init; } = "";

    /// <summary>A key of digits has a known length and a check digit; a key with text has neither.</summary>
    internal bool IsNumeric => ReferenceCharacters == Gs1Characters.Numeric;

    /// <summary>Components of the whole EPC URI: prefix, reference and the tail.</summary>
    internal int Components => 2 + Tail.Length;

    /// <summary>How many characters of the key's element are the key itself, without a serial number that follows directly.</summary>
    internal int KeyLengthOf(string value) => IsNumeric ? Filler.Length + _length + 1 : value.Length;

    private static EpcField Serial(int maxLength) => new("serial number", null, Gs1Characters.Set82, 1, maxLength);

    private static EpcField Number(string name, int min, int max) => new(name, null, Gs1Characters.Numeric, min, max);

    /// <summary>The scheme of a name as EPC URIs write it, such as <c>sgtin</c>; <see langword="null"/> when there is none.</summary>
    public static EpcScheme? Named(ReadOnlySpan<char> name) => s_byName.TryGetValue(name, out var scheme) ? scheme : null;

    /// <summary>The scheme of a key and what qualifies it; a key without qualifier is a class of the scheme that counts single objects.</summary>
    internal static EpcScheme? Of(string keyAi, Func<string, bool> has)
    {
        if (!s_byKey.TryGetValue(keyAi, out var schemes))
        {
            return null;
        }
        return schemes.Length == 1 ? schemes[0] : Array.Find(schemes, s => s.QualifierAi is { } ai && has(ai)) ?? Sgtin;
    }

    /// <returns>How long the key is in an element that holds a serial number behind it; 0 for an application identifier of another kind.</returns>
    internal static int WithSerialInKey(ReadOnlySpan<char> keyAi)
    {
        foreach (var scheme in All)
        {
            if (scheme is { Tail: [{ Ai: null }], IsNumeric: true } && keyAi.SequenceEqual(scheme.KeyAi))
            {
                return scheme.Filler.Length + scheme._length + 1;
            }
        }
        return 0;
    }

    /// <summary>A GS1 company prefix has 6 to 12 digits. Only an EPC URI says how many; nobody may guess.</summary>
    internal static ValueFinding? RefusePrefix(ReadOnlySpan<char> prefix) =>
        prefix.Length is >= 6 and <= 12 ? Digits.Refuse("company prefix", prefix, prefix.Length)
        : new ValueFinding(ValueCodes.Length, $"A GS1 company prefix has 6 to 12 digits, not {prefix.Length}.", 1) { Got = ValueFinding.Cut(prefix), Want = "6 to 12 digits" };

    internal ValueFinding? RefuseReference(int prefixLength, ReadOnlySpan<char> reference)
    {
        var length = _length - prefixLength;
        if (IsNumeric)
        {
            return reference.Length == length && Digits.AreAll(reference) ? null : Digits.Refuse("reference", reference, length) is { } finding
                ? finding with { Suggestion = $"Company prefix and reference together have {_length} digits in a {Title}." }
                : null;
        }
        return reference.Length >= 1 && reference.Length <= length && ReferenceCharacters.IndexOfForeign(reference) < 0
            ? null
            : new EpcField("reference", null, ReferenceCharacters, 1, length).Refuse(reference);
    }

    /// <summary>The key as element strings and Digital Links write it.</summary>
    internal string KeyOf(string prefix, string reference)
    {
        if (!IsNumeric)
        {
            return prefix + reference;
        }
        Span<char> key = stackalloc char[Filler.Length + _length + 1];
        Filler.CopyTo(key);
        var digits = key[Filler.Length..^1];
        if (LeadingDigitMoves)
        {
            digits[0] = reference[0];
            prefix.CopyTo(digits[1..]);
            reference.AsSpan(1).CopyTo(digits[(1 + prefix.Length)..]);
        }
        else
        {
            prefix.CopyTo(digits);
            reference.CopyTo(digits[prefix.Length..]);
        }
        key[^1] = CheckDigit.Of(digits);
        return new string(key);
    }

    /// <summary>The part of a key in which the company prefix comes first: for a GTIN without indicator, for an SSCC without extension digit.</summary>
    internal ReadOnlySpan<char> FromPrefix(ReadOnlySpan<char> key) =>
        IsNumeric ? key[(Filler.Length + (LeadingDigitMoves ? 1 : 0))..^1] : key;

    /// <summary>The reference as the EPC URI writes it.</summary>
    internal string ReferenceOf(string key, int prefixLength)
    {
        var behind = FromPrefix(key)[prefixLength..];
        return LeadingDigitMoves ? string.Concat(key.AsSpan(0, 1), behind) : behind.ToString();
    }
}
