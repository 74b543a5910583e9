using Gateway.Database;
using Gateway.Delivery;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Hub;

/// <summary>Hears what events say of packs, and writes what is to be told to hubs, one message at a time. Woken by what is released, with the clock as safety net.</summary>
internal sealed partial class HubWorker(GatewayDatabase database, HoldRecalled holds, HearStates states, ComposePackData packs, ComposeOrder orders, IOptions<DeliveryOptions> options, ILogger<HubWorker> logger) : BackgroundService
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
        await using (var listen = new NpgsqlCommand("listen hub_due", connection))
        {
            await listen.ExecuteNonQueryAsync(ct);
        }
        while (true)
        {
            while (await holds.RunAsync(ct) | await states.RunAsync(ct) | await packs.RunAsync(ct) | await orders.RunAsync(ct))
            {
            }
            await connection.WaitAsync(options.Value.CheckEvery, ct);
        }
    }

    [LoggerMessage(2020, LogLevel.Error, "Writing messages to the hub was interrupted and will go on by itself.")]
    private partial void Interrupted(Exception e);
}
