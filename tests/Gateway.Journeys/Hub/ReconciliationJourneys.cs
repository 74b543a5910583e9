using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.Host.Simulate.Hub;
using Gateway.Journeys.Dashboard;
using Microsoft.Playwright;

namespace Gateway.Journeys.Hub;

using static HubGateway;

/// <summary>Issue 9, 6: each market's own list of a lot is compared with ours, over the wire and page by page, and what differs is shown to the serial number until it is right.</summary>
[Requirement("P11-41")]
public sealed class ReconciliationJourneys
{
    private const string Gtin = "09521234001010";

    // A lot may hold a slash.
    private const string Lot = "B/7", Path = $"api/hub/lots/{Gtin}/B%2F7";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_difference_is_found_in_its_market_and_closes_when_the_hub_has_mended_it()
    {
        await using var hub = await HubSimulator.StartAsync(new HubSimulatorOptions { HeldAtOnce = 7 }, Ct);
        await using var gateway = await StartAsync(hub);
        using var officer = gateway.Client("officer");
        await ReleasedAsync(gateway, officer, packs: 40);

        var good = await ReconcileAsync(officer);
        Assert.Equal("done 0 DE 40/40 0 0 0, FR 40/40 0 0 0", Words(good));
        Assert.Empty(await DifferencesAsync(officer));

        hub.Forget("FR", Gtin, Lot, "S0001");
        hub.Forget("FR", Gtin, Lot, "S0008"); // the first of a page
        hub.Forget("FR", Gtin, Lot, "S0040");
        hub.Hold("DE", Gtin, Lot, "X9");
        hub.Hold("DE", Gtin, Lot, "S0014", "Stolen"); // the last of a page
        Assert.Equal("done 5 DE 40/41 0 1 1, FR 40/37 3 0 0", Words(await ReconcileAsync(officer)));
        Assert.Equal(["DE S0014 state Active Stolen", "DE X9 unexpected - Active", "FR S0001 missing Active -", "FR S0008 missing Active -", "FR S0040 missing Active -"], await DifferencesAsync(officer));
        Assert.Equal(3, (await DifferencesAsync(officer, "&country=FR")).Count);
        Assert.Equal($"hub.holding open {Gtin} {Lot} 5", await gateway.Database.ScalarAsync<string>("select string_agg(concat_ws(' ', code, state, gtin, lot, unit_count), ',') from exception"));
        var told = await gateway.VerbAsync("hub", "differences", Gtin, Lot, "--country", "DE");
        Assert.Equal((1, 2), (told.Exit, told.Said.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length));

        foreach (var serial in (string[])["S0001", "S0008", "S0040"])
        {
            hub.Hold("FR", Gtin, Lot, serial);
        }
        hub.Forget("DE", Gtin, Lot, "X9");
        var verb = await gateway.VerbAsync("hub", "reconcile", Gtin, Lot);
        Assert.Equal((1, ""), (verb.Exit, verb.Wrong));
        Assert.Contains("DE  believed 40, held 40, under way 0  missing 0, unexpected 0, other state 1", verb.Said, StringComparison.Ordinal);
        Assert.Equal(["DE S0014 state Active Stolen"], await DifferencesAsync(officer));
        hub.Hold("DE", Gtin, Lot, "S0014");
        Assert.Equal("done 0 DE 40/40 0 0 0, FR 40/40 0 0 0", Words(await ReconcileAsync(officer)));
        Assert.Equal("resolved", await gateway.Database.ScalarAsync<string>("select string_agg(state, ',') from exception where code = 'hub.holding'"));
        Assert.Empty(hub.Violations);
    }

    [Fact]
    public async Task A_hub_that_does_not_answer_is_said_and_what_was_known_stays()
    {
        await using var hub = await HubSimulator.StartAsync(new HubSimulatorOptions(), Ct);
        await using var gateway = await StartAsync(hub);
        using var officer = gateway.Client("officer");
        await ReleasedAsync(gateway, officer, packs: 3);
        hub.Forget("FR", Gtin, Lot, "S0002");
        await ReconcileAsync(officer);
        hub.Faults.UnavailableUntil = DateTimeOffset.MaxValue;
        var failed = await ReconcileAsync(officer);
        Assert.Equal("failed http-503", $"{failed.GetProperty("newest").GetProperty("state").GetString()} {failed.GetProperty("newest").GetProperty("code").GetString()}");
        Assert.Equal("done", failed.GetProperty("done").GetProperty("state").GetString());
        Assert.Equal(["FR S0002 missing Active -"], await DifferencesAsync(officer));
        Assert.Equal("open", await gateway.Database.ScalarAsync<string>("select string_agg(state, ',') from exception where code = 'hub.holding'"));

        // A session that has ended is begun anew.
        hub.Faults.UnavailableUntil = DateTimeOffset.MinValue;
        hub.ExpireSessions();
        hub.Hold("FR", Gtin, Lot, "S0002");
        Assert.Equal("done 0 DE 3/3 0 0 0, FR 3/3 0 0 0", Words(await ReconcileAsync(officer)));
    }

    [Fact]
    public async Task Somebody_compares_on_the_lots_page_and_goes_on_to_the_pack()
    {
        await using var hub = await HubSimulator.StartAsync(new HubSimulatorOptions(), Ct);
        await using var gateway = await StartAsync(hub);
        using var officer = gateway.Client("officer");
        await ReleasedAsync(gateway, officer, packs: 60);
        for (var n = 1; n <= 52; n++)
        {
            hub.Forget("FR", Gtin, Lot, $"S{n:0000}");
        }
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "officer");
        await browser.GoAsync($"hub/{Gtin}/B%2F7");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Reconcile now" }).ClickAsync();
        await browser.Page.GetByText("52 differences were found").WaitForAsync();
        var rows = browser.Page.Locator("#differences + table tbody tr");
        Assert.Equal(50, await rows.CountAsync());
        await browser.AxeAsync("hub-differences");
        await browser.Page.GetByRole(AriaRole.Navigation, new() { Name = "More differences" }).GetByRole(AriaRole.Link, new() { Name = "Next" }).ClickAsync();
        await browser.ReadyAsync();
        await browser.Page.GetByText("S0052").WaitForAsync();
        Assert.Equal(2, await rows.CountAsync());
        await rows.First.GetByRole(AriaRole.Link).ClickAsync();
        await browser.Page.WaitForURLAsync("**/units/view?epc=*S0051*");
        await browser.GoAsync("hub");
        await browser.Page.GetByText("has packs of which a market holds something else").WaitForAsync();
        // The exception leads back.
        await browser.GoAsync($"exceptions/{await gateway.Database.ScalarAsync<Guid>("select public_id from exception where code = 'hub.holding'")}");
        await browser.Page.GetByRole(AriaRole.Link, new() { Name = $"Lot {Lot} at the hub" }).ClickAsync();
        await browser.Page.GetByText("52 differences were found").WaitForAsync();
        browser.NothingWentWrong();

        // Who may not release may look.
        await using var operating = await SignedInBrowser.OpenAsync(gateway, "operator");
        await operating.GoAsync($"hub/{Gtin}/B%2F7");
        await operating.Page.GetByText("52 differences were found").WaitForAsync();
        Assert.Equal(0, await operating.Page.GetByRole(AriaRole.Button, new() { Name = "Reconcile now" }).CountAsync());
    }

    private static async Task ReleasedAsync(TestGateway gateway, HttpClient officer, int packs)
    {
        await CommissionAsync(gateway, Lot, packs);
        await ProductAsync(gateway, officer, 1, "DE", "FR");
        using var released = await ReleaseAsync(officer, "B%2F7");
        Assert.Equal(HttpStatusCode.Accepted, released.StatusCode);
        await DistributedAsync(officer, "B%2F7");
    }

    private static async Task<JsonElement> ReconcileAsync(HttpClient officer)
    {
        using var asked = await officer.PostAsJsonAsync($"{Path}/reconcile", new { }, Ct);
        Assert.Equal(HttpStatusCode.Accepted, asked.StatusCode);
        JsonElement found = default;
        await Eventually.TrueAsync(async () => (found = await officer.GetFromJsonAsync<JsonElement>(asked.Headers.Location!.ToString().TrimStart('/'), Ct)).GetProperty("newest").GetProperty("state").GetString() != "waiting");
        return found;
    }

    private static string Words(JsonElement reconciliation)
    {
        var run = reconciliation.GetProperty("newest");
        return $"{run.GetProperty("state").GetString()} {run.GetProperty("differences").GetInt32()} " + string.Join(", ", run.GetProperty("markets").EnumerateArray().Select(m =>
            $"{m.GetProperty("country").GetString()} {m.GetProperty("believed")}/{m.GetProperty("held")} {m.GetProperty("missing")} {m.GetProperty("unexpected")} {m.GetProperty("state")}"));
    }

    private static async Task<IReadOnlyList<string>> DifferencesAsync(HttpClient officer, string narrowed = "")
    {
        var all = new List<string>();
        for (var cursor = ""; ;)
        {
            var page = await officer.GetFromJsonAsync<JsonElement>($"{Path}/differences?limit=2{narrowed}{cursor}", Ct);
            all.AddRange(page.GetProperty("items").EnumerateArray().Select(d => $"{d.GetProperty("country").GetString()} {d.GetProperty("serial").GetString()} {d.GetProperty("kind").GetString()} {d.GetProperty("believed").GetString() ?? "-"} {d.GetProperty("held").GetString() ?? "-"}"));
            if (page.GetProperty("next").GetString() is not { } next)
            {
                return all;
            }
            cursor = $"&cursor={next}";
        }
    }
}
