using Dapper;
using Gateway.Access;
using Gateway.Database;
using Microsoft.Extensions.Options;

namespace Gateway.Alarms;

/// <summary>A notice under a lease, with what it says and to whom.</summary>
/// <param name="At">The moment of the attempt.</param>
public sealed record ClaimedNotice(AlarmMessage Message, Guid TargetId, string Channel, string Address, byte[]? Secret, Guid LeaseToken, DateTime At);

/// <summary>Who is still to be told what. A notice is written with the turn of its alarm, and is sent at least once.</summary>
public sealed class AlarmNotices(GatewayDatabase database, IOptions<AlarmOptions> options)
{
    /// <summary>The alarm about targets that cannot be told. It is shown, and told to nobody: the telling is what fails.</summary>
    public const string Unsent = "alarm.sending";

    private const int MostOfATarget = 20;

    private static readonly Actor Sender = Actor.System("alarms");

    /// <summary>
    /// Tells every target of what stands and it was not told of: a new alarm, one whose silence has ended, one that stood before the target was there.
    /// What is acknowledged has somebody who knows; that it has become an error is told all the same, to whom it was told as a warning.
    /// </summary>
    internal static Task MakeAsync(Work work, string kind) => work.Connection.ExecuteAsync("""
        insert into alarm_notice (alarm_id, target_id, turn, severity, sentence, link, made_at, due_at)
        select a.alarm_id, t.target_id, 'raised', a.severity, a.sentence, a.link, n.at, n.at from alarm a cross join alarm_target t cross join (select gateway_now() as at) n
        where a.kind = @kind and a.kind <> @Unsent and a.cleared_at is null and a.gone_at is null and a.acknowledged_at is null
            and t.removed_at is null and (t.least = 'warning' or a.severity = 'error') and not alarm_silenced(a.kind, a.subject)
            and not exists (select from alarm_notice o where o.alarm_id = a.alarm_id and o.target_id = t.target_id and o.turn = 'raised')
        on conflict do nothing;
        insert into alarm_notice (alarm_id, target_id, turn, severity, sentence, link, made_at, due_at)
        select a.alarm_id, t.target_id, 'worse', a.severity, a.sentence, a.link, n.at, n.at
        from alarm a join alarm_notice o on o.alarm_id = a.alarm_id and o.turn = 'raised' and o.severity = 'warning' join alarm_target t using (target_id) cross join (select gateway_now() as at) n
        where a.kind = @kind and a.severity = 'error' and a.cleared_at is null and a.gone_at is null and t.removed_at is null and not alarm_silenced(a.kind, a.subject)
        on conflict do nothing
        """, new { kind, Unsent }, work.Transaction);

    /// <summary>Whoever was told that it began is told that it is over, silence or not.</summary>
    internal static Task MakeRecoveriesAsync(Work work, long[] alarms) => work.Connection.ExecuteAsync("""
        insert into alarm_notice (alarm_id, target_id, turn, severity, sentence, link, made_at, due_at)
        select r.alarm_id, r.target_id, 'cleared', r.severity, r.sentence, r.link, n.at, n.at from alarm_notice r join alarm_target t using (target_id) cross join (select gateway_now() as at) n
        where r.alarm_id = any(@alarms) and r.turn = 'raised' and r.state <> 'dead' and t.removed_at is null on conflict do nothing
        """, new { alarms }, work.Transaction);

    /// <summary>The targets that something is due for.</summary>
    public async Task<IReadOnlyList<Guid>> DueTargetsAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Sender, ct);
        return (await work.Connection.QueryAsync<Guid>(
            "select distinct target_id from alarm_notice where state = 'due' and due_at <= gateway_now() and (lease_until is null or lease_until <= gateway_now())", transaction: work.Transaction)).AsList();
    }

    /// <summary>
    /// Claims the target's next notice and commits the intent to send it: a process that dies after this leaves a lease that ends, and the same notice is sent again.
    /// That something is over follows its beginning. What a target that is gone was to be told is given up.
    /// </summary>
    public async Task<ClaimedNotice?> ClaimAsync(Guid targetId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Sender, ct);
        await work.Connection.ExecuteAsync("""
            update alarm_notice n set state = 'dead', code = coalesce(n.code, 'target-removed'), finished_at = gateway_now(), lease_token = null, lease_until = null
            from alarm_target t where t.target_id = n.target_id and n.target_id = @targetId and n.state = 'due' and t.removed_at is not null
            """, new { targetId }, work.Transaction);
        var row = await work.Connection.QuerySingleOrDefaultAsync<Row>("""
            with next as materialized (
                select n.notice_id from alarm_notice n
                where n.target_id = @targetId and n.state = 'due' and n.due_at <= gateway_now() and (n.lease_until is null or n.lease_until <= gateway_now())
                    and (n.turn <> 'cleared' or not exists (select from alarm_notice b where b.alarm_id = n.alarm_id and b.target_id = n.target_id and b.turn in ('raised', 'worse') and b.state = 'due'))
                order by n.made_at, n.notice_id limit 1 for update skip locked),
            mine as (
                update alarm_notice n set attempts = n.attempts + 1, lease_token = gen_random_uuid(), lease_until = gateway_now() + @lease from next where n.notice_id = next.notice_id
                returning n.notice_id, n.alarm_id, n.target_id, n.turn, n.severity, n.sentence, n.link, n.made_at, n.lease_token)
            select m.notice_id as NoticeId, m.turn as Turn, a.kind as Kind, a.subject as Subject, m.severity as Severity, m.sentence as Sentence, m.link as Link, a.since as Since, a.raised_at as RaisedAt,
                case when m.turn = 'cleared' then coalesce(a.gone_at, a.cleared_at) end as ClearedAt, m.made_at as MadeAt, m.target_id as TargetId, t.channel as Channel, t.address as Address, t.secret as Secret, m.lease_token as LeaseToken, gateway_now() as At
            from mine m join alarm_target t using (target_id) left join alarm a using (alarm_id)
            """, new { targetId, lease = (options.Value.AttemptTimeout * 2) + TimeSpan.FromSeconds(10) }, work.Transaction);
        await work.CommitAsync();
        return row is null ? null : new ClaimedNotice(
            new AlarmMessage(row.NoticeId, row.Turn, row.Kind, row.Subject, row.Severity, row.Sentence, row.Link, row.Since, row.RaisedAt, row.ClearedAt, row.MadeAt),
            row.TargetId, row.Channel, row.Address, row.Secret, row.LeaseToken, row.At);
    }

    /// <param name="code"><c>ok</c>, or why not.</param>
    /// <returns>The state that it has now; null when the lease was lost meanwhile.</returns>
    public async Task<string?> CompleteAsync(ClaimedNotice notice, string code)
    {
        await using var work = await database.BeginAsync(Sender, CancellationToken.None);
        var state = await work.Connection.ExecuteScalarAsync<string?>("""
            update alarm_notice set lease_token = null, lease_until = null, code = @code,
                state = case when @sent then 'sent' when o.is_over then 'dead' else 'due' end, finished_at = case when @sent or o.is_over then gateway_now() end,
                due_at = gateway_now() + least(@RetryCap, @RetryBase * power(2, least(attempts - 1, 20))) * (0.5 + random() / 2)
            from (select n.made_at <= gateway_now() - @RetryLifetime and (n.turn not in ('raised', 'worse') or a.cleared_at is not null) as is_over -- what stands is told however long it takes
                  from alarm_notice n left join alarm a using (alarm_id) where n.notice_id = @Id) o
            where notice_id = @Id and lease_token = @LeaseToken and state = 'due' returning state
            """, new { notice.Message.Id, notice.LeaseToken, code, sent = code == AlarmSending.Ok, options.Value.RetryLifetime, options.Value.RetryCap, options.Value.RetryBase }, work.Transaction);
        await work.CommitAsync();
        return state;
    }

    /// <summary>Targets that the last attempts have not reached.</summary>
    internal const string UnsentTargets = """
        select t.target_id::text as Subject,
            case when d.dead > 0 then d.dead || ' messages of alarms could not be sent to ' else 'Messages of alarms cannot be sent to ' end || t.name || ' (' || coalesce(d.code, 'no answer') || ').' as Sentence,
            'settings/alarms' as Link, d.since as Since, null::text as Severity
        from alarm_target t cross join lateral (
            select count(*) filter (where n.state = 'dead') as dead, min(n.made_at) as since, (array_agg(n.code order by n.made_at desc))[1] as code, count(*) as failing
            from alarm_notice n where n.target_id = t.target_id and n.made_at > coalesce((select max(s.made_at) from alarm_notice s where s.target_id = t.target_id and s.state = 'sent'), '-infinity')
                and (n.state = 'dead' or n.state = 'due' and n.attempts >= 3)) d
        where t.removed_at is null and d.failing > 0
        """;

    /// <summary>So many messages to one target in one turn, so that none keeps the others waiting for long.</summary>
    internal static int MostAtOnce => MostOfATarget;

    private sealed record Row
    {
        public Guid NoticeId { get; init; }
        public string Turn { get; init; } = "";
        public string? Kind { get; init; }
        public string? Subject { get; init; }
        public string? Severity { get; init; }
        public string? Sentence { get; init; }
        public string? Link { get; init; }
        public DateTime? Since { get; init; }
        public DateTime? RaisedAt { get; init; }
        public DateTime? ClearedAt { get; init; }
        public DateTime MadeAt { get; init; }
        public Guid TargetId { get; init; }
        public string Channel { get; init; } = "";
        public string Address { get; init; } = "";
        public byte[]? Secret { get; init; }
        public Guid LeaseToken { get; init; }
        public DateTime At { get; init; }
    }
}
