namespace Epcis.Identifiers;

/// <summary>What an EPC URI names.</summary>
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
    private const int MaxComponents = 5;
    private readonly EpcScheme _scheme;
    private readonly string[] _components;

    private EpcUri(EpcUriKind kind, EpcScheme scheme, string[] components) => (Kind, _scheme, _components) = (kind, scheme, components);

    /// <summary>What it names.</summary>
    public EpcUriKind Kind { get; }

    /// <summary>Such as <c>sgtin</c>.</summary>
    public string Scheme => _scheme.Name;

    /// <summary>The parts behind the scheme, percent-escapes resolved.</summary>
    public IReadOnlyList<string> Components => _components;

    /// <summary>The company prefix; <c>*</c> in a pattern that leaves it open.</summary>
    public string CompanyPrefix => _components[0];

    internal EpcScheme SchemeOfKey => _scheme;

    /// <summary>How many components a pattern leaves open.</summary>
    internal int Wildcards => Kind == EpcUriKind.Pattern ? _components.AsSpan().Count("*") : 0;

    /// <summary>Whether a text begins as an EPC URI does; it need not be a valid one.</summary>
    public static bool IsEpcUri(string value) => value.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// Says what is structurally wrong with an identifier; <see langword="null"/> when nothing is. URIs that are neither EPC
    /// URIs nor Digital Links are private identifiers, about which nothing can be said.
    /// </summary>
    public static ValueFinding? Check(string value)
    {
        if (IsEpcUri(value))
        {
            return IsUnknownToGs1Keys(value) ? null : Read(value, stackalloc Range[MaxComponents], out var read) ?? Misspelling(value, read);
        }
        return DigitalLink.IsCandidate(value) ? DigitalLink.Parse(value).Finding : null;
    }

    // The tag data standard has schemes that hold no GS1 key; their structure is not ours to judge.
    private static bool IsUnknownToGs1Keys(ReadOnlySpan<char> value)
    {
        var behind = value[Prefix.Length..];
        behind = behind.StartsWith("id:", StringComparison.Ordinal) ? behind[3..] : behind.StartsWith("idpat:", StringComparison.Ordinal) ? behind[6..] : default;
        var colon = behind.IndexOf(':');
        return (colon < 0 ? behind : behind[..colon]) is "gid" or "usdod" or "adi" or "bic" or "imovn";
    }

    /// <summary>Reads a pure identity, class or pattern URI of a GS1 key (EPC Tag Data Standard).</summary>
    public static Parsed<EpcUri> Parse(string value)
    {
        Span<Range> ranges = stackalloc Range[MaxComponents];
        return Read(value, ranges, out var read) is { } finding ? finding : Of(value, ranges, read);
    }

    /// <summary>The value with canonical escapes; the value itself when it has them already or is no sound EPC URI.</summary>
    internal static string Canonical(string value)
    {
        Span<Range> ranges = stackalloc Range[MaxComponents];
        return Read(value, ranges, out var read) is not null || read.IsCanonical && value.StartsWith(Prefix, StringComparison.Ordinal)
            ? value
            : Of(value, ranges, read).ToString();
    }

    private static EpcUri Of(string value, ReadOnlySpan<Range> ranges, ReadUri read)
    {
        var components = new string[read.Scheme.Components];
        for (var i = 0; i < components.Length; i++)
        {
            _ = Escapes.Decode(value.AsSpan(ranges[i]), out components[i]);
        }
        return new EpcUri(read.Kind, read.Scheme, components);
    }

    /// <param name="IsCanonical">False when an escape is one of many spellings: needless, or in small letters.</param>
    private readonly record struct ReadUri(EpcUriKind Kind, EpcScheme Scheme, bool IsCanonical);

    /// <summary>
    /// Says what is wrong, or where the components are. Every identifier of every event comes through here, so a sound
    /// one is read without copying any of it.
    /// </summary>
    private static ValueFinding? Read(string value, Span<Range> ranges, out ReadUri read)
    {
        read = default;
        var text = value.AsSpan();
        var kindEnd = IsEpcUri(value) ? text[Prefix.Length..].IndexOf(':') + Prefix.Length : -1;
        if (kindEnd < Prefix.Length)
        {
            return NoEpcUri(value);
        }
        var kindName = text[Prefix.Length..kindEnd];
        if (kindName is "tag" or "raw")
        {
            return TagUri(value);
        }
        var schemeLength = text[(kindEnd + 1)..].IndexOf(':');
        if (schemeLength < 0)
        {
            return NoEpcUri(value);
        }
        var schemeName = text.Slice(kindEnd + 1, schemeLength);
        EpcUriKind? kind = kindName switch
        {
            "id" => EpcUriKind.PureIdentity,
            "idpat" => EpcUriKind.Pattern,
            "class" => EpcUriKind.Class,
            _ => null,
        };
        if (kind is null || EpcScheme.Named(schemeName) is not { } scheme || scheme.IsOfClasses != (kind == EpcUriKind.Class))
        {
            return new ValueFinding(ValueCodes.Scheme, $"There is no EPC scheme {ValueFinding.Cut(text[..(kindEnd + 1 + schemeLength)])}.", Prefix.Length + 1)
            {
                Got = ValueFinding.Cut(text[Prefix.Length..(kindEnd + 1 + schemeLength)]),
                Want = EpcScheme.Named(schemeName) is { IsOfClasses: true } ? $"class:{schemeName}" : EpcScheme.Named(schemeName) is null ? $"id: and one of {string.Join(", ", EpcScheme.All.Where(s => !s.IsOfClasses).Select(s => s.Name))}" : $"id:{schemeName}",
            };
        }
        read = new ReadUri(kind.Value, scheme, true);
        return Split(value, kindEnd + schemeLength + 2, scheme, ranges) ?? ReadComponents(value, ranges[..scheme.Components], ref read);
    }

    /// <summary>The last component may hold dots of its own.</summary>
    private static ValueFinding? Split(string value, int start, EpcScheme scheme, Span<Range> ranges)
    {
        for (var i = 0; i < scheme.Components; i++)
        {
            var dot = i + 1 == scheme.Components ? value.Length : value.IndexOf('.', start);
            if (dot < 0)
            {
                return new ValueFinding(ValueCodes.Parts, $"It has {i + 1} components; {scheme.Name} needs {scheme.Components}.", value.Length + 1)
                {
                    Got = $"{i + 1} components",
                    Want = $"{scheme.Components} components",
                    Suggestion = $"The form is {Form(scheme)}; a dot stays where a component is empty.",
                };
            }
            ranges[i] = start..dot;
            start = dot + 1;
        }
        return null;
    }

    private static ValueFinding? ReadComponents(string value, ReadOnlySpan<Range> ranges, ref ReadUri read)
    {
        var isOpen = false;
        for (var i = 0; i < ranges.Length; i++)
        {
            var written = value.AsSpan(ranges[i]);
            var isWildcard = read.Kind == EpcUriKind.Pattern && written is "*";
            if (isOpen && !isWildcard)
            {
                return new ValueFinding(ValueCodes.Parts, "After the first '*' of a pattern nothing else follows.", ranges[i].Start.Value + 1) { Got = ValueFinding.Cut(written), Want = "*" };
            }
            isOpen |= isWildcard;
            if (isWildcard)
            {
                continue;
            }
            var decoded = written;
            if (!Escapes.IsPlainInEpcUri(written))
            {
                if (Decode(written, out var text, ref read) is { } bad)
                {
                    return bad.Behind(ranges[i].Start.Value);
                }
                decoded = text;
            }
            var finding = i switch
            {
                0 => EpcScheme.RefusePrefix(decoded),
                1 => read.Scheme.RefuseReference(ranges[0].End.Value - ranges[0].Start.Value, decoded),
                _ => read.Scheme.Tail[i - 2].Refuse(decoded),
            };
            if (finding is not null)
            {
                return finding with { At = ranges[i].Start.Value + Escapes.PlaceOf(written, finding.At) };
            }
        }
        return isOpen || read.Kind != EpcUriKind.Pattern
            ? null
            : new ValueFinding(ValueCodes.Parts, "A pattern ends in '*'.", ranges[^1].Start.Value + 1)
            {
                Got = ValueFinding.Cut(value.AsSpan(ranges[^1])),
                Want = "*",
                Suggestion = "One object is named by urn:epc:id:.",
            };
    }

    private static ValueFinding? Decode(ReadOnlySpan<char> written, out string decoded, ref ReadUri read)
    {
        decoded = "";
        if (Escapes.BareInEpcUri(written) is >= 0 and var bare)
        {
            return new ValueFinding(ValueCodes.Escape, $"It holds a bare '{written[bare]}', which an EPC URI escapes.", bare + 1) { Got = written[bare].ToString(), Want = Escapes.ForEpcUri(written[bare].ToString()) };
        }
        var finding = Escapes.Decode(written, out decoded);
        read = read with { IsCanonical = read.IsCanonical && finding is null && written.SequenceEqual(Escapes.ForEpcUri(decoded)) };
        return finding;
    }

    private static ValueFinding NoEpcUri(string value) =>
        new(ValueCodes.Form, $"'{ValueFinding.Cut(value)}' is not an EPC URI.", 1) { Got = ValueFinding.Cut(value), Want = "urn:epc:id:SCHEME:…" };

    private static ValueFinding TagUri(string value)
    {
        // urn:epc:tag:sgtin-96:3.0614141.812345.6789 names the same object as urn:epc:id:sgtin:0614141.812345.6789.
        var parts = value.Split(':', 5);
        var filter = parts.Length == 5 ? parts[4].IndexOf('.', StringComparison.Ordinal) : -1;
        var identity = filter < 0 ? null : Parse($"urn:epc:id:{parts[3].Split('-')[0]}:{parts[4][(filter + 1)..]}").Value;
        return new ValueFinding(ValueCodes.Form, "It is a tag or raw URI, which says how a tag is written; events take pure identity URIs.", Prefix.Length + 1)
        {
            Got = ValueFinding.Cut(value),
            Want = "urn:epc:id:…",
            Suggestion = identity is null ? null : $"The same object is {identity}.",
        };
    }

    private static ValueFinding? Misspelling(string value, ReadUri read)
    {
        // Only the case of the hexadecimal digits is free.
        if (read.IsCanonical || Escapes.NeedlessInEpcUri(value) is not (>= 0 and var at))
        {
            return null;
        }
        var canonical = Canonical(value);
        return new ValueFinding(ValueCodes.Spelling, $"It escapes a character that an EPC URI writes literally; it should be {canonical}.", at + 1)
        {
            Got = value.Substring(at, 3),
            Want = ((char)Convert.FromHexString(value.AsSpan(at + 1, 2))[0]).ToString(),
            Suggestion = $"Write {canonical}.",
        };
    }

    private static string Form(EpcScheme scheme) =>
        $"urn:epc:{(scheme.IsOfClasses ? "class" : "id")}:{scheme.Name}:COMPANY-PREFIX.REFERENCE{string.Concat(scheme.Tail.Select(f => "." + f.Name.Replace(' ', '-').ToUpperInvariant()))}";

    /// <summary>
    /// The same key as a Digital Link at the canonical host; <see langword="null"/> for patterns that leave the key itself open.
    /// </summary>
    public string? ToDigitalLink() => Epc.Of(this).Value?.ToDigitalLink();

    /// <summary>The URI with canonical escapes.</summary>
    public override string ToString() => Write(Kind, _scheme, _components);

    internal static string Write(EpcUriKind kind, EpcScheme scheme, params ReadOnlySpan<string> components)
    {
        var uri = new System.Text.StringBuilder(Prefix, 64).Append(kind switch { EpcUriKind.PureIdentity => "id:", EpcUriKind.Pattern => "idpat:", _ => "class:" }).Append(scheme.Name);
        for (var i = 0; i < components.Length; i++)
        {
            uri.Append(i == 0 ? ':' : '.').Append(Escapes.ForEpcUri(components[i]));
        }
        return uri.ToString();
    }

    // A record would compare the arrays by reference.

    /// <summary>Whether both are the same URI in canonical spelling.</summary>
    public bool Equals(EpcUri? other) => other is not null && ToString() == other.ToString();

    /// <inheritdoc/>
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(ToString());
}
