using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Dapper;
using Epcis;
using Gateway.Access;
using Gateway.Database;
using Microsoft.Extensions.Options;

namespace Gateway.Devices;

/// <summary>The four moments of an exchange: sent and received by the device's clock, received and answered by the gateway's.</summary>
public sealed record ClockExchange(DateTimeOffset T0, DateTimeOffset T1, DateTimeOffset T2, DateTimeOffset T3);

/// <param name="T0">When the device sent it, by its clock.</param>
/// <param name="Previous">The exchange before, of which the device knows all four.</param>
/// <param name="State">PackML's word.</param>
/// <param name="LastSeq">The highest number in the device's store.</param>
/// <param name="Buffered">Messages that are not acknowledged.</param>
public sealed record HeartbeatRequest(int Ep, DateTimeOffset? T0, ClockExchange? Previous, string? Firmware, string? ConfigHash, string? State, long LastSeq, long Buffered, JsonElement? Counters);

/// <param name="OffsetMs">Device minus gateway, as it is in force from here on.</param>
/// <param name="Missing">Ranges that are asked for.</param>
/// <param name="CommandsWaiting">Commands that the device has not acknowledged: above zero it listens, if it does not.</param>
public sealed record HeartbeatAnswer(DateTime T1, DateTime T2, double OffsetMs, long AckedThrough, IReadOnlyList<long[]> Missing, int CommandsWaiting);

/// <summary>Signs of life: what a device's clock shows, what it is made of and how it is.</summary>
public sealed class DeviceHeartbeats(GatewayDatabase database, DeviceCommandAnswers answers, IOptions<DeviceOptions> options)
{
    // When a plant comes back at once, its heartbeats take no connections away from its messages.
    private readonly SemaphoreSlim _turns = new(options.Value.HeartbeatsAtOnce);

    /// <summary>Beyond it an exchange tells nothing of a clock.</summary>
    private static readonly TimeSpan MaxRoundTrip = TimeSpan.FromSeconds(10), MaxAge = TimeSpan.FromMinutes(10);

    private const int MaxCounters = 4_000;

    /// <summary>The states of ISA-TR88.00.02.</summary>
    private static readonly string[] s_states =
        ["Clearing", "Stopped", "Starting", "Idle", "Suspended", "Execute", "Stopping", "Aborting", "Aborted", "Holding", "Held", "Unholding", "Suspending", "Unsuspending", "Resetting", "Completing", "Complete"];

    private sealed record Row(int DeviceId, int PartyId, int LineId, string Name, int Epoch, string KeyId, string Firmware, string ConfigHash, double OffsetMs, DateTime? MeasuredAt, DateTime? OfflineSince, DateTime Now);

    /// <param name="keyId">Of the token that it came with.</param>
    /// <param name="receivedAt">By the process's own monotonic clock.</param>
    /// <returns>The answer; or why there is none, with a sentence where the request is at fault.</returns>
    public async Task<(HeartbeatAnswer? Answer, PostRefusal Refusal, string? Sentence)> BeatAsync(Actor actor, string keyId, string device, HeartbeatRequest beat, long receivedAt, CancellationToken ct)
    {
        if (Refuse(beat) is { } unfit)
        {
            return (null, PostRefusal.None, unfit);
        }
        await _turns.WaitAsync(ct);
        try
        {
            return await NoteAsync(actor, keyId, device, beat, receivedAt, ct);
        }
        finally
        {
            _turns.Release();
        }
    }

    private async Task<(HeartbeatAnswer? Answer, PostRefusal Refusal, string? Sentence)> NoteAsync(Actor actor, string keyId, string device, HeartbeatRequest beat, long receivedAt, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(DeviceExceptions.Gateway with { Sees = actor.Sees }, ct);
        // Nothing depends on a sign of life: it waits for no disk, unless it opens or ends an exception.
        var row = await work.Connection.QuerySingleOrDefaultAsync<Row>("""
            set local synchronous_commit = off;
            select s.device_id as DeviceId, s.party_id as PartyId, d.line_id as LineId, d.name as Name, s.epoch as Epoch, s.key_id as KeyId, s.firmware as Firmware, s.config_hash as ConfigHash, s.offset_ms as OffsetMs,
                   s.measured_at as MeasuredAt, s.offline_since as OfflineSince, gateway_now() as Now
            from device_status s join device d using (device_id) where s.key_id = @keyId and d.name = @device and not d.withdrawn for update of s
            """, new { keyId, device }, work.Transaction);
        if (row is null || row.Epoch != beat.Ep)
        {
            return (null, row is null ? PostRefusal.Foreign : beat.Ep < row.Epoch ? PostRefusal.EpochStale : PostRefusal.EpochUnknown, null);
        }
        var t1 = row.Now - Stopwatch.GetElapsedTime(receivedAt);
        var offset = Math.Round(Offset(beat, t1), 3);
        await work.Connection.ExecuteAsync("""
            update device_status set offset_ms = @offset, measured_at = @Now, heard_at = @Now, offline_since = null, firmware = @Firmware, config_hash = @ConfigHash, machine_state = @State,
                reported_seq = @LastSeq, buffered = @Buffered, counters = @counters::jsonb where device_id = @DeviceId;
            insert into device_clock as c (device_id, party_id, minute, at, least_ms, most_ms) values (@DeviceId, @PartyId, @minute, @Now, @offset, @offset)
            on conflict (device_id, minute) do update set at = excluded.at,
                least_ms = case when excluded.at - c.at < interval '2 minutes' then least(c.least_ms, excluded.least_ms) else excluded.least_ms end,
                most_ms = case when excluded.at - c.at < interval '2 minutes' then greatest(c.most_ms, excluded.most_ms) else excluded.most_ms end
            """, new { row.DeviceId, row.PartyId, offset, row.Now, beat.Firmware, beat.ConfigHash, beat.State, beat.LastSeq, beat.Buffered, counters = beat.Counters?.GetRawText(), minute = (row.Now.Hour * 60) + row.Now.Minute }, work.Transaction);
        await TellAsync(work, row, beat, offset);
        var acked = await RegisterDevice.AckedThroughAsync(work, row.DeviceId);
        var missing = await work.Connection.QueryAsync<long[]>("select missing from device_gap where device_id = @DeviceId and epoch = @Epoch and closed_at is null order by first_seq limit 100", new { row.DeviceId, row.Epoch }, work.Transaction);
        var (waiting, isNews) = await work.Connection.QuerySingleAsync<(int, bool)>("""
            select (select count(*)::int from device_command where device_id = @DeviceId and state in ('queued', 'sent')),
                not exists (select from device_state where device_id = @DeviceId and state = @State)
                or exists (select from device_command where device_id = @DeviceId and proof = 'awaited')
                or exists (select from line_hold h join device_command c using (command_id) where c.device_id = @DeviceId and h.until_at is null)
            """, new { row.DeviceId, beat.State }, work.Transaction);
        await work.CommitAsync();
        // By itself, in the order of locks that commands have; were it lost, the next heartbeat says it again. A time that cannot be proves nothing.
        if (isNews)
        {
            await answers.ReportAsync(actor, new SpeakingDevice(row.DeviceId, row.PartyId, row.LineId, row.Name), beat.State!, beat.T0!.Value, ct);
        }
        var asked = missing.SelectMany(m => m.Chunk(2)).Take(100).ToList();
        return (new HeartbeatAnswer(t1, t1 + Stopwatch.GetElapsedTime(receivedAt), offset, acked, asked, waiting), PostRefusal.None, null);
    }

    /// <summary>Device minus gateway in milliseconds (LINES.md section 7); without a whole exchange the time of travel is taken for nothing.</summary>
    public static double Offset(HeartbeatRequest beat, DateTime t1)
    {
        if (beat.Previous is { } p)
        {
            var travelled = (p.T3 - p.T0) - (p.T2 - p.T1);
            if (travelled >= TimeSpan.Zero && travelled <= MaxRoundTrip && p.T1 <= p.T2 && (t1 - p.T1).Duration() <= MaxAge)
            {
                return ((p.T0 - p.T1) + (p.T3 - p.T2)).TotalMilliseconds / 2;
            }
        }
        return (beat.T0!.Value - t1).TotalMilliseconds;
    }

    private static async Task TellAsync(Work work, Row row, HeartbeatRequest beat, double offset)
    {
        var before = row.MeasuredAt is null ? 0 : Math.Abs(row.OffsetMs);
        var isLate = before <= DeviceLimits.OffsetWarning && Math.Abs(offset) > DeviceLimits.OffsetWarning;
        var isRight = before > DeviceLimits.OffsetOk && Math.Abs(offset) <= DeviceLimits.OffsetOk;
        var isChanged = row.Firmware != beat.Firmware || row.ConfigHash != beat.ConfigHash;
        if (row.OfflineSince is null && !isLate && !isRight && !isChanged)
        {
            return;
        }
        await work.Connection.ExecuteAsync("set local synchronous_commit to default", transaction: work.Transaction);
        if (row.OfflineSince is not null)
        {
            await DeviceExceptions.ResolveAsync(work, DeviceCodes.Offline, row.PartyId, row.Name, "The device is heard again.");
        }
        if (isLate)
        {
            await DeviceExceptions.OpenAsync(work, DeviceCodes.ClockOffset, Severity.Error, row.PartyId, row.Name,
                string.Create(CultureInfo.InvariantCulture, $"The clock of {row.Name} is {Math.Abs(offset) / 1000:0.0} s {(offset > 0 ? "ahead of" : "behind")} the gateway's."));
        }
        if (isRight)
        {
            await DeviceExceptions.ResolveAsync(work, DeviceCodes.ClockOffset, row.PartyId, row.Name, "The clock is right again.");
        }
        if (isChanged)
        {
            await FirmwareChangedAsync(work, row.DeviceId);
        }
    }

    /// <summary>What a device is made of has changed: during a run, to something that it is not qualified with, is for a person.</summary>
    internal static async Task FirmwareChangedAsync(Work work, int deviceId)
    {
        if (await work.Connection.QuerySingleOrDefaultAsync<(int PartyId, string Name)?>("""
            select d.party_id, d.name from device d join device_status s using (device_id) left join device_qualification q on q.device_id = d.device_id and q.state = 'effective'
            where d.device_id = @deviceId and (q.firmware, q.config_hash, q.kind, q.serial, q.line_id, q.station) is distinct from (s.firmware, s.config_hash, d.kind, d.serial, d.line_id, d.station)
              and exists (select from run where line_id = d.line_id and state in ('running', 'paused'))
            """, new { deviceId }, work.Transaction) is { } found)
        {
            await DeviceExceptions.OpenAsync(work, DeviceCodes.Unqualified, Severity.Error, found.PartyId, found.Name, $"{found.Name} has changed during a run: its firmware, its configuration or the device itself is another than was qualified.");
        }
    }

    /// <returns>What a heartbeat lacks, as a sentence; null when it is whole.</returns>
    public static string? Refuse(HeartbeatRequest beat) => beat switch
    {
        { Ep: < 1 } => "ep is a whole number from 1.",
        { T0: null } => "t0 is missing: when the device sent this, by its clock.",
        { Firmware: not { Length: > 0 and <= 100 } } => "firmware is missing, or longer than 100 characters.",
        { ConfigHash: not { Length: > 0 and <= 200 } } => "configHash is missing, or longer than 200 characters.",
        _ when !s_states.Contains(beat.State) => $"state is a word of PackML: {string.Join(", ", s_states)}.",
        _ when beat.LastSeq < 0 || beat.Buffered < 0 => "lastSeq and buffered are whole numbers, zero or more.",
        { Counters: { ValueKind: not (JsonValueKind.Object or JsonValueKind.Null) } } => "counters is an object.",
        { Counters: { } counters } when counters.GetRawText().Length > MaxCounters => $"counters has more than {MaxCounters} characters.",
        _ => null,
    };
}
