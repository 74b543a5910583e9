using Gateway.TestSupport;

namespace Gateway.Journeys.Faults;

// FT-15
public sealed class NoisyNeighbourTests
{
    [Fact]
    public async Task A_slow_partner_with_a_long_queue_delays_nobody_else()
    {
        await using var outbox = await Outbox.CreateAsync();
        var release = new TaskCompletionSource();
        var (most, all) = (0, 0);
        await using var slow = await ScriptedPartner.StartAsync(async (_, _) =>
        {
            InterlockedMax(ref most, Interlocked.Increment(ref all));
            await release.Task;
            Interlocked.Decrement(ref all);
            return 200;
        });
        await using var quick = await ScriptedPartner.StartAsync((_, _) => Task.FromResult(200));
        var (noisy, quiet) = (await outbox.AddPartnerAsync(slow.Url), await outbox.AddPartnerAsync(quick.Url));
        await outbox.AddAsync(noisy, 200, 1);
        var worker = await Outbox.WorkAsync(outbox.Node(("MaxInFlight", "10"), ("MaxInFlightPerPartner", "2")));
        await Eventually.TrueAsync(() => Task.FromResult(slow.InFlight == 2));
        await outbox.AddAsync(quiet, 50, 1);

        // All of the quiet partner's arrive before a single answer of the slow one.
        await Eventually.TrueAsync(async () => await outbox.CountAsync($"state = 'delivered' and partner_id = {quiet}") == 50);
        Assert.Empty(slow.Arrivals);
        Assert.Equal(2, slow.InFlight);

        release.SetResult();
        await Eventually.TrueAsync(async () => await outbox.CountAsync("state = 'due'") == 0);
        Assert.Equal(200, slow.Effects.Count);
        Assert.Equal(2, most); // a fifth of the node's ten, at every moment
        await worker.StopAsync(CancellationToken.None);
    }

    private static void InterlockedMax(ref int target, int value)
    {
        for (var seen = Volatile.Read(ref target); value > seen; seen = Volatile.Read(ref target))
        {
            Interlocked.CompareExchange(ref target, value, seen);
        }
    }
}
