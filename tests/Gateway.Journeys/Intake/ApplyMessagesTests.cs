using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.TestSupport;

namespace Gateway.Journeys.Intake;

/// <summary>What devices say becomes events and units: in the order of corrected time, with the lot of the run, once.</summary>
public sealed class ApplyMessagesTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("good.jsonl")]
    [InlineData("bad-gap-and-conflict.jsonl")]
    public async Task What_a_lines_devices_send_ends_as_the_shared_stream_does(string file)
    {
        Assert.SkipUnless(Directory.Exists(LineFiles.Folder), "The line formats are not beside this repository.");
        await using var gateway = await IntakeJourneys.PlantAsync(("Lines:ApplyEvery", "00:00:00.2"), ("Lines:SettleFor", "00:00:00.5"), ("Lines:WaitForOffline", "00:00:00"));
        await gateway.Database.ExecuteAsync("""
            select set_config('app.actor', 'test', false);
            insert into line (party_id, code, name, site, read_point, time_zone) select party_id, 'PL07', 'Line 7', '9521234000013', 'urn:epc:id:sgln:9521234.00001.PL07', 'Europe/Berlin' from party where kind = 'organisation';
            insert into run (party_id, line_id, gtin, lot, expiry, quantity, planned_at, started_at, state) select party_id, line_id, '09521234002024', 'L26C201', '2028-02-29', 100, '2026-09-14 12:00Z', '2026-09-14 12:30Z', 'running' from line
            """);
        using var line = gateway.Client("operator");
        var all = (await File.ReadAllLinesAsync(LineFiles.FileOf("f4-jsonl-stream", file), Ct)).Select(l => JsonNode.Parse(l)!.AsObject()).ToList();
        foreach (var device in all.GroupBy(m => (string)m["dev"]!))
        {
            var registered = await line.PostAsJsonAsync("api/devices/register", new
            {
                deviceId = device.Key, kind = device.Key[..3] switch { "PRN" => "printer", "VIS" => "camera", "AGG" => "aggregator", _ => "plc" },
                vendor = "v", model = "m", serial = "s", firmware = "1", configHash = "h", line = "PL07", station = device.Key, capabilities = Array.Empty<string>(),
            }, Ct);
            Assert.True(registered.IsSuccessStatusCode, await registered.Content.ReadAsStringAsync(Ct));
            using var own = new HttpClient { BaseAddress = gateway.Url };
            own.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (await registered.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty("token").GetString());
            // The clock message of the stream is what a heartbeat measures.
            if (device.FirstOrDefault(m => (string)m["typ"]! == "clock") is { } clock)
            {
                await gateway.Database.ExecuteAsync(string.Create(CultureInfo.InvariantCulture, $"update device_status s set offset_ms = {(int)clock["offset_ms"]!}, measured_at = gateway_now() from device d where d.device_id = s.device_id and d.name = '{device.Key}'"));
            }
            foreach (var message in device)
            {
                message["mono"] = 1;
                var text = $"{{\"messages\":[{message.ToJsonString()}]}}";
                using var body = new StringContent(text, Encoding.UTF8, "application/json");
                var answer = await own.PostAsync($"api/devices/{device.Key}/messages", body, Ct);
                Assert.True(answer.IsSuccessStatusCode || (int)answer.StatusCode == 409 && file.StartsWith("bad", StringComparison.Ordinal), $"{text}: {await answer.Content.ReadAsStringAsync(Ct)}");
            }
        }
        // What waits behind a gap waits a minute.
        await gateway.Database.AdvanceAsync(TimeSpan.FromSeconds(70));
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from device_message where state <> 'applied'") == 0
            && await gateway.Database.ScalarAsync<long>("select count(*) from capture where state = 'processing'") == 0);
        Assert.Equal("device", await gateway.Database.ScalarAsync<string>("select string_agg(distinct method, ' ') from capture"));
        var expected = LineFiles.Expected("f4-jsonl-stream", file);
        var wrong = new List<string>();
        using var officer = gateway.Client("officer");
        foreach (var (epc, state) in expected["finalState"]!.AsObject())
        {
            var unit = await officer.GetFromJsonAsync<JsonElement>($"api/units?epc={Uri.EscapeDataString(epc)}", Ct);
            var (want, got) = (($"{state}", $"{expected["parentOf"]![epc]}"), (unit.GetProperty("state").GetString(), unit.GetProperty("parent").GetString() ?? ""));
            if (want != got)
            {
                wrong.Add($"{epc}: {got} instead of {want}");
            }
        }
        Assert.Equal("", string.Join("\n", wrong));
        // Of the run, whose lot every pack has.
        Assert.Equal("L26C201", await gateway.Database.ScalarAsync<string>("select string_agg(distinct lot, ' ') from lot where lot <> ''"));
        Assert.Equal(0, await gateway.Database.ScalarAsync<long>("select count(*) from capture where run_id is null"));
    }
}
