using System.Globalization;
using Dapper;
using Gateway.Alarms;
using Gateway.Database;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Gateway.Delivery;

/// <summary>What can be wrong with deliveries: what failed, and what should have succeeded by now.</summary>
internal static class DeliveryAlarms
{
    // Reasons of a breaker that no retry mends.
    private static readonly string[] Credentials = ["credential", "permission-denied", "no-key", "host-key"];

    // A breaker is closed by an answer, so it says nothing where nothing is asked.
    private const string Waits = "exists (select from delivery d where d.partner_id = p.partner_id and (d.state = 'due' or d.state = 'delivered' and d.receipt = 'pending'))";

    // A partner by its GLN, which stays when its name changes.
    private const string Subject = "coalesce(nullif(y.gln, ''), 'partner ' || p.partner_id)";

    public static IServiceCollection AddDeliveryAlarms(this IServiceCollection services) => services
        .AddAlarm(new AlarmCondition("alarm.decision", AlarmSeverity.Error, "deliveries that need a decision", DecisionsAsync))
        .AddAlarm(AlarmCondition.Of("alarm.circuit", AlarmSeverity.Warning, "partners that are left alone after failures", $"""
            select {Subject} as Subject, p.name || ' keeps failing (' || coalesce(b.reason, 'no code') || ') and is left alone; one document is tried now and then.' as Sentence,
                'partners/' || p.partner_id as Link, b.opened_at as Since, null::text as Severity
            from breaker b join partner p using (partner_id) join party y on y.party_id = p.party_id
            where b.opened > 0 and b.opened_at <= gateway_now() - @HeldAlarmAfter and p.state = 'active' and not coalesce(b.reason = any(@Credentials), false) and {Waits}
            """, Options))
        .AddAlarm(AlarmCondition.Of("alarm.credential", AlarmSeverity.Error, "partners that do not accept our credential", $"""
            select {Subject} as Subject, case b.reason when 'host-key' then p.name || '''s server shows another host key than the one on record: nothing is sent until somebody has asked the partner.'
                    when 'no-key' then 'There is no key for ' || p.name || '''s server: nothing is sent until one is set, on its page.'
                    else p.name || ' does not accept our credential: nothing reaches it until another is set, on its page.' end as Sentence,
                'partners/' || p.partner_id as Link, b.opened_at as Since, null::text as Severity
            from breaker b join partner p using (partner_id) join party y on y.party_id = p.party_id
            where b.opened > 0 and b.opened_at <= gateway_now() - @HeldAlarmAfter and p.state = 'active' and b.reason = any(@Credentials) and {Waits}
            """, Options))
        .AddAlarm(AlarmCondition.Of("alarm.silent", AlarmSeverity.Error, "partners that take nothing though documents wait", $"""
            select {Subject} as Subject, 'Nothing has reached ' || p.name || ' since ' || to_char(s.since, 'YYYY-MM-DD HH24:MI') || ' UTC, though documents wait for it.' as Sentence,
                'deliveries?partner=' || p.partner_id || '&state=open' as Link, s.since as Since, null::text as Severity
            from partner p join party y on y.party_id = p.party_id
            join (select partner_id, min(created_at) as oldest from delivery where state = 'due' and not {DeliveryHold.Stands} group by 1) w using (partner_id)
            cross join lateral (select greatest(w.oldest, (select max(d.finished_at) from delivery d where d.partner_id = p.partner_id and d.state = 'delivered')) as since) s
            where p.state = 'active' and s.since <= gateway_now() - @SilentAfter
            """, Options))
        .AddAlarm(AlarmCondition.Of("alarm.late", AlarmSeverity.Warning, "documents that a partner should have by now", $"""
            select {Subject} as Subject, l.n || case when l.n = 1 then ' document for ' else ' documents for ' end || p.name || case when l.n = 1 then ' is late: it was' else ' are late: the first was' end
                    || ' needed by ' || to_char(l.first, 'YYYY-MM-DD HH24:MI') || ' UTC.' as Sentence,
                'deliveries?partner=' || p.partner_id || '&state=late' as Link, l.first as Since, null::text as Severity
            from (select partner_id, count(*) as n, min(need_by) as first from delivery where state = 'due' and need_by < (select gateway_now()) group by 1) l
            join partner p using (partner_id) join party y on y.party_id = p.party_id
            """));

    private static object Options(IServiceProvider services)
    {
        var options = services.GetRequiredService<IOptions<DeliveryOptions>>().Value;
        return new { options.HeldAlarmAfter, options.SilentAfter, Credentials };
    }

    // One alarm a partner and reason: what mends one of them mends all.
    private static async Task<IEnumerable<AlarmFinding>> DecisionsAsync(IServiceProvider services, Work work, CancellationToken ct)
    {
        var dead = await work.Connection.QueryAsync<(string Subject, string Partner, int PartnerId, string? Code, string DeadReason, long Count, DateTime Since)>(new CommandDefinition($"""
            select {Subject}, p.name, p.partner_id, d.code, d.dead_reason, count(*), min(d.created_at) from delivery d join partner p using (partner_id) join party y on y.party_id = p.party_id
            where d.state = 'dead' group by 1, 2, 3, 4, 5
            """, transaction: work.Transaction, cancellationToken: ct));
        return from d in dead
               group d by (d.Subject, d.Partner, d.PartnerId, Reason: DeliveryReason.Of(d.Code, d.DeadReason)) into g
               let count = g.Sum(d => d.Count)
               select new AlarmFinding($"{g.Key.Subject} {g.Key.Reason.Code}",
                   string.Create(CultureInfo.InvariantCulture, $"{count} {(count == 1 ? "delivery" : "deliveries")} to {g.Key.Partner} {(count == 1 ? "needs" : "need")} a decision. {g.Key.Reason.Sentence}"),
                   string.Create(CultureInfo.InvariantCulture, $"deliveries?partner={g.Key.PartnerId}&state=dead&why={g.Key.Reason.Code}"), g.Min(d => d.Since));
    }
}
