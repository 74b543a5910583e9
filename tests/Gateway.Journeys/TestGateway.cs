using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.Access;
using Gateway.Audit;
using Gateway.Database;
using Gateway.Host;
using Gateway.Host.Simulate;
using Gateway.TestSupport;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace Gateway.Journeys;

/// <summary>The whole host on a fresh database and a real socket, with a simulated partner beside it.</summary>
public sealed class TestGateway : IAsyncDisposable
{
    private readonly RunningDatabase _running;
    private readonly WebApplication _app;

    private TestGateway(TestDatabase database, RunningDatabase running, WebApplication app, PartnerSimulator partner, Dictionary<string, string> keys)
    {
        Database = database;
        _running = running;
        _app = app;
        Partner = partner;
        Keys = keys;
        Url = new Uri(app.Urls.First());
    }

    public TestDatabase Database { get; }
    public PartnerSimulator Partner { get; }
    public Uri Url { get; }

    /// <summary>Tokens by role.</summary>
    public IReadOnlyDictionary<string, string> Keys { get; }

    public static Dictionary<string, string?> Settings => new()
    {
        ["Http:Port"] = "0", ["Delivery:AllowPrivateAddresses"] = "true", ["Delivery:Folders:0"] = s_folders, ["Delivery:RetryBase"] = "00:00:00.200",
        ["Capture:LateAfter"] = "36500.00:00:00", // the documents of tests are of other years
        ["Audit:AnchorFile"] = Path.Combine(s_sealing, Guid.NewGuid().ToString("N")), ["Audit:SealKey"] = Path.Combine(s_sealing, "key.pem"),
    };

    private static readonly string s_folders = Path.Combine(Path.GetTempPath(), $"gateway-tests-{Environment.ProcessId}", "partners");

    private static readonly string s_sealing = Path.Combine(Path.GetTempPath(), $"gateway-tests-{Environment.ProcessId}", "sealing");

    /// <summary>Where the demonstration's partners that take files have their folders.</summary>
    public static DemonstrationFolders Folders => new(s_folders);

    /// <summary>The host's own services, to look at what it has mapped.</summary>
    public IServiceProvider Services => _app.Services;

    public static Task<TestGateway> StartAsync((string Name, string Value) setting, params (string Name, string Value)[] more) =>
        StartAsync(more.Prepend(setting).ToDictionary(s => s.Name, s => (string?)s.Value));

    /// <param name="settings">Besides those of every test.</param>
    /// <param name="extend">Adds to the host what only a test has, such as an endpoint that fails.</param>
    public static async Task<TestGateway> StartAsync(IReadOnlyDictionary<string, string?>? settings = null, Action<WebApplication>? extend = null)
    {
        var database = await TestDatabase.CreateAsync();
        var keys = await MakeKeysAsync(database);
        var running = await RunningDatabase.OpenAsync(
            new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["ConnectionStrings:Gateway"] = database.AdministratorConnectionString }).Build(), CancellationToken.None);
        var app = GatewayHost.Build(running, With(settings));
        extend?.Invoke(app);
        await app.StartAsync();
        return new TestGateway(database, running, app, await PartnerSimulator.StartAsync(TimeProvider.System), keys);
    }

    /// <summary>A second host on the same database, in this process.</summary>
    public async Task<AnotherNode> AnotherNodeAsync(IReadOnlyDictionary<string, string?> settings)
    {
        var node = GatewayHost.Build(_running, With(settings));
        await node.StartAsync();
        return new AnotherNode(node);
    }

    private static Dictionary<string, string?> With(IReadOnlyDictionary<string, string?>? settings)
    {
        var all = Settings;
        foreach (var (key, value) in settings ?? new Dictionary<string, string?>())
        {
            all[key] = value;
        }
        return all;
    }

    public static Task<Dictionary<string, string>> MakeKeysAsync(TestDatabase database) => MakeKeysAsync(database.Gateway);

    public static async Task<Dictionary<string, string>> MakeKeysAsync(GatewayDatabase database)
    {
        var keys = new Dictionary<string, string>();
        await using var work = await database.BeginAsync(Actor.System("test"), CancellationToken.None);
        foreach (var role in await RolesAsync(work))
        {
            var kind = role is "cmo" or "partner" ? role : "organisation";
            keys[role] = await ApiKeys.CreateAsync(work, await Parties.EnsureAsync(work, kind, $"The {kind}", null), role, role, "gwl");
        }
        await work.CommitAsync();
        return keys;
    }

    private static async Task<IReadOnlyList<string>> RolesAsync(Work work)
    {
        await using var command = new NpgsqlCommand("select array_agg(role order by role) from role", work.Connection, work.Transaction);
        return (string[])(await command.ExecuteScalarAsync())!;
    }

    public HttpClient Client(string role)
    {
        var client = new HttpClient { BaseAddress = Url };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Keys[role]);
        return client;
    }

    /// <summary>Adds a partner whose endpoint is a path of the simulator.</summary>
    public async Task AddPartnerAsync(string gln, string path, string kind = "https")
    {
        using var officer = Client("officer");
        using var answer = await officer.PostAsJsonAsync("api/partners", new { gln, name = $"Partner {gln}", format = "1.2-xml", channel = new { kind, url = new Uri(Partner.BaseAddress, path) } });
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    public async Task<HttpResponseMessage> CaptureAsync(byte[] document, string? key = null, string role = "cmo")
    {
        using var client = Client(role);
        using var request = new HttpRequestMessage(HttpMethod.Post, "capture") { Content = new ByteArrayContent(document) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/xml");
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }
        return await client.SendAsync(request);
    }

    /// <summary>Waits for the job of a capture to end.</summary>
    public async Task<JsonElement> JobAsync(Uri location)
    {
        using var client = Client("officer");
        return await Eventually.AsAsync(async () =>
        {
            var job = await client.GetFromJsonAsync<JsonElement>(location);
            return job.GetProperty("running").GetBoolean() ? null : (JsonElement?)job;
        });
    }

    /// <summary>Runs a verb of the command line on the same database, as a process of its own.</summary>
    public async Task<(int Exit, string Said, string Wrong)> VerbAsync(params string[] verb)
    {
        var info = new ProcessStartInfo("dotnet") { RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = AppContext.BaseDirectory };
        foreach (var argument in (IEnumerable<string>)[Path.Combine(AppContext.BaseDirectory, "Gateway.Host.dll"), .. verb])
        {
            info.ArgumentList.Add(argument);
        }
        info.Environment["ConnectionStrings__Gateway"] = Database.AdministratorConnectionString;
        info.Environment["Audit__SealKey"] = _app.Services.GetRequiredService<SealKey>().Path;
        info.Environment["Audit__AnchorFile"] = _app.Services.GetRequiredService<AnchorFile>().Path;
        using var process = Process.Start(info)!;
        var (said, wrong) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await said, await wrong);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        await _running.DisposeAsync();
        await Partner.DisposeAsync();
        try
        {
            await Database.LedgerHoldsAsync();
        }
        finally
        {
            await Database.DisposeAsync();
        }
    }
}

public sealed class AnotherNode(WebApplication app) : IAsyncDisposable
{
    public IServiceProvider Services => app.Services;

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
    }
}
