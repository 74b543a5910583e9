using Gateway.Database;
using Gateway.Delivery;
using Gateway.Scheduling;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gateway.Composing;

/// <summary>Composes what is due, one document at a time. Woken by what wakes the deliveries.</summary>
internal sealed partial class ComposeWorker(GatewayDatabase database, ComposeOne turn, IOptions<DeliveryOptions> options, ILogger<ComposeWorker> logger)
    : ListeningWorker(database, "delivery_due", options.Value.CheckEvery, turn.RunAsync)
{
    protected override void Tell(Exception interruption) => Interrupted(interruption);

    [LoggerMessage(2014, LogLevel.Error, "Composing was interrupted and will go on by itself.")]
    private partial void Interrupted(Exception e);
}
