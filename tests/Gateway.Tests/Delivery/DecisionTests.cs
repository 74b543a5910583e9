using Gateway.Access;
using Gateway.Delivery;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Delivery;

/// <summary>What people may decide about a delivery, and what two of them may not both.</summary>
public sealed class DecisionTests
{
    private static readonly Actor Person = Actor.System("test");

    [Theory]
    [InlineData("due", "retry hold")]
    [InlineData("held", "resume close")]
    [InlineData("dead", "retry close")]
    [InlineData("delivered", "replay")]
    [InlineData("closed", "reopen")]
    public async Task Each_decision_is_for_its_states_only(string state, string allowed)
    {
        await using var outbox = await Outbox.CreateAsync();
        var decisions = outbox.Node().GetRequiredService<DeliveryDecisions>();
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.org"), 6, 1);
        await SetAsync(outbox, state);
        var done = new List<string>();
        var id = 0L;
        foreach (var (verb, decide) in Verbs(decisions))
        {
            if ((await decide(++id, null)).Refusal is null)
            {
                done.Add(verb);
            }
        }
        Assert.Equal(allowed, string.Join(' ', done));
        Assert.Equal(done.Count, await outbox.Database.ScalarAsync<long>("select count(*) from delivery_decision"));
    }

    [Theory]
    [InlineData("retry", "dead")]
    [InlineData("hold", "due")]
    [InlineData("resume", "held")]
    [InlineData("close", "dead")]
    [InlineData("close", "held")]
    [InlineData("replay", "delivered")]
    [InlineData("reopen", "closed")]
    public async Task A_decision_about_what_has_changed_since_changes_nothing(string verb, string state)
    {
        await using var outbox = await Outbox.CreateAsync();
        var decide = Verbs(outbox.Node().GetRequiredService<DeliveryDecisions>()).Single(v => v.Verb == verb).Decide;
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.org"), 1, 1);
        await SetAsync(outbox, state);
        await outbox.Database.ExecuteAsync("update delivery set version = 7");
        var before = await outbox.Database.ScalarAsync<string>("select d::text from delivery d");
        Assert.NotNull((await decide(1, 6)).Refusal);
        Assert.Equal(before, await outbox.Database.ScalarAsync<string>("select d::text from delivery d"));
        Assert.Null((await decide(1, 7)).Refusal);
        Assert.Equal(8, await outbox.Database.ScalarAsync<int>("select version from delivery where delivery_id = 1"));
    }

    [Theory]
    [InlineData("retry", "dead")]
    [InlineData("hold", "due")]
    [InlineData("replay", "delivered")]
    public async Task Of_two_people_who_decide_at_once_one_does(string verb, string state)
    {
        await using var outbox = await Outbox.CreateAsync();
        var decide = Verbs(outbox.Node().GetRequiredService<DeliveryDecisions>()).Single(v => v.Verb == verb).Decide;
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.org"), 20, 1);
        await outbox.Database.ExecuteAsync($"update delivery set state = '{state}', dead_reason = case when '{state}' = 'dead' then 'refused' end");
        for (var id = 1L; id <= 20; id++)
        {
            // Without a version too: the state, and the index of open replays, are enough.
            int? version = id % 2 == 0 || verb == "retry" ? 1 : null;
            var both = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(() => decide(id, version))));
            Assert.Single(both, d => d.Refusal is null);
        }
        Assert.Equal(20, await outbox.CountAsync("state = 'due'"));
        Assert.Equal(20, await outbox.Database.ScalarAsync<long>("select count(*) from delivery_decision"));
    }

    [Theory]
    [InlineData("state = 'dead', dead_reason = 'refused'", "retry")]
    [InlineData("state = 'closed', held_by = 'Ada', held_why = 'why'", "reopen")]
    public async Task A_replay_is_not_opened_again_while_another_of_the_same_delivery_is(string first, string verb)
    {
        await using var outbox = await Outbox.CreateAsync();
        var decisions = outbox.Node().GetRequiredService<DeliveryDecisions>();
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.org"), 1, 1);
        await outbox.Database.ExecuteAsync("update delivery set state = 'delivered'");
        var one = (await decisions.ReplayAsync(Person, 1, null, "why", CancellationToken.None)).Created!.Value;
        await outbox.Database.ExecuteAsync($"update delivery set {first} where delivery_id = {one}");
        var two = (await decisions.ReplayAsync(Person, 1, null, "why", CancellationToken.None)).Created!.Value;
        var decide = Verbs(decisions).Single(v => v.Verb == verb).Decide;
        Assert.Contains("Another replay", (await decide(one, null)).Refusal, StringComparison.Ordinal);
        await outbox.Database.ExecuteAsync($"update delivery set state = 'delivered' where delivery_id = {two}");
        Assert.Null((await decide(one, null)).Refusal);
    }

    [Fact]
    public async Task A_delivery_that_is_being_sent_cannot_be_retried_at_the_same_time()
    {
        await using var outbox = await Outbox.CreateAsync();
        var node = outbox.Node();
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.org"), 1, 1);
        Assert.Single(await node.GetRequiredService<DeliveryQueue>().ClaimAsync(1, 1, CancellationToken.None));
        Assert.NotNull((await node.GetRequiredService<DeliveryDecisions>().RetryAsync(Person, 1, null, "Hurry", CancellationToken.None)).Refusal);
    }

    private static Task SetAsync(Outbox outbox, string state) => outbox.Database.ExecuteAsync(state == "held"
        ? "update delivery set held_by = 'Ada', held_why = 'why'"
        : $"update delivery set state = '{state}', dead_reason = case when '{state}' in ('dead', 'closed') then 'refused' end");

    private static (string Verb, Func<long, int?, Task<Decided>> Decide)[] Verbs(DeliveryDecisions d) =>
    [
        ("retry", (id, version) => d.RetryAsync(Person, id, version, "why", CancellationToken.None)),
        ("hold", (id, version) => d.HoldAsync(Person, id, version, "why", null, CancellationToken.None)),
        ("resume", (id, version) => d.ResumeAsync(Person, id, version, "why", CancellationToken.None)),
        ("close", (id, version) => d.CloseAsync(Person, id, version, "why", CancellationToken.None)),
        ("replay", (id, version) => d.ReplayAsync(Person, id, version, "why", CancellationToken.None)),
        ("reopen", (id, version) => d.ReopenAsync(Person, id, version, "why", CancellationToken.None)),
    ];
}
