using Gateway.Host.Simulate;
using Microsoft.Playwright;

namespace Gateway.Journeys.Dashboard;

/// <summary>What people do in pages: live without jumping, each command once, from a cause to its cure, all by keyboard.</summary>
public sealed class CommandTests(FilledGateway filled) : IClassFixture<FilledGateway>
{
    private readonly TestGateway _gateway = filled.Gateway;

    [Theory]
    [InlineData("captures", "1 new capture — show")]
    [InlineData("deliveries?view=all", "1 new delivery — show")]
    [InlineData("routing", "1 new decision — show")]
    public async Task What_arrives_waits_until_its_reader_asks_and_the_figures_tell_it_at_once(string address, string offer)
    {
        await using var browser = await SignedInBrowser.OpenAsync(_gateway, "officer");
        var page = browser.Page;
        await browser.GoAsync(address);
        var rows = page.Locator("main table").Last.Locator("tbody tr");
        var all = page.Locator(".figures b").First;
        Task<string[]> Shown() => rows.EvaluateAllAsync<string[]>("all => all.map(tr => tr.querySelector('a[href*=\"captures/\"]').getAttribute('href'))");
        var before = await Shown();
        var figure = long.Parse(await all.InnerTextAsync(), System.Globalization.CultureInfo.InvariantCulture);
        Assert.True(before.Length > 1);

        using var answer = await _gateway.CaptureAsync(Shipment(PastManner.Well));
        await page.GetByRole(AriaRole.Button, new() { Name = offer }).WaitForAsync();
        Assert.Equal(before, await Shown());
        await page.Locator(".figures b", new() { HasText = $"{figure + 1}" }).First.WaitForAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = offer }).ClickAsync();
        var id = answer.Headers.Location!.ToString().Split('/')[^1];
        await rows.First.Locator($"a[href*='{id}']").WaitForAsync();
        Assert.Equal(before.Take(before.Length - 1), (await Shown()).Skip(1).Take(before.Length - 1));
        Assert.Equal(0, await page.GetByRole(AriaRole.Button, new() { Name = "— show" }).CountAsync());
        browser.NothingWentWrong();
    }

    [Theory]
    [InlineData("Retry", 1)]
    [InlineData("Close", 2)]
    public async Task A_verb_pressed_twice_here_and_in_another_tab_is_one_decision(string verb, int dead)
    {
        var id = await _gateway.Database.ScalarAsync<long>($"select delivery_id from delivery where state = 'dead' order by delivery_id offset {dead} limit 1");
        await using var browser = await SignedInBrowser.OpenAsync(_gateway, "officer");
        IPage[] tabs = [browser.Page, await browser.Context.NewPageAsync()];
        foreach (var tab in tabs)
        {
            await tab.GotoAsync(new Uri(_gateway.Url, $"deliveries/{id}").ToString());
            await tab.WaitForSelectorAsync("main[data-ready=true]");
            await tab.GetByRole(AriaRole.Button, new() { Name = verb + "…" }).DblClickAsync();
            await tab.FillAsync("#reason", "Settled with the partner.");
            Assert.Equal(1, await tab.Locator(".rz-dialog").CountAsync());
        }
        await Task.WhenAll(tabs.Select(tab => tab.GetByRole(AriaRole.Button, new() { Name = verb, Exact = true }).DblClickAsync()));
        await Task.WhenAll(tabs.Select(tab => tab.Locator(".notice").First.WaitForAsync()));
        Assert.Equal($"1 {verb.ToLowerInvariant()}", await _gateway.Database.ScalarAsync<string>($"select count(*) || ' ' || min(action) from delivery_decision where delivery_id = {id}"));
        var told = string.Join(" ", await Task.WhenAll(tabs.Select(tab => tab.Locator(".notice").First.InnerTextAsync())));
        Assert.Contains("Done.", told, StringComparison.Ordinal);
        Assert.Contains("Or it has changed since you looked.", told, StringComparison.Ordinal);
        browser.NothingWentWrong();
    }

    [Fact]
    public async Task An_operation_asked_for_twice_here_and_in_another_tab_decides_about_each_delivery_once()
    {
        const int most = 8;
        await _gateway.Database.ExecuteAsync($"""
            update delivery set state = 'dead', dead_reason = 'refused', code = 'http-400', finished_at = null
            where delivery_id in (select delivery_id from delivery join partner p using (partner_id) where p.name = 'Northern Wholesale' and delivery.state = 'delivered' order by delivery_id limit {most})
            """);
        await using var browser = await SignedInBrowser.OpenAsync(_gateway, "officer");
        IPage[] tabs = [browser.Page, await browser.Context.NewPageAsync()];
        foreach (var tab in tabs)
        {
            await tab.GotoAsync(new Uri(_gateway.Url, "deliveries?partner=1&state=dead&code=http-400").ToString());
            await tab.WaitForSelectorAsync("main[data-ready=true]");
            await tab.GetByRole(AriaRole.Button, new() { Name = $"Close all {most}…" }).DblClickAsync();
            await tab.FillAsync("#reason", "Agreed with the partner.");
            Assert.Equal(1, await tab.Locator(".rz-dialog").CountAsync());
        }
        await tabs[0].GetByRole(AriaRole.Button, new() { Name = $"Close {most}", Exact = true }).DblClickAsync();
        await tabs[0].GetByRole(AriaRole.Heading, new() { NameRegex = new($"finished, {most} applied") }).WaitForAsync();
        Assert.Equal(1, await _gateway.Database.ScalarAsync<long>("select count(*) from operation where filter like '%http-400%'"));

        // The other tab's list has emptied under its dialog; what it asks for finds nothing to decide.
        await tabs[1].GetByRole(AriaRole.Button, new() { Name = $"Close {most}", Exact = true }).DblClickAsync();
        await tabs[1].GetByText("No delivery in this selection can be closed.").WaitForAsync();
        Assert.Equal(1, await _gateway.Database.ScalarAsync<long>("select count(*) from operation where filter like '%http-400%'"));
        Assert.Equal(most, await _gateway.Database.ScalarAsync<long>("select count(*) from delivery_decision where reason = 'Agreed with the partner.'"));
        browser.NothingWentWrong();
    }

    private static long s_sequence = 9_000;

    private static byte[] Shipment(PastManner to) => new ShipmentGenerator(5).Xml(new ShipmentPlan(
        Interlocked.Increment(ref s_sequence), DemonstrationCast.Shippers[0], DemonstrationCast.Partners.First(p => p.Past == to).Party, DateTimeOffset.UtcNow, "NOW1", new DateOnly(2029, 1, 1)));
}
