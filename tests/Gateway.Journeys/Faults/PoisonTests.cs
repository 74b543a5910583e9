using Gateway.Delivery;
using Gateway.Delivery.Channels;
using Gateway.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Journeys.Faults;

// FT-13
public sealed class PoisonTests
{
    [Theory]
    [InlineData("throws", "channel-broke")]
    [InlineData("hangs", "channel-hangs")]
    [InlineData("blocks", "channel-hangs")]
    [InlineData("exhausts", "channel-broke")]
    public async Task A_message_that_breaks_its_channel_is_dead_after_three_and_holds_up_its_own_lane_only(string how, string code)
    {
        await using var outbox = await Outbox.CreateAsync();
        using var channel = new BrittleChannel(how);
        var node = outbox.Node(channel, ("AttemptTimeout", "00:00:00.2"));
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.org", BrittleChannel.Name), 3, 2);
        await outbox.Database.ExecuteAsync("update delivery set message_id = '00000000-0000-0000-0000-00000000000f' where delivery_id = 1");
        for (var i = 0; i < 5; i++)
        {
            await Outbox.TurnAsync(node);
            await outbox.Database.AdvanceAsync(TimeSpan.FromHours(1));
        }
        Assert.Equal($"dead crashed {code} 3", await outbox.Database.ScalarAsync<string>("select concat_ws(' ', state, dead_reason, code, attempts) from delivery where delivery_id = 1"));
        Assert.Equal(1, await outbox.CountAsync("state = 'due' and ordering = 'lane 1'")); // what follows it waits for the decision
        Assert.Equal(4, await outbox.CountAsync("state = 'delivered' and ordering <> 'lane 1'"));

        var decided = await node.GetRequiredService<DeliveryDecisions>().CloseAsync(global::Gateway.Access.Actor.System("test"), 1, null, "Settled by telephone", CancellationToken.None);
        Assert.Null(decided.Refusal);
        await Outbox.TurnAsync(node);
        Assert.Equal(5, await outbox.CountAsync("state = 'delivered'"));
    }

    [Fact]
    public async Task A_message_that_kills_its_host_is_dead_after_three()
    {
        await using var outbox = await Outbox.CreateAsync();
        await using var partner = await ScriptedPartner.StartAsync(async (context, body) =>
        {
            if (body == "p1 1:1")
            {
                await Task.Delay(Timeout.Infinite, context.RequestAborted);
            }
            return 200;
        });
        var data = Directory.CreateTempSubdirectory("gateway-child-");
        await outbox.AddAsync(await outbox.AddPartnerAsync(partner.Url), 2, 2);
        for (var kill = 1; kill <= 3; kill++)
        {
            await using var host = await ChildHost.StartAsync(outbox.Database, data.FullName);
            var number = kill;
            await Eventually.TrueAsync(async () => await outbox.Database.ScalarAsync<long>($"select count(*) from attempt where delivery_id = 1 and number = {number}") == 1 && partner.InFlight > 0);
            await host.KillAsync();
            await outbox.Database.AdvanceAsync(TimeSpan.FromMinutes(5));
        }
        Assert.Empty(await outbox.Node().GetRequiredService<DeliveryQueue>().ClaimAsync(1, 10, CancellationToken.None));
        Assert.Equal("dead crashed 3", await outbox.Database.ScalarAsync<string>("select concat_ws(' ', state, dead_reason, attempts) from delivery where delivery_id = 1"));
        Assert.Equal(2, await outbox.CountAsync("state = 'delivered' and ordering = 'lane 2'"));
        data.Delete(recursive: true);
    }

    // Whatever is under way when the process dies may be why. What nothing is beside is answered; what is, never.
    [Fact]
    public async Task What_was_under_way_beside_a_message_that_kills_its_host_is_delivered()
    {
        await using var outbox = await Outbox.CreateAsync();
        var (poison, together, isFirst) = ("p1 3:1", 0, true);
        await using var partner = await ScriptedPartner.StartAsync(async (context, body) =>
        {
            var beside = Interlocked.Increment(ref together);
            try
            {
                await Task.Delay(body == poison || beside > 1 || Volatile.Read(ref isFirst) ? Timeout.Infinite : 300, context.RequestAborted);
                await Task.Delay(Volatile.Read(ref together) > 1 ? Timeout.Infinite : 0, context.RequestAborted);
                return 200;
            }
            finally
            {
                Interlocked.Decrement(ref together);
            }
        });
        var data = Directory.CreateTempSubdirectory("gateway-child-");
        var (one, other) = (await outbox.AddPartnerAsync(partner.Url), await outbox.AddPartnerAsync(partner.Url));
        await outbox.AddAsync(one, 5, 1);
        await outbox.AddAsync(other, 3, 1);
        for (var kill = 1; kill <= 3; kill++)
        {
            await using var host = await ChildHost.StartAsync(outbox.Database, data.FullName);
            var (number, inFlight) = (kill, kill == 1 ? 8 : 1);
            await Eventually.TrueAsync(async () => await outbox.Database.ScalarAsync<long>($"select count(*) from attempt where delivery_id = 3 and number = {number}") == 1 && partner.InFlight >= inFlight);
            await Task.Delay(500, TestContext.Current.CancellationToken);
            Assert.Equal(inFlight, partner.InFlight);
            await host.KillAsync();
            Volatile.Write(ref isFirst, false);
            await outbox.Database.AdvanceAsync(TimeSpan.FromMinutes(5));
        }
        await using (await ChildHost.StartAsync(outbox.Database, data.FullName))
        {
            await Eventually.TrueAsync(async () => await outbox.CountAsync("state = 'due'") == 0);
        }
        Assert.Equal("dead crashed 3", await outbox.Database.ScalarAsync<string>("select concat_ws(' ', state, dead_reason, attempts) from delivery where delivery_id = 3"));
        Assert.Equal(7, await outbox.CountAsync("state = 'delivered' and attempts = 2 and crashes = 1"));
        data.Delete(recursive: true);
    }

    private sealed class BrittleChannel(string how) : IChannel, IDisposable
    {
        public const string Name = "soap"; // a kind the schema knows and the gateway does not have

        private static readonly Guid Poison = Guid.Parse("00000000-0000-0000-0000-00000000000f");
        private readonly ManualResetEventSlim _end = new();

        public string Kind => Name;

        public async Task<ChannelAnswer> SendAsync(ClaimedDelivery delivery, CancellationToken ct)
        {
            if (delivery.MessageId == Poison)
            {
                switch (how)
                {
                    case "throws": throw new FormatException("What is this?");
                    case "exhausts": throw new OutOfMemoryException();
                    case "hangs": await Task.Delay(Timeout.Infinite, CancellationToken.None); break;
                    default: _end.Wait(CancellationToken.None); break;
                }
            }
            return new ChannelAnswer(AnswerMeaning.Accepted, Verdict.Ok, "ok", 200);
        }

        public Task<ChannelAnswer> QueryReceiptAsync(ClaimedDelivery delivery, CancellationToken ct) => throw new InvalidOperationException("It has no receipts.");

        public void Dispose() => _end.Set();
    }
}
