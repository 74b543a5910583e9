using System.Text.Json;

namespace Gateway.Audit;

/// <summary>A field of a record that is another than before.</summary>
/// <param name="Before">As JSON; null when the field, or the record, was not there.</param>
/// <param name="After">Likewise.</param>
public sealed record FieldChange(string Field, string? Before, string? After)
{
    /// <summary>What differs between two records given as JSON objects, by the order of names.</summary>
    public static IReadOnlyList<FieldChange> Between(string? old, string? @new)
    {
        using var before = JsonDocument.Parse(old ?? "{}");
        using var after = JsonDocument.Parse(@new ?? "{}");
        var (was, @is) = (Fields(before), Fields(after));
        return [.. was.Keys.Union(@is.Keys).Order(StringComparer.Ordinal).Select(name => new FieldChange(name, was.GetValueOrDefault(name), @is.GetValueOrDefault(name))).Where(c => c.Before != c.After)];
    }

    // The database writes equal values in the same way.
    private static Dictionary<string, string> Fields(JsonDocument record) => record.RootElement.ValueKind == JsonValueKind.Object
        ? record.RootElement.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetRawText())
        : new() { ["value"] = record.RootElement.GetRawText() };
}
