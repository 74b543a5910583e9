namespace Epcis.Identifiers;

public enum EpcUriKind
{
    /// <summary><c>urn:epc:id:</c>, one object.</summary>
    PureIdentity,

    /// <summary><c>urn:epc:idpat:</c>, every object that fits.</summary>
    Pattern,

    /// <summary><c>urn:epc:class:</c>, a lot.</summary>
    Class,
}

/// <summary>An EPC URI of a GS1 key, taken apart; its components are decoded, and <c>*</c> stands for any.</summary>
public sealed record EpcUri
{
    private const string Prefix = "urn:epc:";
    private readonly EpcScheme _scheme;
    private readonly string[] _components;

    private EpcUri(EpcUriKind kind, EpcScheme scheme, string[] components, bool isSpelledCanonically) =>
        (Kind, _scheme, _components, IsSpelledCanonically) = (kind, scheme, components, isSpelledCanonically);

    public EpcUriKind Kind { get; }
    public string Scheme => _scheme.Name;
    public IReadOnlyList<string> Components => _components;

    /// <summary>False when it escapes a character that should stand for itself: understood, yet not as the standard writes it.</summary>
    public bool IsSpelledCanonically { get; }

    public string CompanyPrefix => _components[0];

    /// <summary>The key with its check digit, as element strings and Digital Links write it; not for patterns that leave it open.</summary>
    internal string Key => _scheme.KeyOf(_components[0], _components[1]);

    public static bool IsEpcUri(string value) => value.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// Says what is structurally wrong with an identifier; <see langword="null"/> when nothing is. URIs that are neither EPC
    /// URIs nor Digital Links are private identifiers, about which nothing can be said.
    /// </summary>
    public static string? Check(string value)
    {
        if (IsEpcUri(value))
        {
            if (IsUnknownToGs1Keys(value))
            {
                return null;
            }
            var parsed = Parse(value);
            return parsed.Error ?? (parsed.Value!.IsSpelledCanonically
                ? null
                : $"{value} escapes a character that an EPC URI writes literally; it should be {parsed.Value}.");
        }
        return DigitalLink.IsCandidate(value) ? DigitalLink.Parse(value).Error : null;
    }

    // The tag data standard has schemes that hold no GS1 key; their structure is not ours to judge.
    private static bool IsUnknownToGs1Keys(string value) =>
        value[Prefix.Length..].Split(':') is [var kind, "gid" or "usdod" or "adi" or "bic" or "imovn", ..]
        && kind is "id" or "idpat";

    public static Parsed<EpcUri> Parse(string value)
    {
        var parts = value.Split(':', 5);
        if (parts.Length < 5 || !IsEpcUri(value))
        {
            return new Refusal($"'{value}' is not an EPC URI.", value, "urn:epc:id:SCHEME:…");
        }
        var (kindName, schemeName, body) = (parts[2], parts[3], parts[4]);
        if (kindName is "tag" or "raw")
        {
            return new Refusal($"{value} is a tag or raw URI, which says how a tag is written; events take pure identity URIs.", value, "urn:epc:id:…");
        }
        EpcUriKind? kind = (kindName, schemeName) switch
        {
            ("class", "lgtin") => EpcUriKind.Class,
            (_, "lgtin") => null,
            ("id", _) => EpcUriKind.PureIdentity,
            ("idpat", _) => EpcUriKind.Pattern,
            _ => null,
        };
        if (kind is null || EpcScheme.Named(schemeName) is not { } scheme)
        {
            return new Refusal($"There is no EPC scheme urn:epc:{kindName}:{schemeName}.", value);
        }
        var written = body.Split('.', scheme.Components);
        if (written.Length != scheme.Components)
        {
            return new Refusal($"{value} has {written.Length} components; {scheme.Name} needs {scheme.Components}.", value, $"{scheme.Components} components");
        }
        return Decode(kind.Value, scheme, written, value);
    }

    private static Parsed<EpcUri> Decode(EpcUriKind kind, EpcScheme scheme, string[] written, string value)
    {
        var components = new string[written.Length];
        var canonical = true;
        for (var i = 0; i < written.Length; i++)
        {
            if (Escapes.BareInEpcUri(written[i]) is { } bare)
            {
                return new Refusal($"{value} holds a bare '{bare}', which an EPC URI escapes.", value, Escapes.ForEpcUri(bare.ToString()));
            }
            if (Escapes.Decode(written[i]) is not { } decoded)
            {
                return new Refusal($"{value} holds a '%' that is no escape.", value, "% and two hexadecimal digits");
            }
            components[i] = decoded;
            canonical &= Escapes.AreCanonicalInEpcUri(written[i], decoded);
        }
        var refusal = kind == EpcUriKind.Pattern ? RefusePattern(scheme, components, value) : RefuseFields(scheme, components, components.Length);
        return refusal is null
            ? new EpcUri(kind, scheme, components, canonical)
            : new Refusal($"{value}: {refusal.Error}", refusal.Got, refusal.Want);
    }

    private static Refusal? RefuseFields(EpcScheme scheme, string[] components, int count)
    {
        var refusal = count > 0 ? scheme.RefusePrefix(components[0]) : null;
        if (refusal is null && count > 1)
        {
            refusal = scheme.RefuseReference(components[0], components[1]);
        }
        for (var i = 2; refusal is null && i < count; i++)
        {
            refusal = scheme.Tail[i - 2].Refuse(components[i]);
        }
        return refusal;
    }

    /// <summary>A pattern ends in wildcards, and nothing concrete follows one.</summary>
    private static Refusal? RefusePattern(EpcScheme scheme, string[] components, string value)
    {
        var wildcard = Array.IndexOf(components, "*");
        return wildcard < 0 || components.AsSpan(wildcard).ContainsAnyExcept("*")
            ? new Refusal("A pattern ends in '*', and after the first '*' nothing else follows.", value, "…*")
            : RefuseFields(scheme, components, wildcard);
    }

    /// <summary>
    /// The same key as a Digital Link at the canonical host; <see langword="null"/> for patterns that leave the key itself open.
    /// </summary>
    public string? ToDigitalLink()
    {
        if (_components[1] == "*")
        {
            return null;
        }
        var tail = _components.Skip(2).Where(c => c != "*").ToList();
        string? qualifier = null;
        if (_scheme.QualifierAi is { } ai && tail.Count == _scheme.Tail.Length)
        {
            // An SGLN without extension is spelled with extension 0.
            qualifier = Scheme == "sgln" && tail[^1] == "0" ? null : $"/{ai}/{Escapes.ForDigitalLink(tail[^1])}";
            tail.RemoveAt(tail.Count - 1);
        }
        return $"{DigitalLink.CanonicalHost}/{_scheme.Ai}/{Escapes.ForDigitalLink(Key + string.Concat(tail))}{qualifier}";
    }

    /// <summary>The URI with canonical escapes.</summary>
    public override string ToString()
    {
        var kind = Kind switch { EpcUriKind.PureIdentity => "id", EpcUriKind.Pattern => "idpat", _ => "class" };
        return Write(kind, Scheme, _components);
    }

    internal static string Write(string kind, string scheme, params IEnumerable<string> components) =>
        $"{Prefix}{kind}:{scheme}:{string.Join('.', components.Select(c => c == "*" ? c : Escapes.ForEpcUri(c)))}";

    /// <summary>The URI, if it is of the scheme that the caller can read.</summary>
    internal static Parsed<EpcUri> Parse(string value, EpcUriKind kind, string scheme) =>
        Parse(value).Then<EpcUri>(uri => uri.Kind == kind && uri.Scheme == scheme
            ? uri
            : new Refusal($"{value} is no {scheme.ToUpperInvariant()}.", value, Write(kind switch { EpcUriKind.PureIdentity => "id", EpcUriKind.Pattern => "idpat", _ => "class" }, scheme, "…")));

    // A record would compare the arrays by reference.
    public bool Equals(EpcUri? other) => other is not null && ToString() == other.ToString();

    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(ToString());
}
