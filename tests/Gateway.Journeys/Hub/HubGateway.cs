using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.Host.Simulate.Hub;
using Gateway.TestSupport;

namespace Gateway.Journeys.Hub;

/// <summary>A gateway that reports to a stand-in hub, and what is told of its one product.</summary>
internal static class HubGateway
{
    public const string Gtin = "09521234001010", HubGln = "9521234000907", Place = "9521234000013";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<TestGateway> StartAsync(HubSimulator hub, params (string Name, string Value)[] settings)
    {
        var gateway = await TestGateway.StartAsync(settings.ToDictionary(s => s.Name, s => (string?)s.Value));
        using var admin = gateway.Client("administrator");
        using var added = await admin.PostAsJsonAsync("api/partners", HubPartner(hub), Ct);
        Assert.True(added.IsSuccessStatusCode, await added.Content.ReadAsStringAsync(Ct));
        return gateway;
    }

    /// <summary>The hub as <c>POST /api/partners</c> takes it.</summary>
    public static object HubPartner(HubSimulator hub) => new { gln = HubGln, name = "EU hub", format = "hub", channel = new { kind = "hub", protocol = "emvs", url = hub.Url, clientCertificate = hub.ClientPem, authority = hub.AuthorityPem } };

    /// <summary>The product's data as <c>POST /api/hub/products</c> takes them.</summary>
    public static object ProductOf(params string[] countries)
    {
        object Company(string id) => new { id, name = $"Company {id}", street = "Main Street 1", city = "Town", postalCode = "12345", country = "DE" };
        return new
        {
            reason = "first", product = new
            {
                gtin = Gtin, name = "Sample 500 mg", commonName = "Samplum", form = "tablet", strength = "500 mg", packType = "box", packSize = 20, atc = new[] { "N02BE01" }, manufacturer = Company("M1"),
                markets = countries.Select(c => new { country = c, nationalCode = $"{c}-1", holder = Company("H1"), wholesalers = new[] { Company("W1") } }),
            },
        };
    }

    public static async Task ProductAsync(TestGateway gateway, HttpClient officer, int version, params string[] countries)
    {
        using var told = await officer.PostAsJsonAsync("api/hub/products", ProductOf(countries), Ct);
        Assert.True(told.IsSuccessStatusCode, await told.Content.ReadAsStringAsync(Ct));
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<bool>($"select exists (select from hub_product p join hub_message m using (hub_product_id) where version = {version} and hub_distributed(m.delivery_id) and m.answered_at is not null)"));
    }

    public static Task<HttpResponseMessage> ReleaseAsync(HttpClient client, string lot) => client.PostAsJsonAsync($"api/hub/lots/{Gtin}/{lot}/release", new { reason = "QA has released it." }, Ct);

    public static async Task<JsonElement> DistributedAsync(HttpClient officer, string lot)
    {
        JsonElement found = default;
        await Eventually.TrueAsync(async () => (found = await officer.GetFromJsonAsync<JsonElement>($"api/hub/lots/{Gtin}/{lot}", Ct)).GetProperty("state").GetString() == "distributed");
        return found;
    }

    public static async Task CommissionAsync(TestGateway gateway, string lot, int packs, int? heldFrom = null, string prefix = "S")
    {
        using var captured = await gateway.CaptureAsync(Document(lot, packs, prefix, heldFrom));
        Assert.Equal(HttpStatusCode.Accepted, captured.StatusCode);
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<string>("select state from capture order by capture_id desc limit 1") == "accepted");
    }

    /// <summary>A document that commissions packs of the lot, as a request carries it.</summary>
    public static HttpContent Commissioning(string lot, int packs, string prefix)
    {
        var content = new ByteArrayContent(Document(lot, packs, prefix, null));
        content.Headers.ContentType = new System.Net.Http.Headers.MediaTypeHeaderValue("application/xml");
        return content;
    }

    private static byte[] Document(string lot, int packs, string prefix, int? heldFrom)
    {
        string Epcs(int from) => string.Concat(Enumerable.Range(from, packs - from + 1).Select(n => $"<epc>urn:epc:id:sgtin:9521234.000101.{prefix}{n:0000}</epc>"));
        var held = heldFrom is not { } first ? "" : $"""<ObjectEvent><eventTime>2026-09-14T09:00:00Z</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset><epcList>{Epcs(first)}</epcList><action>OBSERVE</action><bizStep>urn:epcglobal:cbv:bizstep:holding</bizStep><disposition>urn:epcglobal:cbv:disp:non_sellable_other</disposition></ObjectEvent>""";
        return System.Text.Encoding.UTF8.GetBytes($"""
            <?xml version="1.0" encoding="UTF-8"?>
            <epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:1" xmlns:cbvmda="urn:epcglobal:cbv:mda" schemaVersion="1.2" creationDate="2026-09-14T10:00:00Z"><EPCISBody><EventList>
            <ObjectEvent><eventTime>2026-09-14T08:00:00Z</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset><epcList>{Epcs(1)}</epcList><action>ADD</action><bizStep>urn:epcglobal:cbv:bizstep:commissioning</bizStep><disposition>urn:epcglobal:cbv:disp:active</disposition><readPoint><id>urn:epc:id:sgln:9521234.00001.PL04</id></readPoint><extension><ilmd><cbvmda:lotNumber>{lot}</cbvmda:lotNumber><cbvmda:itemExpirationDate>2028-08-31</cbvmda:itemExpirationDate></ilmd></extension></ObjectEvent>
            {held}</EventList></EPCISBody></epcis:EPCISDocument>
            """);
    }
}
