using Microsoft.Extensions.Hosting;

namespace Gateway.Scheduling;

/// <summary>Runs each chore of the node itself by a plain timer; a chore never overlaps itself.</summary>
internal sealed class NodeClock(RunChore run, IEnumerable<ChoreRegistration> chores) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(chores.Where(c => c.OnEveryNode).Select(chore => KeepAsync(chore, stoppingToken)));

    private async Task KeepAsync(ChoreRegistration chore, CancellationToken ct)
    {
        using var timer = new PeriodicTimer(chore.Every);
        try
        {
            while (chore.AtStart || await timer.WaitForNextTickAsync(ct))
            {
                await run.RunAsync(chore.Name, ct);
                chore = chore with { AtStart = false };
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The host stops.
        }
    }
}
