using Deque.AxeCore.Playwright;
using Gateway.Access;
using Gateway.Host.Simulate;
using Gateway.Journeys.Access;
using Microsoft.Playwright;

namespace Gateway.Journeys.Dashboard;

/// <summary>People's pages in a real browser, and pages left open by people who lose their rights.</summary>
public sealed class AccountPagesTests
{
    private const string Good = "seven herons over Lake Ohrid";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly Actor Admin = Actor.System("test");
    private static readonly SimulatedParty Shipper = SimulatedParty.AtOneAddress("9521234000105", 7, "Shipper");
    private static readonly SimulatedParty Buyer = SimulatedParty.AtOneAddress("9521234000204", 7, "Buyer");

    [Fact]
    [Requirement("P11-14")]
    public async Task An_administrator_admits_a_person_who_sets_a_password_and_a_second_factor_and_is_put_out_again()
    {
        await using var gateway = await TestGateway.StartAsync(new Dictionary<string, string?> { ["SignIn:CheckEvery"] = "00:00:02" });
        await PeopleJourneys.AddAsync(gateway, "chief", "administrator");
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await BrowserAsync(playwright);
        var admin = await SignInAsync(gateway, browser, "chief", Good);
        await OpenAsync(gateway, admin, "settings/people");
        await admin.FillAsync("#user", "anna");
        await admin.FillAsync("#name", "Anna Berg");
        await admin.SelectOptionAsync("#role", "officer");
        await admin.FillAsync("#why", "hired");
        await admin.GetByRole(AriaRole.Button, new() { Name = "Add", Exact = true }).ClickAsync();
        var temporary = await admin.InnerTextAsync("#secret");
        await AuditAsync(admin, "people");

        // She can do nothing but set a password of her own, and then what her role may.
        var anna = await SignInAsync(gateway, browser, "anna", temporary);
        Assert.EndsWith("/account", anna.Url, StringComparison.Ordinal);
        await anna.FillAsync("#current", temporary);
        await anna.FillAsync("#next", "annaberg2026!");
        await anna.FillAsync("#again", "annaberg2026!");
        await anna.GetByRole(AriaRole.Button, new() { Name = "Change" }).ClickAsync();
        await anna.GetByText("names that belong to you, this gateway").WaitForAsync();
        await anna.FillAsync("#current", temporary);
        await anna.FillAsync("#next", Good);
        await anna.FillAsync("#again", Good);
        await anna.GetByRole(AriaRole.Button, new() { Name = "Change" }).ClickAsync();
        await anna.GetByText("has no second factor yet").WaitForAsync();
        await anna.GetByRole(AriaRole.Button, new() { Name = "Set…" }).ClickAsync();
        var key = (await anna.InnerTextAsync("#totp-key")).Replace("Copy", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal).Trim();
        await anna.FillAsync("#own", Good);
        await anna.FillAsync("#code", Totp.Code(FromBase32(key), await gateway.Database.ScalarAsync<DateTime>("select gateway_now()")));
        await anna.GetByRole(AriaRole.Button, new() { Name = "Set", Exact = true }).ClickAsync();
        await anna.WaitForSelectorAsync("#recovery");
        await AuditAsync(anna, "account");
        await OpenAsync(gateway, anna, "deliveries");

        // Roles that exclude each other are refused with the reason; disabling ends her open page.
        await OpenAsync(gateway, admin, "settings/people/anna");
        await admin.GetByRole(AriaRole.Button, new() { Name = "Grant administrator" }).ClickAsync();
        await admin.FillAsync("#reason", "handy");
        await admin.GetByRole(AriaRole.Button, new() { Name = "Grant", Exact = true }).ClickAsync();
        await admin.GetByText("exclude each other").WaitForAsync();
        await AuditAsync(admin, "person");
        await admin.GetByRole(AriaRole.Button, new() { Name = "Disable…" }).ClickAsync();
        await admin.FillAsync("#reason", "left");
        await admin.GetByRole(AriaRole.Button, new() { Name = "Disable", Exact = true }).ClickAsync();
        // The page is left more than once on its way, which the browser tells as an aborted navigation.
        await Eventually.TrueAsync(() => Task.FromResult(anna.Url.Contains("/sign-in?", StringComparison.Ordinal)));
        Assert.Equal("left", await gateway.Database.ScalarAsync<string>("select reason from audit_entry where entity = 'person' and new->>'state' = 'disabled'"));

        foreach (var page in (string[])["settings/roles", "settings/keys"])
        {
            await OpenAsync(gateway, admin, page);
            await AuditAsync(admin, page);
        }
    }

    [Fact]
    [Requirement("P11-37")]
    public async Task A_command_of_an_open_page_asks_for_the_right_again_before_the_page_itself_does()
    {
        await using var gateway = await TestGateway.StartAsync(new Dictionary<string, string?> { ["SignIn:CheckEvery"] = "01:00:00" });
        await gateway.AddPartnerAsync(Buyer.Owner.Gln, "refuses/buyer");
        await PeopleJourneys.AddAsync(gateway, "anna", "officer");
        using var answer = await gateway.CaptureAsync(new ShipmentGenerator(5).Xml(new ShipmentPlan(1, Shipper, Buyer, new DateTimeOffset(2026, 11, 1, 8, 0, 0, TimeSpan.Zero), "LOT1", new DateOnly(2029, 1, 31))));
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from delivery where state = 'dead'") == 1);
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await BrowserAsync(playwright);
        var anna = await SignInAsync(gateway, browser, "anna", Good);
        await OpenAsync(gateway, anna, "deliveries/1");
        await anna.GetByRole(AriaRole.Button, new() { Name = "Close…" }).ClickAsync();
        await anna.FillAsync("#reason", "too late");

        var people = new People(gateway.Database.Gateway);
        await people.GrantAsync(Admin, "anna", "inspector", "moved", Ct);
        await people.RevokeAsync(Admin, "anna", "officer", "moved", Ct);
        await anna.GetByRole(AriaRole.Button, new() { Name = "Close", Exact = true }).ClickAsync();

        // She may still look, and the page knows by now that she may no more.
        await anna.GetByText("You may look, not decide.").WaitForAsync();
        Assert.Equal("dead", await gateway.Database.ScalarAsync<string>("select state from delivery"));
        Assert.Equal(0L, await gateway.Database.ScalarAsync<long>("select count(*) from delivery_decision"));
    }

    /// <summary>A person's name, an officer's many pages and the longest word for the environment stand beside each other.</summary>
    [Fact]
    public async Task A_page_of_a_person_is_no_wider_than_a_small_screen()
    {
        await using var gateway = await TestGateway.StartAsync();
        await gateway.Database.ExecuteAsync("select set_config('app.actor', 'test', false); update installation set kind = 'demonstration'");
        await PeopleJourneys.AddAsync(gateway, "annemarie.von.hohenberg", "officer");
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await BrowserAsync(playwright);
        var page = await SignInAsync(gateway, browser, "annemarie.von.hohenberg", Good);
        await page.SetViewportSizeAsync(1024, 768);
        foreach (var path in new[] { "today", "exceptions", "masterdata" })
        {
            await OpenAsync(gateway, page, path);
            Assert.True(await page.Locator("header.bar a[href=account]").IsVisibleAsync());
            Assert.Equal(1024, await page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        }
    }

    [Fact]
    public void An_open_page_is_checked_well_within_a_minute() =>
        Assert.InRange(new SignInOptions().CheckEvery, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));

    private static async Task<IBrowser> BrowserAsync(IPlaywright playwright)
    {
        var chromium = Environment.GetEnvironmentVariable("CHROMIUM") ?? "/usr/bin/chromium";
        Assert.SkipWhen(!File.Exists(chromium) && Environment.GetEnvironmentVariable("CI") is null, "Chromium is not installed: ./test.sh installs it.");
        return await playwright.Chromium.LaunchAsync(new() { ExecutablePath = chromium, Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
    }

    private static async Task<IPage> SignInAsync(TestGateway gateway, IBrowser browser, string user, string password)
    {
        var context = await browser.NewContextAsync(new() { ReducedMotion = ReducedMotion.Reduce });
        var page = await context.NewPageAsync();
        page.SetDefaultTimeout(60_000);
        await page.GotoAsync(new Uri(gateway.Url, "sign-in").ToString());
        await page.FillAsync("#user", user);
        await page.FillAsync("#password", password);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in", Exact = true }).ClickAsync();
        await page.WaitForSelectorAsync("main[data-ready=true]");
        return page;
    }

    private static async Task OpenAsync(TestGateway gateway, IPage page, string path)
    {
        await page.GotoAsync(new Uri(gateway.Url, path).ToString());
        await page.WaitForSelectorAsync("main[data-ready=true]");
    }

    private static async Task AuditAsync(IPage page, string name)
    {
        var audit = await page.RunAxe();
        var found = string.Join("\n", audit.Violations.SelectMany(v => v.Nodes.Select(n => $"{name}: {v.Id}: {n.Html}: {string.Join(" ", n.Any.Select(c => c.Message))}")));
        Assert.True(found.Length == 0, found);
        if (Environment.GetEnvironmentVariable("GATEWAY_SCREENSHOTS") is { Length: > 0 } folder)
        {
            await page.ScreenshotAsync(new() { Path = Path.Combine(folder, name.Replace('/', '-') + ".png"), FullPage = true });
        }
    }

    private static byte[] FromBase32(string text)
    {
        var bits = string.Concat(text.Select(c => Convert.ToString(Base32.Alphabet.IndexOf(c, StringComparison.Ordinal), 2).PadLeft(5, '0')));
        return [.. Enumerable.Range(0, bits.Length / 8).Select(n => Convert.ToByte(bits.Substring(n * 8, 8), 2))];
    }
}
