using Gateway.Database;
using Gateway.Delivery;
using Gateway.Scheduling;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gateway.Hub;

/// <summary>Fetches alerts of hubs and looks for their causes, by the clock and when something of a hub changes.</summary>
internal sealed partial class AlertWorker(GatewayDatabase database, FetchAlerts alerts, MatchAlerts causes, IOptions<DeliveryOptions> options, ILogger<AlertWorker> logger)
    : ListeningWorker(database, "hub_due", options.Value.CheckEvery, alerts.RunAsync, causes.RunAsync)
{
    protected override void Tell(Exception interruption) => Interrupted(interruption);

    [LoggerMessage(2024, LogLevel.Error, "The hub's alerts were not all taken in or looked into; that goes on by itself.")]
    private partial void Interrupted(Exception e);
}
