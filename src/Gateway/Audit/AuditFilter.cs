using System.Globalization;
using System.Text.Json;
using Gateway.Http;

namespace Gateway.Audit;

/// <summary>Which entries; what is null does not narrow. The same words narrow the list of the API, the command line and the page.</summary>
/// <param name="Actor">Identity, such as <c>person:qa1</c>.</param>
/// <param name="Role">As of then.</param>
/// <param name="Method">How the actor was authenticated.</param>
/// <param name="Origin">The address or the machine it came from.</param>
/// <param name="Entity">The kind of record: the name of its table, or what happened, such as <c>sign_in</c>.</param>
/// <param name="Key">The record.</param>
/// <param name="Correlation">What belongs together.</param>
/// <param name="Text">Words of names, keys, reasons and of the values before and after.</param>
/// <param name="From">Recorded from then on, and before <paramref name="To"/>; UTC.</param>
public sealed record AuditFilter(
    string? Actor = null, string? Role = null, string? Method = null, string? Origin = null, string? Action = null, string? Entity = null, string? Key = null,
    int? Version = null, string? Correlation = null, string? Text = null, DateTime? From = null, DateTime? To = null)
{
    public const int MaxText = 1_000;

    /// <summary>The names of <see cref="Read"/>, in the order of <see cref="Query"/>.</summary>
    public static IReadOnlyList<string> Names { get; } = ["actor", "role", "method", "origin", "action", "entity", "key", "version", "correlation", "text", "from", "to"];

    /// <summary>Reads what an address or a command line says; moments are ISO 8601, without a zone UTC.</summary>
    /// <param name="value">What was given for a name; null or empty does not narrow.</param>
    /// <param name="wrong">A sentence when a value cannot be; then nothing is narrowed by it.</param>
    public static AuditFilter Read(Func<string, string?> value, out string? wrong)
    {
        var given = new GivenValues(value);
        var filter = new AuditFilter(Short("actor"), Short("role"), Short("method"), Short("origin"), Short("action"), Short("entity"), Short("key"),
            given.Of("version", v => int.TryParse(v, NumberStyles.None, CultureInfo.InvariantCulture, out _), "version is a whole number.") is { } version ? int.Parse(version, CultureInfo.InvariantCulture) : null,
            Short("correlation"), Short("text"), Moment("from"), Moment("to"));
        wrong = given.Wrong;
        return filter;

        string? Short(string name) => given.Of(name, v => v.Length <= MaxText, $"{name} has at most {MaxText} characters.");

        DateTime? Moment(string name) => given.Moment(name, null, $"{name} is a moment such as 2026-01-31T08:00:00Z.");
    }

    /// <summary>The names and values by which <see cref="Read"/> finds the same filter again.</summary>
    public IEnumerable<KeyValuePair<string, string>> Query() =>
        Names.Zip((string?[])[Actor, Role, Method, Origin, Action, Entity, Key, Version?.ToString(CultureInfo.InvariantCulture), Correlation, Text, Written(From), Written(To)])
            .Where(q => q.Second is not null).Select(q => KeyValuePair.Create(q.First, q.Second!));

    /// <summary>As it stands in addresses; empty when nothing narrows.</summary>
    public string ToQueryString() => string.Join('&', Query().Select(q => $"{q.Key}={Uri.EscapeDataString(q.Value)}"));

    /// <summary>As the database's search takes it.</summary>
    internal string ToJson() => JsonSerializer.Serialize(Query().ToDictionary(q => q.Key, q => q.Value));

    private static string? Written(DateTime? at) => at?.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'", CultureInfo.InvariantCulture);
}
