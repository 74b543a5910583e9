using System.Net.Http.Json;
using System.Text.Json;
using Gateway.Host.Simulate;
using Microsoft.Playwright;

namespace Gateway.Journeys.Dashboard;

/// <summary>Operations on many deliveries, by the browser's keyboard and by the API.</summary>
public sealed class OperationPagesTests
{
    private const int Deliveries = 13;
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly SimulatedParty Shipper = SimulatedParty.AtOneAddress("9521234000105", 7, "Shipper");
    private static readonly SimulatedParty Buyer = SimulatedParty.AtOneAddress("9521234000204", 7, "Buyer");

    [Fact]
    public async Task A_group_is_retried_from_Today_with_three_presses_of_a_key_and_its_page_tells_how_far_it_is()
    {
        await using var gateway = await StartAsync();
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "officer");
        var page = browser.Page;
        await browser.ReadyAsync();

        // Today names the group; its row leads to the list of just these; there stands the verb; the dialog wants a reason.
        await PressAsync(page, page.Locator("table.needs a").First);
        await browser.AtAsync("**/deliveries?*state=dead*");
        var retry = page.GetByRole(AriaRole.Button, new() { Name = $"Retry all {Deliveries}…" });
        await retry.WaitForAsync();
        await browser.AxeAsync("deliveries-group");
        await PressAsync(page, retry);
        await page.WaitForSelectorAsync("#reason");
        await browser.AxeAsync("operation-form");
        await page.FocusAsync("#reason");
        await page.Keyboard.TypeAsync("The partner has corrected its master data.");
        await PressAsync(page, page.GetByRole(AriaRole.Button, new() { Name = $"Retry {Deliveries}", Exact = true }));

        // The partner still refuses: the first delivery fails again, and the operation waits for a person.
        await browser.AtAsync("**/operations/1");
        await page.GetByRole(AriaRole.Heading, new() { NameRegex = new("paused after 1") }).WaitForAsync();
        await browser.AxeAsync("operation-paused");
        Assert.Equal(1L, await gateway.Database.ScalarAsync<long>("select count(*) from operation"));
        Assert.Equal(1L, await gateway.Database.ScalarAsync<long>("select count(*) from delivery_decision where reason = 'The partner has corrected its master data.'"));

        // It is mended in truth; whoever resumes says why, and the page follows to the end without a reload.
        await gateway.Database.ExecuteAsync("select set_config('app.actor', 'test', false); update partner set url = replace(url, 'refuses/', 'well/')");
        await PressAsync(page, page.GetByRole(AriaRole.Button, new() { Name = "Resume…" }));
        await page.WaitForSelectorAsync("#reason");
        await page.FocusAsync("#reason");
        await page.Keyboard.TypeAsync("The address is right now.");
        await PressAsync(page, page.GetByRole(AriaRole.Button, new() { Name = "Resume", Exact = true }));
        await page.GetByRole(AriaRole.Heading, new() { NameRegex = new("finished, 13 applied") }).WaitForAsync();
        await browser.AxeAsync("operation-finished");
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from delivery where state = 'delivered'") >= Deliveries - 1);
        await browser.GoAsync("operations");
        await browser.AxeAsync("operations");
        await browser.GoAsync("deliveries?view=groups");
        await browser.AxeAsync("deliveries-groups");
        browser.NothingWentWrong();
    }

    [Fact]
    public async Task The_api_begins_once_tells_progress_and_ends_what_it_is_told_to()
    {
        await using var gateway = await StartAsync();
        using var officer = gateway.Client("officer");
        using var first = await AskAsync(officer, "key one", "close", "Agreed.");
        Assert.Equal((202, "/api/operations/1"), ((int)first.StatusCode, first.Headers.Location!.ToString()));
        using var again = await AskAsync(officer, "key one", "close", "Agreed.");
        Assert.Equal((202, "/api/operations/1", "true"), ((int)again.StatusCode, again.Headers.Location!.ToString(), again.Headers.GetValues("Idempotency-Replayed").Single()));
        using var other = await AskAsync(officer, "key one", "close", "For another reason.");
        Assert.Equal("GW-CAP-06", await CodeAsync(other, 422));
        using var nothing = await AskAsync(officer, "key two", "replay", "They lost them.");
        Assert.Equal("GW-OPS-01", await CodeAsync(nothing, 422));
        using var keyless = await AskAsync(officer, null, "close", "Agreed.");
        Assert.Equal("GW-CAP-08", await CodeAsync(keyless, 400));

        var done = await Eventually.AsAsync(async () => await officer.GetFromJsonAsync<JsonElement>("api/operations/1", Ct) is var o && o.GetProperty("state").GetString() == "finished" ? o : (JsonElement?)null);
        Assert.Equal((Deliveries, Deliveries), (done.GetProperty("progress").GetProperty("done").GetInt32(), done.GetProperty("progress").GetProperty("total").GetInt32()));
        using var late = await officer.PostAsJsonAsync("api/operations/1/cancel", new { reason = "Too late." }, Ct);
        Assert.Equal("GW-OPS-04", await CodeAsync(late, 409));
        Assert.Equal(1, (await officer.GetFromJsonAsync<JsonElement>("api/operations", Ct)).GetProperty("items").GetArrayLength());
        Assert.Equal(Deliveries, (await officer.GetFromJsonAsync<JsonElement>("api/operations/1/items?outcome=done", Ct)).GetProperty("items").GetArrayLength());
    }

    [Fact]
    [Requirement("P11-25")]
    [Requirement("P11-31")]
    public async Task Closing_many_takes_a_persons_signature_and_a_key_is_refused()
    {
        await using var gateway = await StartAsync(signAbove: Deliveries - 1);
        using var officer = gateway.Client("officer");
        using var refused = await AskAsync(officer, "key one", "close", "Agreed.");
        Assert.Equal("GW-OPS-05", await CodeAsync(refused, 403));

        await Access.PeopleJourneys.AddAsync(gateway, "anna", "officer");
        await new Gateway.Access.People(gateway.Database.Gateway).VerifyIdentityAsync(Gateway.Access.Actor.System("test"), "anna", "identity card", Ct);
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "officer");
        var page = browser.Page;
        await browser.SignInAsync("anna", SigningPagesTests.Good);
        await browser.GoAsync("deliveries?view=all&state=dead&partner=1");
        await page.GetByRole(AriaRole.Button, new() { NameRegex = new("^Close .*…") }).First.ClickAsync();
        await page.FillAsync("#reason", "Agreed with the partner.");
        await page.GetByRole(AriaRole.Button, new() { Name = $"Close {Deliveries}", Exact = true }).ClickAsync();
        await SigningPagesTests.FillAsync(page, "anna");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign", Exact = true }).ClickAsync();
        await page.WaitForSelectorAsync("#signed", new() { Timeout = 180_000 });
        await page.GetByRole(AriaRole.Button, new() { Name = "Close", Exact = true }).Last.ClickAsync();
        await browser.AtAsync("*/operations/1");
        await page.GetByRole(AriaRole.Cell, new() { Name = "anna of the test" }).WaitForAsync();
        await page.GetByText("signed v1").WaitForAsync();
        Assert.Equal("person:anna", await gateway.Database.ScalarAsync<string>("select actor from operation"));
    }

    [Fact]
    public async Task An_export_holds_the_rows_of_the_list_is_in_the_trail_and_no_cell_of_it_is_a_formula()
    {
        await using var gateway = await StartAsync();
        await gateway.Database.ExecuteAsync("select set_config('app.actor', 'test', false); update partner set name = '=cmd|''/c calc''!\"A1\"'; update delivery set ordering = '@SUM(1)' where delivery_id = 1");
        using var officer = gateway.Client("officer");
        var lines = (await officer.GetStringAsync("deliveries/export?state=dead&format=csv", Ct)).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(Deliveries + 1, lines.Length);
        Assert.All(lines.Skip(1), line => Assert.Contains("\"'=cmd|'/c calc'!\"\"A1\"\"\"", line, StringComparison.Ordinal));
        Assert.Contains("\"'@SUM(1)\"", lines[^1], StringComparison.Ordinal);
        Assert.Single((await officer.GetStringAsync("deliveries/export?text=1&format=csv", Ct)).Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Skip(1), l => l.StartsWith("\"1\",", StringComparison.Ordinal));
        Assert.Equal(Deliveries, (await officer.GetFromJsonAsync<JsonElement>("deliveries/export?state=dead&format=json", Ct)).GetArrayLength());
        Assert.Equal("state=dead", await gateway.Database.ScalarAsync<string>("select entity_key from audit_entry where action = 'export' order by ord limit 1"));
        using var wrong = await officer.GetAsync("deliveries/export?state=gone", Ct);
        Assert.Equal("GW-HTTP-02", await CodeAsync(wrong, 400));
    }

    // Thirteen shipments that the partner has refused for good.
    private static async Task<TestGateway> StartAsync(int signAbove = 100)
    {
        var gateway = await TestGateway.StartAsync(("Operations:CheckEvery", "00:00:00.1"), ("Operations:SignAbove", signAbove.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        await gateway.AddPartnerAsync(Buyer.Owner.Gln, "refuses/buyer");
        for (var n = 1; n <= Deliveries; n++)
        {
            using var answer = await gateway.CaptureAsync(new ShipmentGenerator(5).Xml(new ShipmentPlan(n, Shipper, Buyer, new DateTimeOffset(2026, 11, 1, 8, 0, 0, TimeSpan.Zero), "LOT1", new DateOnly(2029, 1, 31))));
            Assert.Equal(202, (int)answer.StatusCode);
        }
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from delivery") == Deliveries);
        // Waiting for the breaker of a partner that refuses everything would take minutes, and is another test's matter.
        await gateway.Database.ExecuteAsync("update partner set state = 'paused', pause_reason = 'test' where set_config('app.actor', 'test', false) <> ''");
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from delivery where lease_token is not null") == 0);
        await gateway.Database.ExecuteAsync("""
            update delivery set state = 'dead', dead_reason = 'refused', code = 'http-422', attempts = 3;
            delete from breaker;
            update partner set state = 'active', pause_reason = null where set_config('app.actor', 'test', false) <> ''
            """);
        return gateway;
    }

    private static async Task<HttpResponseMessage> AskAsync(HttpClient http, string? key, string kind, string reason)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "api/operations")
        {
            Content = JsonContent.Create(new { kind, reason, rate = 1000, filter = new { partner = Buyer.Owner.Gln, state = kind == "replay" ? "delivered" : "dead" } }),
        };
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }
        return await http.SendAsync(request, Ct);
    }

    private static async Task<string?> CodeAsync(HttpResponseMessage answer, int status)
    {
        Assert.Equal(status, (int)answer.StatusCode);
        return (await answer.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty("code").GetString();
    }

    private static async Task PressAsync(IPage page, ILocator target)
    {
        await target.FocusAsync();
        await page.Keyboard.PressAsync("Enter");
    }
}
