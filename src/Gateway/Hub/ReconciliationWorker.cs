using Gateway.Database;
using Gateway.Delivery;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Hub;

/// <summary>Compares what markets hold with what we believe they hold, one lot at a time. Woken by whoever asks for it, with the clock as safety net.</summary>
internal sealed partial class ReconciliationWorker(GatewayDatabase database, ReconcileLot turn, IOptions<DeliveryOptions> options, ILogger<ReconciliationWorker> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
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
                // Whatever it was, it is told; nothing is half done, and the clock goes on.
                Interrupted(e);
                await Task.Delay(options.Value.CheckEvery, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task ListenAsync(CancellationToken ct)
    {
        await using var connection = await database.OpenSessionAsync(ct);
        await using (var listen = new NpgsqlCommand("listen hub_reconciliation_due", connection))
        {
            await listen.ExecuteNonQueryAsync(ct);
        }
        while (true)
        {
            while (await turn.RunAsync(ct))
            {
            }
            await connection.WaitAsync(options.Value.CheckEvery, ct);
        }
    }

    [LoggerMessage(2040, LogLevel.Error, "Comparing what the hub's markets hold was interrupted and will go on by itself.")]
    private partial void Interrupted(Exception e);
}
