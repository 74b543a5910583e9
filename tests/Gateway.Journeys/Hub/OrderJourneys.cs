using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Epcis.Events;
using Gateway.Access;
using Gateway.Host.Simulate.Hub;
using Gateway.Hub;
using Gateway.Journeys.Access;
using Gateway.Journeys.Composing;
using Gateway.Journeys.Dashboard;
using Gateway.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Journeys.Hub;

using static HubGateway;

/// <summary>EXCHANGES.md S15 and the hub's part of S12: states, undoing them and recalls, against a stand-in whose own log must show no breach of a rule.</summary>
public sealed class OrderJourneys
{
    private const string Elsewhere = "9521234000020";
    private const string Here = "urn:epc:id:sgln:9521234.00001.0", Wholesaler = "urn:epc:id:sgln:9521234.00055.0", Stranger = "urn:epc:id:sgln:9521234.00066.0";
    private static readonly DateTime s_shipped = new(2026, 9, 15, 8, 0, 0, DateTimeKind.Utc);

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
    public async Task S12_A_recall_stops_what_is_still_ours_finds_what_is_not_and_takes_no_new_packs()
    {
        await using var hub = await HubSimulator.StartAsync(new HubSimulatorOptions(), Ct);
        await using var gateway = await StartAsync(hub);
        using var officer = gateway.Client("officer");
        await CommissionAsync(gateway, "B7", 20);
        await CommissionAsync(gateway, "B8", 3, prefix: "T");
        await ProductAsync(gateway, officer, 1, "DE", "FR");
        using (await ReleaseAsync(officer, "B7"))
        {
            await DistributedAsync(officer, "B7");
        }
        // One is on its way to a wholesaler, one to somebody who is no partner, one to nobody that is named; and one the wholesaler has received.
        await gateway.AddPartnerAsync(ShipmentStory.GlnOf(Wholesaler), "well/wholesaler");
        await ObservedAsync(gateway, "shipping", s_shipped, Wholesaler, Here, ["S0001", "S0005"]);
        await ObservedAsync(gateway, "shipping", s_shipped, Stranger, Here, ["S0002"]);
        await ObservedAsync(gateway, "shipping", s_shipped, null, Here, ["S0006"]);
        await ObservedAsync(gateway, "receiving", s_shipped.AddHours(1), null, Wholesaler, ["S0005"]);
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from unit where state = 11") == 3);
        var people = await PeopleAsync(gateway, "anna", "ben");
        var orders = gateway.Services.GetRequiredService<PlaceOrders>();
        var at = (await gateway.Services.GetRequiredService<Hubs>().OneAsync(people["anna"].Actor, null, Ct))!;
        var placed = await orders.RecallAsync(people["anna"].Actor, at, Gtin, "B7", null, "B7", "glass in the bottle", false, Ct);
        Assert.Equal((null, 20, 1), (placed.Refusal, placed.Units, placed.Needs));
        Assert.Equal("You made or changed this record, so somebody else must sign it.", await SignAsync(gateway, people["anna"], "anna", placed.Order!.Value));
        Assert.Null(await SignAsync(gateway, people["ben"], "ben", placed.Order.Value));
        await DoneAsync(officer, placed.Order.Value);
        Assert.Equal(["DE", "FR"], hub.Lots.Single(l => l.Lot == "B7").RecalledIn);

        // What is still ours is held, and whatever anybody else has, should it come back; and a shipment of it is not taken as done; of the other lot it is.
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from unit where holds = 'recalled'") == 20);
        Assert.Equal("S0001 S0020 20", await gateway.Database.ScalarAsync<string>("select concat_ws(' ', substr(min(key), 19), substr(max(key), 19), count(*)) from unit where holds is not null"));

        // The wholesaler is told of his packs, and of no others; for the others a person is.
        var notices = await Eventually.AsAsync(async () => (await officer.GetFromJsonAsync<JsonElement>($"api/hub/orders/{placed.Order}/notices", Ct)).GetProperty("items") is var items && items.GetArrayLength() == 3
            && items[0].GetProperty("deliveries").EnumerateArray().Any(d => d.GetProperty("state").GetString() == "delivered") ? items : default(JsonElement?));
        Assert.Equal([(ShipmentStory.GlnOf(Wholesaler), 2, null), (ShipmentStory.GlnOf(Stranger), 1, "no partner"), (null, 1, "unknown")],
            notices.EnumerateArray().Select(n => (n.GetProperty("gln").GetString(), n.GetProperty("units").GetInt32(), n.GetProperty("untold").GetString())).OrderBy(n => n.Item3, StringComparer.Ordinal));
        var told = new ComposedDocument(await gateway.Database.ScalarAsync<byte[]>("select bytes from delivery join document_chunk using (document_id) where compose_kind = 'evidence' and state = 'delivered'"));
        var notice = (ObjectEvent)Assert.Single(told.Events);
        Assert.EndsWith(":recalled", notice.Disposition, StringComparison.Ordinal);
        Assert.Equal(["urn:epc:id:sgtin:9521234.000101.S0001", "urn:epc:id:sgtin:9521234.000101.S0005"], notice.EpcList.Order());
        Assert.DoesNotContain(notice.Extensions, x => x.Namespace.Contains("line", StringComparison.Ordinal)); // the order's number is our own business
        Assert.Equal("hub.holders", await gateway.Database.ScalarAsync<string>("select string_agg(code, ',') from exception where state = 'open' and code like 'hub.%'"));
        Assert.Contains($"1 with {ShipmentStory.GlnOf(Stranger)}, 1 with nobody that is named", await gateway.Database.ScalarAsync<string>("select message from exception where code = 'hub.holders'"), StringComparison.Ordinal);

        await ObservedAsync(gateway, "shipping", DateTime.UtcNow, "S0003", "T0001");
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<string>("select coalesce(string_agg(distinct code, ','), '') from finding where code like 'unit.%'") == "unit.held");
        // Who has it is found unit by unit.
        using var scope = await officer.PostAsJsonAsync("api/recalls/scope", new { gtin = Gtin, lot = "B7" }, Ct);
        var found = await scope.Content.ReadFromJsonAsync<JsonElement>(Ct);
        Assert.Equal(20, found.GetProperty("units").GetInt32());
        Assert.Equal(20, found.GetProperty("holders").EnumerateArray().Sum(h => h.GetProperty("units").GetInt32()));

        // What the wholesaler sends back is on its way back, though it is held.
        await ObservedAsync(gateway, "shipping", DateTime.UtcNow, null, Wholesaler, ["S0005"], "returned");
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<short>("select state from unit where key like '%S0005'") == 11);

        // Nothing new comes into the lot, and nothing of its packs is told any more.
        using var more = await gateway.Client("cmo").PostAsync("capture", Commissioning("B7", 2, "N"), Ct);
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<string>("select state from capture order by capture_id desc limit 1") == "refused");
        Assert.Equal("lot.recalled", await gateway.Database.ScalarAsync<string>("select string_agg(distinct code, ',') from finding where severity = 'error'"));
        await ObservedAsync(gateway, "sampling", DateTime.UtcNow, "S0004");
        Assert.Contains("nothing is told of its packs any more", await RefusedAsync(officer, "Locked", ["S0005"]), StringComparison.Ordinal);
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from hub_news where heard_at is null") == 0);
        Assert.DoesNotContain(hub.Received, r => r.Kind == "StateChange");
        Assert.Single(hub.Received, r => r.Kind == "LotRecall");
        Assert.Empty(hub.Violations);
    }

    private static async Task<Dictionary<string, (Actor Actor, long Session)>> PeopleAsync(TestGateway gateway, params string[] names)
    {
        var people = new Dictionary<string, (Actor, long)>();
        foreach (var name in names)
        {
            await PeopleJourneys.AddAsync(gateway, name, "officer");
            await new People(gateway.Database.Gateway).VerifyIdentityAsync(Actor.System("test"), name, "identity card", Ct);
            var secret = (await gateway.Services.GetRequiredService<SignInPerson>().TryAsync(name, SigningPagesTests.Good, null, "192.0.2.1", Ct)).Secret;
            var holder = (await gateway.Services.GetRequiredService<Sessions>().FindAsync(secret!, Ct))!;
            people[name] = (holder.ToPrincipal("test").ToActor("dashboard"), holder.SessionId!.Value);
        }
        return people;
    }

    private static async Task<string?> SignAsync(TestGateway gateway, (Actor Actor, long Session) who, string name, int order)
    {
        var (signing, orders) = (gateway.Services.GetRequiredService<Signing>(), gateway.Services.GetRequiredService<PlaceOrders>());
        var begun = await signing.BeginAsync(who.Actor, who.Session, (await orders.RecordAsync(who.Actor, order, Ct))!, PlaceOrders.Meaning, Ct);
        return begun.Nonce is { } nonce ? (await signing.SignAsync(who.Actor, who.Session, nonce, new SigningSecret(name, SigningPagesTests.Good, null, 1), orders.SignedAsync, Ct)).Refusal : begun.Refusal;
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

    private static Task ObservedAsync(TestGateway gateway, string bizStep, params string[] serials) => ObservedAsync(gateway, bizStep, s_shipped, serials);

    private static Task ObservedAsync(TestGateway gateway, string bizStep, DateTime at, params string[] serials) => ObservedAsync(gateway, bizStep, at, null, Here, serials);

    private static async Task ObservedAsync(TestGateway gateway, string bizStep, DateTime at, string? destination, string place, string[] serials, string? disposition = null)
    {
        var to = destination is null ? "" : $"""<extension><destinationList><destination type="urn:epcglobal:cbv:sdt:location">{destination}</destination></destinationList></extension>""";
        var document = $"""
            <?xml version="1.0" encoding="UTF-8"?>
            <epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:1" schemaVersion="1.2" creationDate="2026-09-15T10:00:00Z"><EPCISBody><EventList>
            <ObjectEvent><eventTime>{at:yyyy-MM-ddTHH:mm:ss.fffZ}</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset><epcList>{string.Concat(serials.Select(s => $"<epc>urn:epc:id:sgtin:9521234.000101.{s}</epc>"))}</epcList><action>OBSERVE</action><bizStep>urn:epcglobal:cbv:bizstep:{bizStep}</bizStep>{(disposition is null ? "" : $"<disposition>urn:epcglobal:cbv:disp:{disposition}</disposition>")}<readPoint><id>{place}</id></readPoint>{(bizStep == "receiving" ? $"<bizLocation><id>{place}</id></bizLocation>" : "")}{to}</ObjectEvent>
            </EventList></EPCISBody></epcis:EPCISDocument>
            """;
        using var captured = await gateway.CaptureAsync(System.Text.Encoding.UTF8.GetBytes(document));
        Assert.Equal(HttpStatusCode.Accepted, captured.StatusCode);
    }
}
