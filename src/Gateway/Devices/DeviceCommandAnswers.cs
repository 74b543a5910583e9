using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Devices;

/// <summary>What a device is told about its own answer.</summary>
/// <param name="Refusal">As a sentence; nothing was changed then.</param>
/// <param name="Code">Of the refusal; null when there is no such command of that device.</param>
/// <param name="State">Of the command as it is now.</param>
/// <param name="Fence">Of the line as it is now.</param>
public sealed record CommandAnswered(string? Refusal, string? Code, string State, long Fence);

/// <summary>Takes what devices answer: that they have a command, what became of it, and in which state the machine is.</summary>
public sealed class DeviceCommandAnswers(GatewayDatabase database)
{
    public const string StaleFence = "cmd.stale_fence", Ended = "cmd.ended";

    /// <summary>A report that seems to be from before the pause by no more than this is still one from after it: so much a clock may change between two measurements (LINES.md section 7: a warning, no alarm).</summary>
    private static readonly TimeSpan ClockMayBeBehind = TimeSpan.FromSeconds(2);

    private const int MaxDetail = 2000;

    private sealed record Held(long CommandId, string State, string Type, string ReasonClass, long Fence, long LineFence, string? Proof);

    /// <summary>The device has the command and will do it.</summary>
    public Task<CommandAnswered> AckAsync(Actor actor, SpeakingDevice device, Guid cmdId, long fence, CancellationToken ct) => AnswerAsync(actor, device, cmdId, fence, "ack", async (work, held) =>
    {
        if (held.State == "sent")
        {
            await work.Connection.ExecuteAsync("update device_command set state = 'acked', acked_at = gateway_now() where command_id = @CommandId", held, work.Transaction);
        }
        return held.State is "sent" or "acked";
    }, ct);

    /// <summary>
    /// What became of the command. A pause is done when the machine's state says so: until then it stays acknowledged, whatever outcome the device claims.
    /// </summary>
    /// <param name="state">Of the machine, if the device tells it.</param>
    public Task<CommandAnswered> CompleteAsync(Actor actor, SpeakingDevice device, Guid cmdId, long fence, string outcome, string? state, string? detail, CancellationToken ct) =>
        AnswerAsync(actor, device, cmdId, fence, "complete", async (work, held) =>
        {
            if (held.State == outcome)
            {
                return true; // said again
            }
            if (held.State is not ("sent" or "acked"))
            {
                return false;
            }
            if (held.State == "sent")
            {
                await work.Connection.ExecuteAsync("update device_command set state = 'acked', acked_at = gateway_now() where command_id = @CommandId", held, work.Transaction);
            }
            if (state is not null)
            {
                await ReportedAsync(work, device, state, at: null);
            }
            if (held.Type != "pause" || outcome != "done")
            {
                await work.Connection.ExecuteAsync("update device_command set state = @outcome, ended_at = gateway_now(), machine_state = @state, detail = @detail where command_id = @CommandId and state = 'acked'",
                    new { held.CommandId, outcome, state = state ?? "", detail = (detail ?? "") is { Length: > MaxDetail } long_ ? long_[..MaxDetail] : detail ?? "" }, work.Transaction);
            }
            return true;
        }, ct);

    /// <summary>The machine's own state, which alone proves a pause.</summary>
    /// <param name="at">By the device's clock.</param>
    /// <returns>Null, or why it is not taken, as a sentence.</returns>
    public async Task<string?> ReportAsync(Actor actor, SpeakingDevice device, string state, DateTimeOffset at, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor, ct);
        await LockAsync(work, device);
        // By the gateway's clock, as all that devices say (LINES.md section 7): a machine whose clock is wrong proves a pause neither too early nor never.
        var (offset, now) = await work.Connection.QuerySingleAsync<(double, DateTime)>("select coalesce((select offset_ms from device_status where device_id = @DeviceId), 0), gateway_now()", device, work.Transaction);
        var corrected = at.UtcDateTime.AddMilliseconds(-offset);
        if (corrected > now + DeviceLimits.Future)
        {
            return "at is in the future: the device's clock is wrong.";
        }
        // What is heard has been: were a clock ahead believed, what the machine says next would be late.
        await ReportedAsync(work, device, state, corrected < now ? corrected : now);
        await work.CommitAsync();
        return null;
    }

    private async Task<CommandAnswered> AnswerAsync(Actor actor, SpeakingDevice device, Guid cmdId, long fence, string step, Func<Work, Held, Task<bool>> take, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor, ct);
        await LockAsync(work, device);
        var held = await work.Connection.QuerySingleOrDefaultAsync<Held>("""
            select command_id as CommandId, state as State, type as Type, reason_class as ReasonClass, c.fence as Fence, f.fence as LineFence, proof as Proof
            from device_command c join line_fence f using (line_id) where public_id = @cmdId and device_id = @DeviceId for update of c
            """, new { cmdId, device.DeviceId }, work.Transaction);
        if (held is null)
        {
            return new CommandAnswered("There is no such command of this device.", null, "", 0);
        }
        if (held.State == "superseded" || fence != held.Fence)
        {
            var sentence = held.State == "superseded" ? $"A newer command took its place: the line's fence is {held.LineFence}." : $"The command's fence is {held.Fence}, and {fence} was answered.";
            await work.RefuseAsync(Refused(sentence));
            return new CommandAnswered(sentence, StaleFence, held.State, held.LineFence);
        }
        if (!await take(work, held))
        {
            var sentence = held.State == "queued" ? "The command was not told yet." : $"The command has ended: it is {held.State}.";
            await work.RefuseAsync(Refused(sentence));
            return new CommandAnswered(sentence, Ended, held.State, held.LineFence);
        }
        var now = await work.Connection.ExecuteScalarAsync<string>("select state from device_command where command_id = @CommandId", held, work.Transaction);
        await work.CommitAsync();
        return new CommandAnswered(null, null, now!, held.LineFence);

        RefusedStep Refused(string sentence) => new("device_command", cmdId.ToString(), step, sentence, "select state, null::int from device_command where public_id = @key::uuid");
    }

    // What the gateway does to a device's commands is done one after another, in the order in which it is told of them.
    private static Task LockAsync(Work work, SpeakingDevice device) => work.Connection.ExecuteAsync("select from device where device_id = @DeviceId for no key update", device, work.Transaction);

    private static async Task ReportedAsync(Work work, SpeakingDevice device, string state, DateTime? at)
    {
        var isNewest = await work.Connection.ExecuteAsync("""
            insert into device_state as s (device_id, party_id, state, at, since, received_at) select @DeviceId, @PartyId, @state, coalesce(@at, n.at), coalesce(@at, n.at), n.at from (select gateway_now() as at) n
            on conflict (device_id) do update set state = excluded.state, at = excluded.at, since = case when s.state = excluded.state then s.since else excluded.at end, received_at = excluded.received_at
            where s.at <= excluded.at
            """, new { device.DeviceId, device.PartyId, state, at }, work.Transaction) == 1;
        if (!isNewest)
        {
            return; // late, and something newer is known
        }
        // What the machine said before it was asked to stand proves nothing.
        await work.Connection.ExecuteAsync("""
            update device_command set proof = 'proved' where device_id = @DeviceId and proof = 'awaited' and coalesce(@at, gateway_now()) >= issued_at - @ClockMayBeBehind
                and (@state = 'Held' or @state = 'Suspended' and reason_class in ('starved', 'blocked'));
            update device_command set state = 'acked', acked_at = gateway_now() where device_id = @DeviceId and state = 'sent' and type = 'pause' and proof = 'proved';
            update device_command set state = 'done', ended_at = gateway_now(), machine_state = @state where device_id = @DeviceId and state = 'acked' and type = 'pause' and proof = 'proved';
            update line_hold h set until_at = gateway_now() from device_command c where c.command_id = h.command_id and c.device_id = @DeviceId and h.until_at is null
                and (@state = 'Held' or @state = 'Suspended' and c.reason_class in ('starved', 'blocked'))
            """, new { device.DeviceId, state, at, ClockMayBeBehind }, work.Transaction);
    }
}
