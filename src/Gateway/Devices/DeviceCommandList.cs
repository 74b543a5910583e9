using System.Text.Json;
using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Devices;

/// <summary>Commands for reading: by people, newest first; and by the device that they are for, in the order of telling.</summary>
public sealed class DeviceCommandList(GatewayDatabase database)
{
    /// <summary>Told at once at most; a device that was away asks again.</summary>
    private const int MaxTold = 100;

    private const string Rows = """
        select c.command_id as CommandId, c.public_id as CmdId, l.code as Line, d.name as Device, c.type as Type, c.params::text as Params, c.reason as Reason, c.reason_class as ReasonClass, c.state as State,
               c.fence as Fence, c.tries as Tries, c.issued_by as IssuedBy, c.issued_by_name as IssuedByName, c.issued_at as IssuedAt, c.deadline as Deadline, c.trigger_at as TriggerAt, c.sent_at as SentAt,
               c.acked_at as AckedAt, c.ended_at as EndedAt, c.machine_state as MachineState, c.detail as Detail, c.proof as Proof, c.signature_id is not null as IsSigned, n.public_id as SupersededBy
        from device_command c join line l using (line_id) join device d using (device_id) left join device_command n on n.command_id = c.superseded_by
        """;

    /// <param name="line">Its code; null: of all lines.</param>
    /// <param name="device">Its name; null: of all devices.</param>
    /// <param name="before">The <see cref="CommandRow.CommandId"/> that ended the page before; null: from the newest.</param>
    public async Task<IReadOnlyList<CommandRow>> ListAsync(Actor reader, string? line, string? device, long? before, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<CommandRow>(new CommandDefinition($"""
            {Rows} where (@line::text is null or l.code = @line) and (@device::text is null or d.name = @device) and (@before::bigint is null or c.command_id < @before) order by c.command_id desc limit @limit
            """, new { line, device, before, limit }, work.Transaction, cancellationToken: ct))).AsList();
    }

    /// <returns>Null when there is none, or it is another party's.</returns>
    public async Task<CommandRow?> FindAsync(Actor reader, Guid cmdId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await work.Connection.QuerySingleOrDefaultAsync<CommandRow>(new CommandDefinition(Rows + " where c.public_id = @cmdId", new { cmdId }, work.Transaction, cancellationToken: ct));
    }

    /// <summary>Whether there is such a line that the reader may see.</summary>
    public async Task<bool> HasLineAsync(Actor reader, string line, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await work.Connection.ExecuteScalarAsync<bool>(new CommandDefinition("select exists (select from line where code = @line)", new { line }, work.Transaction, cancellationToken: ct));
    }

    /// <summary>Whether the line stands after a quality pause, so that only a signature lets it go on.</summary>
    public async Task<bool> StandsForQualityAsync(Actor reader, string line, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await work.Connection.ExecuteScalarAsync<bool>(new CommandDefinition("select exists (select from line l, standing_quality_pause(l.line_id) where l.code = @line)", new { line }, work.Transaction, cancellationToken: ct));
    }

    /// <summary>What the machine last said of itself; null when it said nothing.</summary>
    public async Task<MachineState?> StateAsync(Actor reader, string device, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await work.Connection.QueryFirstOrDefaultAsync<MachineState>(new CommandDefinition("""
            select s.state as State, s.at as At, s.since as Since, s.received_at as ReceivedAt from device_state s join device d using (device_id) where d.name = @device
            """, new { device }, work.Transaction, cancellationToken: ct));
    }

    /// <summary>
    /// What the device is to be told next, which from now on counts as told. Who has heard nothing yet (<paramref name="after"/> 0) is told of all that has not
    /// ended; a command that comes again has its cmdId.
    /// </summary>
    /// <param name="after">The last <see cref="CommandMessage.Number"/> that the device has heard.</param>
    public async Task<IReadOnlyList<CommandMessage>> TakeAsync(Actor actor, SpeakingDevice device, long after, CancellationToken ct)
    {
        // A number beyond all there are is another database's, and says nothing of what was heard.
        const string Next = """
            where c.device_id = @DeviceId and c.deadline > gateway_now()
              and (c.state in ('queued', 'sent') or c.state = 'acked' and @after = 0)
              and (c.number > @after or @after > (select max(number) from device_command where device_id = @DeviceId))
            """;
        await using var work = await database.BeginAsync(actor, ct);
        var parameters = new { device.DeviceId, after, MaxTold };
        if (!await work.Connection.ExecuteScalarAsync<bool>(new CommandDefinition($"select exists (select from device_command c {Next})", parameters, work.Transaction, cancellationToken: ct)))
        {
            return [];
        }
        await work.Connection.ExecuteAsync("select from device where device_id = @DeviceId for no key update", parameters, work.Transaction);
        var rows = (await work.Connection.QueryAsync<CommandRow>($"{Rows} {Next} order by c.number limit @MaxTold", parameters, work.Transaction)).AsList();
        var numbers = (await work.Connection.QueryAsync<(long Id, long Number)>("""
            update device_command set state = 'sent', tries = 1, sent_at = gateway_now() where command_id = any(@ids) and state = 'queued';
            select command_id, number from device_command where command_id = any(@ids) and state in ('sent', 'acked')
            """, new { ids = rows.Select(r => r.CommandId).ToArray() }, work.Transaction)).ToDictionary(n => n.Id, n => n.Number);
        await work.CommitAsync();
        // What a newer command has superseded meanwhile is told to nobody.
        return [.. rows.Where(r => numbers.ContainsKey(r.CommandId)).Select(r => new CommandMessage(numbers[r.CommandId], r.CmdId, r.Device, r.Line, r.Type, JsonSerializer.Deserialize<JsonElement>(r.Params), r.Reason, r.ReasonClass, r.IssuedByName, r.IssuedAt, r.Deadline, r.Fence))];
    }
}
