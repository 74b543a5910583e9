using Gateway.Access;
using Gateway.Delivery;
using Gateway.Delivery.Channels;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Delivery;

/// <summary>When a partner is left alone, and who finds out that it is back.</summary>
public sealed class BreakerTests
{
    private static readonly ChannelAnswer Accepted = new(AnswerMeaning.Accepted, Verdict.Ok, "ok", 200);
    private static readonly ChannelAnswer Unavailable = new(AnswerMeaning.Retry, Verdict.Theirs, "http-503", 503);
    private static readonly ChannelAnswer Timeout = new(AnswerMeaning.Retry, Verdict.Network, "timeout");
    private static readonly ChannelAnswer Unauthorized = new(AnswerMeaning.Credential, Verdict.Ours, "http-401", 401);

    [Theory]
    [InlineData(20, true)]
    [InlineData(18, false)] // as many fail, but too few to tell
    public async Task Half_of_twenty_failures_in_a_minute_open_it(int attempts, bool opens)
    {
        await using var outbox = await Outbox.CreateAsync();
        var queue = await QueueAsync(outbox, attempts);
        var claimed = await queue.ClaimAsync(1, 100, CancellationToken.None);
        for (var i = 0; i < attempts; i++)
        {
            await AttemptAsync(queue, claimed[i], i % 2 == 0 ? Accepted : Timeout); // never five in a row
        }
        Assert.Equal(opens ? 1 : 0, await outbox.Database.ScalarAsync<int>("select opened from breaker"));
    }

    [Fact]
    public async Task Failures_of_more_than_a_minute_ago_do_not_count()
    {
        await using var outbox = await Outbox.CreateAsync();
        var queue = await QueueAsync(outbox, 20);
        var claimed = await queue.ClaimAsync(1, 100, CancellationToken.None);
        for (var i = 0; i < 20; i++)
        {
            await AttemptAsync(queue, claimed[i], i % 2 == 0 ? Accepted : Timeout);
            if (i == 1)
            {
                await outbox.Database.AdvanceAsync(TimeSpan.FromSeconds(61));
                await queue.RenewAsync(claimed, CancellationToken.None);
            }
        }
        Assert.Equal(0, await outbox.Database.ScalarAsync<int>("select opened from breaker"));
    }

    [Fact]
    public async Task Attempts_begun_before_it_opened_neither_lengthen_the_wait_nor_close_it()
    {
        await using var outbox = await Outbox.CreateAsync();
        var queue = await QueueAsync(outbox, 10);
        var claimed = await queue.ClaimAsync(1, 100, CancellationToken.None);
        foreach (var delivery in claimed.Take(8))
        {
            await AttemptAsync(queue, delivery, Unavailable);
        }
        Assert.True(await OpenForAsync(outbox, 1, "30 s"));
        await AttemptAsync(queue, claimed[8], Accepted);
        Assert.True(await OpenForAsync(outbox, 1, "30 s"));
    }

    [Fact]
    public async Task One_probe_goes_out_after_30_s_then_1_2_5_and_10_min_and_an_answer_closes_it()
    {
        await using var outbox = await Outbox.CreateAsync();
        var queue = await QueueAsync(outbox, 20);
        var claimed = await queue.ClaimAsync(1, 10, CancellationToken.None);
        foreach (var delivery in claimed.Take(5))
        {
            await AttemptAsync(queue, delivery, Unavailable);
        }
        var opened = 1;
        foreach (var (wait, next) in ((int, string)[])[(30, "1 min"), (60, "2 min"), (120, "5 min"), (300, "10 min"), (600, "10 min")])
        {
            await outbox.Database.AdvanceAsync(TimeSpan.FromSeconds(wait - 2));
            Assert.Empty(await queue.ClaimAsync(1, 10, CancellationToken.None));
            await outbox.Database.AdvanceAsync(TimeSpan.FromSeconds(2));
            var probe = Assert.Single(await queue.ClaimAsync(1, 10, CancellationToken.None));
            Assert.Empty(await queue.ClaimAsync(1, 10, CancellationToken.None));
            await AttemptAsync(queue, probe, Timeout);
            Assert.True(await OpenForAsync(outbox, ++opened, next));
        }
        await outbox.Database.AdvanceAsync(TimeSpan.FromMinutes(10));
        await AttemptAsync(queue, Assert.Single(await queue.ClaimAsync(1, 10, CancellationToken.None)), Accepted);
        Assert.Equal(10, (await queue.ClaimAsync(1, 10, CancellationToken.None)).Count);
    }

    [Fact]
    public async Task A_credential_that_is_not_accepted_opens_it_at_once()
    {
        await using var outbox = await Outbox.CreateAsync();
        var queue = await QueueAsync(outbox, 2);
        var claimed = await queue.ClaimAsync(1, 1, CancellationToken.None);
        await AttemptAsync(queue, claimed[0], Unauthorized);
        Assert.True(await OpenForAsync(outbox, 1, "30 s"));
        Assert.Equal("credential", await outbox.Database.ScalarAsync<string>("select reason from breaker"));
        Assert.Empty(await queue.ClaimAsync(1, 10, CancellationToken.None));
    }

    [Fact]
    public async Task A_person_who_knows_that_it_is_back_lets_one_delivery_try_at_once_and_its_outcome_decides()
    {
        await using var outbox = await Outbox.CreateAsync();
        var queue = await QueueAsync(outbox, 4);
        var decisions = outbox.Node().GetRequiredService<DeliveryDecisions>();
        var person = Actor.System("test");
        Assert.False(await decisions.TryNowAsync(person, 1, "Too early", CancellationToken.None));
        await AttemptAsync(queue, (await queue.ClaimAsync(1, 1, CancellationToken.None))[0], Unauthorized);
        Assert.Empty(await queue.ClaimAsync(1, 10, CancellationToken.None));

        Assert.True(await decisions.TryNowAsync(person, 1, "They renewed it", CancellationToken.None));
        var probe = Assert.Single(await queue.ClaimAsync(1, 10, CancellationToken.None));
        Assert.False(await decisions.TryNowAsync(person, 1, "And again", CancellationToken.None)); // it is being tried
        await AttemptAsync(queue, probe, Unauthorized);
        Assert.True(await OpenForAsync(outbox, 2, "1 min"));
        Assert.True(await decisions.TryNowAsync(person, 1, "Now really", CancellationToken.None));
        await AttemptAsync(queue, Assert.Single(await queue.ClaimAsync(1, 10, CancellationToken.None)), Accepted);
        Assert.Equal(3, (await queue.ClaimAsync(1, 10, CancellationToken.None)).Count); // what failed before does not wait for its next time to try
        Assert.Equal("They renewed it, Now really", await outbox.Database.ScalarAsync<string>("select string_agg(reason, ', ' order by ord) from audit_entry where action = 'try now' and entity = 'partner' and entity_key = '1'"));
    }

    [Fact]
    public async Task A_node_that_stops_while_it_probes_does_not_close_it()
    {
        await using var outbox = await Outbox.CreateAsync();
        var queue = await QueueAsync(outbox, 2);
        await AttemptAsync(queue, (await queue.ClaimAsync(1, 1, CancellationToken.None))[0], Unauthorized);
        await outbox.Database.AdvanceAsync(TimeSpan.FromSeconds(31));
        await AttemptAsync(queue, Assert.Single(await queue.ClaimAsync(1, 10, CancellationToken.None)), new ChannelAnswer(AnswerMeaning.Retry, Verdict.Unknown, "unknown-outcome"));
        Assert.Equal(1, await outbox.Database.ScalarAsync<int>("select opened from breaker"));
        Assert.Empty(await queue.ClaimAsync(1, 10, CancellationToken.None));
    }

    [Fact]
    public async Task A_probe_that_lasts_keeps_others_from_probing()
    {
        await using var outbox = await Outbox.CreateAsync();
        var queue = await QueueAsync(outbox, 3);
        await AttemptAsync(queue, (await queue.ClaimAsync(1, 1, CancellationToken.None))[0], Unauthorized);
        await outbox.Database.AdvanceAsync(TimeSpan.FromSeconds(31));
        var probe = await queue.ClaimAsync(1, 10, CancellationToken.None);
        for (var third = 0; third < 6; third++)
        {
            await outbox.Database.AdvanceAsync(TimeSpan.FromSeconds(20));
            await queue.RenewAsync(probe, CancellationToken.None);
            Assert.Empty(await queue.ClaimAsync(1, 10, CancellationToken.None));
        }
    }

    private static async Task<DeliveryQueue> QueueAsync(Outbox outbox, int lanes)
    {
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.org"), lanes, 1);
        return outbox.Node().GetRequiredService<DeliveryQueue>();
    }

    private static async Task AttemptAsync(DeliveryQueue queue, ClaimedDelivery delivery, ChannelAnswer answer) =>
        Assert.NotNull(await queue.CompleteAsync(delivery, (await queue.IntendAsync(delivery))!.Number, answer));

    private static Task<bool> OpenForAsync(Outbox outbox, int opened, string wait) =>
        outbox.Database.ScalarAsync<bool>($"select opened = {opened} and open_until - gateway_now() between interval '{wait}' - interval '20 s' and interval '{wait}' from breaker");
}
