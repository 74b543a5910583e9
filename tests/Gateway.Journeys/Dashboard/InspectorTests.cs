using Gateway.Access;
using Gateway.Devices;
using Gateway.Host.Simulate;
using Gateway.Intake;
using Gateway.Lines;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;

namespace Gateway.Journeys.Dashboard;

/// <summary>An inspector sees everything, changes nothing, and leaves an entry for every view (P11-12, P11-16, P11-17).</summary>
public sealed class InspectorTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly SimulatedParty Shipper = SimulatedParty.AtOneAddress("9521234000105", 7, "Shipper");
    private static readonly SimulatedParty Buyer = SimulatedParty.AtOneAddress("9521234000204", 7, "Buyer");

    // Everything that acts, but for copying and for forms that ask: they change nothing.
    // Verifying the trail only reads it, so an inspector may.
    private const string Verbs = """
        () => [...document.querySelectorAll("button, form, input[type=submit], [role=button]")]
          .filter(e => !e.closest("form[method='get'], form[role='search']") && !e.closest("form[action='sign-out']") && e.getAttribute("data-key") !== "P" && !e.dataset.copy && !e.dataset.copyFrom && e.textContent !== "Verify now")
          .map(e => e.outerHTML.slice(0, 200))
        """;

    [Fact]
    public async Task An_inspector_meets_no_verb_on_any_page_and_every_view_is_in_the_trail()
    {
        await using var gateway = await TestGateway.StartAsync();
        await PrepareAsync(gateway);
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "inspector");
        await browser.ReadyAsync();
        Assert.Equal(1, await ViewsAsync(gateway, "/today"));

        var seen = new HashSet<string>();
        var wrong = new List<string>();
        var views = await ViewsAsync(gateway);
        await foreach (var address in browser.CrawlAsync(perKind: 3, "today"))
        {
            seen.Add(address);
            wrong.AddRange((await browser.Page.EvaluateAsync<string[]>(Verbs)).Select(v => $"{address}: {v}"));
            Assert.Equal((address, ++views), (address, await ViewsAsync(gateway)));
        }
        SignedInBrowser.None(wrong);
        foreach (var page in (string[])["captures", "deliveries", "partners", "deliveries/1", "partners/1", "operations", "settings/reviews", "settings/health", "audit", "audit/reviews", "lines", "devices", "serials", "intake", "hub"])
        {
            Assert.Contains(page, seen);
        }
        Assert.Superset((HashSet<string>)["captures/*/events", "runs/*", "intake/files/*", "intake/mappings/f1-unit-csv", "lines/PL01"], seen.Select(Crawl.Kind).ToHashSet());

        // Going on inside an open page is a view too; who, where and when are told.
        await browser.GoAsync("today");
        var captures = await ViewsAsync(gateway, "/captures");
        await browser.Page.ClickAsync("nav >> text=Captures");
        await browser.AtAsync("**/captures");
        await browser.Page.Locator("h1", new() { HasText = "refused" }).WaitForAsync();
        await Eventually.TrueAsync(async () => await ViewsAsync(gateway, "/captures") == captures + 1);
        Assert.Equal("The inspector's views are recorded with name and role: inspector inspector", await gateway.Database.ScalarAsync<string>(
            "select distinct 'The inspector''s views are recorded with name and role: ' || actor_name || ' ' || actor_role from audit_entry where action = 'view'"));
        browser.NothingWentWrong();
    }

    [Fact]
    public async Task Who_only_reads_is_recorded_and_meets_no_verb_whatever_the_role_is_called()
    {
        await using var gateway = await TestGateway.StartAsync();
        var capture = await PrepareAsync(gateway);
        var (admin, roles) = (Actor.System("test"), new Roles(gateway.Database.Gateway));
        await roles.AddAsync(admin, "visitor", "Looks at some things", Ct);
        foreach (var permission in (string[])[Permissions.ReadCaptures, Permissions.ReadDeliveries])
        {
            Assert.Null(await roles.PermitAsync(admin, "visitor", permission, "audit of a customer", Ct));
        }
        var (key, _) = await new AddKey(gateway.Database.Gateway).AddAsync(admin, new KeyRequest("visitor", "A customer", null, null, null), Ct);
        await using var browser = await SignedInBrowser.OpenAsync(gateway.Url, key!);
        await browser.ReadyAsync();
        foreach (var address in (string[])["today", "deliveries", "deliveries/1", "captures", $"captures/{capture}"])
        {
            var before = await ViewsAsync(gateway);
            await browser.GoAsync(address);
            Assert.Equal((address, ""), (address, string.Join("\n", await browser.Page.EvaluateAsync<string[]>(Verbs))));
            Assert.Equal((address, before + 1), (address, await ViewsAsync(gateway)));
        }

        // With a permission to do something, they are one of those who work here.
        Assert.Null(await roles.PermitAsync(admin, "visitor", Permissions.Capture, "joined", Ct));
        var views = await ViewsAsync(gateway);
        await browser.GoAsync("captures");
        Assert.Equal(views, await ViewsAsync(gateway));
        browser.NothingWentWrong();
    }

    [Fact]
    [Requirement("P11-16")]
    public async Task What_anybody_takes_along_is_one_entry_and_what_those_who_work_here_look_at_is_none()
    {
        await using var gateway = await TestGateway.StartAsync();
        var capture = await PrepareAsync(gateway);
        using var officer = await FormClient.SignInAsync(gateway, "officer");
        using var inspector = await FormClient.SignInAsync(gateway, "inspector");
        using (var page = await officer.GetAsync($"captures/{capture}"))
        {
            Assert.True(page.IsSuccessStatusCode);
        }
        Assert.Equal(0, await ViewsAsync(gateway));
        foreach (var (address, entity) in ((string, string)[])[($"captures/{capture}/report", "download"), ($"captures/{capture}/document", "download"), ($"api/captures/{capture}/source", "download"),
            ("deliveries/export?state=dead", "delivery"), ("recall/units?gtin=09521234001232&lot=LOT1", "recall_scope")])
        {
            foreach (var person in (FormClient[])[officer, inspector])
            {
                var before = await gateway.Database.ScalarAsync<long>("select count(*) from audit_entry");
                using var answer = await person.GetAsync(address);
                Assert.True(answer.IsSuccessStatusCode, $"{address}: {answer.StatusCode}");
                Assert.Equal((address, 1L), (address, await gateway.Database.ScalarAsync<long>("select count(*) from audit_entry") - before));
                Assert.Equal((address, entity), (address, await gateway.Database.ScalarAsync<string>("select entity from audit_entry order by ord desc limit 1")));
            }
        }
        Assert.Equal(6, await gateway.Database.ScalarAsync<long>($"select count(*) from audit_entry where action = 'export' and entity_key like '%captures/{capture}/%'"));
        using var key = gateway.Client("officer");
        using var source = await key.GetAsync($"api/captures/{capture}/source", Ct);
        Assert.Equal(7, await gateway.Database.ScalarAsync<long>($"select count(*) from audit_entry where action = 'export' and entity_key like '%captures/{capture}/%'"));
        using var upload = await inspector.PostWithAsync("none", "captures/upload", ("a.xml", [1]));
        Assert.False(upload.IsSuccessStatusCode);
    }

    [Fact]
    [Requirement("P11-16")]
    public async Task What_an_inspector_reads_past_the_pages_is_one_view_each()
    {
        await using var gateway = await TestGateway.StartAsync();
        var capture = await PrepareAsync(gateway);
        using var officer = await FormClient.SignInAsync(gateway, "officer");
        using var inspector = await FormClient.SignInAsync(gateway, "inspector");
        foreach (var address in (string[])["api/deliveries", "api/deliveries/1", $"api/captures/{capture}", "api/audit/entries?entity=partner", "api/audit/reviews"])
        {
            var before = await ViewsAsync(gateway);
            using var others = await officer.GetAsync(address);
            Assert.Equal((address, before), (address, await ViewsAsync(gateway)));
            using var answer = await inspector.GetAsync(address);
            Assert.True(answer.IsSuccessStatusCode, $"{address}: {answer.StatusCode}");
            Assert.Equal((address, before + 1), (address, await ViewsAsync(gateway)));
            Assert.Equal("/" + address, await gateway.Database.ScalarAsync<string>("select entity_key from audit_entry where action = 'view' order by ord desc limit 1"));
        }
    }

    [Fact]
    public async Task A_view_that_cannot_be_recorded_is_not_shown()
    {
        await using var gateway = await TestGateway.StartAsync();
        var capture = await PrepareAsync(gateway);
        await gateway.Database.ExecuteAsync("alter table audit_entry add constraint no_views check (action not in ('view', 'export')) not valid");
        using var inspector = await FormClient.SignInAsync(gateway, "inspector");
        foreach (var address in (string[])["today", "captures", $"captures/{capture}/report", $"captures/{capture}/document"])
        {
            using var answer = await inspector.GetAsync(address);
            Assert.True((int)answer.StatusCode >= 500, $"{address}: {answer.StatusCode}");
            Assert.DoesNotContain("Shipper", await answer.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        }
    }

    // A delivery that needs a decision, a refused document, a paused partner, a line with a run, a device and a file: whatever has verbs for others.
    private static async Task<string> PrepareAsync(TestGateway gateway)
    {
        await gateway.AddPartnerAsync(Buyer.Owner.Gln, "refuses/buyer");
        using var good = await gateway.CaptureAsync(Document(1, isBad: false));
        await gateway.JobAsync(good.Headers.Location!);
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from delivery where state = 'dead'") == 1);
        var admin = Actor.System("test");
        Assert.Null((await gateway.Services.GetRequiredService<LineRegister>().PutAsync(admin, "PL01", new LineRequest("Line 1", "9521234000013", "urn:epc:id:sgln:9521234.00001.1", "UTC", null, null, null, "test", null), Ct)).Refusal);
        Assert.Null((await gateway.Services.GetRequiredService<RegisterDevice>().RegisterAsync(admin, new RegistrationRequest("cam-1", "camera", "Acme", "C9", "1", "1.0", "c0ffee", "PL01", "printing", ["read"], null), Ct)).Refusal);
        var line = (await gateway.Services.GetRequiredService<LineRegister>().FindAsync(admin, "PL01", null, Ct))!;
        Assert.Null((await gateway.Services.GetRequiredService<RunSteps>().PlanAsync(admin, line, new PlanRequest("09521234001010", "L1", new DateOnly(2029, 1, 31), 10, null, null), Ct)).Refusal);
        Assert.Null(await gateway.Services.GetRequiredService<Mappings>().ApproveAsync(admin, "f1-unit-csv", "test", Ct));
        using (var operators = gateway.Client("operator"))
        using (var taken = await operators.PostAsync("api/intake/f1-unit-csv", new StringContent("nothing"), Ct))
        {
            await gateway.JobAsync(taken.Headers.Location!);
        }
        using var bad = await gateway.CaptureAsync(Document(2, isBad: true));
        await gateway.JobAsync(bad.Headers.Location!);
        return bad.Headers.Location!.ToString().Split('/')[^1];
    }

    private static byte[] Document(long sequence, bool isBad) => new ShipmentGenerator(5).Xml(
        new ShipmentPlan(sequence, Shipper, Buyer, new DateTimeOffset(2026, 11, 1, 8, 0, 0, TimeSpan.Zero), "LOT1", new DateOnly(2029, 1, 31)) { OmitCaseParent = isBad });

    private static Task<long> ViewsAsync(TestGateway gateway, string? address = null) => gateway.Database.ScalarAsync<long>(
        $"select count(*) from audit_entry where entity = 'page' and action = 'view' and entity_key like '{address ?? "%"}'");
}
