using System.Buffers;
using System.Globalization;

namespace Gateway.Partners;

/// <summary>Names of files as they may stand in a folder of somebody else's, and in a command of the SFTP program.</summary>
public static class FileNames
{
    public const int MaxLength = 200;

    // Quotes and backslashes end a quoted name, the others are patterns to the program.
    private static readonly SearchValues<char> Forbidden = SearchValues.Create("\"'`\\*?[]{}");

    /// <summary>Whether this is the plain name of a file: not hidden, no path, nothing that a command or a terminal understands otherwise.</summary>
    public static bool IsSafe(string name) => name.Length is > 0 and <= MaxLength && name[0] is not ('-' or '.') && IsSafeText(name) && !name.Contains('/', StringComparison.Ordinal);

    /// <summary>Whether this is a folder on another server: absolute, or from where the login begins.</summary>
    public static bool IsSafeFolder(string folder) => folder.Length is > 0 and <= 500 && IsSafeText(folder)
        && folder.TrimStart('/').TrimEnd('/').Split('/').All(part => part is not (".." or "." ) && !part.StartsWith('-') && (part.Length > 0 || folder == "/"));

    private static bool IsSafeText(string text) => !text.AsSpan().ContainsAny(Forbidden) && text == text.Trim()
        && !text.Any(c => char.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);

    /// <summary>The name of a document's file by a partner's rule: the same in every attempt and every replay.</summary>
    /// <param name="rule">With <c>{message}</c>, <c>{document}</c> and <c>{date}</c>.</param>
    public static string Of(string rule, Guid messageId, long documentId, DateTime receivedAt, string mediaType, string? contentEncoding) =>
        rule.Replace("{message}", messageId.ToString(), StringComparison.Ordinal)
            .Replace("{document}", documentId.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
            .Replace("{date}", receivedAt.ToString("yyyyMMdd", CultureInfo.InvariantCulture), StringComparison.Ordinal)
        + (mediaType.Contains("json", StringComparison.OrdinalIgnoreCase) ? ".json" : ".xml") + (contentEncoding == "gzip" ? ".gz" : "");

    /// <summary>The name of a file that belongs to another, such as its trigger or its answer.</summary>
    /// <param name="pattern">With <c>{name}</c>, or <c>{stem}</c> for the name without the ending that we gave it.</param>
    public static string Beside(string pattern, string name) =>
        pattern.Replace("{name}", name, StringComparison.Ordinal).Replace("{stem}", Stem(name), StringComparison.Ordinal);

    private static string Stem(string name) => Path.GetFileNameWithoutExtension(name.EndsWith(".gz", StringComparison.Ordinal) ? name[..^3] : name);

    internal static string? RefuseRule(string rule)
    {
        if (!rule.Contains("{message}", StringComparison.Ordinal) && !rule.Contains("{document}", StringComparison.Ordinal))
        {
            return "channel.fileName holds {message} or {document}, so that no two documents have one name.";
        }
        var example = Of(rule, Guid.Empty, long.MaxValue, DateTime.UnixEpoch, "application/xml", "gzip");
        return example.AsSpan().ContainsAny('{', '}')
            ? "channel.fileName holds nothing in braces but {message}, {document} and {date}."
            : IsSafe(example) ? null : "channel.fileName is the plain name of a file, without quotes, slashes, a dash or dot at its beginning, and at most 200 characters long; its ending is added.";
    }

    internal static string? RefusePattern(string member, string pattern)
    {
        if (!pattern.Contains("{name}", StringComparison.Ordinal) && !pattern.Contains("{stem}", StringComparison.Ordinal))
        {
            return $"channel.{member} holds {{name}} or {{stem}}, so that it belongs to one document.";
        }
        // In one folder with the documents it must never be the name of one, whatever a document is.
        return ((string[])["a.xml", "a.json", "a.xml.gz", "a.json.gz"]).Any(name => Beside(pattern, name) == name || !IsSafe(Beside(pattern, name)))
            ? $"channel.{member} is the plain name of another file, without quotes or slashes." : null;
    }
}
