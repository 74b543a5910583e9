using System.Net.Http.Json;
using System.Text.Json;
using Gateway.Host.Simulate;
using Gateway.Journeys.Dashboard;
using Microsoft.Playwright;

namespace Gateway.Journeys;

/// <summary>An exception from its opening to its end, over HTTP, on the command line and on its page.</summary>
public sealed class ExceptionJourneys
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly SimulatedParty Shipper = SimulatedParty.AtOneAddress("9521234000105", 7, "Shipper");
    private static readonly SimulatedParty Buyer = SimulatedParty.AtOneAddress("9521234000204", 7, "Buyer");

    [Fact]
    public async Task Over_http_it_is_found_noted_assigned_resolved_and_reopened()
    {
        await using var gateway = await TestGateway.StartAsync();
        var capture = await RefusedAsync(gateway, 1);
        await RefusedAsync(gateway, 2);
        using var officer = gateway.Client("officer");
        var first = await officer.GetFromJsonAsync<JsonElement>("api/exceptions?limit=1", Ct);
        var rest = await officer.GetFromJsonAsync<JsonElement>($"api/exceptions?limit=1&cursor={Text(first, "next")}", Ct);
        Assert.Equal(JsonValueKind.Null, rest.GetProperty("next").ValueKind);
        var item = Assert.Single(rest.GetProperty("items").EnumerateArray());
        var id = Text(item, "id");
        Assert.Equal(("open", "EPCIS-AGG-01", "error", capture), (Text(item, "state"), Text(item, "code"), Text(item, "severity"), Text(item.GetProperty("source"), "id")));
        foreach (var (filter, count) in ((string, int)[])
            [("state=open", 2), ("state=resolved", 0), ("code=EPCIS-AGG-01", 2), ("lot=LOT1", 2), ("lot=LOT2", 0), ($"document={item.GetProperty("document").GetInt64()}", 1), ($"source={capture}", 1), ("gtin=09521234543213", 0), ("epc=urn:x", 0)])
        {
            Assert.Equal((filter, count), (filter, (await officer.GetFromJsonAsync<JsonElement>($"api/exceptions?{filter}", Ct)).GetProperty("items").GetArrayLength()));
        }
        foreach (var wrong in (string[])["state=new", "gtin=12", "document=x", "cursor=x", "limit=0"])
        {
            using var answer = await officer.GetAsync($"api/exceptions?{wrong}", Ct);
            Assert.Equal((wrong, 400), (wrong, (int)answer.StatusCode));
        }

        Assert.Equal("GW-DLV-02", await CodeAsync(officer, id, "resolve", new { reason = " " }, 422));
        Assert.Equal("GW-HTTP-06", await CodeAsync(officer, id, "notes", new { text = "" }, 422));
        Assert.Equal("GW-EXC-01", await CodeAsync(officer, id, "reopen", new { reason = "Why" }, 409));
        Assert.Equal("GW-EXC-01", await CodeAsync(officer, id, "resolve", new { reason = "Why", version = 9 }, 409));
        Assert.Equal("GW-HTTP-01", await CodeAsync(officer, Guid.NewGuid().ToString(), "resolve", new { reason = "Why" }, 404));
        Assert.Equal("Packaging", Text(await DoneAsync(officer, id, "assign", new { to = "Packaging", reason = "Their line.", version = 1 }), "assignedTo"));
        await DoneAsync(officer, id, "notes", new { text = "They look.", version = 2 });
        Assert.Equal("GW-EXC-01", await CodeAsync(officer, id, "notes", new { text = "They look.", version = 2 }, 409)); // sent twice, added once
        var resolved = await DoneAsync(officer, id, "resolve", new { reason = "Sent again with parents." });
        Assert.Equal(("resolved", "officer", "Sent again with parents."), (Text(resolved, "state"), Text(resolved, "decidedBy"), Text(resolved, "decidedWhy")));
        Assert.Equal("open", Text(await DoneAsync(officer, id, "reopen", new { reason = "Not all." }), "state"));
        var details = await officer.GetFromJsonAsync<JsonElement>($"api/exceptions/{id}", Ct);
        Assert.Equal(["reopen", "resolve", "note", "assign"], details.GetProperty("notes").EnumerateArray().Select(n => Text(n, "action")!));
        Assert.Equal(0, details.GetProperty("epcs").GetArrayLength());
    }

    [Fact]
    public async Task The_command_line_lists_shows_and_decides()
    {
        await using var gateway = await TestGateway.StartAsync();
        await RefusedAsync(gateway, 1);
        var (exit, said, _) = await gateway.VerbAsync("exceptions", "list", "--state", "open", "--json");
        var id = Text(JsonDocument.Parse(said).RootElement, "id")!;
        Assert.Equal(0, exit);
        Assert.Contains("EPCIS-AGG-01", (await gateway.VerbAsync("exceptions", "list")).Said, StringComparison.Ordinal);
        (exit, said, _) = await gateway.VerbAsync("exceptions", "note", id, "--text", "They look.");
        Assert.Equal(0, exit);
        (exit, said, _) = await gateway.VerbAsync("exceptions", "dismiss", id, "--reason", "A test.", "--json");
        Assert.Equal((0, "dismissed"), (exit, Text(JsonDocument.Parse(said).RootElement, "state")));
        (exit, said, var wrong) = await gateway.VerbAsync("exceptions", "resolve", id, "--reason", "Again.");
        Assert.Equal((1, ""), (exit, said));
        Assert.Contains("Only what is open", wrong, StringComparison.Ordinal);
        (exit, said, _) = await gateway.VerbAsync("exceptions", "show", id);
        Assert.Contains("Gateway command line  dismiss: A test.", said, StringComparison.Ordinal);
        Assert.Contains("Gateway command line  note: They look.", said, StringComparison.Ordinal);
        Assert.Equal(2, (await gateway.VerbAsync("exceptions", "resolve", id)).Exit);
        Assert.Equal(2, (await gateway.VerbAsync("exceptions", "list", "--state", "new")).Exit);
        Assert.Equal(2, (await gateway.VerbAsync("exceptions", "show", Guid.NewGuid().ToString())).Exit);
    }

    [Fact]
    public async Task From_today_to_resolved_with_a_story_and_a_door_to_the_document()
    {
        await using var gateway = await TestGateway.StartAsync();
        var capture = await RefusedAsync(gateway, 1);
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "officer");
        var page = browser.Page;
        await page.SetViewportSizeAsync(1024, 768);
        await browser.GoAsync("today");
        await page.GetByRole(AriaRole.Link, new() { NameRegex = new("1 ?! Open exceptions") }).ClickAsync();
        await browser.AtAsync("**/exceptions?state=open");
        await page.Locator("h1", new() { HasText = "1 exception is open and waits for a person." }).WaitForAsync();
        await browser.AxeAsync("exceptions");
        await page.Locator("table.rows a").First.ClickAsync();
        await page.Locator("h1", new() { HasText = "Open:" }).WaitForAsync();
        await browser.AxeAsync("exception-open");

        await page.GetByRole(AriaRole.Button, new() { Name = "Assign…" }).ClickAsync();
        await page.FillAsync("#to", "Packaging");
        await page.FillAsync("#reason", "It is their line.");
        await browser.AxeAsync("exception-assign");
        await page.GetByRole(AriaRole.Button, new() { Name = "Assign", Exact = true }).ClickAsync();
        await page.Locator("ol.timeline", new() { HasText = "Assigned to Packaging" }).WaitForAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Note…" }).ClickAsync();
        await page.GetByLabel("Note", new() { Exact = true }).FillAsync("The parents were missing.");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add note", Exact = true }).ClickAsync();
        await page.Locator("ol.timeline", new() { HasText = "The parents were missing." }).WaitForAsync();

        // Without a mouse.
        await page.GetByRole(AriaRole.Button, new() { Name = "Resolve…" }).FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await page.Locator("#reason:focus").WaitForAsync();
        await page.Keyboard.TypeAsync("Sent again with parents.");
        await page.Locator(".rz-dialog button.first:enabled").WaitForAsync(); // until then Tab passes over it
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Enter");
        await page.Locator("h1", new() { HasText = "Resolved by officer: Sent again with parents." }).WaitForAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Reopen…" }).WaitForAsync();
        await browser.AxeAsync("exception-resolved");
        Assert.Equal("resolved", await gateway.Database.ScalarAsync<string>("select state from exception"));

        await page.GetByRole(AriaRole.Link, new() { Name = capture }).ClickAsync();
        await browser.AtAsync($"**/captures/{capture}");
        await page.GetByRole(AriaRole.Link, new() { NameRegex = new("1 ?exceptions") }).ClickAsync();
        await page.Locator("h1", new() { HasText = "The only exception is settled." }).WaitForAsync();
        browser.NothingWentWrong();
    }

    [Fact]
    public async Task A_page_that_is_open_shows_what_another_decides_and_refuses_what_was_meant_for_before()
    {
        await using var gateway = await TestGateway.StartAsync();
        await RefusedAsync(gateway, 1);
        var id = (await gateway.Database.ScalarAsync<Guid>("select public_id from exception")).ToString();
        using var officer = gateway.Client("officer");
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "officer");
        await browser.GoAsync($"exceptions/{id}");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Dismiss…" }).ClickAsync();
        await browser.Page.FillAsync("#reason", "Too late.");
        await DoneAsync(officer, id, "resolve", new { reason = "I was first." });
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Dismiss", Exact = true }).ClickAsync();
        await browser.Page.GetByText("Or it has changed since you looked.").WaitForAsync();
        await browser.Page.Locator("h1", new() { HasText = "Resolved by officer: I was first." }).WaitForAsync();
        Assert.Equal(1L, await gateway.Database.ScalarAsync<long>("select count(*) from exception_note"));
        browser.NothingWentWrong();
    }

    /// <returns>The captureID of a document without parents.</returns>
    private static async Task<string> RefusedAsync(TestGateway gateway, long sequence)
    {
        using var answer = await gateway.CaptureAsync(new ShipmentGenerator(5).Xml(
            new ShipmentPlan(sequence, Shipper, Buyer, new DateTimeOffset(2026, 11, 1, 8, 0, 0, TimeSpan.Zero), "LOT1", new DateOnly(2029, 1, 31)) { OmitCaseParent = true }));
        await gateway.JobAsync(answer.Headers.Location!);
        return answer.Headers.Location!.ToString().Split('/')[^1];
    }

    private static async Task<JsonElement> DoneAsync(HttpClient http, string? id, string verb, object body)
    {
        using var answer = await http.PostAsJsonAsync($"api/exceptions/{id}/{verb}", body, Ct);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Ct));
        return await answer.Content.ReadFromJsonAsync<JsonElement>(Ct);
    }

    private static async Task<string?> CodeAsync(HttpClient http, string? id, string verb, object body, int status)
    {
        using var answer = await http.PostAsJsonAsync($"api/exceptions/{id}/{verb}", body, Ct);
        Assert.Equal(status, (int)answer.StatusCode);
        return Text(await answer.Content.ReadFromJsonAsync<JsonElement>(Ct), "code");
    }

    private static string? Text(JsonElement of, string name) => of.GetProperty(name).GetString();
}
