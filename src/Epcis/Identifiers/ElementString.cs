using System.Text;
using System.Text.RegularExpressions;

namespace Epcis.Identifiers;

/// <summary>
/// A GS1 element string: application identifiers and values, as scanned (FNC1 arrives as GS behind each value of variable
/// length) or as printed with brackets.
/// </summary>
public sealed partial record ElementString
{
    /// <summary>How FNC1 arrives behind a value of variable length.</summary>
    public const char GroupSeparator = '\u001D';

    // A value with more is a fault of its own; a symbol holds some twenty.
    private const int MaxElements = 200;

    /// <summary>The symbologies whose first character is FNC1: their data are element strings.</summary>
    private static readonly string[] s_symbologies = ["]d2", "]C1", "]Q3", "]e0", "]J1"];

    private ElementString(Gs1Element[] elements) => Elements = elements;

    /// <summary>In the order of the symbol.</summary>
    public IReadOnlyList<Gs1Element> Elements { get; }

    /// <summary>Whether an application identifier is there.</summary>
    public bool Has(string ai) => this[ai] is not null;

    /// <summary>The value of an application identifier; <see langword="null"/> when it is not there.</summary>
    public string? this[string ai]
    {
        get
        {
            foreach (var element in Elements)
            {
                if (element.Ai == ai)
                {
                    return element.Value;
                }
            }
            return null;
        }
    }

    /// <summary>The key that the others tell about: the first of the symbol.</summary>
    internal (ApplicationIdentifier Ai, string Value)? Key
    {
        get
        {
            foreach (var element in Elements)
            {
                if (ApplicationIdentifier.Find(element.Ai) is { IsKey: true } key)
                {
                    return (key, element.Value);
                }
            }
            return null;
        }
    }

    internal ValueFinding NoKey() => new(ValueCodes.Form, "The element string holds no key.", 1)
    {
        Got = string.Concat(Elements.Take(10).Select(e => $"({e.Ai})")),
        Want = "(00), (01), (414) or another key",
        Suggestion = "A lot, serial number or date identifies nothing without the GTIN it belongs to.",
    };

    internal Parsed<string> Require(string ai) =>
        this[ai] is { } value ? value : new ValueFinding(ValueCodes.Parts, $"The element string has no ({ai}).", 1) { Want = $"({ai})…" };

    /// <summary>Reads what a scanner gives, with or without a symbology identifier, or what is printed with brackets.</summary>
    public static Parsed<ElementString> Parse(string text)
    {
        var start = 0;
        if (text.StartsWith(']'))
        {
            if (!s_symbologies.Contains(text[..Math.Min(3, text.Length)]))
            {
                return new ValueFinding(ValueCodes.Form, $"'{ValueFinding.Cut(text.AsSpan(0, Math.Min(3, text.Length)))}' marks no symbol with GS1 element strings.", 1)
                {
                    Got = ValueFinding.Cut(text.AsSpan(0, Math.Min(3, text.Length))),
                    Want = string.Join(", ", s_symbologies),
                    Suggestion = "The symbol must be of the GS1 kind: FNC1 is its first character.",
                };
            }
            start = 3;
        }
        while (start < text.Length && text[start] == GroupSeparator)
        {
            start++;
        }
        return start == text.Length ? new ValueFinding(ValueCodes.Form, "The element string is empty.", text.Length + 1) { Got = "nothing", Want = "application identifier and value" }
            : text[start] == '(' ? ParsePrinted(text, start) : ParseScanned(text, start);
    }

    private static Parsed<ElementString> ParseScanned(string text, int start)
    {
        var elements = new List<Gs1Element>();
        for (var at = start; at < text.Length;)
        {
            var rest = text.AsSpan(at);
            if (ApplicationIdentifier.AtStartOf(rest) is not { } ai)
            {
                return NoApplicationIdentifier(rest, at, elements);
            }
            var separator = rest.IndexOf(GroupSeparator);
            var end = separator < 0 ? rest.Length : separator;
            if (ai.HasPredefinedLength)
            {
                end = Math.Min(end, ai.Ai.Length + ai.MaxLength);
            }
            var value = rest[ai.Ai.Length..end];
            if (Add(elements, ai, value, at + ai.Ai.Length) is { } finding)
            {
                // Never a guess where the value ends: only that something is missing.
                return !ai.HasPredefinedLength && value.Length > ai.MaxLength
                    ? finding with { Code = ValueCodes.SeparatorMissing, Suggestion = $"A separator (FNC1, sent as GS, 0x1D) may be missing behind the {ai.Name}; have the scanner send it." }
                    : finding;
            }
            at += end;
            // Needed behind a value of variable length; anywhere else it does no harm.
            while (at < text.Length && text[at] == GroupSeparator)
            {
                at++;
            }
        }
        return new ElementString([.. elements]);
    }

    private static ValueFinding NoApplicationIdentifier(ReadOnlySpan<char> rest, int at, List<Gs1Element> before) =>
        new(ValueCodes.ApplicationIdentifier, $"No application identifier begins at character {at + 1} of the element string.", at + 1)
        {
            Got = ValueFinding.Cut(rest[..Math.Min(4, rest.Length)]),
            Want = "an application identifier such as 01, 10, 17 or 21",
            Suggestion = before.Count == 0
                ? "An element string begins with an application identifier; digits alone are a bare key."
                : $"The value of ({before[^1].Ai}) before it may be too short or too long.",
        };

    private static Parsed<ElementString> ParsePrinted(string text, int start)
    {
        // A serial may hold brackets too, so only an identifier that exists opens a new element.
        var openings = Bracketed().Matches(text, start).Where(m => ApplicationIdentifier.Find(m.Groups[1].ValueSpan) is not null).Take(MaxElements + 1).ToList();
        if (openings.Count == 0 || openings[0].Index != start)
        {
            return new ValueFinding(ValueCodes.ApplicationIdentifier, "The element string begins with no application identifier in brackets.", start + 1)
            {
                Got = ValueFinding.Cut(text.AsSpan(start, Math.Min(6, text.Length - start))),
                Want = "(01)…",
            };
        }
        var elements = new List<Gs1Element>(openings.Count);
        for (var i = 0; i < openings.Count; i++)
        {
            var from = openings[i].Index + openings[i].Length;
            var to = i + 1 < openings.Count ? openings[i + 1].Index : text.Length;
            if (Add(elements, ApplicationIdentifier.Find(openings[i].Groups[1].ValueSpan)!, text.AsSpan(from, to - from), from) is { } finding)
            {
                return finding;
            }
        }
        return new ElementString([.. elements]);
    }

    private static ValueFinding? Add(List<Gs1Element> elements, ApplicationIdentifier ai, ReadOnlySpan<char> value, int at)
    {
        if (ai.Refuse(value) is { } finding)
        {
            return finding.Behind(at);
        }
        foreach (var element in elements)
        {
            if (element.Ai == ai.Ai && !value.SequenceEqual(element.Value))
            {
                return new ValueFinding(ValueCodes.Twice, $"The element string says ({ai.Ai}) twice, with different values.", at + 1) { Got = ValueFinding.Cut(value), Want = element.Value };
            }
        }
        if (elements.Count == MaxElements)
        {
            return new ValueFinding(ValueCodes.Parts, $"The element string has more than {MaxElements} elements.", at + 1) { Got = $"more than {MaxElements}", Want = $"at most {MaxElements}" };
        }
        elements.Add(new Gs1Element(ai.Ai, value.ToString(), at + 1));
        return null;
    }

    /// <summary>Everything a Digital Link says, its attributes too.</summary>
    public static ElementString Of(DigitalLink link) =>
        new([new Gs1Element(link.KeyAi, link.Key), .. link.Qualifiers, .. link.Attributes]);

    /// <summary>As a scanner sends it, without symbology identifier.</summary>
    public override string ToString() => Write([.. Elements]);

    /// <summary>The form for people, with brackets. It cannot be read again where a value holds brackets of its own.</summary>
    public string ToPrinted() => Print([.. Elements]);

    internal static string Write(params ReadOnlySpan<Gs1Element> elements)
    {
        var text = new StringBuilder();
        for (var i = 0; i < elements.Length; i++)
        {
            text.Append(elements[i].Ai).Append(elements[i].Value);
            if (i + 1 < elements.Length && ApplicationIdentifier.Find(elements[i].Ai) is not { HasPredefinedLength: true })
            {
                text.Append(GroupSeparator);
            }
        }
        return text.ToString();
    }

    internal static string Print(params ReadOnlySpan<Gs1Element> elements)
    {
        var text = new StringBuilder();
        foreach (var element in elements)
        {
            text.Append('(').Append(element.Ai).Append(')').Append(element.Value);
        }
        return text.ToString();
    }

    /// <summary>Whether both hold the same elements in the same order.</summary>
    public bool Equals(ElementString? other) => other is not null && ToString() == other.ToString();

    /// <inheritdoc/>
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(ToString());

    [GeneratedRegex(@"\(([0-9]{2,4})\)")]
    private static partial Regex Bracketed();
}
