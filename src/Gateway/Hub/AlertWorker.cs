using Gateway.Delivery;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gateway.Hub;

/// <summary>Fetches alerts of hubs and looks for their causes, by the clock.</summary>
internal sealed partial class AlertWorker(FetchAlerts fetch, MatchAlerts match, IOptions<DeliveryOptions> options, ILogger<AlertWorker> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            // What keeps one of them from its work keeps not the other.
            foreach (var turn in (Func<CancellationToken, Task<bool>>[])[fetch.RunAsync, match.RunAsync])
            {
                try
                {
                    while (await turn(stoppingToken))
                    {
                    }
                }
                catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
                {
                    return;
                }
                catch (Exception e)
                {
                    Interrupted(e);
                }
            }
            await Task.Delay(options.Value.CheckEvery, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(2024, LogLevel.Error, "The hub's alerts were not all taken in or looked into; that goes on by itself.")]
    private partial void Interrupted(Exception e);
}
