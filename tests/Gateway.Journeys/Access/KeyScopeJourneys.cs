using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.Access;
using Gateway.Host;
using Gateway.Host.Simulate;
using Gateway.Journeys.Dashboard;
using Gateway.TestSupport;
using Microsoft.Playwright;

namespace Gateway.Journeys.Access;

/// <summary>A key that is bound to what its holder may send, from its making to a document with somebody else's goods.</summary>
[Requirement("P11-26")]
public sealed class KeyScopeJourneys
{
    private const string Site = "9521234000105";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly SimulatedParty Shipper = SimulatedParty.AtOneAddress(Site, 7, "Shipper");
    private static readonly SimulatedParty Buyer = SimulatedParty.AtOneAddress("9521234000204", 7, "Buyer");

    [Fact]
    public async Task A_bound_key_sends_its_own_goods_and_another_owners_are_refused_kept_and_delivered_to_nobody()
    {
        await using var gateway = await TestGateway.StartAsync();
        await gateway.AddPartnerAsync(Buyer.Owner.Gln, "well/one");
        using var admin = gateway.Client("administrator");
        var first = await ShownAsync(await admin.PostAsJsonAsync("api/keys", new { role = "cmo", name = "Line 3", party = "A CMO", prefixes = (string[])["9521234"], sites = (string[])[Site] }, Ct));
        var listed = (await admin.GetFromJsonAsync<JsonElement>("api/keys?limit=200", Ct)).GetProperty("items").EnumerateArray().Single(k => k.GetProperty("id").GetString() == first[4..20]);
        Assert.Equal(("9521234", Site), (listed.GetProperty("prefixes")[0].GetString(), listed.GetProperty("sites")[0].GetString()));
        // Its rotation keeps what it is bound to.
        using var cmo = Client(gateway, await ShownAsync(await admin.PostAsJsonAsync($"api/keys/{first[4..20]}/rotate", new { reason = "yearly" }, Ct)));

        Assert.Equal("accepted", await StateAsync(cmo, await CaptureAsync(gateway, cmo, Shipment(1, SimulatedProduct.Default))));
        Assert.Equal(1L, await gateway.Database.ScalarAsync<long>("select count(*) from delivery"));

        var stored = await gateway.Database.ScalarAsync<long>("select count(*) from event");
        var document = Shipment(2, SimulatedProduct.Default with { CompanyPrefix = "9526543" });
        var foreign = await CaptureAsync(gateway, cmo, document);
        Assert.Equal("refused", await StateAsync(cmo, foreign));
        Assert.Equal(document, await cmo.GetByteArrayAsync($"api/captures/{foreign}/source", Ct));
        using var officer = gateway.Client("officer");
        var exception = Assert.Single((await officer.GetFromJsonAsync<JsonElement>("api/exceptions?code=GW-CAP-17", Ct)).GetProperty("items").EnumerateArray());
        Assert.Equal(("open", foreign), (exception.GetProperty("state").GetString(), exception.GetProperty("source").GetProperty("id").GetString()));
        Assert.Equal((1L, stored), (await gateway.Database.ScalarAsync<long>("select count(*) from delivery"), await gateway.Database.ScalarAsync<long>("select count(*) from event")));

        // A browser that signed in with the key is bound as the key is.
        using var browser = await FormClient.SignInAsync(gateway.Url, first);
        using var uploaded = await browser.PostAsync("captures/upload", ("a.xml", Shipment(3, SimulatedProduct.Default with { CompanyPrefix = "9526543" })));
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from exception where code = 'GW-CAP-17'") == 2);
        Assert.Equal("accepted,refused,refused", await gateway.Database.ScalarAsync<string>("select string_agg(state, ',' order by capture_id) from capture"));
    }

    [Fact]
    public async Task Over_http_and_on_the_command_line_a_key_is_bound_to_prefixes_and_glns_only()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var admin = gateway.Client("administrator");
        using var wrong = await admin.PostAsJsonAsync("api/keys", new { role = "operator", name = "Line 3", sites = (string[])["9521234000106"] }, Ct);
        Assert.Equal((HttpStatusCode.UnprocessableEntity, true), (wrong.StatusCode, (await wrong.Content.ReadAsStringAsync(Ct)).Contains("sites: ", StringComparison.Ordinal)));

        var (exit, said, _) = await gateway.VerbAsync("key", "add", "--role", "operator", "--name", "Line 4", "--prefix", "9521234", "--prefix", "4012345", "--site", Site);
        Assert.Equal(0, exit);
        Assert.Contains($"{said.Trim()[4..20]}  active   operator       Line 4, The organisation  expires never  last used never  prefixes 4012345 9521234  sites {Site}", (await gateway.VerbAsync("key", "list")).Said, StringComparison.Ordinal);
        (exit, _, var refused) = await gateway.VerbAsync("key", "add", "--role", "operator", "--name", "Line 4", "--prefix", "952-1234");
        Assert.Equal(2, exit);
        Assert.Contains("'952-1234' is no GS1 company prefix", refused, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_page_makes_a_bound_key_and_shows_what_it_may_send()
    {
        await using var gateway = await TestGateway.StartAsync();
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "administrator");
        var page = browser.Page;
        await browser.GoAsync("settings/keys");
        await page.FillAsync("#name", "Line 3");
        await page.FillAsync("#prefixes", "9521234, 401");
        await page.FillAsync("#sites", Site);
        var add = page.GetByRole(AriaRole.Button, new() { Name = "Add", Exact = true });
        await add.ClickAsync();
        await page.GetByText("'401' is no GS1 company prefix").WaitForAsync();
        await page.FillAsync("#prefixes", "9521234\n4012345");
        await add.ClickAsync();
        await page.Locator("#secret").WaitForAsync();
        await page.GetByText($"of 4012345, 9521234 at {Site}").WaitForAsync();
        await browser.AxeAsync("keys-bound");
        browser.NothingWentWrong();
    }

    [Fact]
    public async Task The_demonstrations_manufacturer_sends_what_its_key_may_and_once_something_foreign()
    {
        await using var gateway = await TestGateway.StartAsync();
        string key;
        await using (var work = await gateway.Database.Gateway.BeginAsync(Actor.System("test"), Ct))
        {
            key = await ApiKeys.CreateAsync(work, await Parties.EnsureAsync(work, "cmo", "Demonstration CMO One", null), "cmo", "cmo", "gwt", scope: DemonstrationPlant.CmoScope);
            await work.CommitAsync();
        }
        using var http = new HttpClient();
        var simulator = new CmoSimulator(http, new CmoSimulatorOptions(gateway.Url, key, DemonstrationPlant.Seed, DemonstrationCast.Shippers[0]) { Partners = [.. DemonstrationCast.Partners.Select(p => p.Party)] }, TimeProvider.System);
        Assert.Equal(HttpStatusCode.Accepted, await simulator.SendAsync(1, Ct));
        var plant = new DemonstrationPlant(gateway.Database.Gateway, gateway.Url, gateway.Keys["administrator"], key);
        await plant.SendForeignAsync(Ct);
        await plant.SendForeignAsync(Ct); // as the next start does
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from capture where state = 'processing'") == 0);
        Assert.Equal("accepted,refused", await gateway.Database.ScalarAsync<string>("select string_agg(state, ',' order by capture_id) from capture"));
        Assert.Equal("GW-CAP-17", await gateway.Database.ScalarAsync<string>("select string_agg(code, ',') from exception"));
    }

    private static byte[] Shipment(int sequence, SimulatedProduct product) =>
        new ShipmentGenerator(7).Xml(new ShipmentPlan(sequence, Shipper, Buyer, new DateTimeOffset(2026, 3, 1, 10, 0, 0, TimeSpan.Zero), "LOT1", new DateOnly(2028, 1, 31)) { Product = product });

    private static HttpClient Client(TestGateway gateway, string key)
    {
        var client = new HttpClient { BaseAddress = gateway.Url };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    private static async Task<string> ShownAsync(HttpResponseMessage answer)
    {
        using (answer)
        {
            Assert.True(answer.StatusCode == HttpStatusCode.Created, await answer.Content.ReadAsStringAsync(Ct));
            return (await answer.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty("key").GetString()!;
        }
    }

    private static async Task<string> CaptureAsync(TestGateway gateway, HttpClient client, byte[] document)
    {
        using var content = new ByteArrayContent(document);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/xml");
        using var answer = await client.PostAsync("capture", content, Ct);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        await gateway.JobAsync(answer.Headers.Location!);
        return answer.Headers.Location!.ToString().Split('/')[^1];
    }

    private static async Task<string?> StateAsync(HttpClient client, string capture) =>
        (await client.GetFromJsonAsync<JsonElement>($"api/captures/{capture}", Ct)).GetProperty("state").GetString();
}
