using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Xml;
using System.Xml.Schema;
using Epcis.Formats;
using Epcis.Formats.Xml;
using Gateway.Access;
using Gateway.Bench;
using Gateway.Host;
using Gateway.Host.Simulate;
using Npgsql;
using NpgsqlTypes;
using static Gateway.Bench.Figures;

// Capture end to end beside its raw limits, in one run: a bare validating XmlReader over the same bytes, and a bare COPY of the
// same EPC rows into a table with the same hash index. Absolute times on a shared machine mean little; the ratios are the result.
//   dotnet run -c Release --project bench -- [units] [units per event] [repetitions]
//   dotnet run -c Release --project bench -- deliveries [rows]
//   dotnet run -c Release --project bench -- deliver [documents] [captures]
//   dotnet run -c Release --project bench -- epcis [units] [units per event] [repetitions]
//   dotnet run -c Release --project bench -- small [clients] [seconds]
//   dotnet run -c Release --project bench -- table [scale] [rows, such as 1,2,3]
//   dotnet run -c Release --project bench -- naive [units]
//   dotnet run -c Release --project bench -- serials [numbers in the pool] [numbers asked for] [repetitions]
//   dotnet run -c Release --project bench -- devices [devices] [messages a second, 0: as many as go] [seconds]
//   dotnet run -c Release --project bench -- intake [units] [units an event] [repetitions]
//   dotnet run -c Release --project bench -- hub [packs] [repetitions]
//   dotnet run -c Release --project bench -- audit [entries a second] [seconds] [verified entries]
if (args is [GatewayProcess.Verb])
{
    await GatewayProcess.ServeAsync();
    return;
}
if (args is ["table", ..])
{
    await LedgerTable.RunAsync(args.Length > 1 ? double.Parse(args[1], CultureInfo.InvariantCulture) : 1, [.. (args.Length > 2 ? args[2] : "1,2,3,4,5,6,7,11").Split(',').Select(int.Parse)]);
    return;
}
if (args is ["deliveries", ..])
{
    await DeliveriesBench.RunAsync(args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 1_000_000);
    return;
}
if (args is ["deliver", ..])
{
    await DeliverBench.RunAsync(args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 10_000, args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 300);
    return;
}
if (args is ["hub", ..])
{
    await HubBench.RunAsync(args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 1_000_000, args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 3);
    return;
}
if (args is ["small", ..])
{
    await SmallBench.RunAsync(args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 16, args.Length > 2 ? double.Parse(args[2], CultureInfo.InvariantCulture) : 5);
    return;
}
if (args is ["audit", ..])
{
    await AuditBench.RunAsync(args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 3_000, args.Length > 2 ? double.Parse(args[2], CultureInfo.InvariantCulture) : 60, args.Length > 3 ? long.Parse(args[3], CultureInfo.InvariantCulture) : 1_000_000);
    return;
}
if (args is ["serials", ..])
{
    await SerialsBench.RunAsync(args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 10_000_000, args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 10_000, args.Length > 3 ? int.Parse(args[3], CultureInfo.InvariantCulture) : 7);
    return;
}
if (args is ["devices", ..])
{
    await DevicesBench.RunAsync(Setting(1, 160), Setting(2, 1_200), Setting(3, 30));
    return;

    int Setting(int index, int otherwise) => args.Length > index ? int.Parse(args[index], CultureInfo.InvariantCulture) : otherwise;
}
if (args is ["intake", .. var asked])
{
    args = asked;
    await IntakeBench.RunAsync(Number(0, 100_000), Number(1, 600), Number(2, 5));
    return;
}
if (args is ["naive", ..])
{
    await NaiveCapture.RunAsync(args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 10_000);
    return;
}
if (args is ["epcis", .. var rest])
{
    args = rest;
    await EpcisBench.RunAsync(Number(0, 100_000), Number(1, 1_000), Number(2, 5));
    return;
}
var units = Number(0, 100_000);
var perEvent = Number(1, 1_000);
var repetitions = Number(2, 5);

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
    await using var app = GatewayHost.Build(database, new Dictionary<string, string?> { ["Http:Port"] = "0" });
    await app.StartAsync();
    using var http = new HttpClient { BaseAddress = new Uri(app.Urls.First()), Timeout = TimeSpan.FromMinutes(10) };
    http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);

    var read = new List<double>();
    var copy = new List<double>();
    var capture = new List<double>();
    for (var round = -1; round < repetitions; round++)
    {
        using var buffer = new MemoryStream();
        CommissioningDocument.Write(buffer, units, perEvent, seed: 20261120 + round);
        var bytes = buffer.ToArray();
        var reading = Time(() => ReadValidating(bytes));
        var copying = await TimeAsync(() => CopyBareAsync(database.AdministratorConnectionString, bytes));
        var capturing = await TimeAsync(() => CaptureAsync(http, bytes));
        if (round >= 0) // the first round warms up
        {
            read.Add(reading);
            copy.Add(copying);
            capture.Add(capturing);
        }
    }
    Print("validating XmlReader", read);
    Print("bare COPY, hash index", copy);
    Print("capture to finished job", capture);
    Console.WriteLine(FormattableString.Invariant($"(reader + COPY) / capture: {(Median(read) + Median(copy)) / Median(capture):0.00}"));
    Console.WriteLine($"peak resident memory of this process, database excluded: {File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmHWM", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]} kB");
    await app.StopAsync();
}
finally
{
    data.Delete(recursive: true);
}

int Number(int index, int otherwise) => args.Length > index ? int.Parse(args[index], CultureInfo.InvariantCulture) : otherwise;

void Print(string what, List<double> times) =>
    Console.WriteLine(FormattableString.Invariant($"{what,-24} median {Median(times),7:0} ms  [{times.Min():0} .. {times.Max():0}]  {units / Median(times) * 1000,10:0} units/s"));

static double Time(Action action)
{
    var start = Stopwatch.GetTimestamp();
    action();
    return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
}

static void ReadValidating(byte[] bytes)
{
    var settings = new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, ValidationType = ValidationType.Schema, Schemas = EpcisSchemas.For(DocumentForm.Xml12) };
    settings.ValidationEventHandler += (_, e) => throw e.Exception;
    using var reader = XmlReader.Create(new MemoryStream(bytes), settings);
    while (reader.Read())
    {
    }
}

static async Task CopyBareAsync(string connectionString, byte[] bytes)
{
    await using var connection = new NpgsqlConnection(connectionString);
    await connection.OpenAsync();
    await using (var create = new NpgsqlCommand("drop table if exists bare; create table bare (event_id bigint not null, party_id int not null, period smallint not null, role smallint not null, epc text collate \"C\" not null); create index on bare using hash (epc)", connection))
    {
        await create.ExecuteNonQueryAsync();
    }
    using var reader = XmlReader.Create(new MemoryStream(bytes), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit });
    await using var writer = await connection.BeginBinaryImportAsync("copy bare (event_id, party_id, period, role, epc) from stdin (format binary)");
    long id = 0;
    while (reader.Read())
    {
        if (reader.NodeType == XmlNodeType.Element && reader.LocalName == "ObjectEvent")
        {
            id++;
        }
        else if (reader.NodeType == XmlNodeType.Element && reader.LocalName == "epc")
        {
            reader.Read();
            await writer.StartRowAsync();
            await writer.WriteAsync(id, NpgsqlDbType.Bigint);
            await writer.WriteAsync(1, NpgsqlDbType.Integer);
            await writer.WriteAsync((short)2026, NpgsqlDbType.Smallint);
            await writer.WriteAsync((short)1, NpgsqlDbType.Smallint);
            await writer.WriteAsync(reader.Value, NpgsqlDbType.Text);
        }
    }
    await writer.CompleteAsync();
}

static async Task CaptureAsync(HttpClient http, byte[] bytes)
{
    using var content = new ByteArrayContent(bytes);
    content.Headers.ContentType = new MediaTypeHeaderValue("application/xml");
    using var answer = await http.PostAsync("capture", content);
    answer.EnsureSuccessStatusCode();
    while (true)
    {
        using var job = JsonDocument.Parse(await http.GetStringAsync(answer.Headers.Location));
        if (!job.RootElement.GetProperty("running").GetBoolean())
        {
            if (!job.RootElement.GetProperty("success").GetBoolean())
            {
                throw new InvalidOperationException("The document was refused: " + job.RootElement);
            }
            return;
        }
        await Task.Delay(2);
    }
}
