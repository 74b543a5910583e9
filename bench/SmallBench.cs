using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Xml;
using System.Xml.Schema;
using Epcis.Formats;
using Epcis.Formats.Xml;
using Gateway.Access;
using Gateway.Host;
using Gateway.Host.Simulate;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Bench;

/// <summary>
/// Documents of one event from many senders at once, until every job has ended; beside a bare endpoint on the same server that
/// validates the same bytes and inserts document, event and EPC with one prepared statement in a durable transaction each.
/// </summary>
static class SmallBench
{
    private const int Rounds = 3;
    private const int MostPerSecond = 10_000;
    private static int s_seed;

    /// <returns>How many a second the bare endpoint takes, and how many the gateway.</returns>
    public static async Task<(double Floor, double Gateway)> RunAsync(int clients, double seconds)
    {
        var data = Directory.CreateTempSubdirectory("gateway-bench-");
        Environment.SetEnvironmentVariable("GATEWAY_DATA", data.FullName);
        File.SetUnixFileMode(data.FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        try
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), CancellationToken.None);
            string key;
            await using (var work = await database.Gateway.BeginAsync(Actor.System("bench"), CancellationToken.None))
            {
                key = await ApiKeys.CreateAsync(work, await Parties.EnsureAsync(work, "organisation", "Bench", null), "operator", "bench", "gwl");
                await work.CommitAsync();
            }
            await using var app = GatewayHost.Build(database, new Dictionary<string, string?> { ["Http:Port"] = "0", ["RateLimits:PerKeyPerMinute"] = "10000000" });
            await app.StartAsync();
            await using var source = new NpgsqlDataSourceBuilder(database.AdministratorConnectionString + $";Maximum Pool Size={clients};Max Auto Prepare=10;Auto Prepare Min Usages=2").Build();
            await using var floor = await FloorAsync(source);
            var (bare, captured) = (new List<Result>(), new List<Result>());
            for (var round = -2; round < Rounds; round++)
            {
                var one = await SendAsync(data, floor.Urls.First(), null, clients, seconds, () => Task.CompletedTask);
                var other = await SendAsync(data, app.Urls.First(), key, clients, seconds, () => FinishedAsync(database));
                if (round >= 0) // the first rounds warm up
                {
                    bare.Add(one);
                    captured.Add(other);
                }
            }
            Console.WriteLine($"{clients} clients, documents of one event, {Document().Length} bytes; the median of {Rounds} rounds of {seconds} s");
            var (least, most) = (Print("bare endpoint", bare), Print("capture to finished jobs", captured));
            Console.WriteLine(FormattableString.Invariant($"capture / bare endpoint: {most.PerSecond / least.PerSecond:0.00}; by processor time {least.Processor / most.Processor:0.00}"));
            await app.StopAsync();
            await floor.StopAsync();
            return (least.PerSecond, most.PerSecond);
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }

    private static Result Print(string what, List<Result> results)
    {
        var median = results.OrderBy(r => r.PerSecond).ElementAt(results.Count / 2);
        Console.WriteLine(FormattableString.Invariant(
            $"{what,-26} {median.PerSecond,7:0} /s  [{results.Min(r => r.PerSecond):0} .. {results.Max(r => r.PerSecond):0}]  p50 {median.P50:0.0} ms  p99 {median.P99:0.0} ms  processor {median.Processor * 1000:0} µs each, the database's part {median.Database * 1000:0} µs"));
        return median;
    }

    private static async Task<Result> SendAsync(DirectoryInfo data, string url, string? key, int clients, double seconds, Func<Task> finished)
    {
        var documents = new ConcurrentQueue<byte[]>(Enumerable.Range(0, (int)(MostPerSecond * seconds)).Select(_ => Document()));
        var times = new ConcurrentBag<double>();
        var (own, database) = Processor(data);
        var start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(async () =>
        {
            using var http = new HttpClient { BaseAddress = new Uri(url) };
            if (key is not null)
            {
                http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
            }
            while (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds && documents.TryDequeue(out var document))
            {
                var sent = Stopwatch.GetTimestamp();
                using var content = new ByteArrayContent(document);
                content.Headers.ContentType = new MediaTypeHeaderValue("application/xml");
                using var answer = await http.PostAsync("capture", content);
                if (answer.StatusCode != HttpStatusCode.Accepted)
                {
                    throw new InvalidOperationException($"{answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
                }
                times.Add(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
            }
        })));
        await finished();
        var took = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var sorted = times.Order().ToArray();
        var (ownAfter, databaseAfter) = Processor(data);
        return new Result(sorted.Length / took, sorted[sorted.Length / 2], sorted[sorted.Length * 99 / 100], (ownAfter - own + databaseAfter - database) / sorted.Length, (databaseAfter - database) / sorted.Length);
    }

    private static async Task FinishedAsync(RunningDatabase database)
    {
        while (await database.ScalarAsync<long>("select count(*) from capture where state = 'processing'", CancellationToken.None) > 0)
        {
            await Task.Delay(5);
        }
        var unstored = await database.ScalarAsync<long>("select count(*) from capture where event_count <> 1", CancellationToken.None);
        if (unstored > 0)
        {
            throw new InvalidOperationException($"Of {unstored} captures no event is stored.");
        }
    }

    private static byte[] Document()
    {
        using var buffer = new MemoryStream();
        CommissioningDocument.Write(buffer, units: 1, perEvent: 1, seed: ++s_seed);
        return buffer.ToArray();
    }

    private static async Task<WebApplication> FloorAsync(NpgsqlDataSource source)
    {
        await using (var create = source.CreateCommand("""
            create table bare_document (document_id bigint generated always as identity primary key, at timestamptz not null default now(), body bytea not null);
            create table bare_event (event_id bigint generated always as identity primary key, document_id bigint not null, event_time timestamptz not null, action text not null, biz_step text);
            create table bare_epc (event_id bigint not null, role smallint not null, epc text collate "C" not null);
            create index on bare_event (event_time);
            create index on bare_epc using hash (epc);
            """))
        {
            await create.ExecuteNonQueryAsync();
        }
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.MapPost("/capture", async (HttpContext context) =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            await InsertAsync(source, body);
            context.Response.StatusCode = StatusCodes.Status202Accepted;
        });
        await app.StartAsync();
        return app;
    }

    private static async Task InsertAsync(NpgsqlDataSource source, MemoryStream body)
    {
        body.Position = 0;
        var (name, action, step, at, epcs) = ("", "", "", DateTime.MinValue, new List<string>());
        using var reader = XmlReader.Create(body, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, IgnoreWhitespace = true, ValidationType = ValidationType.Schema, Schemas = EpcisSchemas.For(DocumentForm.Xml12) });
        while (reader.Read())
        {
            if (reader.NodeType == XmlNodeType.Element)
            {
                name = reader.LocalName;
            }
            else if (reader.NodeType == XmlNodeType.Text)
            {
                switch (name)
                {
                    case "epc": epcs.Add(reader.Value); break;
                    case "action": action = reader.Value; break;
                    case "bizStep": step = reader.Value; break;
                    case "eventTime": at = XmlConvert.ToDateTime(reader.Value, XmlDateTimeSerializationMode.Utc); break;
                }
            }
        }
        await using var insert = source.CreateCommand("""
            with d as (insert into bare_document (body) values ($1) returning document_id),
            e as (insert into bare_event (document_id, event_time, action, biz_step) select document_id, $2, $3, $4 from d returning event_id)
            insert into bare_epc (event_id, role, epc) select event_id, 1, epc from e, unnest($5) as u (epc)
            """);
        insert.Parameters.AddWithValue(NpgsqlDbType.Bytea, body.ToArray());
        insert.Parameters.AddWithValue(NpgsqlDbType.TimestampTz, at);
        insert.Parameters.AddWithValue(action);
        insert.Parameters.AddWithValue(step);
        insert.Parameters.AddWithValue(epcs.ToArray());
        await insert.ExecuteNonQueryAsync();
    }

    /// <summary>Milliseconds of this process and of the database's backends: on a machine with other work they say more than the clock.</summary>
    private static (double Own, double Database) Processor(DirectoryInfo data)
    {
        var postmaster = File.ReadLines(data.GetFiles("postmaster.pid", SearchOption.AllDirectories).Single().FullName).First();
        double ticks = 0;
        foreach (var process in Directory.GetDirectories("/proc").Where(d => char.IsAsciiDigit(Path.GetFileName(d)[0])))
        {
            try
            {
                var fields = File.ReadAllText(Path.Combine(process, "stat")).Split(") ")[^1].Split(' ');
                ticks += fields[1] == postmaster ? double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture) : 0;
            }
            catch (IOException)
            {
                // It has just ended.
            }
        }
        return (Environment.CpuUsage.TotalTime.TotalMilliseconds, ticks * 10);
    }

    /// <param name="Processor">Milliseconds of processor time for each document, those of the senders among them.</param>
    private sealed record Result(double PerSecond, double P50, double P99, double Processor, double Database);
}
