using System.Globalization;

namespace Gateway.Devices;

/// <summary>A device as it is now, with what it is qualified as. Whatever is empty is not known.</summary>
/// <param name="Party">Whose it is.</param>
/// <param name="OffsetMs">Device minus gateway; null: never measured.</param>
/// <param name="SetAside">Messages whose time cannot be, and about which somebody decides.</param>
/// <param name="QualifiedFirmware">Of the effective qualification; null: there is none.</param>
/// <param name="OpenGaps">Ranges that have not come.</param>
/// <param name="Today">The gateway's day.</param>
public sealed record DeviceRow(
    int DeviceId, string Name, int PartyId, string Party, int LineId, string Line, string Station, string Kind, string Vendor, string Model, string Serial, bool Withdrawn, DateTime RegisteredAt, int Version,
    int? Epoch, long? LastSeq, double? OffsetMs, DateTime? HeardAt, DateTime? OfflineSince, string? Firmware, string? ConfigHash, string? MachineState, long? Buffered, long OpenGaps, long SetAside,
    int? Qualification, string? QualifiedFirmware, string? QualifiedConfigHash, string? QualifiedKind, string? QualifiedSerial, string? QualifiedLine, string? QualifiedStation, DateTime? ValidUntil, DateTime Today)
{
    internal const string Sql = """
        select d.device_id as DeviceId, d.name as Name, d.party_id as PartyId, p.name as Party, d.line_id as LineId, l.code as Line, d.station as Station, d.kind as Kind, d.vendor as Vendor, d.model as Model, d.serial as Serial,
               d.withdrawn as Withdrawn, d.registered_at as RegisteredAt, d.version as Version, s.epoch as Epoch, s.last_seq as LastSeq, case when s.measured_at is not null then s.offset_ms end as OffsetMs,
               s.heard_at as HeardAt, s.offline_since as OfflineSince, s.firmware as Firmware, s.config_hash as ConfigHash, s.machine_state as MachineState, s.buffered as Buffered,
               (select count(*) from device_gap g where g.device_id = d.device_id and g.closed_at is null) as OpenGaps,
               (select count(*) from device_message m where m.device_id = d.device_id and m.state = 'quarantined') as SetAside,
               q.number as Qualification, q.firmware as QualifiedFirmware, q.config_hash as QualifiedConfigHash,
               q.kind as QualifiedKind, q.serial as QualifiedSerial, ql.code as QualifiedLine, q.station as QualifiedStation, q.valid_until::timestamp as ValidUntil, (gateway_now() at time zone 'UTC')::date::timestamp as Today
        from device d join party p using (party_id) join line l on l.line_id = d.line_id
        left join device_status s on s.device_id = d.device_id left join device_qualification q on q.device_id = d.device_id and q.state = 'effective'
        left join line ql on ql.line_id = q.line_id
        """;

    /// <summary>Why it is not qualified as it is now, as a sentence; null when it is (LINES.md section 12).</summary>
    public string? Unqualified => this switch
    {
        { Qualification: null } => $"{Name} is not qualified.",
        _ when ValidUntil < Today => string.Create(CultureInfo.InvariantCulture, $"The qualification of {Name} ended on {ValidUntil:yyyy-MM-dd}."),
        _ when Kind != QualifiedKind || Serial != QualifiedSerial => $"{Name} is another device than the qualified one: {Kind} with the serial number {Or(Serial)}, and {QualifiedKind} {Or(QualifiedSerial!)} was qualified.",
        _ when Line != QualifiedLine || Station != QualifiedStation => $"{Name} stands at another place than it was qualified for: line {Line}, station {Or(Station)}, and not line {QualifiedLine}, station {Or(QualifiedStation!)}.",
        _ when Firmware is not null && Firmware != QualifiedFirmware => $"{Name} runs firmware {Firmware} and is qualified with {QualifiedFirmware}.",
        _ when ConfigHash is not null && ConfigHash != QualifiedConfigHash => $"{Name} has another configuration than it is qualified with.",
        _ => null,
    };

    private static string Or(string text) => text.Length == 0 ? "–" : text;

    /// <summary>Why nobody hears it, as a sentence; null when it is heard.</summary>
    public string? Unheard => this switch
    {
        { Epoch: null } => $"{Name} has not registered.",
        { OfflineSince: not null } => $"{Name} is offline.",
        _ => null,
    };

    /// <summary>Why its clock allows no batch, as a sentence; null when it does (LINES.md section 7).</summary>
    public string? WrongClock => OffsetMs switch
    {
        null => $"{Name} has sent no heartbeat yet, so its clock is not known.",
        { } ms when Math.Abs(ms) > DeviceLimits.OffsetBlocks => string.Create(CultureInfo.InvariantCulture, $"The clock of {Name} is {Math.Abs(ms) / 1000:0} s {(ms > 0 ? "ahead of" : "behind")} the gateway's."),
        _ => null,
    };

    /// <summary>The first reason why no batch starts with it, as a sentence; null when it blocks none.</summary>
    public string? Blocks => Withdrawn ? null : Unqualified ?? Unheard ?? WrongClock;

    /// <summary>LINES.md section 7: ok, warning or alarm; empty when it was never measured.</summary>
    public string Clock => OffsetMs is not { } ms ? "" : Math.Abs(ms) <= DeviceLimits.OffsetOk ? "ok" : Math.Abs(ms) <= DeviceLimits.OffsetWarning ? "warning" : "alarm";
}
