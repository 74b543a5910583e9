using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Epcis.Events;
using FsCheck;
using FsCheck.Fluent;
using Gateway.Access;
using Gateway.Units;
using static Gateway.Tests.Units.Said;

namespace Gateway.Tests.Units;

/// <summary>Units at past moments: what the API tells, of stored histories.</summary>
public sealed class UnitPastTests(ShippedPallet shipped) : IClassFixture<ShippedPallet>
{
    private const int Histories = 12;

    private static readonly Actor Reader = Actor.System("test");
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private static EpcisEvent InError(EpcisEvent e) => e with { ErrorDeclaration = new ErrorDeclaration { DeclarationTime = Start.AddDays(1), Reason = "incorrect_data" } };

    private static string Asked(string epc, int minutes) => $"epc={Uri.EscapeDataString(epc)}&asOf={Start.AddMinutes(minutes):yyyy-MM-ddTHH:mm:ssZ}";

    [Fact]
    public async Task A_past_moment_has_the_shape_of_the_present_and_what_is_inherited_is_inherited()
    {
        var (now, then) = (await GetAsync(shipped.Ledger, $"/api/units?epc={Pack(7)}"), await GetAsync(shipped.Ledger, $"/api/units?{Asked(Pack(7), 60)}"));
        Assert.Equal(now.GetRawText(), then.GetRawText()); // nothing has happened since

        then = await GetAsync(shipped.Ledger, $"/api/units?{Asked(Pack(7), 7)}");
        Assert.Equal(("COMMISSIONED", Case(2), Line, "L1", "2028-08-31", "2026-09-14T08:07:00Z"), (
            Text(then, "state"), Text(then, "parent"), Text(then, "location"), Text(then, "lot"), Text(then, "expiry"), Text((await GetAsync(shipped.Ledger, $"/api/units?{Asked(Pallet(1), 7)}")).GetProperty("lastEvent"), "time")));
        Assert.Equal([Case(2), Pallet(1)], then.GetProperty("ancestors").EnumerateArray().Select(a => a.GetString()));
        Assert.Equal(now.GetProperty("firstEvent").GetRawText(), then.GetProperty("firstEvent").GetRawText());
        then = await GetAsync(shipped.Ledger, $"/api/units?{Asked(Pack(7), 3)}");
        Assert.Equal(("COMMISSIONED", null, "2026-09-14T08:00:00Z"), (Text(then, "state"), Text(then, "parent"), Text(then.GetProperty("lastEvent"), "time")));
        // An offset names the same moment as Z does.
        Assert.Equal(then.GetRawText(), (await GetAsync(shipped.Ledger, $"/api/units?epc={Pack(7)}&asOf=2026-09-14T10:03:00%2B02:00")).GetRawText());
    }

    [Fact]
    public async Task What_was_in_a_container_is_answered_whole_or_in_pages_in_the_order_of_the_present()
    {
        var (now, then) = (await GetAsync(shipped.Ledger, $"/api/units/contents?epc={Pallet(1)}"), await GetAsync(shipped.Ledger, $"/api/units/contents?{Asked(Pallet(1), 60)}"));
        Assert.Equal(now.GetRawText(), then.GetRawText());
        var paged = new List<string?>();
        for (string? cursor = ""; cursor is not null;)
        {
            var page = await GetAsync(shipped.Ledger, $"/api/units/contents?{Asked(Pallet(1), 7)}&limit=7{(cursor.Length == 0 ? "" : $"&cursor={cursor}")}");
            Assert.Equal(24, page.GetProperty("count").GetInt32());
            Assert.All(page.GetProperty("items").EnumerateArray(), i => Assert.Equal("COMMISSIONED", Text(i, "state")));
            paged.AddRange(page.GetProperty("items").EnumerateArray().Select(i => Text(i, "epc")));
            cursor = Text(page, "next");
        }
        Assert.Equal(now.GetProperty("items").EnumerateArray().Select(i => Text(i, "epc")), paged);
        // The pallet was empty, and its cases were being filled.
        Assert.Equal((0, 5), ((await GetAsync(shipped.Ledger, $"/api/units/contents?{Asked(Pallet(1), 4)}")).GetProperty("count").GetInt32(), (await GetAsync(shipped.Ledger, $"/api/units/contents?{Asked(Case(2), 4)}")).GetProperty("count").GetInt32()));
    }

    [Fact]
    public async Task What_was_declared_in_error_since_counts_as_corrected_and_its_story_says_so()
    {
        await using var ledger = await LedgerGateway.StartAsync();
        var (wrong, right) = (At(0, Commissioned("L9", [Pack(1)])), At(1, Commissioned("L1", [Pack(1)])));
        await ledger.CaptureAsync(wrong, At(5, Held(Pack(1))));
        Assert.Equal("L9", Text(await GetAsync(ledger, $"/api/units?{Asked(Pack(1), 2)}"), "lot"));
        await ledger.CaptureAsync(InError(wrong), right);
        Assert.Equal(("L1", "[]"), await GetAsync(ledger, $"/api/units?{Asked(Pack(1), 2)}") is var unit ? (Text(unit, "lot"), unit.GetProperty("holds").GetRawText()) : default);
        var story = (await GetAsync(ledger, $"/api/units/history?{Asked(Pack(1), 2)}")).GetProperty("items").EnumerateArray();
        Assert.Equal(["commissioning True False", "commissioning False True", "commissioning False False"], story.Select(e => $"{Text(e, "bizStep")} {e.GetProperty("retracted")} {e.GetProperty("declaration")}"));
        Assert.Equal(4, (await GetAsync(ledger, $"/api/units/history?{Asked(Pack(1), 5)}")).GetProperty("items").GetArrayLength());
        // At first only what was taken back had happened.
        await RefusedAsync(ledger, $"/api/units?{Asked(Pack(1), 0)}", 404, "GW-UNI-02", "it is known since 2026-09-14 08:01:00 UTC");
    }

    [Fact]
    public async Task A_party_is_told_what_its_own_events_make_of_its_units()
    {
        await using var ledger = await LedgerGateway.StartAsync();
        using var second = await ledger.Gateway.SignInAsync("Second CMO");
        await ledger.CaptureAsync(At(0, Commissioned(Packs(1, 5))), At(1, Commissioned(null, [Case(1)])), At(2, Packed(Case(1), Packs(1, 5))));
        await ledger.CaptureAsync([At(3, Commissioned(null, [Pallet(1)])), At(4, Packed(Pallet(1), Case(1))), At(5, Shipped(Pallet(1)))], second);
        var mine = await GetAsync(ledger, $"/api/units?{Asked(Pack(1), 60)}");
        Assert.Equal(("COMMISSIONED", $"[\"{Case(1)}\"]"), (Text(mine, "state"), mine.GetProperty("ancestors").GetRawText()));
        using var past = ledger.Past();
        var whole = (await past.FindAsync(Reader, UnitKey.Of(Pack(1))!, Start.AddMinutes(60), Ct))!.Facts!;
        Assert.Equal((UnitState.Shipped, Pallet(1)), (whole.State, whole.Containers[^1].Epc));
        await RefusedAsync(ledger, $"/api/units?{Asked(Pallet(1), 60)}", 404, "GW-HTTP-01", "");
        foreach (var path in (string[])["", "/contents", "/history"])
        {
            await RefusedAsync(ledger, $"/api/units{path}?{Asked(Pack(1), 60)}", 404, "GW-HTTP-01", "", second);
        }

        // Of the second party's pallet, the case is in it as far as that party tells.
        var contents = await second.GetFromJsonAsync<JsonElement>($"/api/units/contents?{Asked(Pallet(1), 60)}", Ct);
        Assert.Equal(0, contents.GetProperty("count").GetInt32());
        Assert.Equal(6, (await past.FindAsync(Reader, UnitKey.Of(Pallet(1))!, Start.AddMinutes(60), Ct))!.Contents(null, 100).Count);

        // What comes before all of them, of another party, is the unit's first event, and none that the first party may see.
        await ledger.CaptureAsync([At(-5, Seen(Plant, Pack(1)))], second);
        await RefusedAsync(ledger, $"/api/units?{Asked(Pack(1), -1)}", 404, "GW-UNI-02", "it is known since 2026-09-14 08:00:00 UTC");
        Assert.Equal("COMMISSIONED", Text(await GetAsync(ledger, $"/api/units?{Asked(Pack(1), 60)}"), "state"));
    }

    [Theory]
    [InlineData("", 400, "GW-HTTP-02", "asOf cannot be read")]
    [InlineData("yesterday", 400, "GW-HTTP-02", "such as 2026-01-31T12:00:00Z")]
    [InlineData("2026-09-14T08:10:00", 400, "GW-HTTP-02", "with Z or an offset")]
    [InlineData("2026-09-14", 400, "GW-HTTP-02", "asOf cannot be read")]
    [InlineData("2026-02-30T08:10:00Z", 400, "GW-HTTP-02", "asOf cannot be read")]
    [InlineData("2226-09-14T08:10:00Z", 400, "GW-HTTP-02", "2226-09-14 08:10:00 UTC has not come yet.")]
    [InlineData("2026-09-14T07:59:59.5Z", 404, "GW-UNI-02", "at 2026-09-14 07:59:59.5 UTC: it is known since 2026-09-14 08:00:00 UTC.")]
    public async Task A_moment_that_cannot_be_told_is_answered_with_why(string asOf, int status, string code, string why)
    {
        foreach (var path in (string[])["", "/contents", "/history"])
        {
            await RefusedAsync(shipped.Ledger, $"/api/units{path}?epc={Pack(7)}&asOf={asOf}", status, code, why);
        }
    }

    [Fact]
    public async Task A_cursor_of_the_present_is_none_of_a_past_moment()
    {
        var next = Text(await GetAsync(shipped.Ledger, $"/api/units/contents?epc={Pallet(1)}&limit=7"), "next");
        await RefusedAsync(shipped.Ledger, $"/api/units/contents?{Asked(Pallet(1), 60)}&cursor={next}", 400, "GW-HTTP-02", "cursor is not one of ours");
    }

    [Fact]
    public async Task Units_whose_first_events_are_archived_have_no_past()
    {
        await using var ledger = await LedgerGateway.StartAsync();
        await ledger.CaptureAsync(At(0, Commissioned(Packs(1, 5))));
        var year = (await ledger.Gateway.Database.ScalarAsync<DateTime>("select gateway_now()")).Year;
        await ledger.Gateway.Database.AdvanceAsync(TimeSpan.FromDays(366 * 7));
        await ledger.Gateway.Database.ScalarAsync<int>("select make_event_partitions(0)");
        await ledger.CaptureAsync(At(60 * 24 * 2_600, Commissioned(null, [Case(1)])), At(60 * 24 * 2_600 + 1, Packed(Case(1), Packs(1, 5))));
        await ledger.Gateway.Database.ScalarAsync<string>($"select archive_events({year})");
        foreach (var path in (string[])["", "/contents", "/history"])
        {
            await RefusedAsync(ledger, $"/api/units{path}?{Asked(Pack(1), 1)}", 410, "GW-UNI-03", "only its present state is known here");
        }
        // The case is of a year that is at hand, and what it holds is not.
        await RefusedAsync(ledger, $"/api/units?{Asked(Case(1), 60 * 24 * 2_600 + 1)}", 410, "GW-UNI-03", $"rests on are in the archive");
        Assert.Equal("COMMISSIONED", Text(await GetAsync(ledger, $"/api/units?{Asked(Case(1), 60 * 24 * 2_600)}"), "state"));
    }

    [Fact]
    public async Task What_met_too_many_is_refused_and_what_had_not_met_them_yet_is_told()
    {
        using var past = shipped.Ledger.Past(maxText: await shipped.Ledger.Gateway.Database.ScalarAsync<long>("select sum(length(body)) - 1 from event"));
        var refusal = (await past.FindAsync(Reader, UnitKey.Of(Pack(7))!, Start.AddMinutes(8), Ct))!.Refusal!;
        Assert.Equal(PastGap.TooMuch, refusal.Gap);
        Assert.Contains("met so many units", refusal.Sentence, StringComparison.Ordinal);
        Assert.Equal(Case(2), (await past.FindAsync(Reader, UnitKey.Of(Pack(7))!, Start.AddMinutes(6), Ct))!.Facts!.Containers.Single().Epc);
    }

    /// <summary>Random histories, mostly impossible ones, told in random order, some events taken back.</summary>
    [Fact]
    public async Task A_past_moment_is_the_present_of_who_was_told_only_what_had_happened_until_then()
    {
        await using var ledger = await LedgerGateway.StartAsync(caseHolds: UnitBookProperties.CaseHolds, palletHolds: UnitBookProperties.PalletHolds);
        using var past = ledger.Past();
        var cases = (from history in UnitBookProperties.History.Generator from order in Gen.Shuffle(history) from gone in Gen.ArrayOf(Gen.Choose(0, 5), 30) from minute in Gen.Choose(0, 10) select (order, gone, minute)).Sample(Histories, 20);
        var told = 0;
        foreach (var (order, gone, minute) in cases)
        {
            var events = order.Select((m, i) => (m with { Number = i + 1 }).Event.Event).SelectMany((e, i) => gone[i % gone.Length] == 0 ? [e, InError(e)] : (EpcisEvent[])[e]).ToList();
            var at = Start.AddMinutes(minute);
            await ledger.ForgetAsync();
            foreach (var some in events.Chunk(5))
            {
                await ledger.CaptureAsync(some);
            }
            var then = new Dictionary<string, string>();
            foreach (var epc in UnitBookProperties.s_units)
            {
                var unit = await past.FindAsync(Reader, UnitKey.Of(epc)!, at, Ct);
                then.Add(epc, Tell(unit?.Facts, unit?.Facts is null ? null : unit.Contents(null, 100)));
            }
            await ledger.ForgetAsync();
            if (events.Where(e => e.EventTime <= at).ToList() is { Count: > 0 } until)
            {
                await ledger.CaptureAsync(until);
            }
            foreach (var epc in UnitBookProperties.s_units)
            {
                var key = UnitKey.Of(epc)!;
                Assert.Equal(Tell(await ledger.Units().FindAsync(Reader, key, Ct), await ledger.Units().ContentsAsync(Reader, key, null, 100, Ct)), then[epc]);
                told += then[epc].Length > 0 ? 1 : 0;
            }
        }
        Assert.True(told > Histories, "nearly nothing was told");
    }

    // The document of an event is another one where it was told again.
    private static string Tell(UnitFacts? u, UnitContents? contents) => u is null ? "" : string.Create(CultureInfo.InvariantCulture,
        $"{u with { Holds = [], Containers = [], First = Bare(u.First), Last = Bare(u.Last) }} held for {Sorted(u.Holds)} in {string.Join(", ", u.Containers.Select(c => $"{c.Epc} {c.Level} {Sorted(c.Holds)}"))} holds {contents!.Count}: ")
        + string.Join(", ", contents.Items.Select(i => $"{i with { Holds = [] }} {Sorted(i.Holds)}").Order(StringComparer.Ordinal));

    private static UnitEventName Bare(UnitEventName e) => e with { CaptureId = null };

    private static string Sorted(IEnumerable<string> holds) => string.Join(' ', holds.Order(StringComparer.Ordinal));

    private static async Task RefusedAsync(LedgerGateway ledger, string path, int status, string code, string why, HttpClient? client = null)
    {
        using var answer = await (client ?? ledger.Gateway.Client).GetAsync(path, Ct);
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>(Ct);
        Assert.Equal((status, code), ((int)answer.StatusCode, Text(problem, "code")));
        Assert.Contains(why, Text(problem, "detail"), StringComparison.Ordinal);
    }

    private static async Task<JsonElement> GetAsync(LedgerGateway ledger, string path) => await ledger.Gateway.Client.GetFromJsonAsync<JsonElement>(path, Ct);

    private static string? Text(JsonElement element, string member) => element.GetProperty(member).GetString();
}
