using Dapper;
using Gateway.Database;
using Microsoft.Extensions.Logging;

namespace Gateway.Scheduling;

/// <summary>
/// A commit is told as success only because the server flushes it. A setting that says otherwise, in a session, for the
/// database or a role, is a fault: the node is not ready until it is mended.
/// </summary>
internal sealed partial class WatchDurability(GatewayDatabase database, NodeFaults faults, ILogger<WatchDurability> log) : IChore
{
    private const string Fault = "durability";

    public async Task RunAsync(CancellationToken ct)
    {
        await using var connection = await database.Source.OpenConnectionAsync(ct);
        // This session's, and what new sessions of this database will get. A server for tests may do without the disk.
        var wrong = (await connection.QueryAsync<string>("""
            with s (name, value) as (
                select name, current_setting(name) from unnest(array['synchronous_commit', 'fsync', 'full_page_writes']) as name
                union select split_part(c, '=', 1), split_part(c, '=', 2) from pg_db_role_setting, unnest(setconfig) as c
                where setdatabase in (0, (select oid from pg_database where datname = current_database())))
            select distinct name || ' = ' || value from s
            where name = 'synchronous_commit' and value not in ('on', 'remote_apply')
               or name in ('fsync', 'full_page_writes') and value <> 'on' and (select kind from installation) <> 'test'
            order by 1
            """)).AsList();
        if (wrong.Count > 0)
        {
            var settings = string.Join(", ", wrong);
            faults.Found(Fault, $"commits are not durable: {settings}", isFatal: true);
            NotDurable(settings);
        }
        else if (faults.Mended(Fault))
        {
            Durable();
        }
    }

    [LoggerMessage(3020, LogLevel.Critical, "The database does not keep what it confirms ({Settings}): this node is not ready until that is mended.")]
    private partial void NotDurable(string settings);

    [LoggerMessage(3021, LogLevel.Information, "The database keeps what it confirms again.")]
    private partial void Durable();
}
