using Gateway.Database;
using Gateway.Delivery;
using Gateway.Scheduling;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gateway.Hub;

/// <summary>Hears what events say of packs, holds what is recalled and tells who has it, and writes what is to be told to hubs, one message at a time. Woken by what is released, asked for or captured.</summary>
internal sealed partial class HubWorker(GatewayDatabase database, HoldRecalled holds, TellHolders holders, HearStates states, ComposePackData packs, ComposeOrder orders, IOptions<DeliveryOptions> options, ILogger<HubWorker> logger)
    : ListeningWorker(database, "hub_due", options.Value.CheckEvery, holds.RunAsync, holders.RunAsync, states.RunAsync, packs.RunAsync, orders.RunAsync)
{
    protected override void Tell(Exception interruption) => Interrupted(interruption);

    [LoggerMessage(2020, LogLevel.Error, "Writing messages to the hub was interrupted and will go on by itself.")]
    private partial void Interrupted(Exception e);
}
