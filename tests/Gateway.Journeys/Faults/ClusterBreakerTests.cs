using Gateway.TestSupport;

namespace Gateway.Journeys.Faults;

// FT-14
public sealed class ClusterBreakerTests
{
    [Fact]
    public async Task Five_nodes_send_one_probe_each_time_and_find_the_partner_back_with_one()
    {
        await using var outbox = await Outbox.CreateAsync();
        var dead = true;
        await using var partner = await ScriptedPartner.StartAsync((_, _) => Task.FromResult(Volatile.Read(ref dead) ? 503 : 200));
        var nodes = Enumerable.Range(0, 5).Select(_ => outbox.Node(("BatchSize", "1"), ("MaxInFlightPerPartner", "1"))).ToList();
        await outbox.AddAsync(await outbox.AddPartnerAsync(partner.Url), 60, 1);
        await TurnsAsync();
        var spent = partner.Arrivals.Count;
        Assert.InRange(spent, 5, 5 + 4); // five failures open it; the other nodes may have one each on the way

        foreach (var wait in (int[])[30, 60, 120, 300, 600])
        {
            await TurnsAsync(); // open: nobody calls, and no attempt is used up
            Assert.Equal(spent, partner.Arrivals.Count);
            Assert.Equal(spent, await outbox.Database.ScalarAsync<long>("select sum(attempts) from delivery"));
            await outbox.Database.AdvanceAsync(TimeSpan.FromSeconds(wait));
            await TurnsAsync();
            Assert.Equal(++spent, partner.Arrivals.Count);
        }

        Volatile.Write(ref dead, false);
        await outbox.Database.AdvanceAsync(TimeSpan.FromMinutes(10));
        await TurnsAsync();
        await Faults.DrainAsync(outbox, nodes, TimeSpan.FromMinutes(10), 5);
        Assert.Equal(60, partner.Effects.Count);
        Assert.Equal(60 + spent, partner.Arrivals.Count);

        Task TurnsAsync() => Task.WhenAll(nodes.Select(n => Task.Run(() => Outbox.TurnAsync(n))));
    }
}
