using System.Text.RegularExpressions;

namespace Epcis.Formats.Xml;

/// <summary>Says in words for people what the schema validator says in words for schema authors.</summary>
internal static partial class SchemaMessage
{
    private const int MaxQuoted = 200; // what is quoted of a sender's own text

    /// <summary>What may stand at a place.</summary>
    /// <param name="Others">One of the two constants, or <see langword="null"/> when nothing but the names may.</param>
    public sealed record Expected(IReadOnlyList<string> Names, string? Others)
    {
        public const string OfAnotherNamespace = "an element of another namespace";
        public const string WithoutNamespace = "an element without a namespace";

        public string? InWords => (Names.Count, Others) switch
        {
            (0, _) => Others,
            (_, null) => string.Join(", ", Names),
            _ => $"{string.Join(", ", Names)}, or {Others}",
        };
    }

    public readonly record struct Words(string Message, string? Got, string? Want, string? Suggestion);

    /// <param name="message">The validator's own sentence; one that is not known here is passed on as it is.</param>
    public static Words For(string message, DocumentForm form)
    {
        message = Short(message, 4000);
        if (InvalidChild().Match(message) is { Success: true } child)
        {
            var want = ExpectedOf(child.Groups["want"].Value);
            var (parent, got) = (child.Groups["parent"].Value, child.Groups["child"].Value);
            var instead = want.InWords is null ? $"{parent} takes no further elements there." : $"expected there: {want.InWords}.";
            var name = child.Groups["ns"] is { Success: true, Value: var value } ? value : null;
            var ns = name is null ? "" : $" (namespace {name})";
            return new Words($"{got}{ns} does not belong at this place in {parent}; {instead}", got, want.InWords,
                SchemaAdvice.ForChild(form, parent, got, name, want));
        }
        if (Incomplete().Match(message) is { Success: true } incomplete)
        {
            var want = ExpectedOf(incomplete.Groups["want"].Value);
            var parent = incomplete.Groups["parent"].Value;
            return new Words(want.InWords is null ? $"{parent} is not complete." : $"{parent} is not complete; still expected: {want.InWords}.", null, want.InWords,
                SchemaAdvice.ForMissing(parent, want));
        }
        if (InvalidValue().Match(message) is { Success: true } wrong)
        {
            var got = Short(wrong.Groups["got"].Value, MaxQuoted);
            var name = wrong.Groups["name"].Value;
            var type = wrong.Groups["type"].Value;
            var want = Type(Local(type));
            return new Words($"The value '{got}' of {name} is not allowed.", got, want, SchemaAdvice.ForValue(name, got, Local(type), want));
        }
        if (Required().Match(message) is { Success: true } required)
        {
            var name = required.Groups["name"].Value;
            return new Words($"The attribute {name} is missing.", null, name, SchemaAdvice.ForAttribute(name));
        }
        if (Undeclared().Match(message) is { Success: true } undeclared)
        {
            var (kind, name) = (undeclared.Groups["kind"].Value, undeclared.Groups["name"].Value);
            return new Words($"The {kind} {name} is not part of the standard here.", name, null, SchemaAdvice.ForUndeclared(kind, name));
        }
        if (NoText().Match(message) is { Success: true } text)
        {
            var parent = text.Groups["parent"].Value;
            return new Words($"{parent} may hold elements but no text.", null, ExpectedOf(text.Groups["want"].Value).InWords, SchemaAdvice.ForText(parent));
        }
        if (NoChildren().Match(message) is { Success: true } full)
        {
            var (parent, got) = (Local(full.Groups["parent"].Value), full.Groups["child"].Value);
            var isEmpty = full.Groups["content"].Value == "empty";
            return new Words(isEmpty ? $"{parent} must be empty." : $"{parent} holds a plain value and no elements.", got, isEmpty ? "nothing" : "a value", SchemaAdvice.ForInside(parent, got));
        }
        if (NothingInside().IsMatch(message))
        {
            return new Words("The element must be empty.", null, "nothing", "Remove the text.");
        }
        if (InstanceAttribute().Match(message) is { Success: true } instance)
        {
            var got = Short(instance.Groups["got"].Value, MaxQuoted);
            return new Words(got.Length == 0 ? "xsi:nil is not allowed here." : $"xsi:type names '{Local(got)}', which is no type of the standard for this place.", got.Length == 0 ? "xsi:nil" : got, null, SchemaAdvice.ForInstanceAttribute());
        }
        return new Words(Short(message, 1000), null, null, null);
    }

    private static string Short(string text, int length) => text.Length <= length ? text : text[..length] + "…";

    /// <summary>What the validator lists as possible: names, each with its namespace or without, and whose else may stand there.</summary>
    private static Expected ExpectedOf(string list)
    {
        var names = new List<string>();
        string? others = null;
        foreach (var part in list.Split(" as well as "))
        {
            if (part.StartsWith("any element in namespace", StringComparison.Ordinal))
            {
                others = part.Contains("##local", StringComparison.Ordinal) ? Expected.WithoutNamespace : Expected.OfAnotherNamespace;
                continue;
            }
            var ns = part.IndexOf("' in namespace '", StringComparison.Ordinal);
            names.AddRange((ns < 0 ? part : part[..ns]).Split(',').Select(n => n.Trim(' ', '\'')).Where(n => n.Length > 0));
        }
        return new Expected(names, others);
    }

    private static string Local(string name) => name[(name.LastIndexOf(':') + 1)..];

    private static string? Type(string name) => name switch
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

    [GeneratedRegex(@"^The element '(?<parent>[^']*)' cannot contain child element '(?<child>[^']*)' because the parent element's content model is (?<content>text only|empty)\.$", Safe)]
    private static partial Regex NoChildren();

    [GeneratedRegex(@"^The element cannot contain text\. Content model is empty\.$", Safe)]
    private static partial Regex NothingInside();

    [GeneratedRegex(@"^(?:The xsi:type attribute value '(?<got>[^']*)' is not valid|This is an invalid xsi:type '(?<got>[^']*)'|If the 'nillable' attribute is false)", Safe)]
    private static partial Regex InstanceAttribute();
}
