using Gateway.Access;
using Gateway.Delivery;
using Gateway.Operations;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Gateway.Tests.Delivery;

/// <summary>What a person holds: nobody sends it, everybody is shown who holds it and why, and it ends as that person said.</summary>
public sealed class HoldTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly Actor Ada = new("person:1", "Ada", "officer", 1, "password", "192.0.2.1") { Sees = "*" };

    [Fact]
    public async Task Nothing_claims_what_a_person_holds_nor_what_follows_it_in_its_lane_until_it_is_resumed()
    {
        await using var outbox = await Outbox.CreateAsync();
        var node = outbox.Node();
        var (queue, decisions) = (node.GetRequiredService<DeliveryQueue>(), node.GetRequiredService<DeliveryDecisions>());
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.org"), 1, 2);
        Assert.Null((await decisions.HoldAsync(Ada, 1, 1, "The lot is in doubt.", null, Ct)).Refusal);
        Assert.Empty(await queue.ClaimAsync(1, 10, Ct));
        await outbox.Database.ExecuteAsync("delete from delivery where delivery_id = 2");
        Assert.Empty(await queue.PartnersWithDueRowsAsync(Ct)); // or its loop would turn for nothing
        Assert.Null((await decisions.ResumeAsync(Ada, 1, 2, "The lot is released.", Ct)).Refusal);
        Assert.Equal(1, Assert.Single(await queue.ClaimAsync(1, 10, Ct)).DeliveryId);
        Assert.Equal("hold The lot is in doubt., resume The lot is released.", await outbox.Database.ScalarAsync<string>("select string_agg(action || ' ' || reason, ', ' order by decision_id) from delivery_decision where actor = 'person:1'"));
        Assert.Equal("The lot is in doubt., The lot is released.", await outbox.Database.ScalarAsync<string>("select string_agg(reason, ', ' order by ord) from audit_entry where entity = 'delivery_decision' and actor_name = 'Ada'"));
    }

    [Fact]
    public async Task A_hold_that_has_an_end_ends_by_itself_and_the_time_for_retries_is_still_there()
    {
        await using var outbox = await Outbox.CreateAsync();
        var node = outbox.Node();
        var (queue, decisions) = (node.GetRequiredService<DeliveryQueue>(), node.GetRequiredService<DeliveryDecisions>());
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.org"), 1, 1);
        var now = await outbox.Database.ScalarAsync<DateTime>("select gateway_now()");
        Assert.NotNull((await decisions.HoldAsync(Ada, 1, null, "why", now.AddMinutes(-1), Ct)).Refusal); // that is over
        Assert.Null((await decisions.HoldAsync(Ada, 1, null, "why", now.AddDays(30), Ct)).Refusal);
        await outbox.Database.AdvanceAsync(TimeSpan.FromDays(29));
        Assert.Empty(await queue.ClaimAsync(1, 10, Ct));
        await outbox.Database.AdvanceAsync(TimeSpan.FromDays(1) + TimeSpan.FromMinutes(1));
        Assert.Equal([1], await queue.PartnersWithDueRowsAsync(Ct));
        Assert.Single(await queue.ClaimAsync(1, 10, Ct));
        Assert.Equal(1, await outbox.CountAsync("held_by is null and held_until is null and give_up_at > gateway_now() + interval '6 days'"));
    }

    [Fact]
    public async Task What_is_being_sent_cannot_be_held_and_what_is_held_cannot_be_sent()
    {
        await using var outbox = await Outbox.CreateAsync();
        var node = outbox.Node();
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.org"), 1, 1);
        Assert.Single(await node.GetRequiredService<DeliveryQueue>().ClaimAsync(1, 1, Ct));
        Assert.NotNull((await node.GetRequiredService<DeliveryDecisions>().HoldAsync(Ada, 1, null, "why", null, Ct)).Refusal);
        var both = await Assert.ThrowsAsync<PostgresException>(() => outbox.Database.ExecuteAsync("update delivery set held_by = 'Ada', held_why = 'why'"));
        Assert.Equal("delivery_hold", both.ConstraintName);
    }

    [Fact]
    public async Task An_operation_that_retries_leaves_what_is_held_alone()
    {
        await using var outbox = await Outbox.CreateAsync();
        var node = outbox.Node();
        var decisions = node.GetRequiredService<DeliveryDecisions>();
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.org"), 3, 1);
        await outbox.Database.ExecuteAsync("update delivery set attempts = 1, code = 'http-503'");
        await decisions.HoldAsync(Ada, 1, null, "why", null, Ct);
        var begun = await node.GetRequiredService<BeginOperation>().RunAsync(Ada, new OperationRequest("k", "retry", new DeliveryFilter("open", PartnerId: 1), "why"), Ct);
        Assert.Equal(2, await outbox.Database.ScalarAsync<long>("select count(*) from operation_item"));
        await decisions.HoldAsync(Ada, 2, null, "meanwhile", null, Ct);
        await outbox.Database.ExecuteAsync("select set_config('app.actor', 'test', false); update operation set approved_stage = 4");
        var run = node.GetRequiredService<RunOperation>();
        while (await run.RunAsync(begun.OperationId, Ct) > 0)
        {
        }
        Assert.Equal("2 refused, 3 done", await outbox.Database.ScalarAsync<string>("select string_agg(delivery_id || ' ' || outcome, ', ' order by ordinal) from operation_item"));
        Assert.Equal(2, await outbox.CountAsync("held_by = 'Ada'"));
    }

    [Fact]
    public async Task A_hold_outlives_its_partners_breaker_and_the_time_for_retries()
    {
        await using var outbox = await Outbox.CreateAsync();
        var node = outbox.Node();
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.org"), 2, 1);
        await node.GetRequiredService<DeliveryDecisions>().HoldAsync(Ada, 1, null, "why", null, Ct);
        await outbox.Database.AdvanceAsync(TimeSpan.FromDays(8));
        await outbox.Database.ExecuteAsync("insert into breaker (partner_id, party_id, opened, open_until) select partner_id, party_id, 1, gateway_now() + interval '1 min' from partner");
        Assert.Empty(await node.GetRequiredService<DeliveryQueue>().ClaimAsync(1, 10, Ct));
        Assert.Equal("1 due, 2 dead", await outbox.Database.ScalarAsync<string>("select string_agg(delivery_id || ' ' || state, ', ' order by delivery_id) from delivery"));
    }

    [Fact]
    public async Task Open_pages_are_told_that_a_hold_has_ended_by_itself_and_not_of_each_lease()
    {
        await using var outbox = await Outbox.CreateAsync();
        var node = outbox.Node();
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.org"), 2, 2);
        var until = (await outbox.Database.ScalarAsync<DateTime>("select gateway_now()")).AddHours(1);
        Assert.Null((await node.GetRequiredService<DeliveryDecisions>().HoldAsync(Ada, 1, null, "why", until, Ct)).Refusal);
        await outbox.Database.AdvanceAsync(TimeSpan.FromHours(2));
        var heard = new List<string>();
        await using var listener = new NpgsqlConnection(outbox.Database.AdministratorConnectionString);
        await listener.OpenAsync(Ct);
        listener.Notification += (_, e) => heard.Add(e.Payload);
        await using var listen = new NpgsqlCommand("listen changed", listener);
        await listen.ExecuteNonQueryAsync(Ct);
        Assert.Equal([1L, 2L], (await node.GetRequiredService<DeliveryQueue>().ClaimAsync(1, 10, Ct)).Select(d => d.DeliveryId));
        Assert.Equal(0, await outbox.CountAsync("held_by is not null"));
        await listen.ExecuteNonQueryAsync(Ct); // what was sent has come with its answer
        Assert.Equal(["delivery 1"], heard);
    }

    [Fact]
    public async Task What_was_closed_while_it_was_held_is_held_when_it_is_reopened()
    {
        await using var outbox = await Outbox.CreateAsync();
        var node = outbox.Node();
        var decisions = node.GetRequiredService<DeliveryDecisions>();
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.org"), 1, 1);
        var now = await outbox.Database.ScalarAsync<DateTime>("select gateway_now()");
        await decisions.HoldAsync(Ada, 1, null, "why", now.AddHours(1), Ct);
        Assert.Null((await decisions.CloseAsync(Ada, 1, 2, "It is not wanted.", Ct)).Refusal);
        await outbox.Database.AdvanceAsync(TimeSpan.FromHours(2));
        Assert.Null((await decisions.ReopenAsync(Ada, 1, 3, "It is.", Ct)).Refusal);
        Assert.Empty(await node.GetRequiredService<DeliveryQueue>().ClaimAsync(1, 10, Ct));
        Assert.Null((await decisions.ResumeAsync(Ada, 1, 4, "Go.", Ct)).Refusal);
        Assert.Single(await node.GetRequiredService<DeliveryQueue>().ClaimAsync(1, 10, Ct));
    }

    [Fact]
    public async Task Lists_groups_and_figures_agree_about_what_is_held_by_whom()
    {
        await using var outbox = await Outbox.CreateAsync();
        var decisions = outbox.Node().GetRequiredService<DeliveryDecisions>();
        var (first, second) = (await outbox.AddPartnerAsync("https://example.org"), await outbox.AddPartnerAsync("https://example.net"));
        await outbox.AddAsync(first, 5, 1);
        await outbox.AddAsync(second, 2, 1);
        await outbox.Database.ExecuteAsync($"""
            update delivery set attempts = 1 where delivery_id in (1, 2);
            select set_config('app.actor', 'test', false); update partner set state = 'paused', pause_reason = 'Moving.' where partner_id = {second};
            insert into capture (party_id, document_id, state, submitted_by, error_behaviour, answer_status, answer_body, created_at, finished_at) select 1, document_id, 'accepted', 'test', 'rollback', 202, '', gateway_now(), gateway_now() from delivery;
            update delivery d set capture_id = c.capture_id from capture c where c.document_id = d.document_id;
            insert into routing_decision (capture_id, partner_id, party_id, decision, code, reason, delivery_id)
            select d.capture_id, d.partner_id, d.party_id, 'queued', 'x', 'x', d.delivery_id from capture join delivery d using (document_id)
            """);
        var until = (await outbox.Database.ScalarAsync<DateTime>("select date_trunc('second', gateway_now())")).AddHours(1);
        await decisions.HoldAsync(Ada, 1, null, "The lot is in doubt.", until, Ct);
        await decisions.HoldAsync(Ada, 3, null, "The lot is in doubt.", null, Ct);
        await decisions.HoldAsync(Ada, 6, null, "This one above all.", null, Ct);

        var overview = new DeliveryOverview(outbox.Database.Gateway);
        var counts = new DeliveryCounts(Queued: 2, Sending: 0, Retrying: 1, Held: 4, Sent: 0, Delivered: 0, Dead: 0, Closed: 0);
        Assert.Equal(counts, await overview.CountAsync(Ada, new DeliveryFilter(), Ct));
        var figures = new DeliveryFigures(outbox.Database.Gateway);
        var balance = await figures.BalanceAsync(Ada, until.AddHours(-1).Date, Ct);
        Assert.Equal(new DeliveryBalance(7, 0, counts), balance);
        Assert.True(balance.Balances);
        Assert.Equal(4, await overview.CountUpToAsync(Ada, new DeliveryFilter("held"), 100, Ct));
        Assert.Equal(
            [(7L, null, "Moving.", null), (6L, "Ada", "This one above all.", null), (3L, "Ada", "The lot is in doubt.", null), (1L, "Ada", "The lot is in doubt.", until)],
            (await overview.ListAsync(Ada, new DeliveryFilter("held"), 100, Ct)).Select(d => (d.DeliveryId, d.HeldBy, d.HeldWhy, d.HeldUntil)));
        Assert.Equal(
            [(first, "held", 2L, "Ada", "The lot is in doubt."), (second, "held", 1L, "Ada", "This one above all."), (second, "held", 1L, null, "Moving."), (first, "retrying", 1L, null, null)],
            (await overview.GroupsAsync(Ada, new DeliveryFilter(), 100, Ct)).Select(g => (g.PartnerId, g.State, g.Count, g.HeldBy, g.HeldWhy)));
        Assert.Equal([new HeldDeliveries(first, "Partner 1", "Ada", "The lot is in doubt.", until, 2)], await figures.HeldDeliveriesAsync(Ada, Ct));
        Assert.Equal([new HeldPartner(second, "Partner 2", "Moving.", null, null, 2)], await figures.HeldPartnersAsync(Ada, Ct));
        Assert.Equal(["held", "retrying", "held", "queued", "queued", "held", "held"],
            (await new RoutingDecisions(outbox.Database.Gateway).ListAsync(Ada, new RoutingFilter(), null, 100, Ct)).OrderBy(r => r.DeliveryId).Select(r => r.DeliveryState));

        await outbox.Database.AdvanceAsync(TimeSpan.FromHours(2));
        Assert.Equal(counts with { Held = 3, Retrying = 2 }, await overview.CountAsync(Ada, new DeliveryFilter(), Ct));
    }
}
