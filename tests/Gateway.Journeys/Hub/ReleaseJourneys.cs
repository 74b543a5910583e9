using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.Access;
using Gateway.Host.Simulate.Hub;
using Gateway.TestSupport;

namespace Gateway.Journeys.Hub;

using static HubGateway;

/// <summary>EXCHANGES.md S6: QA releases a lot, and every market of its product holds its good packs. The hub is a stand-in on a real socket with mutual TLS, whose own log must show no breach of a rule.</summary>
public sealed class ReleaseJourneys
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task S6_Good_packs_of_a_released_lot_are_in_every_market_and_nothing_else_is()
    {
        await using var hub = await HubSimulator.StartAsync(new HubSimulatorOptions { MarketAfter = TimeSpan.FromMilliseconds(200) }, Ct);
        await using var gateway = await StartAsync(hub);
        using var officer = gateway.Client("officer");
        await CommissionAsync(gateway, "B7", 40, heldFrom: 39);

        // Nothing goes before its product is there.
        using (var early = await ReleaseAsync(officer, "B7"))
        {
            Assert.Equal(HttpStatusCode.Conflict, early.StatusCode);
            Assert.Contains("tell its data first", await early.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        }
        await ProductAsync(gateway, officer, 1, "DE", "FR");

        var look = await officer.GetFromJsonAsync<JsonElement>($"api/hub/lots/{Gtin}/B7/release", Ct);
        Assert.Equal((38, 2), (look.GetProperty("units").GetInt32(), look.GetProperty("leftOut").GetProperty("held").GetInt32()));
        Assert.Empty(hub.Lots);
        using (var released = await ReleaseAsync(officer, "B7"))
        {
            Assert.Equal(HttpStatusCode.Accepted, released.StatusCode);
        }
        var lot = await DistributedAsync(officer, "B7");
        Assert.Equal((1, 38), (lot.GetProperty("version").GetInt32(), lot.GetProperty("units").GetInt32()));
        foreach (var country in (string[])["DE", "FR"])
        {
            var held = hub.Holding(country, Gtin, "B7");
            Assert.Equal(Enumerable.Range(1, 38).Select(n => $"S{n:0000}"), held.Keys.Order(StringComparer.Ordinal));
            Assert.All(held.Values, state => Assert.Equal("Active", state));
            Assert.Equal(38, lot.GetProperty("markets").EnumerateArray().Single(m => m.GetProperty("country").GetString() == country).GetProperty("confirmed").GetInt32());
        }
        var unreported = await officer.GetFromJsonAsync<JsonElement>($"api/hub/lots/{Gtin}/B7/unreported?country=FR", Ct);
        Assert.Equal(["S0039 held", "S0040 held"], unreported.GetProperty("items").EnumerateArray().Select(u => $"{u.GetProperty("serial").GetString()} {u.GetProperty("why").GetString()}"));
        Assert.Empty(hub.Violations);
        // What was sent, and what was answered, is kept as it was.
        Assert.Equal(2L, await gateway.Database.ScalarAsync<long>("select count(*) from hub_message m join document d on d.document_id = m.answer_id"));
        Assert.Equal("delivered received", await gateway.Database.ScalarAsync<string>("select string_agg(distinct state || ' ' || receipt, ',') from delivery"));
    }

    [Fact]
    public async Task S6_Of_what_the_hub_could_not_store_only_that_is_sent_again()
    {
        await using var hub = await HubSimulator.StartAsync(new HubSimulatorOptions(), Ct);
        await using var gateway = await StartAsync(hub);
        using var officer = gateway.Client("officer");
        await CommissionAsync(gateway, "B7", 20);
        await ProductAsync(gateway, officer, 1, "DE", "FR");
        hub.Faults.FailPacks(["S0003", "S0004"], "T1", temporary: true);
        hub.Faults.FailPacks(["S0005"], "A16", temporary: false);
        using var released = await ReleaseAsync(officer, "B7");
        // What is temporary has gone again by itself; the rest waits for a person, who is told.
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from hub_message where kind = 'pack data' and answered_at is not null") == 2);
        Assert.Equal(19, hub.Holding("FR", Gtin, "B7").Count);
        Assert.Equal($"hub.packs {Gtin} B7 open", await gateway.Database.ScalarAsync<string>("select string_agg(concat_ws(' ', code, gtin, lot, state), ',') from exception"));
        Assert.Equal([20, 2], hub.Received.Where(r => r.Kind == "PackData").Select(r => r.Count));

        using var again = await officer.PostAsJsonAsync($"api/hub/lots/{Gtin}/B7/resend", new { reason = "The hub takes it now." }, Ct);
        Assert.Equal(HttpStatusCode.Accepted, again.StatusCode);
        await DistributedAsync(officer, "B7");
        Assert.Equal([20, 2, 1], hub.Received.Where(r => r.Kind == "PackData").Select(r => r.Count));
        Assert.Equal(20, hub.Holding("DE", Gtin, "B7").Count);
        Assert.Equal("resolved", await gateway.Database.ScalarAsync<string>("select string_agg(state, ',') from exception where code = 'hub.packs'"));
        Assert.Empty(hub.Violations);
    }

    [Fact]
    public async Task S6_What_is_lost_late_doubled_or_expired_on_the_way_changes_nothing_in_the_end()
    {
        await using var hub = await HubSimulator.StartAsync(new HubSimulatorOptions { MarketAfter = TimeSpan.FromMilliseconds(100) }, Ct);
        await using var gateway = await StartAsync(hub);
        using var officer = gateway.Client("officer");
        await CommissionAsync(gateway, "B7", 30);
        await ProductAsync(gateway, officer, 1, "DE", "FR", "AT");
        hub.Faults.LoseAnswers(2);
        hub.ExpireSessions();
        hub.Faults.ShufflesResults = true;
        using var released = await ReleaseAsync(officer, "B7");
        await DistributedAsync(officer, "B7");
        // The same message, taken twice and answered never: to the hub it is one.
        Assert.True(await gateway.Database.ScalarAsync<int>("select max(attempts) from delivery") > 1);
        Assert.Single(hub.Received.Where(r => r.Kind == "PackData").Select(r => r.CorrelationId).Distinct());
        Assert.Equal(30, hub.Holding("AT", Gtin, "B7").Count);
        Assert.Empty(hub.Violations);
    }

    [Fact]
    public async Task A_hub_that_is_away_for_a_day_is_told_everything_once_when_it_is_back_and_somebody_knew()
    {
        await using var hub = await HubSimulator.StartAsync(new HubSimulatorOptions(), Ct);
        await using var gateway = await StartAsync(hub);
        using var officer = gateway.Client("officer");
        await CommissionAsync(gateway, "B7", 30);
        await CommissionAsync(gateway, "B8", 5, prefix: "T");
        await ProductAsync(gateway, officer, 1, "DE", "FR");
        using (await ReleaseAsync(officer, "B7"))
        {
            await DistributedAsync(officer, "B7");
        }
        hub.Faults.UnavailableUntil = hub.Now + TimeSpan.FromHours(24);
        using var released = await ReleaseAsync(officer, "B8");
        Assert.Equal(HttpStatusCode.Accepted, released.StatusCode);
        using var locked = await officer.PostAsJsonAsync("api/hub/orders", new { gtin = Gtin, lot = "B7", serials = new[] { "S0001" }, state = "Locked", location = Place, reason = "a complaint" }, Ct);
        Assert.True(locked.IsSuccessStatusCode, await locked.Content.ReadAsStringAsync(Ct));
        for (var hour = 0; hour < 25; hour++)
        {
            await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<bool>("select coalesce((select opened > 0 and open_until > gateway_now() from breaker), false) or not exists (select from delivery where state = 'due')"));
            if (hour == 12)
            {
                await Eventually.TrueAsync(async () => (await officer.GetFromJsonAsync<JsonElement>("api/alarms", Ct)).GetProperty("items").EnumerateArray().Any(a => a.GetProperty("sentence").GetString()!.StartsWith("2 documents for EU hub are late", StringComparison.Ordinal)), seconds: 90);
            }
            hub.Advance(TimeSpan.FromHours(1));
            await gateway.Database.AdvanceAsync(TimeSpan.FromHours(1));
        }
        await DistributedAsync(officer, "B8");
        await Eventually.TrueAsync(() => Task.FromResult(hub.Holding("FR", Gtin, "B7")["S0001"] == "Locked"));
        Assert.Equal(5, hub.Holding("FR", Gtin, "B8").Count);
        Assert.Equal(2, hub.Received.Count(r => r.Kind == "PackData"));
        Assert.Single(hub.Received, r => r.Kind == "StateChange");
        Assert.Empty(hub.Violations);
    }

    [Fact]
    public async Task When_certificates_are_rolled_the_new_one_is_shown_and_nothing_is_lost()
    {
        await using var hub = await HubSimulator.StartAsync(new HubSimulatorOptions(), Ct);
        await using var gateway = await StartAsync(hub);
        using var officer = gateway.Client("officer");
        await CommissionAsync(gateway, "B7", 30);
        await ProductAsync(gateway, officer, 1, "DE", "FR");
        hub.Roll(); // at once: the hub shows another certificate and lets the old one in no more
        using (await ReleaseAsync(officer, "B7"))
        {
            await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<int>("select count(*)::int from delivery d join hub_message m using (delivery_id) where m.kind = 'pack data' and d.code is not null") > 0);
        }
        Assert.Equal("due", await gateway.Database.ScalarAsync<string>("select d.state from delivery d join hub_message m using (delivery_id) where kind = 'pack data'"));
        Assert.Empty(hub.Lots);
        using var admin = gateway.Client("administrator");
        using var renewed = await admin.PutAsJsonAsync($"api/partners/{HubGln}/channel", new { version = 1, channel = new { kind = "hub", protocol = "emvs", url = hub.Url, clientCertificate = hub.ClientPem, authority = hub.AuthorityPem }, reason = "the hub's new certificate" }, Ct);
        Assert.True(renewed.IsSuccessStatusCode, await renewed.Content.ReadAsStringAsync(Ct));
        await gateway.Database.AdvanceAsync(TimeSpan.FromHours(1));
        await DistributedAsync(officer, "B7");
        Assert.Equal(30, hub.Holding("DE", Gtin, "B7").Count);
        Assert.Single(hub.Received, r => r.Kind == "PackData");
        Assert.Empty(hub.Violations);
    }

    [Fact]
    public async Task A_hub_that_pushes_is_heard_and_nobody_else_speaks_for_it()
    {
        await using var hub = await HubSimulator.StartAsync(new HubSimulatorOptions(), Ct);
        await using var gateway = await StartAsync(hub);
        using var officer = gateway.Client("officer");
        await ProductAsync(gateway, officer, 1, "DE");
        var message = await gateway.Database.ScalarAsync<Guid>("select correlation_id from hub_message");
        const string Ns = "urn:open-serialization-gateway:hub:1";
        string Result(Guid of) => $"""<Result xmlns="{Ns}" correlationId="{of}" timestamp="2026-11-23T10:00:00Z" status="accepted"><Market country="DE" state="distributed" at="2026-11-23T10:00:00Z"/></Result>""";
        // A partner of ours that is no hub, and whoever has no such right.
        using (var partner = gateway.Client("partner"))
        {
            Assert.Equal(HttpStatusCode.NotFound, await AnswerAsync(partner, Result(message)));
        }
        Assert.Equal(HttpStatusCode.Forbidden, await AnswerAsync(officer, Result(message)));
        using var own = await HubsOwnAsync(gateway);
        Assert.Equal(HttpStatusCode.NoContent, await AnswerAsync(own, Result(message)));
        Assert.Equal(HttpStatusCode.NotFound, await AnswerAsync(own, Result(Guid.NewGuid())));
        Assert.Equal(HttpStatusCode.BadRequest, await AnswerAsync(own, Result(message)[..80]));
        Assert.Equal(HttpStatusCode.BadRequest, await AnswerAsync(own, "<!DOCTYPE r [<!ENTITY e 'x'>]>" + Result(message)));
        Assert.Equal(HttpStatusCode.BadRequest, await AnswerAsync(own, Result(message).Replace("accepted", "perhaps", StringComparison.Ordinal)));
    }

    private static async Task<HttpStatusCode> AnswerAsync(HttpClient client, string answer)
    {
        using var content = new StringContent(answer, System.Text.Encoding.UTF8, "application/xml");
        using var response = await client.PostAsync($"api/hub/{HubGln}/answers", content, Ct);
        return response.StatusCode;
    }

    private static async Task<HttpClient> HubsOwnAsync(TestGateway gateway)
    {
        await using var work = await gateway.Database.Gateway.BeginAsync(Actor.System("test"), Ct);
        var key = await ApiKeys.CreateAsync(work, await gateway.Database.ScalarAsync<int>($"select party_id from party where gln = '{HubGln}'"), "partner", "hub", "gwt");
        await work.CommitAsync();
        var client = new HttpClient { BaseAddress = gateway.Url };
        client.DefaultRequestHeaders.Authorization = new("Bearer", key);
        return client;
    }
}
