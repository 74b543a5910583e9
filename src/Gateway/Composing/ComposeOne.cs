using Gateway.Database;
using Gateway.Delivery;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Composing;

/// <summary>
/// One turn: claims a delivery that has no document yet, composes it into a file, and stores that with the delivery in one transaction. A crash
/// anywhere before leaves nothing: the delivery is claimed anew, and its document has the same name.
/// </summary>
internal sealed partial class ComposeOne(ComposeQueue queue, ComposeDocument compose, IOptions<DeliveryOptions> options, TimeProvider time, ILogger<ComposeOne> log)
{
    /// <returns>False when nothing is to be composed now.</returns>
    public async Task<bool> RunAsync(CancellationToken ct)
    {
        if (await queue.ClaimAsync(ct) is not { } claimed)
        {
            return false;
        }
        using var working = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var beat = BeatAsync(claimed, working);
        try
        {
            await using var spool = SpoolFile.Open();
            var composition = await compose.ComposeAsync(claimed, spool, working.Token);
            var isMine = composition switch
            {
                { Content: { } content } => await queue.CompleteAsync(claimed, spool, composition.Sha256, content, working.Token),
                { Parts.Count: > 0 } => await queue.DivideAsync(claimed, composition.Parts),
                { IsNothing: true } when await queue.CloseAsync(claimed) => true,
                _ => await queue.HoldAsync(claimed, composition.Findings),
            };
            if (!isMine)
            {
                LeaseLost(claimed.DeliveryId);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            await queue.ReleaseAsync(claimed);
            throw;
        }
        catch (OperationCanceledException)
        {
            LeaseLost(claimed.DeliveryId);
        }
        catch (Exception e) when (DatabaseFault.IsOutage(e))
        {
            // The lease runs out, and another turn composes it.
            throw;
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected)
        {
            await queue.ReleaseAsync(claimed);
        }
        catch (Exception e)
        {
            Failed(e, claimed.DeliveryId);
            await queue.HoldAsync(claimed, [new ComposeFinding("compose.invalid", "", "Composing ended with a fault of the gateway's own; the log tells it.")]);
        }
        finally
        {
            await working.CancelAsync();
            await beat;
        }
        return true;
    }

    /// <summary>Renews at a third of the lease; ends the work when the lease is lost.</summary>
    private async Task BeatAsync(ClaimedComposition claimed, CancellationTokenSource working)
    {
        using var timer = new PeriodicTimer(options.Value.LeaseTime / 3, time);
        try
        {
            while (await timer.WaitForNextTickAsync(working.Token))
            {
                try
                {
                    if (!await queue.RenewAsync(claimed, working.Token))
                    {
                        await working.CancelAsync();
                    }
                }
                catch (Exception e) when (!working.IsCancellationRequested)
                {
                    NotRenewed(e, claimed.DeliveryId);
                }
            }
        }
        catch (Exception) when (working.IsCancellationRequested)
        {
            // The work has ended, or the lease has; a renewal cut short by that is no fault.
        }
    }

    [LoggerMessage(2011, LogLevel.Warning, "The document of delivery {DeliveryId} is composed by another worker; what was done here is dropped.")]
    private partial void LeaseLost(long deliveryId);

    [LoggerMessage(2012, LogLevel.Error, "The document of delivery {DeliveryId} could not be composed; it is tried again.")]
    private partial void Failed(Exception e, long deliveryId);

    [LoggerMessage(2013, LogLevel.Warning, "The lease of delivery {DeliveryId} could not be renewed while its document is composed; it is tried again.")]
    private partial void NotRenewed(Exception e, long deliveryId);
}
