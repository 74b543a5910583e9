using Gateway.Access;
using Gateway.Alarms;
using Gateway.Database;
using Gateway.Delivery;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Alarms;

/// <summary>What the slices look for: each condition finds what is wrong, and nothing else.</summary>
public sealed class ConditionTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private static async Task<IReadOnlyList<(string Subject, string Sentence, string? Severity)>> FindAsync(ServiceProvider node, string kind)
    {
        await using var work = await node.GetRequiredService<GatewayDatabase>().BeginAsync(Actor.System("test"), Ct);
        var condition = node.GetServices<AlarmCondition>().Single(c => c.Kind == kind);
        return [.. (await condition.FindAsync(node, work, Ct)).Select(f => (f.Subject, f.Sentence, f.Severity)).OrderBy(f => f.Subject, StringComparer.Ordinal)];
    }

    [Fact]
    public async Task Deliveries_that_need_a_decision_are_one_alarm_a_partner_and_reason()
    {
        await using var outbox = await Outbox.CreateAsync();
        var node = outbox.Node();
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.org"), 5, 1);
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.net"), 1, 1);
        Assert.Empty(await FindAsync(node, "alarm.decision"));
        await outbox.Database.ExecuteAsync("""
            update delivery set state = 'dead', dead_reason = 'refused', code = case when delivery_id = 3 then 'timeout' when delivery_id = 2 then 'http-422' else 'http-400' end where delivery_id in (1, 2, 3, 6);
            """);
        Assert.Equal(
            [
                ("9521321000001 network.timeout", "1 delivery to Partner 1 needs a decision. The partner's server did not answer in time."),
                ("9521321000001 partner.refused", "2 deliveries to Partner 1 need a decision. The partner's server takes the request for wrong."),
                ("9521321000002 partner.refused", "1 delivery to Partner 2 needs a decision. The partner's server takes the request for wrong."),
            ], (await FindAsync(node, "alarm.decision")).Select(f => (f.Subject, f.Sentence)));
    }

    [Fact]
    public async Task A_partner_that_is_left_alone_is_an_alarm_after_a_while_and_one_that_refuses_our_credential_another()
    {
        await using var outbox = await Outbox.CreateAsync();
        await using var down = await ScriptedPartner.StartAsync((_, _) => Task.FromResult(503));
        await using var strict = await ScriptedPartner.StartAsync((_, _) => Task.FromResult(401));
        var node = outbox.Node();
        var (first, second) = (await outbox.AddPartnerAsync(down.Url), await outbox.AddPartnerAsync(strict.Url));
        await outbox.AddAsync(first, 6, 1);
        await outbox.AddAsync(second, 1, 1);
        await Outbox.TurnAsync(node, first);
        await Outbox.TurnAsync(node, second);
        Assert.Empty(await FindAsync(node, "alarm.circuit"));
        await outbox.Database.AdvanceAsync(TimeSpan.FromMinutes(14));
        await Outbox.TurnAsync(node, first); // the probe fails, and the wait began long before
        Assert.Empty(await FindAsync(node, "alarm.circuit"));
        await outbox.Database.AdvanceAsync(TimeSpan.FromMinutes(2));
        Assert.Equal(["9521321000001"], (await FindAsync(node, "alarm.circuit")).Select(f => f.Subject));
        Assert.Equal(["9521321000002"], (await FindAsync(node, "alarm.credential")).Select(f => f.Subject));

        // Whoever is paused is left alone on purpose.
        await outbox.Database.ExecuteAsync("select set_config('app.actor', 'test', false); update partner set state = 'paused', pause_reason = 'x'");
        Assert.Empty(await FindAsync(node, "alarm.circuit"));
        Assert.Empty(await FindAsync(node, "alarm.credential"));
    }

    [Fact]
    public async Task A_partner_that_takes_nothing_though_documents_wait_is_silent_and_one_that_gets_none_is_not()
    {
        await using var outbox = await Outbox.CreateAsync();
        var node = outbox.Node();
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.org"), 2, 1); // something waits, nothing went
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.net"), 2, 1); // something waits, one went lately
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.com"), 1, 1); // nothing waits
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.edu"), 1, 1); // held by a person
        await outbox.Database.ExecuteAsync("""
            update delivery set state = 'delivered', finished_at = gateway_now() + interval '10 hours' where delivery_id = 3;
            update delivery set state = 'delivered', finished_at = gateway_now() where delivery_id = 5;
            update delivery set held_by = 'Ada', held_why = 'doubt' where delivery_id = 6;
            """);
        await outbox.Database.AdvanceAsync(TimeSpan.FromHours(23));
        Assert.Empty(await FindAsync(node, "alarm.silent"));
        await outbox.Database.AdvanceAsync(TimeSpan.FromHours(2));
        var silent = Assert.Single(await FindAsync(node, "alarm.silent"));
        Assert.Equal("9521321000001", silent.Subject);
        Assert.Matches("^Nothing has reached Partner 1 since 20.* UTC, though documents wait for it.$", silent.Sentence);
        await outbox.Database.AdvanceAsync(TimeSpan.FromHours(10));
        Assert.Equal(["9521321000001", "9521321000002"], (await FindAsync(node, "alarm.silent")).Select(f => f.Subject));
    }

    [Fact]
    public async Task What_a_partner_should_have_by_now_is_late_by_the_time_that_was_written_with_it()
    {
        await using var outbox = await Outbox.CreateAsync();
        var node = outbox.Node();
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.org"), 2, 1);
        await outbox.Database.ExecuteAsync("update delivery set need_by = gateway_now() + interval '3 hours' where delivery_id = 2");
        await outbox.Database.AdvanceAsync(TimeSpan.FromMinutes(59));
        Assert.Empty(await FindAsync(node, "alarm.late"));
        await outbox.Database.AdvanceAsync(TimeSpan.FromMinutes(2));
        Assert.StartsWith("1 document for Partner 1 is late: it was needed by 20", Assert.Single(await FindAsync(node, "alarm.late")).Sentence, StringComparison.Ordinal);
        await outbox.Database.AdvanceAsync(TimeSpan.FromHours(2));
        Assert.StartsWith("2 documents for Partner 1 are late: the first was needed by", Assert.Single(await FindAsync(node, "alarm.late")).Sentence, StringComparison.Ordinal);

        // The list has the longest overdue first, page by page.
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.net"), 3, 1);
        await outbox.Database.ExecuteAsync("update delivery set need_by = gateway_now() - (array['1 min', '1 day', '1 min', '5 hours', '1 min'])[delivery_id]::interval");
        var overview = new DeliveryOverview(outbox.Database.Gateway);
        var reader = Actor.System("test");
        var pages = new List<long>();
        for (long? before = null; pages.Count < 5;)
        {
            var page = await overview.ListAsync(reader, new DeliveryFilter("late", Before: before), 2, Ct);
            pages.AddRange(page.Select(d => d.DeliveryId));
            before = page[^1].DeliveryId;
        }
        Assert.Equal([2, 4, 1, 3, 5], pages);
        Assert.All(await overview.ListAsync(reader, new DeliveryFilter("late"), 10, Ct), d => Assert.True(d.IsLate));
    }

    [Fact]
    public async Task The_end_of_a_licence_is_an_alarm_as_long_as_its_exception_stands()
    {
        await using var outbox = await Outbox.CreateAsync();
        var node = outbox.Node();
        await outbox.AddPartnerAsync("https://example.org");
        await outbox.Database.ExecuteAsync("select set_config('app.actor', 'test', false); update partner set needs_licence = true");
        await Watch();
        Assert.Equal([("9521321000001", "error")], (await FindAsync(node, "alarm.licence")).Select(f => (f.Subject, f.Severity!)));
        await outbox.Database.ExecuteAsync("select set_config('app.actor', 'test', false); update partner set needs_licence = false");
        await Watch();
        Assert.Empty(await FindAsync(node, "alarm.licence"));

        Task Watch() => ((Gateway.Scheduling.IChore)node.GetRequiredService(node.GetServices<Gateway.Scheduling.ChoreRegistration>().Single(c => c.Name == "watch-licences").Type)).RunAsync(Ct);
    }
}
