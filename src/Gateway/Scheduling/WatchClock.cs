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
    /// <summary>Under which a clock that stands still is a fault of the node.</summary>
    internal const string Fault = "clock";

    public async Task RunAsync(CancellationToken ct)
    {
        await using var connection = await database.Source.OpenConnectionAsync(ct);
        var overdue = await ClockState.OverdueAsync(connection, options.Value.OverdueAfter, ct);
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
