using Gateway.Database;
using Gateway.Delivery;
using Gateway.Scheduling;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gateway.Hub;

/// <summary>Hears what events say of packs, holds what is recalled and tells who has it, and writes what is to be told to hubs, one message at a time. Woken by what is released, asked for or captured.</summary>
internal sealed partial class HubWorker(GatewayDatabase database, HoldRecalled holds, TellHolders holders, HearStates states, ComposePackData packs, ComposeOrder orders, IOptions<DeliveryOptions> options, ILogger<HubWorker> logger)
    : ListeningWorker(database, "hub_due", options.Value.CheckEvery)
{
    protected override async Task<bool> TurnAsync(CancellationToken ct) => await holds.RunAsync(ct) | await holders.RunAsync(ct) | await states.RunAsync(ct) | await packs.RunAsync(ct) | await orders.RunAsync(ct);

    protected override void Tell(Exception interruption) => Interrupted(interruption);

    [LoggerMessage(2020, LogLevel.Error, "Writing messages to the hub was interrupted and will go on by itself.")]
    private partial void Interrupted(Exception e);
}
