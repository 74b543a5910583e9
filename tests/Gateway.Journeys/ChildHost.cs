using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Gateway.TestSupport;

namespace Gateway.Journeys;

/// <summary><c>gateway serve</c> as a process of its own, so that it can be killed.</summary>
public sealed class ChildHost : IAsyncDisposable
{
    private readonly ProcessStartInfo _start;
    private Process _process;

    private ChildHost(ProcessStartInfo start, Uri url)
    {
        (_start, Url) = (start, url);
        _process = Begin();
    }

    public Uri Url { get; }

    public int Id => _process.Id;

    public static Task<ChildHost> StartAsync(TestDatabase database, string dataDirectory) => StartAsync(database.AdministratorConnectionString, dataDirectory);

    /// <param name="settings">Environment variables; a name with two underscores is a setting's.</param>
    public static Task<ChildHost> StartAsync(string administrator, string dataDirectory, params (string Name, string Value)[] settings) =>
        StartAsync(AppContext.BaseDirectory, administrator, dataDirectory, [], settings);

    /// <param name="program">The directory of the host that is started.</param>
    /// <param name="arguments">Of the verb.</param>
    public static async Task<ChildHost> StartAsync(string program, string administrator, string dataDirectory, IReadOnlyList<string> arguments, params (string Name, string Value)[] settings)
    {
        var port = FreePort();
        var info = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in (IEnumerable<string>)[Path.Combine(program, "Gateway.Host.dll"), "serve", .. arguments])
        {
            info.ArgumentList.Add(argument);
        }
        info.Environment["ConnectionStrings__Gateway"] = administrator;
        info.Environment["GATEWAY_DATA"] = dataDirectory;
        info.Environment["GATEWAY_PORT"] = port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        info.Environment["Delivery__AllowPrivateAddresses"] = "true";
        info.Environment["Delivery__RetryBase"] = "00:00:00.200";
        info.Environment["DOTNET_GCgen0size"] = "0x1000000"; // as run.sh starts it, whatever cache the processor has
        info.Environment["Capture__LateAfter"] = "36500.00:00:00"; // the documents of tests are of other years
        foreach (var (name, value) in settings)
        {
            info.Environment[name] = value;
        }
        var host = new ChildHost(info, new Uri($"http://127.0.0.1:{port}"));
        await host.ReadyAsync();
        return host;
    }

    /// <summary>After a kill: the same command at the same address.</summary>
    public Task StartAgainAsync()
    {
        _process.Dispose();
        _process = Begin();
        return ReadyAsync();
    }

    private Process Begin()
    {
        var process = Process.Start(_start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private async Task ReadyAsync()
    {
        using var http = new HttpClient { BaseAddress = Url };
        await Eventually.TrueAsync(async () =>
        {
            try
            {
                return (await http.GetAsync("health/ready")).StatusCode == HttpStatusCode.OK;
            }
            catch (HttpRequestException)
            {
                Assert.False(_process.HasExited, "The child host ended at once.");
                return false;
            }
        });
    }

    /// <summary>The most memory the process ever had resident.</summary>
    public long PeakBytes() => 1024 * long.Parse(
        File.ReadLines($"/proc/{Id}/status").Single(l => l.StartsWith("VmHWM:", StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1],
        System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>SIGKILL: no handler runs, nothing is flushed.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>SIGTERM: what is under way is ended in order.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> StopAsync()
    {
        using (var signal = Process.Start("kill", ["-TERM", Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]))
        {
            await signal.WaitForExitAsync();
        }
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await KillAsync();
        }
        _process.Dispose();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
