using Gateway.Host.Simulate;
using Microsoft.Playwright;

namespace Gateway.Journeys.Dashboard;

/// <summary>A real browser on the whole host.</summary>
public sealed class PagesTests
{
    private static readonly SimulatedParty Shipper = SimulatedParty.AtOneAddress("9521234000105", 7, "Shipper");
    private static readonly SimulatedParty Buyer = SimulatedParty.AtOneAddress("9521234000204", 7, "Buyer");

    [Fact]
    public async Task A_person_signs_in_watches_a_delivery_and_retries_a_dead_one()
    {
        await using var gateway = await TestGateway.StartAsync();
        await gateway.AddPartnerAsync(Buyer.Owner.Gln, "refuses/buyer");
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "operator");
        var page = browser.Page;

        // A wrong key is told, a right one opens the deliveries.
        await page.GotoAsync(new Uri(gateway.Url, "sign-in").ToString());
        await page.GetByText("With a key", new() { Exact = true }).ClickAsync();
        await page.FillAsync("#key", "gwl_0000000000000000.wrong");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in with a key" }).ClickAsync();
        await page.WaitForSelectorAsync("[role=alert]");
        await browser.AxeAsync("sign-in");
        await browser.SignInAsync(gateway.Keys["officer"]);
        await browser.ReadyAsync();
        Assert.EndsWith("/today", page.Url, StringComparison.Ordinal);
        await browser.AxeAsync("today-empty");
        await page.Keyboard.PressAsync("g");
        await page.Keyboard.PressAsync("d");
        await browser.AtAsync("**/deliveries");

        // A refused delivery appears on the open page without a reload.
        var document = new ShipmentGenerator(5).Xml(new ShipmentPlan(1, Shipper, Buyer, new DateTimeOffset(2026, 11, 1, 8, 0, 0, TimeSpan.Zero), "LOT1", new DateOnly(2029, 1, 31)));
        using var answer = await gateway.CaptureAsync(document);
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from delivery where state = 'dead'") == 1);
        await page.GetByRole(AriaRole.Table).GetByText("Needs decision").Or(page.GetByRole(AriaRole.Grid).GetByText("Needs decision")).First.WaitForAsync();
        await browser.AxeAsync("deliveries");

        // Its page says why, and a retry with a reason sends it again.
        await browser.GoAsync("deliveries/1");
        await browser.AxeAsync("delivery");
        await page.GetByRole(AriaRole.Button, new() { Name = "Retry…" }).ClickAsync();
        await browser.AxeAsync("delivery-retry");
        await page.FillAsync("#reason", "The partner has corrected its master data.");
        await page.GetByRole(AriaRole.Button, new() { Name = "Retry", Exact = true }).ClickAsync();
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select attempts::bigint from delivery") > 3);
        Assert.Equal("retry The partner has corrected its master data.", await gateway.Database.ScalarAsync<string>("select action || ' ' || reason from delivery_decision"));
        Assert.Equal(1L, await gateway.Database.ScalarAsync<long>("select count(*) from audit_entry where entity = 'delivery_decision' and reason is not null"));

        // The capture and its findings.
        await browser.GoAsync("captures");
        await browser.AxeAsync("captures");
        using var refused = await gateway.CaptureAsync(new ShipmentGenerator(5).Xml(new ShipmentPlan(2, Shipper, Buyer, new DateTimeOffset(2026, 11, 1, 8, 0, 0, TimeSpan.Zero), "LOT1", new DateOnly(2029, 1, 31)) { OmitCaseParent = true }));
        await gateway.JobAsync(refused.Headers.Location!);
        await browser.GoAsync(refused.Headers.Location!.ToString().Replace("/capture/", "/captures/", StringComparison.Ordinal));
        await page.GetByText("EPCIS-AGG-01").First.WaitForAsync();
        await browser.AxeAsync("capture");
        browser.NothingWentWrong();
    }

    [Fact]
    public async Task The_browsers_script_is_served_with_a_body()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var http = new HttpClient { BaseAddress = gateway.Url };
        Assert.True((await http.GetByteArrayAsync("_framework/blazor.web.js", TestContext.Current.CancellationToken)).Length > 100_000);
    }
}
