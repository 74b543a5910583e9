using Dapper;
using Gateway.Database;

namespace Gateway.Delivery;

/// <summary>One attempt of the past. Its request is the document itself, so its hash is taken from there.</summary>
public sealed record PastAttempt(DateTime StartedAt, DateTime EndedAt, int? Status, string Code, string Verdict, string? Response = null);

/// <summary>What became of a stored document's delivery to a partner.</summary>
/// <param name="State">As stored: due, delivered or dead.</param>
/// <param name="At">When it was finished, else when it is due.</param>
public sealed record PastDelivery(long DocumentId, int PartnerId, string State, DateTime At, IReadOnlyList<PastAttempt> Attempts)
{
    public string? DeadReason { get; init; }
    public string Receipt { get; init; } = "none";
    public string? ReceiptRef { get; init; }
    public bool ReceiptOverdue { get; init; }
}

/// <summary>
/// Gives the deliveries of past documents their outcome, in the transaction that stored the documents: no worker ever sees them
/// open that are not to stay so. For demonstrations and tests; a live database refuses it.
/// </summary>
public static class DeliveryHistory
{
    /// <exception cref="InvalidOperationException">The database is live, or a delivery is none that waits for its first attempt.</exception>
    public static async Task SettleAsync(Work work, IReadOnlyList<PastDelivery> deliveries)
    {
        await TransactionClock.RefuseLiveAsync(work);
        var settled = await work.Connection.ExecuteAsync($"""
            update delivery d set state = s.state, dead_reason = s.dead_reason, code = s.code, attempts = s.attempts, due_at = s.at, receipt = s.receipt,
                receipt_ref = s.receipt_ref, receipt_overdue = s.overdue, finished_at = case when s.state = 'delivered' then s.at end,
                accepted_at = case when s.state = 'delivered' then s.at end, accepted_attempt = case when s.state = 'delivered' then s.attempts end,
                receipt_at = case when s.receipt in ('received', 'negative') then s.at end,
                business = case when s.state = 'delivered' and {Acknowledgements.IsToBeAnswered} then 'awaited' end,
                business_due_at = case when s.state = 'delivered' and {Acknowledgements.IsToBeAnswered} then s.at + coalesce({Acknowledgements.AgreedAnswer}, interval '14 days') end,
                -- A machine that is slow at first has queued it after its first attempt of the past.
                created_at = least(d.created_at, s.first),
                equal_refusals = case when s.dead_reason = 'refused' then s.attempts else 0 end
            from unnest(@documents, @partners, @states, @reasons, @codes, @attempts, @at, @receipts, @refs, @overdue, @first)
                as s (document_id, partner_id, state, dead_reason, code, attempts, at, receipt, receipt_ref, overdue, first)
            where d.document_id = s.document_id and d.partner_id = s.partner_id and d.replay_of is null and d.state = 'due' and d.attempts = 0
            """, new
        {
            documents = deliveries.Select(d => d.DocumentId).ToArray(),
            partners = deliveries.Select(d => d.PartnerId).ToArray(),
            states = deliveries.Select(d => d.State).ToArray(),
            reasons = deliveries.Select(d => d.DeadReason).ToArray(),
            codes = deliveries.Select(d => d.State == "delivered" ? null : d.Attempts.LastOrDefault()?.Code).ToArray(),
            attempts = deliveries.Select(d => d.Attempts.Count).ToArray(),
            at = deliveries.Select(d => d.At).ToArray(),
            receipts = deliveries.Select(d => d.Receipt).ToArray(),
            refs = deliveries.Select(d => d.ReceiptRef).ToArray(),
            overdue = deliveries.Select(d => d.ReceiptOverdue).ToArray(),
            first = deliveries.Select(d => d.Attempts.FirstOrDefault()?.StartedAt ?? d.At).ToArray(),
        }, work.Transaction);
        if (settled != deliveries.Count)
        {
            throw new InvalidOperationException($"Of {deliveries.Count} deliveries {settled} waited for their first attempt.");
        }
        await AttemptsAsync(work, deliveries);
    }

    private static Task AttemptsAsync(Work work, IReadOnlyList<PastDelivery> deliveries)
    {
        var attempts = deliveries.SelectMany(d => d.Attempts.Select((a, place) => (d.DocumentId, d.PartnerId, Number: place + 1, Attempt: a))).ToList();
        return work.Connection.ExecuteAsync("""
            insert into attempt (delivery_id, number, party_id, started_at, ended_at, request_hash, status, code, verdict, response)
            select d.delivery_id, a.number, d.party_id, a.started_at, a.ended_at, o.sha256, a.status, a.code, a.verdict, a.response
            from unnest(@documents, @partners, @numbers, @started, @ended, @status, @codes, @verdicts, @responses)
                as a (document_id, partner_id, number, started_at, ended_at, status, code, verdict, response)
            join delivery d on d.document_id = a.document_id and d.partner_id = a.partner_id and d.replay_of is null join document o on o.document_id = d.document_id
            """, new
        {
            documents = attempts.Select(a => a.DocumentId).ToArray(),
            partners = attempts.Select(a => a.PartnerId).ToArray(),
            numbers = attempts.Select(a => a.Number).ToArray(),
            started = attempts.Select(a => a.Attempt.StartedAt).ToArray(),
            ended = attempts.Select(a => a.Attempt.EndedAt).ToArray(),
            status = attempts.Select(a => a.Attempt.Status).ToArray(),
            codes = attempts.Select(a => a.Attempt.Code).ToArray(),
            verdicts = attempts.Select(a => a.Attempt.Verdict).ToArray(),
            responses = attempts.Select(a => a.Attempt.Response).ToArray(),
        }, work.Transaction);
    }

    /// <summary>Leaves a partner alone that has failed for long: until <paramref name="until"/> nothing is sent to it, then one delivery probes.</summary>
    /// <exception cref="InvalidOperationException">The database is live.</exception>
    public static async Task LeaveAloneAsync(Work work, int partnerId, string reason, int failures, DateTime until)
    {
        await TransactionClock.RefuseLiveAsync(work);
        await work.Connection.ExecuteAsync("""
            insert into breaker (partner_id, party_id, failures, opened, opened_at, open_until, reason) select partner_id, party_id, @failures, @failures, gateway_now(), @until, @reason from partner where partner_id = @partnerId
            on conflict (partner_id) do update set failures = @failures, opened = @failures, open_until = @until, reason = @reason, probe = null
            """, new { partnerId, reason, failures, until }, work.Transaction);
    }
}
