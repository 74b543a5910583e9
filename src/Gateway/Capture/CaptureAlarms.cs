using Gateway.Alarms;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Gateway.Capture;

/// <summary>What can be wrong with what comes in: documents that were refused, and documents that nothing becomes of.</summary>
internal static class CaptureAlarms
{
    /// <summary>A refused document is news for a day; after that it is history, unless more of its kind come.</summary>
    private const int RefusedHours = 24;

    public static IServiceCollection AddCaptureAlarms(this IServiceCollection services) => services
        // By its code only: what a finding says may name units.
        .AddAlarm(AlarmCondition.Of("alarm.refused", AlarmSeverity.Warning, "documents that were refused", $"""
            select p.party_id || ' ' || r.code as Subject, r.n || case when r.n = 1 then ' document of ' else ' documents of ' end || coalesce(nullif(p.name, ''), nullif(p.gln, ''), 'the organisation')
                    || case when r.n = 1 then ' was' else ' were' end || ' refused in the last {RefusedHours} hours (' || r.code || ').' as Sentence,
                'captures?state=refused&party=' || p.party_id as Link, r.first as Since, null::text as Severity
            from (select c.party_id, coalesce(f.code, c.state) as code, count(*) as n, min(c.created_at) as first from capture c
                  left join lateral (select code from finding f where f.capture_id = c.capture_id and f.severity = 'error' order by f.ordinal limit 1) f on true
                  where c.created_at >= gateway_now() - interval '{RefusedHours} hours' and c.state in ('refused', 'failed') group by 1, 2) r join party p using (party_id)
            """))
        .AddAlarm(AlarmCondition.Of("alarm.stuck", AlarmSeverity.Error, "documents that are undecided for too long", """
            select 'captures' as Subject, count(*) || case when count(*) = 1 then ' document is' else ' documents are' end || ' undecided for too long; the oldest came at ' || to_char(min(created_at), 'YYYY-MM-DD HH24:MI') || ' UTC.' as Sentence,
                'captures?state=processing' as Link, min(created_at) as Since, null::text as Severity
            from capture where state = 'processing' and created_at < gateway_now() - @StuckAfter having count(*) > 0
            """, services => new { services.GetRequiredService<IOptions<CaptureOptions>>().Value.StuckAfter }));
}
