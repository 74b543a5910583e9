using Deque.AxeCore.Playwright;
using Gateway.Host.Simulate;
using Microsoft.Playwright;

namespace Gateway.Journeys.Dashboard;

/// <summary>A real browser on the whole host. Set GATEWAY_SCREENSHOTS to a folder to keep a picture of each page.</summary>
public sealed class PagesTests
{
    private static readonly SimulatedParty Shipper = SimulatedParty.AtOneAddress("9521234000105", 7, "Shipper");
    private static readonly SimulatedParty Buyer = SimulatedParty.AtOneAddress("9521234000204", 7, "Buyer");

    [Fact]
    public async Task A_person_signs_in_watches_a_delivery_and_retries_a_dead_one()
    {
        var chromium = Environment.GetEnvironmentVariable("CHROMIUM") ?? "/usr/bin/chromium";
        Assert.SkipWhen(!File.Exists(chromium) && Environment.GetEnvironmentVariable("CI") is null, "Chromium is not installed: ./test.sh installs it.");
        await using var gateway = await TestGateway.StartAsync();
        await gateway.AddPartnerAsync(Buyer.Owner.Gln, "refuses/buyer");
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = chromium, Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
        var page = await browser.NewPageAsync(new() { ReducedMotion = ReducedMotion.Reduce, ViewportSize = new() { Width = 1440, Height = 900 } });
        var errors = new List<string>();
        page.Console += (_, m) => { if (m.Type == "error") { errors.Add(m.Text); } };

        // A wrong key is told, a right one opens the deliveries.
        await page.GotoAsync(new Uri(gateway.Url, "sign-in").ToString());
        await page.GetByText("With a key", new() { Exact = true }).ClickAsync();
        await page.FillAsync("#key", "gwl_0000000000000000.wrong");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in with a key" }).ClickAsync();
        await page.WaitForSelectorAsync("[role=alert]");
        await PictureAsync(page, "sign-in");
        await page.FillAsync("#key", gateway.Keys["officer"]);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in with a key" }).ClickAsync();
        await page.WaitForSelectorAsync("main[data-ready=true]");
        Assert.EndsWith("/today", page.Url, StringComparison.Ordinal);
        await PictureAsync(page, "today-empty");
        await page.Keyboard.PressAsync("g");
        await page.Keyboard.PressAsync("d");
        await page.WaitForURLAsync("**/deliveries");
        await page.WaitForSelectorAsync("main[data-ready=true]");

        // A refused delivery appears on the open page without a reload.
        var document = new ShipmentGenerator(5).Xml(new ShipmentPlan(1, Shipper, Buyer, new DateTimeOffset(2026, 11, 1, 8, 0, 0, TimeSpan.Zero), "LOT1", new DateOnly(2029, 1, 31)));
        using var answer = await gateway.CaptureAsync(document);
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from delivery where state = 'dead'") == 1);
        await page.GetByRole(AriaRole.Table).GetByText("Needs decision").Or(page.GetByRole(AriaRole.Grid).GetByText("Needs decision")).First.WaitForAsync();
        await PictureAsync(page, "deliveries");

        // Its page says why, and a retry with a reason sends it again.
        await page.GotoAsync(new Uri(gateway.Url, "deliveries/1").ToString());
        await page.WaitForSelectorAsync("main[data-ready=true]");
        await PictureAsync(page, "delivery");
        await page.GetByRole(AriaRole.Button, new() { Name = "Retry…" }).ClickAsync();
        await PictureAsync(page, "delivery-retry");
        await page.FillAsync("#reason", "The partner has corrected its master data.");
        await page.GetByRole(AriaRole.Button, new() { Name = "Retry", Exact = true }).ClickAsync();
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select attempts::bigint from delivery") > 3);
        Assert.Equal("retry The partner has corrected its master data.", await gateway.Database.ScalarAsync<string>("select action || ' ' || reason from delivery_decision"));
        Assert.Equal(1L, await gateway.Database.ScalarAsync<long>("select count(*) from audit_entry where entity = 'delivery_decision' and reason is not null"));

        // The capture and its findings.
        await page.GotoAsync(new Uri(gateway.Url, "captures").ToString());
        await page.WaitForSelectorAsync("main[data-ready=true]");
        await PictureAsync(page, "captures");
        using var refused = await gateway.CaptureAsync(new ShipmentGenerator(5).Xml(new ShipmentPlan(2, Shipper, Buyer, new DateTimeOffset(2026, 11, 1, 8, 0, 0, TimeSpan.Zero), "LOT1", new DateOnly(2029, 1, 31)) { OmitCaseParent = true }));
        await gateway.JobAsync(refused.Headers.Location!);
        await page.GotoAsync(new Uri(gateway.Url, refused.Headers.Location!.ToString().Replace("/capture/", "/captures/", StringComparison.Ordinal)).ToString());
        await page.WaitForSelectorAsync("main[data-ready=true]");
        await page.GetByText("EPCIS-AGG-01").First.WaitForAsync();
        await PictureAsync(page, "capture");
        Assert.Empty(errors);
    }

    [Fact]
    public async Task The_browsers_script_is_served_with_a_body()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var http = new HttpClient { BaseAddress = gateway.Url };
        Assert.True((await http.GetByteArrayAsync("_framework/blazor.web.js", TestContext.Current.CancellationToken)).Length > 100_000);
    }

    private static async Task PictureAsync(IPage page, string name)
    {
        // Open to everybody: axe finds nothing on any page as it is shown.
        var audit = await page.RunAxe();
        var found = string.Join("\n", audit.Violations.SelectMany(v => v.Nodes.Select(n => $"{name}: {v.Id}: {n.Html}: {string.Join(" ", n.Any.Select(c => c.Message))}")));
        Assert.True(found.Length == 0, found);
        if (Environment.GetEnvironmentVariable("GATEWAY_SCREENSHOTS") is { Length: > 0 } folder)
        {
            await page.ScreenshotAsync(new() { Path = Path.Combine(folder, name + ".png"), FullPage = true });
        }
    }
}
