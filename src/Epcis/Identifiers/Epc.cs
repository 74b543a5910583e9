namespace Epcis.Identifiers;

/// <summary>A part of an identifier for people: what it is called and what it says.</summary>
public readonly record struct EpcPart(string Name, string Value);

/// <summary>
/// What a GS1 key names, one object or a class of them, in whichever form it was written: EPC URI, Digital Link or element
/// string. The first of them needs the length of the company prefix; where that is not known, there is no such form.
/// </summary>
public sealed record Epc
{
    private readonly string[] _tail;

    private Epc(EpcScheme scheme, string key, string[] tail, CompanyPrefixAnswer companyPrefix) =>
        (Scheme, Key, _tail, Prefix) = (scheme, key, tail, companyPrefix);

    /// <summary>The kind of key.</summary>
    public EpcScheme Scheme { get; }

    /// <summary>The key with its check digit, without a serial number that follows it directly.</summary>
    public string Key { get; }

    /// <summary>Whether the length of the company prefix is known, and how; or why it is not.</summary>
    public CompanyPrefixAnswer Prefix { get; }

    /// <summary>Digits of the company prefix, 6 to 12; <see langword="null"/> when nothing says how many.</summary>
    public int? CompanyPrefixLength => Prefix.Length;

    /// <summary>The company prefix; <see langword="null"/> when its length is not known.</summary>
    public string? CompanyPrefix => CompanyPrefixLength is { } length ? Scheme.FromPrefix(Key)[..length].ToString() : null;

    /// <summary>All objects of the key rather than one.</summary>
    public bool IsClass => Scheme.IsOfClasses || _tail.Length < Scheme.Tail.Length;

    /// <summary>Such as <c>SGTIN</c>, <c>LGTIN</c> or <c>GTIN class</c>.</summary>
    public string Type => _tail.Length < Scheme.Tail.Length ? Scheme.KeyName + " class" : Scheme.Title;

    /// <summary>The value of what makes one of many, such as the serial number; <see langword="null"/> for a class.</summary>
    public string? Serial => _tail.Length > 0 && _tail.Length == Scheme.Tail.Length ? _tail[^1] : null;

    /// <summary>The key's check digit; <see langword="null"/> for keys without one.</summary>
    public char? CheckDigit => Scheme.IsNumeric ? Key[^1] : null;

    /// <summary>The key and what follows it, decoded.</summary>
    public IReadOnlyList<EpcPart> Parts => [new EpcPart(Scheme.KeyName, Key), .. _tail.Select((value, i) => new EpcPart(Scheme.Tail[i].Name, value))];

    /// <summary>Any form of a single key; bare digits are of no form, since several keys look alike.</summary>
    public static Parsed<Epc> Parse(string value, CompanyPrefixes prefixes) =>
        EpcUri.IsEpcUri(value) ? EpcUri.Parse(value).Then(Of)
        : DigitalLink.IsWebAddress(value) ? DigitalLink.Parse(value).Then(link => Of(link, prefixes))
        : ElementString.Parse(value).Then(DigitalLink.Of).Then(link => Of(link, prefixes));

    /// <param name="key">With its check digit.</param>
    /// <param name="tail">Decoded, in the order of the EPC URI; without the last it is the class.</param>
    public static Parsed<Epc> Create(EpcScheme scheme, string key, CompanyPrefixes prefixes, params string[] tail)
    {
        var direct = scheme.Tail.Count(f => f.Ai is null);
        if (tail.Length > scheme.Tail.Length || tail.Length < scheme.Tail.Length - 1 || scheme.IsOfClasses && tail.Length < scheme.Tail.Length)
        {
            return new ValueFinding(ValueCodes.Parts, $"{scheme.Title} has {scheme.Tail.Length} parts behind its key, not {tail.Length}.", 1) { Got = $"{tail.Length} parts", Want = $"{scheme.Tail.Length} parts" };
        }
        if (scheme.KeyLengthOf(key) != key.Length)
        {
            return new ValueFinding(ValueCodes.Length, $"The {scheme.KeyName} '{ValueFinding.Cut(key)}' has {key.Length} characters; it needs {scheme.KeyLengthOf(key)}.", 1) { Got = ValueFinding.Cut(key), Want = $"{scheme.KeyLengthOf(key)} digits" };
        }
        for (var i = 0; i < tail.Length; i++)
        {
            if (scheme.Tail[i].Refuse(tail[i]) is { } finding)
            {
                return finding;
            }
        }
        return ApplicationIdentifier.Find(scheme.KeyAi)!.Refuse(key + string.Concat(tail.Take(direct))) is { } wrong ? wrong : Of(scheme, key, tail, prefixes);
    }

    /// <summary>Of a pattern only if it names one class.</summary>
    internal static Parsed<Epc> Of(EpcUri uri)
    {
        var (scheme, components) = (uri.SchemeOfKey, uri.Components);
        if (uri.Wildcards > 1 || uri.Wildcards == 1 && scheme.Tail.Length == 0)
        {
            return new ValueFinding(ValueCodes.Form, $"{uri} is a pattern of many keys.", uri.ToString().IndexOf('*', StringComparison.Ordinal) + 1)
            {
                Got = "*",
                Want = $"a pattern with '*' for the {(scheme.Tail.Length == 0 ? "whole key" : scheme.Tail[^1].Name)} only",
            };
        }
        var tail = components.Count == 2 ? [] : new string[scheme.Tail.Length - uri.Wildcards];
        for (var i = 0; i < tail.Length; i++)
        {
            tail[i] = components[i + 2];
        }
        return new Epc(scheme, scheme.KeyOf(components[0], components[1]), tail, new CompanyPrefixAnswer(components[0].Length, "the EPC URI says it"));
    }

    internal static Parsed<Epc> Of(DigitalLink link, CompanyPrefixes prefixes)
    {
        if (EpcScheme.Of(link.KeyAi, ai => link[ai] is not null) is not { } scheme)
        {
            return new ValueFinding(ValueCodes.Scheme, $"There is no EPC scheme for the {ApplicationIdentifier.Find(link.KeyAi)!.Name}.", 1) { Got = $"({link.KeyAi})", Want = "(00), (01), (414) or another key with an EPC scheme" };
        }
        var keyLength = scheme.KeyLengthOf(link.Key);
        var behind = link.Key.AsSpan(keyLength);
        var tail = new List<string>(scheme.Tail.Length);
        foreach (var field in scheme.Tail)
        {
            var value = field.Ai is { } ai ? link[ai] ?? field.Absent
                : behind.IsEmpty ? null : behind[..Math.Min(field.MaxLength, behind.Length)].ToString();
            if (value is null)
            {
                break;
            }
            tail.Add(value);
            behind = field.Ai is null ? behind[value.Length..] : behind;
        }
        return Of(scheme, keyLength == link.Key.Length ? link.Key : link.Key[..keyLength], [.. tail], prefixes);
    }

    private static Parsed<Epc> Of(EpcScheme scheme, string key, string[] tail, CompanyPrefixes prefixes)
    {
        var digits = scheme.FromPrefix(key);
        var prefix = prefixes.For(digits);
        if (prefix.Length is not { } length)
        {
            return new Epc(scheme, key, tail, prefix);
        }
        var finding = length is < 6 or > 12
            ? new ValueFinding(ValueCodes.CompanyPrefix, $"A GS1 company prefix has 6 to 12 digits, not {length}.", 1) { Got = $"{length}", Want = "6 to 12" }
            : length > digits.Length || !Digits.AreAll(digits[..length]) || !scheme.IsNumeric && length == digits.Length
                ? new ValueFinding(ValueCodes.CompanyPrefix, $"The key {ValueFinding.Cut(key)} holds no company prefix of {length} digits with a reference behind it.", 1) { Got = ValueFinding.Cut(key), Want = $"{length} digits first" }
                : null;
        return finding is null ? new Epc(scheme, key, tail, prefix) : finding;
    }

    /// <summary>The EPC URI: pure identity, or of a class its pattern or class URI; <see langword="null"/> when the length of the company prefix is not known.</summary>
    public string? ToUrn() => CompanyPrefixLength is not { } length ? null
        : EpcUri.Write(Scheme.IsOfClasses ? EpcUriKind.Class : IsClass ? EpcUriKind.Pattern : EpcUriKind.PureIdentity, Scheme,
            [CompanyPrefix!, Scheme.ReferenceOf(Key, length), .. _tail, .. IsClass && !Scheme.IsOfClasses ? ["*"] : Array.Empty<string>()]);

    /// <summary>The canonical Digital Link.</summary>
    public string ToDigitalLink() => Qualifier is { } qualifier
        ? DigitalLink.Write(Scheme.KeyAi, WholeKey, qualifier.Ai, qualifier.Value)
        : DigitalLink.Write(Scheme.KeyAi, WholeKey);

    /// <summary>As a scanner sends it, without symbology identifier.</summary>
    public string ToElementString() => ElementString.Write(Elements);

    /// <summary>The form for people, with brackets.</summary>
    public string ToPrintedElementString() => ElementString.Print(Elements);

    private Gs1Element[] Elements => Qualifier is { } qualifier ? [new Gs1Element(Scheme.KeyAi, WholeKey), qualifier] : [new Gs1Element(Scheme.KeyAi, WholeKey)];

    private string WholeKey
    {
        get
        {
            var key = Key;
            for (var i = 0; i < _tail.Length && Scheme.Tail[i].Ai is null; i++)
            {
                key += _tail[i];
            }
            return key;
        }
    }

    private Gs1Element? Qualifier => Scheme.QualifierAi is { } ai && Serial is { } serial && serial != Scheme.Tail[^1].Absent ? new Gs1Element(ai, serial) : null;

    // A record would compare the arrays by reference.

    /// <summary>Whether both name the same object or class with the same length of company prefix; how it is known makes no difference.</summary>
    public bool Equals(Epc? other) =>
        other is not null && Scheme == other.Scheme && Key == other.Key && CompanyPrefixLength == other.CompanyPrefixLength && _tail.AsSpan().SequenceEqual(other._tail);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Scheme.Name, Key, Serial);

    /// <summary>The EPC URI, or the Digital Link where the company prefix is not known.</summary>
    public override string ToString() => ToUrn() ?? ToDigitalLink();
}
