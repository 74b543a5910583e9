using System.Globalization;
using System.Net;
using System.Text.Json;
using Gateway.Host.Simulate;
using Gateway.Units;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;
using static Gateway.Bench.Figures;

namespace Gateway.Bench;

/// <summary>
/// One table of what the gateway does beside its limits, each limit taken in the same run by the same parts with nothing else
/// around them. Everything that the product does with a document is in its times: HTTP, rules, original bytes, units, outbox, audit.
/// </summary>
internal sealed class LedgerTable : IAsyncDisposable
{
    private const int PerEvent = 1_000;
    private readonly double _scale;
    private readonly DirectoryInfo _files = Directory.CreateTempSubdirectory("gateway-bench-files-");
    private GatewayProcess _gateway = null!;
    private CaptureFloor _floor = null!;
    private int _seed = Environment.TickCount & 0xFFFFFF;

    private LedgerTable(double scale) => _scale = scale;

    /// <param name="scale">1 for the whole; less to see that it runs.</param>
    /// <param name="rows">The numbers of the rows that are wanted.</param>
    public static async Task RunAsync(double scale, IReadOnlyCollection<int> rows)
    {
        await using var table = new LedgerTable(scale);
        table._gateway = await GatewayProcess.StartAsync();
        table._floor = await CaptureFloor.OpenAsync(table._gateway.Floor);
        await table.MeasureAsync(rows);
    }

    private async Task MeasureAsync(IReadOnlyCollection<int> rows)
    {
        var documents = Scaled(100_000);
        await WarmUpAsync();
        if (rows.Contains(1) || rows.Contains(11))
        {
            await CaptureAsync("1", "commissioned, packed and shipped", f => Shipment(f, documents));
        }
        if (rows.Contains(11))
        {
            await SizesAsync(); // nothing but shipments is stored yet
        }
        if (rows.Contains(1))
        {
            await CaptureAsync("1", "commissioned, 1,000 in each event", f => Commissioning(f, documents, PerEvent));
        }
        if (rows.Contains(2))
        {
            await CaptureAsync("2", "commissioned in one event", f => Commissioning(f, documents, documents));
        }
        if (rows.Contains(3))
        {
            await MillionAsync();
        }
        var empty = rows.Contains(7) ? await PlainCapturesAsync() : new Cost(0, 0);
        if (rows.Contains(4))
        {
            await FillAsync(2_500_000); // each is named by two events
            await SustainedAsync();
        }
        if (rows.Contains(5))
        {
            var (least, taken) = await SmallBench.RunAsync(clients: 16, seconds: Math.Max(1, 5 * _scale));
            Row("5", "one-event captures from 16 clients", $"{least:0} /s", $"{taken:0} /s", Ratio(taken / least), "", "≥ 0.6", taken / least >= 0.6);
        }
        if (rows.Contains(6) || rows.Contains(7))
        {
            await FillAsync(10_000_000);
        }
        if (rows.Contains(6))
        {
            await LookUpsAsync();
        }
        if (rows.Contains(7))
        {
            await DescendantsAsync();
            var loaded = await PlainCapturesAsync();
            Row("7", $"a shipment captured beside {Units:N0} units, floor: into an empty ledger", Ms(empty), Ms(loaded), Ratio(empty.Time / loaded.Time), Ratio(empty.Processor / loaded.Processor), "≥ 0.85", empty.Time / loaded.Time >= 0.85);
        }
    }

    private int Scaled(int count) => Math.Max(1, (int)(count * _scale));

    private static string Ms(double ms) => ms.ToString(ms < 10 ? "0.00" : "0", CultureInfo.InvariantCulture) + " ms";

    private static string Ms(Cost cost) => $"{Ms(cost.Time)} ({cost.Processor:0})";

    private static string Both(IReadOnlyList<double> times) => $"{Ms(Percentile(times, 50))} / {Ms(Percentile(times, 99))}";

    private static string Ratio(double ratio) => ratio.ToString("0.00", CultureInfo.InvariantCulture);

    private static void Row(string number, string what, string floor, string product, string ratio = "", string processor = "", string target = "", bool? isMet = null) =>
        Console.WriteLine($"| {number} | {what} | {floor} | {product} | {ratio} | {processor} | {target} | {isMet switch { true => "yes", false => "no", null => "" }} |");

    /// <summary>Where the machine has other work too, processor time says more than the clock.</summary>
    private sealed record Cost(double Time, double Processor)
    {
        public static Cost Median(IReadOnlyCollection<Cost> costs) => new(Figures.Median(costs.Select(c => c.Time)), Figures.Median(costs.Select(c => c.Processor)));
    }

    private async Task<Cost> FloorAsync(Func<Task> action)
    {
        var (own, database) = (Environment.CpuUsage.TotalTime.TotalMilliseconds, _gateway.Processor().Database);
        var time = await TimeAsync(action);
        return new Cost(time, Environment.CpuUsage.TotalTime.TotalMilliseconds - own + _gateway.Processor().Database - database);
    }

    private async Task<Cost> ProductAsync(Func<Task> action)
    {
        var before = _gateway.Processor();
        var time = await TimeAsync(action);
        var after = _gateway.Processor();
        return new Cost(time, after.Gateway - before.Gateway + after.Database - before.Database);
    }

    private string Document(string name, Action<Stream> write)
    {
        var path = Path.Combine(_files.FullName, name);
        using var file = File.Create(path);
        write(file);
        return path;
    }

    private void Shipment(Stream to, int units) => BulkShipmentDocument.Write(to, units, LedgerFill.UnitsPerCase, LedgerFill.CasesPerPallet, PerEvent, ++_seed, GatewayProcess.Partner);

    private void Commissioning(Stream to, int units, int perEvent) => CommissioningDocument.Write(to, units, perEvent, ++_seed);

    private async Task WarmUpAsync()
    {
        Console.WriteLine("Times with the processor's in brackets, which counts every process of the database.");
        Row("#", "what", "floor", "gateway", "ratio", "by processor time", "target", null);
        Row("---", "---", "---", "---", "---", "---", "---", null);
        for (var n = 0; n < 12; n++)
        {
            var file = Document("warm", f => Shipment(f, Scaled(20_000)));
            await _floor.CaptureAsync(file);
            await _gateway.CaptureAsync(file);
        }
    }

    /// <summary>A kind of document by the floor and by the gateway in turn.</summary>
    private async Task CaptureAsync(string number, string what, Action<Stream> write)
    {
        const int Rounds = 7;
        const double Target = 0.35;
        var (floor, product) = (new List<Cost>(), new List<Cost>());
        var epcs = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var file = Document("document", write);
            epcs = CaptureFloor.EpcsOf(file).Count;
            floor.Add(await FloorAsync(() => _floor.CaptureAsync(file)));
            product.Add(await ProductAsync(() => _gateway.CaptureAsync(file)));
        }
        var (least, taken) = (Cost.Median(floor), Cost.Median(product));
        Row(number, $"{epcs:N0} EPCs, {what}", Ms(least), $"{Ms(taken)}, {epcs / taken.Time:0} k/s", Ratio(least.Time / taken.Time), Ratio(least.Processor / taken.Processor), $"≥ {Target}", least.Time / taken.Time >= Target);
    }

    /// <summary>What the shipments captured so far take on disk, part by part.</summary>
    private async Task SizesAsync()
    {
        await using var connection = new NpgsqlConnection(_gateway.Administrator);
        await connection.OpenAsync();
        await using (var vacuum = new NpgsqlCommand("vacuum unit_row, event_epc, event_class, event, event_identity", connection) { CommandTimeout = 0 })
        {
            await vacuum.ExecuteNonQueryAsync();
        }
        var (units, epcs) = (await CountAsync("unit_row"), await CountAsync("event_epc"));
        var packed = await CountAsync("unit_row where children is null");
        var perEpc = 0.0;
        var perUnit = 0.0;
        foreach (var (table, name, bytes) in await PartsAsync(connection))
        {
            var each = table switch { "event_epc" => epcs, "unit_row" => units, _ => packed };
            Row("11", name, "", $"{bytes / 1048576.0:0.0} MiB", string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)each:0.0} B"), "", $"each {(table switch { "event_epc" => "EPC row", "unit_row" => "unit row", _ => "saleable unit" })}");
            perUnit += bytes / (double)packed;
            perEpc += table == "event_epc" ? bytes / (double)epcs : 0;
        }
        Row("11", "an EPC row with its look-up index", "131 B", string.Create(CultureInfo.InvariantCulture, $"{perEpc:0} B"), Ratio(perEpc / 131), "", "≤ 150 B", perEpc <= 150);
        Row("11", "a packed unit with all its rows, indexes and events", "", string.Create(CultureInfo.InvariantCulture, $"{perUnit:0} B"));

        async Task<long> CountAsync(string rows)
        {
            await using var count = new NpgsqlCommand($"select count(*) from {rows}", connection);
            return (long)(await count.ExecuteScalarAsync())!;
        }
    }

    private static async Task<List<(string Table, string Name, long Bytes)>> PartsAsync(NpgsqlConnection connection)
    {
        var parts = new List<(string, string, long)>();
        await using var sizes = new NpgsqlCommand("""
            select t.name, case when c.relkind in ('i', 'I') then 'index ' else 'table ' end || regexp_replace(c.relname, '_y\d+|_idx$', '', 'g'), sum(pg_relation_size(c.oid) + case when c.relkind = 'r' and c.reltoastrelid <> 0 then pg_total_relation_size(c.reltoastrelid) else 0 end)::bigint
            from (values ('event_epc'), ('event_class'), ('unit_row'), ('event'), ('event_identity')) t (name)
            join pg_class h on h.relkind = 'r' and regexp_replace(h.relname, '_y\d+$', '') = t.name
            join pg_class c on c.oid = h.oid or c.oid in (select indexrelid from pg_index where indrelid = h.oid)
            group by 1, 2 having sum(pg_relation_size(c.oid)) > 1000000 order by 1, 2 desc
            """, connection);
        await using var rows = await sizes.ExecuteReaderAsync();
        while (await rows.ReadAsync())
        {
            parts.Add((rows.GetString(0), rows.GetString(1), rows.GetInt64(2)));
        }
        return parts;
    }

    /// <summary>Sizes from a thousand to a million in turn, with the gateway's memory.</summary>
    private async Task MillionAsync()
    {
        int[] sizes = [1_000, 10_000, Scaled(100_000), Scaled(1_000_000)];
        var floor = sizes.Select(_ => new List<Cost>()).ToArray();
        var product = sizes.Select(_ => new List<Cost>()).ToArray();
        var memory = sizes.Select(_ => new List<double>()).ToArray();
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < sizes.Length; i++)
            {
                var file = Document("document", f => Commissioning(f, sizes[i], PerEvent));
                floor[i].Add(await FloorAsync(() => _floor.CaptureAsync(file)));
                _gateway.ForgetPeak();
                product[i].Add(await ProductAsync(() => _gateway.CaptureAsync(file)));
                memory[i].Add(_gateway.PeakMiB());
            }
        }
        for (var i = 0; i < sizes.Length; i++)
        {
            var (least, taken) = (Cost.Median(floor[i]), Cost.Median(product[i]));
            bool? isMet = i == sizes.Length - 1 ? taken.Time / least.Time <= 2.5 : null;
            Row("3", $"{sizes[i]:N0} EPCs commissioned, of the floor's time", Ms(least), $"{Ms(taken)}, {sizes[i] / taken.Time:0} k/s", Ratio(taken.Time / least.Time), Ratio(taken.Processor / least.Processor), isMet is null ? "" : "≤ 2.5", isMet);
        }
        var (few, many) = (Cost.Median(product[^2]), Cost.Median(product[^1]));
        Row("3", "an EPC of the largest, of one of the next", "", "", Ratio(many.Time / sizes[^1] / (few.Time / sizes[^2])), Ratio(many.Processor / sizes[^1] / (few.Processor / sizes[^2])));
        var (small, large) = (memory[^2].Max(), memory[^1].Max());
        Row("3", "peak resident memory, of that with a tenth", $"{small:0} MiB", $"{large:0} MiB", Ratio(large / small), "", "≤ 256 MiB, ≤ 1.3", large <= 256 && large / small <= 1.3);
    }

    private async Task<Cost> PlainCapturesAsync()
    {
        var costs = new List<Cost>();
        for (var round = 0; round < 7; round++)
        {
            var file = Document("document", f => Shipment(f, Scaled(100_000)));
            costs.Add(await ProductAsync(() => _gateway.CaptureAsync(file)));
        }
        return Cost.Median(costs);
    }

    private int _pallets;

    private async Task FillAsync(long units)
    {
        var pallets = LedgerFill.PalletsFor((long)(units * _scale));
        Console.Error.WriteLine($"filling {pallets * LedgerFill.UnitsPerPallet:N0} units");
        await LedgerFill.FillAsync(_gateway.Administrator, _pallets, pallets);
        await _floor.FillAsync(_pallets, pallets);
        await _floor.SettleAsync();
        _pallets = pallets;
    }

    /// <summary>One document after the other, the next on its way while one is processed.</summary>
    private async Task SustainedAsync()
    {
        const int Documents = 10;
        var (floor, product) = (new List<Cost>(), new List<Cost>());
        var epcs = 0;
        for (var round = 0; round < 3; round++)
        {
            var files = Enumerable.Range(0, Documents).Select(n => Document($"document{n}", f => Commissioning(f, Scaled(100_000), PerEvent))).ToList();
            var lists = files.Select(CaptureFloor.EpcsOf).ToList();
            epcs = lists.Sum(l => l.Count);
            floor.Add(await FloorAsync(async () =>
            {
                foreach (var list in lists)
                {
                    await _floor.CopyAsync(list);
                }
            }));
            product.Add(await ProductAsync(async () =>
            {
                var before = Task.CompletedTask;
                foreach (var file in files)
                {
                    var next = _gateway.CaptureAsync(file);
                    await before;
                    before = next;
                }
                await before;
            }));
        }
        var (least, taken) = (Cost.Median(floor), Cost.Median(product));
        Row("4", $"{Documents} times {Scaled(100_000):N0} EPCs commissioned beside {Units * 2:N0} EPC rows, floor: COPY of the EPC rows alone", $"{Ms(least)}, {epcs / least.Time:0} k/s", $"{Ms(taken)}, {epcs / taken.Time:0} k/s",
            Ratio(least.Time / taken.Time), Ratio(least.Processor / taken.Processor), "≥ 0.8", least.Time / taken.Time >= 0.8);
    }

    private async Task LookUpsAsync()
    {
        var (probe, _) = await ProbeAsync(_gateway.Floor, "select event_id, role from event_epc where epc = $1", NpgsqlDbType.Text, random => LedgerFill.Unit(random.NextInt64(Units)));
        await using var bare = await BareEndpointAsync();
        using var http = new HttpClient { BaseAddress = new Uri(bare.Urls.First()) };
        var trip = await AskAsync(http, _ => "");
        Row("6", "floor: one look by the hash index; HTTP without anything", $"{Both(probe)}; {Both(trip!)}", "");
        await AnswerAsync("6", "state by EPC: /api/units", r => "api/units?epc=" + Uri.EscapeDataString(LedgerFill.Unit(r.NextInt64(Units))), 1, 5);
        await AnswerAsync("6", "events by EPC: /events", r => "events?MATCH_anyEPC=" + Uri.EscapeDataString(LedgerFill.Unit(r.NextInt64(Units))), 1, 5);
        await AnswerAsync("6", "history: /api/units/history", r => "api/units/history?epc=" + Uri.EscapeDataString(LedgerFill.Unit(r.NextInt64(Units))), 1, 5);
    }

    private long Units => (long)_pallets * LedgerFill.UnitsPerPallet;

    private async Task DescendantsAsync()
    {
        var (floor, _) = await ProbeAsync(_gateway.Floor, CaptureFloor.Descendants, NpgsqlDbType.Bigint, random => CaptureFloor.FirstPallet + random.NextInt64(_pallets));
        // As the application sees it, through row security.
        var (ledger, count) = await ProbeAsync(new NpgsqlConnectionStringBuilder(_gateway.Administrator) { Username = "gateway_app", Options = "-c app.party=* -c jit=off" }.ConnectionString, $"""
            with recursive below (unit_id, children, depth) as (
                select unit_id, children, 0 from unit where head = {UnitKey.Head(UnitKey.Of(LedgerFill.Pallet(0))!)} and hash = $1
                union select u.unit_id, u.children, b.depth + 1 from below b join unit u on u.parent_id = b.unit_id where b.children is not null)
            select unit_id, depth from below where depth > 0
            """, NpgsqlDbType.Bigint, random => UnitKey.Hash(UnitKey.Of(LedgerFill.Pallet(random.NextInt64(_pallets)))!));
        var ratio = Percentile(ledger, 50) / Percentile(floor, 50);
        Row("7", $"pallet to {count:N0} descendants, p50 / p99 in the database", Both(floor), Both(ledger), Ratio(ratio), "", "≤ 3", ratio <= 3);
        await AnswerAsync("7", "contents, 2,000 on a page: /api/units/contents", r => "api/units/contents?limit=2000&epc=" + Uri.EscapeDataString(LedgerFill.Pallet(r.NextInt64(_pallets))), 5, 15);
    }

    /// <summary>A prepared statement with one random value after the other.</summary>
    private async Task<(List<double> Times, int Rows)> ProbeAsync(string database, string sql, NpgsqlDbType type, Func<Random, object> value)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new NpgsqlParameter { NpgsqlDbType = type } } };
        var (random, times, count) = (new Random(1), new List<double>(), 0);
        for (var n = -200; n < 2_000; n++)
        {
            command.Parameters[0].Value = value(random);
            if (n == -200)
            {
                await command.PrepareAsync();
            }
            count = 0;
            var time = await TimeAsync(async () =>
            {
                await using var rows = await command.ExecuteReaderAsync();
                while (await rows.ReadAsync())
                {
                    count++;
                }
            });
            if (n >= 0)
            {
                times.Add(time);
            }
        }
        return (times, count);
    }

    private async Task AnswerAsync(string number, string what, Func<Random, string> path, double p50, double p99)
    {
        if (await AskAsync(_gateway.Http, path) is not { } times)
        {
            Row(number, what, "", "not there yet");
            return;
        }
        Row(number, what, "", Both(times), "", "", $"p50 ≤ {p50} ms, p99 ≤ {p99} ms", Percentile(times, 50) <= p50 && Percentile(times, 99) <= p99);
    }

    /// <returns>Null when there is no such thing.</returns>
    private static async Task<List<double>?> AskAsync(HttpClient http, Func<Random, string> path)
    {
        var (random, times) = (new Random(2), new List<double>());
        for (var n = -2_000; n < 2_000; n++) // every pooled connection has its plans, and the runtime has compiled at its best
        {
            var missing = false;
            var uri = path(random);
            var time = await TimeAsync(async () =>
            {
                using var answer = await http.GetAsync(uri);
                await answer.Content.ReadAsByteArrayAsync();
                missing = answer.StatusCode == HttpStatusCode.NotFound;
                if (!missing)
                {
                    answer.EnsureSuccessStatusCode();
                }
            });
            if (missing)
            {
                return null;
            }
            if (n >= 0)
            {
                times.Add(time);
            }
        }
        return times;
    }

    private static async Task<WebApplication> BareEndpointAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.MapGet("/", () => Results.Bytes(new byte[1000]));
        await app.StartAsync();
        return app;
    }

    public async ValueTask DisposeAsync()
    {
        if (_floor is not null)
        {
            await _floor.DisposeAsync();
        }
        if (_gateway is not null)
        {
            await _gateway.DisposeAsync();
        }
        _files.Delete(recursive: true);
    }
}
