using System.Collections.Frozen;
using System.Text;

namespace Epcis.Identifiers;

/// <summary>An application identifier with its decoded value.</summary>
/// <param name="At">Where the value stands in the text it was read from, counted from 1; 0 when it was read from none.</param>
public readonly record struct Gs1Element(string Ai, string Value, int At = 0);

/// <summary>
/// A GS1 Digital Link URI: any host and path, then a primary key and its qualifiers; the query does not identify.
/// Values are decoded, GTINs padded to 14 digits.
/// </summary>
public sealed record DigitalLink
{
    /// <summary>The host of canonical Digital Links, without a path (GS1 Digital Link, URI syntax).</summary>
    public const string CanonicalHost = "https://id.gs1.org";

    // The spelled-out keys are withdrawn but occur.
    private static readonly FrozenDictionary<string, string>.AlternateLookup<ReadOnlySpan<char>> s_spelledOut = new Dictionary<string, string>
    {
        ["gtin"] = "01", ["itip"] = "8006", ["cpid"] = "8010", ["gln"] = "414", ["party"] = "417", ["payTo"] = "415", ["gsrnp"] = "8017",
        ["gsrn"] = "8018", ["gcn"] = "255", ["sscc"] = "00", ["gdti"] = "253", ["ginc"] = "401", ["gsin"] = "402", ["grai"] = "8003", ["giai"] = "8004",
        ["cpv"] = "22", ["lot"] = "10", ["ser"] = "21", ["cpsn"] = "8011", ["glnx"] = "254", ["refno"] = "8020", ["srin"] = "8019", ["exp"] = "17",
    }.ToFrozenDictionary(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();

    private DigitalLink(string keyAi, string key, Gs1Element[] qualifiers, Gs1Element[] attributes, ValueFinding[] remarks) =>
        (KeyAi, Key, Qualifiers, Attributes, Remarks) = (keyAi, key, qualifiers, attributes, remarks);

    /// <summary>The application identifier of the primary key, such as <c>01</c>.</summary>
    public string KeyAi { get; }

    /// <summary>The value of the primary key.</summary>
    public string Key { get; }

    /// <summary>In the order of the path.</summary>
    public IReadOnlyList<Gs1Element> Qualifiers { get; }

    /// <summary>Application identifiers of the query, such as the expiry; other parameters are not of GS1.</summary>
    public IReadOnlyList<Gs1Element> Attributes { get; }

    /// <summary>What is to be said though the link identifies its object: old spellings, and attributes that are wrong.</summary>
    public IReadOnlyList<ValueFinding> Remarks { get; }

    /// <summary>Whether it is as EPCIS wants it: one key, its finest qualifier only, and no query.</summary>
    public bool IsConstrained => Attributes.Count == 0 && Qualifiers.Count <= 1 && this["22"] is null;

    /// <summary>The value of a qualifier.</summary>
    public string? this[string ai]
    {
        get
        {
            foreach (var qualifier in (Gs1Element[])Qualifiers)
            {
                if (qualifier.Ai == ai)
                {
                    return qualifier.Value;
                }
            }
            return null;
        }
    }

    /// <summary>Whether a text is a web address of any kind. An element string may hold "://" too, but begins with no letter.</summary>
    internal static bool IsWebAddress(string value) => value.Length > 0 && char.IsAsciiLetter(value[0]) && value.Contains("://", StringComparison.Ordinal);

    /// <summary>
    /// Whether a URI is meant as a Digital Link: on GS1's host, or a path with a key and as many digits as the key has.
    /// Other web addresses are private identifiers.
    /// </summary>
    public static bool IsCandidate(string value)
    {
        if (SegmentsOf(value) is not { } path)
        {
            return false;
        }
        if (IsOfGs1(value))
        {
            return true;
        }
        for (var i = 0; i + 1 < path.Count; i++)
        {
            if (KeyAt(value.AsSpan(path[i])) is { } key && HasDigitsOf(key.Ai, value.AsSpan(path[i + 1])))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Whether the address is on GS1's host, where nothing but Digital Links can be.</summary>
    public static bool IsOfGs1(string value) => value.StartsWith(CanonicalHost + "/", StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads a Digital Link of any host, uncompressed.</summary>
    public static Parsed<DigitalLink> Parse(string value)
    {
        if (SegmentsOf(value) is not { } path)
        {
            return new ValueFinding(ValueCodes.Form, $"'{ValueFinding.Cut(value)}' is not a web address.", 1) { Got = ValueFinding.Cut(value), Want = CanonicalHost + "/…" };
        }
        ValueFinding? first = null;
        // What stands before the key is free, so an earlier segment may look like a key.
        for (var i = 0; i + 1 < path.Count; i++)
        {
            if (KeyAt(value.AsSpan(path[i])) is { } key)
            {
                var finding = ReadFrom(value, path, i, key, out var link);
                if (link is not null)
                {
                    return link;
                }
                first ??= finding;
            }
        }
        return first ?? new ValueFinding(ValueCodes.Form, "It names no GS1 key.", Math.Min(value.Length, path.Count == 0 ? value.Length : path[0].Start.Value) + 1)
        {
            Got = ValueFinding.Cut(value),
            Want = CanonicalHost + "/01/…",
            Suggestion = "A key such as /01/ and its value stand in the path, behind the host and what else comes first.",
        };
    }

    // The path is split before it is decoded: an escaped slash belongs to its value.
    private static List<Range>? SegmentsOf(string value)
    {
        var start = value.StartsWith("https://", StringComparison.OrdinalIgnoreCase) ? 8 : value.StartsWith("http://", StringComparison.OrdinalIgnoreCase) ? 7 : 0;
        if (start == 0)
        {
            return null;
        }
        var end = value.AsSpan(start).IndexOfAny('?', '#');
        end = end < 0 ? value.Length : start + end;
        var slash = value.IndexOf('/', start, end - start);
        if (slash == start || start == end)
        {
            return null;
        }
        var segments = new List<Range>(6);
        while (slash >= 0)
        {
            var from = slash + 1;
            slash = value.IndexOf('/', from, end - from);
            segments.Add(from..(slash < 0 ? end : slash));
        }
        return segments;
    }

    private static string? NumberOf(ReadOnlySpan<char> segment) => s_spelledOut.TryGetValue(segment, out var ai) ? ai : ApplicationIdentifier.Find(segment)?.Ai;

    private static ApplicationIdentifier? KeyAt(ReadOnlySpan<char> segment) =>
        segment.Length is >= 2 and <= 5 && NumberOf(segment) is { } ai && ApplicationIdentifier.Find(ai) is { IsKey: true } key ? key : null;

    private static bool HasDigitsOf(string ai, ReadOnlySpan<char> segment)
    {
        var foreign = Gs1Characters.Numeric.IndexOfForeign(segment);
        var length = foreign < 0 ? segment.Length : foreign;
        return ai switch
        {
            "01" => length is 8 or 12 or 13 or 14 && foreign < 0,
            "00" or "8006" or "8017" or "8018" => length == 18 && foreign < 0,
            "402" => length == 17 && foreign < 0,
            "414" or "417" => length == 13 && foreign < 0,
            "253" or "255" => length >= 13,
            "8003" => length >= 14,
            _ => false,
        };
    }

    private static ValueFinding? ReadFrom(string value, List<Range> path, int start, ApplicationIdentifier ai, out DigitalLink? link)
    {
        link = null;
        if ((path.Count - start) % 2 != 0)
        {
            var alone = path[^1];
            return new ValueFinding(ValueCodes.Parts, $"'{ValueFinding.Cut(value.AsSpan(alone))}' stands alone; behind the key come pairs of application identifier and value.", alone.Start.Value + 1)
            {
                Got = ValueFinding.Cut(value.AsSpan(alone)),
                Want = "application identifier and value",
                Suggestion = "A slash within a value is written %2F.",
            };
        }
        if (ReadValue(value, path[start + 1], ai, out var key) is { } badKey)
        {
            return badKey;
        }
        var count = (path.Count - start) / 2 - 1;
        // No key has more than three, so a longer path ends within the loop, however long it is.
        Gs1Element[] qualifiers = count == 0 ? [] : new Gs1Element[Math.Min(count, 4)];
        var isSpelledOut = IsSpelledOut(value.AsSpan(path[start]));
        for (var i = 0; i < count; i++)
        {
            var (name, text) = (path[start + 2 + 2 * i], path[start + 3 + 2 * i]);
            var qualifier = NumberOf(value.AsSpan(name));
            if (qualifier is null || !FitsBehind(ai, qualifiers.AsSpan(0, i), qualifier))
            {
                return new ValueFinding(ValueCodes.Parts, $"'{ValueFinding.Cut(value.AsSpan(name))}' may not stand here behind key {ai.Ai}.", name.Start.Value + 1)
                {
                    Got = ValueFinding.Cut(value.AsSpan(name)),
                    Want = ai.Qualifiers.Length == 0 ? "nothing" : string.Join("; or ", ai.Qualifiers.Select(q => string.Join(", then ", q))),
                };
            }
            if (ReadValue(value, text, ApplicationIdentifier.Find(qualifier)!, out var decoded) is { } bad)
            {
                return bad;
            }
            isSpelledOut |= IsSpelledOut(value.AsSpan(name));
            qualifiers[i] = new Gs1Element(qualifier, decoded, text.Start.Value + 1);
        }
        var (attributes, remarks) = ReadQuery(value, path[^1].End.Value);
        if (isSpelledOut)
        {
            remarks = [new ValueFinding(ValueCodes.Spelling, "Keys spelled out in words are withdrawn; a Digital Link has numbers.", path[start].Start.Value + 1)
            {
                Severity = Severity.Warning,
                Got = value[path[start]],
                Want = ai.Ai,
            }, .. remarks];
        }
        link = new DigitalLink(ai.Ai, key, qualifiers, attributes, remarks);
        return null;
    }

    private static bool IsSpelledOut(ReadOnlySpan<char> segment) => !char.IsAsciiDigit(segment[0]);

    /// <summary>Whether one of the orders that the key allows goes on with this qualifier.</summary>
    private static bool FitsBehind(ApplicationIdentifier key, ReadOnlySpan<Gs1Element> before, string next)
    {
        foreach (var order in key.Qualifiers)
        {
            var place = Array.IndexOf(order, next);
            if (place >= 0 && (before.IsEmpty || Array.IndexOf(order, before[^1].Ai) is >= 0 and var last && last < place))
            {
                return true;
            }
        }
        return false;
    }

    private static ValueFinding? ReadValue(string value, Range range, ApplicationIdentifier ai, out string decoded)
    {
        var written = value.AsSpan(range);
        if (Escapes.Decode(written, out decoded) is { } badEscape)
        {
            return badEscape.Behind(range.Start.Value);
        }
        var padding = ai.Ai == "01" && decoded.Length is 8 or 12 or 13 && Digits.AreAll(decoded) ? 14 - decoded.Length : 0;
        if (padding > 0)
        {
            decoded = decoded.PadLeft(14, '0');
        }
        return ai.Refuse(decoded) is { } finding ? finding with { At = range.Start.Value + Escapes.PlaceOf(written, finding.At - padding) } : null;
    }

    private static (Gs1Element[] Attributes, ValueFinding[] Remarks) ReadQuery(string value, int pathEnd)
    {
        if (pathEnd == value.Length || value[pathEnd] != '?')
        {
            return ([], []);
        }
        var (attributes, remarks) = (new List<Gs1Element>(), new List<ValueFinding>());
        var end = value.IndexOf('#', pathEnd);
        end = end < 0 ? value.Length : end;
        for (var start = pathEnd + 1; start < end;)
        {
            var next = value.AsSpan(start, end - start).IndexOfAny('&', ';');
            next = next < 0 ? end : start + next;
            var equals = value.IndexOf('=', start, next - start);
            if (equals > start && NumberOf(value.AsSpan(start, equals - start)) is { } name && attributes.Count < 100)
            {
                var ai = ApplicationIdentifier.Find(name)!;
                if (ReadValue(value, (equals + 1)..next, ai, out var decoded) is { } finding)
                {
                    remarks.Add(finding);
                }
                else if (!ai.MayBeAttribute)
                {
                    remarks.Add(new ValueFinding(ValueCodes.Parts, $"The {ai.Name} does not belong in the query.", start + 1) { Severity = Severity.Warning, Got = name, Want = "attributes such as 17" });
                }
                attributes.Add(new Gs1Element(name, decoded, equals + 2));
            }
            start = next + 1;
        }
        return ([.. attributes], [.. remarks]);
    }

    /// <summary>The whole of an element string that holds a key: what qualifies it in the path, the rest in the query.</summary>
    public static Parsed<DigitalLink> Of(ElementString elements)
    {
        if (elements.Key is not { } key)
        {
            return elements.NoKey();
        }
        // Where two orders fit alike, the later one names one object: a third-party serial number rather than a lot.
        var order = key.Ai.Qualifiers.Reverse().MaxBy(o => o.Count(elements.Has)) ?? [];
        var qualifiers = order.Where(elements.Has).Select(ai => new Gs1Element(ai, elements[ai]!)).ToArray();
        var attributes = elements.Elements.Where(e => e.Ai != key.Ai.Ai && !qualifiers.Any(q => q.Ai == e.Ai)).DistinctBy(e => e.Ai).ToArray();
        return new DigitalLink(key.Ai.Ai, key.Value, qualifiers, attributes, []);
    }

    /// <summary>The canonical form for EPCIS: GS1's host, one key, the finest qualifier only, no product variant (22), no query.</summary>
    public override string ToString()
    {
        var qualifiers = (Gs1Element[])Qualifiers;
        return qualifiers is [.., { Ai: not "22" } finest] ? Write(KeyAi, Key, finest.Ai, finest.Value) : Write(KeyAi, Key);
    }

    /// <summary>Everything it says, at GS1's host: all qualifiers, and the attributes in the query.</summary>
    public string ToFullString()
    {
        var link = new StringBuilder(Write(KeyAi, Key));
        foreach (var (ai, value, _) in Qualifiers)
        {
            link.Append('/').Append(ai).Append('/').Append(Escapes.ForDigitalLink(value));
        }
        for (var i = 0; i < Attributes.Count; i++)
        {
            link.Append(i == 0 ? '?' : '&').Append(Attributes[i].Ai).Append('=').Append(Escapes.ForDigitalLink(Attributes[i].Value));
        }
        return link.ToString();
    }

    internal static string Write(string keyAi, string key) => string.Concat(CanonicalHost + "/", keyAi, "/", Escapes.ForDigitalLink(key));

    internal static string Write(string keyAi, string key, string qualifierAi, string qualifier) =>
        $"{CanonicalHost}/{keyAi}/{Escapes.ForDigitalLink(key)}/{qualifierAi}/{Escapes.ForDigitalLink(qualifier)}";

    /// <summary>Whether both are the same in canonical form: the key at its finest level, whatever the host and the attributes.</summary>
    public bool Equals(DigitalLink? other) => other is not null && ToString() == other.ToString();

    /// <inheritdoc/>
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(ToString());
}
