using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Devices;
using Gateway.Exceptions;
using Gateway.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.Devices;

/// <summary>The devices' slice on a real socket and a fresh database, with line PL01 of the organisation and line C1 of a CMO. Tests run the chores themselves.</summary>
internal sealed class DeviceGateway : IAsyncDisposable
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private readonly WebApplication _app;

    private DeviceGateway(TestDatabase database, WebApplication app, string operatorKey, string cmoKey) => (Database, _app, OperatorKey, CmoKey) = (database, app, operatorKey, cmoKey);

    public TestDatabase Database { get; }
    public string OperatorKey { get; }
    public string CmoKey { get; }
    public T Get<T>() where T : notnull => _app.Services.GetRequiredService<T>();

    public static async Task<DeviceGateway> StartAsync(params (string Name, string Value)[] settings)
    {
        var database = await TestDatabase.CreateAsync();
        string operatorKey, cmoKey;
        await using (var work = await database.Gateway.BeginAsync(Actor.System("test"), Ct))
        {
            var (own, cmo) = (await Parties.EnsureAsync(work, "organisation", "Organisation", null), await Parties.EnsureAsync(work, "cmo", "First CMO", null));
            operatorKey = await ApiKeys.CreateAsync(work, own, "operator", "operator", "gwl");
            cmoKey = await ApiKeys.CreateAsync(work, cmo, "cmo", "cmo", "gwl");
            await work.Connection.ExecuteAsync("""
                insert into line (party_id, code, name, site, read_point, time_zone) values
                    (@own, 'PL01', 'Line 1', '9521234000105', 'urn:epc:id:sgln:9521234.00010.1', 'Europe/Berlin'), (@cmo, 'C1', 'Line C1', '9521234000204', 'urn:epc:id:sgln:9521234.00020.1', 'Europe/Paris')
                """, new { own, cmo }, work.Transaction);
            await work.CommitAsync();
        }
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(k => k.Limits.MaxRequestBodySize = 1 << 20);
        builder.Configuration.AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Name, (string?)s.Value)));
        builder.Services.AddSingleton(database.Gateway).AddAccess().AddExceptions().AddFailureAnswers().AddDevices();
        var app = builder.Build();
        app.UseFailureAnswers();
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapDevices();
        await app.StartAsync(Ct);
        return new DeviceGateway(database, app, operatorKey, cmoKey);
    }

    public HttpClient Client(string key)
    {
        var client = new HttpClient { BaseAddress = new Uri(_app.Urls.First()) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    public static object Registration(string name, string line = "PL01", bool epochLost = false, string firmware = "1.0", string configHash = "c0ffee") =>
        new { deviceId = name, kind = "camera", vendor = "Acme", model = "C9", serial = "S-1", firmware, configHash, line, station = "S1", capabilities = (string[])["read"], epochLost };

    public async Task<TestDevice> RegisterAsync(string name = "cam-1", string line = "PL01", bool epochLost = false, string? key = null, string firmware = "1.0")
    {
        using var client = Client(key ?? (line == "C1" ? CmoKey : OperatorKey));
        using var answer = await client.PostAsJsonAsync("api/devices/register", Registration(name, line, epochLost, firmware), Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.IsSuccessStatusCode, text);
        using var json = JsonDocument.Parse(text);
        return new TestDevice(this, name, json.RootElement.GetProperty("token").GetString()!, json.RootElement.GetProperty("epoch").GetInt32(), json.RootElement.GetProperty("ackedThrough").GetInt64());
    }

    public async Task WatchAsync(TimeSpan? after = null)
    {
        await Database.AdvanceAsync(after ?? TimeSpan.Zero);
        await Get<WatchDevices>().RunAsync(Ct);
    }

    /// <summary>How many messages are in which state, such as <c>ready 3, waiting 1</c>.</summary>
    public Task<string> StatesAsync() => Database.ScalarAsync<string>("select coalesce(string_agg(state || ' ' || n, ', ' order by state), '') from (select state, count(*) as n from device_message group by state) s");

    /// <summary>Exceptions as <c>code state occurrences</c>.</summary>
    public Task<string> ExceptionsAsync() => Database.ScalarAsync<string>("select coalesce(string_agg(code || ' ' || state || ' ' || occurrences, ', ' order by exception_id), '') from exception");

    public Task RunAsync() => Database.ExecuteAsync("""
        select set_config('app.actor', 'test', false);
        insert into run (party_id, line_id, gtin, lot, expiry, quantity, state, planned_at, started_at) select party_id, line_id, '09521234001010', 'L1', '2029-01-31', 100, 'running', gateway_now(), gateway_now() from line where code = 'PL01'
        """);

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        await Database.DisposeAsync();
    }
}

/// <summary>A device with its token.</summary>
internal sealed record TestDevice(DeviceGateway Gateway, string Name, string Token, int Epoch, long AckedThrough)
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    /// <summary>A message as a device writes it, with blanks that must be kept.</summary>
    public string Message(long seq, string what = "read", DateTimeOffset? at = null, int? epoch = null, string? name = null) => string.Create(CultureInfo.InvariantCulture,
        $$"""{ "dev":"{{name ?? Name}}", "ep":{{epoch ?? Epoch}},"seq":{{seq}},"ts":"{{at ?? DateTimeOffset.UtcNow:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}}","mono":{{seq * 10}},"typ":"{{what}}","x":"é\u0001" }""");

    public Task<(int Status, JsonElement Body)> SendAsync(params long[] seqs) => PostAsync([.. seqs.Select(s => Message(s, at: DateTimeOffset.UnixEpoch.AddYears(56).AddSeconds(s)))]);

    public Task<(int Status, JsonElement Body)> PostAsync(params string[] messages) => PostBodyAsync($"{{\"messages\":[{string.Join(",", messages)}]}}");

    public async Task<(int Status, JsonElement Body)> PostBodyAsync(string body, string? to = null)
    {
        using var client = Gateway.Client(Token);
        using var answer = await client.PostAsync($"api/devices/{to ?? Name}/messages", new StringContent(body, Encoding.UTF8, "application/json"), Ct);
        return ((int)answer.StatusCode, await answer.Content.ReadFromJsonAsync<JsonElement>(Ct));
    }

    public async Task<(int Status, JsonElement Body)> BeatAsync(DateTimeOffset t0, object? previous = null, string firmware = "1.0", string state = "Execute", int? epoch = null)
    {
        using var client = Gateway.Client(Token);
        using var answer = await client.PostAsJsonAsync($"api/devices/{Name}/heartbeat", new { ep = epoch ?? Epoch, t0, previous, firmware, configHash = "c0ffee", state, lastSeq = 5, buffered = 0, counters = new { good = 7 } }, Ct);
        return ((int)answer.StatusCode, await answer.Content.ReadFromJsonAsync<JsonElement>(Ct));
    }

    /// <summary>As <c>acked [missing] rejected duplicates</c>.</summary>
    public static string Told((int Status, JsonElement Body) answer) => answer.Status == 200
        ? $"{answer.Body.GetProperty("ackedThrough")} {answer.Body.GetProperty("missing")} {string.Join(' ', answer.Body.GetProperty("rejected").EnumerateArray().Select(r => $"{r.GetProperty("seq")}:{r.GetProperty("code")}"))} {answer.Body.GetProperty("duplicates")}"
        : $"{answer.Status} {answer.Body.GetProperty("code")}";
}
