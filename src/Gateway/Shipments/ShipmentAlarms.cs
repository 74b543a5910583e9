using Gateway.Alarms;

namespace Gateway.Shipments;

/// <summary>What can be wrong with what partners say of what was shipped to them, and with its sums.</summary>
internal static class ShipmentAlarms
{
    private const string Subject = "coalesce(nullif(y.gln, ''), 'partner ' || p.partner_id)";

    /// <summary>As the exceptions tell it that <see cref="AnswerDeadlines"/> opens and resolves.</summary>
    public static AlarmCondition Owed { get; } = AlarmCondition.Of("alarm.receipt", AlarmSeverity.Warning, "partners that owe an answer", $"""
        select {Subject} || ' ' || e.code as Subject, p.name || ': ' || e.message as Sentence, 'partners/' || p.partner_id as Link, e.opened_at as Since, e.severity as Severity
        from exception e join partner p on p.partner_id::text = e.source_id join party y on y.party_id = p.party_id where e.code in (@ReceiptOverdue, @Unanswered) and e.source_kind = 'partner' and e.state = 'open'
        """, _ => new { AnswerDeadlines.ReceiptOverdue, AnswerDeadlines.Unanswered });

    /// <summary>By the number of lots: the reconciliation tells which.</summary>
    public static AlarmCondition Uneven { get; } = AlarmCondition.Of("alarm.reconcile", AlarmSeverity.Error, "lots of which captured, sent and acknowledged are not even", """
        select 'lots' as Subject, case when count(*) = 1 then 'Of one lot' else 'Of ' || count(*) || ' lots' end || ' captured, sent and acknowledged are not even.' as Sentence, 'reconciliation' as Link, min(opened_at) as Since, null::text as Severity
        from exception where code = @Gap and source_kind = 'partner' and state = 'open' having count(*) > 0
        """, _ => new { Reconciliation.Gap });
}
