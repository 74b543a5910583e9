using System.Collections.Immutable;
using System.Globalization;

namespace Epcis.Identifiers;

/// <summary>How many digits the company prefix of a key has, and how that is known; without a length, why it is not known.</summary>
public readonly record struct CompanyPrefixAnswer(int? Length, string Why);

/// <summary>
/// What is known of the length of company prefixes. Only an EPC URI says it; for any other form the answer is looked up: in
/// the prefixes that a partner or operator listed, then in those of known EPC URIs, then in GS1's table. It is never guessed.
/// </summary>
public sealed class CompanyPrefixes
{
    private const int MaxKnown = 100_000;
    private readonly ImmutableHashSet<string> _listed;
    private readonly ImmutableHashSet<string> _known;
    private readonly CompanyPrefixTable? _table;
    private readonly int? _length;

    private CompanyPrefixes(ImmutableHashSet<string> listed, ImmutableHashSet<string> known, CompanyPrefixTable? table, int? length) =>
        (_listed, _known, _table, _length) = (listed, known, table, length);

    /// <summary>Nothing is known.</summary>
    public static CompanyPrefixes None { get; } = new([], [], null, null);

    /// <summary>The caller knows it of the one value.</summary>
    public static CompanyPrefixes OfLength(int length) => new([], [], null, length);

    /// <summary>With GS1's table, which is asked last.</summary>
    public CompanyPrefixes With(CompanyPrefixTable table) => new(_listed, _known, table, _length);

    /// <summary>With the prefix of an EPC URI, which holds for every other key it begins.</summary>
    public CompanyPrefixes With(EpcUri known) =>
        known.CompanyPrefix == "*" || _known.Count >= MaxKnown ? this : new(_listed, _known.Add(known.CompanyPrefix), _table, _length);

    /// <summary>With a prefix of a partner's or operator's list.</summary>
    /// <param name="isUpc">A U.P.C. company prefix, which is a GS1 company prefix behind a zero.</param>
    public Parsed<CompanyPrefixes> With(string prefix, bool isUpc = false)
    {
        var whole = isUpc ? "0" + prefix : prefix;
        return EpcScheme.RefusePrefix(whole) is { } finding ? finding : new CompanyPrefixes(_listed.Add(whole), _known, _table, _length);
    }

    /// <param name="digits">Of the key: a GTIN without its indicator, an SSCC without its extension digit.</param>
    internal CompanyPrefixAnswer For(ReadOnlySpan<char> digits)
    {
        if (_length is { } length)
        {
            return new CompanyPrefixAnswer(length, "it was said with the value");
        }
        if (In(_listed, digits, "is in the list", "are in the list") is { } listed)
        {
            return listed;
        }
        if (In(_known, digits, "is known from an EPC URI", "are known from EPC URIs") is { } known)
        {
            return known;
        }
        return _table?.For(digits) ?? new CompanyPrefixAnswer(null, _table is null ? "no list, EPC URI or table that was given says it" : "GS1's table does not list it: several countries publish none");
    }

    /// <summary>No company prefix is the beginning of another; two that fit contradict each other.</summary>
    private static CompanyPrefixAnswer? In(ImmutableHashSet<string> prefixes, ReadOnlySpan<char> digits, string isThere, string areThere)
    {
        string? found = null;
        for (var length = 6; length <= 12 && length <= digits.Length && prefixes.Count > 0; length++)
        {
            var prefix = digits[..length].ToString();
            if (!prefixes.Contains(prefix))
            {
                continue;
            }
            if (found is not null)
            {
                return new CompanyPrefixAnswer(null, $"both {found} and {prefix} {areThere}, and only one can be right");
            }
            found = prefix;
        }
        return found is null ? null : new CompanyPrefixAnswer(found.Length, $"{found} {isThere}");
    }
}

/// <summary>GS1's table of company prefix lengths: the longest entry that a key begins with decides, and 0 means that there is none.</summary>
public sealed class CompanyPrefixTable
{
    private const int MaxEntryLength = 12;
    private readonly Dictionary<long, byte> _lengths;

    private CompanyPrefixTable(Dictionary<long, byte> lengths) => _lengths = lengths;

    /// <summary>The prefixes that the table lists.</summary>
    public int Count => _lengths.Count;

    /// <summary>Reads rows <c>prefix,length</c>; a heading is allowed. The finding counts rows, not characters.</summary>
    public static Parsed<CompanyPrefixTable> Read(IEnumerable<string> rows)
    {
        var lengths = new Dictionary<long, byte>();
        var at = 0;
        foreach (var row in rows)
        {
            at++;
            var comma = row.IndexOf(',', StringComparison.Ordinal);
            var prefix = row.AsSpan(0, Math.Max(comma, 0)).Trim();
            var length = row.AsSpan(comma + 1).Trim();
            if (prefix.Length is > 0 and <= MaxEntryLength && Digits.AreAll(prefix)
                && byte.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out var digits) && digits is 0 or (>= 4 and <= 12))
            {
                lengths[KeyOf(prefix)] = digits;
            }
            else if (at > 1 && !string.IsNullOrWhiteSpace(row))
            {
                return new ValueFinding(ValueCodes.Form, $"Row {at} of the table of company prefixes is no prefix with a length.", at) { Got = ValueFinding.Cut(row), Want = "such as 0614141,7" };
            }
        }
        return new CompanyPrefixTable(lengths);
    }

    internal CompanyPrefixAnswer? For(ReadOnlySpan<char> digits)
    {
        var foreign = Gs1Characters.Numeric.IndexOfForeign(digits);
        for (var length = Math.Min(MaxEntryLength, foreign < 0 ? digits.Length : foreign); length > 0; length--)
        {
            if (_lengths.TryGetValue(KeyOf(digits[..length]), out var found))
            {
                return found switch
                {
                    0 => new CompanyPrefixAnswer(null, $"GS1's table says that numbers beginning with {digits[..length]} have no company prefix: they are for use within a country or company"),
                    < 6 => new CompanyPrefixAnswer(null, $"GS1's table says {found} digits, and an EPC URI takes 6 to 12"),
                    _ => new CompanyPrefixAnswer(found, $"GS1's table says so of numbers beginning with {digits[..length]}"),
                };
            }
        }
        return null;
    }

    // A leading one keeps the zeros.
    private static long KeyOf(ReadOnlySpan<char> digits)
    {
        var key = 1L;
        foreach (var digit in digits)
        {
            key = key * 10 + (digit - '0');
        }
        return key;
    }
}
