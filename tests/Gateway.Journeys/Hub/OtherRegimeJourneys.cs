using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Gateway.Host.Simulate.Hub;
using Gateway.TestSupport;

namespace Gateway.Journeys.Hub;

using static HubGateway;

/// <summary>Issue 9, 7: a repository of another regime is another adapter and nothing else: events instead of serial numbers, an API key instead of certificates, an answer at once instead of later.</summary>
public sealed class OtherRegimeJourneys
{
    private const string Gtin = "09521234001010", Eu = "9521234000907", Gulf = "9521234000914";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_same_packs_are_released_to_two_hubs_and_each_has_its_own_version_lot_and_messages()
    {
        await using var eu = await HubSimulator.StartAsync(new HubSimulatorOptions(), Ct);
        await using var gulf = await EpcisReportSimulator.StartAsync(ct: Ct);
        await using var gateway = await StartAsync(eu);
        await AddAsync(gateway, gulf);
        using var officer = gateway.Client("officer");
        await CommissionAsync(gateway, "B7", 30, heldFrom: 29);

        // Where there are two, the one that is meant is said.
        using (var unnamed = await officer.PostAsJsonAsync($"api/hub/lots/{Gtin}/B7/release", new { reason = "QA has released it." }, Ct))
        {
            Assert.Equal(HttpStatusCode.BadRequest, unnamed.StatusCode);
        }
        await TellAsync(officer, Eu, "DE", "FR");
        await TellAsync(officer, Gulf, "AE");
        // It is told no product data, so its version is known as soon as it is made; and nothing was sent.
        var known = await VersionAsync(officer, Gulf);
        Assert.Equal(("known", true, JsonValueKind.Null), (known.GetProperty("state").GetString(), known.GetProperty("distributed").GetBoolean(), known.GetProperty("delivery").ValueKind));
        Assert.Empty(gulf.Received);
        await Eventually.TrueAsync(async () => (await VersionAsync(officer, Eu)).GetProperty("distributed").GetBoolean());
        await TellAsync(officer, Gulf, "AE", "OM");

        await Task.WhenAll(ReleaseAsync(officer, Eu), ReleaseAsync(officer, Gulf));
        var (there, here) = (await LotAsync(officer, Gulf), await LotAsync(officer, Eu));
        Assert.Equal((2, 28, "AE:28 OM:28"), (there.GetProperty("version").GetInt32(), there.GetProperty("units").GetInt32(), Markets(there)));
        Assert.Equal((1, 28, "DE:28 FR:28"), (here.GetProperty("version").GetInt32(), here.GetProperty("units").GetInt32(), Markets(here)));
        var serials = Enumerable.Range(1, 28).Select(n => $"S{n:0000}").ToList();
        Assert.Equal(serials, gulf.Holding(Gtin, "B7"));
        Assert.Equal(serials, eu.Holding("FR", Gtin, "B7").Keys.Order(StringComparer.Ordinal));
        Assert.Equal("2 2 56", await gateway.Database.ScalarAsync<string>("select concat_ws(' ', (select count(*) from hub_lot), (select count(*) from hub_message where kind = 'pack data'), (select count(*) from hub_pack))"));

        var report = Assert.Single(gulf.Received);
        Assert.Equal((200, 28), (report.Status, report.Count));
        var text = Encoding.UTF8.GetString(report.Bytes);
        Assert.Contains("<epc>urn:epc:id:sgtin:9521234.000101.S0028</epc>", text, StringComparison.Ordinal);
        Assert.Contains("itemExpirationDate>2028-08-31<", text, StringComparison.Ordinal);
        Assert.Contains($"<eventID>urn:uuid:{report.MessageId}</eventID>", text, StringComparison.Ordinal);
        // The answer was the result: nothing is asked for later.
        Assert.Equal("delivered", await gateway.Database.ScalarAsync<string>($"select string_agg(d.state, ',') from delivery d join partner p using (partner_id) join party y on y.party_id = p.party_id where y.gln = '{Gulf}'"));
        Assert.Equal(1, await gateway.Database.ScalarAsync<int>($"select max(attempts) from delivery d join partner p using (partner_id) join party y on y.party_id = p.party_id where y.gln = '{Gulf}'"));
        Assert.Empty(eu.Violations);

        // What it does not tell is not compared.
        using var compared = await officer.PostAsJsonAsync($"api/hub/lots/{Gtin}/B7/reconcile", new { hub = Gulf }, Ct);
        Assert.Equal(HttpStatusCode.Conflict, compared.StatusCode);
    }

    [Fact]
    public async Task Of_what_it_could_not_store_only_that_is_sent_again_and_the_other_hub_has_nothing_to_do_with_it()
    {
        await using var eu = await HubSimulator.StartAsync(new HubSimulatorOptions(), Ct);
        await using var gulf = await EpcisReportSimulator.StartAsync(ct: Ct);
        await using var gateway = await StartAsync(eu);
        await AddAsync(gateway, gulf);
        using var officer = gateway.Client("officer");
        await CommissionAsync(gateway, "B7", 10);
        await TellAsync(officer, Gulf, "AE");
        gulf.Faults.FailPacks(["S0003"], "quota", temporary: true);
        gulf.Faults.FailPacks(["S0004", "S0005"], "no-licence", temporary: false);
        await ReleaseAsync(officer, Gulf);
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from hub_message where answered_at is not null") == 2);
        Assert.Equal([10, 1], gulf.Received.Select(r => r.Count));
        Assert.Equal(8, gulf.Holding(Gtin, "B7").Count);
        // The other hub has all of the lot, which does not settle what is open at this one.
        await TellAsync(officer, Eu, "DE");
        await Eventually.TrueAsync(async () => (await VersionAsync(officer, Eu)).GetProperty("distributed").GetBoolean());
        await ReleaseAsync(officer, Eu);
        Assert.Equal("distributed", (await LotAsync(officer, Eu)).GetProperty("state").GetString());
        Assert.Equal($"open {Gtin} B7 {Gulf} 2", await gateway.Database.ScalarAsync<string>("select string_agg(concat_ws(' ', state, source_id, unit_count), ',') from exception where code = 'hub.packs'"));

        using var again = await officer.PostAsJsonAsync($"api/hub/lots/{Gtin}/B7/resend", new { reason = "The licence is there.", hub = Gulf }, Ct);
        Assert.Equal(HttpStatusCode.Accepted, again.StatusCode);
        Assert.Equal("AE:10", Markets(await LotAsync(officer, Gulf)));
        Assert.Equal([10, 1, 2], gulf.Received.Select(r => r.Count));
        Assert.Equal("resolved", await gateway.Database.ScalarAsync<string>("select string_agg(state, ',') from exception where code = 'hub.packs'"));
    }

    [Fact]
    public async Task A_wrong_key_holds_what_waits_until_it_is_right_and_a_lost_answer_tells_nothing_twice()
    {
        await using var eu = await HubSimulator.StartAsync(new HubSimulatorOptions(), Ct);
        await using var gulf = await EpcisReportSimulator.StartAsync(ct: Ct);
        await using var gateway = await StartAsync(eu);
        var right = gulf.Key;
        await AddAsync(gateway, gulf);
        gulf.Key = "another";
        using var officer = gateway.Client("officer");
        await CommissionAsync(gateway, "B7", 5);
        await TellAsync(officer, Gulf, "AE");
        await ReleaseAsync(officer, Gulf);
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<bool>("select exists (select from breaker where reason = 'credential')"));
        Assert.Equal("due http-401", await gateway.Database.ScalarAsync<string>("select concat_ws(' ', state, code) from delivery where ordering like 'hub % B7'"));
        Assert.DoesNotContain(right, await gateway.Database.ScalarAsync<string>("select coalesce(string_agg(a::text, ' '), '') from attempt a"), StringComparison.Ordinal);

        gulf.Key = right;
        gulf.Faults.LoseAnswers(1);
        await gateway.Database.AdvanceAsync(TimeSpan.FromHours(2));
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<bool>("select exists (select from attempt where verdict = 'network' and ended_at is not null)"));
        await gateway.Database.AdvanceAsync(TimeSpan.FromHours(4));
        Assert.Equal("AE:5", Markets(await LotAsync(officer, Gulf)));
        Assert.Single(gulf.Received.Select(r => r.MessageId).Distinct());
        Assert.Equal([5, 0], gulf.Received.Where(r => r.Status == 200).Select(r => r.Count));
        Assert.Equal(0L, await gateway.Database.ScalarAsync<long>("select count(*) from exception where code = 'hub.packs'"));
    }

    [Fact]
    public async Task The_stand_in_takes_no_document_that_is_none_and_no_pack_twice()
    {
        await using var gulf = await EpcisReportSimulator.StartAsync(ct: Ct);
        using var http = new HttpClient(new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, _, _, _) => true }) { BaseAddress = gulf.Url };
        const string Good = """<?xml version="1.0"?><epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:1" xmlns:m="urn:epcglobal:cbv:mda" schemaVersion="1.2" creationDate="2026-11-23T10:00:00Z"><EPCISBody><EventList><ObjectEvent><eventTime>2026-11-23T10:00:00Z</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset><epcList><epc>urn:epc:id:sgtin:9521234.000101.S1</epc></epcList><action>ADD</action><bizStep>urn:epcglobal:cbv:bizstep:commissioning</bizStep><extension><ilmd><m:lotNumber>B7</m:lotNumber><m:itemExpirationDate>2028-08-31</m:itemExpirationDate></ilmd></extension></ObjectEvent></EventList></EPCISBody></epcis:EPCISDocument>""";
        var id = Guid.NewGuid();
        Assert.Equal("401 ", await PostAsync(Good, id, "wrong"));
        Assert.Equal("400 refused schema", await PostAsync("<x/>", Guid.NewGuid()));
        Assert.Equal("400 refused schema", await PostAsync(Good.Replace("<action>ADD</action>", "", StringComparison.Ordinal), Guid.NewGuid()));
        Assert.Equal("422 refused event", await PostAsync(Good.Replace("commissioning", "packing", StringComparison.Ordinal), Guid.NewGuid()));
        Assert.Equal("422 refused event", await PostAsync(Good.Replace("<m:lotNumber>B7</m:lotNumber>", "", StringComparison.Ordinal), Guid.NewGuid()));
        Assert.Equal("200 accepted", await PostAsync(Good, id));
        Assert.Equal("200 accepted", await PostAsync(Good, id));
        Assert.Equal("409 ", await PostAsync(Good + " ", id));
        Assert.Equal("200 partial known", await PostAsync(Good, Guid.NewGuid()));
        Assert.Equal("200 partial other-lot", await PostAsync(Good.Replace(">B7<", ">B8<", StringComparison.Ordinal), Guid.NewGuid()));
        Assert.Equal(["S1"], gulf.Holding(Gtin, "B7"));

        async Task<string> PostAsync(string document, Guid message, string? key = null)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "events") { Content = new StringContent(document, Encoding.UTF8, "application/xml") };
            request.Headers.Add("X-Api-Key", key ?? gulf.Key);
            request.Headers.Add("Idempotency-Key", message.ToString());
            using var response = await http.SendAsync(request, Ct);
            var text = await response.Content.ReadAsStringAsync(Ct);
            var said = text.Length == 0 ? default : JsonDocument.Parse(text).RootElement;
            return $"{(int)response.StatusCode} " + (text.Length == 0 ? "" : string.Join(' ', new[] { said.GetProperty("status").GetString(), said.TryGetProperty("code", out var code) ? code.GetString() : null, said.TryGetProperty("failed", out var failed) && failed.GetArrayLength() > 0 ? failed[0].GetProperty("code").GetString() : null }.OfType<string>()));
        }
    }

    [Fact]
    public async Task The_command_tells_where_it_listens_and_the_key_that_lets_in_until_it_is_stopped()
    {
        var directory = Directory.CreateTempSubdirectory("gateway-hub-");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var output = new StringWriter();
        var running = Host.Commands.SimulateCommand.RunReportsAsync(0, directory.FullName, output, stop.Token);
        await Eventually.TrueAsync(() => Task.FromResult(running.IsCompleted || output.ToString().Contains("Its API key is ", StringComparison.Ordinal)));
        Assert.Contains("https://localhost:", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("BEGIN CERTIFICATE", await File.ReadAllTextAsync(Path.Combine(directory.FullName, "authority.pem"), Ct), StringComparison.Ordinal);
        await stop.CancelAsync();
        Assert.Equal(0, await running);
        directory.Delete(recursive: true);
    }

    [Theory]
    [InlineData("""{ "kind": "hub", "protocol": "epcis", "url": "https://hub.example" }""", "channel.token is missing")]
    [InlineData("""{ "kind": "hub", "protocol": "epcis", "url": "https://hub.example", "token": "a b" }""", "visible characters")]
    [InlineData("""{ "kind": "hub", "protocol": "epcis", "url": "https://hub.example", "token": "a", "clientCertificate": "x" }""", "channel.clientCertificate is nothing")]
    [InlineData("""{ "kind": "hub", "protocol": "emvs", "url": "https://hub.example", "token": "a" }""", "channel.token is nothing")]
    [InlineData("""{ "kind": "hub", "protocol": "epcis", "url": "http://hub.example", "token": "a" }""", "https")]
    [InlineData("""{ "kind": "hub", "protocol": "epcis", "url": "https://hub.example", "token": "a", "authority": "x" }""", "channel.authority is a certificate")]
    public async Task What_its_channel_cannot_be_is_said(string channel, string wanted)
    {
        await using var gateway = await TestGateway.StartAsync();
        using var admin = gateway.Client("administrator");
        using var refused = await admin.PostAsJsonAsync("api/partners", new { gln = Gulf, name = "Gulf hub", format = "hub", channel = JsonDocument.Parse(channel).RootElement }, Ct);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
        Assert.Contains(wanted, await refused.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
    }

    private static async Task AddAsync(TestGateway gateway, EpcisReportSimulator hub)
    {
        using var admin = gateway.Client("administrator");
        using var added = await admin.PostAsJsonAsync("api/partners", new { gln = Gulf, name = "Gulf hub", format = "hub", channel = new { kind = "hub", protocol = "epcis", url = hub.Url, token = hub.Key, authority = hub.AuthorityPem } }, Ct);
        Assert.True(added.IsSuccessStatusCode, await added.Content.ReadAsStringAsync(Ct));
    }

    private static async Task TellAsync(HttpClient officer, string hub, params string[] countries)
    {
        var company = new { id = "C1", name = "Company", street = "Main Street 1", city = "Town", postalCode = "12345", country = "DE" };
        using var told = await officer.PostAsJsonAsync("api/hub/products", new
        {
            reason = "first", hub, product = new
            {
                gtin = Gtin, name = "Sample 500 mg", commonName = "Samplum", form = "tablet", strength = "500 mg", packType = "box", packSize = 20, manufacturer = company, markets = countries.Select(country => new { country, holder = company }),
            },
        }, Ct);
        Assert.True(told.IsSuccessStatusCode, await told.Content.ReadAsStringAsync(Ct));
    }

    private static async Task<JsonElement> VersionAsync(HttpClient officer, string hub) => (await officer.GetFromJsonAsync<JsonElement>($"api/hub/products?hub={hub}", Ct)).GetProperty("items")[0];

    private static async Task ReleaseAsync(HttpClient officer, string hub)
    {
        using var released = await officer.PostAsJsonAsync($"api/hub/lots/{Gtin}/B7/release", new { reason = "QA has released it.", hub }, Ct);
        Assert.True(released.StatusCode == HttpStatusCode.Accepted, await released.Content.ReadAsStringAsync(Ct));
    }

    private static async Task<JsonElement> LotAsync(HttpClient officer, string hub)
    {
        JsonElement found = default;
        await Eventually.TrueAsync(async () => (found = await officer.GetFromJsonAsync<JsonElement>($"api/hub/lots/{Gtin}/B7?hub={hub}", Ct)).GetProperty("state").GetString() == "distributed");
        return found;
    }

    private static string Markets(JsonElement lot) => string.Join(' ', lot.GetProperty("markets").EnumerateArray().Select(m => $"{m.GetProperty("country").GetString()}:{m.GetProperty("confirmed").GetInt32()}"));
}
