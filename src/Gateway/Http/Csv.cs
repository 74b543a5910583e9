using System.Globalization;

namespace Gateway.Http;

/// <summary>CSV as everybody reads it (RFC 4180).</summary>
public static class Csv
{
    /// <summary>Cells as a row, without its end.</summary>
    public static string Row(params IEnumerable<object?> cells) => string.Join(',', cells.Select(Cell));

    /// <summary>Quoted; what a spreadsheet would take for a formula begins with an apostrophe.</summary>
    private static string Cell(object? value)
    {
        var text = value switch
        {
            null => "",
            DateTime at => at.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture),
            _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
        };
        var guard = text.TrimStart(' ') is ['=' or '+' or '-' or '@' or '\t' or '\r' or '\n', ..] ? "'" : "";
        return $"\"{guard}{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
