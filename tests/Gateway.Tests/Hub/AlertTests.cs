using FsCheck;
using FsCheck.Fluent;
using Gateway.Delivery.Channels;
using Gateway.Hub;
using Gateway.Tests.Units;

namespace Gateway.Tests.Hub;

using static Said;

/// <summary>What national systems raise is kept once, joins what it belongs to, and is matched with what was reported.</summary>
public sealed class AlertTests
{
    private static readonly CancellationToken Ct = CancellationToken.None;

    [Fact]
    public async Task Each_cause_is_found_by_its_facts()
    {
        await using var story = await HubStory.StartAsync(knowsProducts: false);
        await story.ProductKnownAsync("DE", "FR");
        await story.Ledger.CaptureAsync(At(0, Commissioned(Packs(1, 9))), At(0, Commissioned("L2", Packs(101, 3))), At(0, Commissioned("k-1", [Serial("aYz9"), Serial("Bc1O2"), Serial("q7Wa")])), At(1, Held(Pack(7))));
        Assert.Equal(8, (await story.ReleaseAsync()).Units);
        Assert.Equal(3, (await story.ReleaseAsync("k-1")).Units);
        Assert.Equal(2, await story.ComposeAsync());
        var messages = await story.MessagesAsync();
        await story.AnswerAsync(messages[0], HubStatus.Partial, [("DE", "distributed"), ("FR", "pending")], new FailedPack("U000009", "A16", false));
        await story.AnswerAsync(messages[1], HubStatus.Accepted, [("DE", "distributed"), ("FR", "distributed")]);
        await story.Ledger.CaptureAsync(At(5, Ended(Plant, "destroying", "destroyed", Pack(2))));
        var (later, earlier) = ((await NowAsync(story)).AddHours(1), (await NowAsync(story)).AddHours(-1));

        (HubAlert Alert, string Cause, string Says)[] expected =
        [
            (Alert("A3", "DE", "L1", "U000001", later), RootCause.Unexplained, "was in DE before the alert"),
            (Alert("A3", "FR", "L1", "U000004", later), RootCause.NotUploaded, "has not come there yet"),
            (Alert("A3", "AT", "L1", "U000005", later), RootCause.NotUploaded, "AT is no market of its lot"),
            (Alert("A3", "DE", "L1", "U000007", later), RootCause.NotUploaded, "was not among what was reported"),
            (Alert("A3", "DE", "L1", "U000009", later), RootCause.NotUploaded, "did not store it from the message"),
            (Alert("A3", "DE", "L2", "U000101", later), RootCause.NotUploaded, "its lot is not released"),
            (Alert("A2", "DE", "L2", null, later), RootCause.NotUploaded, "The lot L2 of 09521234001010 is ours and was not in DE"),
            (Alert("A3", "DE", "L1", "U000003", earlier), RootCause.UploadedAfter, "on the market before it was reported"),
            (Alert("A3", "FR", "L1", "U000006", later, user: "OBP"), RootCause.Overtaken, "is on its way to FR"),
            (Alert("A3", "DE", "L1", "U000008", earlier, user: "OBP"), RootCause.Overtaken, "after our own change of its state"),
            (Alert("A52", "DE", "L1", "U000001", later, expiry: "280800"), RootCause.WrongExpiry, "expires 280831 as it was reported; told was 280800: the day 00, where the last day of the month was reported"),
            (Alert("A52", "DE", "L1", "U000003", later, expiry: "290131"), RootCause.WrongExpiry, "told was 290131."),
            (Alert("A3", "DE", "L1", "u000001", later), RootCause.Misread, "upper and lower case"),
            (Alert("A3", "DE", "K-1", "AYZ9", later), RootCause.Misread, "upper and lower case changed; of the lot: upper and lower case changed"),
            (Alert("A3", "DE", "k-1", "aZy9", later), RootCause.Misread, "y and z exchanged"),
            (Alert("A3", "DE", "k-1", "a7Zq", later), RootCause.Misread, "French keyboard"),
            (Alert("A3", "DE", "k-1", "BcIO2", later), RootCause.Misread, "look alike"),
            (Alert("A68", "DE", "K-1", "aYz9", later), RootCause.Misread, "told was the lot K-1: upper and lower case changed"),
            (Alert("A2", "DE", "l1", null, later), RootCause.Misread, "The lot L1 of 09521234001010 is ours; told was the lot l1"),
            (Alert("A3", "DE", "U000001", "L1", later), RootCause.Misread, "in each other's place"),
            (Alert("A2", "DE", "L121U000001", null, later), RootCause.Misread, "the separator behind the lot was lost"),
            (Alert("A3", "DE", null, "U0000011728083110L1", later), RootCause.Misread, "expiry and lot came as part of it"),
            (Alert("A68", "DE", "L2", "U000001", later), RootCause.WrongLot, "is ours in the lot L1; told was the lot L2, which is ours too"),
            (Alert("A68", "DE", "Q9", "U000001", later), RootCause.WrongLot, "which is not ours"),
            (Alert("A7", "DE", "L1", "U000002", later), RootCause.AlreadyInState, "was destroyed here (2026-09-14 08:05:00 UTC)"),
            (Alert("A24", "DE", "L1", "U000001", later), RootCause.Unexplained, "another pack has its number"),
            (Alert("A3", "DE", "L1", "X99", later), RootCause.NotOurs, "The lot L1 of 09521234001010 is ours; the serial number X99 is not of it"),
            (Alert("A2", "DE", "L9", null, later), RootCause.NotOurs, "The product 09521234001010 is ours; the lot L9 is not"),
            (Alert("A2", "DE", "L1", "U000001", later) with { Product = "09521234002017" }, RootCause.NotOurs, "is not known here"),
            (Alert("A99", "DE", null, null, later), RootCause.Unexplained, "Only the product"),
        ];
        Assert.Equal(expected.Length, await TakeAsync(story, [.. expected.Select(e => e.Alert)]));
        await MatchAsync(story);
        var cases = await CasesAsync(story);
        Assert.Equal(expected.Length, cases.Count);
        var found = expected.Select(e => cases.Single(c => (c.Code, c.Product, c.Lot, c.Serial) == (e.Alert.Code, e.Alert.Product, e.Alert.Lot ?? "", e.Alert.Serial ?? ""))).ToList();
        Assert.Equal(expected.Select(e => $"{e.Alert.Code} {e.Alert.Lot} {e.Alert.Serial}: {e.Cause}"), found.Select((c, n) => $"{c.Code} {expected[n].Alert.Lot} {expected[n].Alert.Serial}: {c.Cause}"));
        Assert.All(expected.Zip(found), pair => Assert.Contains(pair.First.Says, pair.Second.Finding, StringComparison.Ordinal));
        // The message that a sentence speaks of can be opened, and what may be falsified is graver than the rest.
        Assert.All(found.Where(c => c.Finding!.Contains("the message", StringComparison.Ordinal)), c => Assert.Contains($"message {c.Delivery}", c.Finding, StringComparison.Ordinal));
        Assert.Equal("", await story.TextAsync($"""
            select string_agg(e.source_id || ' ' || e.severity, ', ') from hub_alert_case c full join exception e on e.code = 'hub.alert' and e.source_kind = 'hub' and e.source_id = c.case_id::text
            where c.case_id is null or e.state is distinct from 'open' or (e.severity = 'error') <> (c.cause = '{RootCause.NotOurs}')
            """));
        Assert.Equal("https://id.gs1.org/01/09521234001010/21/aYz9", await story.TextAsync("select string_agg(distinct u.epc, ',') from exception e join exception_unit u using (exception_id) join hub_alert_case c on c.case_id::text = e.source_id where c.serial in ('aZy9', 'AYZ9')"));
    }

    [Fact]
    public async Task What_is_sent_again_because_another_market_lacked_it_counts_from_when_a_market_had_it_first()
    {
        await using var story = await ReleasedAsync(3);
        await story.AnswerAsync(await story.MessageAsync(), HubStatus.Partial, [("DE", "distributed"), ("FR", "failed")]);
        var between = await NowAsync(story);
        await story.Ledger.Gateway.Database.AdvanceAsync(TimeSpan.FromHours(2));
        Assert.Equal(3, (await story.Get<ReleaseLot>().ResendAsync(HubStory.Person, story.Hub, HubStory.Gtin, "L1", "France is back", Ct)).Units);
        await story.ComposeAsync();
        await story.AnswerAsync(await story.MessageAsync(), HubStatus.Accepted, [("DE", "distributed"), ("FR", "distributed")]);
        await TakeAsync(story, Alert("A3", "DE", "L1", "U000001", between.AddHours(1)), Alert("A3", "FR", "L1", "U000002", between.AddHours(1)));
        await MatchAsync(story);
        Assert.Equal([RootCause.UploadedAfter, RootCause.Unexplained], (await CasesAsync(story)).Select(c => c.Cause));
    }

    [Fact]
    public async Task The_same_alert_is_one_and_those_of_a_pack_are_one_case_until_it_is_closed()
    {
        await using var story = await ReleasedAsync(3);
        var at = await NowAsync(story);
        var (first, second) = (Alert("A3", "DE", "L1", "U000001", at), Alert("A3", "FR", "L1", "U000001", at.AddMinutes(-5)));
        Assert.Equal(1, await TakeAsync(story, first, first));
        await MatchAsync(story);
        Assert.Equal(0, await TakeAsync(story, first));
        Assert.Equal(2, await TakeAsync(story, second, first, Alert("A7", "DE", "L1", "U000001", at)));
        await MatchAsync(story);
        var cases = await CasesAsync(story);
        Assert.Equal([("A7", 1, "DE"), ("A3", 2, "DE,FR")], cases.Select(c => (c.Code, c.Alerts, string.Join(',', c.Markets))));
        Assert.Equal((Cut(second.At), Cut(first.At)), (Cut(cases[1].FirstAt), Cut(cases[1].LastAt)));
        Assert.Equal("2", await story.TextAsync($"select occurrences from exception where source_id = '{cases[1].Id}' and state = 'open'"));

        var decide = story.Get<AlertCases>();
        Assert.Contains("closing is one of", await decide.DecideAsync(HubStory.Person, cases[1].Id, null, new AlertDecision("closed", "late"), Ct), StringComparison.Ordinal);
        Assert.Contains("reason", await decide.DecideAsync(HubStory.Person, cases[1].Id, null, new AlertDecision("investigating", " "), Ct), StringComparison.Ordinal);
        Assert.Null(await decide.DecideAsync(HubStory.Person, cases[1].Id, 1, new AlertDecision("investigating", "asked the wholesaler"), Ct));
        Assert.NotNull(await decide.DecideAsync(HubStory.Person, cases[1].Id, 1, new AlertDecision("open", "somebody else looked at version 1"), Ct));
        Assert.Null(await decide.DecideAsync(HubStory.Person, cases[1].Id, 2, new AlertDecision("closed", "released too late", "manufacturer process error"), Ct));
        Assert.NotNull(await decide.DecideAsync(HubStory.Person, cases[1].Id, null, new AlertDecision("open", "again"), Ct));
        var closed = (await decide.FindAsync(HubStory.Person, cases[1].Id, Ct))!;
        Assert.Equal(("closed", "manufacturer process error", cases[1].Cause, "released too late", "Gateway test"), (closed.State, closed.Closing, closed.RootCause, closed.Reason, closed.DecidedBy));
        Assert.Equal("resolved", await story.TextAsync($"select string_agg(state, ',') from exception where source_id = '{closed.Id}'"));

        // What was taken before the case was closed makes no case again; what is new makes another, which knows of it.
        Assert.Equal(0, await TakeAsync(story, second, first));
        Assert.Equal(2, (await CasesAsync(story)).Count);
        Assert.Equal(1, await TakeAsync(story, first, Alert("A3", "DE", "L1", "U000001", at.AddHours(1))));
        await MatchAsync(story);
        var again = (await CasesAsync(story))[0];
        Assert.Equal((closed.Id, 1, "open"), (again.Earlier, again.Alerts, again.State));
        Assert.Equal("open,resolved", await story.TextAsync($"select string_agg(state, ',' order by state) from exception where source_id in ('{closed.Id}', '{again.Id}')"));
        var (_, steps) = await decide.StoryAsync(HubStory.Person, closed.Id, Ct);
        Assert.Equal(["decided closed", "decided investigating", "proposed "], steps.Select(s => $"{s.Kind} {s.State}"));
    }

    [Fact]
    public async Task In_whatever_order_and_however_often_alerts_come_the_end_is_the_same()
    {
        await using var story = await ReleasedAsync(3);
        var at = await NowAsync(story);
        HubAlert[] all = [.. from serial in (string[])["U000001", "U000002", "X1"] from n in Enumerable.Range(0, 4) select Alert(n < 3 ? "A3" : "A7", n % 2 == 0 ? "DE" : "FR", "L1", serial, at.AddMinutes(n))];
        const string Forget = "set session_replication_role = replica; truncate hub_alert, hub_alert_case, hub_alert_step, exception cascade";
        const string Seen = """
            select string_agg(concat_ws(' ', code, serial, alerts, array_to_string(markets, '+'), extract(epoch from last_at - first_at)::int), ', ' order by code, serial) || ' ' || (select count(*) || ' ' || (select sum(occurrences) from exception) from hub_alert) from hub_alert_case
            """;
        await TakeAsync(story, all);
        await MatchAsync(story);
        var once = await story.TextAsync(Seen);
        Assert.Contains("A3 U000001 3 DE+FR 120, ", once, StringComparison.Ordinal);
        Assert.EndsWith(" 12 12", once, StringComparison.Ordinal);
        Prop.ForAll(Gen.Choose(0, all.Length - 1).ListOf().Select(l => l.ToList()).ListOf().ToArbitrary(), documents =>
        {
            story.Ledger.Gateway.Database.ExecuteAsync(Forget).GetAwaiter().GetResult();
            foreach (var document in documents)
            {
                TakeAsync(story, [.. document.Select(n => all[n])]).GetAwaiter().GetResult();
                MatchAsync(story).GetAwaiter().GetResult();
            }
            TakeAsync(story, all).GetAwaiter().GetResult();
            MatchAsync(story).GetAwaiter().GetResult();
            return once == story.TextAsync(Seen).GetAwaiter().GetResult();
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(15));
    }

    [Fact]
    public async Task What_is_told_at_once_from_two_sides_and_closed_meanwhile_is_kept_once()
    {
        await using var story = await ReleasedAsync(3);
        var at = await NowAsync(story);
        HubAlert[] all = [.. Enumerable.Range(0, 60).Select(n => Alert("A3", "DE", "L1", $"U00000{n % 3 + 1}", at.AddSeconds(n)))];
        await Task.WhenAll([.. Enumerable.Range(0, 6).Select(k => Task.Run(async () =>
        {
            foreach (var some in all.Skip(k * 7).Concat(all).Chunk(9))
            {
                await TakeAsync(story, some);
                await story.Get<MatchAlerts>().RunAsync(Ct);
            }
        })), Task.Run(async () =>
        {
            for (var n = 0; n < 10; n++)
            {
                foreach (var open in (await CasesAsync(story)).Where(c => c.State != "closed"))
                {
                    await story.Get<AlertCases>().DecideAsync(HubStory.Person, open.Id, null, new AlertDecision("closed", "settled", "false alert"), Ct);
                }
            }
        })]);
        await MatchAsync(story);
        Assert.Equal("60 60", await story.TextAsync("select concat_ws(' ', (select count(*) from hub_alert), (select sum(alerts) from hub_alert_case))"));
        Assert.Equal("", await story.TextAsync("select string_agg(case_id::text, ',') from hub_alert_case c where alerts <> (select count(*) from hub_alert a where a.case_id = c.case_id) or earlier_id is null and exists (select from hub_alert_case e where e.serial = c.serial and e.case_id < c.case_id)"));
        // Who closes takes the exception away, and nothing that is open is without one.
        Assert.Equal("", await story.TextAsync("select string_agg(case_id::text, ',') from hub_alert_case c where state <> 'closed' and not exists (select from exception e where e.source_id = c.case_id::text and e.state = 'open')"));
    }

    [Fact]
    public async Task A_crash_between_two_pages_or_within_one_loses_nothing_and_doubles_nothing()
    {
        var asked = new List<long>();
        await using var story = await HubStory.StartAsync(alerts: Pages(asked, 3, 4));
        const string Break = "create function broken() returns trigger language plpgsql as $$ begin if new.place = 8 then raise exception 'the node has died'; end if; return new; end $$; create trigger broken before update on hub_alert_stream for each row execute function broken()";
        await story.Ledger.Gateway.Database.ExecuteAsync(Break);
        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => story.Get<FetchAlerts>().RunAsync(Ct));
        Assert.Equal("4 4", await story.TextAsync("select concat_ws(' ', (select count(*) from hub_alert), (select place from hub_alert_stream))"));
        Assert.False(await story.Get<FetchAlerts>().RunAsync(Ct)); // it is another node's, for all that is known
        await story.Ledger.Gateway.Database.ExecuteAsync("drop trigger broken on hub_alert_stream");
        await story.Ledger.Gateway.Database.AdvanceAsync(TimeSpan.FromMinutes(3));
        Assert.True(await story.Get<FetchAlerts>().RunAsync(Ct));
        Assert.False(await story.Get<FetchAlerts>().RunAsync(Ct));
        Assert.Equal("12 12 12", await story.TextAsync("select concat_ws(' ', (select count(*) from hub_alert), (select place from hub_alert_stream), (select sum(alerts) from hub_alert_case))"));
        Assert.Equal([0, 4, 4, 8, 12], asked);
        await story.Ledger.Gateway.Database.AdvanceAsync(TimeSpan.FromMinutes(1));
        Assert.True(await story.Get<FetchAlerts>().RunAsync(Ct));
        Assert.Equal(12, asked[^1]);
        Assert.Equal("12", await story.TextAsync("select count(*) from hub_alert"));
    }

    [Fact]
    public async Task Only_one_node_asks_a_hub_and_only_one_that_is_live_is_asked()
    {
        var (asked, meanwhile) = (new List<long>(), (bool?)null);
        var pages = Pages(asked, 40, 2);
        HubStory? other = null;
        await using var story = await HubStory.StartAsync(alerts: after =>
        {
            // While the first page is waited for, nobody else asks.
            meanwhile ??= asked.Count == 0 ? Task.Run(() => other!.Get<FetchAlerts>().RunAsync(Ct)).GetAwaiter().GetResult() : null;
            return pages(after);
        });
        other = story;
        await story.Ledger.Gateway.Database.ExecuteAsync("select set_config('app.actor', 'test', false); update partner set state = 'paused', pause_reason = 'x' where channel = 'hub'");
        Assert.False(await story.Get<FetchAlerts>().RunAsync(Ct));
        Assert.Empty(asked);
        await story.Ledger.Gateway.Database.ExecuteAsync("select set_config('app.actor', 'test', false); update partner set state = 'active', pause_reason = null where channel = 'hub'");
        Assert.Single(await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => story.Get<FetchAlerts>().RunAsync(Ct)))), ran => ran);
        Assert.False(meanwhile);
        // A hub that has very many leaves the others their turn, and goes on at once.
        Assert.Equal("40", await story.TextAsync("select place from hub_alert_stream"));
        while (await story.Get<FetchAlerts>().RunAsync(Ct))
        {
        }
        Assert.Equal("80 80", await story.TextAsync("select concat_ws(' ', (select count(*) from hub_alert), (select place from hub_alert_stream))"));
        Assert.Equal(asked.Distinct(), asked);
        await story.Ledger.Gateway.Database.ExecuteAsync("select set_config('app.actor', 'test', false); update partner set state = 'paused', pause_reason = 'x' where channel = 'hub'");
        await story.Ledger.Gateway.Database.AdvanceAsync(TimeSpan.FromMinutes(5));
        Assert.False(await story.Get<FetchAlerts>().RunAsync(Ct));
    }

    [Fact]
    public async Task A_hub_that_does_not_answer_is_asked_again_and_since_when_it_fails_is_known()
    {
        var answers = new Queue<(ChannelAnswer, AlertPage?)>([(new ChannelAnswer(AnswerMeaning.Retry, Verdict.Theirs, "http-503"), null), (new ChannelAnswer(AnswerMeaning.Retry, Verdict.Network, "timeout"), null)]);
        await using var story = await HubStory.StartAsync(alerts: after => answers.TryDequeue(out var answer) ? answer : (new ChannelAnswer(AnswerMeaning.Accepted, Verdict.Ok, "ok"), new AlertPage([], after)));
        var fetch = story.Get<FetchAlerts>();
        Assert.True(await fetch.RunAsync(Ct));
        var since = (await fetch.StateAsync(HubStory.Person, story.Hub.PartnerId, Ct))!;
        Assert.Equal(("http-503", null), (since.Error, since.AskedAt));
        Assert.False(await fetch.RunAsync(Ct));
        await story.Ledger.Gateway.Database.AdvanceAsync(TimeSpan.FromMinutes(1));
        Assert.True(await fetch.RunAsync(Ct));
        Assert.Equal(("timeout", since.FailingSince), (await fetch.StateAsync(HubStory.Person, story.Hub.PartnerId, Ct)) is { } still ? (still.Error, still.FailingSince) : default);
        await story.Ledger.Gateway.Database.AdvanceAsync(TimeSpan.FromMinutes(1));
        Assert.True(await fetch.RunAsync(Ct));
        var well = (await fetch.StateAsync(HubStory.Person, story.Hub.PartnerId, Ct))!;
        Assert.Equal((null, null, true), (well.Error, well.FailingSince, well.AskedAt is not null));
        Assert.Equal("0", await story.TextAsync("select count(*) from exception"));
    }

    [Fact]
    public async Task What_becomes_known_later_changes_what_is_proposed_until_the_case_is_closed()
    {
        await using var story = await HubStory.StartAsync(knowsProducts: false);
        await story.ProductKnownAsync("DE");
        await story.Ledger.CaptureAsync(At(0, Commissioned(Packs(1, 2))));
        var at = await NowAsync(story);
        await TakeAsync(story, Alert("A3", "DE", "L1", "U000003", at), Alert("A3", "DE", "L1", "U000001", at));
        await MatchAsync(story);
        Assert.Equal("U000001 not uploaded warning, U000003 not ours error", await ProposedAsync());
        var closed = (await CasesAsync(story)).Single(c => c.Serial == "U000001");
        Assert.Null(await story.Get<AlertCases>().DecideAsync(HubStory.Person, closed.Id, null, new AlertDecision("closed", "another look", "manufacturer process error", RootCause.WrongLot), Ct));

        // The line's document came late; and then the lot was released.
        await story.Ledger.CaptureAsync(At(1, Commissioned(Pack(3))));
        await story.Ledger.Gateway.Database.AdvanceAsync(TimeSpan.FromHours(2));
        await MatchAsync(story);
        Assert.Equal("U000003 not uploaded warning", await ProposedAsync());
        await story.ReleaseAsync();
        await story.ComposeAsync();
        await story.AnswerAsync(await story.MessageAsync(), HubStatus.Accepted, [("DE", "distributed")]);
        await story.Ledger.Gateway.Database.AdvanceAsync(TimeSpan.FromSeconds(11));
        await MatchAsync(story);
        Assert.Equal("U000003 uploaded after the alert warning", await ProposedAsync());
        Assert.False(await story.Get<MatchAlerts>().RunAsync(Ct)); // nothing has changed since
        closed = (await CasesAsync(story)).Single(c => c.Serial == "U000001");
        Assert.Equal((RootCause.NotUploaded, RootCause.WrongLot), (closed.Cause, closed.RootCause));

        Task<string> ProposedAsync() => story.TextAsync("""
            select string_agg(concat_ws(' ', c.serial, c.cause, e.severity), ', ' order by c.serial) from hub_alert_case c join exception e on e.source_id = c.case_id::text and e.state = 'open'
            """);
    }

    [Fact]
    public async Task A_suspected_falsification_is_closed_as_a_case_and_stays_open_before_people()
    {
        await using var story = await ReleasedAsync(1);
        await TakeAsync(story, Alert("A3", "DE", "L1", "X1", await NowAsync(story)));
        await MatchAsync(story);
        var suspect = Assert.Single(await CasesAsync(story));
        Assert.Null(await story.Get<AlertCases>().DecideAsync(HubStory.Person, suspect.Id, null, new AlertDecision("closed", "the print is not ours", RootCause.SuspectedFalsification), Ct));
        Assert.Equal("open error 2", await story.TextAsync("select concat_ws(' ', state, severity, occurrences) from exception"));
        Assert.Contains("the print is not ours", await story.TextAsync("select string_agg(text, ' ') from exception_note"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_hub_stores_with_a_warning_is_shown_and_put_before_a_person()
    {
        await using var story = await ReleasedAsync(2);
        var message = await story.MessageAsync();
        var result = HubStory.Result(message, HubStatus.Accepted, [("DE", "distributed"), ("FR", "distributed")]) with { Code = "A67", Text = "The lot is close to its expiry." };
        Assert.True(await story.Get<TakeAnswer>().TakeAsync(HubStory.Person, story.Hub.PartnerId, result, Ct));
        Assert.True(await story.Get<TakeAnswer>().TakeAsync(HubStory.Person, story.Hub.PartnerId, result, Ct));
        Assert.Equal("hub.warning warning 1 09521234001010 L1 9521234000907: The hub took a message of the lot L1 with A67: The lot is close to its expiry.", await story.TextAsync("select code || ' ' || severity || ' ' || occurrences || ' ' || source_id || ': ' || message from exception where state = 'open'"));
        var lot = (await story.Get<HubLots>().FindAsync(HubStory.Person, story.Hub.PartnerId, HubStory.Gtin, "L1", Ct))!;
        Assert.Equal("distributed", lot.State);
        Assert.Equal(("accepted", "A67"), (await story.Get<HubLots>().StoryAsync(HubStory.Person, lot.Id, Ct)).Messages.Single() is var m ? (m.State, m.Code) : default);
    }

    [Fact]
    public void What_is_no_page_of_alerts_is_refused_with_its_place()
    {
        var ns = """xmlns="urn:open-serialization-gateway:hub:1" """;
        var page = Read($"""<Alerts {ns}last="7"><Alert id="DE-1" code="A3" country="DE" at="2026-11-23T10:00:00Z" product="09521234001010" sn="a&amp;&lt;1">Not found.</Alert><Alert id="DE-2" code="Z1" country="DE" at="2026-11-23T11:00:00+01:00" product="x" lot=" L" expiry="281200" user="OBP"/></Alerts>""");
        Assert.Equal((7, 2), (page.Last, page.Alerts.Count));
        Assert.Equal(new HubAlert("DE-1", "A3", "DE", new DateTime(2026, 11, 23, 10, 0, 0, DateTimeKind.Utc), "09521234001010", null, null, "a&<1", null, "Not found."), page.Alerts[0]);
        Assert.Equal(new HubAlert("DE-2", "Z1", "DE", new DateTime(2026, 11, 23, 10, 0, 0, DateTimeKind.Utc), "x", " L", "281200", null, "OBP", ""), page.Alerts[1]);
        foreach (var (wrong, why) in ((string, string)[])[($"<Alerts {ns}/>", "last is no number"), ($"""<Alerts {ns}last="1"><Alert code="A3" country="DE" at="2026-11-23T10:00:00Z" product="x"/></Alerts>""", "id is missing"),
            ($"""<Alerts {ns}last="1"><Alert id="1" code="A3" country="DE" product="x"/></Alerts>""", "at is missing"), ($"""<Alerts {ns}last="1"><Other/></Alerts>""", "Other is not expected"), ($"<Result {ns}/>", "Result is not Alerts"),
            ($"""<Alerts {ns}last="1"><Alert id="1" code="A3" country="DE" at="2026-11-23T10:00:00Z" product="x" lot="{new string('L', 201)}"/></Alerts>""", "lot has more than 200"), ("<Alerts last='1'/>", "no message of its own")])
        {
            Assert.Contains(why, Assert.Throws<HubAnswerException>(() => Read(wrong)).Message, StringComparison.Ordinal);
        }

        static AlertPage Read(string xml) => Gateway.Hub.Emvs.EmvsAnswers.ReadAlerts(System.Text.Encoding.UTF8.GetBytes(xml));
    }

    private static async Task<HubStory> ReleasedAsync(int packs)
    {
        var story = await HubStory.StartAsync(knowsProducts: false);
        await story.ProductKnownAsync("DE", "FR");
        await story.Ledger.CaptureAsync(At(0, Commissioned(Packs(1, packs))));
        Assert.Null((await story.ReleaseAsync()).Refusal);
        Assert.Equal(1, await story.ComposeAsync());
        return story;
    }

    private static int s_raised;

    private static HubAlert Alert(string code, string country, string? lot, string? serial, DateTime at, string? expiry = null, string? user = "pharmacy") =>
        new($"{country}-{Interlocked.Increment(ref s_raised)}", code, country, at, HubStory.Gtin, lot, expiry, serial, user, "Raised.");

    private static string Serial(string serial) => $"urn:epc:id:sgtin:9521234.000101.{serial}";

    private static Task<int> TakeAsync(HubStory story, params HubAlert[] alerts) => story.Get<TakeAlerts>().TakeAsync(HubStory.Person, story.Hub.PartnerId, alerts, Ct);

    private static async Task MatchAsync(HubStory story)
    {
        while (await story.Get<MatchAlerts>().RunAsync(Ct))
        {
        }
    }

    private static Task<IReadOnlyList<AlertCase>> CasesAsync(HubStory story) => story.Get<AlertCases>().ListAsync(HubStory.Person, story.Hub.PartnerId, new AlertFilter(), null, 200, Ct);

    private static Task<DateTime> NowAsync(HubStory story) => story.Ledger.Gateway.Database.ScalarAsync<DateTime>("select gateway_now()");

    // The database counts in microseconds.
    private static long Cut(DateTime at) => at.Ticks / 10;

    private static Func<long, (ChannelAnswer, AlertPage?)> Pages(List<long> asked, int pages, int onEach)
    {
        var all = Enumerable.Range(1, pages * onEach).Select(n => Alert("A3", "DE", "L1", $"P{n}", new DateTime(2026, 11, 20, 8, 0, 0, DateTimeKind.Utc).AddSeconds(n))).ToList();
        return after =>
        {
            lock (asked)
            {
                asked.Add(after);
            }
            List<HubAlert> page = [.. all.Skip((int)after).Take(onEach)];
            return (new ChannelAnswer(AnswerMeaning.Accepted, Verdict.Ok, "ok"), new AlertPage(page, after + page.Count));
        };
    }
}
