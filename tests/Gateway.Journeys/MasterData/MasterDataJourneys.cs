using System.Net.Http.Json;
using System.Text.Json;
using Epcis.Identifiers;
using Gateway.MasterData;
using Gateway.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Journeys.MasterData;

/// <summary>Master data over the API and the command line of a whole host.</summary>
public sealed class MasterDataJourneys
{
    private const string Unit = "09521234001010", Case = "59521234001015", Gln = "9521234000013";

    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_product_is_put_changed_and_its_versions_are_told_and_who_is_late_is_told_so()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var officer = gateway.Client("officer");
        Assert.Equal(201, await PutAsync(officer, $"products/{Unit}", new { name = "Demozol", level = "unit", markets = new[] { "US", "DE" }, companyPrefixLength = 7, reason = "new" }));
        Assert.Equal(201, await PutAsync(officer, $"products/{Case}", new { name = "Demozol, case", level = "case", holds = Unit, quantity = 5, reason = "new" }));
        Assert.Equal(200, await PutAsync(officer, $"products/{Unit}", new { name = "Demozol 20 mg", level = "unit", version = 1, reason = "full name" }));
        Assert.Equal(409, await PutAsync(officer, $"products/{Unit}", new { name = "Demozol 40 mg", level = "unit", version = 1, reason = "mistaken" }, "GW-MAS-01"));
        Assert.Equal(409, await PutAsync(officer, $"products/{Unit}", new { name = "Demozol 40 mg", level = "unit", reason = "as if it were new" }, "GW-MAS-01"));
        Assert.Equal(422, await PutAsync(officer, $"products/{Unit}", new { name = "Demozol 40 mg", version = 2 }, "GW-DLV-02"));
        Assert.Equal(422, await PutAsync(officer, $"products/{Unit}", new { name = "Demozol", level = "box", version = 2, reason = "r" }, "GW-HTTP-06"));
        Assert.Equal(422, await PutAsync(officer, "products/09521234001011", new { name = "Demozol", reason = "r" }, "GW-HTTP-06"));
        Assert.Equal(201, await PutAsync(officer, $"locations/{Gln}", new { name = "Plant", kind = "both", country = "DE", companyPrefixLength = 7, reason = "new" }));
        Assert.Equal(201, await PutAsync(officer, $"locations/{Gln}?extension=PL04", new { name = "Line 4", kind = "place", companyPrefixLength = 7, reason = "new" }));

        var versions = await officer.GetFromJsonAsync<JsonElement>($"api/products/{Unit}/versions", Ct);
        Assert.Equal(["2 full name", "1 new"], versions.GetProperty("items").EnumerateArray().Select(v => $"{v.GetProperty("version")} {v.GetProperty("reason")}"));
        var first = await officer.GetFromJsonAsync<JsonElement>("api/products?limit=1", Ct);
        var second = await officer.GetFromJsonAsync<JsonElement>($"api/products?limit=1&cursor={first.GetProperty("next").GetString()}", Ct);
        Assert.Equal([Unit, Case], new[] { first, second }.Select(p => p.GetProperty("items")[0].GetProperty("gtin").GetString()));
        Assert.Equal(JsonValueKind.Null, second.GetProperty("next").ValueKind);
        var line = await officer.GetFromJsonAsync<JsonElement>($"api/locations/{Gln}?extension=PL04", Ct);
        Assert.Equal("urn:epc:id:sgln:9521234.00001.PL04", line.GetProperty("sgln").GetString());
        Assert.Equal(2, (await officer.GetFromJsonAsync<JsonElement>("api/locations", Ct)).GetProperty("items").GetArrayLength());
    }

    [Fact]
    public async Task A_file_is_shown_imported_and_listed_by_the_command_line_and_nodes_know_of_it()
    {
        await using var gateway = await TestGateway.StartAsync();
        var known = gateway.Services.GetRequiredService<KnownMasterData>();
        Assert.False((await known.ReadAsync(Ct)).HasProducts);
        var sample = Repository.File("samples/dscsa-shipment.xml");
        var (exit, said, _) = await gateway.VerbAsync("masterdata", "import", sample, "--dry-run", "--json");
        var shown = JsonDocument.Parse(said).RootElement;
        Assert.Equal((0, true), (exit, shown.GetProperty("dryRun").GetBoolean()));
        Assert.Equal(0L, await gateway.Database.ScalarAsync<long>("select count(*) from product"));

        (exit, said, _) = await gateway.VerbAsync("masterdata", "import", sample);
        Assert.Equal(0, exit);
        Assert.Contains($"{shown.GetProperty("added").GetInt32()} added, 0 changed", said, StringComparison.Ordinal);
        Assert.Equal("imported from dscsa-shipment.xml", await gateway.Database.ScalarAsync<string>("select min(reason) from product"));
        await Eventually.TrueAsync(async () => (await known.ReadAsync(Ct)).HasProducts);
        (exit, said, _) = await gateway.VerbAsync("masterdata", "list", "--json");
        var products = said.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement.GetProperty("gtin").GetString()!).ToList();
        Assert.Equal((0, true), (exit, products.TrueForAll(p => Gtin.Parse(p).Ok && p.Length == 14)));
        (_, said, _) = await gateway.VerbAsync("masterdata", "list", "--locations");
        Assert.Matches("^[0-9]{13}  ", said);

        var bad = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid()}.csv");
        await File.WriteAllTextAsync(bad, $"gtin,name\n{products[0]},A\n09521234001011,B\n", Ct);
        (exit, said, _) = await gateway.VerbAsync("masterdata", "import", bad);
        File.Delete(bad);
        Assert.Equal(1, exit);
        Assert.Contains("error masterdata.value_wrong at line 3, column 1", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_with_a_fault_is_answered_with_the_place_and_one_too_large_with_its_limit()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var officer = gateway.Client("officer");
        using var refused = await officer.PostAsync("api/masterdata/import?reason=r", new StringContent($"gtin,name\n{Unit},A\n{Case},\n"), Ct);
        var problem = await refused.Content.ReadFromJsonAsync<JsonElement>(Ct);
        Assert.Equal((422, "GW-MAS-02"), ((int)refused.StatusCode, problem.GetProperty("code").GetString()));
        var finding = problem.GetProperty("findings")[0];
        Assert.Equal(("masterdata.value_wrong", 3, 2), (finding.GetProperty("code").GetString(), finding.GetProperty("where").GetProperty("line").GetInt32(), finding.GetProperty("where").GetProperty("column").GetInt32()));
        using var reasonless = await officer.PostAsync("api/masterdata/import", new StringContent($"gtin,name\n{Unit},A\n"), Ct);
        Assert.Equal(422, (int)reasonless.StatusCode);
        using var large = await officer.PostAsync("api/masterdata/import?dryRun=true", new ByteArrayContent(new byte[MasterDataFile.MaxBytes + 1]), Ct);
        Assert.Equal(413, (int)large.StatusCode);
        Assert.Equal(0L, await gateway.Database.ScalarAsync<long>("select count(*) from product"));
    }

    private static async Task<int> PutAsync(HttpClient http, string path, object record, string? code = null)
    {
        using var answer = await http.PutAsJsonAsync($"api/{path}", record, Ct);
        var said = await answer.Content.ReadFromJsonAsync<JsonElement>(Ct);
        Assert.Equal(code, said.TryGetProperty("code", out var told) ? told.GetString() : null);
        return (int)answer.StatusCode;
    }
}
