using Gateway.Delivery;
using Gateway.Delivery.Channels;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Delivery;

/// <summary>Who may change a delivery, and when the gateway stops trying.</summary>
public sealed class LeaseTests
{
    private const string Rows = "select d::text || ' ' || coalesce((select string_agg(a::text, ' ' order by number) from attempt a), '') from delivery d";
    private static readonly ChannelAnswer Accepted = new(AnswerMeaning.Accepted, Verdict.Ok, "ok", 200);

    [Fact]
    public async Task A_stale_lease_token_completes_nothing()
    {
        await using var outbox = await Outbox.CreateAsync();
        var queue = outbox.Node().GetRequiredService<DeliveryQueue>();
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.org"), 1, 1);
        var stale = Assert.Single(await queue.ClaimAsync(1, 10, CancellationToken.None));
        var number = await queue.IntendAsync(stale);
        await outbox.Database.AdvanceAsync(TimeSpan.FromMinutes(5));
        var fresh = Assert.Single(await queue.ClaimAsync(1, 10, CancellationToken.None));
        var before = await outbox.Database.ScalarAsync<string>(Rows);

        Assert.Null(await queue.CompleteAsync(stale, number!.Number, Accepted));
        Assert.Null(await queue.CompleteReceiptAsync(stale, Accepted));
        Assert.Null(await queue.IntendAsync(stale));
        await queue.RenewAsync([stale], CancellationToken.None);
        await queue.ReleaseAsync([stale]);

        Assert.Equal(before, await outbox.Database.ScalarAsync<string>(Rows));
        var second = await queue.IntendAsync(fresh);
        Assert.Equal("delivered", (await queue.CompleteAsync(fresh, second!.Number, Accepted))!.State);
    }

    [Fact]
    public async Task One_renewal_that_fails_does_not_end_the_renewing_of_a_turn()
    {
        await using var outbox = await Outbox.CreateAsync();
        const string renewed = "select lease_until > gateway_now() from delivery";
        var isRenewed = false;
        await using var partner = await ScriptedPartner.StartAsync(async (_, _) =>
        {
            await outbox.Database.ExecuteAsync("revoke update on delivery from gateway_app; update delivery set lease_until = '2026-01-01'");
            await Task.Delay(2500); // two renewals are due, and refused
            await outbox.Database.ExecuteAsync("grant update on delivery to gateway_app");
            for (var tries = 0; tries < 150 && !isRenewed; tries++)
            {
                isRenewed = await outbox.Database.ScalarAsync<bool>(renewed);
                await Task.Delay(100);
            }
            return 200;
        });
        await outbox.AddAsync(await outbox.AddPartnerAsync(partner.Url), 1, 1);
        await Outbox.TurnAsync(outbox.Node(("LeaseTime", "00:00:03")));
        Assert.True(isRenewed);
        Assert.Equal(1, await outbox.CountAsync("state = 'delivered'"));
    }

    [Fact]
    public async Task Two_nodes_that_claim_at_once_never_hold_the_same_delivery()
    {
        await using var outbox = await Outbox.CreateAsync();
        var queues = Enumerable.Range(0, 3).Select(_ => outbox.Node().GetRequiredService<DeliveryQueue>()).ToList();
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.org"), 40, 2);
        var claimed = (await Task.WhenAll(queues.Select(q => Task.Run(() => q.ClaimAsync(1, 100, CancellationToken.None))))).SelectMany(c => c).ToList();
        Assert.Equal(40, claimed.Count); // the head of each lane
        Assert.Equal(40, claimed.Select(c => c.DeliveryId).Distinct().Count());
    }

    [Fact]
    public async Task A_delivery_that_takes_the_process_down_three_times_waits_for_a_person()
    {
        await using var outbox = await Outbox.CreateAsync();
        var queue = outbox.Node().GetRequiredService<DeliveryQueue>();
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.org"), 1, 2);
        for (var crash = 1; crash <= 3; crash++)
        {
            var claimed = Assert.Single(await queue.ClaimAsync(1, 10, CancellationToken.None));
            Assert.Equal(crash, (await queue.IntendAsync(claimed))!.Number); // and then nothing more is heard
            await outbox.Database.AdvanceAsync(TimeSpan.FromMinutes(5));
        }
        Assert.Empty(await queue.ClaimAsync(1, 10, CancellationToken.None)); // the lane waits for the decision about its head
        Assert.Equal("dead crashed 3", await outbox.Database.ScalarAsync<string>("select state || ' ' || dead_reason || ' ' || crashes from delivery order by delivery_id limit 1"));
        Assert.Equal(3, await outbox.Database.ScalarAsync<long>("select count(*) from attempt where code = 'unknown-outcome' and verdict = 'unknown'"));
    }

    [Fact]
    public async Task After_its_lifetime_a_delivery_that_never_arrived_waits_for_a_person()
    {
        await using var outbox = await Outbox.CreateAsync();
        await using var partner = await ScriptedPartner.StartAsync((_, _) => Task.FromResult(503));
        var node = outbox.Node();
        await outbox.AddAsync(await outbox.AddPartnerAsync(partner.Url), 1, 1);
        await Outbox.TurnAsync(node);
        await outbox.Database.AdvanceAsync(TimeSpan.FromDays(7) - TimeSpan.FromMinutes(1));
        await Outbox.TurnAsync(node);
        Assert.Equal("due", await outbox.Database.ScalarAsync<string>("select state from delivery"));
        await outbox.Database.AdvanceAsync(TimeSpan.FromMinutes(2));
        await Outbox.TurnAsync(node);
        Assert.Equal("dead exhausted http-503 3", await outbox.Database.ScalarAsync<string>("select concat_ws(' ', state, dead_reason, code, attempts) from delivery"));
    }

    [Fact]
    public async Task What_waits_for_a_partner_left_alone_gives_up_after_its_lifetime_too()
    {
        await using var outbox = await Outbox.CreateAsync();
        var queue = outbox.Node().GetRequiredService<DeliveryQueue>();
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.org"), 3, 1);
        await outbox.Database.ExecuteAsync("insert into breaker (partner_id, party_id, opened, open_until) select partner_id, party_id, 5, gateway_now() + interval '8 days' from partner");
        await outbox.Database.AdvanceAsync(TimeSpan.FromDays(6.9));
        Assert.Empty(await queue.ClaimAsync(1, 10, CancellationToken.None));
        Assert.Equal(3, await outbox.CountAsync("state = 'due'"));
        await outbox.Database.AdvanceAsync(TimeSpan.FromDays(0.2));
        Assert.Empty(await queue.ClaimAsync(1, 10, CancellationToken.None));
        Assert.Equal(3, await outbox.CountAsync("state = 'dead' and dead_reason = 'exhausted' and attempts = 0"));
    }

    [Fact]
    public async Task Refusals_count_only_while_they_are_the_same()
    {
        await using var outbox = await Outbox.CreateAsync();
        var answers = new Queue<int>([422, 422, 400, 422, 422, 422]);
        await using var partner = await ScriptedPartner.StartAsync((_, _) => Task.FromResult(answers.Dequeue()));
        var node = outbox.Node();
        await outbox.AddAsync(await outbox.AddPartnerAsync(partner.Url), 1, 1);
        var states = new List<string>();
        while (answers.Count > 0)
        {
            await Outbox.TurnAsync(node);
            states.Add(await outbox.Database.ScalarAsync<string>("select concat_ws(' ', state, dead_reason) from delivery"));
            await outbox.Database.AdvanceAsync(TimeSpan.FromHours(1));
        }
        Assert.Equal(["due", "due", "due", "due", "due", "dead refused"], states);
    }

    [Fact]
    public async Task A_node_that_stops_gives_its_leases_back_and_another_goes_on_at_once()
    {
        await using var outbox = await Outbox.CreateAsync();
        var stall = true;
        await using var partner = await ScriptedPartner.StartAsync(async (context, _) =>
        {
            if (Volatile.Read(ref stall))
            {
                await Task.Delay(Timeout.Infinite, context.RequestAborted);
            }
            return 200;
        });
        // The other node's clock is too slow to help: only a notification wakes it in time.
        var (stopping, other) = (outbox.Node(("MaxInFlightPerPartner", "2")), outbox.Node(("CheckEvery", "00:01:00")));
        await outbox.AddAsync(await outbox.AddPartnerAsync(partner.Url), 10, 1);
        var worker = await Outbox.WorkAsync(stopping);
        await UntilAsync(() => Task.FromResult(partner.InFlight == 2));
        Assert.Equal(10, await outbox.CountAsync("lease_token is not null"));
        var second = await Outbox.WorkAsync(other);
        await UntilAsync(async () => await outbox.Database.ScalarAsync<long>("select count(*) from pg_stat_activity where datname = current_database() and query = 'listen delivery_due'") == 2);
        Volatile.Write(ref stall, false);

        await worker.StopAsync(CancellationToken.None);

        await UntilAsync(async () => await outbox.CountAsync("state = 'delivered'") == 10);
        Assert.Equal(2, await outbox.Database.ScalarAsync<long>("select count(*) from attempt where verdict = 'unknown' and ended_at is not null"));
        Assert.Equal(12, await outbox.Database.ScalarAsync<long>("select count(*) from attempt"));
        await second.StopAsync(CancellationToken.None);
    }

    private static async Task UntilAsync(Func<Task<bool>> look)
    {
        for (var tries = 0; tries < 900; tries++)
        {
            if (await look())
            {
                return;
            }
            await Task.Delay(50);
        }
        Assert.Fail("It did not happen.");
    }
}
