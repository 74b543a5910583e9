using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Gateway.Access;
using Gateway.Http.Help;
using Microsoft.AspNetCore.Builder;

namespace Gateway.Journeys.Access;

/// <summary>Whatever goes wrong is answered as RFC 9457 with our code, and its help answers too.</summary>
public sealed class ProblemTests
{
    private const string Secret = "the secret of an exception";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_failure_is_a_problem_with_a_code_and_a_help_page_that_answers()
    {
        await using var gateway = await TestGateway.StartAsync(extend: app =>
        {
            app.MapGet("/test/fails", string () => throw new InvalidOperationException(Secret));
            app.MapGet("/test/unconfirmed", string () => throw new Gateway.Database.CommitUnknownException(Secret));
            app.MapGet("/test/database", string () => throw new Npgsql.NpgsqlException(Secret));
        });
        using var http = gateway.Client("demonstration");
        await ExpectAsync("GET", "no/such/path", null, 404, "GW-HTTP-01");
        await ExpectAsync("DELETE", "api/partners", null, 405, "GW-HTTP-07");
        await ExpectAsync("PUT", "capture", null, 405, "GW-HTTP-07");
        await ExpectAsync("POST", "api/partners", "{\"gln\":", 400, "GW-HTTP-09");
        await ExpectAsync("POST", "api/partners", "", 400, "GW-HTTP-09");
        await ExpectAsync("POST", "api/partners", "null", 400, "GW-HTTP-09");
        await ExpectAsync("POST", "api/partners", "[]", 400, "GW-HTTP-09");
        await ExpectAsync("POST", "api/partners", "{\"gln\":9521234000204}", 400, "GW-HTTP-09", "$.gln");
        await ExpectAsync("POST", "api/partners", "{\"channel\":{\"url\":{}}}", 400, "GW-HTTP-09", "$.channel.url");
        await ExpectAsync("POST", "api/partners", "{\"gln\":\"1\",\"gln\":\"2\"}", 400, "GW-HTTP-09");
        await ExpectAsync("POST", "api/partners", "{}", 422, "GW-HTTP-06", "gln");
        await ExpectAsync("POST", "api/partners", "{}", 415, "GW-HTTP-08", type: "text/plain");
        await ExpectAsync("POST", "api/partners", new string(' ', 2 << 20), 413, "GW-HTTP-11");
        await ExpectAsync("POST", "api/keys", "{\"role\":\"king\",\"name\":\"x\"}", 422, "GW-HTTP-06", "role");
        await ExpectAsync("POST", "api/keys", "{\"role\":\"cmo\",\"name\":\"x\",\"party\":\"y\",\"gln\":\"1\"}", 422, "GW-HTTP-06");
        await ExpectAsync("POST", "api/keys", "{\"role\":\"cmo\",\"name\":\"x\\u0000y\",\"party\":\"y\"}", 400, "GW-HTTP-09", "U+0000");
        await ExpectAsync("GET", "api/deliveries?partner=%00", null, 400, "GW-HTTP-02");
        await ExpectAsync("POST", "api/keys/0000000000000000/revoke", "{\"reason\":\"lost\"}", 404, "GW-HTTP-01");
        await ExpectAsync("GET", "api/deliveries?limit=many", null, 400, "GW-HTTP-02", "limit");
        await ExpectAsync("GET", "api/deliveries?limit=0", null, 400, "GW-HTTP-02", "limit");
        await ExpectAsync("GET", "api/deliveries/99999999999999999999", null, 404, "GW-HTTP-01");
        await ExpectAsync("GET", "capture?color=red", null, 400, "GW-HTTP-02", "color");
        await ExpectAsync("POST", "api/deliveries/1/retry", "{}", 422, "GW-DLV-02");
        await ExpectAsync("POST", "capture", "x", 415, "GW-CAP-01", type: "text/plain");
        await ExpectAsync("POST", "sign-out", "a=b", 400, "GW-ACC-04", type: "application/x-www-form-urlencoded");
        await ExpectAsync("POST", "sign-in", "key=b", 400, "GW-ACC-04", type: "application/x-www-form-urlencoded");
        await ExpectAsync("GET", "test/fails", null, 500, "GW-HTTP-10");
        await ExpectAsync("GET", "test/unconfirmed", null, 503, "GW-HTTP-05");
        await ExpectAsync("GET", "test/database", null, 503, "GW-HTTP-04");

        async Task ExpectAsync(string method, string path, string? body, int status, string code, string? names = null, string type = "application/json")
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path);
            if (body is not null)
            {
                request.Content = new StringContent(body, Encoding.UTF8, type);
                request.Headers.ExpectContinue = body.Length > 1 << 20; // else the connection may be closed on what is not read before the answer is
            }
            using var answer = await http.SendAsync(request, Ct);
            var text = await answer.Content.ReadAsStringAsync(Ct);
            Assert.True((int)answer.StatusCode == status && answer.Content.Headers.ContentType?.MediaType == "application/problem+json", $"{method} {path} {body?.Trim()}: {(int)answer.StatusCode} {answer.Content.Headers.ContentType} {text}");
            var problem = JsonDocument.Parse(text).RootElement;
            Assert.Equal((path, code), (path, problem.GetProperty("code").GetString()));
            Assert.Equal(status, problem.GetProperty("status").GetInt32());
            Assert.NotEqual("", problem.GetProperty("title").GetString());
            Assert.Equal(32, problem.GetProperty("traceId").GetString()!.Length);
            Assert.Contains(names ?? "", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
            Assert.DoesNotContain(Secret, text, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", text, StringComparison.Ordinal);
            Assert.DoesNotContain("Gateway.", text, StringComparison.Ordinal);
            using var anybody = new HttpClient { BaseAddress = gateway.Url };
            using var help = await anybody.GetAsync(problem.GetProperty("help").GetString(), Ct);
            Assert.Equal(HttpStatusCode.OK, help.StatusCode);
        }
    }

    [Fact]
    public async Task A_browser_is_shown_a_page_instead()
    {
        await using var gateway = await TestGateway.StartAsync(extend: app => app.MapGet("/test/fails", string () => throw new InvalidOperationException(Secret)));
        using var http = gateway.Client("demonstration");
        http.DefaultRequestHeaders.Accept.ParseAdd("text/html");
        foreach (var (path, status, code) in (IEnumerable<(string, int, string)>)[("no/such/path", 404, "GW-HTTP-01"), ("test/fails", 500, "GW-HTTP-10")])
        {
            using var answer = await http.GetAsync(path, Ct);
            var page = await answer.Content.ReadAsStringAsync(Ct);
            Assert.Equal((status, "text/html"), ((int)answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
            Assert.Contains(HelpCatalog.Find(code)!.Title, page, StringComparison.Ordinal);
            Assert.DoesNotContain(Secret, page, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_key_that_opens_nothing_is_401_whatever_is_wrong_with_it()
    {
        await using var gateway = await TestGateway.StartAsync();
        var good = gateway.Keys["officer"];
        var (revoked, expired) = (gateway.Keys["operator"], gateway.Keys["inspector"]);
        await gateway.Database.ExecuteAsync($"select set_config('app.actor', 'test', false); update api_key set revoked_at = now() where key_id = '{Id(revoked)}'; update api_key set expires_at = now() where key_id = '{Id(expired)}'");
        string?[] headers =
        [
            null, "Bearer", "Bearer ", "Bearer nonsense", "Bearer gwl_.x", "Bearer gwl_zz.x", "Bearer gwl_" + new string('a', 300) + ".x", $"Bearer {good}x", $"Bearer {good[..^1]}", $"Bearer {good[..good.IndexOf('.')]}",
            $"Bearer gwl_{Id(good)}.", $"Bearer gwl_{Id(good)}.{gateway.Keys["cmo"].Split('.')[1]}", $"Bearer {good.ToUpperInvariant()}", $"Basic {good}", good, $"Bearer {revoked}", $"Bearer {expired}", "Bearer gwl_' or 1=1--.x",
        ];
        using var http = new HttpClient { BaseAddress = gateway.Url };
        foreach (var header in headers)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "api/deliveries");
            if (header is not null)
            {
                request.Headers.TryAddWithoutValidation("Authorization", header);
            }
            using var answer = await http.SendAsync(request, Ct);
            Assert.Equal((header, 401), (header, (int)answer.StatusCode));
            Assert.Equal("Bearer", Assert.Single(answer.Headers.WwwAuthenticate).Scheme);
            Assert.Equal("GW-ACC-01", JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Ct)).RootElement.GetProperty("code").GetString());
        }
    }

    private static string Id(string token) => token[4..token.IndexOf('.', StringComparison.Ordinal)];
}
