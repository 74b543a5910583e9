using Gateway.Delivery;
using Gateway.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Journeys.Faults;

// FT-10
public sealed class LaneOrderTests
{
    [Fact]
    public async Task Three_nodes_random_failures_and_crashes_never_invert_a_lane()
    {
        var (lanes, perLane) = (Faults.Count(10, 50), Faults.Count(12, 1_000));
        await using var outbox = await Outbox.CreateAsync();
        var random = new Random(10);
        await using var partner = await ScriptedPartner.StartAsync(async (_, _) =>
        {
            int draw;
            lock (random)
            {
                draw = random.Next(100);
            }
            await Task.Delay(draw % 7);
            return draw < 10 ? 503 : draw < 15 ? 0 : 200;
        });
        // The clock is moved in steps far below the lease, so that no message of a living node is taken for a dead one's.
        var nodes = Enumerable.Range(0, 3).Select(_ => outbox.Node(("LeaseTime", "00:10:00"))).ToList();
        await outbox.AddAsync(await outbox.AddPartnerAsync(partner.Url), lanes, perLane);
        var workers = await Task.WhenAll(nodes.Select(Outbox.WorkAsync));
        var rest = lanes * perLane;
        for (var round = 0; rest > 0 && round < Faults.Count(3_000, 100_000); round++)
        {
            if (round % 4 == 0 && round < 60)
            {
                // A node dies with a claim and an intent, and its lease runs out. So many deaths are the nodes', not a message's.
                var queue = nodes[round % 3].GetRequiredService<DeliveryQueue>();
                foreach (var orphan in await queue.ClaimAsync(1, 1, CancellationToken.None))
                {
                    await queue.IntendAsync(orphan);
                    await outbox.Database.ExecuteAsync($"update delivery set crashes = 0, lease_until = gateway_now() where delivery_id = {orphan.DeliveryId}");
                }
            }
            if (round % 10 == 9)
            {
                // And one is stopped in the middle, and started again.
                await workers[round % 3].StopAsync(CancellationToken.None);
                workers[round % 3] = await Outbox.WorkAsync(nodes[round % 3]);
            }
            await Task.Delay(50, TestContext.Current.CancellationToken);
            await outbox.Database.AdvanceAsync(TimeSpan.FromSeconds(3));
            rest = (int)await outbox.CountAsync("state = 'due'");
        }
        foreach (var worker in workers)
        {
            await worker.StopAsync(CancellationToken.None);
        }
        Assert.Equal(lanes * perLane, await outbox.CountAsync("state = 'delivered'"));
        Faults.AssertLaneOrder(partner, lanes, perLane);
        Assert.All(partner.Arrivals.GroupBy(a => a.Key), repeats => Assert.Single(repeats.Select(a => a.Body).Distinct()));
    }

    [Fact]
    public async Task A_worker_that_was_stopped_and_is_started_again_delivers()
    {
        await using var outbox = await Outbox.CreateAsync();
        await using var partner = await ScriptedPartner.StartAsync((_, _) => Task.FromResult(200));
        var node = outbox.Node();
        await outbox.AddAsync(await outbox.AddPartnerAsync(partner.Url), 3, 1);
        await outbox.Database.ExecuteAsync("update delivery set due_at = due_at + interval '1 hour' where delivery_id > 1");
        var worker = await Outbox.WorkAsync(node);
        await Eventually.TrueAsync(async () => await outbox.CountAsync("state = 'delivered'") == 1);
        await worker.StopAsync(CancellationToken.None);
        await outbox.Database.AdvanceAsync(TimeSpan.FromHours(2));
        worker = await Outbox.WorkAsync(node);
        await Eventually.TrueAsync(async () => await outbox.CountAsync("state = 'delivered'") == 3);
        await worker.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task A_lane_whose_head_is_stuck_makes_no_other_lane_wait()
    {
        await using var outbox = await Outbox.CreateAsync();
        var release = new TaskCompletionSource();
        await using var partner = await ScriptedPartner.StartAsync(async (_, body) =>
        {
            if (body == "p1 1:1")
            {
                await release.Task;
            }
            return 200;
        });
        var node = outbox.Node();
        await outbox.AddAsync(await outbox.AddPartnerAsync(partner.Url), 5, 4);
        var turn = Task.Run(() => Outbox.TurnAsync(node));
        // Everything else arrives while the stuck one is still being sent.
        await Eventually.TrueAsync(async () => await outbox.CountAsync("state = 'delivered'") == 16);
        Assert.Equal(1, partner.InFlight);
        Assert.Equal(4, await outbox.CountAsync("state = 'due' and ordering = 'lane 1'"));
        release.SetResult();
        await turn;
        Faults.AssertLaneOrder(partner, 5, 4);
    }

    [Fact]
    public async Task What_is_captured_while_another_lane_is_stuck_is_sent_at_once()
    {
        await using var outbox = await Outbox.CreateAsync();
        var release = new TaskCompletionSource();
        await using var partner = await ScriptedPartner.StartAsync(async (_, body) =>
        {
            if (body == "p1 1:1")
            {
                await release.Task;
            }
            return 200;
        });
        // The clock would look only every minute: the notification has to do it.
        var worker = await Outbox.WorkAsync(outbox.Node(("CheckEvery", "00:01:00")));
        var id = await outbox.AddPartnerAsync(partner.Url);
        await outbox.AddAsync(id, 1, 1);
        await Eventually.TrueAsync(() => Task.FromResult(partner.InFlight == 1));
        await outbox.Database.ExecuteAsync("""
            with d as (insert into document (party_id, sha256, length, media_type, received_at) values (1, sha256('later'), 5, 'application/xml', gateway_now()) returning document_id),
                 c as (insert into document_chunk select document_id, 1, 0, 'later' from d)
            insert into delivery (party_id, document_id, partner_id, message_id, ordering, state, due_at, created_at, give_up_at)
            select x.party_id, d.document_id, x.partner_id, gen_random_uuid(), 'another lane', 'due', gateway_now(), gateway_now(), x.give_up_at from delivery x, d where x.delivery_id = 1
            """);
        await Eventually.TrueAsync(() => Task.FromResult(partner.Effects.Any(e => e.Body == "later")));
        Assert.Equal(1, partner.InFlight); // the other is stuck still
        release.SetResult();
        await worker.StopAsync(CancellationToken.None);
    }
}
