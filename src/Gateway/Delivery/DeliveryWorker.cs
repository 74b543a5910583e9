using System.Collections.Concurrent;
using System.Globalization;
using Gateway.Database;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Delivery;

/// <summary>Woken by NOTIFY, with the clock as safety net; a loop per partner with due rows.</summary>
public sealed partial class DeliveryWorker(GatewayDatabase database, DeliveryQueue queue, DeliverDue turn, IOptions<DeliveryOptions> options, ILogger<DeliveryWorker> logger) : BackgroundService
{
    private readonly ConcurrentDictionary<int, Task> _loops = new();

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
            catch (Exception e) when (e is NpgsqlException or CommitUnknownException or IOException)
            {
                Interrupted(e);
                await Task.Delay(options.Value.CheckEvery, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        await Task.WhenAll(_loops.Values);
    }

    private async Task ListenAsync(CancellationToken ct)
    {
        await using var connection = await database.Source.OpenConnectionAsync(ct);
        connection.Notification += (_, e) => Start(int.Parse(e.Payload, CultureInfo.InvariantCulture), ct);
        await using (var listen = new NpgsqlCommand("listen delivery_due", connection))
        {
            await listen.ExecuteNonQueryAsync(ct);
        }
        while (true)
        {
            foreach (var partnerId in await queue.PartnersWithDueRowsAsync(ct))
            {
                Start(partnerId, ct);
            }
            await connection.WaitAsync(options.Value.CheckEvery, ct);
        }
    }

    private void Start(int partnerId, CancellationToken ct) =>
        _loops.AddOrUpdate(partnerId, _ => Task.Run(() => LoopAsync(partnerId, ct), CancellationToken.None),
            (_, running) => running.IsCompleted ? Task.Run(() => LoopAsync(partnerId, ct), CancellationToken.None) : running);

    private async Task LoopAsync(int partnerId, CancellationToken ct)
    {
        try
        {
            while (await turn.RunAsync(partnerId, ct) > 0)
            {
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // Stopping; leases were given back.
        }
        catch (Exception e)
        {
            // Whatever it was, it is told; the leases run out, and the clock starts this partner again.
            Interrupted(e);
        }
    }

    [LoggerMessage(2003, LogLevel.Error, "Delivery was interrupted and will go on by itself.")]
    private partial void Interrupted(Exception e);
}
