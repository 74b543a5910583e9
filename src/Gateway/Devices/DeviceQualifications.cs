using System.Globalization;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Npgsql;

namespace Gateway.Devices;

/// <summary>What a device is to be qualified as.</summary>
/// <param name="Iq">Where the installation qualification is written; likewise Oq and Pq.</param>
/// <param name="ChallengeHours">How often a challenge set is to be run.</param>
/// <param name="ValidUntil">The last day.</param>
/// <param name="ChangeReference">Of the change that makes it necessary; only the first of a device needs none.</param>
public sealed record QualificationRequest(string? Iq, string? Oq, string? Pq, string? Firmware, string? ConfigHash, int? ChallengeHours, DateOnly? ValidUntil, string? ChangeReference, string? Reason);

/// <param name="State">effective, superseded or revoked.</param>
public sealed record QualificationItem(
    int Number, string State, string Iq, string Oq, string Pq, string Firmware, string ConfigHash, TimeSpan ChallengeInterval, DateTime ValidUntil, string ChangeReference, string Reason,
    string QualifiedBy, string QualifiedByName, DateTime QualifiedAt, string? EndedByName, DateTime? EndedAt, string? EndedWhy);

/// <summary>
/// Qualifications of devices (LINES.md section 12): each is made by an electronic signature, supersedes the one before, and never
/// changes; it ends when the next is signed, when its last day has passed, or when somebody takes it back.
/// </summary>
public sealed class DeviceQualifications(GatewayDatabase database)
{
    /// <summary>The type of record that a signature names; its id is the device's number, its version that of the qualification.</summary>
    public const string RecordType = "device qualification";

    /// <summary>What the signature means.</summary>
    public const string Meaning = "device qualified";

    private const int MaxReference = 200, MaxReason = 1_000, MaxChallengeHours = 24 * 366;
    private const string Refused = "GW044";

    /// <summary>Newest first.</summary>
    public async Task<IReadOnlyList<QualificationItem>> OfAsync(Actor reader, int deviceId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<QualificationItem>(new CommandDefinition("""
            select number as Number, state as State, iq_reference as Iq, oq_reference as Oq, pq_reference as Pq, firmware as Firmware, config_hash as ConfigHash, challenge_interval as ChallengeInterval,
                   valid_until::timestamp as ValidUntil, change_reference as ChangeReference, reason as Reason, qualified_by as QualifiedBy, qualified_by_name as QualifiedByName, qualified_at as QualifiedAt,
                   ended_by_name as EndedByName, ended_at as EndedAt, ended_why as EndedWhy
            from device_qualification where device_id = @deviceId order by number desc limit 100
            """, new { deviceId }, work.Transaction, cancellationToken: ct))).AsList();
    }

    /// <summary>Why nothing of this can be signed, as a sentence; null when it can.</summary>
    /// <param name="isFirst">The device was never qualified before.</param>
    public static string? Refuse(QualificationRequest r, bool isFirst) => r switch
    {
        _ when Missing(r.Iq) || Missing(r.Oq) || Missing(r.Pq) => $"The references of IQ, OQ and PQ are needed, each of at most {MaxReference} characters.",
        _ when Missing(r.Firmware, 100) => "The firmware is needed, as the device says it.",
        _ when Missing(r.ConfigHash) => "The hash of the configuration is needed, as the device says it.",
        { ChallengeHours: not (>= 1 and <= MaxChallengeHours) } => "The interval of the challenge test is a number of hours, at most a year.",
        { ValidUntil: null } => "The last day of its validity is needed.",
        { ChangeReference.Length: > MaxReference } => $"A change reference has at most {MaxReference} characters.",
        _ when !isFirst && Missing(r.ChangeReference) => "The device was qualified before: say under which change it is qualified anew.",
        _ when Missing(r.Reason, MaxReason) => "A reason is needed.",
        _ => null,
    };

    /// <summary>As it is signed; null when there is no such device.</summary>
    public async Task<SignableRecord?> SignableAsync(Actor reader, int deviceId, QualificationRequest request, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await work.Connection.QuerySingleOrDefaultAsync<(string Name, int Number, byte[] Content)?>($"select d.name, n.number, content_sha256({Content}) from {Next}", Values(deviceId, request), work.Transaction) is { } found
            ? new SignableRecord(RecordType, deviceId.ToString(CultureInfo.InvariantCulture), found.Number, $"{found.Name}: qualification {found.Number}, firmware {request.Firmware}, until {request.ValidUntil:yyyy-MM-dd}", found.Content, [])
            : null;
    }

    /// <summary>What the signature does, in its transaction.</summary>
    public static async Task<string?> QualifiedAsync(Work work, Signature signature, int deviceId, QualificationRequest request)
    {
        var isFirst = signature.Version == 1;
        if (Refuse(request, isFirst) is { } unfit)
        {
            return unfit;
        }
        try
        {
            var values = new DynamicParameters(Values(deviceId, request));
            values.AddDynamicParams(new { signature.Signer, signature.SignerName, signature.SignedAt, signature.SignatureId, signature.Version });
            var stored = await work.Connection.ExecuteAsync($"""
                select from device where device_id = @deviceId for no key update;
                update device_qualification set state = 'superseded', ended_by_name = @SignerName, ended_at = @SignedAt, ended_why = @reason where device_id = @deviceId and state = 'effective';
                insert into device_qualification (device_id, party_id, number, kind, serial, line_id, station, iq_reference, oq_reference, pq_reference, firmware, config_hash, challenge_interval, valid_until, change_reference, reason,
                    qualified_by, qualified_by_name, qualified_at, signature)
                select d.device_id, d.party_id, n.number, d.kind, d.serial, d.line_id, d.station, @iq, @oq, @pq, @firmware, @configHash, @challenge, @validUntil::date, @change, @reason, @Signer, @SignerName, @SignedAt, @SignatureId
                from {Next} and n.number = @Version
                """, values, work.Transaction);
            return stored > 0 && await work.Connection.ExecuteScalarAsync<bool>("select exists (select from device_qualification where device_id = @deviceId and signature = @SignatureId)", new { deviceId, signature.SignatureId }, work.Transaction)
                ? null : "The device has been qualified by somebody else meanwhile: look at it again.";
        }
        catch (PostgresException e) when (e.SqlState == Refused)
        {
            return e.MessageText;
        }
    }

    /// <summary>From here on the device is not qualified.</summary>
    /// <returns>Null, or the refusal as a sentence; then nothing was changed.</returns>
    public async Task<string?> RevokeAsync(Actor actor, int deviceId, string reason, CancellationToken ct)
    {
        if (Missing(reason, MaxReason))
        {
            return $"A reason is needed, of at most {MaxReason} characters.";
        }
        await using var work = await database.BeginAsync(actor with { Reason = reason.Trim() }, ct);
        if (await work.Connection.ExecuteAsync("""
            update device_qualification set state = 'revoked', ended_by_name = @Name, ended_at = gateway_now(), ended_why = @why where device_id = @deviceId and state = 'effective'
            """, new { deviceId, actor.Name, why = reason.Trim() }, work.Transaction) == 0)
        {
            var latest = await work.Connection.ExecuteScalarAsync<int?>("select max(qualification_id) from device_qualification where device_id = @deviceId", new { deviceId }, work.Transaction);
            return await work.RefuseAsync(new RefusedStep("device_qualification", $"{latest}", "revoke", "The device has no qualification in effect.", "select state, null::int from device_qualification where qualification_id::text = @key"));
        }
        await work.CommitAsync();
        return null;
    }

    private const string Next = "device d, lateral (select coalesce(max(q.number), 0) + 1 as number from device_qualification q where q.device_id = d.device_id) n where d.device_id = @deviceId";

    private const string Content = "device_qualification_content(d.device_id, n.number, @iq, @oq, @pq, @firmware, @configHash, @challenge, @validUntil::date, @change, @reason)";

    private static object Values(int deviceId, QualificationRequest r) => new
    {
        deviceId, iq = r.Iq?.Trim() ?? "", oq = r.Oq?.Trim() ?? "", pq = r.Pq?.Trim() ?? "", firmware = r.Firmware?.Trim() ?? "", configHash = r.ConfigHash?.Trim() ?? "",
        challenge = TimeSpan.FromHours(r.ChallengeHours ?? 0), validUntil = r.ValidUntil?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), change = r.ChangeReference?.Trim() ?? "", reason = r.Reason?.Trim() ?? "",
    };

    private static bool Missing(string? text, int max = MaxReference) => string.IsNullOrWhiteSpace(text) || text.Length > max || text.Contains('\0', StringComparison.Ordinal);
}
