using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Gateway.Journeys.Dashboard;
using Microsoft.Playwright;

namespace Gateway.Journeys.Units;

/// <summary>Lots and the scope of a recall, from captured documents to the API, the command line and the pages.</summary>
public sealed class LotJourneys
{
    private const string Unit = "09521234001010", Case = "59521234001015", Buyer = "0614141007776";

    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_lot_is_told_alike_by_the_API_the_command_line_and_its_page_and_leads_to_who_has_it()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var officer = gateway.Client("officer");
        await FillAsync(gateway, officer);

        var lots = await officer.GetFromJsonAsync<JsonElement>("api/lots", Ct);
        Assert.Equal(["OPEN False 83.3", "DONE/1 True 100"], lots.GetProperty("items").EnumerateArray().Select(l => $"{l.GetProperty("lot")} {l.GetProperty("complete")} {l.GetProperty("percent").GetDecimal():0.#}"));
        Assert.Equal(["DONE/1"], (await officer.GetFromJsonAsync<JsonElement>($"api/lots?state=complete&gtin={Unit}", Ct)).GetProperty("items").EnumerateArray().Select(l => l.GetProperty("lot").GetString()));
        Assert.Empty((await officer.GetFromJsonAsync<JsonElement>("api/lots?lot=X", Ct)).GetProperty("items").EnumerateArray());
        var paged = await officer.GetFromJsonAsync<JsonElement>("api/lots?limit=1", Ct);
        Assert.Equal("DONE/1", (await officer.GetFromJsonAsync<JsonElement>($"api/lots?limit=1&cursor={paged.GetProperty("next").GetString()}", Ct)).GetProperty("items")[0].GetProperty("lot").GetString());
        Assert.Equal(5, (await officer.GetFromJsonAsync<JsonElement>($"api/lots/{Unit}/DONE%2F1", Ct)).GetProperty("balance").GetProperty("shipped").GetInt32());
        var orphans = await officer.GetFromJsonAsync<JsonElement>($"api/lots/{Unit}/OPEN/units?kind=orphan", Ct);
        Assert.Equal("urn:epc:id:sgtin:9521234.000101.OPEN6", Assert.Single(orphans.GetProperty("items").EnumerateArray()).GetProperty("epc").GetString());
        var first = await officer.GetFromJsonAsync<JsonElement>($"api/lots/{Unit}/OPEN/units?kind=units&limit=4", Ct);
        var rest = await officer.GetFromJsonAsync<JsonElement>($"api/lots/{Unit}/OPEN/units?kind=units&limit=4&cursor={first.GetProperty("next").GetString()}", Ct);
        Assert.Equal((4, 2), (first.GetProperty("items").GetArrayLength(), rest.GetProperty("items").GetArrayLength()));
        foreach (var (path, status) in ((string, int)[])[($"{Unit}/NONE", 404), ($"{Unit}/NONE/units", 404), ($"{Unit}/OPEN/units?kind=lost", 400), ($"{Unit}/OPEN/units?state=7", 400), ($"{Unit}/OPEN/units?limit=0", 400)])
        {
            using var answer = await officer.GetAsync($"api/lots/{path}", Ct);
            Assert.Equal((path, status), (path, (int)answer.StatusCode));
        }

        var (exit, said, _) = await gateway.VerbAsync("lot", Unit, "OPEN", "--json");
        Assert.Equal((1, 1), (exit, JsonDocument.Parse(said).RootElement.GetProperty("orphans").GetInt32()));
        (exit, said, _) = await gateway.VerbAsync("lot", Unit, "DONE/1");
        Assert.Equal(0, exit);
        Assert.Contains("5 commissioned = 0 packed + 0 loose + 0 sampled + 0 rejected + 0 ended + 5 shipped", said, StringComparison.Ordinal);
        Assert.Equal(2, (await gateway.VerbAsync("lot", Unit, "NONE")).Exit);

        await using var browser = await SignedInBrowser.OpenAsync(gateway, "officer");
        var page = browser.Page;
        await page.SetViewportSizeAsync(1024, 768);
        await browser.GoAsync("lots");
        Assert.Equal("1 lot of the 2 here is not complete.", await page.InnerTextAsync("h1"));
        await browser.AxeAsync("lots");
        await page.GetByRole(AriaRole.Link, new() { Name = "OPEN", Exact = true }).ClickAsync();
        await page.GetByText("is not complete: 5 of 6 units are accounted for, 83.3 %.").WaitForAsync();
        Assert.Equal(["urn:epc:id:sgtin:9521234.000101.OPEN6"], await page.Locator("#units ~ div td:first-child").AllInnerTextsAsync());
        await browser.AxeAsync("lot");
        await page.GetByRole(AriaRole.Link, new() { Name = "1 containers" }).ClickAsync();
        await page.Locator("td", new() { HasText = "5 of 5" }).WaitForAsync();

        await browser.GoAsync($"lots/{Unit}/DONE%2F1");
        await page.GetByText("is complete: all 5 units are accounted for.").WaitForAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Who has it: recall scope" }).ClickAsync();
        await page.GetByText("Where is everything that would be recalled?").WaitForAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Find every unit" }).ClickAsync();
        await page.GetByText($"5 units of lot DONE/1 of {Unit}, all placed with 1 holder.").WaitForAsync();
        Assert.Contains(Buyer, await page.InnerTextAsync("#holders"), StringComparison.Ordinal);
        Assert.Equal(5, await page.Locator("#units tbody tr").CountAsync());
        await browser.AxeAsync("recall");
        Assert.True(await page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"));
        Assert.Equal(1L, await gateway.Database.ScalarAsync<long>("select count(*) from audit_entry where entity = 'recall_scope'"));
        await page.EmulateMediaAsync(new() { Media = Media.Print });
        Assert.Equal(0, await page.Locator(":is(button, form, input):visible").CountAsync());
        Assert.Contains("Took", await page.InnerTextAsync("main"), StringComparison.Ordinal);
        browser.NothingWentWrong();
    }

    [Fact]
    public async Task The_scope_of_a_recall_is_told_in_sums_and_streamed_unit_by_unit()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var officer = gateway.Client("officer");
        await FillAsync(gateway, officer);
        var scope = await PostAsync(officer, "api/recalls/scope", new { gtin = Unit, lot = "DONE/1" });
        Assert.Equal(("onItsWay", Buyer, 5), scope.GetProperty("holders")[0] is var h ? (h.GetProperty("standing").GetString(), h.GetProperty("gln").GetString(), h.GetProperty("units").GetInt32()) : default);
        Assert.Equal(["units", "holders", "documents"], scope.GetProperty("phases").EnumerateArray().Select(p => p.GetProperty("name").GetString()));
        Assert.Equal(5, (await PostAsync(officer, "api/recalls/scope?list=json", new { partner = Buyer })).GetArrayLength());
        using (var csv = await officer.PostAsJsonAsync("api/recalls/scope?list=csv", new { gtin = Unit, from = "OPEN1", to = "OPEN2" }, Ct))
        {
            var rows = (await csv.Content.ReadAsStringAsync(Ct)).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
            Assert.Equal((3, "epc,gtin,serial,lot,state,standing"), (rows.Length, rows[0][..34]));
            Assert.StartsWith("\"urn:epc:id:sgtin:9521234.000101.OPEN1\",\"09521234001010\",\"OPEN1\",\"OPEN\",\"COMMISSIONED\",\"inHand\"", rows[1], StringComparison.Ordinal);
        }
        using (var wrong = await officer.PostAsJsonAsync("api/recalls/scope", new { gtin = Unit }, Ct))
        {
            Assert.Equal(422, (int)wrong.StatusCode);
        }

        var file = Path.Combine(Path.GetTempPath(), $"recall-{Guid.NewGuid():N}.json");
        try
        {
            var (exit, said, _) = await gateway.VerbAsync("recall", "--gtin", Unit, "--serials", "DONE1", "DONE3", "--units", file);
            Assert.Equal(0, exit);
            Assert.Contains("on its way", said, StringComparison.Ordinal);
            Assert.Equal(3, JsonDocument.Parse(await File.ReadAllTextAsync(file, Ct)).RootElement.GetArrayLength());
        }
        finally
        {
            File.Delete(file);
        }
        Assert.Equal(2, (await gateway.VerbAsync("recall", "--gtin", Unit)).Exit);
    }

    /// <summary>One lot is a full case on its way to the buyer; of the other, one pack is in no case.</summary>
    private static async Task FillAsync(TestGateway gateway, HttpClient officer)
    {
        using var imported = await officer.PostAsync("api/masterdata/import?reason=test",
            new StringContent($"gtin,name,level,holds,quantity\n{Unit},Demozol,unit,,\n{Case},\"Demozol, case\",case,{Unit},5\n"), Ct);
        Assert.Equal(200, (int)imported.StatusCode);
        await CaptureAsync(gateway, Commissioned("DONE/1", "DONE", 5), CaseOf("DONE", 1), """
            {"type":"ObjectEvent","eventTime":"2026-09-14T12:00:00Z","eventTimeZoneOffset":"+00:00","epcList":["urn:epc:id:sgtin:9521234.500101.DONE"],"action":"OBSERVE","bizStep":"shipping","disposition":"in_transit","readPoint":{"id":"urn:epc:id:sgln:9521234.00001.0"},"destinationList":[{"type":"location","destination":"urn:epc:id:sgln:0614141.00777.0"}]}
            """);
        await CaptureAsync(gateway, Commissioned("OPEN", "OPEN", 6), CaseOf("OPEN", 1));
    }

    private static string Commissioned(string lot, string serial, int count) => $$"""
        {"type":"ObjectEvent","eventTime":"2026-09-14T08:00:00Z","eventTimeZoneOffset":"+00:00","epcList":[{{string.Join(',', Enumerable.Range(1, count).Select(n => $"\"urn:epc:id:sgtin:9521234.000101.{serial}{n}\""))}}],"action":"ADD","bizStep":"commissioning","disposition":"active","readPoint":{"id":"urn:epc:id:sgln:9521234.00001.0"},"ilmd":{"cbvmda:lotNumber":"{{lot}}","cbvmda:itemExpirationDate":"2028-08-31"} }
        """;

    private static string CaseOf(string serial, int first) => $$"""
        {"type":"ObjectEvent","eventTime":"2026-09-14T08:10:00Z","eventTimeZoneOffset":"+00:00","epcList":["urn:epc:id:sgtin:9521234.500101.{{serial}}"],"action":"ADD","bizStep":"commissioning","disposition":"active","readPoint":{"id":"urn:epc:id:sgln:9521234.00001.0"} },
        {"type":"AggregationEvent","eventTime":"2026-09-14T08:20:00Z","eventTimeZoneOffset":"+00:00","parentID":"urn:epc:id:sgtin:9521234.500101.{{serial}}","childEPCs":[{{string.Join(',', Enumerable.Range(first, 5).Select(n => $"\"urn:epc:id:sgtin:9521234.000101.{serial}{n}\""))}}],"action":"ADD","bizStep":"packing","disposition":"in_progress","readPoint":{"id":"urn:epc:id:sgln:9521234.00001.0"} }
        """;

    private static async Task CaptureAsync(TestGateway gateway, params string[] events)
    {
        using var cmo = gateway.Client("cmo");
        using var document = new StringContent($$"""
            {"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-09-15T10:00:00Z","epcisBody":{"eventList":[{{string.Join(',', events)}}]} }
            """, Encoding.UTF8, "application/ld+json");
        using var answer = await cmo.PostAsync("capture", document, Ct);
        Assert.Equal(202, (int)answer.StatusCode);
        Assert.True((await gateway.JobAsync(answer.Headers.Location!)).GetProperty("success").GetBoolean());
    }

    private static async Task<JsonElement> PostAsync(HttpClient client, string path, object body)
    {
        using var answer = await client.PostAsJsonAsync(path, body, Ct);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Ct));
        return await answer.Content.ReadFromJsonAsync<JsonElement>(Ct);
    }
}
