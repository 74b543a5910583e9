using System.Globalization;
using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Devices;

/// <param name="Decision">One of <see cref="DeviceQuarantine.Decisions"/>.</param>
/// <param name="First">The first number that is decided about; null: from the beginning. Likewise Last.</param>
/// <param name="Epoch">Whose numbers; null: of whatever epoch.</param>
/// <param name="Count">How many were looked at: when there are others by now, nothing is decided. Null: however many.</param>
public sealed record SettleRequest(string? Decision, string? Reason, long? First, long? Last, int? Epoch = null, long? Count = null);

/// <summary>Decides about messages that were set aside because their time cannot be (LINES.md section 7): a person says what they are worth, and answers for it.</summary>
public sealed class DeviceQuarantine(GatewayDatabase database)
{
    /// <summary>The time as the device told it; the time at which the gateway received it; not at all.</summary>
    public const string Told = "told", Received = "received", Discard = "discard";

    public static IReadOnlyList<string> Decisions { get; } = [Told, Received, Discard];

    private sealed record Aside(int PartyId, string Name, int Count, long? First, long? Last, DateTime? Latest, DateTime Now);

    /// <returns>Null, or the refusal as a sentence; then nothing was changed.</returns>
    public async Task<string?> SettleAsync(Actor actor, int deviceId, SettleRequest request, CancellationToken ct)
    {
        if (request.Decision is null || !Decisions.Contains(request.Decision))
        {
            return $"decision is one of {string.Join(", ", Decisions)}.";
        }
        if (string.IsNullOrWhiteSpace(request.Reason) || Texts.Refusal("reason", request.Reason, Texts.MaxReason) is not null)
        {
            return "A reason is needed, of at most 2,000 characters.";
        }
        await using var work = await database.BeginAsync(actor with { Reason = request.Reason.Trim() }, ct);
        await work.Connection.ExecuteAsync("select from device_status where device_id = @deviceId for update", new { deviceId }, work.Transaction);
        var aside = await work.Connection.QuerySingleAsync<Aside>($"""
            select d.party_id as PartyId, d.name as Name, count(m.seq)::int as Count, min(m.seq) as First, max(m.seq) as Last, max(m.corrected_at) as Latest, gateway_now() as Now
            from device d left join device_message m on m.device_id = d.device_id and {Meant} where d.device_id = @deviceId group by 1, 2
            """, new { deviceId, request.First, request.Last, request.Epoch }, work.Transaction);
        var refusal = aside.Count == 0 ? $"No such message of {aside.Name} is set aside."
            : request.Count is { } looked && looked != aside.Count ? string.Create(CultureInfo.InvariantCulture, $"{aside.Count:N0} messages are set aside by now, and {looked:N0} were looked at: look again.")
            : request.Decision == Told && aside.Latest > aside.Now + DeviceLimits.Future
                ? string.Create(CultureInfo.InvariantCulture, $"They go up to {aside.Latest:yyyy-MM-dd HH:mm:ss} UTC, which is still to come: take them with the time at which they came, or discard them.")
            : null;
        if (refusal is not null)
        {
            return await work.RefuseAsync(new RefusedStep("device", aside.Name, "settle", refusal, "select case when withdrawn then 'withdrawn' else 'in service' end, version from device where name = @key limit 1"));
        }
        // What comes after numbers that are still waited for waits with them. What came in one post keeps the device's order, a millisecond apart.
        await work.Connection.ExecuteAsync($"""
            with decided as (
                insert into device_message_decision (device_id, party_id, decision, reason, messages, epoch, first_seq, last_seq, decided_by, decided_by_name, decided_at)
                values (@deviceId, @PartyId, @Decision, @reason, @Count, @Epoch, @from, @to, @Id, @Name, gateway_now()) returning decision_id),
            came as (
                select m.epoch, m.seq, m.received_at - make_interval(secs => (count(*) over (partition by m.received_at) - row_number() over (partition by m.received_at order by m.epoch, m.seq)) / 1000.0) as at
                from device_message m where m.device_id = @deviceId and {Meant})
            update device_message m set decision_id = d.decision_id,
                state = case when @Decision = '{Discard}' then 'discarded'
                    when exists (select from device_gap g where g.device_id = m.device_id and g.epoch = m.epoch and g.closed_at is null and g.opened_at is null and g.missing[1] < m.seq) then 'waiting' else 'ready' end,
                offset_ms = case when @Decision = '{Received}' then extract(epoch from m.ts - c.at) * 1000 else m.offset_ms end,
                corrected_at = case when @Decision = '{Received}' then c.at else m.corrected_at end
            from decided d, came c where m.device_id = @deviceId and (m.epoch, m.seq) = (c.epoch, c.seq) and {Meant}
            """, new { deviceId, aside.PartyId, request.Decision, reason = request.Reason.Trim(), aside.Count, from = aside.First, to = aside.Last, actor.Id, actor.Name, request.First, request.Last, request.Epoch }, work.Transaction);
        if (!await work.Connection.ExecuteScalarAsync<bool>("select exists (select from device_message where device_id = @deviceId and state = 'quarantined')", new { deviceId }, work.Transaction))
        {
            await DeviceExceptions.ResolveAsync(work, DeviceCodes.Future, aside.PartyId, aside.Name, $"{actor.Name} has decided about the messages.");
        }
        await work.CommitAsync();
        return null;
    }

    private const string Meant = "m.state = 'quarantined' and m.seq >= coalesce(@First::bigint, 0) and m.seq <= coalesce(@Last::bigint, 9223372036854775807) and (@Epoch::int is null or m.epoch = @Epoch)";
}
