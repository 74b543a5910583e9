using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Devices;

/// <param name="RunId">The run of the line when it was noticed.</param>
/// <param name="Missing">From, to, from, to.</param>
/// <param name="OpenedAt">What came after it waited no longer from here on.</param>
[method: ExplicitConstructor] // an array has no column type that Dapper could match
public sealed record GapItem(long GapId, int Epoch, long First, long Last, long[] Missing, long? RunId, DateTime NoticedAt, DateTime? OpenedAt, DateTime? ClosedAt);

/// <param name="State">waiting, ready, applied, quarantined or discarded.</param>
public sealed record MessageItem(int Epoch, long Seq, string Typ, DateTime Ts, double OffsetMs, DateTime CorrectedAt, DateTime ReceivedAt, string State, string Body);

[method: ExplicitConstructor]
public sealed record RegistrationItem(long RegistrationId, int Epoch, bool EpochLost, string Line, string Station, string Firmware, string ConfigHash, string[] Capabilities, DateTime RegisteredAt);

/// <summary>One minute of a device's clock.</summary>
public sealed record ClockMinute(DateTime At, double LeastMs, double MostMs);

/// <summary>Devices for reading; each reader sees what row security lets it see.</summary>
public sealed class DeviceList(GatewayDatabase database)
{
    /// <summary>By line and name.</summary>
    /// <param name="after">The number of the device that ended the page before.</param>
    public Task<IReadOnlyList<DeviceRow>> ListAsync(Actor reader, int? after, int limit, CancellationToken ct) => QueryAsync<DeviceRow>(reader, $"""
        {DeviceRow.Sql} where @after::int is null or (l.code, d.name, d.device_id) > (select al.code, a.name, a.device_id from device a join line al on al.line_id = a.line_id where a.device_id = @after)
        order by l.code, d.name, d.device_id limit @limit
        """, new { after, limit }, ct);

    /// <summary>A device by its name, the reader's own before another party's.</summary>
    /// <param name="party">The name of its party, where two of them call a device so; null: whoever's it is.</param>
    public async Task<DeviceRow?> FindAsync(Actor reader, string name, string? party, CancellationToken ct) =>
        (await QueryAsync<DeviceRow>(reader, $"{DeviceRow.Sql} where d.name = @name and (@party::text is null or p.name = @party) order by d.party_id = @PartyId desc, d.device_id limit 1", new { name, party, reader.PartyId }, ct)).FirstOrDefault();

    /// <summary>Newest first.</summary>
    public Task<IReadOnlyList<GapItem>> GapsAsync(Actor reader, int deviceId, long? before, int limit, CancellationToken ct) => QueryAsync<GapItem>(reader, """
        select gap_id as GapId, epoch as Epoch, first_seq as First, last_seq as Last, missing as Missing, run_id as RunId, noticed_at as NoticedAt, opened_at as OpenedAt, closed_at as ClosedAt
        from device_gap where device_id = @deviceId and (@before::bigint is null or gap_id < @before) order by gap_id desc limit @limit
        """, new { deviceId, before, limit }, ct);

    /// <summary>The last of the present epoch first.</summary>
    public Task<IReadOnlyList<MessageItem>> MessagesAsync(Actor reader, int deviceId, (int Epoch, long Seq)? before, int limit, CancellationToken ct) => QueryAsync<MessageItem>(reader, """
        select epoch as Epoch, seq as Seq, typ as Typ, ts as Ts, offset_ms as OffsetMs, corrected_at as CorrectedAt, received_at as ReceivedAt, state as State, body as Body
        from device_message where device_id = @deviceId and (@epoch::int is null or (epoch, seq) < (@epoch, @seq::bigint)) order by epoch desc, seq desc limit @limit
        """, new { deviceId, epoch = before?.Epoch, seq = before?.Seq, limit }, ct);

    /// <summary>Those that were set aside, the first ones first.</summary>
    public Task<IReadOnlyList<MessageItem>> SetAsideAsync(Actor reader, int deviceId, int limit, CancellationToken ct) => QueryAsync<MessageItem>(reader, """
        select epoch as Epoch, seq as Seq, typ as Typ, ts as Ts, offset_ms as OffsetMs, corrected_at as CorrectedAt, received_at as ReceivedAt, state as State, body as Body
        from device_message where device_id = @deviceId and state = 'quarantined' order by epoch, seq limit @limit
        """, new { deviceId, limit }, ct);

    /// <summary>Newest first.</summary>
    public Task<IReadOnlyList<RegistrationItem>> RegistrationsAsync(Actor reader, int deviceId, int limit, CancellationToken ct) => QueryAsync<RegistrationItem>(reader, """
        select r.registration_id as RegistrationId, r.epoch as Epoch, r.epoch_lost as EpochLost, l.code as Line, r.station as Station, r.firmware as Firmware, r.config_hash as ConfigHash, r.capabilities as Capabilities, r.registered_at as RegisteredAt
        from device_registration r join line l using (line_id) where r.device_id = @deviceId order by r.registration_id desc limit @limit
        """, new { deviceId, limit }, ct);

    /// <summary>The last day of its clock, oldest first.</summary>
    public Task<IReadOnlyList<ClockMinute>> ClockAsync(Actor reader, int deviceId, CancellationToken ct) => QueryAsync<ClockMinute>(reader,
        "select at as At, least_ms as LeastMs, most_ms as MostMs from device_clock where device_id = @deviceId and at > gateway_now() - interval '1 day' order by at", new { deviceId }, ct);

    private async Task<IReadOnlyList<T>> QueryAsync<T>(Actor reader, string sql, object values, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<T>(new CommandDefinition(sql, values, work.Transaction, cancellationToken: ct))).AsList();
    }
}

/// <summary>Takes devices out of service, and back.</summary>
public sealed class DeviceService(GatewayDatabase database)
{
    /// <summary>Its token opens nothing from here on, and it blocks no batch.</summary>
    /// <returns>Null, or the refusal as a sentence; then nothing was changed.</returns>
    public Task<string?> WithdrawAsync(Actor actor, int deviceId, string reason, CancellationToken ct) => ChangeAsync(actor, deviceId, withdraw: true, reason, ct);

    /// <summary>It may register again.</summary>
    /// <returns>Null, or the refusal as a sentence; then nothing was changed.</returns>
    public Task<string?> RestoreAsync(Actor actor, int deviceId, string reason, CancellationToken ct) => ChangeAsync(actor, deviceId, withdraw: false, reason, ct);

    private async Task<string?> ChangeAsync(Actor actor, int deviceId, bool withdraw, string reason, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(reason) || Texts.Refusal("reason", reason, Texts.MaxReason) is not null)
        {
            return "A reason is needed, of at most 2,000 characters.";
        }
        await using var work = await database.BeginAsync(actor with { Reason = reason.Trim() }, ct);
        if (await work.Connection.ExecuteScalarAsync<string?>("update device set withdrawn = @withdraw, version = version + 1 where device_id = @deviceId and withdrawn <> @withdraw returning name", new { deviceId, withdraw }, work.Transaction) is null)
        {
            var name = await work.Connection.ExecuteScalarAsync<string?>("select name from device where device_id = @deviceId", new { deviceId }, work.Transaction) ?? "";
            return await work.RefuseAsync(new RefusedStep("device", name, withdraw ? "withdraw" : "restore", withdraw ? "The device is withdrawn already." : "The device is in service already.",
                "select case when withdrawn then 'withdrawn' else 'in service' end, version from device where name = @key limit 1"));
        }
        await work.Connection.ExecuteAsync("update api_key set revoked_at = gateway_now() where revoked_at is null and key_id = (select key_id from device_status where device_id = @deviceId)", new { deviceId }, work.Transaction);
        await work.CommitAsync();
        return null;
    }
}
