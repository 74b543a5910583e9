using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.Host.Simulate.Hub;
using Gateway.TestSupport;

namespace Gateway.Journeys.Hub;

using static HubGateway;

/// <summary>EXCHANGES.md S15 and the hub's part of S12: states, undoing them and recalls, against a stand-in whose own log must show no breach of a rule.</summary>
public sealed class OrderJourneys
{
    private const string Elsewhere = "9521234000020";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task S15_Packs_exported_by_mistake_are_active_again_on_day_three_and_stay_exported_on_day_eleven()
    {
        await using var hub = await HubSimulator.StartAsync(new HubSimulatorOptions { MarketAfter = TimeSpan.FromMilliseconds(100) }, Ct);
        await using var gateway = await StartAsync(hub);
        using var officer = gateway.Client("officer");
        await CommissionAsync(gateway, "B7", 20);
        await ProductAsync(gateway, officer, 1, "DE", "FR");
        using (await ReleaseAsync(officer, "B7"))
        {
            await DistributedAsync(officer, "B7");
        }
        string[] five = ["S0001", "S0002", "S0003", "S0004", "S0005"];
        var exported = await ChangeAsync(officer, "Exported", five);
        await DoneAsync(officer, exported);
        Assert.All(five, s => Assert.Equal("Exported", hub.Holding("FR", Gtin, "B7")[s]));

        await LaterAsync(TimeSpan.FromDays(3));
        Assert.Contains("is undone only there", await RefusedAsync(officer, "Exported", five[..2], undo: true, Elsewhere), StringComparison.Ordinal);
        await DoneAsync(officer, await ChangeAsync(officer, "Exported", five[..3], undo: true));
        Assert.Equal(["Active", "Active", "Active", "Exported", "Exported"], five.Select(s => hub.Holding("DE", Gtin, "B7")[s]));
        var order = await officer.GetFromJsonAsync<JsonElement>($"api/hub/orders/{exported}", Ct);
        Assert.Equal(order.GetProperty("confirmedAt").GetDateTime().AddDays(10), order.GetProperty("undoUntil").GetDateTime());

        await LaterAsync(TimeSpan.FromDays(8));
        Assert.Contains("after 10 days it stays", await RefusedAsync(officer, "Exported", five[3..], undo: true), StringComparison.Ordinal);
        Assert.Contains("Destroyed is never undone", await RefusedAsync(officer, "Destroyed", five[..1], undo: true), StringComparison.Ordinal);
        Assert.Equal(["Active", "Active", "Active", "Exported", "Exported"], five.Select(s => hub.Holding("DE", Gtin, "B7")[s]));
        Assert.Empty(hub.Violations);
        Assert.Empty(hub.Alerts);

        async Task LaterAsync(TimeSpan time)
        {
            hub.Advance(time);
            await gateway.Database.AdvanceAsync(time);
        }
    }

    [Fact]
    public async Task What_events_say_of_packs_reaches_every_market_by_itself_and_what_is_final_waits_for_a_signature()
    {
        await using var hub = await HubSimulator.StartAsync(new HubSimulatorOptions(), Ct);
        await using var gateway = await StartAsync(hub);
        using var officer = gateway.Client("officer");
        await CommissionAsync(gateway, "B7", 10);
        await ProductAsync(gateway, officer, 1, "DE", "FR");
        using (await ReleaseAsync(officer, "B7"))
        {
            await DistributedAsync(officer, "B7");
        }
        await ObservedAsync(gateway, "sampling", "S0001");
        await ObservedAsync(gateway, "destroying", "S0002");
        await Eventually.TrueAsync(() => Task.FromResult(hub.Holding("FR", Gtin, "B7")["S0001"] == "Sample" && hub.Holding("DE", Gtin, "B7")["S0001"] == "Sample"));
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from hub_order where status = 'asked' and state = 'Destroyed'") == 1);
        Assert.Equal("Active", hub.Holding("DE", Gtin, "B7")["S0002"]);
        Assert.Equal("hub.waits", await gateway.Database.ScalarAsync<string>("select string_agg(code, ',') from exception where state = 'open'"));
        Assert.Empty(hub.Violations);
    }

    [Fact]
    public async Task Bad_requests_are_refused_with_what_is_wrong_and_leave_nothing()
    {
        await using var hub = await HubSimulator.StartAsync(new HubSimulatorOptions(), Ct);
        await using var gateway = await StartAsync(hub);
        using var officer = gateway.Client("officer");
        await CommissionAsync(gateway, "B7", 3);
        Assert.Contains("is not released", await RefusedAsync(officer, "Exported", ["S0001"]), StringComparison.Ordinal);
        Assert.Contains("The location is a GLN", await RefusedAsync(officer, "Exported", ["S0001"], false, "9521234000014"), StringComparison.Ordinal);
        Assert.Contains("A state is one of Exported", await RefusedAsync(officer, "Gone", ["S0001"]), StringComparison.Ordinal);
        Assert.Contains("No serial number", await RefusedAsync(officer, "Exported", []), StringComparison.Ordinal);
        Assert.Contains("is no serial number", await RefusedAsync(officer, "Exported", [new string('1', 21)]), StringComparison.Ordinal);
        foreach (var (body, status) in ((object, HttpStatusCode)[])[(new { reason = "x" }, HttpStatusCode.UnprocessableEntity), (new { gtin = Gtin }, HttpStatusCode.UnprocessableEntity)])
        {
            using var answer = await officer.PostAsJsonAsync("api/hub/orders", body, Ct);
            Assert.Equal(status, answer.StatusCode);
        }
        using var decline = await officer.PostAsJsonAsync("api/hub/orders/99/decline", new { reason = "x" }, Ct);
        Assert.Equal(HttpStatusCode.NotFound, decline.StatusCode);
        Assert.Equal(0L, await gateway.Database.ScalarAsync<long>("select count(*) from hub_order"));
        Assert.Empty(hub.Received);
    }

    [Fact]
    public async Task A_dry_run_counts_and_a_recall_asked_for_with_a_key_waits_for_two_people()
    {
        await using var hub = await HubSimulator.StartAsync(new HubSimulatorOptions(), Ct);
        await using var gateway = await StartAsync(hub);
        using var officer = gateway.Client("officer");
        await CommissionAsync(gateway, "B7", 12);
        await ProductAsync(gateway, officer, 1, "DE", "FR");
        using (await ReleaseAsync(officer, "B7"))
        {
            await DistributedAsync(officer, "B7");
        }
        using var look = await officer.PostAsJsonAsync($"api/hub/lots/{Gtin}/B7/recall", new { reason = "glass", dryRun = true }, Ct);
        var would = await look.Content.ReadFromJsonAsync<JsonElement>(Ct);
        Assert.Equal((12, 2, 2), (would.GetProperty("units").GetInt32(), would.GetProperty("needs").GetInt32(), would.GetProperty("markets").GetArrayLength()));
        using var untyped = await officer.PostAsJsonAsync($"api/hub/lots/{Gtin}/B7/recall", new { reason = "glass", confirm = "b7" }, Ct);
        Assert.Equal(HttpStatusCode.Conflict, untyped.StatusCode);
        using var asked = await officer.PostAsJsonAsync($"api/hub/lots/{Gtin}/B7/recall", new { reason = "glass", confirm = "B7" }, Ct);
        Assert.Equal(HttpStatusCode.Accepted, asked.StatusCode);
        var listed = await officer.GetFromJsonAsync<JsonElement>("api/hub/orders?open=true", Ct);
        Assert.Equal("recall asked", string.Join(' ', listed.GetProperty("items").EnumerateArray().Select(o => $"{o.GetProperty("kind").GetString()} {o.GetProperty("status").GetString()}")));
        await Task.Delay(300, Ct);
        Assert.DoesNotContain(hub.Received, r => r.Kind == "LotRecall");
    }

    private static async Task<int> ChangeAsync(HttpClient officer, string state, string[] serials, bool undo = false, string place = Place)
    {
        using var answer = await officer.PostAsJsonAsync("api/hub/orders", new { gtin = Gtin, lot = "B7", serials, state, undo, location = place, reason = "a mistake in the system" }, Ct);
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, await answer.Content.ReadAsStringAsync(Ct));
        return (await answer.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty("id").GetInt32();
    }

    private static async Task<string> RefusedAsync(HttpClient officer, string state, string[] serials, bool undo = false, string place = Place)
    {
        using var answer = await officer.PostAsJsonAsync("api/hub/orders", new { gtin = Gtin, lot = "B7", serials, state, undo, location = place, reason = "a mistake in the system" }, Ct);
        Assert.Equal(HttpStatusCode.Conflict, answer.StatusCode);
        return (await answer.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty("detail").GetString()!;
    }

    private static Task DoneAsync(HttpClient officer, int order) => Eventually.TrueAsync(async () => (await officer.GetFromJsonAsync<JsonElement>($"api/hub/orders/{order}", Ct)).GetProperty("status").GetString() == "done");

    private static async Task ObservedAsync(TestGateway gateway, string bizStep, params string[] serials)
    {
        var document = $"""
            <?xml version="1.0" encoding="UTF-8"?>
            <epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:1" schemaVersion="1.2" creationDate="2026-09-15T10:00:00Z"><EPCISBody><EventList>
            <ObjectEvent><eventTime>2026-09-15T08:00:00Z</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset><epcList>{string.Concat(serials.Select(s => $"<epc>urn:epc:id:sgtin:9521234.000101.{s}</epc>"))}</epcList><action>OBSERVE</action><bizStep>urn:epcglobal:cbv:bizstep:{bizStep}</bizStep><readPoint><id>urn:epc:id:sgln:9521234.00001.0</id></readPoint></ObjectEvent>
            </EventList></EPCISBody></epcis:EPCISDocument>
            """;
        using var captured = await gateway.CaptureAsync(System.Text.Encoding.UTF8.GetBytes(document));
        Assert.Equal(HttpStatusCode.Accepted, captured.StatusCode);
    }
}
