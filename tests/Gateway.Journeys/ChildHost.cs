using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Gateway.TestSupport;

namespace Gateway.Journeys;

/// <summary><c>gateway serve</c> as a process of its own, so that it can be killed.</summary>
public sealed class ChildHost : IAsyncDisposable
{
    private readonly Process _process;

    private ChildHost(Process process, Uri url)
    {
        _process = process;
        Url = url;
    }

    public Uri Url { get; }

    public static async Task<ChildHost> StartAsync(TestDatabase database, string dataDirectory)
    {
        var port = FreePort();
        var info = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        info.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "Gateway.Host.dll"));
        info.ArgumentList.Add("serve");
        info.Environment["ConnectionStrings__Gateway"] = database.AdministratorConnectionString;
        info.Environment["GATEWAY_DATA"] = dataDirectory;
        info.Environment["GATEWAY_PORT"] = port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        info.Environment["Delivery__AllowPrivateAddresses"] = "true";
        info.Environment["Delivery__RetryBase"] = "00:00:00.200";
        var process = Process.Start(info)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var url = new Uri($"http://127.0.0.1:{port}");
        using var http = new HttpClient { BaseAddress = url };
        await Eventually.TrueAsync(async () =>
        {
            try
            {
                return (await http.GetAsync("health/ready")).StatusCode == HttpStatusCode.OK;
            }
            catch (HttpRequestException)
            {
                Assert.False(process.HasExited, "The child host ended at once.");
                return false;
            }
        });
        return new ChildHost(process, url);
    }

    /// <summary>SIGKILL: no handler runs, nothing is flushed.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
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
