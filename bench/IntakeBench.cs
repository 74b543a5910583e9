using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Epcis.Identifiers;
using Gateway.Access;
using Gateway.Host;
using Gateway.Host.Simulate;
using Gateway.Intake;
using Gateway.MasterData;
using Microsoft.Extensions.DependencyInjection;
using static Gateway.Bench.Figures;

namespace Gateway.Bench;

/// <summary>
/// A line's CSV beside the same units captured as EPCIS, in one gateway, one after the other: as many units, in events of a minute each. Each is timed from
/// the post to the finished job.
/// </summary>
internal static class IntakeBench
{
    private const string Mapping = "f1-unit-csv", Gtin = "09521234001010";

    public static async Task RunAsync(int units, int perMinute, int repetitions)
    {
        var data = Directory.CreateTempSubdirectory("gateway-bench-");
        Environment.SetEnvironmentVariable("GATEWAY_DATA", data.FullName);
        File.SetUnixFileMode(data.FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        try
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), CancellationToken.None);
            var actor = Actor.System("bench") with { Reason = "bench" };
            string key;
            await using (var work = await database.Gateway.BeginAsync(actor, CancellationToken.None))
            {
                key = await ApiKeys.CreateAsync(work, await Parties.EnsureAsync(work, "organisation", "Bench", null), "operator", "bench", "gwl");
                await work.CommitAsync();
            }
            var wanted = new WantedMasterData();
            var unitClass = SimulatedProduct.Default.UnitClass;
            foreach (var gtin in (string[])[Gtin, Epc.Parse($"urn:epc:idpat:sgtin:{unitClass}.*", CompanyPrefixes.None).Value!.Key])
            {
                var product = new Product(gtin) { Name = gtin, Level = "unit", CompanyPrefixLength = 7 };
                wanted.Products.Add(new Wanted<Product>(product, _ => product, _ => default));
            }
            Told(await new ChangeMasterData(database.Gateway).RunAsync(actor, wanted, dryRun: false, expected: null, CancellationToken.None));
            await using var app = GatewayHost.Build(database, new Dictionary<string, string?> { ["Http:Port"] = "0" });
            await app.StartAsync();
            if (await app.Services.GetRequiredService<Mappings>().ApproveAsync(actor, Mapping, "bench", CancellationToken.None) is { } refusal)
            {
                throw new InvalidOperationException(refusal);
            }
            using var http = new HttpClient { BaseAddress = new Uri(app.Urls.First()), Timeout = TimeSpan.FromMinutes(10) };
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
            var (csv, epcis) = (new List<double>(), new List<double>());
            for (var round = -1; round < repetitions; round++)
            {
                var file = Csv(units, perMinute, seed: 7_000 + round);
                using var document = new MemoryStream();
                CommissioningDocument.Write(document, units, perMinute, seed: 20261120 + round);
                var taking = await TimeAsync(() => PostAsync(http, $"api/intake/{Mapping}", "text/csv", file));
                var capturing = await TimeAsync(() => PostAsync(http, "capture", "application/xml", document.ToArray()));
                if (round >= 0) // the first round warms up
                {
                    csv.Add(taking);
                    epcis.Add(capturing);
                }
            }
            Console.WriteLine(FormattableString.Invariant($"{units:N0} units, {perMinute:N0} an event; the median of {repetitions}"));
            Print("CSV by its mapping", csv);
            Print("EPCIS 1.2 XML", epcis);
            Console.WriteLine(FormattableString.Invariant($"CSV / EPCIS: {Median(csv) / Median(epcis):0.00}"));
            await app.StopAsync();
        }
        finally
        {
            data.Delete(recursive: true);
        }

        void Print(string what, List<double> times) => Console.WriteLine(FormattableString.Invariant($"{what,-20} median {Median(times),6:0} ms  [{times.Min():0} .. {times.Max():0}]  {units / Median(times) * 1000,8:0} units/s"));
    }

    private static void Told(MasterDataOutcome outcome)
    {
        if (outcome.IsRefused)
        {
            throw new InvalidOperationException(outcome.Findings.All[0].Message);
        }
    }

    private static byte[] Csv(int units, int perMinute, int seed)
    {
        var numbers = new SeededNumbers(seed);
        var at = new DateTime(2026, 6, 1, 6, 0, 0, DateTimeKind.Unspecified);
        var text = new StringBuilder(units * 50);
        text.Append(CultureInfo.InvariantCulture, $"#GTIN;{Gtin}\r\n#LOT;C{seed}\r\n#EXP;31.08.2028\r\n#TZ;UTC\r\n#COUNT;{units}\r\nNr;Seriennummer;Status;Zeit;Station;Grund;Güte\r\n");
        for (var n = 0; n < units; n++)
        {
            text.Append(CultureInfo.InvariantCulture, $"{n + 1};{numbers.Serial(n)};OK;{at.AddMilliseconds((long)n * 60_000 / perMinute):dd.MM.yyyy HH:mm:ss,fff};VIS-01;;A\r\n");
        }
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static async Task PostAsync(HttpClient http, string path, string type, byte[] bytes)
    {
        using var content = new ByteArrayContent(bytes) { Headers = { ContentType = new MediaTypeHeaderValue(type) } };
        using var answer = await http.PostAsync(path, content);
        if (!answer.IsSuccessStatusCode)
        {
            throw new InvalidOperationException(await answer.Content.ReadAsStringAsync());
        }
        for (; ; await Task.Delay(2))
        {
            using var job = JsonDocument.Parse(await http.GetStringAsync(answer.Headers.Location));
            if (!job.RootElement.GetProperty("running").GetBoolean())
            {
                if (!job.RootElement.GetProperty("success").GetBoolean())
                {
                    throw new InvalidOperationException("The file was refused: " + job.RootElement);
                }
                return;
            }
        }
    }
}
