using Dapper;
using Epcis;
using Gateway.Database;
using Gateway.Scheduling;

namespace Gateway.Devices;

/// <summary>What nobody says: numbers that do not come in time are waited for no longer, and devices that are not heard are offline.</summary>
public sealed class WatchDevices(GatewayDatabase database) : IChore
{
    public async Task RunAsync(CancellationToken ct)
    {
        foreach (var deviceId in await AskAsync("select distinct device_id from device_gap where closed_at is null and opened_at is null and noticed_at <= gateway_now() - @GapWait", ct))
        {
            await GiveUpWaitingAsync(deviceId, ct);
        }
        foreach (var deviceId in await AskAsync("""
            select s.device_id from device_status s join device d using (device_id) where s.offline_since is null and not d.withdrawn and s.heard_at < gateway_now() - @OfflineAfter
            """, ct))
        {
            await GoOfflineAsync(deviceId, ct);
        }
    }

    private async Task<List<int>> AskAsync(string sql, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(DeviceExceptions.Gateway, ct);
        return (await work.Connection.QueryAsync<int>(sql, new { DeviceLimits.GapWait, DeviceLimits.OfflineAfter }, work.Transaction)).AsList();
    }

    private async Task GiveUpWaitingAsync(int deviceId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(DeviceExceptions.Gateway, ct);
        var (partyId, name) = await HoldAsync(work, deviceId);
        var opened = (await work.Connection.QueryAsync<(int Epoch, long First, long Last)>("""
            update device_gap set opened_at = gateway_now() where device_id = @deviceId and closed_at is null and opened_at is null and noticed_at <= gateway_now() - @GapWait
            returning epoch, missing[1], missing[cardinality(missing)]
            """, new { deviceId, DeviceLimits.GapWait }, work.Transaction)).AsList();
        foreach (var epoch in opened.Select(o => o.Epoch).Distinct())
        {
            await DeviceMessages.ReleaseAsync(work, deviceId, epoch, await work.Connection.ExecuteScalarAsync<long?>(
                "select min(missing[1]) from device_gap where device_id = @deviceId and epoch = @epoch and closed_at is null and opened_at is null", new { deviceId, epoch }, work.Transaction));
        }
        foreach (var (epoch, first, last) in opened.OrderBy(o => (o.Epoch, o.First)))
        {
            await DeviceExceptions.OpenGapAsync(work, partyId, name, epoch, first, last);
        }
        await work.CommitAsync();
    }

    private async Task GoOfflineAsync(int deviceId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(DeviceExceptions.Gateway, ct);
        var (partyId, name) = await HoldAsync(work, deviceId);
        if (await work.Connection.ExecuteAsync("update device_status set offline_since = gateway_now() where device_id = @deviceId and offline_since is null and heard_at < gateway_now() - @OfflineAfter", new { deviceId, DeviceLimits.OfflineAfter }, work.Transaction) == 1)
        {
            await DeviceExceptions.OpenAsync(work, DeviceCodes.Offline, Severity.Warning, partyId, name, $"{name} has missed three heartbeats.");
            await work.CommitAsync();
        }
    }

    private static Task<(int PartyId, string Name)> HoldAsync(Work work, int deviceId) =>
        work.Connection.QuerySingleAsync<(int, string)>("select s.party_id, d.name from device_status s join device d using (device_id) where s.device_id = @deviceId for update of s", new { deviceId }, work.Transaction);
}

/// <summary>How much is stored and not applied, as this node last knew it: asked with each post, it costs nothing.</summary>
public sealed class DeviceBacklog(GatewayDatabase database, Microsoft.Extensions.Options.IOptions<DeviceOptions> options) : IChore
{
    private volatile bool _isFull;

    public bool IsFull => _isFull;

    public async Task RunAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(DeviceExceptions.Gateway, ct);
        var max = options.Value.MaxBacklog;
        _isFull = await work.Connection.ExecuteScalarAsync<int>("""
            select count(*) from (select from (select from device_message where state = 'ready' limit @max) r union all select from (select from device_message where state = 'waiting' limit @max) w) b
            """, new { max }, work.Transaction) >= max;
    }
}
