using Gateway.TestSupport;

namespace Gateway.Journeys.Faults;

// FT-08
public sealed class PartnerDownTests
{
    [Fact]
    public async Task A_partner_that_is_down_for_three_days_gets_its_backlog_in_lane_order()
    {
        var (lanes, perLane) = (20, Faults.Count(15, 10_000));
        await using var outbox = await Outbox.CreateAsync();
        var down = true;
        await using var partner = await ScriptedPartner.StartAsync((_, _) => Task.FromResult(Volatile.Read(ref down) ? 503 : 200));
        var node = outbox.Node();
        await outbox.AddAsync(await outbox.AddPartnerAsync(partner.Url), lanes, perLane);
        for (var hour = 0; hour < 72; hour += 2)
        {
            await Outbox.TurnAsync(node);
            await outbox.Database.AdvanceAsync(TimeSpan.FromHours(2));
        }
        Assert.Equal(lanes * perLane, await outbox.CountAsync("state = 'due'")); // nothing dead, nothing lost
        Assert.InRange(await outbox.Database.ScalarAsync<long>("select sum(attempts) from delivery"), 1, 100); // it was left alone

        Volatile.Write(ref down, false);
        await Faults.DrainAsync(outbox, [node], TimeSpan.FromMinutes(30), 20);

        Assert.Equal(lanes * perLane, await outbox.CountAsync("state = 'delivered'"));
        Faults.AssertLaneOrder(partner, lanes, perLane);
    }

    [Fact]
    public async Task A_partner_that_stays_down_costs_nothing_before_seven_days_and_a_decision_after()
    {
        await using var outbox = await Outbox.CreateAsync();
        await using var partner = await ScriptedPartner.StartAsync((_, _) => Task.FromResult(503));
        var node = outbox.Node();
        await outbox.AddAsync(await outbox.AddPartnerAsync(partner.Url), 10, 2);
        for (var hour = 0; hour < 168; hour += 6)
        {
            await Outbox.TurnAsync(node);
            Assert.Equal(20, await outbox.CountAsync("state = 'due'"));
            await outbox.Database.AdvanceAsync(TimeSpan.FromHours(6));
        }
        for (var i = 0; i < 30 && await outbox.CountAsync("state = 'due'") > 0; i++)
        {
            await Outbox.TurnAsync(node);
            await outbox.Database.AdvanceAsync(TimeSpan.FromSeconds(1)); // the breaker is open: no probe is needed to give up
        }
        Assert.Equal(20, await outbox.CountAsync("state = 'dead' and dead_reason = 'exhausted'"));
    }
}
