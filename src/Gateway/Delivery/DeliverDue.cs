using Microsoft.Extensions.Options;

namespace Gateway.Delivery;

/// <summary>One partner's turn. The host keeps a loop per partner with due rows, so a slow one delays only itself.</summary>
public sealed class DeliverDue(DeliveryQueue queue, DeliverOne deliver, IOptions<DeliveryOptions> options, TimeProvider time)
{
    public async Task<int> RunAsync(int partnerId, CancellationToken ct)
    {
        var receipts = await queue.ClaimReceiptsAsync(partnerId, options.Value.BatchSize, ct);
        await SideBySideAsync(receipts, deliver.AskReceiptAsync, ct);
        var due = await queue.ClaimDueAsync(partnerId, options.Value.BatchSize, ct);
        await SideBySideAsync(due, deliver.AttemptAsync, ct);
        return receipts.Count + due.Count;
    }

    private async Task SideBySideAsync(IReadOnlyList<ClaimedDelivery> claimed, Func<ClaimedDelivery, CancellationToken, Task> send, CancellationToken ct)
    {
        if (claimed.Count == 0)
        {
            return;
        }
        using var done = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var renewing = RenewAsync(claimed, done.Token);
        try
        {
            await Parallel.ForEachAsync(claimed, new ParallelOptions { MaxDegreeOfParallelism = options.Value.MaxInFlightPerPartner, CancellationToken = ct }, async (d, token) => await send(d, token));
        }
        finally
        {
            await done.CancelAsync();
            await renewing;
            await queue.ReleaseAsync(claimed);
        }
    }

    private async Task RenewAsync(IReadOnlyList<ClaimedDelivery> claimed, CancellationToken done)
    {
        using var timer = new PeriodicTimer(options.Value.LeaseTime / 3, time);
        try
        {
            while (await timer.WaitForNextTickAsync(done))
            {
                await queue.RenewAsync(claimed, done);
            }
        }
        catch (OperationCanceledException) when (done.IsCancellationRequested)
        {
            // The turn has ended.
        }
    }
}
