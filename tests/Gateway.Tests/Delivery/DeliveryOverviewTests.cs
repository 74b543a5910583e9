using Gateway.Access;
using Gateway.Delivery;

namespace Gateway.Tests.Delivery;

/// <summary>What people are shown of the outbox.</summary>
public sealed class DeliveryOverviewTests
{
    private static readonly Actor Reader = Actor.System("test");

    [Fact]
    public async Task Counts_and_lists_agree_about_every_state()
    {
        await using var outbox = await Outbox.CreateAsync();
        var overview = new DeliveryOverview(outbox.Database.Gateway);
        var (first, second) = (await outbox.AddPartnerAsync("https://example.org"), await outbox.AddPartnerAsync("https://example.net"));
        await outbox.AddAsync(first, 8, 1);
        await outbox.AddAsync(second, 2, 1);
        await outbox.Database.ExecuteAsync($"""
            update delivery set attempts = 1 where delivery_id in (1, 2);
            update delivery set lease_token = gen_random_uuid(), lease_until = gateway_now() + interval '1 min' where delivery_id = 2;
            update delivery set state = 'delivered', receipt = 'pending' where delivery_id = 3;
            update delivery set state = 'delivered' where delivery_id = 4;
            update delivery set state = 'dead', dead_reason = 'refused' where delivery_id = 5;
            update delivery set state = 'closed', dead_reason = 'refused' where delivery_id = 6;
            insert into breaker (partner_id, party_id, opened, open_until) select partner_id, party_id, 1, gateway_now() + interval '1 min' from partner where partner_id = {second};
            """);
        var counts = await overview.CountAsync(Reader, new DeliveryFilter(), CancellationToken.None);
        Assert.Equal(new DeliveryCounts(Queued: 2, Sending: 1, Retrying: 1, Held: 2, Sent: 1, Delivered: 1, Dead: 1, Closed: 1), counts);
        foreach (var state in DeliveryOverview.Shown)
        {
            var rows = await overview.ListAsync(Reader, new DeliveryFilter(state), 100, CancellationToken.None);
            Assert.All(rows, r => Assert.Equal(state, r.State));
            Assert.Equal(state is "queued" or "held" ? 2 : 1, rows.Count);
        }
        Assert.Equal(2, (await overview.ListAsync(Reader, new DeliveryFilter("taken"), 100, CancellationToken.None)).Count);
        Assert.Equal(6, (await overview.ListAsync(Reader, new DeliveryFilter("open"), 100, CancellationToken.None)).Count);
        Assert.Equal(2, (await overview.CountAsync(Reader, new DeliveryFilter(PartnerId: second), CancellationToken.None)).All);
        Assert.Equal([10L, 9L], (await overview.ListAsync(Reader, new DeliveryFilter(PartnerId: second), 100, CancellationToken.None)).Select(r => r.DeliveryId));
        Assert.Equal(2, (await overview.CountAsync(Reader with { Sees = "3" }, new DeliveryFilter(), CancellationToken.None)).All);
        Assert.Equal(0, (await overview.CountAsync(Reader with { Sees = "3" }, new DeliveryFilter(PartnerId: first), CancellationToken.None)).All);
    }

    [Fact]
    public async Task A_long_history_is_counted_up_to_the_cap_and_says_so()
    {
        await using var outbox = await Outbox.CreateAsync();
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.org"), DeliveryCounts.Cap + 5, 1);
        await outbox.Database.ExecuteAsync("update delivery set state = 'delivered' where delivery_id > 2");
        var counts = await new DeliveryOverview(outbox.Database.Gateway).CountAsync(Reader, new DeliveryFilter(), CancellationToken.None);
        Assert.Equal((DeliveryCounts.Cap, 2), (counts.Delivered, counts.Queued));
        Assert.True(counts.IsAtLeast("delivered") && counts.IsAtLeast(null));
        Assert.False(counts.IsAtLeast("queued"));
    }
}
