using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Gateway.Journeys.Dashboard;

/// <summary>From what Today says to what mends it: at most five clicks, and without a mouse too.</summary>
public sealed class CauseToCureTests(FilledGateway filled) : IClassFixture<FilledGateway>
{
    private const int MostClicks = 5;
    private readonly TestGateway _gateway = filled.Gateway;

    [Fact]
    public async Task What_an_expired_certificate_holds_goes_when_the_partner_has_renewed_it()
    {
        await using var browser = await SignedInBrowser.OpenAsync(_gateway, "officer");
        await browser.GoAsync("today");
        var clicks = await ClicksAsync(browser, Link("Island Pharmacies"));
        await browser.Page.Locator("h1", new() { HasText = "Island Pharmacies is left alone" }).WaitForAsync();
        await _gateway.Database.ExecuteAsync($"select set_config('app.actor', 'test', false); update partner set url = '{new Uri(_gateway.Partner.BaseAddress, "well/island")}' where name = 'Island Pharmacies'");
        clicks += await ClicksAsync(browser, Button("Try now…"));
        await browser.Page.FillAsync("#reason", "The partner has renewed its certificate.");
        clicks += await ClicksAsync(browser, Button("Try now"));
        await browser.Page.Locator("h1", new() { HasText = "Everything for Island Pharmacies is delivered." }).WaitForAsync();
        Assert.InRange(clicks, 1, MostClicks);
        Assert.Equal(FilledGateway.Held, await _gateway.Database.ScalarAsync<long>("select count(*) from delivery d join partner p using (partner_id) where p.name = 'Island Pharmacies' and d.state = 'delivered' and d.code is not distinct from null and d.finished_at > gateway_now() - interval '10 min'"));
        Assert.Equal("The partner has renewed its certificate.", await _gateway.Database.ScalarAsync<string>("select reason from audit_entry where action = 'try now' and entity = 'partner'"));
        browser.NothingWentWrong();
    }

    [Fact]
    public async Task Who_sent_a_document_without_parents_can_be_told_what_to_correct()
    {
        await using var browser = await SignedInBrowser.OpenAsync(_gateway, "officer");
        await browser.GoAsync("today");
        var row = browser.Page.Locator("table.needs tr", new() { HasText = "EPCIS-AGG-01" }).First;
        await row.GetByRole(AriaRole.Link, new() { Name = "the newest" }).ClickAsync();
        await browser.AtAsync("**/captures/*-*");
        var clicks = 1 + await ClicksAsync(browser, Button("Copy for supplier"));
        await browser.Page.GetByText("Copied").WaitForAsync();
        var copied = await browser.Page.EvaluateAsync<string>("navigator.clipboard.readText()");
        Assert.Contains("EPCIS-AGG-01", copied, StringComparison.Ordinal);
        Assert.Contains("line ", copied, StringComparison.Ordinal);
        Assert.InRange(clicks, 1, MostClicks);
        browser.NothingWentWrong();
    }

    [Fact]
    public async Task What_a_partner_has_refused_is_retried_together()
    {
        await using var browser = await SignedInBrowser.OpenAsync(_gateway, "officer");
        await browser.GoAsync("today");
        var clicks = await ClicksAsync(browser, Link("Western Wholesale"));
        await _gateway.Database.ExecuteAsync("select set_config('app.actor', 'test', false); update partner set url = replace(url, 'refuses-seldom', 'well/west') where name = 'Western Wholesale'");
        clicks += await ClicksAsync(browser, Button($"Retry all {FilledGateway.Dead}…"));
        await browser.Page.FillAsync("#reason", "The partner knows the product now.");
        clicks += await ClicksAsync(browser, Button($"Retry {FilledGateway.Dead}"));
        await browser.Page.GetByRole(AriaRole.Heading, new() { NameRegex = new($"finished, {FilledGateway.Dead} applied") }).WaitForAsync();
        Assert.InRange(clicks, 1, MostClicks);
        browser.NothingWentWrong();
    }

    [Fact]
    public async Task A_partner_that_has_fallen_silent_is_named_with_what_it_owes_and_is_sent_no_more_by_keyboard_alone()
    {
        await using var browser = await SignedInBrowser.OpenAsync(_gateway, "officer");
        var page = browser.Page;
        await browser.GoAsync("today");
        var row = page.Locator("table.needs tr", new() { HasText = "Owes results Lakeside Clinics" });
        // A receipt may become overdue at this very moment; the page follows.
        var owed = await OwedAsync();
        for (var i = 0; i < 100 && await row.Locator("td.num").InnerTextAsync() != $"{owed}"; i++)
        {
            await Task.Delay(100, TestContext.Current.CancellationToken);
            owed = await OwedAsync();
        }
        Assert.Equal($"{owed}", await row.Locator("td.num").InnerTextAsync());
        var presses = await PressAsync(page, row.GetByRole(AriaRole.Link, new() { Name = "the partner" }));
        await page.Locator("h1", new() { HasTextRegex = new Regex("Lakeside Clinics took [0-9]+ documents and has not said") }).WaitForAsync();
        presses += await PressAsync(page, page.GetByRole(AriaRole.Button, new() { Name = "Pause…" }));
        await page.Locator("#reason:focus").WaitForAsync();
        await page.Keyboard.TypeAsync("Nobody answers there.");
        presses += await PressAsync(page, page.GetByRole(AriaRole.Button, new() { Name = "Pause", Exact = true }));
        await page.Locator("h1", new() { HasText = "Lakeside Clinics is paused: Nobody answers there." }).WaitForAsync();
        Assert.InRange(presses, 1, MostClicks);
        browser.NothingWentWrong();

        Task<long> OwedAsync() => _gateway.Database.ScalarAsync<long>("select count(*) from delivery where state = 'delivered' and receipt = 'pending' and receipt_overdue");
    }

    [Fact]
    public async Task A_person_signs_in_and_retries_a_delivery_without_a_mouse()
    {
        var id = await _gateway.Database.ScalarAsync<long>("select max(delivery_id) from delivery d join partner p using (partner_id) where p.name = 'Central Pharmacy Supply'");
        await _gateway.Database.ExecuteAsync($"update delivery set state = 'dead', dead_reason = 'refused', code = 'http-409', finished_at = null where delivery_id = {id}");
        await using var browser = await SignedInBrowser.OpenAsync(_gateway, "operator");
        var page = browser.Page;
        await page.GotoAsync(new Uri(_gateway.Url, "sign-in").ToString());
        await PressAsync(page, page.Locator("summary"));
        await TabToAsync(page, page.Locator("#key"));
        await page.Keyboard.TypeAsync(_gateway.Keys["officer"]);
        await page.Keyboard.PressAsync("Enter");
        await browser.AtAsync("**/today");
        await browser.ReadyAsync();
        await PressAsync(page, page.Locator("table.needs tr", new() { HasText = "partner.busy" }).GetByRole(AriaRole.Link));
        await browser.AtAsync("**/deliveries?*partner.busy*");
        await PressAsync(page, page.GetByRole(AriaRole.Link, new() { Name = $"{id}", Exact = true }));
        await browser.AtAsync($"**/deliveries/{id}");
        await PressAsync(page, page.GetByRole(AriaRole.Button, new() { Name = "Retry…" }));
        await page.Locator("#reason:focus").WaitForAsync();
        await page.Keyboard.TypeAsync("They can take it now.");
        await PressAsync(page, page.GetByRole(AriaRole.Button, new() { Name = "Retry", Exact = true }));
        await page.Locator("h1", new() { HasText = "Delivered to Central Pharmacy Supply" }).WaitForAsync();
        Assert.Equal("They can take it now.", await _gateway.Database.ScalarAsync<string>($"select reason from delivery_decision where delivery_id = {id}"));
        browser.NothingWentWrong();
    }

    private static (AriaRole Role, string Name) Link(string name) => (AriaRole.Link, name);

    private static (AriaRole Role, string Name) Button(string name) => (AriaRole.Button, name);

    private static async Task<int> ClicksAsync(SignedInBrowser browser, (AriaRole Role, string Name) target)
    {
        await browser.Page.Locator("main, .rz-dialog").GetByRole(target.Role, new() { NameRegex = new($"(^| ){System.Text.RegularExpressions.Regex.Escape(target.Name)}$") }).First.ClickAsync();
        return 1;
    }

    // As somebody does who has only the Tab key: what has the focus shows it.
    private static async Task<int> PressAsync(IPage page, ILocator target)
    {
        await TabToAsync(page, target);
        await page.Keyboard.PressAsync("Enter");
        return 1;
    }

    private static async Task TabToAsync(IPage page, ILocator target)
    {
        await target.WaitForAsync();
        for (var presses = 0; presses < 200 && !await target.EvaluateAsync<bool>("e => e === document.activeElement"); presses++)
        {
            await page.Keyboard.PressAsync("Tab");
        }
        Assert.Equal("solid 2px", await target.EvaluateAsync<string>("e => e === document.activeElement && `${getComputedStyle(e).outlineStyle} ${getComputedStyle(e).outlineWidth}`"));
    }
}
