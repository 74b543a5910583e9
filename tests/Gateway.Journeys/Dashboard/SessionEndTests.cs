using Microsoft.Playwright;

namespace Gateway.Journeys.Dashboard;

/// <summary>The end of an idle session, as the page that is left open shows it.</summary>
public sealed class SessionEndTests
{
    // No page is ended by its connection here: what is tested is the browser's own part.
    private static readonly (string, string) Unchecked = ("SignIn:CheckEvery", "01:00:00");

    [Fact]
    public async Task A_page_warns_a_minute_before_the_end_stays_when_asked_to_and_leads_back_to_its_address_after_the_end()
    {
        await using var gateway = await TestGateway.StartAsync(Unchecked);
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "officer");
        await browser.GoAsync("deliveries?view=all");
        var notice = browser.Page.GetByRole(AriaRole.Alertdialog);
        await LookAgainAsync(browser);
        Assert.Equal(0, await notice.CountAsync());
        await browser.Page.Locator("h1").FocusAsync();

        await gateway.Database.AdvanceAsync(TimeSpan.FromMinutes(14));
        await LookAgainAsync(browser);
        await notice.WaitForAsync();
        Assert.Matches(@"Nothing was done for a while, so it ends in [0-9]{1,2} s\.", await notice.InnerTextAsync());
        Assert.Equal("Stay signed in", await browser.Page.EvaluateAsync<string>("document.activeElement.textContent"));
        await browser.AxeAsync("session-end");
        await browser.Page.Keyboard.PressAsync("Enter");
        await notice.WaitForAsync(new() { State = WaitForSelectorState.Detached });
        Assert.Equal("H1", await browser.Page.EvaluateAsync<string>("document.activeElement.tagName"));
        Assert.True(await gateway.Database.ScalarAsync<bool>("select seen_at > gateway_now() - interval '2 minutes' from session"));

        // What another window does keeps this one too, and Escape is an answer.
        await gateway.Database.AdvanceAsync(TimeSpan.FromMinutes(14));
        await LookAgainAsync(browser);
        await notice.WaitForAsync();
        await gateway.Database.ExecuteAsync("select set_config('app.actor', 'test', false); update session set seen_at = gateway_now()");
        await notice.WaitForAsync(new() { State = WaitForSelectorState.Detached });
        await gateway.Database.AdvanceAsync(TimeSpan.FromMinutes(14));
        await LookAgainAsync(browser);
        await notice.WaitForAsync();
        await browser.Page.Keyboard.PressAsync("Escape");
        await notice.WaitForAsync(new() { State = WaitForSelectorState.Detached });

        await gateway.Database.AdvanceAsync(TimeSpan.FromMinutes(16));
        await LookAgainAsync(browser);
        await browser.AtAsync("*/sign-in?ReturnUrl=%2Fdeliveries%3Fview%3Dall");
        await browser.Page.GetByText("With a key", new() { Exact = true }).ClickAsync();
        await browser.Page.FillAsync("#key", gateway.Keys["officer"]);
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in with a key" }).ClickAsync();
        await browser.AtAsync("*/deliveries?view=all");
        browser.NothingWentWrong();
    }

    [Fact]
    public async Task A_session_near_its_longest_time_cannot_be_prolonged_and_says_so()
    {
        await using var gateway = await TestGateway.StartAsync(Unchecked);
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "officer");
        await browser.ReadyAsync();
        await gateway.Database.ExecuteAsync("select set_config('app.actor', 'test', false); update session set created_at = gateway_now() - interval '11 hours 59 minutes 5 seconds'");
        await LookAgainAsync(browser);
        var notice = browser.Page.GetByRole(AriaRole.Alertdialog);
        await notice.GetByText("It has lasted its longest time").WaitForAsync();
        await notice.GetByRole(AriaRole.Button, new() { Name = "Close this notice" }).ClickAsync();
        await notice.WaitForAsync(new() { State = WaitForSelectorState.Detached });
        browser.NothingWentWrong();
    }

    [Fact]
    public async Task Asking_for_the_end_of_a_session_is_no_activity_and_tells_nothing_without_one()
    {
        await using var gateway = await TestGateway.StartAsync();
        using (var nobody = new HttpClient { BaseAddress = gateway.Url })
        {
            using var answer = await nobody.GetAsync("session", TestContext.Current.CancellationToken);
            Assert.Equal(204, (int)answer.StatusCode);
        }
        using var visitor = new Access.Visitor(gateway.Url);
        await visitor.PostAsync("sign-in", ("key", gateway.Keys["officer"]));
        using var http = new HttpClient(new HttpClientHandler { CookieContainer = visitor.Cookies }) { BaseAddress = gateway.Url };
        await gateway.Database.AdvanceAsync(TimeSpan.FromMinutes(10));
        Assert.InRange(await SecondsAsync(), 1, 301);
        await gateway.Database.AdvanceAsync(TimeSpan.FromMinutes(4));
        Assert.InRange(await SecondsAsync(), 1, 61);
        Assert.Equal("204", await visitor.PostAsync("session"));
        Assert.InRange(await SecondsAsync(), 62, 901);
        // A form elsewhere cannot keep a session alive.
        using var forged = await http.PostAsync("session", new FormUrlEncodedContent([]), TestContext.Current.CancellationToken);
        Assert.Equal(400, (int)forged.StatusCode);

        async Task<double> SecondsAsync()
        {
            using var end = System.Text.Json.JsonDocument.Parse(await http.GetStringAsync("session", TestContext.Current.CancellationToken));
            return end.RootElement.GetProperty("seconds").GetDouble();
        }
    }

    // As when a person comes back to the window.
    private static Task LookAgainAsync(SignedInBrowser browser) => browser.Page.EvaluateAsync("window.dispatchEvent(new Event('focus'))");
}
