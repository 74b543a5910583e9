using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace Gateway.Journeys.Access;

/// <summary>What the API refused is in the audit trail, and nobody can fill the trail with it.</summary>
public sealed class RefusedCallTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    [Requirement("P11-16")]
    public async Task A_refused_call_is_one_entry_an_hour_for_its_caller_address_and_code_and_a_key_that_is_not_ours_leaves_none()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var http = new HttpClient { BaseAddress = gateway.Url };
        var (cmo, officer) = (gateway.Keys["cmo"], gateway.Keys["officer"]);
        for (var n = 0; n < 3; n++)
        {
            Assert.Equal(403, await AskAsync(http, cmo, "api/keys"));
            Assert.Equal(403, await AskAsync(http, cmo, $"api/partners/952123400020{n}")); // one address, whatever stands in it
            Assert.Equal(401, await AskAsync(http, officer[..21] + "guess", "api/keys"));
            Assert.Equal(401, await AskAsync(http, officer[..21] + "guess", $"no/such/{n}"));
            Assert.Equal(401, await AskAsync(http, "gwl_0123456789abcdef.guess", "api/keys"));
            Assert.Equal(401, await AskAsync(http, "nonsense", "api/keys"));
        }
        var (theirs, ours) = ($"key:{cmo[4..20]}", $"key:{officer[4..20]}");
        string[] entries =
        [
            $"{theirs} cmo {theirs} /api/keys GW-ACC-02", $"{theirs} cmo {theirs} /api/partners/{{gln}} GW-ACC-02",
            $"system:sign-in system {ours} /(no such address) GW-ACC-01", $"system:sign-in system {ours} /api/keys GW-ACC-01",
        ];
        Assert.Equal(entries, await EntriesAsync(gateway, http));

        // In the next hour it is told again; what is allowed never is.
        await gateway.Database.AdvanceAsync(TimeSpan.FromMinutes(61));
        Assert.Equal(403, await AskAsync(http, cmo, "api/keys"));
        Assert.Equal(200, await AskAsync(http, cmo, "capture"));
        string[] again = [entries[0], .. entries];
        Assert.Equal(again, await EntriesAsync(gateway, http));
        Assert.DoesNotContain("guess", await gateway.Database.ScalarAsync<string>("select string_agg(convert_from(canonical, 'UTF8'), '') from audit_entry where entity = 'refused_call'"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_beyond_its_maker_is_refused_with_its_code_and_told_where_failed_sign_ins_are()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var admin = gateway.Client("administrator");
        foreach (var (path, body) in (IEnumerable<(string, object)>)[("api/keys", new { role = "officer", name = "x" }), ($"api/keys/{gateway.Keys["officer"][4..20]}/rotate", new { reason = "yearly" })])
        {
            using var answer = await admin.PostAsJsonAsync(path, body, Ct);
            Assert.Equal(403, (int)answer.StatusCode);
            var problem = await answer.Content.ReadFromJsonAsync<JsonElement>(Ct);
            Assert.Equal(("GW-ACC-06", "/help/GW-ACC-06"), (problem.GetProperty("code").GetString(), problem.GetProperty("help").GetString()));
        }
        using var made = await admin.PostAsJsonAsync("api/keys", new { role = "operator", name = "x" }, Ct);
        Assert.Equal(201, (int)made.StatusCode);
        using (var visitor = new Visitor(gateway.Url))
        {
            await visitor.SignInAsync("nobody", "whatever it was");
        }
        using var chief = await Dashboard.FormClient.SignInAsync(gateway, "administrator");
        using var page = await chief.GetAsync("settings/people");
        var html = await page.Content.ReadAsStringAsync(Ct);
        foreach (var told in (string[])["/api/keys GW-ACC-06", "/api/keys/{id}/rotate GW-ACC-06", "call refused", "sign-in failed", "unknown name"])
        {
            Assert.Contains(told, html, StringComparison.Ordinal);
        }
    }

    // An entry is written when its answer is out, before the connection takes the next call: when the last call's is there, all are.
    private static async Task<string[]> EntriesAsync(TestGateway gateway, HttpClient http)
    {
        const string all = "from audit_entry where entity = 'refused_call' and entity_key";
        var before = await gateway.Database.ScalarAsync<long>($"select count(*) {all} like '%/api/people %'");
        Assert.Equal(403, await AskAsync(http, gateway.Keys["operator"], "api/people"));
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>($"select count(*) {all} like '%/api/people %'") > before);
        return await gateway.Database.ScalarAsync<string[]>($"select coalesce(array_agg(actor || ' ' || actor_role || ' ' || entity_key order by actor, entity_key, ord), '{{}}') {all} not like '%/api/people %'");
    }

    private static async Task<int> AskAsync(HttpClient http, string key, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", key) } };
        using var answer = await http.SendAsync(request, Ct);
        return (int)answer.StatusCode;
    }
}
