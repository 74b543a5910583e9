using Dapper;
using Gateway.Database;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gateway.Scheduling;

/// <summary>
/// The watchdog. A trigger can stay acquired or blocked for ever after a lost connection or node, and nothing in the scheduler
/// says so; hence each node looks at the rows itself, without the scheduler.
/// </summary>
internal sealed partial class WatchClock(GatewayDatabase database, NodeFaults faults, IOptions<SchedulingOptions> options, ILogger<WatchClock> log) : IChore
{
    private const string Fault = "clock";

    public async Task RunAsync(CancellationToken ct)
    {
        await using var connection = await database.Source.OpenConnectionAsync(ct);
        // Quartz goes by the wall clock, in ticks of 100 ns since the year 1.
        var overdue = (await connection.QueryAsync<(string Chore, string State, TimeSpan By)>("""
            select job_name, trigger_state, clock_timestamp() - due from quartz.qrtz_triggers,
                lateral (select to_timestamp((next_fire_time - 621355968000000000) / 1e7) as due) t
            where sched_name = @Scheduler and clock_timestamp() - due > @OverdueAfter order by 1
            """, new { ChoreClock.Scheduler, options.Value.OverdueAfter })).AsList();
        foreach (var (chore, state, by) in overdue)
        {
            Overdue(chore, (int)by.TotalSeconds, state);
        }
        if (overdue.Count > 0)
        {
            faults.Found(Fault, $"overdue: {string.Join(", ", overdue.Select(o => o.Chore))}", isFatal: false);
        }
        else if (faults.Mended(Fault))
        {
            OnTime();
        }
    }

    [LoggerMessage(3010, LogLevel.Critical, "Chore {Chore} is overdue by {Seconds} s (state {State}): the clock stands still.")]
    private partial void Overdue(string chore, int seconds, string state);

    [LoggerMessage(3011, LogLevel.Information, "Every chore is on time again.")]
    private partial void OnTime();
}
