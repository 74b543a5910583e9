using System.Text.Json;
using System.Text.Json.Nodes;
using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.MasterData;

/// <summary>A record as it was from a moment on.</summary>
/// <param name="ChangedBy">The actor's identity; the name is that of the moment.</param>
public sealed record Versioned<T>(T Record, int Version, DateTime ValidFrom, string ChangedBy, string ChangedByName, string Reason);

/// <summary>A member that differs; null: there is nothing on that side.</summary>
public sealed record MemberChange(string Member, string? From, string? To);

/// <summary>
/// The versions of one kind of record. Rows travel as JSON in both directions, whose members are the columns, so a record is
/// written down once.
/// </summary>
internal sealed class MasterDataTable<T>(string table, string key)
    where T : notnull
{
    public static readonly JsonSerializerOptions Columns = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private static readonly string s_columns = string.Join(", ", typeof(T).GetProperties().Where(p => p.SetMethod is not null).Select(p => JsonNamingPolicy.SnakeCaseLower.ConvertName(p.Name)));

    /// <summary>The present version of each record, to be narrowed and ordered by the key.</summary>
    public string Present => $"(select distinct on ({key}) * from {table} order by {key}, version desc)";

    public string Key => key;

    /// <param name="where">On the row <c>r</c>, or <c>order by</c> and <c>limit</c>.</param>
    public async Task<IReadOnlyList<Versioned<T>>> ReadAsync(Work work, string from, string where, object? parameters, CancellationToken ct) =>
        [.. (await work.Connection.QueryAsync<string>(new CommandDefinition($"select to_jsonb(r)::text from {from} r {where}", parameters, work.Transaction, cancellationToken: ct))).Select(Of)];

    /// <summary>The present versions of those among the records that there are.</summary>
    public Task<IReadOnlyList<Versioned<T>>> PresentOfAsync(Work work, IEnumerable<T> records, CancellationToken ct) =>
        ReadAsync(work, $"(select distinct on ({key}) t.* from {table} t join (select {key} from jsonb_populate_recordset(null::{table}, @rows::jsonb)) named using ({key}) order by {key}, version desc)",
            "", new { rows = JsonSerializer.Serialize(records, Columns) }, ct);

    /// <summary>Every version of one record, newest first.</summary>
    public Task<IReadOnlyList<Versioned<T>>> VersionsAsync(Work work, T named, CancellationToken ct) =>
        ReadAsync(work, table, $"join (select {key} from jsonb_populate_recordset(null::{table}, @rows::jsonb)) named using ({key}) order by version desc", new { rows = JsonSerializer.Serialize(new[] { named }, Columns) }, ct);

    /// <summary>Adds a version of each; one statement for all.</summary>
    /// <exception cref="Npgsql.PostgresException">Unique violation: somebody else has added that version.</exception>
    public Task AddAsync(Work work, int partyId, IReadOnlyList<(T Record, int Version)> versions, CancellationToken ct)
    {
        var rows = new JsonArray([.. versions.Select(v => Row(v.Record, v.Version, partyId))]);
        return work.Connection.ExecuteAsync(new CommandDefinition(
            $"insert into {table} ({s_columns}, version, party_id) select {s_columns}, version, party_id from jsonb_populate_recordset(null::{table}, @rows::jsonb)",
            new { rows = rows.ToJsonString() }, work.Transaction, cancellationToken: ct));
    }

    /// <summary>What makes the difference between two records; of a new one, all that is told.</summary>
    public static IReadOnlyList<MemberChange> Differences(T? before, T after)
    {
        var (from, to) = (before is null ? null : Told(before), Told(after));
        return [.. to.Where(m => Text(from?[m.Key]) != Text(m.Value)).Select(m => new MemberChange(m.Key, Text(from?[m.Key]), Text(m.Value)))];
    }

    private static JsonObject Told(T record) => JsonSerializer.SerializeToNode(record, JsonSerializerOptions.Web)!.AsObject();

    private static string? Text(JsonNode? value) => value?.ToString() is { Length: > 0 } text and not "false" ? text : null;

    private static JsonNode Row(T record, int version, int partyId)
    {
        var row = JsonSerializer.SerializeToNode(record, Columns)!;
        (row["version"], row["party_id"]) = (version, partyId);
        return row;
    }

    private static Versioned<T> Of(string row)
    {
        var facts = JsonSerializer.Deserialize<Facts>(row, Columns)!;
        return new Versioned<T>(JsonSerializer.Deserialize<T>(row, Columns)!, facts.Version, facts.ValidFrom.UtcDateTime, facts.ChangedBy, facts.ChangedByName, facts.Reason);
    }

    private sealed record Facts(int Version, DateTimeOffset ValidFrom, string ChangedBy, string ChangedByName, string Reason);
}
