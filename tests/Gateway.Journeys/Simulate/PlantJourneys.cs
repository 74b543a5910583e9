using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.Host.Simulate.Plant;
using Gateway.TestSupport;

namespace Gateway.Journeys.Simulate;

/// <summary>A simulated plant speaks to a gateway, and what the gateway says afterwards is compared with what truly happened.</summary>
public sealed class PlantJourneys
{
    private const string Unit = "09521234001010", Case = "59521234001015";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_fault_that_leaves_a_trace_has_a_serial_mis_stated()
    {
        await using var gateway = await StartAsync([.. Enumerable.Range(0, PlantFault.All.Count + 1).Select(LineOf)]);
        using var http = gateway.Client("officer");
        var plant = new PlantGateway(http);
        using var operators = gateway.Client("operator");
        var played = new List<(string Fault, IReadOnlyList<PlayedLine> Lines)>();
        foreach (var (fault, n) in PlantFault.All.Select((f, n) => (f, n)).Append((null!, PlantFault.All.Count)))
        {
            var rates = fault is null ? [] : new Dictionary<string, double> { [fault.Name] = fault.Per == "case" ? 0.2 : 0.03 };
            var run = new PlantRun(new PlantGateway(operators), new PlantOptions(1_000 + n, 200, 600, rates), 0, _ => { });
            played.Add((fault?.Name ?? "none", await run.PlayAsync(await run.PrepareAsync([LineOf(n)], null, "", makeRuns: false, Ct), Ct)));
        }
        // What waits behind a gap waits a minute.
        await gateway.Database.AdvanceAsync(TimeSpan.FromSeconds(70));
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from device_message where state in ('ready', 'waiting')") == 0
            && await gateway.Database.ScalarAsync<long>("select count(*) from capture where state = 'processing'") == 0, 180);
        var wrong = new List<string>();
        foreach (var (fault, lines) in played)
        {
            var sheet = await new PlantScore(plant).ScoreAsync(lines, TimeSpan.FromSeconds(30), Ct);
            TestContext.Current.TestOutputHelper!.WriteLine($"{fault}\n{sheet}");
            Assert.True(sheet.IsApplied);
            if (!sheet.Passes || (fault == "none" && sheet.Right != sheet.Serials) || (fault != "none" && sheet.Faults.Single(f => f.Fault == fault).Injected == 0))
            {
                wrong.Add($"{fault}\n{sheet}");
            }
        }
        Assert.Equal("", string.Join("\n", wrong));
    }

    [Fact]
    public async Task The_verb_plays_a_plant_writes_its_truth_and_scores_it()
    {
        await using var gateway = await StartAsync(["PL01", "PL02"]);
        var truth = Path.GetTempFileName();
        try
        {
            var (exit, said, wrong) = await gateway.VerbAsync("simulate", "plant", "--url", gateway.Url.AbsoluteUri, "--key", gateway.Keys["operator"], "--lines", "2", "--units", "60", "--seed", "3", "--time-factor", "0",
                "--fault", "duplicate=0.05", "--fault", "reorder=0.02", "--truth", truth, "--score", "--json", "--settle", "60");
            Assert.True(exit == 0, said + wrong);
            var sheet = JsonDocument.Parse(said).RootElement;
            Assert.Equal((0, 0), (sheet.GetProperty("misstated").GetInt32(), sheet.GetProperty("messages").GetProperty("absent").GetInt32()));
            Assert.True(sheet.GetProperty("traffic").GetProperty("duplicates").GetInt64() > 0);
            var lines = await File.ReadAllLinesAsync(truth, Ct);
            Assert.Equal(sheet.GetProperty("serials").GetInt32(), lines.Length);
            Assert.Contains("\"state\":\"COMMISSIONED\"", lines[0], StringComparison.Ordinal);
            Assert.Equal(2, (await gateway.VerbAsync("simulate", "plant", "--url", gateway.Url.AbsoluteUri, "--key", "x", "--fault", "rain=0.1")).Exit);
        }
        finally
        {
            File.Delete(truth);
        }
    }

    private static string LineOf(int n) => string.Create(CultureInfo.InvariantCulture, $"PL{n + 1:00}");

    private static async Task<TestGateway> StartAsync(string[] lines)
    {
        var gateway = await TestGateway.StartAsync(("Lines:ApplyEvery", "00:00:00.2"), ("Lines:SettleFor", "00:00:00.5"), ("Lines:WaitForOffline", "00:00:00"));
        using var officer = gateway.Client("officer");
        foreach (var (path, body) in ((string, object)[])
            [
                ($"api/products/{Unit}", new { name = "Demozol", level = "unit", companyPrefixLength = 7, reason = "test" }),
                ($"api/products/{Case}", new { name = "Demozol, case", level = "case", holds = Unit, quantity = 5, perLogisticUnit = 4, companyPrefixLength = 7, reason = "test" }),
            ])
        {
            using var put = await officer.PutAsJsonAsync(path, body, Ct);
            Assert.True(put.IsSuccessStatusCode, await put.Content.ReadAsStringAsync(Ct));
        }
        using var approved = await officer.PostAsJsonAsync("api/intake/mappings/device-messages/approve", new { reason = "test" }, Ct);
        Assert.True(approved.IsSuccessStatusCode, await approved.Content.ReadAsStringAsync(Ct));
        // Runs that began in the past: a plant is played as fast as it is taken only as far as they go back.
        foreach (var line in lines)
        {
            await gateway.Database.ExecuteAsync($"""
                select set_config('app.actor', 'test', false);
                insert into line (party_id, code, name, site, read_point, time_zone) select party_id, '{line}', 'Line {line}', '9521234000013', 'urn:epc:id:sgln:9521234.00001.{line}', 'UTC' from party where kind = 'organisation';
                insert into run (party_id, line_id, gtin, lot, expiry, quantity, planned_at, started_at, state) select party_id, line_id, '{Unit}', 'LOT{line}', '2030-08-31', 200, gateway_now() - interval '9 hours', gateway_now() - interval '8 hours', 'running' from line where code = '{line}'
                """);
        }
        return gateway;
    }
}
