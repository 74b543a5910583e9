using System.Text.RegularExpressions;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace Gateway.Journeys.Dashboard;

/// <summary>
/// A browser on one gateway, signed in with one role. It remembers what a page must not do: log an error, or ask another machine.
/// Set GATEWAY_SCREENSHOTS to a folder to keep a picture of each page.
/// </summary>
public sealed class SignedInBrowser : IAsyncDisposable
{
    private readonly Uri _url;
    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;
    private readonly List<string> _wrong = [];

    private SignedInBrowser(Uri url, IPlaywright playwright, IBrowser browser, IBrowserContext context, IPage page)
    {
        (_url, _playwright, _browser, Context, Page) = (url, playwright, browser, context, page);
        page.Console += (_, m) => Note(m.Type == "error", $"console: {m.Text} at {page.Url}");
        page.PageError += (_, e) => Note(true, $"script: {e} at {page.Url}");
        context.Request += (_, r) => Note(new Uri(r.Url) is { Scheme: "http" or "https" or "ws" or "wss" } to && to.Authority != url.Authority, $"request: {r.Url}");
    }

    public IBrowserContext Context { get; }
    public IPage Page { get; }

    public static Task<SignedInBrowser> OpenAsync(TestGateway gateway, string role, bool scripts = true) => OpenAsync(gateway.Url, gateway.Keys[role], scripts);

    public static async Task<SignedInBrowser> OpenAsync(Uri url, string key, bool scripts = true)
    {
        var chromium = Environment.GetEnvironmentVariable("CHROMIUM") ?? "/usr/bin/chromium";
        Assert.SkipWhen(!File.Exists(chromium) && Environment.GetEnvironmentVariable("CI") is null, "Chromium is not installed: ./test.sh installs it.");
        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = chromium, Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
        var context = await browser.NewContextAsync(new() { ReducedMotion = ReducedMotion.Reduce, ViewportSize = new() { Width = 1440, Height = 900 }, JavaScriptEnabled = scripts, AcceptDownloads = true });
        await context.GrantPermissionsAsync(["clipboard-read", "clipboard-write"]);
        context.SetDefaultTimeout(60_000); // a busy machine is slow, not wrong
        var signedIn = new SignedInBrowser(url, playwright, browser, context, await context.NewPageAsync());
        await signedIn.SignInAsync(key);
        return signedIn;
    }

    /// <summary>In the place of whoever is signed in.</summary>
    public async Task SignInAsync(string key)
    {
        await Page.GotoAsync(new Uri(_url, "sign-in").ToString());
        await Page.GetByText("With a key", new() { Exact = true }).ClickAsync();
        await Page.FillAsync("#key", key);
        await Page.GetByRole(AriaRole.Button, new() { Name = "Sign in with a key" }).ClickAsync();
        await Eventually.TrueAsync(() => Task.FromResult(!Page.Url.Contains("sign-in", StringComparison.Ordinal)), seconds: 60);
    }

    /// <summary>As a person, in the place of whoever is signed in.</summary>
    public async Task SignInAsync(string user, string password)
    {
        await Page.GotoAsync(new Uri(_url, "sign-in").ToString());
        await Page.FillAsync("#user", user);
        await Page.FillAsync("#password", password);
        await Page.GetByRole(AriaRole.Button, new() { Name = "Sign in", Exact = true }).ClickAsync();
        await Eventually.TrueAsync(() => Task.FromResult(!Page.Url.Contains("sign-in", StringComparison.Ordinal)), seconds: 60);
    }

    /// <summary>Opens an address and waits until it answers to clicks.</summary>
    public async Task GoAsync(string address)
    {
        await Page.GotoAsync(new Uri(_url, address).ToString());
        await ReadyAsync();
    }

    /// <returns>The address below the gateway's; null for another machine's.</returns>
    public string? PathOf(string address) => new Uri(address).Authority == _url.Authority ? _url.MakeRelativeUri(new Uri(address)).ToString() : null;

    /// <summary>
    /// Waits for an address, in which * stands for anything. The browser's own wait is for events of loading too, which an address
    /// that a page changes by itself does not have.
    /// </summary>
    public Task AtAsync(string address)
    {
        var pattern = new Regex("^" + Regex.Escape(address).Replace(@"\*", ".*", StringComparison.Ordinal) + "$");
        return Eventually.TrueAsync(() => Task.FromResult(pattern.IsMatch(Page.Url)), seconds: 60);
    }

    /// <summary>The page answers to clicks and has been read.</summary>
    public Task ReadyAsync() => Page.WaitForSelectorAsync("main[data-ready=true]:has(h1):not(:has([data-reading]))");

    /// <summary>Open to everybody: axe finds nothing on the page as it is shown.</summary>
    public async Task AxeAsync(string name)
    {
        var audit = await Page.RunAxe();
        None(audit.Violations.SelectMany(v => v.Nodes.Select(n => $"{name}: {v.Id}: {n.Html}: {string.Join(" ", n.Any.Select(c => c.Message))}")));
        if (Environment.GetEnvironmentVariable("GATEWAY_SCREENSHOTS") is { Length: > 0 } folder)
        {
            await Page.ScreenshotAsync(new() { Path = Path.Combine(folder, name + ".png"), FullPage = true });
        }
    }

    /// <summary>No page has logged an error or asked another machine.</summary>
    /// <param name="expected">What a page was made to log on purpose, such as an answer 413.</param>
    public void NothingWentWrong(string? expected = null)
    {
        lock (_wrong)
        {
            None(_wrong.Where(w => expected is null || !Regex.IsMatch(w, expected)));
        }
    }

    /// <summary>Nothing was found wrong; otherwise all of it is told.</summary>
    public static void None(IEnumerable<string> wrong)
    {
        var told = string.Join("\n", wrong);
        Assert.True(told.Length == 0, told);
    }

    private void Note(bool isWrong, string what)
    {
        if (isWrong)
        {
            lock (_wrong)
            {
                _wrong.Add(what);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }
}
