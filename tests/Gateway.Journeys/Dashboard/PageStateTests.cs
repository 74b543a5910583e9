using Gateway.Host.Simulate;
using Microsoft.Playwright;
using Npgsql;

namespace Gateway.Journeys.Dashboard;

/// <summary>Pages that are empty, old, cut off or printed.</summary>
public sealed class PageStateTests
{
    private static readonly SimulatedParty Shipper = SimulatedParty.AtOneAddress("9521234000105", 7, "Shipper");
    private static readonly SimulatedParty Buyer = SimulatedParty.AtOneAddress("9521234000204", 7, "Buyer");

    [Fact]
    public async Task A_page_without_rows_says_so_and_offers_a_next_step()
    {
        await using var gateway = await TestGateway.StartAsync();
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "administrator");
        var (wrong, nobody) = (new List<string>(), Guid.Empty);
        foreach (var address in (string[])
            [
                "today", "deliveries", "deliveries?view=groups", "captures?state=refused", "partners", "operations", "search?q=nothing", "account",
                "deliveries/9", "partners/9", "operations/9", $"captures/{nobody}", "settings/people/nobody",
            ])
        {
            await browser.GoAsync(address);
            await browser.AxeAsync("empty-" + address.Replace('/', '-').Replace('?', '-'));
            wrong.AddRange(await browser.Page.EvaluateAsync<string[]>("() => [...document.querySelectorAll('main .empty'), document.querySelector('main')].filter(e => !e.querySelector('a[href], code')).map(e => location.pathname + ': ' + e.innerText)"));
        }
        SignedInBrowser.None(wrong);
        browser.NothingWentWrong("404"); // of what does not exist
    }

    [Fact]
    public async Task The_number_not_sent_of_a_day_is_a_door_to_exactly_its_rows()
    {
        await using var gateway = await TestGateway.StartAsync();
        await gateway.AddPartnerAsync(Buyer.Owner.Gln, "accepts/buyer");
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "officer");
        await browser.GoAsync("routing");
        await browser.AxeAsync("routing-empty");
        await gateway.Database.ExecuteAsync("select set_config('app.actor', 'test', false); update partner set state = 'draft'");
        foreach (var n in (int[])[1, 2, 3])
        {
            using var answer = await gateway.CaptureAsync(Document(n));
            await gateway.JobAsync(answer.Headers.Location!);
            if (n == 2)
            {
                await gateway.Database.ExecuteAsync("select set_config('app.actor', 'test', false); update partner set state = 'active'");
            }
        }
        await browser.GoAsync("today");
        await browser.Page.GetByRole(AriaRole.Link, new() { Name = "2 not sent" }).ClickAsync();
        await browser.AtAsync("**/routing?day=*&decision=not*sent");
        await browser.Page.Locator("h1", new() { HasText = "2 of 3 routing decisions" }).WaitForAsync();
        Assert.Equal(2, await browser.Page.Locator("table.rows").Last.Locator("tbody tr").CountAsync());
        Assert.All(await browser.Page.Locator("table.rows").Last.Locator("tbody tr").AllInnerTextsAsync(), t => Assert.Contains("ROUTE-PARTNER-DRAFT", t, StringComparison.Ordinal));
        await browser.AxeAsync("routing");
        await browser.GoAsync("routing?day=2020-01-01");
        await browser.Page.GetByText("No decision is like this.").WaitForAsync();
        browser.NothingWentWrong();
    }

    [Fact]
    public async Task A_page_whose_database_is_gone_says_so_with_the_moment_of_its_reading_and_offers_no_verb_until_it_is_back()
    {
        await using var gateway = await TestGateway.StartAsync();
        await gateway.AddPartnerAsync(Buyer.Owner.Gln, "refuses/buyer");
        using var answer = await gateway.CaptureAsync(Document(1));
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from delivery where state = 'dead'") == 1);
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "officer");
        await browser.GoAsync("deliveries/1");
        var retry = browser.Page.GetByRole(AriaRole.Button, new() { Name = "Retry…" });
        Assert.True(await retry.IsEnabledAsync());

        await using (var others = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(gateway.Database.AdministratorConnectionString) { Database = "postgres", Pooling = false }.ConnectionString))
        {
            await others.OpenAsync(TestContext.Current.CancellationToken);
            await ExecuteAsync(others, $"alter database {gateway.Database.Name} allow_connections false");
            await ExecuteAsync(others, $"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{gateway.Database.Name}'");
            await browser.Page.Locator("[data-stale] time").First.WaitForAsync();
            Assert.Matches(@"read at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", await browser.Page.Locator("[data-stale]").InnerTextAsync());
            Assert.True(await retry.IsDisabledAsync());
            await browser.AxeAsync("stale");

            // A page that is opened meanwhile says that it cannot be shown, and is made again when the database is back.
            await browser.Page.ClickAsync("nav >> text=Captures");
            await browser.Page.GetByText("This page cannot be shown now.").WaitForAsync();
            await browser.AxeAsync("page-failed");
            await ExecuteAsync(others, $"alter database {gateway.Database.Name} allow_connections true");
        }
        await browser.Page.Locator("h1", new() { HasText = "accepted" }).WaitForAsync();
        await browser.Page.ClickAsync("nav >> text=Deliveries");
        await browser.AtAsync("**/deliveries");
        Assert.Equal(0, await browser.Page.Locator("[data-stale]").CountAsync());
        browser.NothingWentWrong();
    }

    [Fact]
    public async Task A_page_whose_connection_is_gone_says_since_when_and_offers_no_verb()
    {
        await using var gateway = await TestGateway.StartAsync();
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "officer");
        await browser.GoAsync("captures");
        const string banner = "document.getElementById('components-reconnect-modal')";
        await browser.Page.EvaluateAsync(banner + ".classList.add('components-reconnect-show')");
        await browser.Page.Locator("#components-reconnect-modal time").WaitForAsync();
        Assert.Matches(@"Lost at \d\d:\d\d:\d\d UTC", await browser.Page.Locator("#components-reconnect-modal").InnerTextAsync());
        Assert.True(await browser.Page.EvaluateAsync<bool>("() => document.querySelectorAll('main form').length > 0 && [...document.querySelectorAll('main button, main form')].every(e => e.inert)"));
        await browser.Page.EvaluateAsync(banner + ".classList.remove('components-reconnect-show')");
        await browser.Page.WaitForFunctionAsync("() => [...document.querySelectorAll('main button, main form')].every(e => !e.inert)");
        browser.NothingWentWrong();
    }

    [Fact]
    public async Task The_header_fits_every_width_with_all_that_can_stand_in_it_and_room_to_search()
    {
        await using var gateway = await TestGateway.StartAsync();
        await gateway.Database.ExecuteAsync("update installation set kind = 'demonstration'; select set_config('app.actor', 'test', false); update api_key set name = 'A name as long as some names are' where role = 'officer'");
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "officer");
        await browser.GoAsync("validation");
        Assert.True(await browser.Page.Locator("header.bar .pill").First.IsVisibleAsync());
        var wide = new List<string>();
        for (var width = 1024; width <= 1960; width += 12)
        {
            await browser.Page.SetViewportSizeAsync(width, 800);
            var over = await browser.Page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - innerWidth");
            if (over > 0)
            {
                wide.Add($"{width}: {over} too many");
            }
            var search = await browser.Page.EvaluateAsync<double>("() => document.getElementById('search').getBoundingClientRect().width");
            if (search < 100)
            {
                wide.Add($"{width}: {search} for the search");
            }
        }
        SignedInBrowser.None(wide);
    }

    [Fact]
    [Requirement("P11-29")]
    public async Task A_page_prints_on_A4_without_what_only_a_screen_needs()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var answer = await gateway.CaptureAsync(Document(1, isBad: true));
        await gateway.JobAsync(answer.Headers.Location!);
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "officer");
        await browser.GoAsync(answer.Headers.Location!.ToString().Replace("/capture/", "captures/", StringComparison.Ordinal));
        var pdf = await browser.Page.PdfAsync(new() { PreferCSSPageSize = true });
        Assert.True(pdf.Length > 5_000, $"{pdf.Length} bytes");
        // A4 in points, as the document says of its pages.
        Assert.Matches(@"/MediaBox \[0 0 59[45][.0-9]* 84[12]", System.Text.Encoding.Latin1.GetString(pdf));
        await browser.Page.EmulateMediaAsync(new() { Media = Media.Print });
        foreach (var gone in (string[])["header.bar", "footer.foot a", ".verbs"])
        {
            Assert.True(await browser.Page.Locator(gone).First.IsHiddenAsync(), gone);
        }
        Assert.True(await browser.Page.Locator(".finding").First.IsVisibleAsync());
        Assert.Matches(@"^Build \d+\.\d+\.\d+", await browser.Page.Locator("footer.foot").InnerTextAsync());
    }

    private static byte[] Document(long sequence, bool isBad = false) => new ShipmentGenerator(5).Xml(
        new ShipmentPlan(sequence, Shipper, Buyer, new DateTimeOffset(2026, 11, 1, 8, 0, 0, TimeSpan.Zero), "LOT1", new DateOnly(2029, 1, 31)) { OmitCaseParent = isBad });

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
