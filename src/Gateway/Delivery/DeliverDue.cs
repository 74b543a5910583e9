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

    // Of all that was under way when the process died, of whichever partner, one may be why. One after the other, only that one dies again.
    private readonly SemaphoreSlim _suspect = new(1);

    /// <param name="woken">Says that there may be more to claim, so that what has just fallen due does not wait for a slow request of another lane.</param>
    /// <returns>How many attempts and questions were made.</returns>
    public async Task<int> RunAsync(int partnerId, CancellationToken ct, ChannelReader<bool>? woken = null)
    {
        using var line = new PartnerLine(_node, options.Value.MaxInFlightPerPartner);
        var turn = new Turn(partnerId, line);
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
            if (turn.IsLeftAlone)
            {
                await queue.ReleaseAsync(turn.GiveUp());
            }
            else if (turn.Waiting.Count == 0)
            {
                turn.Take(await queue.ClaimAsync(turn.PartnerId, options.Value.BatchSize, ct));
            }
            while (MayBegin(turn) && turn.Waiting.TryDequeue(out var next))
            {
                turn.Begin(next, SendAsync(turn, next, ct));
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
                wake = MayBegin(turn) ? woken.WaitToReadAsync(ct).AsTask() : null;
                continue;
            }
            turn.Sending.Remove(first);
            wake ??= woken?.WaitToReadAsync(ct).AsTask();
        }
    }

    // What a partner has taken is recorded beside its next requests, and as many again may wait for that.
    private bool MayBegin(Turn turn) => turn.Sending.Count == 0
        || turn.Sending.Count < 2 * options.Value.MaxInFlightPerPartner && !deliver.GoesAlone(turn.Last!) && !(turn.Waiting.TryPeek(out var next) && deliver.GoesAlone(next));

    private async Task SendAsync(Turn turn, ClaimedDelivery delivery, CancellationToken ct)
    {
        if (!delivery.HasCrashed)
        {
            await SendNowAsync(turn, delivery, ct);
            return;
        }
        await _suspect.WaitAsync(ct);
        try
        {
            await SendNowAsync(turn, delivery, ct);
        }
        finally
        {
            _suspect.Release();
        }
    }

    private async Task SendNowAsync(Turn turn, ClaimedDelivery delivery, CancellationToken ct)
    {
        using var place = await turn.Line.EnterAsync(ct);
        if (turn.IsLeftAlone)
        {
            await queue.ReleaseAsync([delivery]);
        }
        else
        {
            var outcome = await (delivery.IsReceipt ? deliver.AskReceiptAsync(delivery, ct) : deliver.AttemptAsync(delivery, place, ct));
            turn.IsLeftAlone |= outcome?.Opened is not null;
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

    public void Dispose()
    {
        _node.Dispose();
        _suspect.Dispose();
    }

    [LoggerMessage(2008, LogLevel.Warning, "The leases of partner {PartnerId}'s deliveries could not be renewed; it is tried again.")]
    private partial void NotRenewed(Exception e, int partnerId);

    private sealed class Turn(int partnerId, PartnerLine line)
    {
        private readonly Dictionary<Guid, ClaimedDelivery> _held = [];
        private volatile bool _isLeftAlone;

        public int PartnerId { get; } = partnerId;
        public PartnerLine Line { get; } = line;
        public int Count { get; private set; }

        /// <summary>The partner has failed so often in this turn that it is left alone: what was claimed and not begun is not tried.</summary>
        public bool IsLeftAlone { get => _isLeftAlone; set => _isLeftAlone = value; }

        public Queue<ClaimedDelivery> Waiting { get; } = new();
        public List<Task> Sending { get; } = [];

        /// <summary>What was begun last.</summary>
        public ClaimedDelivery? Last { get; private set; }

        public void Begin(ClaimedDelivery delivery, Task sending)
        {
            Last = delivery;
            Sending.Add(sending);
        }

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

        /// <returns>What was waiting.</returns>
        public List<ClaimedDelivery> GiveUp()
        {
            List<ClaimedDelivery> waiting = [.. Waiting];
            Waiting.Clear();
            waiting.ForEach(End);
            return waiting;
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
