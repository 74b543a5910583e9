using Gateway.Database;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace Gateway.Scheduling;

/// <summary>Works off what is due, a turn after the other: woken by what the database tells, with the clock as safety net. Whatever interrupts it is told, and it goes on.</summary>
/// <param name="channel">What the database notifies.</param>
/// <param name="checkEvery">How long it waits at most before it looks again.</param>
/// <param name="turns">Each does one thing, and says whether there was something to do. What keeps one of them from its work does not keep the others.</param>
public abstract class ListeningWorker(GatewayDatabase database, string channel, TimeSpan checkEvery, params IReadOnlyList<Func<CancellationToken, Task<bool>>> turns) : BackgroundService
{
    /// <summary>Tells what has interrupted it: nothing is half done, leases run out, and the clock goes on.</summary>
    protected abstract void Tell(Exception interruption);

    protected sealed override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await ListenAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e)
            {
                Tell(e);
                await Task.Delay(checkEvery, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task ListenAsync(CancellationToken ct)
    {
        await using var connection = await database.OpenSessionAsync(ct);
        await using (var listen = new NpgsqlCommand($"listen {channel}", connection))
        {
            await listen.ExecuteNonQueryAsync(ct);
        }
        while (true)
        {
            await WorkAsync(ct);
            await connection.WaitAsync(checkEvery, ct);
        }
    }

    /// <summary>Until nothing is due, but for what a turn that was interrupted has left: it has its next turn after the wait.</summary>
    private async Task WorkAsync(CancellationToken ct)
    {
        var (able, isAway) = (turns.ToList(), false);
        for (var isDue = true; isDue;)
        {
            isDue = false;
            foreach (var turn in able.ToArray())
            {
                try
                {
                    isDue |= await turn(ct);
                }
                catch (Exception e) when (!ct.IsCancellationRequested)
                {
                    able.Remove(turn);
                    if (!isAway)
                    {
                        Tell(e);
                    }
                    isAway |= DatabaseFault.IsOutage(e); // the same for all turns
                }
            }
        }
    }
}
