using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Validation;

/// <summary>A component that is not as it was validated.</summary>
/// <param name="Validated">Its hash or value in the baseline; null when it was not there.</param>
/// <param name="Found">What it is; null when it is gone.</param>
public sealed record Difference(string Name, string? Validated, string? Found)
{
    /// <summary>As it stands in a sentence.</summary>
    public override string ToString() => $"{Name} {(Validated is null ? "added" : Found is null ? "removed" : "changed")}";
}

/// <summary>
/// What a node is made of, component by component: its files, its runtime, the objects of its database, its settings. The database tells
/// the hash of the whole, from the canonical form that the audit trail has too.
/// </summary>
public sealed class Fingerprint(GatewayDatabase database, GxpSettings settings, string dataDirectory)
{
    /// <param name="maxAge">Files that this process has read more recently are not read again.</param>
    public async Task<IReadOnlyDictionary<string, string>> ReadAsync(TimeSpan maxAge, CancellationToken ct)
    {
        var components = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, hash) in await ProgramFiles.ReadAsync(dataDirectory, maxAge, ct))
        {
            components[name] = hash;
        }
        components["runtime framework"] = RuntimeInformation.FrameworkDescription;
        components["runtime system"] = RuntimeInformation.OSDescription;
        components["runtime architecture"] = RuntimeInformation.ProcessArchitecture.ToString();
        foreach (var (name, value) in settings.Read())
        {
            components[name] = value;
        }
        foreach (var (name, definition) in await SchemaObjects.ReadAsync(database, ct))
        {
            // Of what has a name of its own, the definition; of the rest, its hash.
            components[name] = name.StartsWith("runtime ", StringComparison.Ordinal) || name.StartsWith("setting ", StringComparison.Ordinal) ? definition : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(definition)));
        }
        return components;
    }

    /// <summary>The hash of the whole.</summary>
    public async Task<string> OfAsync(IReadOnlyDictionary<string, string> components, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Actor.System("validation"), ct);
        return await OfAsync(work, components, ct);
    }

    internal static async Task<string> OfAsync(Work work, IReadOnlyDictionary<string, string> components, CancellationToken ct) =>
        (await work.Connection.ExecuteScalarAsync<string>(new CommandDefinition("select encode(sha256(convert_to(canonical_json(@json::jsonb), 'UTF8')), 'hex')", new { json = Json(components) }, work.Transaction, cancellationToken: ct)))!;

    /// <summary>Keeps what has this hash, once.</summary>
    internal static Task KeepAsync(Work work, string fingerprint, IReadOnlyDictionary<string, string> components, CancellationToken ct) =>
        work.Connection.ExecuteAsync(new CommandDefinition("insert into validation_content (fingerprint, components) values (@fingerprint, @json::jsonb) on conflict do nothing", new { fingerprint, json = Json(components) }, work.Transaction, cancellationToken: ct));

    /// <summary>By name, each once.</summary>
    public static IReadOnlyList<Difference> Compare(IReadOnlyDictionary<string, string> validated, IReadOnlyDictionary<string, string> found) =>
        [.. validated.Keys.Union(found.Keys).Where(name => validated.GetValueOrDefault(name) != found.GetValueOrDefault(name)).Order(StringComparer.Ordinal)
            .Select(name => new Difference(name, validated.GetValueOrDefault(name), found.GetValueOrDefault(name)))];

    private static string Json(IReadOnlyDictionary<string, string> components) => System.Text.Json.JsonSerializer.Serialize(components);
}
