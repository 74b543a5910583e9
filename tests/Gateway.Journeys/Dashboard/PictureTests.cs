using Gateway.Host.Simulate;
using Microsoft.Playwright;

namespace Gateway.Journeys.Dashboard;

/// <summary>The README's picture is what a person sees: GATEWAY_PICTURE names the file it is written to, and then the whole history of the demonstration is behind it.</summary>
public sealed class PictureTests
{
    [Fact]
    public async Task Today_of_the_demonstration_fills_a_screen_with_what_needs_a_person()
    {
        var file = Environment.GetEnvironmentVariable("GATEWAY_PICTURE");
        await using var gateway = await FilledGateway.StartAsync(string.IsNullOrEmpty(file) ? new HistorySize(1, 150, FilledGateway.Held) : HistorySize.Full);
        await gateway.Database.ExecuteAsync("""
            select set_config('app.actor', 'test', false);
            update installation set kind = 'demonstration';
            update api_key set name = 'Demonstration officer' where role = 'officer';
            update party set name = case kind when 'cmo' then 'Demonstration CMO One' else 'Demonstration Pharma' end where kind in ('cmo', 'organisation');
            """);
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "officer");
        var page = browser.Page;
        // In the small hours the day has too little to show; the day before is looked at.
        var now = await gateway.Database.ScalarAsync<DateTime>("select gateway_now()");
        await browser.GoAsync(now.Hour < 6 ? FormattableString.Invariant($"today?day={now.AddDays(-1):yyyy-MM-dd}") : "today");
        await page.GetByText("SANDBOX").WaitForAsync();
        foreach (var (what, least) in (IEnumerable<(string, int)>)[("table.needs tbody tr", 4), ("figure.chart svg rect", 5), ("figure.chart svg polyline, figure.chart svg path", 2), ("table.strip tbody tr", 8), (".conserve[data-balances=true]", 2)])
        {
            Assert.True(await page.Locator(what).CountAsync() >= least, $"{what}: {await page.Locator(what).CountAsync()}");
        }
        // What needs a person and how the day goes stand on the first screen.
        Assert.True(await page.Locator("figure.chart").First.EvaluateAsync<bool>("e => e.getBoundingClientRect().top < innerHeight"));
        if (!string.IsNullOrEmpty(file))
        {
            await page.ScreenshotAsync(new() { Path = file, FullPage = true });
        }
        browser.NothingWentWrong();
    }
}
