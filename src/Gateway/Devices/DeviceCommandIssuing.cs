using Dapper;
using Gateway.Access;
using Gateway.Database;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Devices;

/// <summary>A command that was asked for, or why there is none.</summary>
/// <param name="Refusal">As a sentence; nothing was changed then.</param>
/// <param name="NeedsSignature">The line stands after a quality pause, and only a signature lets it go on.</param>
public sealed record IssuedCommand(Guid? CmdId, string? Refusal = null, bool NeedsSignature = false);

/// <summary>Asks devices to do something. A newer command that moves the machine takes the place of an older one that has not ended.</summary>
public sealed class DeviceCommandIssuing(GatewayDatabase database, IOptions<CommandOptions> options)
{
    /// <summary>The type of record that a signature names.</summary>
    public const string RecordType = "command";

    public const string ResumeMeaning = "resume after quality pause";

    /// <summary>A command never changes what it says.</summary>
    public const int Version = 1;

    private const string NeedsSignature = "GW046", Unfit = "22001";

    private sealed record Target(int PartyId, int LineId, int DeviceId, string LineCode, bool IsWithdrawn, long? RunId);

    public async Task<IssuedCommand> IssueAsync(Actor actor, string line, CommandRequest request, CancellationToken ct)
    {
        if (RefusalOf(request) is { } unfit)
        {
            return new IssuedCommand(null, unfit);
        }
        await using var work = await database.BeginAsync(actor with { Reason = request.Reason }, ct);
        var issued = await IssueAsync(work, actor, line, request, Guid.NewGuid(), signature: null);
        if (issued.CmdId is not null)
        {
            await work.CommitAsync();
        }
        else if (issued.NeedsSignature)
        {
            // The record is the pause that stands.
            await work.RefuseAsync(new RefusedStep("line", line, request.Type!, issued.Refusal!, "select 'paused for quality' as state, version from line where code = @key order by line_id limit 1"));
        }
        return issued;
    }

    /// <summary>In the caller's transaction, for who pauses a line with what made it necessary. The request is one that <see cref="RefusalOf"/> has nothing against.</summary>
    public Task<IssuedCommand> IssueAsync(Work work, Actor actor, string line, CommandRequest request) => IssueAsync(work, actor, line, request, Guid.NewGuid(), signature: null);

    /// <summary>What going on after a quality pause is, as it is signed; null when line or device are not known.</summary>
    /// <param name="cmdId">Of the command that the signature will make.</param>
    public async Task<SignableRecord?> SignableAsync(Actor signer, string line, CommandRequest request, Guid cmdId, CancellationToken ct)
    {
        if (RefusalOf(request) is not null)
        {
            return null;
        }
        await using var work = await database.BeginAsync(signer, ct);
        if (await FindAsync(work, signer, line, request.Device!) is not { } target)
        {
            return null;
        }
        var content = await work.Connection.ExecuteScalarAsync<byte[]>("select content_sha256(device_command_content(@cmdId, @LineId, @DeviceId, @Type, @reason, @parameters::jsonb))",
            new { cmdId, target.LineId, target.DeviceId, request.Type, reason = request.Reason!.Trim(), parameters = ParametersOf(request) }, work.Transaction);
        return new SignableRecord(RecordType, cmdId.ToString(), Version, $"{request.Type} of {request.Device} on line {target.LineCode} after a quality pause: {request.Reason!.Trim()}", content!, []);
    }

    /// <summary>What the signature does, in its transaction: the command is queued, and the pauses that it lifts stand no longer.</summary>
    public async Task<string?> SignedAsync(Work work, Signature signature, Actor signer, string line, CommandRequest request) =>
        (await IssueAsync(work, signer with { Reason = request.Reason }, line, request, Guid.Parse(signature.RecordId), signature)).Refusal;

    /// <returns>Why a command cannot be as it is, as a sentence; null when it can.</returns>
    public static string? RefusalOf(CommandRequest? request) =>
        string.IsNullOrWhiteSpace(request?.Device) ? "device is missing: the name of the device that is asked."
        : request.Type is null || !CommandWords.Types.Contains(request.Type) ? $"type is one of {string.Join(", ", CommandWords.Types)}."
        : string.IsNullOrWhiteSpace(request.Reason) ? "reason is missing."
        : Texts.Refusal("reason", request.Reason, Texts.MaxReason) is { } unfit ? unfit
        : request.ReasonClass is null || !CommandWords.Classes.Contains(request.ReasonClass) ? $"reasonClass is one of {string.Join(", ", CommandWords.Classes)}."
        : request.Params is { ValueKind: not (System.Text.Json.JsonValueKind.Object or System.Text.Json.JsonValueKind.Null) } ? "params is an object."
        : Texts.Refusal("params", ParametersOf(request), Texts.MaxText / 2) is { } large ? large
        : request.TriggerAt is not null && request.Type != "pause" ? "triggerAt is of a pause only."
        : null;

    private static string ParametersOf(CommandRequest request) => request.Params is { ValueKind: System.Text.Json.JsonValueKind.Object } given ? given.GetRawText() : "{}";

    // Line codes and device names are unique for a party; who sees several means his own first.
    private static async Task<Target?> FindAsync(Work work, Actor actor, string line, string device)
    {
        var found = (await work.Connection.QueryAsync<Target>("""
            select l.party_id as PartyId, l.line_id as LineId, d.device_id as DeviceId, l.code as LineCode, l.withdrawn or d.withdrawn as IsWithdrawn,
                   (select run_id from run r where r.line_id = l.line_id and r.state in ('running', 'paused')) as RunId
            from line l join device d using (line_id) where l.code = @line and d.name = @device order by l.party_id is distinct from @PartyId, l.party_id limit 2
            """, new { line, device, actor.PartyId }, work.Transaction)).AsList();
        return found.Count == 1 || found.Count > 1 && found[0].PartyId == actor.PartyId ? found[0] : null;
    }

    private async Task<IssuedCommand> IssueAsync(Work work, Actor actor, string line, CommandRequest request, Guid cmdId, Signature? signature)
    {
        if (await FindAsync(work, actor, line, request.Device!) is not { } target)
        {
            return new IssuedCommand(null, $"There is no device {request.Device} on a line {line}.");
        }
        if (target.IsWithdrawn)
        {
            return new IssuedCommand(null, $"Line {line} or device {request.Device} is withdrawn.");
        }
        // The device first, then its line: numbers and fences rise in the order of the commits, so who has seen one has missed none before it.
        await work.Connection.ExecuteAsync("select from device where device_id = @DeviceId for no key update", target, work.Transaction);
        var fence = await work.Connection.ExecuteScalarAsync<long>("""
            insert into line_fence (line_id, party_id, fence) values (@LineId, @PartyId, 1) on conflict (line_id) do update set fence = line_fence.fence + 1 returning fence
            """, target, work.Transaction);
        try
        {
            var commandId = await work.Connection.ExecuteScalarAsync<long>("""
                insert into device_command (public_id, party_id, line_id, device_id, run_id, type, params, reason, reason_class, trigger_at, fence, issued_by, issued_by_name, issued_at, deadline, proof, signature_id)
                select @cmdId, @PartyId, @LineId, @DeviceId, @RunId, @Type, @parameters::jsonb, @reason,
                       -- The device hears of the newer one only: it asks no less of the machine than the one whose place it takes.
                       case when @Type = 'pause' and exists (select from device_command where device_id = @DeviceId and type = 'pause' and reason_class = 'quality' and state in ('queued', 'sent', 'acked'))
                            then 'quality' else @ReasonClass end,
                       case @Type when 'pause' then least(coalesce(@trigger, n.at), n.at) end, @fence, @Id, @Name, n.at, n.at + @within, case @Type when 'pause' then 'awaited' end, @signed
                from (select gateway_now() as at) n returning command_id
                """, new
            {
                cmdId, target.PartyId, target.LineId, target.DeviceId, target.RunId, request.Type, parameters = ParametersOf(request), reason = request.Reason!.Trim(), request.ReasonClass,
                trigger = request.TriggerAt?.UtcDateTime, fence, actor.Id, actor.Name, within = options.Value.For(request.Type!), signed = signature?.SignatureId,
            }, work.Transaction);
            if (signature is not null)
            {
                // Whoever signs that the line may go on takes the making of new units out of the hold; those it has stay held. Should nothing come of it, the database takes both back.
                await work.Connection.ExecuteAsync("update line_hold set until_at = (select issued_at from device_command where command_id = @commandId) where until_at is null and command_id in (select command_id from standing_quality_pause(@LineId))", new { commandId, target.LineId }, work.Transaction);
                await work.Connection.ExecuteAsync("update device_command set lifted_by = @commandId where command_id in (select command_id from standing_quality_pause(@LineId))", new { commandId, target.LineId }, work.Transaction);
            }
            if (CommandWords.Moving.Contains(request.Type))
            {
                await SupersedeAsync(work, target, commandId, request.Type!);
            }
        }
        catch (PostgresException e) when (e.SqlState == NeedsSignature)
        {
            return new IssuedCommand(null, e.MessageText, NeedsSignature: true);
        }
        catch (PostgresException e) when (e.SqlState is Unfit or PostgresErrorCodes.CheckViolation or PostgresErrorCodes.UntranslatableCharacter)
        {
            return new IssuedCommand(null, "params cannot be stored: it is too large, or has the character U+0000.");
        }
        return new IssuedCommand(cmdId);
    }

    // A machine that is told to stop is not to be started by what another device of its line was asked before.
    private static Task SupersedeAsync(Work work, Target target, long commandId, string type) => work.Connection.ExecuteAsync("""
        update device_command set state = 'superseded', superseded_by = @commandId, ended_at = gateway_now(), detail = 'A newer command took its place.'
        where state in ('queued', 'sent', 'acked') and command_id <> @commandId
          and (device_id = @DeviceId and type = any(@Moving) or @stops and line_id = @LineId and type in ('start', 'resume'));
        update device_command set proof = 'moot' where device_id = @DeviceId and proof = 'awaited' and command_id <> @commandId and @type in ('start', 'resume')
            and (reason_class <> 'quality' or lifted_by is not null)
        """, new { commandId, target.DeviceId, target.LineId, CommandWords.Moving, stops = type is "pause" or "end", type }, work.Transaction);
}
