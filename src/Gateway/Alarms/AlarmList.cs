using System.Globalization;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Http;

namespace Gateway.Alarms;

/// <summary>An alarm as lists show it.</summary>
/// <param name="State">One of <see cref="AlarmFilter.States"/>.</param>
/// <param name="TimesSeen">How often it came within the episode.</param>
/// <param name="SilencedUntil">Nobody is told of it until then; null: no silence covers it.</param>
/// <param name="Told">How many targets were told that it began.</param>
public sealed record AlarmRow(
    long AlarmId, string State, string Kind, string Subject, string Severity, string Sentence, string RaisedAs, string Link, DateTime Since, DateTime RaisedAt, DateTime LastSeenAt, int TimesSeen,
    DateTime? AcknowledgedAt, string? AcknowledgedBy, string? AcknowledgedWhy, DateTime? ClearedAt, DateTime? SilencedUntil, long Told, int Version);

/// <summary>Alarms as they stand.</summary>
public sealed record AlarmCounts(long Unacknowledged, long Acknowledged, long Silenced)
{
    public long Open => Unacknowledged + Acknowledged;
}

/// <summary>Which alarms; what is null does not narrow. The same words narrow the list of the API, the command line and the page.</summary>
/// <param name="State">One of <see cref="States"/>, or <c>open</c> for all that stand.</param>
/// <param name="Before">The number of the last row already known.</param>
public sealed record AlarmFilter(string? State = null, string? Kind = null, long? Before = null)
{
    private const int MaxText = 200;

    /// <summary>As they are shown: raised, acknowledged, or cleared.</summary>
    public static IReadOnlyList<string> States { get; } = ["raised", "acknowledged", "cleared"];

    /// <param name="wrong">A sentence when a value cannot be; then nothing is narrowed by it.</param>
    public static AlarmFilter Read(Func<string, string?> value, out string? wrong)
    {
        var given = new GivenValues(value);
        var filter = new AlarmFilter(
            given.Of("state", v => v == "open" || States.Contains(v), $"state is one of open, {string.Join(", ", States)}."), given.Of("kind", v => v.Length <= MaxText, "kind is shorter."),
            given.Number("before", "cursor is not one of ours."));
        wrong = given.Wrong;
        return filter;
    }

    /// <summary>As it stands in addresses; empty when nothing narrows.</summary>
    public string ToQueryString() => string.Join('&', new[] { ("state", State), ("kind", Kind) }.Where(q => q.Item2 is not null).Select(q => $"{q.Item1}={Uri.EscapeDataString(q.Item2!)}"));
}

/// <summary>Alarms for reading.</summary>
public sealed class AlarmList(GatewayDatabase database)
{
    private const string Rows = """
        select a.alarm_id as AlarmId, case when a.cleared_at is not null then 'cleared' when a.acknowledged_at is not null then 'acknowledged' else 'raised' end as State, a.kind as Kind, a.subject as Subject,
            a.severity as Severity, a.sentence as Sentence, a.raised_as as RaisedAs, a.link as Link, a.since as Since, a.raised_at as RaisedAt, a.last_seen_at as LastSeenAt, a.times_seen as TimesSeen,
            a.acknowledged_at as AcknowledgedAt, a.acknowledged_by as AcknowledgedBy, a.acknowledged_why as AcknowledgedWhy, a.cleared_at as ClearedAt,
            case when a.cleared_at is null then (select max(s.until) from alarm_silence s where s.ended_at is null and s.until > gateway_now() and alarm_matches(s.kind, a.kind) and alarm_matches(s.subject, a.subject)) end as SilencedUntil,
            (select count(*) from alarm_notice n where n.alarm_id = a.alarm_id and n.turn = 'raised' and n.state = 'sent') as Told, a.version as Version
        from alarm a
        """;

    /// <summary>What stands first, then the newest; the page's order is by number, so that a list never reorders by itself.</summary>
    public async Task<IReadOnlyList<AlarmRow>> ListAsync(Actor reader, AlarmFilter filter, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<AlarmRow>(new CommandDefinition($"""
            {Rows} where (@Kind::text is null or a.kind = @Kind) and (@Before::bigint is null or (a.cleared_at is not null, -a.alarm_id) > (select b.cleared_at is not null, -b.alarm_id from alarm b where b.alarm_id = @Before))
                and case @State::text when 'open' then a.cleared_at is null when 'raised' then a.cleared_at is null and a.acknowledged_at is null
                    when 'acknowledged' then a.cleared_at is null and a.acknowledged_at is not null when 'cleared' then a.cleared_at is not null else true end
            order by a.cleared_at is not null, a.alarm_id desc limit @limit
            """, new { filter.Kind, filter.Before, filter.State, limit }, work.Transaction, cancellationToken: ct))).AsList();
    }

    public async Task<AlarmRow?> FindAsync(Actor reader, long alarmId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await work.Connection.QuerySingleOrDefaultAsync<AlarmRow>(new CommandDefinition($"{Rows} where a.alarm_id = @alarmId", new { alarmId }, work.Transaction, cancellationToken: ct));
    }

    public async Task<AlarmCounts> CountAsync(Actor reader, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await work.Connection.QuerySingleAsync<AlarmCounts>(new CommandDefinition("""
            select count(*) filter (where acknowledged_at is null) as Unacknowledged, count(*) filter (where acknowledged_at is not null) as Acknowledged,
                count(*) filter (where alarm_silenced(kind, subject)) as Silenced from alarm where cleared_at is null
            """, transaction: work.Transaction, cancellationToken: ct));
    }
}

/// <summary>What a person decides about an alarm.</summary>
public sealed class AlarmDecisions(GatewayDatabase database)
{
    public const int MaxText = 2_000;

    /// <summary>Somebody knows and sees to it. The alarm stands until what it is about is gone; who was not told yet is not told any more.</summary>
    /// <returns>Null, or the refusal as a sentence; then nothing was changed.</returns>
    public async Task<string?> AcknowledgeAsync(Actor actor, long alarmId, int? version, string reason, CancellationToken ct)
    {
        if (reason.Length > MaxText)
        {
            return string.Create(CultureInfo.InvariantCulture, $"A reason has at most {MaxText} characters.");
        }
        await using var work = await database.BeginAsync(actor with { Reason = reason }, ct);
        if (await work.Connection.ExecuteAsync("""
            update alarm set acknowledged_at = gateway_now(), acknowledged_by = @Name, acknowledged_why = @reason, version = version + 1
            where alarm_id = @alarmId and cleared_at is null and acknowledged_at is null and version = coalesce(@version, version)
            """, new { alarmId, version, actor.Name, reason }, work.Transaction) == 0)
        {
            return await work.RefuseAsync(new RefusedStep("alarm", alarmId.ToString(CultureInfo.InvariantCulture), "acknowledge", "Only what stands and nobody has acknowledged can be acknowledged. Or it has changed since you looked.",
                "select case when cleared_at is not null then 'cleared' when acknowledged_at is not null then 'acknowledged' else 'raised' end, version from alarm where alarm_id = @key::bigint", version));
        }
        await work.CommitAsync();
        return null;
    }
}
