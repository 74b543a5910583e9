using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using Gateway.Access;
using Gateway.Host;
using Gateway.Host.Simulate;
using Microsoft.AspNetCore.Builder;
using Npgsql;

namespace Gateway.Bench;

/// <summary>
/// The gateway in a process of its own with a database of its own, so that its memory and processor time are apart from those of
/// what it is measured beside. A paused partner takes the shipments, so that each has its row in the outbox.
/// </summary>
internal sealed class GatewayProcess : IAsyncDisposable
{
    /// <summary>The argument that makes this program such a process.</summary>
    public const string Verb = "serve";

    /// <summary>Requests to one partner at the same time, as many as the floor makes.</summary>
    public const int InFlightPerPartner = 16;

    private readonly DirectoryInfo _data;
    private readonly Process _process;

    private GatewayProcess(DirectoryInfo data, Process process, string url, string key, string officersKey, string administrator)
    {
        (_data, _process, Administrator) = (data, process, administrator);
        (Http, Officer) = (With(key), With(officersKey));
        Floor = new NpgsqlConnectionStringBuilder(administrator) { Database = "floor" }.ConnectionString;

        HttpClient With(string secret) => new() { BaseAddress = new Uri(url), Timeout = TimeSpan.FromMinutes(30), DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", secret) } };
    }

    public static SimulatedParty Partner => DemonstrationCast.Partners[0].Party;

    /// <summary>With a key that may capture and query.</summary>
    public HttpClient Http { get; }

    /// <summary>With an officer's key.</summary>
    public HttpClient Officer { get; }

    /// <summary>The administrator's connection string of the gateway's database.</summary>
    public string Administrator { get; }

    /// <summary>The same of an empty database beside it, on the same server.</summary>
    public string Floor { get; }

    public static async Task<GatewayProcess> StartAsync()
    {
        var data = Directory.CreateTempSubdirectory("gateway-bench-");
        File.SetUnixFileMode(data.FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "Gateway.Bench"), Verb) { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.Environment["GATEWAY_DATA"] = data.FullName;
        start.Environment["DOTNET_TieredPGO"] = "0"; // as the gateway's own program is built
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, e) =>
        {
            // What goes wrong in it would make any figure worthless.
            if (e.Data is { } line && (line.Contains(" fail: ", StringComparison.Ordinal) || line.Contains(" crit: ", StringComparison.Ordinal)))
            {
                Console.Error.WriteLine(line);
            }
        };
        process.BeginOutputReadLine();
        var ready = Path.Combine(data.FullName, "ready");
        while (!File.Exists(ready))
        {
            if (process.HasExited)
            {
                throw new InvalidOperationException("The gateway did not start.");
            }
            await Task.Delay(50);
        }
        var told = await File.ReadAllLinesAsync(ready);
        return new GatewayProcess(data, process, told[0], told[1], told[2], told[3]);
    }

    /// <summary>What the process does: it serves until its standard input ends, with whoever started it.</summary>
    public static async Task ServeAsync()
    {
        await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), CancellationToken.None);
        string key, officersKey;
        await using (var work = await database.Gateway.BeginAsync(Actor.System("bench"), CancellationToken.None))
        {
            var party = await Parties.EnsureAsync(work, "organisation", "Bench", null);
            (key, officersKey) = (await ApiKeys.CreateAsync(work, party, "operator", "bench", "gwl"), await ApiKeys.CreateAsync(work, party, "officer", "bench's officer", "gwl"));
            await work.CommitAsync();
        }
        await using (var connection = new NpgsqlConnection(database.AdministratorConnectionString))
        {
            await connection.OpenAsync();
            await using var partner = new NpgsqlCommand($"""
                select set_config('app.actor', 'bench', false), set_config('app.party', '*', false);
                insert into party (kind, name) values ('partner', 'Partner');
                insert into partner (party_id, name, format, channel, url, state, pause_reason, created_at)
                select party_id, name, '1.2-xml', 'https', 'https://example.org', 'paused', 'bench', gateway_now() from party where kind = 'partner';
                insert into partner_gln (gln, partner_id) select '{Partner.Owner.Gln}', partner_id from partner
                """, connection);
            await partner.ExecuteNonQueryAsync();
            await using var floor = new NpgsqlCommand("create database floor", connection);
            await floor.ExecuteNonQueryAsync();
        }
        await using var app = GatewayHost.Build(database, new Dictionary<string, string?> { ["Http:Port"] = "0", ["RateLimits:PerKeyPerMinute"] = "10000000", ["Delivery:AllowPrivateAddresses"] = "true", ["Delivery:MaxInFlight"] = $"{5 * InFlightPerPartner}", ["Delivery:MaxInFlightPerPartner"] = $"{InFlightPerPartner}" });
        await app.StartAsync();
        var ready = Path.Combine(DataDirectory.Path, "ready");
        await File.WriteAllLinesAsync(ready + ".new", [app.Urls.First(), key, officersKey, database.AdministratorConnectionString]);
        File.Move(ready + ".new", ready);
        await Console.In.ReadToEndAsync();
        await app.StopAsync();
    }

    /// <summary>Sends a document and waits until its job has ended well.</summary>
    public async Task CaptureAsync(string file)
    {
        using var content = new StreamContent(File.OpenRead(file));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/xml");
        using var answer = await Http.PostAsync("capture", content);
        answer.EnsureSuccessStatusCode();
        var start = Stopwatch.GetTimestamp();
        while (true)
        {
            using var job = JsonDocument.Parse(await Http.GetStringAsync(answer.Headers.Location));
            if (!job.RootElement.GetProperty("running").GetBoolean())
            {
                if (!job.RootElement.GetProperty("success").GetBoolean())
                {
                    throw new InvalidOperationException("The document was refused: " + job.RootElement);
                }
                return;
            }
            // Asking costs what capturing wants: the answer may be late by a fiftieth.
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Max(2, Stopwatch.GetElapsedTime(start).TotalMilliseconds / 50)));
        }
    }

    /// <summary>Processor time of the gateway, and of everything that its server runs, in milliseconds.</summary>
    public (double Gateway, double Database) Processor()
    {
        _process.Refresh();
        var postmaster = File.ReadLines(_data.GetFiles("postmaster.pid", SearchOption.AllDirectories).Single().FullName).First();
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
        return (_process.TotalProcessorTime.TotalMilliseconds, ticks * 10);
    }

    /// <summary>The peak of resident memory is counted from here on. Only root may ask for that.</summary>
    public void ForgetPeak() => File.WriteAllText($"/proc/{_process.Id}/clear_refs", "5");

    /// <summary>The most memory that the gateway's process had resident, its database not counted, in MiB.</summary>
    public double PeakMiB() => double.Parse(
        File.ReadLines($"/proc/{_process.Id}/status").First(l => l.StartsWith("VmHWM", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        Officer.Dispose();
        NpgsqlConnection.ClearAllPools();
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _data.Delete(recursive: true);
    }
}
