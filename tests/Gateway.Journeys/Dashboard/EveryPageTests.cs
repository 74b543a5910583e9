using Microsoft.Playwright;

namespace Gateway.Journeys.Dashboard;

/// <summary>What holds on every page, whoever opens it: it works, everybody can read and use it, nothing leaves the machine.</summary>
public sealed class EveryPageTests(FilledGateway filled) : IClassFixture<FilledGateway>
{
    // Each state has a sign and a word beside its colour; no page is wider than a small screen.
    private const string Looks = """
        () => [
          ...[...document.querySelectorAll(".state")].filter(e => !e.querySelector(".glyph")?.textContent.trim() || e.textContent.trim() === e.querySelector(".glyph").textContent.trim()).map(e => "colour alone: " + e.outerHTML),
          ...[...document.querySelectorAll("a.cell")].filter(e => !e.textContent.trim() || !e.ariaLabel).map(e => "colour alone: " + e.outerHTML),
          ...[...document.querySelectorAll(".figures :is(.bad, .watch, .chosen)")].filter(e => !e.querySelector(".what")?.textContent.trim()).map(e => "colour alone: " + e.outerHTML),
          ...(document.documentElement.scrollWidth <= innerWidth ? [] : ["wider than " + innerWidth + ": " + [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > innerWidth).slice(0, 3).map(e => e.outerHTML.slice(0, 120))]),
        ]
        """;

    // Stands for a delivery that its partner has answered for: which one differs with the day of the week.
    private const string Delivered = "deliveries/delivered";

    private readonly TestGateway _gateway = filled.Gateway;

    [Theory]
    [InlineData("administrator", "settings/people", "settings/roles", "settings/keys", "settings/health")]
    [InlineData("operator", "captures", "search?q=LOT", "settings/people", "deliveries", "nothing-here")]
    [InlineData("officer", "today", "deliveries/1", Delivered, "operations", "captures/check", "settings/health", "settings/reviews", "partners/2", "partners/5", "lots", "recall", "hub", "hub/alerts", "serials", "devices", "devices/cam-1?party=The%20organisation", "intake", "intake/mappings/f1-unit-csv", "lines", "lines/PL01")]
    [InlineData("cmo", "captures", "captures/check", "serials", "devices", "intake", "lines")]
    public async Task A_page_works_and_can_be_read_and_used_by_everybody(string role, params string[] from)
    {
        await using var browser = await SignedInBrowser.OpenAsync(_gateway, role);
        await browser.Page.SetViewportSizeAsync(1024, 768);
        var delivered = await _gateway.Database.ScalarAsync<long>("select max(delivery_id) from delivery where state = 'delivered' and receipt = 'received'");
        from = [.. from.Select(f => f == Delivered ? $"deliveries/{delivered}" : f)];
        var wrong = new List<string>();
        var dialogs = new HashSet<string>();
        var seen = new List<string>();
        var read = new HashSet<string>();
        await foreach (var address in browser.CrawlAsync(perKind: 1, from))
        {
            seen.Add(address);
            wrong.AddRange((await browser.Page.EvaluateAsync<string[]>(Looks)).Select(w => $"{address}: {w}"));
            if (from.Contains(address) || role == "officer" && read.Add(Crawl.Kind(address)))
            {
                await browser.AxeAsync($"every-{role}-{address.Split('?')[0]}-{seen.Count}".Replace('/', '-'));
            }
            await DialogsAsync(browser, address, dialogs);
        }
        TestContext.Current.TestOutputHelper!.WriteLine($"{role}: {seen.Count} pages, {dialogs.Count} dialogs: {string.Join(" ", seen)}; {string.Join(", ", dialogs)}");
        SignedInBrowser.None(wrong);
        Assert.All(from, f => Assert.Contains(f, seen));
        Assert.Superset(Dialogs(role), dialogs);
        Assert.Superset(Records(role), seen.Select(Crawl.Kind).ToHashSet());
        browser.NothingWentWrong("404"); // of the page that does not exist
    }

    [Theory]
    [InlineData("today")]
    [InlineData("deliveries/1")]
    public async Task A_page_prints_on_A4_with_its_figures_and_without_verbs(string address)
    {
        await using var browser = await SignedInBrowser.OpenAsync(_gateway, "officer");
        await browser.GoAsync(address);
        var (figures, printed, screen, tries) = ((string[])[], "", browser.Page.ViewportSize!, 0);
        await Eventually.TrueAsync(async () =>
        {
            // The page is live: what changes while it is looked at is looked at anew.
            await ScreenAsync();
            figures = await FiguresAsync();
            var pdf = await browser.Page.PdfAsync(new() { PreferCSSPageSize = true });
            Assert.Matches(@"/MediaBox \[0 0 59[45][.0-9]* 84[12]", System.Text.Encoding.Latin1.GetString(pdf));
            await PrintAsync();
            printed = await browser.Page.InnerTextAsync("body");
            return figures.All(IsPrinted) || ++tries == 3;
        });
        Assert.True(figures.Length > 5);
        Assert.All(figures, f => Assert.True(IsPrinted(f), $"{f} is not in: {printed}"));
        Assert.Equal(0, await browser.Page.Locator(":is(button, form, input, select, header, footer a):visible").CountAsync());
        SignedInBrowser.None(await browser.Page.EvaluateAsync<string[]>(Looks));
        browser.NothingWentWrong();

        bool IsPrinted(string figure) => printed.Contains(figure.Replace("Copy", "", StringComparison.Ordinal).Trim(), StringComparison.Ordinal);

        async Task ScreenAsync()
        {
            await browser.Page.EmulateMediaAsync(new() { Media = Media.Null });
            await browser.Page.SetViewportSizeAsync(screen.Width, screen.Height);
        }

        async Task PrintAsync()
        {
            await browser.Page.EmulateMediaAsync(new() { Media = Media.Print });
            await browser.Page.SetViewportSizeAsync(680, 1000); // 180 mm, what A4 leaves between its margins
        }

        async Task<string[]> FiguresAsync() => [await browser.Page.InnerTextAsync("h1"), .. await browser.Page.Locator("main .figures b, main .conserve, main td, main dd").AllInnerTextsAsync()];
    }

    [Fact]
    public async Task A_key_is_shown_once_and_the_page_stays_usable_for_everybody()
    {
        await using var browser = await SignedInBrowser.OpenAsync(_gateway, "administrator");
        var page = browser.Page;
        await browser.GoAsync("settings/keys");
        await page.FillAsync("#name", "The new line");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add", Exact = true }).DblClickAsync();
        Assert.StartsWith("gwl_", await page.InnerTextAsync("#secret"), StringComparison.Ordinal);
        await browser.AxeAsync("key-shown");
        // The second click may come when the first has been answered; what is shown once must outlive it.
        await page.EvaluateAsync("document.querySelector('form.panel').dispatchEvent(new Event('submit', { bubbles: true, cancelable: true }))");
        await page.GetByText("name is missing").WaitForAsync();
        Assert.StartsWith("gwl_", await page.InnerTextAsync("#secret"), StringComparison.Ordinal);
        Assert.Equal(1, await _gateway.Database.ScalarAsync<long>("select count(*) from api_key where name = 'The new line'"));
        await browser.GoAsync("settings/keys");
        Assert.Equal(0, await page.Locator("#secret").CountAsync());
        await page.FillAsync("#days", "soon");
        await page.FillAsync("#name", "Another");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add", Exact = true }).ClickAsync();
        await page.GetByText("The days are a number").WaitForAsync();
        await browser.AxeAsync("key-refused");
        browser.NothingWentWrong();
    }

    // Whose addresses only links know.
    private static HashSet<string> Records(string role) => role == "officer" ? ["runs/*", "runs/*/serials", "intake/files/*", "serials/*"] : [];

    private static HashSet<string> Dialogs(string role) => role switch
    {
        "officer" => ["Replay…", "Pause…", "Try now…", "Retry…", "Return…", "Void…", "Stop for quality…", "Identify…", "Withdraw…"],
        "administrator" => ["Rotate…", "Revoke…", "–", "✓ yes"],
        _ => [],
    };

    // A verb that asks for its reason says so with an ellipsis, or is a right in the table of roles; it opens once, holds the keyboard, and Escape takes it back.
    private static async Task DialogsAsync(SignedInBrowser browser, string address, HashSet<string> opened)
    {
        var page = browser.Page;
        foreach (var verb in (await page.Locator("main button:enabled").AllInnerTextsAsync()).Distinct())
        {
            if (!(verb.EndsWith('…') || address == "settings/roles" && verb is "–" or "✓ yes") || !opened.Add(verb))
            {
                continue;
            }
            await page.Locator("main button:enabled", new() { HasText = verb }).First.DblClickAsync();
            var dialog = page.Locator(".rz-dialog");
            await dialog.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).WaitForAsync();
            await browser.AxeAsync($"dialog-{opened.Count}-{address.Split('?')[0]}".Replace('/', '-'));
            Assert.Equal((verb, 1), (verb, await dialog.CountAsync()));
            await page.Keyboard.PressAsync("Tab");
            Assert.True(await page.EvaluateAsync<bool>("() => document.querySelector('.rz-dialog').contains(document.activeElement)"), $"{address}: {verb} lets the keyboard go.");
            await page.Keyboard.PressAsync("Escape");
            await dialog.WaitForAsync(new() { State = WaitForSelectorState.Detached });
        }
    }
}
