using System.Text.RegularExpressions;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Npgsql;

namespace Gateway.Devices;

/// <param name="Line">The code of its line.</param>
/// <param name="EpochLost">The device has lost its store: its numbers begin again, in the next epoch.</param>
public sealed record RegistrationRequest(
    string? DeviceId, string? Kind, string? Vendor, string? Model, string? Serial, string? Firmware, string? ConfigHash, string? Line, string? Station, IReadOnlyList<string>? Capabilities, bool? EpochLost);

public sealed record RegistrationLimits(int MaxMessages = DeviceLimits.MaxMessages, int MaxBytes = DeviceLimits.MaxBytes, int HeartbeatSeconds = DeviceLimits.HeartbeatSeconds, int OfflineBufferHours = DeviceLimits.OfflineBufferHours);

/// <param name="Token">Shown this once.</param>
/// <param name="AckedThrough">Of the epoch.</param>
public sealed record Registration(string DeviceId, string Token, int Epoch, long AckedThrough, RegistrationLimits Limits, DateTime ServerTime);

/// <summary>Makes a device known, or known anew, and gives it the token that it speaks by from here on; the one before opens nothing any more.</summary>
public sealed partial class RegisterDevice(GatewayDatabase database)
{
    /// <summary>Of every token of a device, and of no other key.</summary>
    internal const string Role = "device";

    private const int MaxCapabilities = 50;
    private const string State = "select case when withdrawn then 'withdrawn' else 'in service' end, version from device where name = @key limit 1";
    private static readonly string[] s_kinds = ["printer", "camera", "scanner", "aggregator", "palletiser", "plc", "handheld", "counter"];

    /// <returns>The registration, or the refusal as a sentence; then nothing was changed. A conflict is a refusal of what may be possible later.</returns>
    public async Task<(Registration? Registration, string? Refusal, bool IsConflict)> RegisterAsync(Actor actor, RegistrationRequest request, CancellationToken ct)
    {
        if (Refuse(request) is { } unfit)
        {
            return (null, unfit, false);
        }
        var r = request with { Vendor = request.Vendor?.Trim() ?? "", Model = request.Model?.Trim() ?? "", Serial = request.Serial?.Trim() ?? "", Station = request.Station?.Trim() ?? "" };
        await using var work = await database.BeginAsync(actor, ct);
        if (await work.Connection.QueryFirstOrDefaultAsync<(int LineId, int PartyId)?>("""
            select line_id, party_id from line where code = @Line and not withdrawn order by party_id = @PartyId desc limit 1
            """, new { r.Line, actor.PartyId }, work.Transaction) is not { } line)
        {
            return (null, $"There is no line {r.Line}, or it is not yours: a device is registered on a line.", false);
        }
        // Keys and exceptions are the organisation's rows, whoever registers; the line was looked for with his own eyes.
        await work.ActAsAsync(actor with { Sees = "*" }, ct);
        if (await work.Connection.QuerySingleOrDefaultAsync<(string Line, string Lot)?>("""
            select l.code, n.lot from device d join line l using (line_id) join run n on n.line_id = d.line_id and n.state in ('running', 'paused')
            where d.party_id = @PartyId and d.name = @DeviceId and d.line_id <> @LineId and not d.withdrawn
            """, new { line.PartyId, r.DeviceId, line.LineId }, work.Transaction) is { } busy)
        {
            return (null, await work.RefuseAsync(new RefusedStep("device", r.DeviceId!, "register", $"{r.DeviceId} belongs to line {busy.Line}, where lot {busy.Lot} is running: it goes to line {r.Line} when that has ended.", State)), true);
        }
        var (deviceId, withdrawn, isChanged) = await DeviceAsync(work, r, line.LineId, line.PartyId);
        if (withdrawn)
        {
            return (null, await work.RefuseAsync(new RefusedStep("device", r.DeviceId!, "register", $"{r.DeviceId} has been withdrawn: somebody who manages devices takes that back first.",
                State)), false);
        }
        var before = await work.Connection.QuerySingleOrDefaultAsync<(string KeyId, int Epoch, string Firmware, string ConfigHash, long LastSeq)?>(
            "select key_id, epoch, firmware, config_hash, last_seq from device_status where device_id = @deviceId for update", new { deviceId }, work.Transaction);
        var lost = r.EpochLost == true && before is not null;
        var epoch = (before?.Epoch ?? 1) + (lost ? 1 : 0);
        string token;
        try
        {
            token = await ApiKeys.CreateAsync(work, line.PartyId, Role, $"Device {r.DeviceId}", "gwl", scope: actor.Scope);
        }
        catch (PostgresException e) when (Roles.Refusal(e) is { } sentence)
        {
            return (null, sentence, false);
        }
        var values = new { deviceId, line.PartyId, line.LineId, r.Station, KeyId = ApiKeys.IdOf(token), epoch, lost, r.Firmware, r.ConfigHash, capabilities = r.Capabilities?.ToArray() ?? [], old = before?.KeyId };
        var now = await work.Connection.ExecuteScalarAsync<DateTime>("""
            update api_key set revoked_at = gateway_now() where key_id = @old and revoked_at is null;
            insert into device_registration (device_id, party_id, line_id, station, key_id, epoch, epoch_lost, firmware, config_hash, capabilities, registered_at)
            values (@deviceId, @PartyId, @LineId, @Station, @KeyId, @epoch, @lost, @Firmware, @ConfigHash, @capabilities, gateway_now());
            insert into device_status as s (device_id, party_id, key_id, epoch, firmware, config_hash, heard_at) values (@deviceId, @PartyId, @KeyId, @epoch, @Firmware, @ConfigHash, gateway_now())
            on conflict (device_id) do update set key_id = excluded.key_id, epoch = excluded.epoch, last_seq = case when @lost then 0 else s.last_seq end,
                firmware = excluded.firmware, config_hash = excluded.config_hash;
            select gateway_now()
            """, values, work.Transaction);
        if (lost)
        {
            await GiveUpAsync(work, deviceId, line.PartyId, r.DeviceId!, epoch - 1, before!.Value.LastSeq);
        }
        if (before is { } b && (isChanged || b.Firmware != r.Firmware || b.ConfigHash != r.ConfigHash))
        {
            await DeviceHeartbeats.FirmwareChangedAsync(work, deviceId);
        }
        var acked = await AckedThroughAsync(work, deviceId);
        await work.CommitAsync();
        return (new Registration(r.DeviceId!, token, epoch, acked, new RegistrationLimits(), now), null, false);
    }

    /// <summary>What a device has sent without a gap in its present epoch.</summary>
    internal static Task<long> AckedThroughAsync(Work work, int deviceId) => work.Connection.ExecuteScalarAsync<long>("""
        select coalesce((select min(g.missing[1]) - 1 from device_gap g where g.device_id = s.device_id and g.epoch = s.epoch and g.closed_at is null), s.last_seq) from device_status s where s.device_id = @deviceId
        """, new { deviceId }, work.Transaction);

    private static async Task<(int DeviceId, bool Withdrawn, bool IsChanged)> DeviceAsync(Work work, RegistrationRequest r, int lineId, int partyId)
    {
        var values = new { partyId, r.DeviceId, lineId, r.Station, r.Kind, r.Vendor, r.Model, r.Serial };
        var isChanged = await work.Connection.ExecuteAsync("""
            insert into device as d (party_id, name, line_id, station, kind, vendor, model, serial, registered_at) values (@partyId, @DeviceId, @lineId, @Station, @Kind, @Vendor, @Model, @Serial, gateway_now())
            on conflict (party_id, name) do update set line_id = excluded.line_id, station = excluded.station, kind = excluded.kind, vendor = excluded.vendor, model = excluded.model, serial = excluded.serial, version = d.version + 1
            where not d.withdrawn and (d.line_id, d.station, d.kind, d.vendor, d.model, d.serial) is distinct from (excluded.line_id, excluded.station, excluded.kind, excluded.vendor, excluded.model, excluded.serial)
            """, values, work.Transaction) == 1;
        var (deviceId, withdrawn) = await work.Connection.QuerySingleAsync<(int, bool)>("select device_id, withdrawn from device where party_id = @partyId and name = @DeviceId", values, work.Transaction);
        return (deviceId, withdrawn, isChanged);
    }

    // The store is lost, and with it what was missing: nobody waits for it any more.
    private static async Task GiveUpAsync(Work work, int deviceId, int partyId, string device, int epoch, long lastSeq)
    {
        // What the device has said that it keeps, and will not send any more, is missing too.
        await work.Connection.ExecuteAsync("""
            insert into device_gap (device_id, party_id, epoch, first_seq, last_seq, missing, run_id, noticed_at)
            select s.device_id, s.party_id, @epoch, @last + 1, s.reported_seq, array[@last + 1, s.reported_seq], (select run_id from run r join device d using (line_id) where d.device_id = s.device_id and r.state in ('running', 'paused')), gateway_now()
            from device_status s where s.device_id = @deviceId and s.reported_seq > @last;
            update device_status set reported_seq = 0, buffered = 0 where device_id = @deviceId
            """, new { deviceId, epoch, last = lastSeq }, work.Transaction);
        var gaps = (await work.Connection.QueryAsync<(long First, long Last)>(
            "update device_gap set opened_at = gateway_now() where device_id = @deviceId and epoch = @epoch and closed_at is null and opened_at is null returning missing[1], missing[cardinality(missing)]", new { deviceId, epoch }, work.Transaction)).AsList();
        await DeviceMessages.ReleaseAsync(work, deviceId, epoch, null);
        foreach (var (first, last) in gaps)
        {
            await DeviceExceptions.OpenGapAsync(work, partyId, device, epoch, first, last);
        }
    }

    /// <returns>What a registration lacks, as a sentence; null when it is whole.</returns>
    public static string? Refuse(RegistrationRequest r) => r switch
    {
        _ when !Name().IsMatch(r.DeviceId ?? "") => "deviceId is the device's name: 1 to 60 letters, digits and _.-",
        _ when !s_kinds.Contains(r.Kind) => $"kind is one of {string.Join(", ", s_kinds)}.",
        _ when r.Line is not { Length: > 0 and <= 40 } || r.Line.Contains('\0', StringComparison.Ordinal) => "line is the code of the device's line.",
        _ when r.Firmware is not { Length: > 0 and <= 100 } => "firmware is missing, or longer than 100 characters.",
        _ when r.ConfigHash is not { Length: > 0 and <= 200 } => "configHash is missing, or longer than 200 characters.",
        _ when r.Station?.Length > 60 => "station has at most 60 characters.",
        _ when new[] { r.Vendor, r.Model, r.Serial }.Any(t => t?.Length > 200) => "vendor, model and serial have at most 200 characters.",
        _ when r.Capabilities is { Count: > MaxCapabilities } || r.Capabilities?.Any(c => c is not { Length: > 0 and <= 100 }) == true => $"capabilities are at most {MaxCapabilities} words of at most 100 characters.",
        _ => null,
    };

    [GeneratedRegex(@"\A[A-Za-z0-9_.-]{1,60}\z")]
    private static partial Regex Name();
}
