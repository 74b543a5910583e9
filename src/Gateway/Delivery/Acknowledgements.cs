using Dapper;
using Gateway.Database;

namespace Gateway.Delivery;

/// <summary>The channel took the bytes.</summary>
/// <param name="AcceptedAt">Null: it has not yet.</param>
/// <param name="AnswerSha256">Of what the partner answered then, as it came.</param>
/// <param name="SentSha256">Of the bytes that were sent.</param>
public sealed record TransportAcknowledgement(DateTime? AcceptedAt, int? Attempt, string? SentSha256, string? AnswerSha256);

/// <summary>The partner's system took the document, where its channel tells that apart.</summary>
/// <param name="State">none, pending, received or negative.</param>
/// <param name="EvidenceSha256">Of what the partner said of it in the end, as it came.</param>
public sealed record ReceiptAcknowledgement(string State, DateTime? At, DateTime? DueAt, bool Overdue, string? EvidenceSha256);

/// <summary>The partner has the goods.</summary>
/// <param name="State">awaited, partly, received, assumed or disputed; null: nothing is to be received.</param>
/// <param name="EventId">The eventID of the partner's event that said it last.</param>
/// <param name="Note">What is outstanding, or why it is disputed.</param>
/// <param name="Expected">Units at every level that the document tells and nobody took back.</param>
/// <param name="Received">How many of them the partner has told to have.</param>
public sealed record BusinessAcknowledgement(string? State, DateTime? At, DateTime? DueAt, bool Overdue, string? EventId, string? Note, long Expected, long Received);

/// <summary>Three acknowledgements, which are never merged: none of them says anything about another.</summary>
public sealed record Acknowledgements(TransportAcknowledgement Transport, ReceiptAcknowledgement Receipt, BusinessAcknowledgement Business)
{
    private static string Agreed(string column, string unit) => $"(select f.{column} * interval '1 {unit}' from partner_profile f where f.partner_id = d.partner_id)";

    internal static readonly string AgreedAnswer = Agreed("answer_days", "day");
    internal static readonly string ReceiptAfter = $"coalesce({Agreed("receipt_hours", "hour")}, @ReceiptOverdueAfter)";
    internal static readonly string AnswerAfter = $"coalesce({AgreedAnswer}, @BusinessAnswerAfter)";

    /// <summary>Whether the partner is to receive goods by a delivery <c>d</c>: it tells of a shipment, and is no repetition.</summary>
    internal const string IsToBeAnswered = """
        d.replay_of is null and coalesce(d.compose_kind, 'shipment') = 'shipment' and exists (select from shipment s
            where s.partner_id = d.partner_id and s.capture_id = d.capture_id and (d.shipment_events is null or s.event_id = any(d.shipment_events)))
        """;

    /// <summary>What an attempt anew begins with.</summary>
    internal const string Ends = "accepted_at = null, accepted_attempt = null, receipt_at = null, receipt_due_at = null, business = null, business_at = null, business_due_at = null, business_event = null, business_note = null, receipt_told = false, business_overdue = false";

    /// <returns>Null when there is no such delivery, or it is another party's.</returns>
    public static async Task<Acknowledgements?> FindAsync(Work work, long deliveryId, CancellationToken ct)
    {
        var row = await work.Connection.QuerySingleOrDefaultAsync<Row>(new CommandDefinition("""
            select d.accepted_at as AcceptedAt, d.accepted_attempt as AcceptedAttempt, encode(a.request_hash, 'hex') as SentSha256, encode(a.answer_sha256, 'hex') as AnswerSha256,
                   d.receipt as Receipt, d.receipt_at as ReceiptAt, d.receipt_due_at as ReceiptDueAt, d.receipt_overdue as ReceiptOverdue, encode(l.receipt_sha256, 'hex') as ReceiptSha256,
                   d.business as Business, d.business_at as BusinessAt, d.business_due_at as BusinessDueAt, d.business_overdue as BusinessOverdue,
                   (select e.event_uri from event e where e.event_id = d.business_event limit 1) as BusinessEvent, d.business_note as BusinessNote, u.expected as Expected, u.received as Received
            from delivery d left join attempt a on a.delivery_id = d.delivery_id and a.number = d.accepted_attempt left join attempt l on l.delivery_id = d.delivery_id and l.number = d.attempts
            cross join lateral (select coalesce(sum(s.units - s.taken_back), 0)::bigint as expected, coalesce(sum(s.received), 0)::bigint as received from shipment_sum s where s.delivery_id = d.delivery_id) u
            where d.delivery_id = @deliveryId
            """, new { deliveryId }, work.Transaction, cancellationToken: ct));
        return row is null ? null : new Acknowledgements(
            new TransportAcknowledgement(row.AcceptedAt, row.AcceptedAttempt, row.SentSha256, row.AnswerSha256),
            new ReceiptAcknowledgement(row.Receipt, row.ReceiptAt, row.ReceiptDueAt, row.ReceiptOverdue, row.ReceiptSha256),
            new BusinessAcknowledgement(row.Business, row.BusinessAt, row.BusinessDueAt, row.BusinessOverdue, row.BusinessEvent, row.BusinessNote, row.Expected, row.Received));
    }

    private sealed record Row
    {
        public DateTime? AcceptedAt { get; init; }
        public int? AcceptedAttempt { get; init; }
        public string? SentSha256 { get; init; }
        public string? AnswerSha256 { get; init; }
        public string Receipt { get; init; } = "";
        public DateTime? ReceiptAt { get; init; }
        public DateTime? ReceiptDueAt { get; init; }
        public bool ReceiptOverdue { get; init; }
        public string? ReceiptSha256 { get; init; }
        public string? Business { get; init; }
        public DateTime? BusinessAt { get; init; }
        public DateTime? BusinessDueAt { get; init; }
        public bool BusinessOverdue { get; init; }
        public string? BusinessEvent { get; init; }
        public string? BusinessNote { get; init; }
        public long Expected { get; init; }
        public long Received { get; init; }
    }
}
