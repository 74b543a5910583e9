using Dapper;
using Gateway.Database;
using Npgsql;

namespace Gateway.Scheduling;

/// <summary>A chore's place in the clock that all nodes share.</summary>
public sealed record ChoreTime(string Chore, string State, DateTime? Last, DateTime? Next);

/// <summary>A node that takes part in the clock.</summary>
public sealed record NodeTime(string Node, DateTime LastSeen);

/// <summary>The clock's own rows, for reading.</summary>
public sealed class ClockState(GatewayDatabase database)
{
    // Ticks of 100 ns since the year 1; zero and null mean never.
    private const string Time = "to_timestamp((nullif({0}, 0) - 621355968000000000) / 1e7)";

    public async Task<IReadOnlyList<ChoreTime>> ChoresAsync(CancellationToken ct)
    {
        await using var connection = await database.Source.OpenConnectionAsync(ct);
        return (await connection.QueryAsync<ChoreTime>(new CommandDefinition($"""
            select job_name as Chore, lower(trigger_state) as State, {string.Format(null, Time, "prev_fire_time")} as Last, {string.Format(null, Time, "next_fire_time")} as Next
            from quartz.qrtz_triggers where sched_name = @Scheduler order by job_name
            """, new { ChoreClock.Scheduler }, cancellationToken: ct))).AsList();
    }

    /// <summary>Chores whose time has passed by more than this, whatever the scheduler says of itself.</summary>
    internal static async Task<IReadOnlyList<(string Chore, string State, TimeSpan By)>> OverdueAsync(NpgsqlConnection connection, TimeSpan after, CancellationToken ct) =>
        // Quartz goes by the wall clock, in ticks of 100 ns since the year 1.
        (await connection.QueryAsync<(string, string, TimeSpan)>(new CommandDefinition("""
            select job_name, trigger_state, clock_timestamp() - due from quartz.qrtz_triggers,
                lateral (select to_timestamp((next_fire_time - 621355968000000000) / 1e7) as due) t
            where sched_name = @Scheduler and clock_timestamp() - due > @after order by 1
            """, new { ChoreClock.Scheduler, after }, cancellationToken: ct))).AsList();

    public async Task<IReadOnlyList<NodeTime>> NodesAsync(CancellationToken ct)
    {
        await using var connection = await database.Source.OpenConnectionAsync(ct);
        return (await connection.QueryAsync<NodeTime>(new CommandDefinition($"""
            select instance_name as Node, {string.Format(null, Time, "last_checkin_time")} as LastSeen
            from quartz.qrtz_scheduler_state where sched_name = @Scheduler order by instance_name
            """, new { ChoreClock.Scheduler }, cancellationToken: ct))).AsList();
    }
}
