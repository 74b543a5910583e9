using Dapper;
using Gateway.Database;

namespace Gateway.Alarms;

/// <summary>Gives an installation an alarm of its past. For demonstrations and tests; a live database refuses it.</summary>
public static class AlarmHistory
{
    /// <param name="work">Its clock stands at <paramref name="clearedAt"/> afterwards.</param>
    /// <exception cref="InvalidOperationException">The database is live.</exception>
    public static async Task OverAsync(Work work, string kind, string severity, AlarmFinding finding, DateTime raisedAt, DateTime clearedAt)
    {
        await TransactionClock.MoveToAsync(work, raisedAt);
        var alarmId = await work.Connection.ExecuteScalarAsync<long>("""
            insert into alarm (kind, subject, severity, raised_as, sentence, link, since, raised_at, last_seen_at) values (@kind, @Subject, @severity, @Sentence, @Sentence, @Link, @Since, @raisedAt, @raisedAt) returning alarm_id
            """, new { kind, finding.Subject, severity, finding.Sentence, finding.Link, Since = finding.Since ?? raisedAt, raisedAt }, work.Transaction);
        await TransactionClock.MoveToAsync(work, clearedAt);
        await work.Connection.ExecuteAsync("update alarm set last_seen_at = @clearedAt, gone_at = @clearedAt, cleared_at = @clearedAt, version = version + 1 where alarm_id = @alarmId", new { clearedAt, alarmId }, work.Transaction);
    }
}
