using System.Globalization;
using System.Reflection;
using Dapper;
using Gateway.Access;

namespace Gateway.Database;

/// <param name="Kind"><c>live</c>, <c>demonstration</c> or <c>test</c>.</param>
/// <param name="LastAuditAt">When the newest entry of the audit trail was written; null when there is none.</param>
public sealed record InstallationFacts(string Kind, int SchemaVersion, string ServerVersion, DateTime? LastAuditAt);

/// <summary>One thing the gateway stands on.</summary>
public sealed record HealthCheck(string Name, bool Ok, string Detail);

/// <summary>What every page says of this installation, and whether what it stands on is well.</summary>
public sealed class Installation(GatewayDatabase database)
{
    /// <summary>The build as its assembly names it.</summary>
    public static string Build { get; } = typeof(Installation).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    /// <summary>The version that documents belong to: the build without the commit it was made of.</summary>
    public static string Version { get; } = Build.Split('+')[0];

    public async Task<InstallationFacts> ReadAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Actor.System("dashboard"), ct);
        return await work.Connection.QuerySingleAsync<InstallationFacts>(new CommandDefinition("""
            select kind as Kind, (select max(version) from schema_version) as SchemaVersion, current_setting('server_version') as ServerVersion,
                   (select recorded_at from audit_entry order by ord desc limit 1) as LastAuditAt
            from installation
            """, transaction: work.Transaction, cancellationToken: ct));
    }

    /// <summary>Durability, clock and room of the database, as the application sees them.</summary>
    public async Task<IReadOnlyList<HealthCheck>> CheckAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Actor.System("doctor"), ct);
        var facts = await work.Connection.QuerySingleAsync<(string Server, int Schema, string Kind, TimeSpan Offset, long Bytes, long Used, int Most)>(new CommandDefinition("""
            select version(), (select max(version) from schema_version), kind, clock_offset, pg_database_size(current_database()),
                   (select count(*) from pg_stat_activity where datname = current_database()), current_setting('max_connections')::int
            from installation
            """, transaction: work.Transaction, cancellationToken: ct));
        var checks = new List<HealthCheck>
        {
            new("database", true, facts.Server),
            new("schema", facts.Schema == Migrator.Newest, facts.Schema == Migrator.Newest ? $"{facts.Schema}" : $"{facts.Schema}, this build has {Migrator.Newest}"),
        };
        foreach (var setting in (string[])["fsync", "synchronous_commit", "full_page_writes", "data_checksums"])
        {
            var value = await work.Connection.ExecuteScalarAsync<string>(new CommandDefinition("select current_setting(@setting)", new { setting }, work.Transaction, cancellationToken: ct)) ?? "";
            checks.Add(new(setting, value == "on", value));
        }
        checks.Add(new("clock", facts.Offset == TimeSpan.Zero || facts.Kind != "live", facts.Offset == TimeSpan.Zero ? "the database's own" : $"moved by {facts.Offset}, as a {facts.Kind} database may"));
        checks.Add(new("connections", facts.Used < facts.Most * 9 / 10, $"{facts.Used} of {facts.Most}"));
        checks.Add(new("size", true, string.Create(CultureInfo.InvariantCulture, $"{facts.Bytes / 1e6:N0} MB")));
        return checks;
    }
}
