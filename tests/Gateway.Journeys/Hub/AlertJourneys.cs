using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.Access;
using Gateway.Host.Simulate.Hub;
using Gateway.Journeys.Dashboard;
using Gateway.TestSupport;
using Microsoft.Playwright;

namespace Gateway.Journeys.Hub;

/// <summary>What national systems raise about packs of a released lot comes to people with what is known of it, once, and is settled by them. The hub is a stand-in on a real socket with mutual TLS.</summary>
public sealed class AlertJourneys
{
    private const string Gtin = "09521234001010", HubGln = "9521234000907";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_alert_of_another_lot_is_matched_merged_and_closed_on_its_page_by_a_person()
    {
        await using var hub = await HubSimulator.StartAsync(new HubSimulatorOptions(), Ct);
        await using var gateway = await ReleasedAsync(hub);
        using var officer = gateway.Client("officer");
        hub.RaiseAlert("DE", "A68", Gtin, "B8", "280831", "S0003", text: "The lot differs.");
        var first = await CaseAsync(officer, c => c.GetProperty("cause").GetString() is not null);
        Assert.Equal(("A68", "wrong lot", 1), (Text(first, "code"), Text(first, "cause"), first.GetProperty("alerts").GetInt32()));
        Assert.Contains("The serial number S0003 is ours in the lot B7; told was the lot B8", Text(first, "finding"), StringComparison.Ordinal);
        hub.RaiseAlert("FR", "A68", Gtin, "B8", "280831", "S0003", text: "The lot differs.");
        var merged = await CaseAsync(officer, c => c.GetProperty("alerts").GetInt32() == 2);
        Assert.Equal((first.GetProperty("id").GetInt32(), "DE FR"), (merged.GetProperty("id").GetInt32(), string.Join(' ', merged.GetProperty("markets").EnumerateArray().Select(m => m.GetString()))));
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<string>("select string_agg(concat_ws(' ', code, severity, state, occurrences), ',') from exception") == "hub.alert warning open 2");

        await using var browser = await SignedInBrowser.OpenAsync(gateway, "officer");
        var page = browser.Page;
        await browser.GoAsync("hub");
        await page.Locator("#alerts").GetByText("1 case of alerts").WaitForAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Alerts of national systems" }).ClickAsync();
        await page.GetByRole(AriaRole.Heading, new() { Name = "1 case is not closed." }).WaitForAsync();
        await browser.AxeAsync("hub-alerts");
        await browser.GoAsync("hub/alerts?code=A3");
        await page.GetByText("No case is in this selection.").WaitForAsync();
        await browser.GoAsync("hub/alerts?code=A68&country=fr&state=unsettled");
        await page.Locator("table.rows a").First.ClickAsync();
        await page.GetByRole(AriaRole.Heading, new() { Name = "DE, FR raised A68 for the pack S0003 of the lot B8 2 times: wrong lot." }).WaitForAsync();
        await browser.ReadyAsync();
        Assert.Equal(2, await page.Locator("a[href^='units/view'], a[href='lots/09521234001010/B7']").CountAsync());
        await page.SelectOptionAsync("#alert-state", "closed");
        await page.SelectOptionAsync("#alert-closing", "end-user process error");
        await page.FillAsync("#alert-why", "The wholesaler had typed the lot of the box beside it.");
        await browser.AxeAsync("hub-alert");
        await page.GetByRole(AriaRole.Button, new() { Name = "Decide", Exact = true }).DblClickAsync();
        await page.GetByRole(AriaRole.Heading, new() { NameRegex = new("closed as end-user process error.$") }).WaitForAsync();
        await page.GetByText("What is closed stays closed").WaitForAsync();
        await browser.AxeAsync("hub-alert-closed");
        browser.NothingWentWrong();
        Assert.Equal("closed wrong lot 2", await gateway.Database.ScalarAsync<string>("select concat_ws(' ', state, root_cause, version) from hub_alert_case"));
        Assert.Equal("resolved", await gateway.Database.ScalarAsync<string>("select string_agg(state, ',') from exception"));

        // The same once more is another case, which knows of the first.
        hub.RaiseAlert("DE", "A68", Gtin, "B8", "280831", "S0003");
        var again = await CaseAsync(officer, c => c.GetProperty("state").GetString() == "open");
        Assert.Equal(first.GetProperty("id").GetInt32(), again.GetProperty("earlier").GetInt32());
    }

    [Fact]
    public async Task A_hub_that_fails_for_a_while_doubles_and_loses_nothing_and_two_nodes_ask_as_one()
    {
        await using var hub = await HubSimulator.StartAsync(new HubSimulatorOptions(), Ct);
        await using var gateway = await ReleasedAsync(hub);
        await using var other = await gateway.AnotherNodeAsync(new Dictionary<string, string?> { ["HubAlerts:AskEvery"] = "00:00:01" });
        using var officer = gateway.Client("officer");
        hub.RaiseAlert("DE", "A3", Gtin, "B7", "280831", "S0001");
        await CaseAsync(officer, _ => true);
        hub.Faults.UnavailableUntil = hub.Now + TimeSpan.FromHours(1);
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<string>("select coalesce(max(error), '') from hub_alert_stream") == "http-503");
        for (var n = 0; n < 1_200; n++)
        {
            hub.RaiseAlert(n % 2 == 0 ? "DE" : "FR", "A3", Gtin, "B7", "280831", $"X{n / 2}");
        }
        hub.ExpireSessions();
        hub.Faults.UnavailableUntil = default;
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<string>("select concat_ws(' ', s.place, s.error is null, (select count(*) from hub_alert), (select count(*) from hub_alert_case), (select sum(occurrences) from exception where code = 'hub.alert'), (select count(*) from hub_alert_case where cause is null)) from hub_alert_stream s") == "1201 t 1201 601 1201 0", seconds: 120);
        Assert.Equal("not explained 1, not ours 600", await gateway.Database.ScalarAsync<string>("select string_agg(cause || ' ' || n, ', ' order by cause) from (select cause, count(*) as n from hub_alert_case group by cause) c"));
        var page = await officer.GetFromJsonAsync<JsonElement>("api/hub/alerts?limit=200&country=FR", Ct);
        Assert.Equal(200, page.GetProperty("items").GetArrayLength());
        var next = await officer.GetFromJsonAsync<JsonElement>($"api/hub/alerts?limit=200&country=FR&cursor={page.GetProperty("next").GetString()}", Ct);
        Assert.True(next.GetProperty("items")[0].GetProperty("id").GetInt32() < page.GetProperty("items")[199].GetProperty("id").GetInt32());
    }

    [Fact]
    public async Task Alerts_that_a_hub_pushes_are_taken_once_and_from_nobody_else()
    {
        await using var hub = await HubSimulator.StartAsync(new HubSimulatorOptions(), Ct);
        await using var gateway = await ReleasedAsync(hub);
        using var officer = gateway.Client("officer");
        const string Ns = "urn:open-serialization-gateway:hub:1";
        string Alerts(params int[] numbers) => $"""<Alerts xmlns="{Ns}" last="7">{string.Concat(numbers.Select(n => $"""<Alert id="DE-{n}" code="A3" country="DE" at="2026-11-23T10:00:0{n}Z" product="{Gtin}" lot="B7" expiry="280831" sn="S000{n}" user="pharmacy">Not found.</Alert>"""))}</Alerts>""";
        using (var partner = gateway.Client("partner"))
        {
            Assert.Equal(HttpStatusCode.NotFound, await PushAsync(partner, Alerts(1)));
        }
        Assert.Equal(HttpStatusCode.Forbidden, await PushAsync(officer, Alerts(1)));
        using (var administrator = gateway.Client("administrator"))
        {
            Assert.Equal(HttpStatusCode.NotFound, await PushAsync(administrator, Alerts(1))); // who sees the hub is not the hub
        }
        await using (var work = await gateway.Database.Gateway.BeginAsync(Actor.System("test"), Ct))
        {
            var key = await ApiKeys.CreateAsync(work, await gateway.Database.ScalarAsync<int>($"select party_id from party where gln = '{HubGln}'"), "partner", "hub", "gwt");
            await work.CommitAsync();
            using var own = new HttpClient { BaseAddress = gateway.Url };
            own.DefaultRequestHeaders.Authorization = new("Bearer", key);
            foreach (var numbers in (int[][])[[3, 2], [2, 1], [1, 2, 3]])
            {
                Assert.Equal(HttpStatusCode.NoContent, await PushAsync(own, Alerts(numbers)));
            }
            Assert.Equal(HttpStatusCode.BadRequest, await PushAsync(own, Alerts(1)[..90]));
            Assert.Equal(HttpStatusCode.BadRequest, await PushAsync(own, Alerts(1).Replace("code=", "kode=", StringComparison.Ordinal)));
            // What the hub tells is not what it may read or decide.
            using var list = await own.GetAsync("api/hub/alerts", Ct);
            Assert.Equal(HttpStatusCode.Forbidden, list.StatusCode);
        }
        Assert.Equal("3 3", await gateway.Database.ScalarAsync<string>("select concat_ws(' ', (select count(*) from hub_alert), (select count(*) from hub_alert_case))"));

        var found = await CaseAsync(officer, c => c.GetProperty("cause").GetString() is not null);
        var id = found.GetProperty("id").GetInt32();
        foreach (var (body, status) in ((object, HttpStatusCode)[])[(new { state = "closed", reason = "r" }, HttpStatusCode.UnprocessableEntity), (new { state = "closed", closing = "false alert" }, HttpStatusCode.UnprocessableEntity), (new { state = "perhaps", reason = "r" }, HttpStatusCode.UnprocessableEntity),
            (new { state = "investigating", rootCause = "the moon", reason = "r" }, HttpStatusCode.UnprocessableEntity), (new { state = "investigating", reason = "The wholesaler is asked." }, HttpStatusCode.OK), (new { state = "closed", closing = "false alert", rootCause = "uploaded after the alert", reason = "It was a test." }, HttpStatusCode.OK),
            (new { state = "open", reason = "again" }, HttpStatusCode.Conflict)])
        {
            using var decided = await officer.PostAsJsonAsync($"api/hub/alerts/{id}/decide", body, Ct);
            Assert.True(status == decided.StatusCode, $"{JsonSerializer.Serialize(body)}: {await decided.Content.ReadAsStringAsync(Ct)}");
        }
        var story = await officer.GetFromJsonAsync<JsonElement>($"api/hub/alerts/{id}", Ct);
        Assert.Equal(("closed", "uploaded after the alert", "officer"), (Text(story.GetProperty("case"), "state"), Text(story.GetProperty("case"), "rootCause"), Text(story.GetProperty("case"), "decidedBy")));
        Assert.Equal(["decided", "decided", "proposed"], story.GetProperty("steps").EnumerateArray().Select(s => Text(s, "kind")));
        Assert.Equal("DE-1", Text(Assert.Single(story.GetProperty("alerts").EnumerateArray()), "hubAlertId"));
        using var other = await officer.GetAsync("api/hub/alerts/999", Ct);
        Assert.Equal(HttpStatusCode.NotFound, other.StatusCode);
    }

    [Fact]
    public async Task The_simulator_pushes_its_alerts_to_their_own_address()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var admin = gateway.Client("administrator");
        // Set up beforehand, for the simulator must know its key before it starts; nothing is fetched from it here.
        using var added = await admin.PostAsJsonAsync("api/partners", new { gln = HubGln, name = "EU hub", format = "hub", channel = new { kind = "hub", protocol = "emvs", url = "https://localhost:9", clientCertificate = await PemAsync(), authority = (string?)null } }, Ct);
        Assert.True(added.IsSuccessStatusCode, await added.Content.ReadAsStringAsync(Ct));
        await using var work = await gateway.Database.Gateway.BeginAsync(Actor.System("test"), Ct);
        var key = await ApiKeys.CreateAsync(work, await gateway.Database.ScalarAsync<int>($"select party_id from party where gln = '{HubGln}'"), "partner", "hub", "gwt");
        await work.CommitAsync();
        await using var hub = await HubSimulator.StartAsync(new HubSimulatorOptions { Push = new HubPush(gateway.Url, HubGln, key), Faults = new HubFaults { DuplicatesPushes = true } }, Ct);
        hub.RaiseAlert("DE", "A2", Gtin, "B9");
        await Eventually.TrueAsync(() => Task.FromResult(hub.Pushed.Count == 2));
        Assert.All(hub.Pushed, p => Assert.Equal(204, p.Status));
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<string>("select coalesce(string_agg(concat_ws(' ', code, alerts, cause), ','), '') from hub_alert_case") == "A2 1 not ours");
    }

    private static async Task<string> PemAsync()
    {
        await using var other = await HubSimulator.StartAsync(new HubSimulatorOptions(), Ct);
        return other.ClientPem;
    }

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();

    private static async Task<HttpStatusCode> PushAsync(HttpClient client, string alerts)
    {
        using var content = new StringContent(alerts, System.Text.Encoding.UTF8, "application/xml");
        using var answer = await client.PostAsync($"api/hub/{HubGln}/alerts", content, Ct);
        return answer.StatusCode;
    }

    /// <summary>The newest case, once it is as it must be.</summary>
    private static async Task<JsonElement> CaseAsync(HttpClient officer, Func<JsonElement, bool> isWanted)
    {
        JsonElement found = default;
        await Eventually.TrueAsync(async () =>
        {
            var items = (await officer.GetFromJsonAsync<JsonElement>("api/hub/alerts?limit=1", Ct)).GetProperty("items");
            return items.GetArrayLength() == 1 && isWanted(found = items[0]);
        }, seconds: 60);
        return found;
    }

    /// <summary>A gateway of which the lot B7 is in Germany and France.</summary>
    private static async Task<TestGateway> ReleasedAsync(HubSimulator hub)
    {
        var gateway = await TestGateway.StartAsync(("HubAlerts:AskEvery", "00:00:01"));
        using var admin = gateway.Client("administrator");
        using var added = await admin.PostAsJsonAsync("api/partners", new { gln = HubGln, name = "EU hub", format = "hub", channel = new { kind = "hub", protocol = "emvs", url = hub.Url, clientCertificate = hub.ClientPem, authority = hub.AuthorityPem } }, Ct);
        Assert.True(added.IsSuccessStatusCode, await added.Content.ReadAsStringAsync(Ct));
        using var officer = gateway.Client("officer");
        var company = new { id = "C1", name = "Company", street = "Main Street 1", city = "Town", postalCode = "12345", country = "DE" };
        using var told = await officer.PostAsJsonAsync("api/hub/products", new
        {
            reason = "first", product = new { gtin = Gtin, name = "Sample 500 mg", commonName = "Samplum", form = "tablet", strength = "500 mg", packType = "box", packSize = 20, manufacturer = company, markets = ((string[])["DE", "FR"]).Select(c => new { country = c, holder = company }) },
        }, Ct);
        Assert.True(told.IsSuccessStatusCode, await told.Content.ReadAsStringAsync(Ct));
        var epcs = string.Concat(Enumerable.Range(1, 8).Select(n => $"<epc>urn:epc:id:sgtin:9521234.000101.S{n:0000}</epc>"));
        using var captured = await gateway.CaptureAsync(System.Text.Encoding.UTF8.GetBytes($"""
            <?xml version="1.0" encoding="UTF-8"?>
            <epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:1" xmlns:cbvmda="urn:epcglobal:cbv:mda" schemaVersion="1.2" creationDate="2026-09-14T10:00:00Z"><EPCISBody><EventList>
            <ObjectEvent><eventTime>2026-09-14T08:00:00Z</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset><epcList>{epcs}</epcList><action>ADD</action><bizStep>urn:epcglobal:cbv:bizstep:commissioning</bizStep><disposition>urn:epcglobal:cbv:disp:active</disposition><readPoint><id>urn:epc:id:sgln:9521234.00001.PL04</id></readPoint><extension><ilmd><cbvmda:lotNumber>B7</cbvmda:lotNumber><cbvmda:itemExpirationDate>2028-08-31</cbvmda:itemExpirationDate></ilmd></extension></ObjectEvent>
            </EventList></EPCISBody></epcis:EPCISDocument>
            """));
        Assert.Equal(HttpStatusCode.Accepted, captured.StatusCode);
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<bool>("select exists (select from hub_message m where hub_distributed(m.delivery_id) and m.answered_at is not null) and exists (select from capture where state = 'accepted')"));
        using var released = await officer.PostAsJsonAsync($"api/hub/lots/{Gtin}/B7/release", new { reason = "QA has released it." }, Ct);
        Assert.Equal(HttpStatusCode.Accepted, released.StatusCode);
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<bool>("select exists (select from hub_message m where kind = 'pack data' and hub_distributed(m.delivery_id) and m.answered_at is not null)"));
        return gateway;
    }
}
