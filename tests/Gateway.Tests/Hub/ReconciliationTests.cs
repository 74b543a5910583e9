using FsCheck;
using FsCheck.Fluent;
using Gateway.Hub;
using Gateway.Tests.Units;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Hub;

using static Said;

/// <summary>What a market says it holds, against what the hub has confirmed: each difference to the serial number, and nothing else.</summary>
[Requirement("P11-41")]
public sealed class ReconciliationTests
{
    private static readonly (string, string)[] Everywhere = [("DE", "distributed"), ("FR", "distributed")];
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public void Two_ordered_streams_are_merged_as_two_sets_would_be_compared()
    {
        var pack = Gen.Choose(0, 40).Select(n => $"{(char)('A' + n % 3 + n / 30 * 32)}{n:00}");
        var ours = Gen.Choose(0, 3).Zip(pack).ListOf();
        var theirs = Gen.Choose(0, 1).Zip(pack).ListOf();
        Prop.ForAll(ours.Zip(theirs).ToArbitrary(), both =>
        {
            var believed = both.Item1.DistinctBy(p => p.Item2).Select(p => new BelievedPack(p.Item2, p.Item1 switch { 0 => null, 1 => "Supplied", _ => "Active" }, p.Item1 == 3)).ToDictionary(b => b.Serial);
            var held = both.Item2.DistinctBy(p => p.Item2).Select(p => new HeldPack(p.Item2, p.Item1 == 0 ? "Active" : "Stolen", null)).ToDictionary(h => h.Serial);
            var comparison = new HoldingComparison();
            var found = comparison.RunAsync(Stream(believed.Values.OrderBy(b => b.Serial, StringComparer.Ordinal)), Stream(held.Values.OrderBy(h => h.Serial, StringComparer.Ordinal))).Select(f => f.Difference).ToListAsync(Ct).AsTask().GetAwaiter().GetResult();
            var wanted = believed.Keys.Union(held.Keys).Order(StringComparer.Ordinal).Select(s => PackDifference.Between(s, believed.GetValueOrDefault(s), held.GetValueOrDefault(s))).OfType<PackDifference>();
            return wanted.SequenceEqual(found)
                && (comparison.Believed, comparison.Held, comparison.UnderWay) == (believed.Values.Count(b => b is { State: not null, IsUnderWay: false }), held.Count, believed.Values.Count(b => b.IsUnderWay));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300));
    }

    [Fact]
    public async Task A_million_packs_are_read_side_by_side_and_neither_ahead()
    {
        const int Packs = 1_000_000, Lost = 10;
        var (ours, theirs, ahead) = (0, 0, 0);
        var comparison = new HoldingComparison();
        var different = await comparison.RunAsync(Ours(), Theirs()).CountAsync(Ct);
        Assert.Equal((Lost, Packs, Packs - Lost), (different, comparison.Believed, comparison.Held));
        Assert.InRange(ahead, 1, Lost + 1);

        async IAsyncEnumerable<BelievedPack> Ours()
        {
            await Task.CompletedTask;
            for (; ours < Packs; ours++, ahead = Math.Max(ahead, Math.Abs(ours - theirs)))
            {
                yield return new BelievedPack($"S{ours:0000000}", "Active", false);
            }
        }

        async IAsyncEnumerable<HeldPack> Theirs()
        {
            await Task.CompletedTask;
            for (var n = 0; n < Packs; n++)
            {
                if (n % (Packs / Lost) != 7)
                {
                    theirs++;
                    yield return new HeldPack($"S{n:0000000}", "Active", null);
                }
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(100)]
    public async Task Differences_at_the_beginning_the_end_and_the_borders_of_pages_are_found_and_the_next_look_closes_what_is_right(int page)
    {
        await using var story = await ReleasedAsync(packs: 9);
        await story.AnswerAsync(await story.MessageAsync(), HubStatus.Partial, Everywhere, new FailedPack("U000005", "A16", false));
        // First and last are missing, before the first, behind the last and in the middle something is unexpected, and one is in another state.
        Says(story, "DE", "T1", "U000002", "U000003!Stolen", "U000004", "U000005", "U000006", "U000007", "U000008", "V1");
        Says(story, "FR", [.. Good()]);
        await AskAsync(story);
        Assert.True(await RunAsync(story, page));
        Assert.False(await RunAsync(story, page));
        Assert.Equal("DE T1 unexpected Active, DE U000001 missing Active, DE U000003 state Active Stolen, DE U000005 unexpected Active, DE U000009 missing Active, DE V1 unexpected Active", await OpenAsync(story));
        Assert.Equal("DE 8 9 0 2 3 1, FR 8 8 0 0 0 0", await CountsAsync(story));
        Assert.Equal("open 6", await story.TextAsync("select concat_ws(' ', state, unit_count) from exception where code = 'hub.holding'"));

        // One of each kind is right again, another kind takes the place of one, and one is new.
        Says(story, "DE", "U000001", "U000002", "U000003", "U000004!Locked", "U000005", "U000006", "U000007", "U000008", "U000009!Supplied");
        await AskAsync(story);
        Assert.True(await RunAsync(story, page));
        Assert.Equal("DE U000004 state Active Locked, DE U000005 unexpected Active, DE U000009 state Active Supplied", await OpenAsync(story));
        Assert.Equal("5", await story.TextAsync("select count(*) from hub_difference where closed_run = (select max(hub_reconciliation_id) from hub_reconciliation)"));
        Assert.Equal("open 7", await story.TextAsync("select concat_ws(' ', state, unit_count) from exception where code = 'hub.holding'"));

        Says(story, "DE", [.. Good()]);
        await AskAsync(story);
        Assert.True(await RunAsync(story, page));
        Assert.Equal("", await OpenAsync(story));
        Assert.Equal("resolved", await story.TextAsync("select string_agg(state, ',') from exception where code = 'hub.holding'"));
        Assert.Equal((0L, 3), ((await story.Get<HubReconciliations>().DifferingAsync(HubStory.Person, story.Hub.PartnerId, 5, Ct)).Count, int.Parse(await story.TextAsync("select count(*) from hub_reconciliation where state = 'done'"), null)));

        static IEnumerable<string> Good() => Enumerable.Range(1, 9).Where(n => n != 5).Select(n => $"U00000{n}");
    }

    [Fact]
    public async Task What_is_not_answered_yet_is_under_way_and_no_difference()
    {
        await using var story = await ReleasedAsync(packs: 4, maxSerials: 2);
        var messages = await story.MessagesAsync();
        await story.AnswerAsync(messages[0], HubStatus.Accepted, Everywhere);
        Says(story, "DE", "U000001", "U000002", "U000003");
        Says(story, "FR", "U000001", "U000002");
        await AskAsync(story);
        await RunAsync(story);
        Assert.Equal("", await OpenAsync(story));
        Assert.Equal("DE 2 3 2 0 0 0, FR 2 2 2 0 0 0", await CountsAsync(story));
        // What a market did not take is not believed of it, and of the others it is.
        await story.AnswerAsync(messages[1], HubStatus.Partial, [("DE", "distributed"), ("FR", "failed")]);
        Says(story, "DE", "U000001", "U000002", "U000003", "U000004");
        await AskAsync(story);
        await RunAsync(story);
        Assert.Equal("", await OpenAsync(story));
        Assert.Equal("DE 4 4 0 0 0 0, FR 2 2 0 0 0 0", await CountsAsync(story));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(100)]
    public async Task What_is_answered_while_a_market_is_read_is_no_difference(int page)
    {
        await using var story = await ReleasedAsync(packs: 4, maxSerials: 2);
        var messages = await story.MessagesAsync();
        await story.AnswerAsync(messages[0], HubStatus.Accepted, Everywhere);
        Says(story, "FR", "U000001", "U000002");
        story.Holding = country => country == "FR" ? story.Held["FR"].ToAsyncEnumerable() : Late();
        await AskAsync(story);
        await RunAsync(story, page);
        Assert.Equal("", await OpenAsync(story));

        // The market was read before it stored the second message; and a pack is released and reported meanwhile.
        async IAsyncEnumerable<HeldPack> Late()
        {
            yield return new("U000001", "Active", null);
            await story.AnswerAsync(messages[1], HubStatus.Accepted, Everywhere);
            await story.Ledger.CaptureAsync(At(3, Commissioned(Packs(9, 1))));
            Assert.Null((await story.ReleaseAsync()).Refusal);
            yield return new("U000002", "Active", null);
            yield return new("U000009", "Active", null);
        }
    }

    [Fact]
    public async Task A_hub_that_stops_in_the_middle_leaves_nothing_half_told_and_is_asked_again_later()
    {
        await using var story = await ReleasedAsync(packs: 3);
        await story.AnswerAsync(await story.MessageAsync(), HubStatus.Accepted, Everywhere);
        Says(story, "DE", "U000002", "U000003");
        Says(story, "FR", "U000001", "U000002", "U000003");
        await AskAsync(story);
        await RunAsync(story);
        Assert.Equal("DE U000001 missing Active", await OpenAsync(story));
        story.Holding = country => country == "DE" ? story.Held["DE"].Append(new("U000009", "Active", null)).ToAsyncEnumerable() : Broken();
        await AskAsync(story);
        Assert.True(await RunAsync(story));
        Assert.Equal("failed timeout", await story.TextAsync("select concat_ws(' ', state, code) from hub_reconciliation order by hub_reconciliation_id desc limit 1"));
        Assert.Equal("DE U000001 missing Active", await OpenAsync(story));
        Assert.Equal("done 2", await story.TextAsync("select concat_ws(' ', (select state from hub_reconciliation where hub_reconciliation_id = min(m.hub_reconciliation_id)), count(*)) from hub_reconciliation_market m"));

        // By itself: not at once, and later each time.
        Assert.Equal("1 2 2", string.Join(' ', await PlannedAfterAsync(story, TimeSpan.FromMinutes(61)), await PlannedAfterAsync(story, TimeSpan.FromMinutes(61)), await PlannedAfterAsync(story, TimeSpan.FromMinutes(62))));

        static async IAsyncEnumerable<HeldPack> Broken()
        {
            await Task.CompletedTask;
            yield return new("U000001", "Active", null);
            throw new HubSilentException("timeout", "The hub did not tell what FR holds.");
        }
    }

    [Fact]
    public async Task A_lot_is_compared_when_all_of_it_is_answered_and_weekly_until_it_expires()
    {
        await using var story = await ReleasedAsync(packs: 2, maxSerials: 1);
        Says(story, "DE", "U000001", "U000002");
        Says(story, "FR", "U000001", "U000002");
        var plan = story.Get<PlanReconciliations>();
        var messages = await story.MessagesAsync();
        await story.AnswerAsync(messages[0], HubStatus.Accepted, Everywhere);
        await plan.RunAsync(Ct);
        Assert.False(await RunAsync(story));
        await story.AnswerAsync(messages[1], HubStatus.Accepted, Everywhere);
        await plan.RunAsync(Ct);
        await plan.RunAsync(Ct);
        Assert.True(await RunAsync(story));
        Assert.False(await RunAsync(story));
        await plan.RunAsync(Ct);
        Assert.False(await RunAsync(story));
        await story.Ledger.Gateway.Database.AdvanceAsync(TimeSpan.FromDays(5.2));
        await plan.RunAsync(Ct);
        Assert.False(await RunAsync(story));
        await story.Ledger.Gateway.Database.AdvanceAsync(TimeSpan.FromDays(1.9));
        await plan.RunAsync(Ct);
        Assert.True(await RunAsync(story));
        Assert.Equal("schedule done, schedule done", await story.TextAsync("select string_agg(cause || ' ' || state, ', ') from hub_reconciliation"));
        await story.Ledger.Gateway.Database.AdvanceAsync(TimeSpan.FromDays(365 * 3));
        await plan.RunAsync(Ct);
        Assert.False(await RunAsync(story));
    }

    [Fact]
    public async Task Of_very_many_differences_the_first_are_written_down_and_all_are_counted()
    {
        await using var story = await ReleasedAsync(packs: 9);
        await story.AnswerAsync(await story.MessageAsync(), HubStatus.Accepted, Everywhere);
        Says(story, "DE", "U000001", "U000002", "U000003", "U000004", "U000005", "U000006", "U000007", "U000008");
        Says(story, "FR", "U000001", "U000002", "U000003", "U000004", "U000005", "U000006", "U000007", "U000008");
        await AskAsync(story);
        await RunAsync(story);
        Assert.Equal("DE U000009 missing Active, FR U000009 missing Active", await OpenAsync(story));
        // What lies behind the last that is written down is not known to be right.
        Says(story, "DE");
        await AskAsync(story);
        await RunAsync(story, most: 4);
        Assert.Equal("DE 9 0 0 9 0 0, FR 9 8 0 1 0 0", await CountsAsync(story));
        Assert.Equal("4 6", await story.TextAsync("select concat_ws(' ', stored, (select count(*) from hub_difference where closed_at is null)) from hub_reconciliation order by hub_reconciliation_id desc limit 1"));
    }

    [Fact]
    public async Task Nothing_is_asked_of_a_lot_that_is_not_released_and_asking_twice_is_once()
    {
        await using var story = await ReleasedAsync(packs: 1);
        var traits = story.Get<Hubs>().Of("emvs").Traits;
        Assert.Contains("not released", await story.Get<HubReconciliations>().AskAsync(HubStory.Person, story.Hub, traits, HubStory.Gtin, "L9", Ct), StringComparison.Ordinal);
        Assert.Contains("does not tell", await story.Get<HubReconciliations>().AskAsync(HubStory.Person, story.Hub, traits with { TellsHolding = false }, HubStory.Gtin, "L1", Ct), StringComparison.Ordinal);
        await AskAsync(story);
        await AskAsync(story);
        Assert.Equal("1", await story.TextAsync("select count(*) from hub_reconciliation"));
    }

    private static async Task<int> PlannedAfterAsync(HubStory story, TimeSpan time)
    {
        await story.Get<PlanReconciliations>().RunAsync(Ct);
        await RunAsync(story);
        await story.Ledger.Gateway.Database.AdvanceAsync(time);
        return int.Parse(await story.TextAsync("select count(*) from hub_reconciliation where state = 'failed'"), null);
    }

    private static async IAsyncEnumerable<T> Stream<T>(IEnumerable<T> all)
    {
        await Task.CompletedTask;
        foreach (var one in all)
        {
            yield return one;
        }
    }

    private static async Task<HubStory> ReleasedAsync(int packs, int maxSerials = 100)
    {
        var story = await HubStory.StartAsync(maxSerials, knowsProducts: false);
        await story.ProductKnownAsync("DE", "FR");
        await story.Ledger.CaptureAsync(At(0, Commissioned(Packs(1, packs))));
        Assert.Null((await story.ReleaseAsync()).Refusal);
        await story.ComposeAsync();
        return story;
    }

    private static void Says(HubStory story, string country, params string[] packs)
    {
        story.Held[country] = [.. packs.Select(p => p.Split('!')).Select(p => new HeldPack(p[0], p.Length > 1 ? p[1] : "Active", null))];
        story.Holding = c => story.Held[c].ToAsyncEnumerable();
    }

    private static async Task AskAsync(HubStory story) => Assert.Null(await story.Get<HubReconciliations>().AskAsync(HubStory.Person, story.Hub, story.Get<Hubs>().Of("emvs").Traits, HubStory.Gtin, "L1", Ct));

    private static Task<bool> RunAsync(HubStory story, int page = 2, int most = 100) => new ReconcileLot(story.Database, story.Get<Hubs>(), NullLogger<ReconcileLot>.Instance) { Page = page, Batch = page, Most = most }.RunAsync(Ct);

    private static Task<string> OpenAsync(HubStory story) => story.TextAsync("select string_agg(concat_ws(' ', country, serial, kind, believed, held), ', ' order by country, serial) from hub_difference where closed_at is null");

    private static Task<string> CountsAsync(HubStory story) => story.TextAsync("""
        select string_agg(concat_ws(' ', country, believed, held, under_way, missing, unexpected, state), ', ' order by country) from hub_reconciliation_market where hub_reconciliation_id = (select max(hub_reconciliation_id) from hub_reconciliation where state = 'done')
        """);
}
