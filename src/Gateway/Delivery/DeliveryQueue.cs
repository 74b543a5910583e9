using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Delivery.Channels;
using Gateway.Partners;
using Microsoft.Extensions.Options;

namespace Gateway.Delivery;

/// <summary>The outbox as its workers see it. Every change names the lease it is made under.</summary>
public sealed class DeliveryQueue(GatewayDatabase database, GoLive goLive, IOptions<DeliveryOptions> options)
{
    private readonly AttemptJournal _journal = new(database, options.Value);

    private const int MaxCrashes = 3;
    private const int EqualRefusals = 3;

    private static readonly Actor Worker = Actor.System("delivery");

    public async Task<IReadOnlyList<int>> PartnersWithDueRowsAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Worker, ct);
        var partners = await work.Connection.QueryAsync<int>($"""
            select partner_id from partner p where state = 'active' and (
                exists (select from delivery d where d.partner_id = p.partner_id and d.state = 'due' and d.document_id is not null and d.due_at <= (select gateway_now()) and not {DeliveryHold.Stands})
                or exists (select from delivery d where d.partner_id = p.partner_id and d.state = 'delivered' and d.receipt = 'pending' and d.due_at <= (select gateway_now())))
            """, transaction: work.Transaction);
        return partners.AsList();
    }

    /// <summary>
    /// Leases the heads of the partner's due lanes (an earlier row that is due, held, dead or not composed yet blocks its lane), and receipts to ask for.
    /// While the partner's breaker is open there is nothing; half open, one.
    /// </summary>
    public async Task<IReadOnlyList<ClaimedDelivery>> ClaimAsync(int partnerId, int max, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Worker, ct);
        await work.Connection.ExecuteAsync("set local plan_cache_mode = force_generic_plan", transaction: work.Transaction);
        await EndAbandonedAsync(work, partnerId, "select delivery_id from attempt where ended_at is null and party_id = (select party_id from partner where partner_id = @partnerId)");
        // A licence ends with its day, not with the next look at all of them.
        if (await Licences.HoldAsync(work, goLive, partnerId) > 0)
        {
            await work.CommitAsync();
            return [];
        }
        // The breaker's row is locked, so that only one node probes.
        var breaker = await work.Connection.QuerySingleOrDefaultAsync<(bool Open, bool Probing)?>("""
            select coalesce(open_until > gateway_now(), false), opened > 0 from breaker where partner_id = @partnerId for update
            """, new { partnerId }, work.Transaction);
        IReadOnlyList<ClaimedDelivery> claimed = breaker switch
        {
            { Open: true } => [],
            { Probing: true } => await ProbeAsync(work, partnerId),
            _ => await LeaseBothAsync(work, partnerId, max),
        };
        if (breaker is { Open: true })
        {
            await GiveUpAsync(work, partnerId);
        }
        await work.CommitAsync();
        return claimed;
    }

    private async Task<IReadOnlyList<ClaimedDelivery>> LeaseBothAsync(Work work, int partnerId, int max)
    {
        // At most half of the claim asks for receipts, so that neither kind starves the other.
        var receipts = await LeaseAsync(work, partnerId, max / 2, receipts: true);
        return [.. receipts, .. await LeaseAsync(work, partnerId, max - receipts.Count, receipts: false)];
    }

    private async Task<IReadOnlyList<ClaimedDelivery>> ProbeAsync(Work work, int partnerId)
    {
        var probe = await LeaseAsync(work, partnerId, 1, receipts: false);
        if (probe.Count == 0)
        {
            probe = await LeaseAsync(work, partnerId, 1, receipts: true);
        }
        if (probe.Count > 0)
        {
            await work.Connection.ExecuteAsync("update breaker set open_until = gateway_now() + @LeaseTime, probe = @token where partner_id = @partnerId",
                new { options.Value.LeaseTime, token = probe[0].LeaseToken, partnerId }, work.Transaction);
        }
        return probe;
    }

    // What waits for a partner that is left alone gets no attempt in which it could give up.
    private static Task GiveUpAsync(Work work, int partnerId) => work.Connection.ExecuteAsync($"""
        with expired as materialized (
            select delivery_id from delivery where partner_id = @partnerId and state = 'due' and document_id is not null and give_up_at <= (select gateway_now()) and lease_token is null and not {DeliveryHold.Stands}
            order by give_up_at limit 1000 for update skip locked)
        update delivery d set state = 'dead', dead_reason = 'exhausted', code = coalesce(d.code, 'never-sent'), {DeliveryHold.Ends} from expired e where d.delivery_id = e.delivery_id
        """, new { partnerId }, work.Transaction);

    private async Task<IReadOnlyList<ClaimedDelivery>> LeaseAsync(Work work, int partnerId, int max, bool receipts)
    {
        var which = receipts
            ? "c.state = 'delivered' and c.receipt = 'pending'"
            : "c.state = 'due' and c.document_id is not null and c.held_by is null and not exists (select from delivery e where e.partner_id = c.partner_id and e.ordering = c.ordering and e.state in ('due', 'dead') and e.delivery_id < c.delivery_id)";
        // Materialized: as the inner side of a join the limit would be asked again for each row, each time for rows not locked yet.
        var claimed = await work.Connection.QueryAsync<ClaimedDelivery>($"""
            with h as materialized (
                select c.delivery_id from delivery c
                where c.partner_id = @partnerId and c.due_at <= (select gateway_now()) and (c.lease_until is null or c.lease_until <= (select gateway_now())) and {which}
                order by c.due_at, c.delivery_id limit @max for update skip locked)
            update delivery d set lease_token = gen_random_uuid(), lease_until = (select gateway_now()) + @LeaseTime
            from h join delivery x using (delivery_id) join partner p using (partner_id) join party y on y.party_id = p.party_id join document o using (document_id)
            where d.delivery_id = h.delivery_id and p.state = 'active'
            returning d.delivery_id as "DeliveryId", d.partner_id as "PartnerId", d.party_id as "PartyId", coalesce(y.gln, '') as "PartnerGln", p.channel as "Channel",
                p.url as "Url", p.secret as "Secret", d.message_id as "MessageId", d.document_id as "DocumentId", o.sha256 as "Sha256", o.length as "Length",
                o.media_type as "MediaType", o.content_encoding as "ContentEncoding", p.format as "Format", p.private_ranges as "PrivateRanges", d.receipt_ref as "ReceiptRef",
                @receipts as "IsReceipt", d.lease_token as "LeaseToken", d.traceparent as "TraceParent",
                p.channel_settings::text as "Settings", o.received_at as "ReceivedAt", d.attempts > 0 or d.replay_of is not null as "SentBefore",
                d.crashes > 0 and not @receipts as "HasCrashed"
            """, new { options.Value.LeaseTime, partnerId, max, receipts }, work.Transaction);
        return claimed.OrderBy(d => d.DeliveryId).ToList();
    }

    /// <summary>Ends what dead nodes left open, at every partner.</summary>
    /// <returns>How many deliveries were under an expired lease.</returns>
    public async Task<int> EndAllAbandonedAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Worker, ct);
        var partners = (await work.Connection.QueryAsync<int>(
            "select distinct partner_id from delivery where state = 'due' and lease_token is not null and lease_until <= (select gateway_now()) order by 1", transaction: work.Transaction)).AsList();
        var ended = 0;
        foreach (var partnerId in partners)
        {
            ended += await EndAbandonedAsync(work, partnerId, "select delivery_id from delivery where partner_id = @partnerId and state = 'due'");
        }
        await work.CommitAsync();
        return ended;
    }

    // A lease that ran out after an intent: whether the partner got the document is unknown, so it is sent again under the same key.
    // A hold whose moment has come is forgotten here and not by the claim, which would tell every open page of each row it leases.
    // A lease without an intent need not be ended to be claimed anew, so a claim looks only at the few attempts that have no end.
    private static Task<int> EndAbandonedAsync(Work work, int partnerId, string among) => work.Connection.ExecuteAsync($"""
        with lapsed as (
            update delivery set {DeliveryHold.Ends} where delivery_id in (
                select delivery_id from delivery where partner_id = @partnerId and state = 'due' and held_by is not null and held_until <= (select gateway_now()) for update skip locked)),
        expired as (
            select delivery_id from delivery
            where delivery_id in ({among}) and partner_id = @partnerId and state = 'due' and lease_token is not null and lease_until <= (select gateway_now()) for update skip locked),
        ended as (
            update attempt a set ended_at = gateway_now(), code = 'unknown-outcome', verdict = 'unknown'
            from expired e where a.delivery_id = e.delivery_id and a.ended_at is null returning a.delivery_id)
        update delivery d set lease_token = null, lease_until = null, crashes = d.crashes + n.crashed,
            code = case when n.crashed = 1 then 'unknown-outcome' else d.code end,
            state = case when d.crashes + n.crashed >= @MaxCrashes then 'dead' else 'due' end,
            dead_reason = case when d.crashes + n.crashed >= @MaxCrashes then 'crashed' end
        from (select delivery_id, case when delivery_id in (select delivery_id from ended) then 1 else 0 end as crashed from expired) n
        where d.delivery_id = n.delivery_id
        """, new { partnerId, MaxCrashes }, work.Transaction);

    /// <summary>Commits the intent before anything is sent.</summary>
    /// <returns>Null when the lease is lost, or nothing goes to the partner any more since it was claimed.</returns>
    public Task<Intent?> IntendAsync(ClaimedDelivery delivery) => _journal.IntendAsync(delivery);

    /// <returns>Null when the lease was lost meanwhile and nothing is changed.</returns>
    public async Task<Outcome?> CompleteAsync(ClaimedDelivery delivery, int number, ChannelAnswer answer)
    {
        if (answer is { Meaning: AnswerMeaning.Accepted or AnswerMeaning.Pending, RetryAfter: null })
        {
            return await _journal.TakenAsync(delivery, number, answer) ? new Outcome("delivered", null) : null;
        }
        await using var work = await database.BeginAsync(Worker, CancellationToken.None);
        var state = await work.Connection.ExecuteScalarAsync<string?>($"""
            with mine as (
                select delivery_id, gateway_now() >= give_up_at as over, crashes + case when @broken then 1 else 0 end as crashes,
                       case when @refused then (case when code = @Code then equal_refusals else 0 end) + 1 else 0 end as refusals
                from delivery where delivery_id = @DeliveryId and lease_token = @LeaseToken and state = 'due' for update),
            judged as (
                select *, case when @sent then null when refusals >= @EqualRefusals then 'refused' when @broken and crashes >= @MaxCrashes then 'crashed' when over then 'exhausted' end as dead from mine),
            changed as (
                update delivery d set lease_token = null, lease_until = null, state = case when @sent then 'delivered' when j.dead is not null then 'dead' else 'due' end,
                    dead_reason = j.dead, equal_refusals = j.refusals, crashes = j.crashes, code = case when @sent then null else @Code end,
                    due_at = case when @pending then gateway_now() + interval '1 s' when @sent then gateway_now() else least(gateway_now() + @wait, greatest(give_up_at, gateway_now())) end,
                    finished_at = case when @sent then gateway_now() end, receipt = case when @pending then 'pending' else 'none' end, receipt_ref = @ReceiptRef, receipt_overdue = false,
                    accepted_at = case when @sent then gateway_now() end, accepted_attempt = case when @sent then @number end, receipt_at = null,
                    receipt_due_at = case when @pending then gateway_now() + {Acknowledgements.ReceiptAfter} end,
                    business_due_at = case when @sent and {Acknowledgements.IsToBeAnswered} then gateway_now() + {Acknowledgements.AnswerAfter} end,
                    business = case when @sent and {Acknowledgements.IsToBeAnswered} then 'awaited' end, business_at = null, business_event = null, business_note = null, receipt_told = false, business_overdue = false
                from judged j where d.delivery_id = j.delivery_id returning d.state, d.capture_id, d.partner_id, d.shipment_events),
            stale as (update shipment s set stale = true, recounted = false from (
                select s.shipment_id from shipment s join changed c on s.capture_id = c.capture_id and s.partner_id = c.partner_id and @sent and (c.shipment_events is null or s.event_id = any(c.shipment_events)) order by s.shipment_id for no key update of s) x where s.shipment_id = x.shipment_id),
            ended as (
                update attempt set ended_at = gateway_now(), status = @Status, code = @Code, verdict = @Verdict, response = @Response, retry_after = @RetryAfter, answer_sha256 = @Sha256
                where delivery_id = @DeliveryId and number = @number and exists (select from changed))
            select state from changed
            """, new
        {
            sent = answer.Meaning is AnswerMeaning.Accepted or AnswerMeaning.Pending, pending = answer.Meaning == AnswerMeaning.Pending,
            refused = answer.Meaning == AnswerMeaning.Refused, broken = answer.Meaning == AnswerMeaning.Broken, EqualRefusals, MaxCrashes, number,
            // An attempt that our own stop cut short says nothing about the partner: another node goes on at once.
            wait = answer.Verdict == Verdict.Unknown ? TimeSpan.Zero : Backoff(number, answer.RetryAfter, options.Value),
            delivery.DeliveryId, delivery.LeaseToken, answer.Status, answer.Code, answer.Verdict, answer.Response, answer.RetryAfter, answer.ReceiptRef, answer.Sha256,
            options.Value.ReceiptOverdueAfter, options.Value.BusinessAnswerAfter,
        }, work.Transaction);
        var opened = state is null ? null : await Breaker.JudgeAsync(work, delivery, answer);
        await work.CommitAsync();
        return state is null ? null : new Outcome(state, opened);
    }

    /// <returns>Null when the lease was lost meanwhile and nothing is changed.</returns>
    public async Task<Outcome?> CompleteReceiptAsync(ClaimedDelivery delivery, ChannelAnswer answer)
    {
        await using var work = await database.BeginAsync(Worker, CancellationToken.None);
        // Asked less often as it ages: a quarter of its age, between 1 s and 5 min. What the partner says in the end is kept with the attempt it answers.
        var changed = await work.Connection.QuerySingleOrDefaultAsync<(string State, bool Overdue)?>("""
            with mine as (
                select delivery_id, attempts, not receipt_overdue and not @accepted and not @negative and gateway_now() >= coalesce(receipt_due_at, finished_at + @ReceiptOverdueAfter) as overdue
                from delivery where delivery_id = @DeliveryId and lease_token = @LeaseToken and state = 'delivered' and receipt = 'pending' for update),
            changed as (
                update delivery d set lease_token = null, lease_until = null,
                    receipt = case when @accepted then 'received' when @negative then 'negative' else 'pending' end, receipt_overdue = (d.receipt_overdue or m.overdue) and not @accepted,
                    state = case when @negative then 'dead' else state end, dead_reason = case when @negative then 'refused' end, code = case when @negative then @Code else code end,
                    finished_at = case when @negative then null else finished_at end, receipt_at = case when @accepted or @negative then gateway_now() end,
                    business = case when not @negative then business end, business_due_at = case when not @negative then business_due_at end,
                    due_at = gateway_now() + greatest(interval '1 s', least(interval '5 min', (gateway_now() - finished_at) / 4))
                from mine m where d.delivery_id = m.delivery_id returning d.state, m.overdue, d.capture_id, d.partner_id, d.shipment_events),
            stale as (update shipment s set stale = true from (
                select s.shipment_id from shipment s join changed c on s.capture_id = c.capture_id and s.partner_id = c.partner_id and @negative and (c.shipment_events is null or s.event_id = any(c.shipment_events)) order by s.shipment_id for no key update of s) x where s.shipment_id = x.shipment_id),
            answered as (
                update attempt a set code = @Code, verdict = @Verdict, response = coalesce(@Response, a.response), receipt_sha256 = @Sha256 from mine m where (@negative or @accepted) and a.delivery_id = m.delivery_id and a.number = m.attempts)
            select state, overdue from changed
            """, new
        {
            accepted = answer.Meaning == AnswerMeaning.Accepted, negative = answer.Meaning == AnswerMeaning.Negative, options.Value.ReceiptOverdueAfter,
            answer.Code, answer.Verdict, answer.Response, answer.Sha256, delivery.DeliveryId, delivery.LeaseToken,
        }, work.Transaction);
        var opened = changed is null ? null : await Breaker.JudgeAsync(work, delivery, answer);
        await work.CommitAsync();
        return changed is { } row ? new Outcome(row.State, opened, row.Overdue) : null;
    }

    /// <summary>Prolongs what is still leased, and with it the time in which no other probe is sent.</summary>
    public async Task RenewAsync(IReadOnlyList<ClaimedDelivery> claimed, CancellationToken ct)
    {
        if (claimed.Count == 0)
        {
            return;
        }
        await using var work = await database.BeginAsync(Worker, ct);
        await work.Connection.ExecuteAsync("""
            update delivery set lease_until = gateway_now() + @LeaseTime where lease_token = any(@tokens) and delivery_id = any(@ids);
            update breaker set open_until = gateway_now() + @LeaseTime where probe = any(@tokens) and opened > 0
            """, new { options.Value.LeaseTime, tokens = Tokens(claimed), ids = claimed.Select(d => d.DeliveryId).ToArray() }, work.Transaction);
        await work.CommitAsync();
    }

    /// <summary>Gives back what was claimed and not begun, and wakes the nodes: one of them goes on at once.</summary>
    public async Task ReleaseAsync(IReadOnlyList<ClaimedDelivery> claimed)
    {
        if (claimed.Count == 0)
        {
            return;
        }
        await using var work = await database.BeginAsync(Worker, CancellationToken.None);
        await work.Connection.ExecuteAsync("""
            with released as (
                update delivery d set lease_token = null, lease_until = null where lease_token = any(@tokens) and delivery_id = any(@ids)
                    and (state <> 'due' or not exists (select from attempt a where a.delivery_id = d.delivery_id and a.ended_at is null))
                returning partner_id),
            freed as (update breaker set open_until = gateway_now(), probe = null where probe = any(@tokens) and opened > 0 and partner_id in (select partner_id from released))
            select pg_notify('delivery_due', partner_id::text) from (select distinct partner_id from released) p
            """, new { tokens = Tokens(claimed), ids = claimed.Select(d => d.DeliveryId).ToArray() }, work.Transaction);
        await work.CommitAsync();
    }

    private static Guid[] Tokens(IReadOnlyList<ClaimedDelivery> claimed) => [.. claimed.Select(d => d.LeaseToken)];

    internal static TimeSpan Backoff(int attempt, TimeSpan? retryAfter, DeliveryOptions options)
    {
        var doubled = options.RetryBase * Math.Pow(2, Math.Min(attempt - 1, 30));
        var wait = (doubled < options.RetryCap ? doubled : options.RetryCap) * (0.5 + Random.Shared.NextDouble() / 2);
        var asked = retryAfter is { } r ? (r < options.RetryAfterCap ? r : options.RetryAfterCap) : TimeSpan.Zero;
        return asked > wait ? asked : wait;
    }
}
