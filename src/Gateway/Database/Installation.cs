using System.Reflection;
using Dapper;
using Gateway.Access;

namespace Gateway.Database;

/// <param name="Kind"><c>live</c>, <c>demonstration</c> or <c>test</c>.</param>
/// <param name="LastAuditAt">When the newest entry of the audit trail was written; null when there is none.</param>
public sealed record InstallationFacts(string Kind, int SchemaVersion, string ServerVersion, DateTime? LastAuditAt);

/// <summary>What every page says of this installation.</summary>
public sealed class Installation(GatewayDatabase database)
{
    /// <summary>The build as its assembly names it.</summary>
    public static string Build { get; } = typeof(Installation).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    public async Task<InstallationFacts> ReadAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Actor.System("dashboard"), ct);
        return await work.Connection.QuerySingleAsync<InstallationFacts>(new CommandDefinition("""
            select kind as Kind, (select max(version) from schema_version) as SchemaVersion, current_setting('server_version') as ServerVersion,
                   (select recorded_at from audit_entry order by ord desc limit 1) as LastAuditAt
            from installation
            """, transaction: work.Transaction, cancellationToken: ct));
    }
}
