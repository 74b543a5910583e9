using System.Net;
using System.Text.RegularExpressions;
using Gateway.Access;
using Microsoft.AspNetCore.Http;

namespace Gateway.Journeys.Access;

/// <summary>What a browser is told, and how often anybody may ask.</summary>
public sealed partial class BrowserGuardTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_answer_forbids_the_browser_what_no_answer_of_ours_needs()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var http = gateway.Client("officer");
        foreach (var path in (string[])["health/live", "help", "sign-in", "deliveries", "api/deliveries", "no/such", "api/deliveries?limit=x", "app.css", "openapi/v1.json"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Accept.ParseAdd(path is "sign-in" or "deliveries" or "help" ? "text/html" : "*/*");
            using var answer = await http.SendAsync(request, Ct);
            string Header(string name) => answer.Headers.TryGetValues(name, out var values) ? string.Join("|", values) : "";
            Assert.Equal((path, "nosniff"), (path, Header("X-Content-Type-Options")));
            Assert.Equal((path, "DENY"), (path, Header("X-Frame-Options")));
            Assert.Equal((path, "same-origin"), (path, Header("Referrer-Policy")));
            var policy = Header("Content-Security-Policy");
            Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("|", policy, StringComparison.Ordinal);
            Assert.StartsWith(answer.Content.Headers.ContentType?.MediaType == "text/html" ? "default-src 'self';" : "default-src 'none';", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe-eval", policy, StringComparison.Ordinal);
            Assert.DoesNotMatch("script-src[^;]*unsafe-inline", policy);
            Assert.Equal("", Header("Server"));
        }
    }

    [Fact]
    public async Task The_cookies_of_a_browser_are_out_of_reach_of_scripts_and_of_other_sites()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var handler = new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() };
        using var http = new HttpClient(handler) { BaseAddress = gateway.Url };
        http.DefaultRequestHeaders.Accept.ParseAdd("text/html");
        using var form = await http.GetAsync("sign-in", Ct);
        var token = Token().Match(await form.Content.ReadAsStringAsync(Ct)).Groups[1].Value;
        using var signedIn = await http.PostAsync("sign-in", new FormUrlEncodedContent(new Dictionary<string, string> { ["__RequestVerificationToken"] = token, ["key"] = gateway.Keys["officer"] }), Ct);
        Assert.Equal(HttpStatusCode.Redirect, signedIn.StatusCode);
        var cookies = form.Headers.GetValues("Set-Cookie").Concat(signedIn.Headers.GetValues("Set-Cookie")).ToList();
        Assert.Equal(2, cookies.Count);
        Assert.All(cookies, c =>
        {
            Assert.Contains("samesite=strict", c, StringComparison.OrdinalIgnoreCase);
            Assert.Contains("httponly", c, StringComparison.OrdinalIgnoreCase);
        });
        // A socket that another site opens is refused, though the browser would send what it has.
        foreach (var (origin, expected) in (IEnumerable<(string, int)>)[("https://elsewhere.example", 403), ("null", 403), (gateway.Url.GetLeftPart(UriPartial.Authority), 200)])
        {
            using var negotiate = new HttpRequestMessage(HttpMethod.Post, "_blazor/negotiate?negotiateVersion=1") { Headers = { { "Origin", origin } } };
            using var negotiated = await http.SendAsync(negotiate, Ct);
            Assert.Equal((origin, expected), (origin, (int)negotiated.StatusCode));
        }
        // The cookie opens pages; at the API it opens nothing.
        using var page = await http.GetAsync("deliveries", Ct);
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        http.DefaultRequestHeaders.Accept.Clear();
        using var api = await http.GetAsync("api/deliveries", Ct);
        Assert.Equal(HttpStatusCode.Unauthorized, api.StatusCode);
    }

    [Fact]
    public void Over_https_the_cookie_belongs_to_this_host_alone()
    {
        var context = new DefaultHttpContext();
        context.Request.Scheme = "https";
        SessionAuthentication.SetCookie(context, "x");
        Assert.StartsWith("__Host-gateway=x; path=/; secure", context.Response.Headers.SetCookie.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("domain", context.Response.Headers.SetCookie.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_asks_too_often_is_told_when_to_go_on_and_others_are_not_hurt()
    {
        await using var gateway = await TestGateway.StartAsync(new Dictionary<string, string?> { ["RateLimits:PerKeyPerMinute"] = "5", ["RateLimits:AnonymousPerMinute"] = "5", ["RateLimits:SignInPerMinute"] = "2" });
        using var greedy = gateway.Client("officer");
        HttpResponseMessage? refused = null;
        for (var n = 0; n < 200 && refused is null; n++)
        {
            var answer = await greedy.GetAsync("api/deliveries", Ct);
            refused = answer.StatusCode == HttpStatusCode.TooManyRequests ? answer : null;
        }
        Assert.NotNull(refused);
        Assert.True(refused.Headers.RetryAfter!.Delta >= TimeSpan.FromSeconds(1));
        Assert.Equal("application/problem+json", refused.Content.Headers.ContentType?.MediaType);
        Assert.Contains("GW-ACC-03", await refused.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);

        using var modest = gateway.Client("administrator");
        using var other = await modest.GetAsync("api/deliveries", Ct);
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
        using var anybody = new HttpClient { BaseAddress = gateway.Url };
        for (var n = 0; n < 20; n++)
        {
            using var health = await anybody.GetAsync("health/live", Ct);
            Assert.Equal(HttpStatusCode.OK, health.StatusCode);
        }
    }

    [Fact]
    public async Task Signing_in_is_limited_more_strictly()
    {
        await using var gateway = await TestGateway.StartAsync(new Dictionary<string, string?> { ["RateLimits:SignInPerMinute"] = "2" });
        using var http = new HttpClient { BaseAddress = gateway.Url };
        var statuses = new List<int>();
        for (var n = 0; n < 20 && !statuses.Contains(429); n++)
        {
            using var answer = await http.PostAsync("sign-in", new FormUrlEncodedContent(new Dictionary<string, string> { ["key"] = "x" }), Ct);
            statuses.Add((int)answer.StatusCode);
        }
        Assert.Contains(429, statuses);
        Assert.Equal(400, statuses[0]);
    }

    [Fact]
    public async Task Limits_that_cannot_be_stop_the_start()
    {
        var refused = await Assert.ThrowsAsync<Microsoft.Extensions.Options.OptionsValidationException>(() => TestGateway.StartAsync(new Dictionary<string, string?> { ["RateLimits:PerKeyPerMinute"] = "0" }));
        Assert.Contains("PerKeyPerMinute", refused.Message, StringComparison.Ordinal);
    }

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
    private static partial Regex Token();
}
