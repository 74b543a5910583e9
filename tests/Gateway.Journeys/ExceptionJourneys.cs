using System.Net.Http.Json;
using System.Text.Json;
using Gateway.Host.Simulate;

namespace Gateway.Journeys;

/// <summary>An exception from its opening to its end.</summary>
public sealed class ExceptionJourneys
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly SimulatedParty Shipper = SimulatedParty.AtOneAddress("9521234000105", 7, "Shipper");
    private static readonly SimulatedParty Buyer = SimulatedParty.AtOneAddress("9521234000204", 7, "Buyer");

    [Fact]
    public async Task Over_http_it_is_found_noted_assigned_resolved_and_reopened()
    {
        await using var gateway = await TestGateway.StartAsync();
        var capture = await RefusedAsync(gateway, 1);
        await RefusedAsync(gateway, 2);
        using var officer = gateway.Client("officer");
        var first = await officer.GetFromJsonAsync<JsonElement>("api/exceptions?limit=1", Ct);
        var rest = await officer.GetFromJsonAsync<JsonElement>($"api/exceptions?limit=1&cursor={Text(first, "next")}", Ct);
        Assert.Equal(JsonValueKind.Null, rest.GetProperty("next").ValueKind);
        var item = Assert.Single(rest.GetProperty("items").EnumerateArray());
        var id = Text(item, "id");
        Assert.Equal(("open", "EPCIS-AGG-01", "error", capture), (Text(item, "state"), Text(item, "code"), Text(item, "severity"), Text(item.GetProperty("source"), "id")));
        foreach (var (filter, count) in ((string, int)[])
            [("state=open", 2), ("state=resolved", 0), ("code=EPCIS-AGG-01", 2), ("lot=LOT1", 2), ("lot=LOT2", 0), ($"document={item.GetProperty("document").GetInt64()}", 1), ($"source={capture}", 1), ("gtin=09521234543213", 0), ("epc=urn:x", 0)])
        {
            Assert.Equal((filter, count), (filter, (await officer.GetFromJsonAsync<JsonElement>($"api/exceptions?{filter}", Ct)).GetProperty("items").GetArrayLength()));
        }
        foreach (var wrong in (string[])["state=new", "gtin=12", "document=x", "cursor=x", "limit=0"])
        {
            using var answer = await officer.GetAsync($"api/exceptions?{wrong}", Ct);
            Assert.Equal((wrong, 400), (wrong, (int)answer.StatusCode));
        }

        Assert.Equal("GW-DLV-02", await CodeAsync(officer, id, "resolve", new { reason = " " }, 422));
        Assert.Equal("GW-HTTP-06", await CodeAsync(officer, id, "notes", new { text = "" }, 422));
        Assert.Equal("GW-EXC-01", await CodeAsync(officer, id, "reopen", new { reason = "Why" }, 409));
        Assert.Equal("GW-EXC-01", await CodeAsync(officer, id, "resolve", new { reason = "Why", version = 9 }, 409));
        Assert.Equal("GW-HTTP-01", await CodeAsync(officer, Guid.NewGuid().ToString(), "resolve", new { reason = "Why" }, 404));
        Assert.Equal("Packaging", Text(await DoneAsync(officer, id, "assign", new { to = "Packaging", reason = "Their line.", version = 1 }), "assignedTo"));
        await DoneAsync(officer, id, "notes", new { text = "They look.", version = 2 });
        Assert.Equal("GW-EXC-01", await CodeAsync(officer, id, "notes", new { text = "They look.", version = 2 }, 409)); // sent twice, added once
        var resolved = await DoneAsync(officer, id, "resolve", new { reason = "Sent again with parents." });
        Assert.Equal(("resolved", "officer", "Sent again with parents."), (Text(resolved, "state"), Text(resolved, "decidedBy"), Text(resolved, "decidedWhy")));
        Assert.Equal("open", Text(await DoneAsync(officer, id, "reopen", new { reason = "Not all." }), "state"));
        var details = await officer.GetFromJsonAsync<JsonElement>($"api/exceptions/{id}", Ct);
        Assert.Equal(["reopen", "resolve", "note", "assign"], details.GetProperty("notes").EnumerateArray().Select(n => Text(n, "action")!));
        Assert.Equal(0, details.GetProperty("epcs").GetArrayLength());
    }

    /// <returns>The captureID of a document without parents.</returns>
    private static async Task<string> RefusedAsync(TestGateway gateway, long sequence)
    {
        using var answer = await gateway.CaptureAsync(new ShipmentGenerator(5).Xml(
            new ShipmentPlan(sequence, Shipper, Buyer, new DateTimeOffset(2026, 11, 1, 8, 0, 0, TimeSpan.Zero), "LOT1", new DateOnly(2029, 1, 31)) { OmitCaseParent = true }));
        await gateway.JobAsync(answer.Headers.Location!);
        return answer.Headers.Location!.ToString().Split('/')[^1];
    }

    private static async Task<JsonElement> DoneAsync(HttpClient http, string? id, string verb, object body)
    {
        using var answer = await http.PostAsJsonAsync($"api/exceptions/{id}/{verb}", body, Ct);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Ct));
        return await answer.Content.ReadFromJsonAsync<JsonElement>(Ct);
    }

    private static async Task<string?> CodeAsync(HttpClient http, string? id, string verb, object body, int status)
    {
        using var answer = await http.PostAsJsonAsync($"api/exceptions/{id}/{verb}", body, Ct);
        Assert.Equal(status, (int)answer.StatusCode);
        return Text(await answer.Content.ReadFromJsonAsync<JsonElement>(Ct), "code");
    }

    private static string? Text(JsonElement of, string name) => of.GetProperty(name).GetString();
}
