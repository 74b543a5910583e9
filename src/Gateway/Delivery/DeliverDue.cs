using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gateway.Delivery;

/// <summary>
/// One partner's turn: as long as there is something to claim, as many requests at once as the partner is allowed. The host keeps a
/// loop per partner, and no partner is allowed more than a fifth of the node's requests, so a slow one delays only itself.
/// </summary>
public sealed partial class DeliverDue(DeliveryQueue queue, DeliverOne deliver, IOptions<DeliveryOptions> options, TimeProvider time, ILogger<DeliverDue> log) : IDisposable
{
    private readonly SemaphoreSlim _node = new(options.Value.MaxInFlight);

    /// <param name="woken">Says that there may be more to claim, so that what has just fallen due does not wait for a slow request of another lane.</param>
    /// <returns>How many attempts and questions were made.</returns>
    public async Task<int> RunAsync(int partnerId, CancellationToken ct, ChannelReader<bool>? woken = null)
    {
        var turn = new Turn(partnerId);
        using var done = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var renewing = RenewAsync(turn, done.Token);
        try
        {
            await DrainAsync(turn, woken, done.Token);
        }
        finally
        {
            // Whatever ended the turn, what is being sent ends under its lease and has its outcome recorded.
            await Task.WhenAll(turn.Sending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await done.CancelAsync();
            await renewing;
            await queue.ReleaseAsync(turn.Held());
        }
        return turn.Count;
    }

    private async Task DrainAsync(Turn turn, ChannelReader<bool>? woken, CancellationToken ct)
    {
        var wake = woken?.WaitToReadAsync(ct).AsTask();
        while (true)
        {
            if (turn.Waiting.Count == 0)
            {
                turn.Take(await queue.ClaimAsync(turn.PartnerId, options.Value.BatchSize, ct));
            }
            while (turn.Sending.Count < AtOnce(turn) && turn.Waiting.TryDequeue(out var next))
            {
                turn.Sending.Add(SendAsync(turn, next, ct));
            }
            if (turn.Sending.Count == 0)
            {
                return;
            }
            var first = await Task.WhenAny(wake is null ? turn.Sending : [.. turn.Sending, wake]);
            await first; // what nobody expected ends the turn
            if (first == wake)
            {
                while (woken!.TryRead(out _))
                {
                }
                // Nothing more can be begun before a request ends, so nothing more is claimed either.
                wake = turn.Sending.Count < options.Value.MaxInFlightPerPartner ? woken.WaitToReadAsync(ct).AsTask() : null;
                continue;
            }
            turn.Sending.Remove(first);
            wake ??= woken?.WaitToReadAsync(ct).AsTask();
        }
    }

    private int AtOnce(Turn turn) => turn.Waiting.TryPeek(out var next) && deliver.GoesAlone(next) ? 1 : options.Value.MaxInFlightPerPartner;

    private async Task SendAsync(Turn turn, ClaimedDelivery delivery, CancellationToken ct)
    {
        await _node.WaitAsync(ct);
        try
        {
            await (delivery.IsReceipt ? deliver.AskReceiptAsync(delivery, ct) : deliver.AttemptAsync(delivery, ct));
        }
        finally
        {
            _node.Release();
        }
        turn.End(delivery);
    }

    private async Task RenewAsync(Turn turn, CancellationToken done)
    {
        using var timer = new PeriodicTimer(options.Value.LeaseTime / 3, time);
        try
        {
            while (await timer.WaitForNextTickAsync(done))
            {
                try
                {
                    await queue.RenewAsync(turn.Held(), done);
                }
                catch (Exception e) when (!done.IsCancellationRequested)
                {
                    // A third of the lease is gone, not the lease: one lost connection must not end the renewing for the rest of the turn.
                    NotRenewed(e, turn.PartnerId);
                }
            }
        }
        catch (Exception) when (done.IsCancellationRequested)
        {
            // The turn has ended; a renewal cut short by that is no fault.
        }
    }

    public void Dispose() => _node.Dispose();

    [LoggerMessage(2008, LogLevel.Warning, "The leases of partner {PartnerId}'s deliveries could not be renewed; it is tried again.")]
    private partial void NotRenewed(Exception e, int partnerId);

    private sealed class Turn(int partnerId)
    {
        private readonly Dictionary<Guid, ClaimedDelivery> _held = [];

        public int PartnerId { get; } = partnerId;
        public int Count { get; private set; }
        public Queue<ClaimedDelivery> Waiting { get; } = new();
        public List<Task> Sending { get; } = [];

        public void Take(IReadOnlyList<ClaimedDelivery> claimed)
        {
            Count += claimed.Count;
            lock (_held)
            {
                foreach (var delivery in claimed)
                {
                    _held.Add(delivery.LeaseToken, delivery);
                    Waiting.Enqueue(delivery);
                }
            }
        }

        public void End(ClaimedDelivery delivery)
        {
            lock (_held)
            {
                _held.Remove(delivery.LeaseToken);
            }
        }

        /// <summary>What is leased: waiting or being sent.</summary>
        public IReadOnlyList<ClaimedDelivery> Held()
        {
            lock (_held)
            {
                return [.. _held.Values];
            }
        }
    }
}
