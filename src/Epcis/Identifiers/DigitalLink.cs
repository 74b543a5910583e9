using System.Collections.Frozen;

namespace Epcis.Identifiers;

/// <summary>
/// A GS1 Digital Link URI: any host and path, then a primary key and its qualifiers; the query does not identify.
/// Values are decoded, GTINs padded to 14 digits.
/// </summary>
public sealed record DigitalLink
{
    public const string CanonicalHost = "https://id.gs1.org";

    // The spelled-out keys are withdrawn but occur.
    private static readonly FrozenDictionary<string, string> SpelledOut = new Dictionary<string, string>
    {
        ["gtin"] = "01", ["sscc"] = "00", ["gln"] = "414", ["party"] = "417",
        ["cpv"] = "22", ["lot"] = "10", ["ser"] = "21",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Keys and the qualifiers they may have, in the order of the path.</summary>
    private static readonly FrozenDictionary<string, string[]> Keys = new Dictionary<string, string[]>
    {
        ["00"] = [], ["01"] = ["22", "10", "21", "235"], ["253"] = [], ["255"] = [], ["401"] = [], ["402"] = [],
        ["414"] = ["254"], ["417"] = [], ["8003"] = [], ["8004"] = [], ["8006"] = ["22", "10", "21"],
        ["8010"] = ["8011"], ["8017"] = [], ["8018"] = [],
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private DigitalLink(string keyAi, string key, IReadOnlyDictionary<string, string> qualifiers) =>
        (KeyAi, Key, Qualifiers) = (keyAi, key, qualifiers);

    /// <summary>The application identifier of the primary key, such as <c>01</c>.</summary>
    public string KeyAi { get; }
    public string Key { get; }

    /// <summary>Application identifier to value.</summary>
    public IReadOnlyDictionary<string, string> Qualifiers { get; }

    /// <summary>
    /// Whether a URI is meant as a Digital Link: on GS1's host, or a path with a key and as many digits as the key has.
    /// Other web addresses are private identifiers.
    /// </summary>
    public static bool IsCandidate(string value) =>
        PathOf(value) is { } path && (IsOfGs1(value) || KeyPositions(path).Any(i => HasDigitsOfKey(path, i)));

    /// <summary>Whether the address is on GS1's host, where nothing but Digital Links can be.</summary>
    public static bool IsOfGs1(string value) => value.StartsWith(CanonicalHost + "/", StringComparison.OrdinalIgnoreCase);

    public static Parsed<DigitalLink> Parse(string value)
    {
        if (PathOf(value) is not { } path)
        {
            return new Refusal($"'{value}' is not a web address.", value, CanonicalHost + "/…");
        }
        Refusal? first = null;
        // What stands before the key is free, so an earlier segment may look like a key.
        foreach (var i in KeyPositions(path))
        {
            var parsed = ParseFrom(path, i, value);
            if (parsed.Ok)
            {
                return parsed;
            }
            first ??= new Refusal(parsed.Error, parsed.Got, parsed.Want);
        }
        return first ?? new Refusal($"{value} names no GS1 key.", value, CanonicalHost + "/01/…");
    }

    // The path is split before it is decoded: an escaped slash belongs to its value.
    private static string[]? PathOf(string value)
    {
        var scheme = value.IndexOf("://", StringComparison.Ordinal);
        if (scheme < 0 || value[..scheme].ToLowerInvariant() is not ("http" or "https"))
        {
            return null;
        }
        var end = value.AsSpan(scheme).IndexOfAny('?', '#');
        var segments = (end < 0 ? value : value[..(scheme + end)])[(scheme + 3)..].Split('/');
        return segments[0].Length > 0 ? segments[1..] : null;
    }

    private static IEnumerable<int> KeyPositions(string[] path) =>
        Enumerable.Range(0, Math.Max(0, path.Length - 1)).Where(i => Keys.ContainsKey(AiOf(path[i])));

    private static string AiOf(string segment) => SpelledOut.GetValueOrDefault(segment, segment);

    private static bool HasDigitsOfKey(string[] path, int i)
    {
        var length = path[i + 1].TakeWhile(char.IsAsciiDigit).Count();
        return AiOf(path[i]) switch
        {
            "01" => length is 8 or 12 or 13 or 14 && length == path[i + 1].Length,
            "00" or "8006" or "8017" or "8018" => length == 18 && path[i + 1].Length == 18,
            "402" => length == 17 && path[i + 1].Length == 17,
            "414" or "417" => length == 13 && path[i + 1].Length == 13,
            "253" or "255" => length >= 13,
            "8003" => length >= 14,
            _ => false,
        };
    }

    private static Parsed<DigitalLink> ParseFrom(string[] path, int start, string value)
    {
        var ai = AiOf(path[start]);
        if ((path.Length - start) % 2 != 0)
        {
            return new Refusal($"{value}: '{path[^1]}' stands alone; behind the key come pairs of application identifier and value.", value);
        }
        if (Escapes.Decode(path[start + 1]) is not { } key)
        {
            return new Refusal($"{value} holds a '%' that is no escape.", value);
        }
        if (ai == "01" && Digits.AreAll(key) && key.Length is 8 or 12 or 13)
        {
            key = key.PadLeft(14, '0');
        }
        if (RefuseKey(ai, key) is { } badKey)
        {
            return new Refusal($"{value}: {badKey.Error}", badKey.Got, badKey.Want);
        }
        var qualifiers = new Dictionary<string, string>(StringComparer.Ordinal);
        var allowed = Keys[ai].AsSpan();
        for (var i = start + 2; i < path.Length; i += 2)
        {
            var qualifier = AiOf(path[i]);
            var place = allowed.IndexOf(qualifier);
            if (place < 0)
            {
                return new Refusal($"{value}: '{path[i]}' may not stand here behind key {ai}.", path[i], string.Join(", then ", Keys[ai]));
            }
            allowed = allowed[(place + 1)..];
            if (Escapes.Decode(path[i + 1]) is not { } text)
            {
                return new Refusal($"{value} holds a '%' that is no escape.", value);
            }
            var maxLength = qualifier == "235" ? 28 : qualifier == "8011" ? 12 : 20;
            if (Gs1CharacterSet82.Refuse($"value of ({qualifier})", text, maxLength) is { } bad)
            {
                return new Refusal($"{value}: {bad.Error}", bad.Got, bad.Want);
            }
            qualifiers[qualifier] = text;
        }
        return new DigitalLink(ai, key, qualifiers);
    }

    private static Refusal? RefuseKey(string ai, string key) => ai switch
    {
        "00" => Checked("SSCC", key, 18, 0),
        "01" => Checked("GTIN", key, 14, 0),
        "402" => Checked("GSIN", key, 17, 0),
        "414" or "417" => Checked("GLN", key, 13, 0),
        "8017" or "8018" => Checked("GSRN", key, 18, 0),
        "253" => Checked("GDTI", key, 13, 17),
        "255" => Checked("GCN", key, 13, 12),
        // The leading zero is a filler: it adds nothing to the sum.
        "8003" => key.StartsWith('0') ? Checked("GRAI", key, 14, 16) : new Refusal($"The GRAI {key} must begin with a zero.", key, "0…"),
        "8006" => key.Length == 18 && Digits.AreAll(key[14..]) ? Checked("GTIN", key[..14], 14, 0) : new Refusal($"The ITIP {key} needs 18 digits.", key, "18 digits"),
        _ => key.Length > 6 && Digits.AreAll(key[..6]) ? Gs1CharacterSet82.Refuse("key", ai == "8010" ? key.Replace('#', '-') : key, 30) : new Refusal($"The key {key} must begin with a company prefix.", key, "6 to 12 digits first"),
    };

    private static Refusal? Checked(string name, string key, int digits, int serialLength)
    {
        var number = key[..Math.Min(key.Length, digits)];
        var refusal = Digits.Refuse(name, serialLength == 0 ? key : number, digits) ?? CheckDigit.Refuse(name, number);
        return refusal is null && key.Length > digits
            ? Gs1CharacterSet82.Refuse("serial number", key[digits..], serialLength)
            : refusal;
    }

    /// <summary>The canonical form for EPCIS: GS1's host, one key, the finest qualifier only, no product variant (22), no query.</summary>
    public override string ToString()
    {
        var finest = Keys[KeyAi].LastOrDefault(ai => ai != "22" && Qualifiers.ContainsKey(ai));
        return Write(KeyAi, Key, finest, finest is null ? null : Qualifiers[finest]);
    }

    internal static string Write(string keyAi, string key, string? qualifierAi = null, string? qualifier = null) =>
        $"{CanonicalHost}/{keyAi}/{Escapes.ForDigitalLink(key)}" + (qualifierAi is null ? "" : $"/{qualifierAi}/{Escapes.ForDigitalLink(qualifier!)}");

    /// <summary>The link, if its primary key is the one that the caller can read.</summary>
    internal static Parsed<DigitalLink> Parse(string value, string keyAi) =>
        Parse(value).Then<DigitalLink>(link => link.KeyAi == keyAi
            ? link
            : new Refusal($"{value} is a Digital Link of key {link.KeyAi}, not {keyAi}.", value, $"{CanonicalHost}/{keyAi}/…"));

    public bool Equals(DigitalLink? other) => other is not null && ToString() == other.ToString();

    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(ToString());
}
