using FsCheck;
using FsCheck.Fluent;
using Gateway.Hub;
using Gateway.Tests.Units;

namespace Gateway.Tests.Hub;

using static Said;

/// <summary>A hub answers in parts, twice, late and in any order, and what is known in the end is the same.</summary>
public sealed class TakeAnswerTests
{
    private static readonly (string, string)[] Everywhere = [("DE", "distributed"), ("FR", "distributed")];

    [Fact]
    public async Task Of_a_partial_failure_only_what_failed_is_sent_again()
    {
        await using var story = await ReleasedAsync(maxSerials: 4, packs: 10);
        var messages = await story.MessagesAsync();
        Assert.Equal(3, messages.Length);
        Assert.True(await story.AnswerAsync(messages[0], HubStatus.Accepted, Everywhere));
        Assert.True(await story.AnswerAsync(messages[1], HubStatus.Partial, Everywhere, new FailedPack("U000006", "T1", true), new FailedPack("U000007", "A16", false)));
        Assert.True(await story.AnswerAsync(messages[2], HubStatus.Accepted, Everywhere));
        // What is temporary goes again by itself, after a while; of the rest a person is told, with the pack.
        Assert.Equal(0, await story.ComposeAsync());
        await story.Ledger.Gateway.Database.AdvanceAsync(TimeSpan.FromSeconds(3));
        Assert.Equal(1, await story.ComposeAsync());
        Assert.Equal("U000006", await story.TextAsync("select serial from hub_pack join hub_message using (hub_chunk_id) order by delivery_id desc limit 1"));
        Assert.Equal("hub.packs 09521234001010 L1 9521234000907 https://id.gs1.org/01/09521234001010/21/U000007", await story.TextAsync("select concat_ws(' ', code, source_id, (select string_agg(epc, ',') from exception_unit u where u.exception_id = e.exception_id)) from exception e where state = 'open'"));
        await story.AnswerAsync(await story.MessageAsync(), HubStatus.Accepted, Everywhere);
        Assert.Equal("failed", (await LotAsync(story)).State);

        Assert.Equal(1, (await story.Get<ReleaseLot>().ResendAsync(HubStory.Person, story.Hub, HubStory.Gtin, "L1", "corrected", CancellationToken.None)).Units);
        Assert.NotNull((await story.Get<ReleaseLot>().ResendAsync(HubStory.Person, story.Hub, HubStory.Gtin, "L1", "twice", CancellationToken.None)).Refusal);
        Assert.Equal(1, await story.ComposeAsync());
        Assert.Equal("uploading", (await LotAsync(story)).State);
        await story.AnswerAsync(await story.MessageAsync(), HubStatus.Accepted, Everywhere);
        var lot = await LotAsync(story);
        Assert.Equal(("distributed", 10L, 0L), (lot.State, lot.Units, lot.Failed));
        Assert.All(lot.Markets, m => Assert.Equal(10, m.Confirmed));
        Assert.Equal("resolved", await story.TextAsync("select string_agg(state, ',') from exception"));
    }

    [Fact]
    public async Task What_the_hub_calls_temporary_for_ever_comes_to_a_person_in_the_end()
    {
        await using var story = await ReleasedAsync(maxSerials: 10, packs: 2);
        for (var round = 1; round <= 6; round++)
        {
            Assert.Equal(round, (await story.MessagesAsync()).Length);
            await story.AnswerAsync(await story.MessageAsync(), HubStatus.Partial, Everywhere, new FailedPack("U000001", "T1", true));
            await story.Ledger.Gateway.Database.AdvanceAsync(TimeSpan.FromMinutes(20));
            Assert.Equal(round < 6 ? 1 : 0, await story.ComposeAsync());
        }
        Assert.Equal("hub.packs open", await story.TextAsync("select string_agg(code || ' ' || state, ',') from exception"));
    }

    [Fact]
    public async Task A_message_that_is_refused_whole_has_all_its_packs_to_be_sent_again()
    {
        await using var story = await ReleasedAsync(maxSerials: 10, packs: 4);
        Assert.True(await story.AnswerAsync(await story.MessageAsync(), HubStatus.Refused, []));
        var lot = await LotAsync(story);
        Assert.Equal(("failed", 4L, 4L), (lot.State, lot.Units, lot.Failed));
        Assert.All(lot.Markets, m => Assert.Equal(0, m.Confirmed));
        Assert.Equal(4, (await story.Get<ReleaseLot>().ResendAsync(HubStory.Person, story.Hub, HubStory.Gtin, "L1", "corrected", CancellationToken.None)).Units);
        Assert.Equal(1, await story.ComposeAsync());
        await story.AnswerAsync(await story.MessageAsync(), HubStatus.Accepted, Everywhere);
        Assert.Equal("distributed", (await LotAsync(story)).State);
    }

    [Fact]
    public async Task What_a_market_did_not_take_is_told_again_and_a_market_that_has_it_calls_it_known()
    {
        await using var story = await ReleasedAsync(maxSerials: 10, packs: 3);
        Assert.True(await story.AnswerAsync(await story.MessageAsync(), HubStatus.Partial, [("DE", "distributed"), ("FR", "failed")]));
        Assert.Equal("failed", (await LotAsync(story)).State);
        Assert.Contains("Not told: FR.", await story.TextAsync("select message from exception where state = 'open'"), StringComparison.Ordinal);
        Assert.Equal(3, (await story.Get<ReleaseLot>().ResendAsync(HubStory.Person, story.Hub, HubStory.Gtin, "L1", "France is back", CancellationToken.None)).Units);
        Assert.Equal(1, await story.ComposeAsync());
        await story.AnswerAsync(await story.MessageAsync(), HubStatus.Partial, Everywhere, new FailedPack("U000001", "A7", false), new FailedPack("U000002", "A7", false), new FailedPack("U000003", "A7", false));
        var lot = await LotAsync(story);
        Assert.Equal(("distributed", 0L), (lot.State, lot.Failed));
        Assert.All(lot.Markets, m => Assert.Equal(3, m.Confirmed));
        Assert.Equal("resolved", await story.TextAsync("select string_agg(state, ',') from exception"));
    }

    [Fact]
    public async Task What_each_market_has_taken_with_one_message_or_another_is_not_told_once_more()
    {
        await using var story = await ReleasedAsync(maxSerials: 10, packs: 3);
        await story.AnswerAsync(await story.MessageAsync(), HubStatus.Partial, [("DE", "distributed"), ("FR", "failed")], new FailedPack("U000003", "A16", false));
        Assert.Equal(3, (await story.Get<ReleaseLot>().ResendAsync(HubStory.Person, story.Hub, HubStory.Gtin, "L1", "France is back", CancellationToken.None)).Units);
        // What no market has goes by itself, so that a market has all of a message or nothing of it.
        Assert.Equal(2, await story.ComposeAsync());
        Assert.Equal("1 U000003,2 U000001 U000002", await story.TextAsync("select string_agg(c.ordinal || ' ' || s, ',' order by c.ordinal) from (select hub_chunk_id, string_agg(serial, ' ' order by serial) as s from hub_pack group by 1) p join hub_chunk c using (hub_chunk_id)"));
        var messages = await story.MessagesAsync();
        await story.AnswerAsync(messages[1], HubStatus.Accepted, Everywhere);
        await story.AnswerAsync(messages[2], HubStatus.Accepted, [("DE", "failed"), ("FR", "distributed")]);
        var lot = await LotAsync(story);
        Assert.Equal(("distributed", 0L), (lot.State, lot.Failed));
        Assert.All(lot.Markets, m => Assert.Equal(("distributed", 3), (m.State, m.Confirmed)));
        Assert.Contains("Of nothing that was sent", (await story.Get<ReleaseLot>().ResendAsync(HubStory.Person, story.Hub, HubStory.Gtin, "L1", "once more", CancellationToken.None)).Refusal, StringComparison.Ordinal);
        Assert.Equal("resolved", await story.TextAsync("select string_agg(state, ',') from exception"));
    }

    [Fact]
    public async Task What_has_been_destroyed_since_it_was_released_is_not_told_again()
    {
        await using var story = await ReleasedAsync(maxSerials: 10, packs: 3);
        await story.AnswerAsync(await story.MessageAsync(), HubStatus.Partial, Everywhere, new FailedPack("U000001", "T1", true), new FailedPack("U000002", "A16", false));
        await story.Ledger.CaptureAsync(At(5, Ended(Plant, "destroying", "destroyed", Pack(2))));
        var again = await story.Get<ReleaseLot>().ResendAsync(HubStory.Person, story.Hub, HubStory.Gtin, "L1", "corrected", CancellationToken.None);
        Assert.Contains("1 destroyed", again.Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answers_and_people_who_send_again_at_once_tell_each_pack_once()
    {
        await using var story = await ReleasedAsync(maxSerials: 5, packs: 50);
        var messages = await story.MessagesAsync();
        Assert.Equal(10, messages.Length);
        await Task.WhenAll([.. messages.Select((m, n) => Task.Run(() => story.AnswerAsync(m, HubStatus.Partial, Everywhere, new FailedPack($"U{n * 5 + 1:000000}", "T1", true), new FailedPack($"U{n * 5 + 2:000000}", "A16", false)))),
            .. Enumerable.Range(0, 4).Select(_ => Task.Run(() => story.Get<ReleaseLot>().ResendAsync(HubStory.Person, story.Hub, HubStory.Gtin, "L1", "again", CancellationToken.None)))]);
        await story.Ledger.Gateway.Database.AdvanceAsync(TimeSpan.FromMinutes(1));
        await story.ComposeAsync();
        Assert.Equal("0 0", await story.TextAsync("""
            select concat_ws(' ', (select count(*) from hub_chunk c where not exists (select from hub_message m where m.hub_chunk_id = c.hub_chunk_id)),
                (select count(*) from hub_chunk c where c.round > 1 and c.units <> (select count(*) from hub_pack p where p.hub_chunk_id = c.hub_chunk_id)))
            """));
    }

    [Fact]
    public async Task Nobody_answers_for_another_hub_or_a_message_that_was_never_sent()
    {
        await using var story = await ReleasedAsync(maxSerials: 10, packs: 1);
        Assert.Null(await story.AnswerAsync(Guid.NewGuid(), HubStatus.Accepted, Everywhere));
        Assert.Null(await story.Get<TakeAnswer>().TakeAsync(HubStory.Person, story.Hub.PartnerId + 1, HubStory.Result(await story.MessageAsync(), HubStatus.Accepted, Everywhere), CancellationToken.None));
        Assert.Equal("uploading", (await LotAsync(story)).State);
    }

    [Fact]
    public async Task In_whatever_order_and_however_often_answers_come_the_end_is_the_same()
    {
        await using var story = await ReleasedAsync(maxSerials: 4, packs: 3);
        var message = await story.MessageAsync();
        var failed = new FailedPack("U000002", "A16", false);
        HubResult[] answers =
        [
            HubStory.Result(message, HubStatus.Pending, [("DE", "pending"), ("FR", "pending")]),
            HubStory.Result(message, HubStatus.Partial, [("DE", "pending"), ("FR", "pending")], failed),
            HubStory.Result(message, HubStatus.Partial, [("DE", "distributed"), ("FR", "pending")], failed),
            HubStory.Result(message, HubStatus.Partial, [("DE", "distributed"), ("FR", "distributed")], failed, new FailedPack("U000003", "A24", false)), // which a later market adds
        ];
        const string Forget = """
            set session_replication_role = replica;
            update hub_message set state = 'sent', answered_at = null, answer_id = null, failed = 0 where kind = 'pack data';
            update hub_message_market k set state = 'pending', confirmed_at = null where exists (select from hub_message m where m.delivery_id = k.delivery_id and m.kind = 'pack data');
            update hub_pack set fault = null; truncate exception cascade
            """;
        Prop.ForAll(Gen.Choose(0, answers.Length - 1).NonEmptyListOf().ToArbitrary(), order =>
        {
            story.Ledger.Gateway.Database.ExecuteAsync(Forget).GetAwaiter().GetResult();
            // The last word always comes in the end, for it is asked for until it was heard.
            foreach (var next in order.Append(answers.Length - 1))
            {
                story.Get<TakeAnswer>().TakeAsync(HubStory.Person, story.Hub.PartnerId, answers[next], CancellationToken.None).GetAwaiter().GetResult();
            }
            return "partial 2 | DE distributed, FR distributed | U000002 A16, U000003 A24 | hub.packs 1" == story.TextAsync("""
                select concat_ws(' | ', (select concat_ws(' ', state, failed) from hub_message where kind = 'pack data' and answered_at is not null),
                    (select string_agg(country || ' ' || k.state, ', ' order by country) from hub_message_market k join hub_message m using (delivery_id) where m.kind = 'pack data'),
                    (select string_agg(serial || ' ' || fault, ', ' order by serial) from hub_pack where fault is not null), (select string_agg(code || ' ' || occurrences, ', ') from exception where state = 'open'))
                """).GetAwaiter().GetResult();
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(40));
    }

    private static async Task<HubStory> ReleasedAsync(int maxSerials, int packs)
    {
        var story = await HubStory.StartAsync(maxSerials, knowsProducts: false);
        await story.ProductKnownAsync("DE", "FR");
        await story.Ledger.CaptureAsync(At(0, Commissioned(Packs(1, packs))));
        Assert.Null((await story.ReleaseAsync()).Refusal);
        await story.ComposeAsync();
        return story;
    }

    private static async Task<HubLot> LotAsync(HubStory story) => (await story.Get<HubLots>().FindAsync(HubStory.Person, story.Hub.PartnerId, HubStory.Gtin, "L1", CancellationToken.None))!;
}
