namespace Epcis.Identifiers;

/// <summary>The spelling in which an identifier was given.</summary>
public enum IdentifierForm
{
    /// <summary>None of those below.</summary>
    Unknown,

    /// <summary><c>urn:epc:…</c></summary>
    EpcUri,

    /// <summary><c>https://id.gs1.org/01/…</c>, of any host.</summary>
    DigitalLink,

    /// <summary><c>(01)…</c>, or what a scanner reads from a symbol.</summary>
    ElementString,

    /// <summary>The digits of a GTIN or SSCC alone.</summary>
    BareKey,
}

/// <summary>All that can be said of a value.</summary>
public sealed record Identified(string Input, IdentifierForm Form)
{
    /// <summary>What it names; <see langword="null"/> when it cannot be read, or names no single key.</summary>
    public Epc? Epc { get; init; }

    /// <summary>The EPC URI that was given, or the same in canonical spelling.</summary>
    public EpcUri? Uri { get; init; }

    /// <summary>Everything that was given: the key, all qualifiers, and attributes such as the expiry.</summary>
    public DigitalLink? Whole { get; init; }

    /// <summary>What is wrong or remarkable; <c>At</c> counts characters of <c>Input</c>.</summary>
    public IReadOnlyList<ValueFinding> Findings { get; init; } = [];

    /// <summary>Nothing is wrong with it; there may be warnings.</summary>
    public bool Valid => Findings.All(f => f.Severity != Severity.Error);

    /// <summary>Such as <c>SGTIN</c> or <c>GTIN class</c>.</summary>
    public string? Type => Epc?.Type ?? (Uri is null ? null : Uri.SchemeOfKey.Title + " pattern");

    /// <summary>The EPC URI; <see langword="null"/> when the length of the company prefix is not known.</summary>
    public string? Urn => Epc?.ToUrn() ?? Uri?.ToString();
}

/// <summary>Recognises an identifier in whichever form it was written, scanned or printed.</summary>
public static class Identify
{
    /// <summary>Says all that can be said of a value. Nothing is thrown for what it says, and no company prefix is guessed.</summary>
    public static Identified Read(string input, CompanyPrefixes prefixes) =>
        EpcUri.IsEpcUri(input) ? ReadUri(input, prefixes)
        : DigitalLink.IsWebAddress(input) ? ReadLink(new Identified(input, IdentifierForm.DigitalLink), DigitalLink.Parse(input), prefixes)
        : BareKey(input) is { } bare ? bare(prefixes)
        : input.Length > 0 && (char.IsAsciiDigit(input[0]) || input[0] is '(' or ']' or ElementString.GroupSeparator) ? ReadElements(input, prefixes)
        : new Identified(input, IdentifierForm.Unknown)
        {
            Findings = [new ValueFinding(ValueCodes.Form, input.Length == 0 ? "There is nothing." : $"'{ValueFinding.Cut(input)}' is no spelling of a GS1 key.", 1)
            {
                Got = ValueFinding.Cut(input),
                Want = "an EPC URI, a Digital Link, an element string or the digits of a key",
                Suggestion = "Such as urn:epc:id:sgtin:…, https://id.gs1.org/01/…, (01)… or 0104…",
            }],
        };

    private static Identified ReadUri(string input, CompanyPrefixes prefixes)
    {
        var said = new Identified(input, IdentifierForm.EpcUri);
        var wrong = EpcUri.Check(input);
        if (EpcUri.Parse(input).Value is not { } uri)
        {
            return said with
            {
                Findings = [wrong ?? new ValueFinding(ValueCodes.Scheme, "This EPC scheme holds no GS1 key; its parts are not judged.", 1) { Severity = Severity.Warning, Got = ValueFinding.Cut(input) }],
            };
        }
        var findings = new List<ValueFinding>();
        if (wrong is not null)
        {
            findings.Add(wrong);
        }
        var epc = Epc.Of(uri).Value;
        if (epc is not null)
        {
            AddRemarks(findings, epc);
            if (prefixes.For(epc.Scheme.FromPrefix(epc.Key)) is { Length: { } length } known && length != epc.CompanyPrefixLength
                && Epc.Parse(epc.ToDigitalLink(), CompanyPrefixes.OfLength(length)).Value is { } same)
            {
                findings.Add(new ValueFinding(ValueCodes.CompanyPrefix, $"Its company prefix is cut at {epc.CompanyPrefixLength} digits, but has {length}: {known.Why}.", input.IndexOf(uri.CompanyPrefix, StringComparison.Ordinal) + 1)
                {
                    Severity = Severity.Warning,
                    Got = uri.CompanyPrefix,
                    Want = same.CompanyPrefix,
                    Suggestion = $"It is the same object as {same}.",
                });
            }
        }
        return said with { Uri = uri, Epc = epc, Whole = epc is null ? null : DigitalLink.Parse(epc.ToDigitalLink()).Value, Findings = findings };
    }

    private static Identified ReadElements(string input, CompanyPrefixes prefixes)
    {
        var said = new Identified(input, IdentifierForm.ElementString);
        var elements = ElementString.Parse(input);
        var read = ReadLink(said, elements.Then(DigitalLink.Of), prefixes);
        if (elements.Value is { } told)
        {
            read = read with { Findings = [.. read.Findings, .. Associations.Check(told.Elements)] };
        }
        var keys = elements.Value?.Elements.Where(e => ApplicationIdentifier.Find(e.Ai) is { IsKey: true }).DistinctBy(e => e.Ai).ToList();
        return keys is not [var first, .. var others] || others.Count == 0 ? read : read with
        {
            Findings = [.. read.Findings, new ValueFinding(ValueCodes.Ambiguous, $"The symbol holds more than one key; what is said here is of ({first.Ai}).", others[0].At)
            {
                Severity = Severity.Info,
                Got = ElementString.Print([.. others]),
            }],
        };
    }

    private static Identified ReadLink(Identified said, Parsed<DigitalLink> parsed, CompanyPrefixes prefixes)
    {
        if (parsed.Value is not { } link)
        {
            return said with { Findings = [parsed.Finding!] };
        }
        var findings = new List<ValueFinding>(link.Remarks);
        var epc = Epc.Of(link, prefixes);
        if (!epc.Ok)
        {
            findings.Add(epc.Finding.Code == ValueCodes.Scheme ? epc.Finding with { Severity = Severity.Warning } : epc.Finding);
        }
        else
        {
            AddRemarks(findings, epc.Value);
            if (epc.Value.CompanyPrefixLength is null)
            {
                findings.Add(new ValueFinding(ValueCodes.CompanyPrefix, $"The length of its company prefix is not known, so it has no EPC URI: {epc.Value.Prefix.Why}.", 1)
                {
                    Severity = Severity.Warning,
                    Got = epc.Value.Key,
                    Want = "6 to 12 digits of company prefix",
                    Suggestion = "Give the length, a list of prefixes, GS1's table, or an EPC URI with the same prefix.",
                });
            }
        }
        return said with { Epc = epc.Value, Whole = link, Findings = findings };
    }

    private static void AddRemarks(List<ValueFinding> findings, Epc epc)
    {
        if (epc.Scheme.Name == "itip" && epc.Parts is [_, var piece, var total, ..] && (Gs1Date.Number(piece.Value) == 0 || Gs1Date.Number(piece.Value) > Gs1Date.Number(total.Value)))
        {
            findings.Add(new ValueFinding(ValueCodes.Value, $"It is piece {piece.Value} of {total.Value}.", 1) { Severity = Severity.Warning, Got = piece.Value, Want = $"01 to {total.Value}" });
        }
    }

    /// <summary>Digits of a key's length whose check digit is right are a key rather than an element string that begins alike.</summary>
    private static Func<CompanyPrefixes, Identified>? BareKey(string input)
    {
        if (input.Length is not (8 or 12 or 13 or 14 or 18) || !Digits.AreAll(input) || !CheckDigit.Completes(input) && ElementString.Parse(input).Ok)
        {
            return null;
        }
        var (ai, other) = input.Length switch
        {
            18 => ("00", "a GSRN, (8018) or (8017)"),
            13 => ("01", "a GLN, (414) or (417)"),
            _ => ("01", null),
        };
        return prefixes =>
        {
            var read = ReadLink(new Identified(input, IdentifierForm.BareKey), DigitalLink.Parse($"{DigitalLink.CanonicalHost}/{ai}/{input}"), prefixes);
            // The value is the end of the link that it was read as.
            var start = DigitalLink.CanonicalHost.Length + ai.Length + 2;
            var findings = read.Findings.Select(f => f.At > start ? f.Behind(-start) : f);
            return read with
            {
                Findings = other is null ? [.. findings] : [.. findings, new ValueFinding(ValueCodes.Ambiguous, $"{input.Length} digits are taken for ({ai}); they may also be {other}.", 1)
                {
                    Severity = Severity.Info,
                    Got = input,
                    Want = $"({ai}){input}",
                    Suggestion = "Write the application identifier in front to say which key it is.",
                }],
            };
        };
    }
}
