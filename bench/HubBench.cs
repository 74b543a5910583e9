using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Xml;
using Gateway.Access;
using Gateway.Host;
using Gateway.Host.Simulate;
using Gateway.Host.Simulate.Hub;
using Gateway.Units;
using Microsoft.Extensions.Configuration;
using Npgsql;
using static Gateway.Bench.Figures;

namespace Gateway.Bench;

/// <summary>
/// A lot of a million packs released to a hub over mutual TLS: from the release's request until the hub has taken the last message, beside a bare <see cref="XmlWriter"/> that writes the same serial numbers in the same messages to a loopback socket.
/// The memory is the highest of the gateway's process from the release on.
/// </summary>
static class HubBench
{
    private const int MessagePacks = 250_000, Seed = 7, PerEvent = 1_000;
    private const string Gln = "9521234000907";

    public static async Task RunAsync(int packs, int repetitions)
    {
        await using var hub = await HubSimulator.StartAsync(new HubSimulatorOptions());
        await using var gateway = await GatewayProcess.StartAsync();
        var gtin = UnitKey.GtinOf(UnitKey.Of($"urn:epc:id:sgtin:{SimulatedProduct.Default.UnitClass}.1")!).ToString();
        await PrepareAsync(gateway, hub, gtin);
        var (bare, released, told, memory) = (new List<double>(), new List<double>(), new List<double>(), new List<double>());
        for (var round = -1; round < repetitions; round++)
        {
            var units = round < 0 ? MessagePacks / 5 : packs; // the first warms up
            var lot = await CommissionAsync(gateway, units, Seed + round);
            var serials = await SerialsAsync(gateway, gtin, lot);
            var floor = await FloorAsync(serials);
            gateway.ForgetPeak();
            var resting = gateway.PeakMiB();
            var before = hub.Received.Count;
            var start = Stopwatch.GetTimestamp();
            using (var answer = await gateway.Officer.PostAsJsonAsync($"api/hub/lots/{gtin}/{lot}/release", new { reason = "bench" }))
            {
                answer.EnsureSuccessStatusCode();
            }
            var requested = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            while (hub.Received.Skip(before).Where(r => r.Kind == "PackData").Sum(r => r.Count) < units)
            {
                await Task.Delay(10);
            }
            var taken = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            if (round >= 0)
            {
                bare.Add(floor);
                released.Add(taken);
                told.Add(taken - requested);
                memory.Add(gateway.PeakMiB());
                Console.WriteLine(FormattableString.Invariant($"floor {floor,7:0} ms  released, written and taken {taken,7:0} ms: the release itself {requested:0} ms, written and taken {told[^1]:0} ms  ratio {floor / told[^1]:0.00}  peak {memory[^1]:0} MiB, {memory[^1] - resting:0} more than before"));
                await TellMessagesAsync(gateway, lot);
            }
        }
        Console.WriteLine(FormattableString.Invariant($"{packs:N0} packs in messages of {MessagePacks:N0}, medians of {repetitions}: floor {Median(bare):0} ms, gateway {Median(told):0} ms after a release of {Median(released) - Median(told):0} ms, ratio {Median(bare) / Median(told):0.00}, peak {memory.Max():0} MiB"));
        if (hub.Violations.Count > 0)
        {
            throw new InvalidOperationException(hub.Violations[0].Text);
        }
    }

    private static async Task TellMessagesAsync(GatewayProcess gateway, string lot)
    {
        await using var connection = new NpgsqlConnection(gateway.Administrator);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("""
            select extract(epoch from d.created_at - min(d.created_at) over ()) * 1000, extract(epoch from a.ended_at - min(d.created_at) over ()) * 1000
            from hub_lot l join hub_chunk c using (hub_lot_id) join hub_message m using (hub_chunk_id) join delivery d using (delivery_id) join lateral (select max(ended_at) as ended_at from attempt where delivery_id = d.delivery_id) a on true where l.lot = $1 order by 1
            """, connection) { Parameters = { new() { Value = lot } } };
        await using var rows = await command.ExecuteReaderAsync();
        while (await rows.ReadAsync())
        {
            Console.WriteLine(FormattableString.Invariant($"  a message was begun after {rows.GetDecimal(0):0} ms and its last attempt had ended after {(rows.IsDBNull(1) ? 0 : rows.GetDecimal(1)):0} ms"));
        }
    }

    private static async Task PrepareAsync(GatewayProcess gateway, HubSimulator hub, string gtin)
    {
        string key;
        await using (var database = await RunningDatabase.OpenAsync(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["ConnectionStrings:Gateway"] = gateway.Administrator }).Build(), CancellationToken.None))
        {
            await using var work = await database.Gateway.BeginAsync(Actor.System("bench"), CancellationToken.None);
            key = await ApiKeys.CreateAsync(work, await Parties.EnsureAsync(work, "organisation", "Bench", null), "administrator", "bench's administrator", "gwl");
            await work.CommitAsync();
        }
        using var administrator = new HttpClient { BaseAddress = gateway.Officer.BaseAddress, DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", key) } };
        using (var added = await administrator.PostAsJsonAsync("api/partners", new { gln = Gln, name = "Hub", format = "hub", channel = new { kind = "hub", protocol = "emvs", url = hub.Url, clientCertificate = hub.ClientPem, authority = hub.AuthorityPem } }))
        {
            added.EnsureSuccessStatusCode();
        }
        object Company(string id) => new { id, name = $"Company {id}", street = "Main Street 1", city = "Town", postalCode = "12345", country = "DE" };
        using var told = await gateway.Officer.PostAsJsonAsync("api/hub/products", new
        {
            reason = "bench", product = new { gtin, name = "Sample", commonName = "Samplum", form = "tablet", strength = "500 mg", packType = "box", packSize = 20, manufacturer = Company("M1"), markets = ((string[])["DE", "FR"]).Select(c => new { country = c, holder = Company("H1") }) },
        });
        told.EnsureSuccessStatusCode();
        while (hub.Versions.All(v => v.DistributedIn.Count < 2))
        {
            await Task.Delay(50);
        }
        await Task.Delay(3_000); // until the gateway has asked
    }

    private static async Task<string> CommissionAsync(GatewayProcess gateway, int units, int seed)
    {
        var file = Path.GetTempFileName();
        try
        {
            await using (var stream = File.Create(file))
            {
                CommissioningDocument.Write(stream, units, PerEvent, seed);
            }
            await gateway.CaptureAsync(file);
        }
        finally
        {
            File.Delete(file);
        }
        return string.Create(CultureInfo.InvariantCulture, $"BULK{(uint)seed}");
    }

    private static async Task<List<string>> SerialsAsync(GatewayProcess gateway, string gtin, string lot)
    {
        await using var connection = new NpgsqlConnection(gateway.Administrator);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("select substr(u.key, 19) from unit u join lot l using (lot_id) where l.gtin = $1 and l.lot = $2 order by 1", connection) { Parameters = { new() { Value = gtin }, new() { Value = lot } } };
        var serials = new List<string>();
        await using var rows = await command.ExecuteReaderAsync();
        while (await rows.ReadAsync())
        {
            serials.Add(rows.GetString(0));
        }
        return serials;
    }

    // The same messages, and nothing but their elements: no database, no hash, no TLS.
    private static async Task<double> FloorAsync(List<string> serials)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var reading = Task.Run(async () =>
        {
            using var server = await listener.AcceptTcpClientAsync();
            var buffer = new byte[1 << 16];
            while (await server.GetStream().ReadAsync(buffer) > 0)
            {
            }
        });
        var start = Stopwatch.GetTimestamp();
        using (var client = new TcpClient())
        {
            await client.ConnectAsync(IPAddress.Loopback, ((IPEndPoint)listener.LocalEndpoint).Port);
            await using var stream = new BufferedStream(client.GetStream(), 1 << 16);
            foreach (var some in serials.Chunk(MessagePacks))
            {
                using var xml = XmlWriter.Create(stream, new XmlWriterSettings { CloseOutput = false });
                xml.WriteStartElement("PackData", "urn:open-serialization-gateway:hub:1");
                foreach (var serial in some)
                {
                    xml.WriteElementString("Sn", "urn:open-serialization-gateway:hub:1", serial);
                }
                xml.WriteEndDocument();
            }
        }
        await reading;
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }
}
