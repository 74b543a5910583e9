using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Devices;
using Gateway.Host.Simulate.Plant;

namespace Gateway.Host;

/// <summary>
/// The lines of the demonstration and their devices: registered at each start, qualified once under the officer's signature, and alive as
/// long as the demonstration. Whoever registers one of them speaks for it from then on.
/// </summary>
public sealed class DemonstrationDevices : IAsyncDisposable
{
    private const string Firmware = "4.2.1", ConfigHash = "sha256:7d1a54127b222502f5b79b5fb0803061152a44f92b37e23c6527baf665d4da9a";
    // Of the second line no packer tells: its files do.
    private static readonly (string Line, PlantStation Station)[] s_devices =
        [.. PlantStation.All.Select(s => ("PL01", s)), .. PlantStation.All.Where(s => s.Code is "PRN" or "VIS" or "PAL").Select(s => ("PL02", s))];

    private readonly HttpClient _http;
    private readonly CancellationTokenSource _ending = new();
    private readonly ConcurrentDictionary<string, (string Token, int Epoch, long Acked)> _tokens = [];
    private Task _life = Task.CompletedTask;

    private readonly string _key;

    private DemonstrationDevices(Uri url, string key) => (_http, _key) = (new HttpClient { BaseAddress = url }, key);

    /// <param name="key">Of somebody who may register devices.</param>
    public static async Task<DemonstrationDevices> StartAsync(IServiceProvider services, IReadOnlyList<DemonstrationLogin> logins, Uri url, string key, CancellationToken ct)
    {
        await MakeLinesAsync(services.GetRequiredService<GatewayDatabase>(), ct);
        var devices = new DemonstrationDevices(url, key);
        foreach (var line in s_devices.Select(d => d.Line).Distinct())
        {
            await devices.TakeOverAsync(line, ct);
        }
        await QualifyAsync(services, logins, ct);
        devices._life = devices.LiveAsync(devices._ending.Token);
        return devices;
    }

    /// <summary>Speaks for the devices of a line from now on, whoever did before.</summary>
    public async Task TakeOverAsync(string line, CancellationToken ct)
    {
        foreach (var station in s_devices.Where(d => d.Line == line).Select(d => d.Station))
        {
            var name = station.DeviceOn(line);
            var registered = await PostAsync("api/devices/register", _key, new
            {
                deviceId = name, kind = station.Kind, vendor = "Simulation", model = station.Code, serial = $"SN-{name}", firmware = Firmware, configHash = ConfigHash, line, station = station.Station, capabilities = Array.Empty<string>(),
            }, ct) ?? throw new InvalidOperationException($"{name} could not be registered.");
            _tokens[name] = (registered.GetProperty("token").GetString()!, registered.GetProperty("epoch").GetInt32(), registered.GetProperty("ackedThrough").GetInt64());
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _life;
        _ending.Dispose();
        _http.Dispose();
    }

    private static async Task MakeLinesAsync(GatewayDatabase database, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Actor.System("demonstration"), ct);
        await work.Connection.ExecuteAsync("""
            insert into line (party_id, code, name, site, read_point, time_zone, speed)
            select party_id, 'PL0' || n, 'Packaging line ' || n, '9521234000105', 'urn:epc:id:sgln:9521234.00010.' || n, 'Europe/Berlin', 300 from party, generate_series(1, 2) n where kind = 'organisation'
            on conflict (party_id, code) do nothing
            """, transaction: work.Transaction);
        await work.CommitAsync();
    }

    private static async Task QualifyAsync(IServiceProvider services, IReadOnlyList<DemonstrationLogin> logins, CancellationToken ct)
    {
        var (list, qualifications) = (services.GetRequiredService<DeviceList>(), services.GetRequiredService<DeviceQualifications>());
        await using var officer = await DemonstrationOfficer.SignInAsync(services, logins, ct);
        foreach (var name in s_devices.Select(d => d.Station.DeviceOn(d.Line)))
        {
            var device = (await list.FindAsync(officer.Actor, name, null, ct))!;
            if ((await qualifications.OfAsync(officer.Actor, device.DeviceId, ct)).Count > 0)
            {
                continue; // of an earlier start
            }
            var request = new QualificationRequest($"IQ-{name}", $"OQ-{name}", $"PQ-{name}", Firmware, ConfigHash, 12,
                DateOnly.FromDateTime(DateTime.UtcNow).AddDays(name == "PL02-VIS" ? 9 : 365), null, "Qualified before the line was taken into use.");
            await officer.SignAsync(await qualifications.SignableAsync(officer.Actor, device.DeviceId, request, ct), DeviceQualifications.Meaning,
                (work, signature) => DeviceQualifications.QualifiedAsync(work, signature, device.DeviceId, request), ct);
        }
    }

    private async Task LiveAsync(CancellationToken ct)
    {
        var previous = new Dictionary<string, object>();
        try
        {
            while (true)
            {
                foreach (var (name, token) in _tokens)
                {
                    // Clocks of machines are never quite right.
                    var off = TimeSpan.FromMilliseconds(40 * (name.Length % 5) - 60);
                    var t0 = DateTimeOffset.UtcNow + off;
                    try
                    {
                        if (await PostAsync($"api/devices/{name}/heartbeat", token.Token, new { ep = token.Epoch, t0, previous = previous.GetValueOrDefault(name), firmware = Firmware, configHash = ConfigHash, state = "Idle", lastSeq = token.Acked, buffered = 0 }, ct) is { } answer)
                        {
                            previous[name] = new { t0, t1 = answer.GetProperty("t1").GetDateTimeOffset(), t2 = answer.GetProperty("t2").GetDateTimeOffset(), t3 = DateTimeOffset.UtcNow + off };
                        }
                        else
                        {
                            _tokens.TryRemove(KeyValuePair.Create(name, token)); // somebody else speaks for it now
                        }
                    }
                    catch (HttpRequestException)
                    {
                        // A host that restarts or stops: the next heartbeat is heard, or nobody is there to miss it.
                    }
                }
                await Task.Delay(TimeSpan.FromSeconds(DeviceLimits.HeartbeatSeconds), ct);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // Being stopped is how they end.
        }
    }

    /// <returns>Null when the token opens nothing any more, or the device has other numbers by now.</returns>
    private async Task<JsonElement?> PostAsync(string path, string key, object body, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var answer = await _http.SendAsync(request, ct);
        return (int)answer.StatusCode is 401 or 403 or 409 ? null
            : answer.IsSuccessStatusCode ? await answer.Content.ReadFromJsonAsync<JsonElement>(ct)
            : throw new HttpRequestException(string.Create(CultureInfo.InvariantCulture, $"{path}: {(int)answer.StatusCode}"));
    }
}
