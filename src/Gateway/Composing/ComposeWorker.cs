using Gateway.Database;
using Gateway.Delivery;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Composing;

/// <summary>Composes what is due, one document at a time. Woken by what wakes the deliveries, with the clock as safety net.</summary>
internal sealed partial class ComposeWorker(GatewayDatabase database, ComposeOne turn, IOptions<DeliveryOptions> options, ILogger<ComposeWorker> logger) : BackgroundService
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
                // Whatever it was, it is told; the leases run out, and the clock goes on.
                Interrupted(e);
                await Task.Delay(options.Value.CheckEvery, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task ListenAsync(CancellationToken ct)
    {
        await using var connection = await database.OpenSessionAsync(ct);
        await using (var listen = new NpgsqlCommand("listen delivery_due", connection))
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

    [LoggerMessage(2014, LogLevel.Error, "Composing was interrupted and will go on by itself.")]
    private partial void Interrupted(Exception e);
}
