using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.Journeys.Dashboard;
using Gateway.TestSupport;
using Gateway.Validation;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Journeys.Validation;

/// <summary>What people and programs are told of the validated state, and what is refused without it.</summary>
public sealed class ValidationJourneys
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly (string, string) Often = ("Validation:Every", "00:00:00.3");

    [Fact]
    public async Task A_node_at_which_nothing_changes_is_compared_by_the_clock_alone()
    {
        await using var gateway = await TestGateway.StartAsync(("Validation:Every", "00:01:00"));
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from validation_live()") > 0);
        await Task.Delay(1000, Ct);
        var before = await SeenAsync();
        await Task.Delay(2000, Ct);
        Assert.Equal(before, await SeenAsync());

        Task<DateTime> SeenAsync() => gateway.Database.ScalarAsync<DateTime>("select max(seen_at) from validation_node");
    }

    // FT-21: what tells an old node from a new one is that they differ; no contract migration exists yet that an old node could hold up.
    [Fact]
    [Requirement("P11-1")]
    public async Task Two_nodes_of_different_settings_are_mixed_and_one_that_has_left_does_not_count()
    {
        await using var gateway = await TestGateway.StartAsync(Often);
        Assert.Equal("no baseline", await StateAsync(gateway, "no baseline"));
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from validation_live()") > 0);
        await ValidatedInstallation.TakeEffectAsync(gateway.Database);
        await StateAsync(gateway, "validated");
        await using (await gateway.AnotherNodeAsync(new Dictionary<string, string?> { ["Validation:Every"] = "00:00:00.3", ["Capture:MaxEvents"] = "999", ["Validation:ChangeReference"] = "CR-0042" }))
        {
            await StateAsync(gateway, "mixed");
            using var inspector = gateway.Client("inspector");
            var said = await inspector.GetFromJsonAsync<JsonElement>("api/validation", Ct);
            var nodes = said.GetProperty("nodes").EnumerateArray().OrderBy(n => n.GetProperty("differenceCount").GetInt32()).ToList();
            Assert.Equal(["validated", "not validated"], nodes.Select(n => n.GetProperty("state").GetString()));
            var difference = Assert.Single(nodes[1].GetProperty("differences").EnumerateArray());
            Assert.Equal(("setting Capture:MaxEvents", "1000000", "999"), (difference.GetProperty("name").GetString(), difference.GetProperty("validated").GetString(), difference.GetProperty("found").GetString()));
            // What the configuration calls its change record is shown, and is none.
            Assert.Equal(("CR-0042", JsonValueKind.Null), (nodes[1].GetProperty("changeReference").GetString(), nodes[1].GetProperty("changeState").ValueKind));
            using var http = new HttpClient { BaseAddress = gateway.Url };
            Assert.Contains("the installation is mixed", await http.GetStringAsync("health/ready", Ct), StringComparison.Ordinal);
        }
        await StateAsync(gateway, "validated");
        Assert.Equal("no baseline → validated, validated → mixed, mixed → validated", await gateway.Database.ScalarAsync<string>(
            "select string_agg((old->>'state') || ' → ' || (new->>'state'), ', ' order by ord) from audit_entry where entity = 'validation_state'"));
    }

    [Fact]
    [Requirement("P11-1")]
    public async Task What_is_blocked_is_refused_until_the_installation_is_validated_and_only_to_whoever_may_do_it()
    {
        await using var gateway = await TestGateway.StartAsync(Often, ("Validation:Block:0", "capture"));
        using var cmo = gateway.Client("cmo");
        using var inspector = gateway.Client("inspector");
        using var refused = await cmo.PostAsync("capture", new StringContent("<x/>", null, "application/xml"), Ct);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.Equal("GW-VAL-01", (await refused.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty("code").GetString());
        using var forbidden = await inspector.PostAsync("capture", new StringContent("<x/>", null, "application/xml"), Ct);
        Assert.Equal(HttpStatusCode.Forbidden, forbidden.StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await cmo.GetAsync("capture", Ct)).StatusCode);

        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from validation_live()") > 0);
        await ValidatedInstallation.TakeEffectAsync(gateway.Database);
        await StateAsync(gateway, "validated");
        using var taken = await cmo.PostAsync("capture", new StringContent("<x/>", null, "application/xml"), Ct);
        Assert.Equal(HttpStatusCode.Accepted, taken.StatusCode);
    }

    [Fact]
    [Requirement("P11-2")]
    public async Task A_reason_too_long_or_not_storable_and_a_parameter_nobody_knows_are_refused_clearly()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var officer = gateway.Client("officer");
        foreach (var address in (string[])["api/validation/baselines/1/effect", "api/validation/baselines/1/withdraw", "api/validation/changes/CR-0001/done", "api/validation/changes/CR-0001/withdraw"])
        {
            foreach (var reason in (string[])[new string('x', 2001), "a\0b"])
            {
                using var refused = await officer.PostAsJsonAsync(address, new { reason }, Ct);
                Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
                Assert.StartsWith("reason ", (await refused.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty("detail").GetString(), StringComparison.Ordinal);
            }
        }
        using var unknown = await officer.GetAsync("api/audit/reviews?reviewer=anna", Ct);
        Assert.Equal(HttpStatusCode.BadRequest, unknown.StatusCode);
        Assert.Contains("There is no parameter reviewer", await unknown.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await officer.GetAsync("api/audit/reviews?limit=1", Ct)).StatusCode);
    }

    [Fact]
    [Requirement("P11-6")]
    public async Task The_doctor_compares_the_installation_and_signs_a_report_that_cannot_be_changed()
    {
        await using var gateway = await TestGateway.StartAsync(Often);
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from validation_live()") > 0);
        await ValidatedInstallation.TakeEffectAsync(gateway.Database);
        await gateway.Database.ExecuteAsync("alter table audit_entry disable trigger audit_entry_append_only");
        var report = Path.Combine(Directory.CreateTempSubdirectory("gateway-report-").FullName, "report.txt");
        var key = Path.ChangeExtension(report, ".pem");

        var (exit, said, _) = await gateway.VerbAsync("doctor", "--report", report);
        Assert.Equal(1, exit);
        Assert.Contains("FAIL database objects: trigger audit_entry_append_only on public.audit_entry changed", said, StringComparison.Ordinal);
        Assert.Contains("FAIL guards: switched off: audit_entry_append_only on audit_entry", said, StringComparison.Ordinal);
        Assert.Contains("ok   time: ", said, StringComparison.Ordinal);
        await File.WriteAllTextAsync(key, gateway.Services.GetRequiredService<Gateway.Audit.SealKey>().PublicPem, Ct);
        Assert.Equal(0, (await gateway.VerbAsync("doctor", "--verify", report, "--key", key)).Exit);
        var text = await File.ReadAllTextAsync(report, Ct);
        Assert.Contains("\nresult fault\n", text, StringComparison.Ordinal);
        foreach (var changed in (string[])[text.Replace("result fault", "result no fault", StringComparison.Ordinal), text.Replace("FAIL guards", "ok   guards", StringComparison.Ordinal), text + "ok   guards: every trigger is on\n", text[..text.IndexOf("— ", StringComparison.Ordinal)]])
        {
            await File.WriteAllTextAsync(report, changed, Ct);
            var (verified, why, _) = await gateway.VerbAsync("doctor", "--verify", report, "--key", key);
            Assert.Equal(1, verified);
            Assert.Contains("sign", why, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_page_says_what_differs_and_a_change_record_is_drafted_on_it()
    {
        await using var gateway = await TestGateway.StartAsync(Often);
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from validation_live()") > 0);
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "officer");
        await browser.GoAsync("captures");
        Assert.Contains("No baseline", await browser.Page.Locator("header").InnerTextAsync(), StringComparison.Ordinal);
        await ValidatedInstallation.TakeEffectAsync(gateway.Database);
        await StateAsync(gateway, "validated");
        await browser.Page.Locator(".pill.quiet").WaitForAsync(new() { State = Microsoft.Playwright.WaitForSelectorState.Detached });
        await gateway.Database.ExecuteAsync("alter table delivery disable trigger delivery_notify");
        var notice = browser.Page.Locator(".notice.validation");
        await notice.WaitForAsync();
        Assert.Contains("trigger delivery_notify on public.delivery changed", await notice.InnerTextAsync(), StringComparison.Ordinal);
        await browser.Page.Locator("#not-validated").WaitForAsync();
        await notice.Locator("a").ClickAsync();
        await browser.Page.GetByText("What runs is not what was validated: 1 component differs").WaitForAsync();

        await browser.Page.GetByText("Draft a change record").ClickAsync();
        foreach (var (field, text) in ((string, string)[])[("change", "Quiet"), ("why", "because"), ("impact", "none"), ("risk", "low"), ("tests", "this one"), ("concerns", "trigger delivery_notify on public.delivery")])
        {
            await browser.Page.FillAsync($"#{field}", text);
        }
        await browser.Page.Locator("form:has(#change) button.first").ClickAsync();
        await browser.Page.GetByText("Quiet: draft.").WaitForAsync();
        await browser.AxeAsync("validation-change");
        // Its author, a key besides, cannot approve it.
        await gateway.Database.ExecuteAsync("alter table delivery enable trigger delivery_notify");
        await notice.WaitForAsync(new() { State = Microsoft.Playwright.WaitForSelectorState.Detached });
    }

    private static async Task<string> StateAsync(TestGateway gateway, string expected)
    {
        using var cmo = gateway.Client("cmo");
        await Eventually.TrueAsync(async () =>
        {
            using var answer = await cmo.GetAsync("capture", Ct);
            return answer.Headers.GetValues(ValidationSetup.Header).Single() == expected;
        });
        return expected;
    }
}
