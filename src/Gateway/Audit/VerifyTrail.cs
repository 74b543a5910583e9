using Gateway.Access;
using Gateway.Scheduling;
using Microsoft.Extensions.Logging;

namespace Gateway.Audit;

/// <summary>Once a day, on each node so that each tells it, the whole trail and the original documents are compared with what was sealed; what differs is told until it is not found any more.</summary>
internal sealed partial class VerifyTrail(CheckTrail check, NodeFaults faults, ILogger<VerifyTrail> log) : IChore
{
    private const string What = "verified trail";

    public async Task RunAsync(CancellationToken ct)
    {
        var found = await check.RunAsync(Actor.System("verifier"), _ => Task.CompletedTask, ct);
        if (found.Fault is { } fault)
        {
            faults.Found(What, $"The audit trail is not what was sealed. {fault}", isFatal: false);
            Differs(fault);
        }
        else
        {
            faults.Mended(What);
            IsSound(found.Leaves, found.Documents);
        }
    }

    [LoggerMessage(1704, LogLevel.Critical, "The audit trail is not what was sealed: {Fault} A person has to look.")]
    private partial void Differs(string fault);

    [LoggerMessage(1705, LogLevel.Information, "{Leaves} leaves of the audit trail and {Documents} original documents are as they were sealed.")]
    private partial void IsSound(long leaves, long documents);
}
