using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Intake;
using Gateway.MasterData;
using Gateway.TestSupport;
using Npgsql;

namespace Gateway.Journeys.Intake;

/// <summary>Files of lines over the API of a whole host.</summary>
public sealed class IntakeJourneys
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_shared_file_gives_its_exact_result_over_HTTP()
    {
        Assert.SkipUnless(Directory.Exists(LineFiles.Folder), "The line formats are not beside this repository.");
        await using var gateway = await PlantAsync();
        using var line = gateway.Client("operator");
        var taken = 0;
        foreach (var (shape, file) in LineFiles.All().Select(r => r.Data))
        {
            var bytes = await File.ReadAllBytesAsync(LineFiles.FileOf(shape, file), Ct);
            var trial = await PostAsync(line, $"api/intake/{shape}?dryRun=true", bytes, HttpStatusCode.OK);
            Differ(shape, file, JsonNode.Parse(await trial.Content.ReadAsStringAsync(Ct))!["result"]!.AsObject());
            var answer = await PostAsync(line, $"api/intake/{shape}", bytes, HttpStatusCode.Accepted);
            var job = await gateway.JobAsync(answer.Headers.Location!);
            var id = job.GetProperty("captureID").GetString();
            Differ(shape, file, (await line.GetFromJsonAsync<JsonObject>($"api/intake/{id}/result", Ct))!);
            // The same bytes again are the same file, and change nothing.
            var again = await PostAsync(line, $"api/intake/{shape}", bytes, HttpStatusCode.Accepted);
            Assert.Equal((answer.Headers.Location, "true"), (again.Headers.Location, Assert.Single(again.Headers.GetValues("Idempotency-Replayed"))));
            Differ(shape, file, (await line.GetFromJsonAsync<JsonObject>($"api/intake/{id}/result", Ct))!);
            taken++;
        }
        Assert.True(taken >= 16, $"{taken} files");
        // What is internal to lines is stored, and nobody who asks for events is given it.
        Assert.True(await gateway.Database.ScalarAsync<long>("select count(*) from event where internal") > 0);
        using var officer = gateway.Client("officer");
        var steps = new HashSet<string>();
        for (var next = "events?perPage=1000"; next is not null;)
        {
            using var page = await officer.GetAsync(next, Ct);
            var events = (await page.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty("epcisBody").GetProperty("queryResults").GetProperty("resultsBody").GetProperty("eventList");
            steps.UnionWith(events.EnumerateArray().Select(e => e.GetProperty("bizStep").GetString()!));
            next = page.Headers.TryGetValues("Link", out var links) && links.First() is var link ? link[(link.IndexOf('<') + 1)..link.IndexOf('>')] : null;
        }
        Assert.Equal(["commissioning", "decommissioning", "destroying", "inspecting", "packing", "sampling", "unpacking"], steps.Select(s => s.Split(':', '-')[^1]).Order());
    }

    private static void Differ(string shape, string file, JsonObject got)
    {
        var expected = LineFiles.Expected(shape, file);
        expected.Remove("file");
        expected.Remove("receivedAt");
        var differences = string.Join("\n", LineFiles.Differences(expected, got));
        Assert.True(differences.Length == 0, $"{shape}/{file}:\n{differences}");
    }

    [Fact]
    public async Task A_dialect_nobody_has_seen_is_a_file_that_somebody_approves()
    {
        var folder = Directory.CreateTempSubdirectory("gateway-mappings-");
        try
        {
            var path = Path.Combine(folder.FullName, "pipe-list.yaml");
            const string mapping = """
                mapping: pipe-list
                version: 1
                title: Pipes, and times of the plant
                reader: delimited
                file: {delimiter: "|", quotes: none, columns: [what, gtin, serial, lot, until, at]}
                time: {pattern: "yyyy/MM/dd HH.mm.ss", zone: "'America/New_York'"}
                date: {pattern: "MM/yyyy"}
                facts: {time: at, lot: lot, expiry: until}
                records:
                  - when: {what: made}
                    object: {gtin: gtin, serial: serial}
                    say: COMMISSION
                """;
            await File.WriteAllTextAsync(path, mapping.Replace("say: COMMISSION", "say: COMMISION", StringComparison.Ordinal), Ct);
            await using var gateway = await PlantAsync(("Intake:Mappings", folder.FullName));
            using var officer = gateway.Client("officer");
            using var line = gateway.Client("operator");
            var file = Encoding.UTF8.GetBytes("made|09521234001010|ABCDE12345|L26B101|08/2028|2026/09/14 08.02.11\nlost|09521234001010|ABCDE12346|L26B101|08/2028|2026/09/14 08.02.12\n");
            var faulty = await PostAsync(line, "api/intake/pipe-list?dryRun=true", file, HttpStatusCode.UnprocessableEntity);
            Assert.Contains("line 12, column 10: 'COMMISION' is no fact", await faulty.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
            await File.WriteAllTextAsync(path, mapping, Ct);
            var trial = await PostAsync(line, "api/intake/pipe-list?dryRun=true", file, HttpStatusCode.OK);
            var told = JsonNode.Parse(await trial.Content.ReadAsStringAsync(Ct))!;
            Assert.Equal(("2026-09-14T12:02:11.000Z", "record.unknown", 2, 1), ((string)told["result"]!["facts"]![0]!["time"]!, (string)told["result"]!["exceptions"]![0]!["code"]!, (int)told["result"]!["exceptions"]![0]!["line"]!, (int)told["changed"]!));
            // Nobody has approved it: it reads nothing for good.
            var early = await PostAsync(line, "api/intake/pipe-list", file, HttpStatusCode.Conflict);
            Assert.Contains("GW-INT-01", await early.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
            Assert.Equal(HttpStatusCode.Forbidden, (await line.PostAsJsonAsync("api/intake/mappings/pipe-list/approve", new { reason = "tried" }, Ct)).StatusCode);
            Assert.Equal(HttpStatusCode.UnprocessableEntity, (await officer.PostAsJsonAsync("api/intake/mappings/pipe-list/approve", new { }, Ct)).StatusCode);
            Assert.Equal(HttpStatusCode.NoContent, (await officer.PostAsJsonAsync("api/intake/mappings/pipe-list/approve", new { reason = "tried with a day's files" }, Ct)).StatusCode);
            var answer = await PostAsync(line, "api/intake/pipe-list", file, HttpStatusCode.Accepted);
            await gateway.JobAsync(answer.Headers.Location!);
            var unit = await officer.GetFromJsonAsync<JsonElement>("api/units?epc=0109521234001010" + "21ABCDE12345", Ct);
            Assert.Equal(("COMMISSIONED", "L26B101"), (unit.GetProperty("state").GetString(), unit.GetProperty("lot").GetString()));
            // A changed file under the same version is no mapping.
            await File.WriteAllTextAsync(path, mapping.Replace("MM/yyyy", "yyyy-MM", StringComparison.Ordinal), Ct);
            var list = await officer.GetFromJsonAsync<JsonElement>("api/intake/mappings", Ct);
            Assert.Equal("changed", list.GetProperty("items")[0].GetProperty("state").GetString());
            Assert.Contains("a new version", await (await officer.PostAsJsonAsync("api/intake/mappings/pipe-list/approve", new { reason = "again" }, Ct)).Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
            // The record that was set aside is an exception with the file.
            Assert.Equal("record.unknown", await gateway.Database.ScalarAsync<string>("select code from exception where source_kind = 'capture'"));
            Assert.Equal("file", await gateway.Database.ScalarAsync<string>("select method from capture where mapping = 'pipe-list@1'"));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_dry_run_tells_what_would_differ_from_what_is_known()
    {
        await using var gateway = await PlantAsync();
        using var line = gateway.Client("operator");
        static byte[] File(string status) => Encoding.UTF8.GetBytes(
            $"#GTIN;09521234001010\r\n#LOT;L26B101\r\n#EXP;31.08.2028\r\n#TZ;Europe/Berlin\r\n#COUNT;2\r\nNr;Seriennummer;Status;Zeit;Station;Grund;Güte\r\n1;AAAAAAAAA1;{status};14.09.2026 08:02:11,120;V;;A\r\n2;AAAAAAAAA2;OK;14.09.2026 08:02:11,121;V;;A\r\n");
        await gateway.JobAsync((await PostAsync(line, "api/intake/f1-unit-csv", File("REJ"), HttpStatusCode.Accepted)).Headers.Location!);
        var trial = await PostAsync(line, "api/intake/f1-unit-csv?dryRun=true", File("OK"), HttpStatusCode.OK);
        var told = JsonNode.Parse(await trial.Content.ReadAsStringAsync(Ct))!;
        Assert.Equal(("REJECTED", "COMMISSIONED", 1, 1), ((string)told["difference"]![0]!["from"]!, (string)told["difference"]![0]!["to"]!, (int)told["changed"]!, (int)told["unchanged"]!));
        Assert.Equal("unit.duplicate_commission", (string)told["result"]!["exceptions"]![0]!["code"]!);
        Assert.Equal(1, await gateway.Database.ScalarAsync<long>("select count(*) from capture"));
    }

    [Fact]
    public async Task A_run_that_ends_while_a_file_of_it_is_stored_takes_none_of_it()
    {
        await using var gateway = await PlantAsync();
        await gateway.Database.ExecuteAsync($"""
            set session_replication_role = replica;
            insert into line (party_id, code, name, site, read_point, time_zone, speed) select party_id, 'L1', 'Line 1', '9521234000013', 'urn:epc:id:sgln:9521234.00001.1', 'Europe/Berlin', 300 from party where kind = 'organisation';
            insert into run (party_id, line_id, gtin, lot, expiry, quantity, state, planned_at) select party_id, line_id, '09521234001010', 'L26B101', '2028-08-31', 1000, 'ready', now() from line
            """);
        using var line = gateway.Client("operator");
        var file = Encoding.UTF8.GetBytes("#GTIN;09521234001010\r\n#LOT;L26B101\r\n#EXP;31.08.2028\r\n#TZ;Europe/Berlin\r\n#COUNT;1\r\nNr;Seriennummer;Status;Zeit;Station;Grund;Güte\r\n1;AAAAAAAAA1;OK;14.09.2026 08:02:11,120;V;;A\r\n");
        var address = $"api/intake/f1-unit-csv?run={await gateway.Database.ScalarAsync<Guid>("select public_id from run")}";
        await using var ending = new NpgsqlConnection(gateway.Database.AdministratorConnectionString);
        await ending.OpenAsync(Ct);
        await using (var end = new NpgsqlCommand("begin; set local session_replication_role = replica; update run set state = 'cancelled'", ending))
        {
            await end.ExecuteNonQueryAsync(Ct);
        }
        var early = PostAsync(line, address, file, HttpStatusCode.BadRequest);
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'") == 1);
        await using (var end = new NpgsqlCommand("commit", ending))
        {
            await end.ExecuteNonQueryAsync(Ct);
        }
        foreach (var refused in (HttpResponseMessage[])[await early, await PostAsync(line, address, file, HttpStatusCode.BadRequest)])
        {
            Assert.Contains("The run is cancelled: no file tells of it any more.", await refused.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        }
        Assert.Equal(0L, await gateway.Database.ScalarAsync<long>("select count(*) from document"));
    }

    [Fact]
    public async Task A_watched_folder_takes_each_file_once()
    {
        var folder = Directory.CreateTempSubdirectory("gateway-watched-");
        try
        {
            var inbox = Directory.CreateDirectory(Path.Combine(folder.FullName, "f1-unit-csv")).FullName;
            var unknown = Directory.CreateDirectory(Path.Combine(folder.FullName, "nobody")).FullName;
            await using var gateway = await PlantAsync(("Intake:Watch", folder.FullName), ("Intake:WatchEvery", "00:00:00.2"));
            await File.WriteAllTextAsync(Path.Combine(inbox, "lot.csv"), "#GTIN;09521234001010\r\n#LOT;L26B101\r\n#EXP;31.08.2028\r\n#TZ;Europe/Berlin\r\n#COUNT;1\r\nNr;Seriennummer;Status;Zeit;Station;Grund;Güte\r\n1;AAAAAAAAA1;OK;14.09.2026 08:02:11,120;V;;A\r\n", Ct);
            await File.WriteAllTextAsync(Path.Combine(unknown, "lot.csv"), "x", Ct);
            await Eventually.TrueAsync(() => Task.FromResult(Directory.Exists(Path.Combine(inbox, "taken")) && Directory.GetFiles(Path.Combine(inbox, "taken")).Length == 1
                && File.Exists(Path.Combine(unknown, "refused", "lot.csv.why.txt"))));
            Assert.Contains("mapping with this name", await File.ReadAllTextAsync(Path.Combine(unknown, "refused", "lot.csv.why.txt"), Ct), StringComparison.Ordinal);
            await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from capture where state = 'accepted' and mapping = 'f1-unit-csv@1'") == 1);
            File.Move(Directory.GetFiles(Path.Combine(inbox, "taken"))[0], Path.Combine(inbox, "again.csv"));
            await Eventually.TrueAsync(() => Task.FromResult(!File.Exists(Path.Combine(inbox, "again.csv"))));
            Assert.Equal(1, await gateway.Database.ScalarAsync<long>("select count(*) from capture"));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>A gateway with the master data of the shared files, their lines, and the mappings approved.</summary>
    internal static async Task<TestGateway> PlantAsync(params (string Name, string Value)[] settings)
    {
        var gateway = await TestGateway.StartAsync(settings.ToDictionary(s => s.Name, s => (string?)s.Value));
        using var officer = gateway.Client("officer");
        var products = Directory.Exists(LineFiles.Folder) ? LineFiles.MasterData.Products.Products
            : [new Product("09521234001010") { Name = "Demozol", Level = "unit", CompanyPrefixLength = 7, SerialPattern = "^[0-9A-Z]{10}$" }];
        foreach (var p in products)
        {
            Answered(await officer.PutAsJsonAsync($"api/products/{p.Gtin}", new { p.Name, p.Level, p.Holds, p.Quantity, p.PerLogisticUnit, p.CompanyPrefixLength, p.SerialPattern, reason = "test" }, Ct));
        }
        Answered(await officer.PutAsJsonAsync("api/locations/9521234000013", new { name = "Plant", kind = "both", companyPrefixLength = 7, reason = "test" }, Ct));
        foreach (var name in MappingFiles.Names())
        {
            if (!settings.Any(s => s.Name == "Intake:Mappings"))
            {
                Answered(await officer.PostAsJsonAsync($"api/intake/mappings/{name}/approve", new { reason = "test" }, Ct));
            }
        }
        return gateway;
    }

    private static void Answered(HttpResponseMessage answer) => Assert.True(answer.IsSuccessStatusCode, answer.Content.ReadAsStringAsync().Result);

    private static async Task<HttpResponseMessage> PostAsync(HttpClient client, string address, byte[] file, HttpStatusCode expected)
    {
        var answer = await client.PostAsync(address, new ByteArrayContent(file) { Headers = { { "Content-Type", "text/csv" } } }, Ct);
        Assert.True(answer.StatusCode == expected, $"{address}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(Ct)}");
        return answer;
    }
}
