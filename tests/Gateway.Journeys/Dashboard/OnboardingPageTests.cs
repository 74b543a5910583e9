using System.Net.Http.Json;
using Microsoft.Playwright;

namespace Gateway.Journeys.Dashboard;

/// <summary>A partner's page tells what its onboarding lacks, tests its connection, changes its profile, and shows its scorecard.</summary>
public sealed class OnboardingPageTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_partner_is_given_a_profile_tested_and_read_on_its_page()
    {
        await using var gateway = await TestGateway.StartAsync();
        await using var partner = await ScriptedPartner.StartAsync((_, _) => Task.FromResult(200));
        using var officer = gateway.Client("officer");
        using var added = await officer.PostAsJsonAsync("api/partners", new { gln = "9521321000018", name = "Acme", format = "1.2-xml", practice = true, channel = new { kind = "https", url = partner.Url + "/in" } }, Ct);
        Assert.True(added.IsSuccessStatusCode, await added.Content.ReadAsStringAsync(Ct));
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "officer");
        var page = browser.Page;
        await browser.GoAsync("partners/1");
        await page.GetByText("Acme is in practice").First.WaitForAsync();
        await page.GetByText("3 steps are open before its go-live can be signed.").WaitForAsync();

        await Button("Profile…").ClickAsync();
        await page.SelectOptionAsync("#regulation", "us-dscsa");
        await page.SelectOptionAsync("#ids", "digital-link");
        await page.FillAsync("#reason", "agreed on 20 November");
        await Button("Change").ClickAsync();
        await page.GetByText("EPCIS 1.2 has no Digital Links").WaitForAsync();
        await browser.AxeAsync("profile-form");
        await page.SelectOptionAsync("#ids", "epc");
        await Button("Change").ClickAsync();
        await page.GetByText("Its documents are made for us-dscsa.").WaitForAsync();
        Assert.Equal("us-dscsa agreed on 20 November", await gateway.Database.ScalarAsync<string>("select regulation || ' ' || (select reason from audit_entry where entity = 'partner_profile') from partner_profile"));

        await Button("Test").ClickAsync();
        await page.GetByText("Every step but the signature of its go-live is done.").WaitForAsync();
        await page.GetByText("with that the partner has it").First.WaitForAsync();
        Assert.Single(partner.Arrivals);
        await page.GetByText("0, of which 0 accepted").WaitForAsync();
        await browser.AxeAsync("onboarding");

        // Over the API: the same steps; who looked at an older profile is told so; a scorecard as JSON and as CSV.
        var onboarding = await officer.GetStringAsync("api/partners/9521321000018/onboarding", Ct);
        Assert.Contains("\"step\":\"sample\",\"state\":\"done\"", onboarding, StringComparison.Ordinal);
        using var late = await officer.PutAsJsonAsync("api/partners/9521321000018/profile", new { profile = new { regulation = "none" }, reason = "x", version = 0 }, Ct);
        Assert.Equal(409, (int)late.StatusCode);
        Assert.Contains("\"documents\":0", await officer.GetStringAsync("api/partners/9521321000018/scorecard", Ct), StringComparison.Ordinal);
        Assert.StartsWith("\"figure\",\"value\"", await officer.GetStringAsync("api/partners/9521321000018/scorecard?format=csv&from=2026-11-01&until=2026-11-30", Ct), StringComparison.Ordinal);
        using var wrong = await officer.GetAsync("api/partners/9521321000018/scorecard?from=yesterday", Ct);
        Assert.Equal(400, (int)wrong.StatusCode);
        using var ended = await officer.PostAsJsonAsync("api/partners/9521321000018/practice", new { practice = false, reason = "they are ready" }, Ct);
        Assert.True(ended.IsSuccessStatusCode, await ended.Content.ReadAsStringAsync(Ct));
        using var again = await officer.PostAsJsonAsync("api/partners/9521321000018/practice", new { practice = false, reason = "they are ready" }, Ct);
        Assert.Equal(409, (int)again.StatusCode);

        ILocator Button(string name) => page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });
    }
}
