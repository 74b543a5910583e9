using Gateway.Database;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace Gateway.Scheduling;

/// <summary>Works off what is due, a turn after the other: woken by what the database tells, with the clock as safety net. Whatever interrupts it is told, and it goes on.</summary>
/// <param name="channel">What the database notifies.</param>
/// <param name="checkEvery">How long it waits at most before it looks again.</param>
public abstract class ListeningWorker(GatewayDatabase database, string channel, TimeSpan checkEvery) : BackgroundService
{
    /// <returns>False when nothing is due.</returns>
    protected abstract Task<bool> TurnAsync(CancellationToken ct);

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
            while (await TurnAsync(ct))
            {
            }
            await connection.WaitAsync(checkEvery, ct);
        }
    }
}
