using System.Text.RegularExpressions;

namespace Epcis.Formats.Xml;

/// <summary>Says in words for people what the schema validator says in words for schema authors.</summary>
internal static partial class SchemaMessage
{
    private const int MaxQuoted = 200; // what is quoted of a sender's own text

    public readonly record struct Words(string Message, string? Got, string? Want);

    /// <param name="message">The validator's own sentence; one that is not known here is passed on as it is.</param>
    public static Words For(string message)
    {
        message = Short(message, 4000);
        if (InvalidChild().Match(message) is { Success: true } child)
        {
            var want = Names(child.Groups["want"].Value);
            var (parent, got) = (child.Groups["parent"].Value, child.Groups["child"].Value);
            var instead = want is null ? $"{parent} takes no further elements there." : $"expected there: {want}.";
            var ns = child.Groups["ns"] is { Success: true, Value: var name } ? $" (namespace {name})" : "";
            return new Words($"{got}{ns} does not belong at this place in {parent}; {instead}", got, want);
        }
        if (Incomplete().Match(message) is { Success: true } incomplete)
        {
            var want = Names(incomplete.Groups["want"].Value);
            var parent = incomplete.Groups["parent"].Value;
            return new Words(want is null ? $"{parent} is not complete." : $"{parent} is not complete; still expected: {want}.", null, want);
        }
        if (InvalidValue().Match(message) is { Success: true } value)
        {
            var got = Short(value.Groups["got"].Value, MaxQuoted);
            var name = value.Groups["name"].Value;
            var want = Type(value.Groups["type"].Value);
            return new Words($"The value '{got}' of {name} is not allowed.", got, want);
        }
        if (Required().Match(message) is { Success: true } required)
        {
            var name = required.Groups["name"].Value;
            return new Words($"The attribute {name} is missing.", null, name);
        }
        if (Undeclared().Match(message) is { Success: true } undeclared)
        {
            var name = undeclared.Groups["name"].Value;
            return new Words($"The {undeclared.Groups["kind"].Value} {name} is not part of the standard here.", name, null);
        }
        if (NoText().Match(message) is { Success: true } text)
        {
            var want = Names(text.Groups["want"].Value);
            return new Words($"{text.Groups["parent"].Value} may hold elements but no text.", null, want);
        }
        return new Words(Short(message, 1000), null, null);
    }

    private static string Short(string text, int length) => text.Length <= length ? text : text[..length] + "…";

    /// <summary>Of the list the validator gives: names, and other parties' elements in fewer words.</summary>
    private static string? Names(string list)
    {
        if (list.Length == 0)
        {
            return null;
        }
        var any = list.IndexOf("any element in namespace", StringComparison.Ordinal);
        var names = (any < 0 ? list : list[..any]).Replace("as well as", "", StringComparison.Ordinal).Trim(' ', '\'', ',');
        return (names.Length, any) switch
        {
            (0, _) => "an element of another namespace",
            (_, < 0) => names,
            _ => names + ", or an element of another namespace",
        };
    }

    private static string? Type(string name) => name[(name.LastIndexOf(':') + 1)..] switch
    {
        "ActionType" => "ADD, OBSERVE or DELETE",
        "DateTimeStamp" => "date, time with seconds, and zone, such as 2026-01-31T08:15:00+01:00",
        "dateTime" => "date and time with zone, such as 2026-01-31T08:15:00+01:00",
        "double" or "decimal" or "float" => "a number",
        "int" or "integer" => "a whole number",
        "boolean" => "true or false",
        "anyURI" => "a URI",
        "hexBinary" => "hexadecimal digits, two for each byte",
        _ => null,
    };

    // Patterns over a sender's text must not be able to backtrack without end.
    private const RegexOptions Safe = RegexOptions.NonBacktracking | RegexOptions.Singleline | RegexOptions.CultureInvariant;

    [GeneratedRegex(@"^The element '(?<parent>[^']*)'(?: in namespace '[^']*')? has invalid child element '(?<child>[^']*)'(?: in namespace '(?<ns>[^']*)')?\.(?: List of possible elements expected: (?<want>.*)\.)?$", Safe)]
    private static partial Regex InvalidChild();

    [GeneratedRegex(@"^The element '(?<parent>[^']*)'(?: in namespace '[^']*')? has incomplete content\.(?: List of possible elements expected: (?<want>.*)\.)?$", Safe)]
    private static partial Regex Incomplete();

    [GeneratedRegex(@"^The '(?<name>[^']*)' (?:element|attribute) is invalid - The value '(?<got>.*)' is invalid according to its datatype '(?<type>[^']*)'", Safe)]
    private static partial Regex InvalidValue();

    [GeneratedRegex(@"^The required attribute '(?<name>[^']*)' is missing\.$", Safe)]
    private static partial Regex Required();

    [GeneratedRegex(@"^The '(?<name>[^']*)' (?<kind>element|attribute) is not declared\.$", Safe)]
    private static partial Regex Undeclared();

    [GeneratedRegex(@"^The element '(?<parent>[^']*)'(?: in namespace '[^']*')? cannot contain text\.(?: List of possible elements expected: (?<want>.*)\.)?$", Safe)]
    private static partial Regex NoText();
}
