using System.Collections.Concurrent;
using System.Globalization;
using System.Threading.Channels;
using Gateway.Database;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Delivery;

/// <summary>Woken by NOTIFY, with the clock as safety net; a loop per partner with due rows.</summary>
public sealed partial class DeliveryWorker(GatewayDatabase database, DeliveryQueue queue, DeliverDue turn, IOptions<DeliveryOptions> options, ILogger<DeliveryWorker> logger) : BackgroundService
{
    // One loop per partner that ever had a due row; a partner's signal is kept while its loop is busy, so no wake-up is lost.
    private readonly ConcurrentDictionary<int, Lazy<(Channel<bool> Woken, Task Loop)>> _partners = new();

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
        await Task.WhenAll(_partners.Values.Select(p => p.Value.Loop));
        _partners.Clear(); // a worker that is started again begins with loops of its own
    }

    private async Task ListenAsync(CancellationToken ct)
    {
        await using var connection = await database.OpenSessionAsync(ct);
        connection.Notification += (_, e) => Wake(int.Parse(e.Payload, CultureInfo.InvariantCulture), ct);
        await using (var listen = new NpgsqlCommand("listen delivery_due", connection))
        {
            await listen.ExecuteNonQueryAsync(ct);
        }
        while (true)
        {
            foreach (var partnerId in await queue.PartnersWithDueRowsAsync(ct))
            {
                Wake(partnerId, ct);
            }
            await connection.WaitAsync(options.Value.CheckEvery, ct);
        }
    }

    private void Wake(int partnerId, CancellationToken ct) => _partners.GetOrAdd(partnerId, id => new(() =>
    {
        var woken = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        return (woken, Task.Run(() => LoopAsync(id, woken.Reader, ct), CancellationToken.None));
    })).Value.Woken.Writer.TryWrite(true);

    private async Task LoopAsync(int partnerId, ChannelReader<bool> woken, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await woken.ReadAsync(ct);
                await turn.RunAsync(partnerId, ct, woken);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                // Stopping; leases were given back.
            }
            catch (Exception e)
            {
                // Whatever it was, it is told; the leases run out, and the clock wakes this loop again.
                Interrupted(e);
            }
        }
    }

    [LoggerMessage(2003, LogLevel.Error, "Delivery was interrupted and will go on by itself.")]
    private partial void Interrupted(Exception e);
}
