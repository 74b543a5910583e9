using Gateway.Access;

namespace Gateway.Journeys.Access;

/// <summary>People at the sign-in form, with real cookies.</summary>
public sealed class PeopleJourneys
{
    private const string Good = "seven herons over Lake Ohrid";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly Actor Admin = Actor.System("test");

    [Fact]
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
        thief.Cookies.Add(gateway.Url, new System.Net.Cookie("gateway", stolen));
        Assert.StartsWith("/sign-in", await thief.GetAsync("deliveries"), StringComparison.Ordinal);
        Assert.Equal("200", await anna.GetAsync("deliveries"));
        Assert.Equal("signed in anew", await gateway.Database.ScalarAsync<string>("select ended_why from session where ended_at is not null"));
    }

    [Fact]
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
