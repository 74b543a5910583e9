using Gateway.Host.Simulate;
using Microsoft.Playwright;

namespace Gateway.Journeys.Dashboard;

/// <summary>An open page whose server is killed and comes back.</summary>
public sealed class InterruptedPageTests
{
    private static readonly SimulatedParty Shipper = SimulatedParty.AtOneAddress("9521234000105", 7, "Shipper");
    private static readonly SimulatedParty Buyer = SimulatedParty.AtOneAddress("9521234000204", 7, "Buyer");

    [Fact]
    public async Task An_open_page_says_that_its_server_is_gone_and_recovers_by_itself_with_what_came_meanwhile()
    {
        var directory = Path.Combine(Path.GetTempPath(), $"gateway-pages-{Guid.NewGuid():N}");
        // Two nodes on one database: while the page's own is dead, the other takes documents.
        await using var gateway = await TestGateway.StartAsync();
        await gateway.AddPartnerAsync(Buyer.Owner.Gln, "refuses/buyer");
        await TakeAsync(gateway, 1);
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from delivery where state = 'dead'") == 1);
        await using (var host = await ChildHost.StartAsync(gateway.Database, directory))
        {
            await using var browser = await SignedInBrowser.OpenAsync(host.Url, gateway.Keys["officer"]);
            var page = browser.Page;
            await browser.GoAsync("captures");
            await page.Locator("h1", new() { HasText = "The only capture is accepted." }).WaitForAsync();
            var detail = await browser.Context.NewPageAsync();
            await detail.GotoAsync(new Uri(host.Url, "deliveries/1").ToString());
            await detail.WaitForSelectorAsync("main[data-ready=true]");
            await detail.GetByRole(AriaRole.Button, new() { Name = "Retry…" }).ClickAsync();
            await detail.Locator("#reason").WaitForAsync();

            await host.KillAsync();
            foreach (var open in (IPage[])[page, detail])
            {
                var banner = open.Locator("#components-reconnect-modal");
                await banner.Locator("time").WaitForAsync();
                Assert.Matches(@"The connection to the gateway is interrupted.* Lost at \d\d:\d\d:\d\d UTC", await banner.InnerTextAsync());
                Assert.Equal("rgb(252, 241, 220)", await banner.EvaluateAsync<string>("e => getComputedStyle(e).backgroundColor"));
                // No verb, no clock that stands still, no age that has stopped to grow.
                Assert.True(await open.EvaluateAsync<bool>("() => document.querySelectorAll('main button').length > 0 && [...document.querySelectorAll(':is(main, .rz-dialog) button, .clock + button')].every(e => e.inert)"));
                Assert.True(await open.Locator(".clock").IsHiddenAsync());
                var ages = await open.Locator("main time").AllInnerTextsAsync();
                Assert.NotEmpty(ages);
                Assert.All(ages, a => Assert.Matches(@"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$", a));
            }
            await TakeAsync(gateway, 2);
            await host.StartAgainAsync();
            await page.Locator("h1", new() { HasText = "All 2 captures are accepted." }).WaitForAsync();
            await page.Locator("main[data-ready=true] td a.mono").Nth(1).WaitForAsync(); // the heading stands there before the page lives
            Assert.True(await page.Locator("#components-reconnect-modal").IsHiddenAsync());
            Assert.True(await page.Locator(".clock").IsVisibleAsync());
            Assert.Equal(2, await page.Locator("main td a.mono").CountAsync());
            await Eventually.TrueAsync(() => detail.GetByRole(AriaRole.Button, new() { Name = "Retry…" }).IsEnabledAsync(), seconds: 60);
            Assert.Equal(0, await detail.Locator("#reason").CountAsync());
            Assert.Equal(0, await gateway.Database.ScalarAsync<long>("select count(*) from delivery_decision"));
            browser.NothingWentWrong("ERR_CONNECTION_REFUSED|WebSocket|Failed to (start|complete)|Failed to fetch|Connection disconnected"); // what a browser logs of a dead server
        }
        Directory.Delete(directory, recursive: true);
    }

    private static async Task TakeAsync(TestGateway gateway, long sequence)
    {
        using var answer = await gateway.CaptureAsync(new ShipmentGenerator(5).Xml(
            new ShipmentPlan(sequence, Shipper, Buyer, new DateTimeOffset(2026, 11, 1, 8, 0, 0, TimeSpan.Zero), "LOT1", new DateOnly(2029, 1, 31))));
        await gateway.JobAsync(answer.Headers.Location!);
    }
}
