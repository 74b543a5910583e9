using System.Net.Http.Json;
using System.Text.Json;
using Gateway.Host.Simulate;
using Gateway.Journeys.Dashboard;
using Microsoft.Playwright;

namespace Gateway.Journeys;

/// <summary>One delivery held and let go: over HTTP, on the command line, and in the browser.</summary>
public sealed class HoldJourneys
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly SimulatedParty Shipper = SimulatedParty.AtOneAddress("9521234000105", 7, "Shipper");
    private static readonly SimulatedParty Buyer = SimulatedParty.AtOneAddress("9521234000204", 7, "Buyer");

    [Fact]
    public async Task What_is_held_over_http_is_not_sent_before_it_is_resumed()
    {
        await using var gateway = await RetryingAsync();
        using var officer = gateway.Client("officer");

        Assert.Equal("GW-DLV-02", await CodeAsync(officer, "hold", new { reason = " " }, 422));
        Assert.Equal("GW-HTTP-06", await CodeAsync(officer, "hold", new { reason = "Why", until = "tomorrow" }, 422));
        Assert.Equal("GW-HTTP-06", await CodeAsync(officer, "hold", new { reason = "Why", until = "03/04/2040" }, 422)); // March or April?
        Assert.Equal("GW-DLV-01", await CodeAsync(officer, "hold", new { reason = "Why", until = "2020-01-01T00:00:00Z" }, 409));
        Assert.Equal("GW-DLV-01", await CodeAsync(officer, "resume", new { reason = "Why" }, 409));
        var held = await DecideAsync(officer, "hold", new { reason = "The lot is in doubt.", version = 1, until = "2040-01-01T00:00:00Z" });
        Assert.Equal(("due", "held", "officer", "The lot is in doubt.", "2040-01-01T00:00:00Z", 2), (Text(held, "state"), Text(held, "shown"), Text(held, "heldBy"), Text(held, "heldWhy"), Text(held, "heldUntil"), held.GetProperty("version").GetInt32()));
        Assert.Equal("GW-DLV-01", await CodeAsync(officer, "hold", new { reason = "Me too." }, 409));
        Assert.Equal("GW-DLV-01", await CodeAsync(officer, "retry", new { reason = "Hurry." }, 409));

        await gateway.Database.AdvanceAsync(TimeSpan.FromDays(1)); // its time has come, and passes
        await gateway.CaptureAsync(Shipment(2));
        await Eventually.TrueAsync(() => Task.FromResult(gateway.Partner.Received.Count == 2));
        Assert.Equal(1L, await gateway.Database.ScalarAsync<long>("select attempts::bigint from delivery where delivery_id = 1"));
        Assert.Equal("GW-DLV-01", await CodeAsync(officer, "resume", new { reason = "Go.", version = 1 }, 409)); // as it was before the hold
        Assert.NotEqual("held", Text(await DecideAsync(officer, "resume", new { reason = "Go.", version = 2 }), "shown"));
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select attempts::bigint from delivery where delivery_id = 1") == 2);
    }

    [Fact]
    public async Task The_command_line_holds_resumes_and_says_what_it_may_not()
    {
        await using var gateway = await RetryingAsync();
        var (exit, said, _) = await gateway.VerbAsync("deliveries", "hold", "1", "--reason", "The lot is in doubt.", "--until", "2040-01-01", "--json");
        var held = JsonDocument.Parse(said).RootElement;
        Assert.Equal((0, "held", "Gateway command line", "2040-01-01T00:00:00Z"), (exit, Text(held, "shown"), Text(held, "heldBy"), Text(held, "heldUntil")));
        Assert.Contains("by Gateway command line until 2040-01-01 00:00:00 UTC (The lot is in doubt.)", (await gateway.VerbAsync("deliveries", "--state", "held")).Said, StringComparison.Ordinal);
        (exit, said, var wrong) = await gateway.VerbAsync("deliveries", "retry", "1", "--reason", "Hurry.");
        Assert.Equal((1, ""), (exit, said));
        Assert.Contains("resumed first", wrong, StringComparison.Ordinal);
        (exit, said, _) = await gateway.VerbAsync("deliveries", "resume", "1", "--reason", "Released.");
        Assert.Equal(0, exit);
        Assert.Contains("retrying", said, StringComparison.Ordinal);
        Assert.Equal(2, (await gateway.VerbAsync("deliveries", "close", "1")).Exit);
        Assert.Equal(2, (await gateway.VerbAsync("deliveries", "close", "99", "--reason", "Gone.")).Exit);
        Assert.Equal("hold, resume", await gateway.Database.ScalarAsync<string>("select string_agg(action, ', ' order by decision_id) from delivery_decision where actor = 'system:command line'"));
    }

    [Fact]
    public async Task Before_a_replay_the_command_line_tells_what_it_would_take_and_why_not_the_rest()
    {
        await using var gateway = await RetryingAsync();
        for (var sequence = 2; sequence <= 3; sequence++)
        {
            await gateway.CaptureAsync(Shipment(sequence));
        }
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from delivery where attempts = 1 and lease_token is null") == 3);
        await gateway.Database.ExecuteAsync("update delivery set state = 'delivered', finished_at = gateway_now() where delivery_id = 3");
        await gateway.VerbAsync("deliveries", "hold", "1", "--reason", "The lot is in doubt.");
        string[] replay = ["replay", "--partner", Buyer.Owner.Gln];
        var (exit, said, _) = await gateway.VerbAsync([.. replay, "--dry-run"]);
        Assert.Equal(0, exit);
        Assert.Equal(["1 of 3 would be replayed.", "1  held            It is yet to be sent, when its hold ends.", "1  retrying        It is yet to be sent."], said.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(2, (await gateway.VerbAsync(replay)).Exit); // no reason
        Assert.Equal(0L, await gateway.Database.ScalarAsync<long>("select count(*) from operation"));
        Assert.Equal("{\"operation\":1}", (await gateway.VerbAsync([.. replay, "--reason", "They lost it.", "--json"])).Said.Trim());
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from delivery where replay_of = 3") == 1);
    }

    [Fact]
    public async Task On_its_page_a_delivery_is_held_shows_who_holds_it_and_why_and_is_resumed()
    {
        await using var gateway = await RetryingAsync();
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "officer");
        var page = browser.Page;
        await browser.GoAsync("deliveries/1");
        await page.GetByRole(AriaRole.Button, new() { Name = "Hold…" }).ClickAsync();
        await page.FillAsync("#reason", "The lot is in doubt.");
        await page.FillAsync("#until", "2040-01-01T00:00");
        await browser.AxeAsync("delivery-hold");
        await page.GetByRole(AriaRole.Button, new() { Name = "Hold", Exact = true }).ClickAsync();
        await page.GetByRole(AriaRole.Heading, new() { Name = "Held by officer until 2040-01-01 00:00:00 UTC: The lot is in doubt." }).WaitForAsync();
        await page.GetByRole(AriaRole.Row, new() { NameRegex = new("UTC officer officer hold The lot is in doubt.") }).WaitForAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Every shipment in the document goes to the partner." }).WaitForAsync();
        await browser.AxeAsync("delivery-held");

        // Everywhere else too, and every number leads to it.
        await browser.GoAsync("today");
        Assert.Equal("true", await page.Locator("p.conserve").Last.GetAttributeAsync("data-balances"));
        Assert.Contains("1 held", await page.Locator("p.conserve").Last.InnerTextAsync(), StringComparison.Ordinal);
        Assert.Contains("by officer until 2040-01-01 00:00:00 UTC: The lot is in doubt.", await page.Locator("table.needs").InnerTextAsync(), StringComparison.Ordinal);
        await browser.AxeAsync("today-held");
        await browser.GoAsync("deliveries?view=groups");
        Assert.Contains("by officer: The lot is in doubt.", await page.Locator("table.rows").InnerTextAsync(), StringComparison.Ordinal);
        await browser.AxeAsync("deliveries-groups-held");
        await browser.GoAsync("deliveries?state=held&view=all");
        await page.GetByText("by officer until 2040-01-01 00:00:00 UTC: The lot is in doubt.").WaitForAsync();
        await browser.AxeAsync("deliveries-held");
        await page.GetByRole(AriaRole.Link, new() { Name = "1", Exact = true }).ClickAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Resume…" }).ClickAsync();
        await page.FillAsync("#reason", "The lot is released.");
        await page.GetByRole(AriaRole.Button, new() { Name = "Resume", Exact = true }).ClickAsync();
        await page.GetByRole(AriaRole.Heading, new() { NameRegex = new("1 attempt failed") }).WaitForAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Hold…" }).WaitForAsync();
        Assert.Equal(1L, await gateway.Database.ScalarAsync<long>("select count(*) from delivery where held_by is null"));

        // What waits with everything for its partner is resumed there; and the trail goes on behind its first rows.
        using var officer = gateway.Client("officer");
        for (var times = 1; times <= 5; times++)
        {
            await DecideAsync(officer, "hold", new { reason = "Wait." });
            await DecideAsync(officer, "resume", new { reason = "Go." });
        }
        await gateway.Database.ExecuteAsync("select set_config('app.actor', 'test', false); update partner set state = 'paused', pause_reason = 'They move.'");
        await browser.GoAsync("deliveries/1");
        await page.GetByRole(AriaRole.Heading, new() { Name = "Held: They move." }).WaitForAsync();
        await page.GetByText("so it cannot be resumed here").WaitForAsync();
        Assert.Equal(0, await page.GetByRole(AriaRole.Button, new() { Name = "Resume…" }).CountAsync());
        Assert.EndsWith("partners/1", await page.GetByRole(AriaRole.Link, new() { Name = "To the partner: resume" }).GetAttributeAsync("href"), StringComparison.Ordinal);
        var entries = page.GetByRole(AriaRole.Row, new() { NameRegex = new("officer officer (hold|resume)") });
        Assert.Equal(10, await entries.CountAsync());
        await page.GetByRole(AriaRole.Link, new() { Name = "Show older entries" }).ClickAsync();
        await Eventually.TrueAsync(async () => await entries.CountAsync() == 12);
        browser.NothingWentWrong();
    }

    // Its first attempt failed, and the second is far away.
    private static async Task<TestGateway> RetryingAsync()
    {
        var gateway = await TestGateway.StartAsync(("Delivery:RetryBase", "00:10:00"));
        await gateway.AddPartnerAsync(Buyer.Owner.Gln, "fails-twice/buyer");
        using var answer = await gateway.CaptureAsync(Shipment(1));
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from delivery where attempts = 1 and lease_token is null") == 1);
        return gateway;
    }

    private static byte[] Shipment(long sequence) => new ShipmentGenerator(11).Xml(
        new ShipmentPlan(sequence, Shipper, Buyer, new DateTimeOffset(2026, 11, 1, 8, 0, 0, TimeSpan.Zero), "LOT1", new DateOnly(2029, 1, 31)));

    private static async Task<JsonElement> DecideAsync(HttpClient http, string verb, object body)
    {
        using var answer = await http.PostAsJsonAsync($"api/deliveries/1/{verb}", body, Ct);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Ct));
        return await answer.Content.ReadFromJsonAsync<JsonElement>(Ct);
    }

    private static async Task<string?> CodeAsync(HttpClient http, string verb, object body, int status)
    {
        using var answer = await http.PostAsJsonAsync($"api/deliveries/1/{verb}", body, Ct);
        Assert.Equal(status, (int)answer.StatusCode);
        return Text(await answer.Content.ReadFromJsonAsync<JsonElement>(Ct), "code");
    }

    private static string? Text(JsonElement of, string name) => of.GetProperty(name).GetString();
}
