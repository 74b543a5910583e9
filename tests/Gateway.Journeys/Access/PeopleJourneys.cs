using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.Access;

namespace Gateway.Journeys.Access;

/// <summary>People at the sign-in form, with real cookies.</summary>
public sealed class PeopleJourneys
{
    private const string Good = "seven herons over Lake Ohrid";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly Actor Admin = Actor.System("test");

    [Fact]
    [Requirement("P11-14")]
    public async Task A_disabled_persons_next_request_is_refused_and_a_withdrawn_right_is_gone_with_the_next_one()
    {
        await using var gateway = await TestGateway.StartAsync();
        var people = new People(gateway.Database.Gateway);
        await AddAsync(gateway, "anna", "officer");
        using var anna = new Visitor(gateway.Url);
        Assert.Equal("/", await anna.SignInAsync("Anna", Good));
        var cookie = Assert.Single(anna.Cookies.GetCookies(gateway.Url), c => c.Name == "gateway");
        Assert.Matches("^[0-9a-f]{64}$", cookie.Value); // a secret, and nothing about her
        Assert.True(cookie.HttpOnly);
        Assert.Equal("200", await anna.GetAsync("deliveries"));
        Assert.Equal("/not-allowed", await anna.GetAsync("settings/people"));

        await people.RevokeAsync(Admin, "anna", "officer", "moved", Ct);
        Assert.Equal("/not-allowed", await anna.GetAsync("deliveries"));
        await people.GrantAsync(Admin, "anna", "inspector", "moved", Ct);
        Assert.Equal("200", await anna.GetAsync("deliveries"));
        await people.DisableAsync(Admin, "anna", "left", Ct);
        Assert.StartsWith("/sign-in", await anna.GetAsync("deliveries"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whatever_is_wrong_the_answer_is_the_same()
    {
        await using var gateway = await TestGateway.StartAsync();
        await AddAsync(gateway, "anna", "officer");
        await AddAsync(gateway, "gone", "officer");
        await new People(gateway.Database.Gateway).DisableAsync(Admin, "gone", "left", Ct);
        using var visitor = new Visitor(gateway.Url);
        var answers = new List<string> { await visitor.SignInAsync("nobody", Good), await visitor.SignInAsync("gone", Good), await visitor.SignInAsync("", "") };
        for (var n = 0; n < 5; n++)
        {
            answers.Add(await visitor.SignInAsync("anna", "wrong"));
        }
        answers.Add(await visitor.SignInAsync("anna", Good)); // locked by now
        Assert.Equal(["/sign-in?failed=person&returnUrl=%2F"], answers.Distinct());
        Assert.StartsWith("/sign-in", await visitor.GetAsync("account"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_temporary_password_leads_to_the_account_and_nowhere_else()
    {
        await using var gateway = await TestGateway.StartAsync();
        var temporary = await AddAsync(gateway, "anna", "officer", temporary: true);
        using var anna = new Visitor(gateway.Url);
        Assert.Equal("/", await anna.SignInAsync("anna", temporary));
        Assert.Equal("/account", await anna.GetAsync(""));
        Assert.Equal("200", await anna.GetAsync("account"));
        Assert.Equal("/not-allowed", await anna.GetAsync("deliveries"));
        Assert.Equal("/not-allowed", await anna.GetAsync("captures"));
    }

    [Fact]
    public async Task An_expired_temporary_password_is_told_in_a_sentence()
    {
        await using var gateway = await TestGateway.StartAsync(("SignIn:TemporaryPasswordLifetime", "01:00:00"));
        var temporary = await AddAsync(gateway, "anna", "officer", temporary: true);
        await gateway.Database.AdvanceAsync(TimeSpan.FromHours(2));
        using var anna = new Visitor(gateway.Url);
        var to = await anna.SignInAsync("anna", temporary);
        Assert.Equal("/sign-in?failed=expired&returnUrl=%2F", to);
        using var http = new HttpClient { BaseAddress = gateway.Url };
        var page = await http.GetStringAsync(to, Ct);
        Assert.Contains("This temporary password has expired. Ask an administrator to reset it", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<details open", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task People_are_added_listed_disabled_and_enabled_by_the_API_as_keys_are()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var admin = gateway.Client("administrator");
        using var added = await admin.PostAsJsonAsync("api/people", new { userName = "anna", name = "Anna Berg", role = "officer", accessDays = 30, reason = "hired" }, Ct);
        Assert.Equal(HttpStatusCode.Created, added.StatusCode);
        var temporary = (await added.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty("temporaryPassword").GetString()!;
        using var anna = new Visitor(gateway.Url);
        Assert.Equal("/", await anna.SignInAsync("anna", temporary));
        using var again = await admin.PostAsJsonAsync("api/people", new { userName = "ANNA", name = "Another", reason = "hired" }, Ct);
        Assert.Equal((422, "GW-HTTP-06"), await CodeAsync(again));
        using var other = await admin.PostAsJsonAsync("api/people", new { userName = "bert", name = "Bert", reason = "hired" }, Ct);
        Assert.Equal(HttpStatusCode.Created, other.StatusCode);

        var first = await admin.GetFromJsonAsync<JsonElement>("api/people?limit=1", Ct);
        var item = Assert.Single(first.GetProperty("items").EnumerateArray());
        Assert.Equal(("anna", "active", "officer", true), (item.GetProperty("userName").GetString(), item.GetProperty("state").GetString(), item.GetProperty("roles")[0].GetString(), item.GetProperty("mustChange").GetBoolean()));
        var second = await admin.GetFromJsonAsync<JsonElement>($"api/people?limit=1&cursor={first.GetProperty("next").GetString()}", Ct);
        Assert.Equal("bert", Assert.Single(second.GetProperty("items").EnumerateArray()).GetProperty("userName").GetString());
        Assert.Equal(JsonValueKind.Null, second.GetProperty("next").ValueKind);
        Assert.DoesNotContain(temporary, await admin.GetStringAsync("api/people", Ct), StringComparison.Ordinal);

        Assert.Equal((204, null), await DecideAsync("anna/disable", "left"));
        Assert.StartsWith("/sign-in", await anna.GetAsync("account"), StringComparison.Ordinal);
        Assert.Equal((409, "GW-ACC-07"), await DecideAsync("anna/disable", "left"));
        Assert.Equal((204, null), await DecideAsync("Anna/enable", "came back"));
        Assert.Equal((409, "GW-ACC-07"), await DecideAsync("anna/enable", "came back"));
        Assert.Equal((404, "GW-HTTP-01"), await DecideAsync("nobody/disable", "left"));
        Assert.Equal((422, "GW-DLV-02"), await DecideAsync("anna/disable", ""));
        Assert.Equal("insert hired,update left,refused left,update came back,refused came back", await gateway.Database.ScalarAsync<string>(
            "select string_agg(action || ' ' || reason, ',' order by ord) from audit_entry where entity = 'person' and entity_key = (select person_id::text from person where user_name = 'anna')"));

        async Task<(int, string?)> DecideAsync(string what, string reason)
        {
            using var answer = await admin.PostAsJsonAsync($"api/people/{what}", new { reason }, Ct);
            return await CodeAsync(answer);
        }
    }

    private static async Task<(int, string?)> CodeAsync(HttpResponseMessage answer) =>
        ((int)answer.StatusCode, answer.IsSuccessStatusCode ? null : (await answer.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty("code").GetString());

    [Fact]
    public async Task Signing_out_ends_the_session_and_not_only_the_cookie()
    {
        await using var gateway = await TestGateway.StartAsync();
        await AddAsync(gateway, "anna", "officer");
        using var anna = new Visitor(gateway.Url);
        await anna.SignInAsync("anna", Good);
        var stolen = anna.Cookies.GetCookies(gateway.Url)["gateway"]!.Value;
        // Signing in anew ends the former session of this browser too.
        await anna.SignInAsync("anna", Good);
        using var thief = new Visitor(gateway.Url);
        thief.Cookies.Add(gateway.Url, new Cookie("gateway", stolen));
        Assert.StartsWith("/sign-in", await thief.GetAsync("deliveries"), StringComparison.Ordinal);
        Assert.Equal("200", await anna.GetAsync("deliveries"));
        Assert.Equal("signed in anew", await gateway.Database.ScalarAsync<string>("select ended_why from session where ended_at is not null"));
    }

    [Fact]
    [Requirement("P11-37")]
    public async Task A_browser_signed_in_with_a_key_is_out_when_the_key_is_revoked()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var browser = new Visitor(gateway.Url);
        Assert.Equal("/", await browser.PostAsync("sign-in", ("key", gateway.Keys["officer"])));
        Assert.Equal("200", await browser.GetAsync("deliveries"));
        Assert.Equal("/sign-in?failed=key&returnUrl=%2F", await browser.PostAsync("sign-in", ("key", "gwl_0000000000000000.x")));
        await new ApiKeys(gateway.Database.Gateway).RevokeAsync(Admin with { Reason = "lost" }, gateway.Keys["officer"][4..20], Ct);
        Assert.StartsWith("/sign-in", await browser.GetAsync("deliveries"), StringComparison.Ordinal);
    }

    internal static async Task<string> AddAsync(TestGateway gateway, string user, string role, bool temporary = false)
    {
        var people = new People(gateway.Database.Gateway);
        var party = await gateway.Database.ScalarAsync<int>("select party_id from party where kind = 'organisation'");
        var password = (await people.AddAsync(Admin, party, user, $"{user} of the test", role, null, "hired", Ct)).TemporaryPassword!;
        if (!temporary)
        {
            // Stands in for her having chosen it at her account.
            await using var work = await gateway.Database.Gateway.BeginAsync(Admin, Ct);
            await using var command = new Npgsql.NpgsqlCommand("update person set password_hash = $1, must_change = false where user_name = $2", work.Connection, work.Transaction)
            {
                Parameters = { new() { Value = Passwords.Hash(Good) }, new() { Value = user } },
            };
            await command.ExecuteNonQueryAsync(Ct);
            await work.CommitAsync();
        }
        return password;
    }
}
