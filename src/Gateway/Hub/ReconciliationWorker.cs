using Gateway.Database;
using Gateway.Delivery;
using Gateway.Scheduling;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gateway.Hub;

/// <summary>Compares what markets hold with what we believe they hold, one lot at a time. Woken by whoever asks for it.</summary>
internal sealed partial class ReconciliationWorker(GatewayDatabase database, ReconcileLot lots, IOptions<DeliveryOptions> options, ILogger<ReconciliationWorker> logger)
    : ListeningWorker(database, "hub_reconciliation_due", options.Value.CheckEvery, lots.RunAsync)
{
    protected override void Tell(Exception interruption) => Interrupted(interruption);

    [LoggerMessage(2040, LogLevel.Error, "Comparing what the hub's markets hold was interrupted and will go on by itself.")]
    private partial void Interrupted(Exception e);
}
