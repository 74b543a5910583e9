using System.Text;
using System.Text.RegularExpressions;

namespace Epcis.Identifiers;

/// <summary>
/// A GS1 element string: application identifiers and values, as scanned (FNC1 arrives as GS behind each value of variable
/// length) or as printed with brackets.
/// </summary>
public sealed partial record ElementString
{
    private const char GroupSeparator = '\u001D';

    private ElementString(IReadOnlyList<(string Ai, string Value)> elements) => Elements = elements;

    /// <summary>In the order of the symbol.</summary>
    public IReadOnlyList<(string Ai, string Value)> Elements { get; }

    public bool Has(string ai) => Elements.Any(e => e.Ai == ai);

    public string? this[string ai] => Elements.FirstOrDefault(e => e.Ai == ai).Value;

    internal Parsed<string> Require(string ai) =>
        this[ai] is { } value ? value : new Refusal($"The element string has no ({ai}).", null, $"({ai})…");

    public static Parsed<ElementString> Parse(string text)
    {
        var data = text.StartsWith("]d2", StringComparison.Ordinal) || text.StartsWith("]C1", StringComparison.Ordinal) ? text[3..] : text;
        data = data.TrimStart(GroupSeparator);
        return data.StartsWith('(') ? ParsePrinted(data) : ParseScanned(data);
    }

    private static Parsed<ElementString> ParseScanned(string data)
    {
        var elements = new List<(string, string)>();
        for (var at = 0; at < data.Length;)
        {
            if (data[at] == GroupSeparator)
            {
                at++;
                continue;
            }
            var rest = data[at..];
            if (AiLength(rest) is not { } aiLength || rest.Length <= aiLength)
            {
                return new Refusal($"No application identifier begins at character {at + 1} of the element string.", data, "application identifier and value");
            }
            var ai = rest[..aiLength];
            var separator = rest.IndexOf(GroupSeparator, StringComparison.Ordinal);
            var end = FixedLength(ai) is { } length ? aiLength + length : separator < 0 ? rest.Length : separator;
            if (end > rest.Length || (separator >= 0 && separator < end))
            {
                return new Refusal($"The value of ({ai}) ends after {(separator < 0 ? rest.Length : separator) - aiLength} characters; it has {end - aiLength}.", data, $"{end - aiLength} characters");
            }
            elements.Add((ai, rest[aiLength..end]));
            at += end;
        }
        return elements.Count == 0 ? new Refusal("The element string is empty.", data) : Of(elements);
    }

    private static Parsed<ElementString> ParsePrinted(string data)
    {
        // A serial may hold brackets too, so only an identifier of its proper length opens a new element.
        var openings = Bracketed().Matches(data).Where(m => AiLength(m.Groups[1].Value) == m.Groups[1].Length).ToList();
        if (openings.Count == 0 || openings[0].Index != 0)
        {
            return new Refusal("The element string begins with no application identifier in brackets.", data, "(01)…");
        }
        var elements = openings.Select((m, i) =>
            (m.Groups[1].Value, data[(m.Index + m.Length)..(i + 1 < openings.Count ? openings[i + 1].Index : data.Length)])).ToList();
        return Of(elements);
    }

    private static Parsed<ElementString> Of(List<(string Ai, string Value)> elements)
    {
        foreach (var (ai, value) in elements)
        {
            if (FixedLength(ai) is { } length && value.Length != length)
            {
                return new Refusal($"The value of ({ai}) has {value.Length} characters; it needs {length}.", value, $"{length} characters");
            }
            if (elements.Count(e => e.Ai == ai && e.Value != value) > 0)
            {
                return new Refusal($"The element string says ({ai}) twice, with different values.", value);
            }
        }
        return new ElementString(elements);
    }

    /// <summary>The first two digits say how long an application identifier is.</summary>
    private static int? AiLength(string text) =>
        text.Length < 2 || !char.IsAsciiDigit(text[0]) || !char.IsAsciiDigit(text[1]) ? null : text[..2] switch
        {
            "23" or "24" or "25" or "40" or "41" or "42" or "71" => 3,
            ['3', >= '1' and <= '6' or '9'] or "43" or "70" or "72" or "80" or "81" or "82" => 4,
            ['0', <= '4'] or ['1', _] or ['2', <= '2'] or "30" or "37" or ['9', _] => 2,
            _ => null,
        };

    /// <summary>Values of predefined length, which need no separator behind them.</summary>
    private static int? FixedLength(string ai) => ai switch
    {
        "00" => 18,
        "01" or "02" or "03" => 14,
        "11" or "12" or "13" or "15" or "16" or "17" => 6,
        "20" => 2,
        ['3', >= '1' and <= '6', _, _] => 6,
        ['4', '1', _] => 13,
        _ => null,
    };

    internal static string Write(params (string Ai, string Value)[] elements)
    {
        var text = new StringBuilder();
        for (var i = 0; i < elements.Length; i++)
        {
            text.Append(elements[i].Ai).Append(elements[i].Value);
            if (i + 1 < elements.Length && FixedLength(elements[i].Ai) is null)
            {
                text.Append(GroupSeparator);
            }
        }
        return text.ToString();
    }

    internal static string Print(params (string Ai, string Value)[] elements) =>
        string.Concat(elements.Select(e => $"({e.Ai}){e.Value}"));

    [GeneratedRegex(@"\(([0-9]{2,4})\)")]
    private static partial Regex Bracketed();
}
