using Gateway.TestSupport;

namespace Gateway.Journeys.Faults;

// FT-06
public sealed class FlappingPartnerTests
{
    [Fact]
    public async Task A_flapping_partner_gets_everything_with_one_effect_each_and_attempts_on_schedule()
    {
        var messages = Faults.Count(200, 20_000);
        await using var outbox = await Outbox.CreateAsync();
        var random = new Random(6);
        await using var partner = await ScriptedPartner.StartAsync(async (context, _) =>
        {
            int draw;
            lock (random)
            {
                draw = random.Next(100);
            }
            if (draw is >= 40 and < 50)
            {
                await Task.Delay(Timeout.Infinite, context.RequestAborted); // a stall, until the gateway gives up
            }
            return draw < 30 ? 503 : draw < 40 ? 0 : 200;
        });
        var node = outbox.Node(("AttemptTimeout", "00:00:00.5"), ("MaxInFlight", "200"), ("MaxInFlightPerPartner", "40"));
        await outbox.AddAsync(await outbox.AddPartnerAsync(partner.Url), messages, 1);

        await Faults.DrainAsync(outbox, [node], TimeSpan.FromMinutes(12), Faults.Count(400, 20_000));

        Assert.Equal(messages, await outbox.CountAsync("state = 'delivered'"));
        Assert.Equal(messages, partner.Effects.Count);
        Assert.Equal(messages, partner.Arrivals.Where(a => a.Key.Length > 0).Select(a => a.Key).Distinct().Count());
        Assert.All(partner.Arrivals.GroupBy(a => a.Key), repeats => Assert.Single(repeats.Select(a => a.Body).Distinct()));
        // Never before its time: base 2 s, doubled each time, up to an hour, with a jitter of one half.
        Assert.Equal(0, await outbox.Database.ScalarAsync<long>("""
            select count(*) from attempt a join attempt b on b.delivery_id = a.delivery_id and b.number = a.number + 1
            where b.started_at - a.ended_at < 0.5 * least(interval '1 hour', interval '2 s' * 2 ^ (a.number - 1)) - interval '1 ms'
            """));
        // Half succeed, so attempts are distributed as two to a message; four would need a fault of ours.
        var attempts = await outbox.Database.ScalarAsync<long>("select count(*) from attempt");
        Assert.InRange(attempts, messages * 3L / 2, messages * 3L);
    }
}
