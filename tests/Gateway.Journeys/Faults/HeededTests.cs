using Gateway.TestSupport;

namespace Gateway.Journeys.Faults;

/// <summary>What is decided while documents wait for their turn is heeded by all whose turn has not come.</summary>
public sealed class HeededTests
{
    [Fact]
    public async Task What_waits_for_its_turn_is_not_intended_and_a_pause_stops_it()
    {
        await using var outbox = await Outbox.CreateAsync();
        var (release, arrived) = (new TaskCompletionSource(), 0);
        await using var partner = await ScriptedPartner.StartAsync(async (_, _) =>
        {
            if (Interlocked.Increment(ref arrived) > 4)
            {
                await release.Task;
            }
            return 200;
        });
        await outbox.AddAsync(await outbox.AddPartnerAsync(partner.Url), 20, 1);
        var worker = await Outbox.WorkAsync(outbox.Node(("MaxInFlight", "10"), ("MaxInFlightPerPartner", "2")));
        await Eventually.TrueAsync(async () => partner.InFlight == 2 && await outbox.CountAsync("state = 'delivered'") == 4);
        await Task.Delay(300, TestContext.Current.CancellationToken);
        Assert.Equal((2, 2L), (partner.InFlight, await outbox.Database.ScalarAsync<long>("select count(*) from attempt where ended_at is null")));

        await outbox.Database.ExecuteAsync("do $$ begin perform set_config('app.actor', 'test', false); end $$; update partner set state = 'paused', pause_reason = 'test'");
        release.SetResult();
        await Eventually.TrueAsync(async () => await outbox.CountAsync("lease_token is not null") == 0);
        Assert.Equal((6, 6L), (Volatile.Read(ref arrived), await outbox.CountAsync("state = 'delivered'")));
        Assert.Equal(14, await outbox.CountAsync("state = 'due' and attempts = 0"));
        await worker.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task What_was_claimed_before_the_partner_was_left_alone_is_given_back_untried()
    {
        await using var outbox = await Outbox.CreateAsync();
        await using var partner = await ScriptedPartner.StartAsync((_, _) => Task.FromResult(503));
        await outbox.AddAsync(await outbox.AddPartnerAsync(partner.Url), 60, 1);
        var worker = await Outbox.WorkAsync(outbox.Node(("MaxInFlight", "10"), ("MaxInFlightPerPartner", "2")));
        await Eventually.TrueAsync(async () => await outbox.Database.ScalarAsync<long>("select count(*) from breaker where opened > 0") == 1 && await outbox.CountAsync("lease_token is not null") == 0);
        await Task.Delay(300, TestContext.Current.CancellationToken);

        // Five open it, and one more may have been under way.
        Assert.InRange(partner.Arrivals.Count, 5, 6);
        Assert.Equal(60 - partner.Arrivals.Count, await outbox.CountAsync("state = 'due' and attempts = 0"));
        await worker.StopAsync(CancellationToken.None);
    }
}
