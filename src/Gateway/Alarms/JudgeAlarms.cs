using System.Globalization;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Scheduling;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gateway.Alarms;

/// <summary>
/// Looks at every condition, opens an alarm for what stands, keeps it while it stands, and clears it when it has been gone for a while; who is
/// to be told is written in the same transaction. Each node looks by its own timer: the scheduler is among what is looked at.
/// </summary>
public sealed partial class JudgeAlarms(
    GatewayDatabase database, IEnumerable<AlarmCondition> conditions, IServiceProvider services, IOptions<AlarmOptions> options, ILogger<JudgeAlarms> log) : IChore
{
    /// <summary>The alarm about a condition that cannot be looked at.</summary>
    public const string Unjudged = "alarm.condition";

    // More of one kind at once are one trouble, and nobody reads them one by one.
    private const int MostFindings = 200;

    // A node that looked no more has nothing to say of itself.
    private static readonly TimeSpan NodeIsGoneAfter = TimeSpan.FromMinutes(10);

    // First half of the lock's key; the second is the condition's kind.
    private const int LockSpace = 0x47_57_41_4C;

    private static readonly Actor Judge = Actor.System("alarms");

    private readonly AlarmCondition[] _conditions = [.. conditions];

    public async Task RunAsync(CancellationToken ct)
    {
        var broken = new List<AlarmFinding>();
        foreach (var condition in _conditions)
        {
            try
            {
                await JudgeAsync(condition, ct);
            }
            catch (Exception e) when (!ct.IsCancellationRequested)
            {
                // Silence must not look like peace: what cannot be looked at is an alarm, and those it had raised stay.
                Broke(condition.Kind, e);
                broken.Add(new AlarmFinding(condition.Kind, $"The gateway cannot find out about: {condition.Title}. Alarms of the kind {condition.Kind} neither come nor go until it can; the log tells why.", "settings/health", null));
            }
        }
        await JudgeAsync(new AlarmCondition(Unjudged, AlarmSeverity.Error, "conditions that cannot be looked at", (_, _, _) => Task.FromResult<IEnumerable<AlarmFinding>>(broken)), ct);
        await ForgetAsync(ct);
    }

    private async Task JudgeAsync(AlarmCondition condition, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Judge, ct);
        // Of two nodes that look at once, one waits for the next time: what the other sees is as good.
        if (!await work.Connection.ExecuteScalarAsync<bool>("select pg_try_advisory_xact_lock(@LockSpace, hashtext(@key))", new { LockSpace, key = condition.IsOfNode ? condition.Kind + AlarmCondition.ThisNode : condition.Kind }, work.Transaction))
        {
            return;
        }
        var all = (await condition.FindAsync(services, work, ct)).Select(f => condition.IsOfNode ? f with { Subject = AlarmCondition.ThisNode + f.Subject } : f);
        var standing = all.DistinctBy(f => f.Subject).OrderBy(f => f.Since ?? DateTime.MaxValue).ToList();
        List<AlarmFinding> found = [.. standing.Take(MostFindings)];
        if (standing.Count > MostFindings)
        {
            found.Add(new AlarmFinding("more", string.Create(CultureInfo.InvariantCulture, $"There are {standing.Count - MostFindings} more {condition.Title}."), "alarms", null));
        }
        await work.Connection.ExecuteAsync(new CommandDefinition("""
            insert into alarm (kind, subject, severity, raised_as, sentence, link, since, raised_at, last_seen_at)
            select @Kind, f.subject, f.severity, f.sentence, f.sentence, f.link, coalesce(f.since, n.at), n.at, n.at
            from unnest(@subjects, @severities, @sentences, @links, @sinces) as f (subject, severity, sentence, link, since), (select gateway_now() as at) n
            on conflict (kind, subject) where cleared_at is null do update set severity = excluded.severity, sentence = excluded.sentence, link = excluded.link, last_seen_at = excluded.last_seen_at,
                times_seen = alarm.times_seen + case when alarm.gone_at is null then 0 else 1 end, gone_at = null;
            update alarm set gone_at = gateway_now() where kind = @Kind and cleared_at is null and gone_at is null and not subject = any(@subjects || @others)
                and (not @IsOfNode or starts_with(subject, @ThisNode) or last_seen_at < gateway_now() - @NodeIsGoneAfter)
            """, new
        {
            condition.Kind, condition.IsOfNode, AlarmCondition.ThisNode, NodeIsGoneAfter, subjects = found.Select(f => f.Subject).ToArray(), severities = found.Select(f => f.Severity ?? condition.Severity).ToArray(), sentences = found.Select(f => AlarmMessage.OneLine(f.Sentence)).ToArray(),
            links = found.Select(f => f.Link).ToArray(), sinces = found.Select(f => f.Since).ToArray(), others = standing.Skip(MostFindings).Select(f => f.Subject).ToArray(),
        }, work.Transaction, cancellationToken: ct));
        await EndAsync(work, condition.Kind);
        await AlarmNotices.MakeAsync(work, condition.Kind);
        await work.CommitAsync();
    }

    /// <summary>What no condition of this build looks for goes too; a newer node that knows it sees it again.</summary>
    private async Task ForgetAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Judge, ct);
        var kinds = await work.Connection.QueryAsync<string>("""
            update alarm set gone_at = coalesce(gone_at, gateway_now()) where cleared_at is null and not kind = any(@known) returning kind
            """, new { known = _conditions.Select(c => c.Kind).Append(Unjudged).ToArray() }, work.Transaction);
        foreach (var kind in kinds.Distinct().ToList())
        {
            await EndAsync(work, kind);
        }
        await work.CommitAsync();
    }

    private async Task EndAsync(Work work, string kind)
    {
        var ended = (await work.Connection.QueryAsync<long>("""
            update alarm set cleared_at = gateway_now(), version = version + 1 where kind = @kind and cleared_at is null and gone_at <= gateway_now() - @ClearAfter returning alarm_id
            """, new { kind, options.Value.ClearAfter }, work.Transaction)).ToArray();
        await AlarmNotices.MakeRecoveriesAsync(work, ended);
    }

    [LoggerMessage(3201, LogLevel.Error, "The condition {Kind} cannot be looked at.")]
    private partial void Broke(string kind, Exception e);
}
