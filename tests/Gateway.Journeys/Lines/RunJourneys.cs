using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.Access;
using Gateway.Journeys.Access;
using Gateway.Journeys.Dashboard;
using Gateway.Lines;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;

namespace Gateway.Journeys.Lines;

/// <summary>A run from planned to closed with documents of its line, over HTTP and on the pages alone.</summary>
public sealed class RunJourneys
{
    private const string Gtin = "09521234001010";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    [Requirement("P11-50")]
    public async Task Over_http_a_run_is_closed_when_every_serial_has_its_disposition()
    {
        await using var gateway = await TestGateway.StartAsync();
        var (id, anna, session) = await ReadyToClearAsync(gateway);
        using var officer = gateway.Client("officer");
        var refused = await StepAsync(officer, id, "ready", null, 409);
        Assert.Contains("line clearance", refused.GetProperty("detail").GetString(), StringComparison.Ordinal);
        await ClearAsync(gateway, id, anna, session);
        await StepAsync(officer, id, "ready");
        await StepAsync(officer, id, "start");
        await StepAsync(officer, id, "pause", new { reason = "no cartons", cause = "starved" });
        await StepAsync(officer, id, "resume");
        await CaptureAsync(gateway, id, Packed);
        // One pack is rejected after commissioning, another reworked, another destroyed.
        await CaptureAsync(gateway, id, [Object("OBSERVE", "inspecting", "non_sellable_other", 4, Pack(6)), Object("OBSERVE", "inspecting", "non_sellable_other", 5, Pack(7)), Object("OBSERVE", "sampling", "non_sellable_other", 6, Pack(8))]);
        await StepAsync(officer, id, "end");
        await StepAsync(officer, id, "reconcile");
        refused = await StepAsync(officer, id, "close", null, 409);
        Assert.Equal("GW-RUN-01", refused.GetProperty("code").GetString());
        Assert.Contains("2 units are rejected and without a disposition", refused.GetProperty("detail").GetString(), StringComparison.Ordinal);
        var serials = await officer.GetFromJsonAsync<JsonElement>($"api/runs/{id}/serials?term=rejectedAfterCommission", Ct);
        Assert.Equal([Pack(6), Pack(7)], serials.GetProperty("items").EnumerateArray().Select(s => s.GetProperty("epc").GetString()!));
        // No device says what became of them: a person does, while the next lot is on the line.
        using var operators = gateway.Client("operator");
        using var next = await operators.PostAsJsonAsync("api/lines/PL01/runs", new { gtin = Gtin, lot = "L2", expiry = "2029-08-31", quantity = 8 }, Ct);
        var second = (await next.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty("id").GetGuid();
        await ClearAsync(gateway, second, anna, session);
        await StepAsync(officer, second, "ready");
        await StepAsync(officer, second, "start");
        Assert.Contains("Nobody has approved the mapping", await SayAsync(operators, Pack(6), "rework_ok", "seal was loose", 422), StringComparison.Ordinal);
        using var approved = await officer.PostAsJsonAsync("api/intake/mappings/device-messages/approve", new { reason = "tried" }, Ct);
        Assert.True(approved.IsSuccessStatusCode);
        Assert.Contains("what is one of", await SayAsync(operators, Pack(6), "eaten", "by whom?", 422), StringComparison.Ordinal);
        Assert.Contains("reason is missing", await SayAsync(operators, Pack(6), "destroy", " ", 422), StringComparison.Ordinal);
        Assert.Contains("No unit is known", await SayAsync(operators, Pack(99), "destroy", "crushed", 422), StringComparison.Ordinal);
        Assert.Contains("It is in no container", await SayAsync(operators, Pack(6), "unpack", "crushed", 422), StringComparison.Ordinal);
        Assert.Contains($"It is in {Case}", await SayAsync(operators, Pack(1), "pack", "again", 422), StringComparison.Ordinal);
        await SayAsync(operators, Pack(6), "rework_ok", "seal pressed again");
        await SayAsync(operators, $"01{Gtin}21U000007", "destroy", "crushed");
        await SayAsync(operators, Pack(6), "decommission", "fell on the floor");
        Assert.Equal("manual, operator key", await gateway.Database.ScalarAsync<string>("select string_agg(distinct c.method || ', ' || case when c.submitted_by like 'key:%' then 'operator key' else c.submitted_by end, '; ') from capture c where c.run_id is not null and c.mapping = 'device-messages@1'"));
        // It is told of its own lot and run, and not of the one that runs.
        Assert.Equal("L1", await gateway.Database.ScalarAsync<string>("select string_agg(distinct r.lot, ',') from capture c join run r using (run_id) where c.method = 'manual'"));
        Assert.DoesNotContain("\"L2\"", await officer.GetStringAsync("events?perPage=1000", Ct), StringComparison.Ordinal);
        Assert.Contains("\"crushed\"", await officer.GetStringAsync("events?perPage=1000", Ct), StringComparison.Ordinal);
        var run = await StepAsync(officer, id, "close");
        Assert.Equal("closed", run.GetProperty("state").GetString());
        var reconciliation = await officer.GetFromJsonAsync<JsonElement>($"api/lots/{Gtin}/L1/reconciliation", Ct);
        var terms = reconciliation.GetProperty("reconciliation").GetProperty("levels")[0].GetProperty("terms");
        Assert.Equal((8, 5, 1, 2, 0), (Term("everCommissioned"), Term("activePacked"), Term("sampled"), Term("decommissionedOrDestroyed"), Term("rejectedAfterCommission")));
        Assert.Equal(0, reconciliation.GetProperty("reconciliation").GetProperty("unexplained").GetInt64());

        var (exit, said, _) = await gateway.VerbAsync("run", "show", id.ToString());
        Assert.Equal(0, exit);
        Assert.Contains("closed", said, StringComparison.Ordinal);
        Assert.Contains(id.ToString(), (await gateway.VerbAsync("run", "list")).Said, StringComparison.Ordinal);

        long Term(string name) => terms.GetProperty(name).GetInt64();
    }

    [Fact]
    [Requirement("P11-50")]
    public async Task On_the_pages_alone_a_run_goes_from_planned_to_closed_with_signatures()
    {
        await using var gateway = await TestGateway.StartAsync();
        await PrepareAsync(gateway);
        using (var decides = gateway.Client("officer"))
        {
            using var approved = await decides.PostAsJsonAsync("api/intake/mappings/device-messages/approve", new { reason = "tried" }, Ct);
            Assert.True(approved.IsSuccessStatusCode);
        }
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "officer");
        var page = browser.Page;
        await browser.SignInAsync("anna", SigningPagesTests.Good);
        await browser.GoAsync("lines");
        await page.Locator("h1", new() { HasText = "0 of 1 line run; nothing is unexplained." }).WaitForAsync();
        await browser.AxeAsync("lines");
        await page.GetByRole(AriaRole.Link, new() { Name = "PL01" }).ClickAsync();
        await page.GetByText("PL01 has no lot.").WaitForAsync();
        await page.GetByText("Plan a run", new() { Exact = true }).ClickAsync();
        foreach (var (field, text) in ((string, string)[])[("gtin", Gtin), ("lot", "L1"), ("expiry", "2028-08-31"), ("quantity", "5"), ("order", "4711")])
        {
            await page.FillAsync($"#{field}", text);
        }
        await page.GetByRole(AriaRole.Button, new() { Name = "Plan", Exact = true }).ClickAsync();
        await page.GetByText("First: Nobody has signed the line clearance.").WaitForAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Clear the line…" }).ClickAsync();
        for (var n = 0; n < RunSteps.Checklist.Count; n++)
        {
            await page.CheckAsync($"#check-{n}");
        }
        await browser.AxeAsync("clearance");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign…" }).ClickAsync();
        await SignAsync(page);
        await ClickAsync("Ready");
        await page.GetByText("PL01 is ready for lot L1.").WaitForAsync();
        await ClickAsync("Start");
        await page.GetByText("PL01 runs lot L1.").WaitForAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Stop for quality…" }).ClickAsync();
        await page.FillAsync("#reason", "five rejects of one reason");
        await page.GetByRole(AriaRole.Button, new() { Name = "Stop", Exact = true }).ClickAsync();
        await page.GetByText("PL01 stands (quality): five rejects of one reason").WaitForAsync();
        await page.GetByText("You may restart it by signing.").WaitForAsync();
        Assert.Equal(1, await page.EvaluateAsync<int>("() => [...document.querySelectorAll('.operator *')].filter(e => !e.children.length && e.textContent.trim() && getComputedStyle(e).color === 'rgb(163, 22, 28)').length"));
        Assert.Equal(0, await page.EvaluateAsync<int>("() => [...document.querySelectorAll('.operator h1, .operator .what, .operator button, .operator input')].filter(e => parseFloat(getComputedStyle(e).fontSize) < 32).length"));
        await browser.AxeAsync("line-stopped");
        await page.GetByRole(AriaRole.Button, new() { Name = "Resume…" }).ClickAsync();
        await page.FillAsync("#reason", "lamp changed");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign to resume" }).ClickAsync();
        await SignAsync(page, again: true);
        await page.GetByText("PL01 runs lot L1.").WaitForAsync();

        var id = await gateway.Database.ScalarAsync<Guid>("select public_id from run");
        await CaptureAsync(gateway, id, [.. Packed.Take(2), Object("ADD", "commissioning", "active", 1, [.. Enumerable.Range(1, 5).Select(Pack)]), Packed[^2], Packed[^1]]);
        // A scanner is a keyboard that types an element string and ends with Enter.
        await page.FocusAsync("#scan");
        await page.Keyboard.TypeAsync($"01{Gtin}21U000003");
        await page.Keyboard.PressAsync("Enter");
        await page.GetByText($"U000003: COMMISSIONED, lot L1, in {Case}.").WaitForAsync();
        // What no device says, a person says: out of its case, and into it again.
        await page.SelectOptionAsync("#what", "unpack");
        await page.FillAsync("#why-told", "label looked at");
        await browser.AxeAsync("line-scanned");
        await ClickAsync("Say it");
        await page.Locator("#scanned", new() { HasText = "U000003: COMMISSIONED, lot L1. " }).WaitForAsync();
        await page.SelectOptionAsync("#what", "pack");
        await page.FillAsync("#into", Case);
        await page.FillAsync("#why-told", "label is good");
        await ClickAsync("Say it");
        await page.GetByText($"U000003: COMMISSIONED, lot L1, in {Case}.").WaitForAsync();
        await page.FocusAsync("#scan");
        await page.Keyboard.TypeAsync(Pack(99));
        await page.Keyboard.PressAsync("Enter");
        await page.GetByText("No unit is known of this number.").WaitForAsync();

        await ClickAsync("End the lot");
        await page.GetByText("PL01 has ended lot L1.").WaitForAsync();
        await page.GetByText("Lot L1: everything about it").ClickAsync();
        await page.Locator("h1", new() { HasText = "Lot L1 on PL01 is ended" }).WaitForAsync();
        await page.GetByText("Enter a count").ClickAsync();
        await page.FillAsync("#counted", "4");
        await ClickAsync("Enter");
        await page.GetByText("The warehouse counted 4 packs, and the serials say 5. Explain it").WaitForAsync();
        await browser.AxeAsync("run-difference");
        await page.GetByRole(AriaRole.Button, new() { NameRegex = new("^Accept: ") }).ClickAsync();
        await page.FillAsync("#reason", "one is in the retention store");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign to accept" }).ClickAsync();
        await SignAsync(page, again: true);
        await page.GetByText("one is in the retention store").WaitForAsync();
        // Who answers for the difference has settled what it opened.
        await page.GetByText("Settle each.").WaitForAsync(new() { State = WaitForSelectorState.Detached });
        Assert.Equal("recon.mismatch resolved", await gateway.Database.ScalarAsync<string>("select string_agg(code || ' ' || state, ', ') from exception"));
        await ClickAsync("Reconcile");
        await ClickAsync("Close");
        await page.Locator("h1", new() { HasText = "Lot L1 on PL01 is closed: 5 packs commissioned, nothing unexplained." }).WaitForAsync();
        await browser.AxeAsync("run-closed");

        // Every term is a door to its serials, from the lot's page too.
        await browser.GoAsync($"lots/{Gtin}/L1");
        await page.GetByRole(AriaRole.Link, new() { Name = "5 packed", Exact = true }).First.ClickAsync();
        await page.Locator("h1", new() { HasText = "5 serials are packed" }).WaitForAsync();
        Assert.Equal(5, await page.Locator("table.rows tbody tr").CountAsync());
        await browser.AxeAsync("run-serials");
        Assert.Equal("difference accepted, line clearance, resume after quality stop", await gateway.Database.ScalarAsync<string>("select string_agg(meaning, ', ' order by meaning) from signature"));
        browser.NothingWentWrong();

        Task ClickAsync(string name) => page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true }).ClickAsync();
    }

    private static async Task SignAsync(IPage page, bool again = false)
    {
        await page.WaitForSelectorAsync("#secret-word");
        if (!again)
        {
            await page.CheckAsync("#accepted");
            await page.FillAsync("#signer", "anna");
        }
        await page.FillAsync("#secret-word", SigningPagesTests.Good);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign", Exact = true }).ClickAsync();
        await page.WaitForSelectorAsync("#signed");
        await page.GetByRole(AriaRole.Button, new() { Name = "Close", Exact = true }).Last.ClickAsync();
        await page.Locator(".rz-dialog").WaitForAsync(new() { State = WaitForSelectorState.Detached });
    }

    private static async Task PrepareAsync(TestGateway gateway)
    {
        await PeopleJourneys.AddAsync(gateway, "anna", "officer");
        await new People(gateway.Database.Gateway).VerifyIdentityAsync(Actor.System("test"), "anna", "identity card", Ct);
        using var officer = gateway.Client("officer");
        using var imported = await officer.PostAsync("api/masterdata/import?reason=test", new StringContent($"gtin,name,level,holds,quantity,perLogisticUnit\n{Gtin},Demozol,unit,,,\n59521234001015,\"Demozol, case\",case,{Gtin},5,1\n"), Ct);
        Assert.True(imported.IsSuccessStatusCode);
        using var administrator = gateway.Client("administrator");
        using var line = await administrator.PutAsJsonAsync("api/lines/PL01", new { name = "Blister line", site = "9521234000013", readPoint = "urn:epc:id:sgln:9521234.00001.PL01", timeZone = "Europe/Berlin", speed = 300, reason = "built" }, Ct);
        Assert.True(line.IsSuccessStatusCode, await line.Content.ReadAsStringAsync(Ct));
    }

    private static async Task<(Guid Run, Actor Anna, long Session)> ReadyToClearAsync(TestGateway gateway)
    {
        await PrepareAsync(gateway);
        using var operators = gateway.Client("operator");
        using var planned = await operators.PostAsJsonAsync("api/lines/PL01/runs", new { gtin = Gtin, lot = "L1", expiry = "2028-08-31", quantity = 8, orderNumber = "4711" }, Ct);
        Assert.True(planned.StatusCode == System.Net.HttpStatusCode.Created, await planned.Content.ReadAsStringAsync(Ct));
        var id = (await planned.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty("id").GetGuid();
        var secret = (await gateway.Services.GetRequiredService<SignInPerson>().TryAsync("anna", SigningPagesTests.Good, null, "192.0.2.1", Ct)).Secret;
        var holder = (await gateway.Services.GetRequiredService<Sessions>().FindAsync(secret!, Ct))!;
        return (id, holder.ToPrincipal("test").ToActor("dashboard"), holder.SessionId!.Value);
    }

    // A key signs nothing, so somebody does what the page does.
    private static async Task ClearAsync(TestGateway gateway, Guid id, Actor anna, long session)
    {
        var (signing, steps) = (gateway.Services.GetRequiredService<Signing>(), gateway.Services.GetRequiredService<RunSteps>());
        ClearanceItem[] items = [.. RunSteps.Checklist.Select(c => new ClearanceItem(c, true))];
        var begun = await signing.BeginAsync(anna, session, (await steps.ClearanceAsync(anna, id, items, Ct))!, RunSteps.Clearance, Ct);
        Assert.Null(begun.Refusal);
        Assert.Null((await signing.SignAsync(anna, session, begun.Nonce!.Value, new SigningSecret("anna", SigningPagesTests.Good, null, 1), RunSteps.Cleared(items), Ct)).Refusal);
    }

    private static async Task<string> SayAsync(HttpClient client, string unit, string what, string reason, int expected = 202)
    {
        using var answer = await client.PostAsJsonAsync("api/lines/PL01/units", new { unit, what, reason }, Ct);
        var said = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True((int)answer.StatusCode == expected, $"{what}: {said}");
        if (expected != 202)
        {
            return said;
        }
        for (JsonElement job = default; job.ValueKind == JsonValueKind.Undefined || job.GetProperty("running").GetBoolean(); await Task.Delay(50, Ct))
        {
            job = await client.GetFromJsonAsync<JsonElement>(answer.Headers.Location, Ct);
            Assert.True(job.GetProperty("running").GetBoolean() || job.GetProperty("success").GetBoolean(), job.ToString());
        }
        return said;
    }

    private static async Task<JsonElement> StepAsync(HttpClient client, Guid id, string step, object? body = null, int expected = 200)
    {
        using var answer = await client.PostAsJsonAsync($"api/runs/{id}/{step}", body ?? new { }, Ct);
        var said = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True((int)answer.StatusCode == expected, $"{step}: {said}");
        return JsonDocument.Parse(said).RootElement;
    }

    // The document is tied to the run as a line's intake ties it.
    private static async Task CaptureAsync(TestGateway gateway, Guid run, string[] events)
    {
        using var client = gateway.Client("officer");
        using var request = new HttpRequestMessage(HttpMethod.Post, "capture")
        {
            Content = new StringContent($$"""{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-09-14T10:00:00Z","epcisBody":{"eventList":[{{string.Join(",", events)}}] } }"""),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/ld+json");
        using var answer = await client.SendAsync(request, Ct);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Ct));
        var job = await gateway.JobAsync(answer.Headers.Location!);
        Assert.True(job.GetProperty("success").GetBoolean(), job.ToString());
        await gateway.Database.ExecuteAsync($"select set_config('app.actor', 'test', false); update capture set run_id = (select run_id from run where public_id = '{run}') where public_id = '{answer.Headers.Location!.ToString().Split('/')[^1]}'; notify changed, 'capture x'");
    }

    private const string Case = "urn:epc:id:sgtin:9521234.500101.00000001", Pallet = "urn:epc:id:sscc:9521234.3000000001";

    private static string Pack(int n) => $"urn:epc:id:sgtin:9521234.000101.U{n:000000}";

    // A pallet with a case of five packs, and three packs beside it.
    private static string[] Packed =>
    [
        Object("ADD", "commissioning", "active", 0, Pallet), Object("ADD", "commissioning", "active", 0, Case),
        Object("ADD", "commissioning", "active", 1, [.. Enumerable.Range(1, 8).Select(Pack)]),
        Aggregation(2, Case, [.. Enumerable.Range(1, 5).Select(Pack)]), Aggregation(3, Pallet, Case),
    ];

    private static string Object(string action, string bizStep, string disposition, int minute, params string[] epcs) => $$"""
        {"type":"ObjectEvent","eventTime":"2026-09-14T08:{{minute:00}}:00Z","eventTimeZoneOffset":"+00:00","epcList":[{{List(epcs)}}],"action":"{{action}}","bizStep":"{{bizStep}}","disposition":"{{disposition}}",
         "readPoint":{"id":"urn:epc:id:sgln:9521234.00001.PL01"} {{(bizStep == "commissioning" ? ",\"ilmd\":{\"cbvmda:lotNumber\":\"L1\",\"cbvmda:itemExpirationDate\":\"2028-08-31\"}" : "")}} }
        """;

    private static string Aggregation(int minute, string parent, params string[] children) => $$"""
        {"type":"AggregationEvent","eventTime":"2026-09-14T08:{{minute:00}}:00Z","eventTimeZoneOffset":"+00:00","parentID":"{{parent}}","childEPCs":[{{List(children)}}],"action":"ADD","bizStep":"packing","disposition":"in_progress","readPoint":{"id":"urn:epc:id:sgln:9521234.00001.PL01"} }
        """;

    private static string List(string[] epcs) => string.Join(',', epcs.Select(e => $"\"{e}\""));
}
