using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Delivery.Channels;
using Gateway.Telemetry;
using Microsoft.Extensions.Options;

namespace Gateway.Delivery;

/// <summary>The outbox as its workers see it. Every change names the lease it is made under.</summary>
public sealed class DeliveryQueue(GatewayDatabase database, IOptions<DeliveryOptions> options)
{
    private const int MaxCrashes = 3;
    private const int FailuresToOpen = 5;
    private const int EqualRefusals = 3;

    // Wait before the next probe, by how often in a row the breaker opened.
    private const string BreakerWait = "(array[interval '30 s', '1 min', '2 min', '5 min', '10 min'])[least({0}, 5)]";

    private static readonly Actor Worker = Actor.System("delivery");

    public async Task<IReadOnlyList<int>> PartnersWithDueRowsAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Worker, ct);
        var partners = await work.Connection.QueryAsync<int>("""
            select partner_id from partner p where state = 'active' and (
                exists (select from delivery d where d.partner_id = p.partner_id and d.state = 'due' and d.due_at <= (select gateway_now()))
                or exists (select from delivery d where d.partner_id = p.partner_id and d.state = 'delivered' and d.receipt = 'pending' and d.due_at <= (select gateway_now())))
            """, transaction: work.Transaction);
        return partners.AsList();
    }

    /// <summary>Leases the heads of the partner's due lanes: an earlier row that is due or dead blocks its lane.</summary>
    public async Task<IReadOnlyList<ClaimedDelivery>> ClaimDueAsync(int partnerId, int max, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Worker, ct);
        await EndAbandonedAsync(work, partnerId);
        // The breaker's row is locked, so that only one node probes.
        var breaker = await work.Connection.QuerySingleOrDefaultAsync<(bool Open, bool Probing)?>("""
            select coalesce(open_until > gateway_now(), false), opened > 0 from breaker where partner_id = @partnerId for update
            """, new { partnerId }, work.Transaction);
        if (breaker is { Open: true })
        {
            await work.CommitAsync();
            return [];
        }
        var claimed = await LeaseAsync(work, partnerId, breaker is { Probing: true } ? 1 : max, "c.state = 'due'", """
            and not exists (select from delivery e where e.partner_id = c.partner_id and e.ordering = c.ordering and e.state in ('due', 'dead') and e.delivery_id < c.delivery_id)
            """);
        if (breaker is { Probing: true } && claimed.Count > 0)
        {
            await work.Connection.ExecuteAsync("update breaker set open_until = gateway_now() + @LeaseTime where partner_id = @partnerId", new { options.Value.LeaseTime, partnerId }, work.Transaction);
        }
        await work.CommitAsync();
        return claimed;
    }

    public async Task<IReadOnlyList<ClaimedDelivery>> ClaimReceiptsAsync(int partnerId, int max, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Worker, ct);
        var claimed = await LeaseAsync(work, partnerId, max, "c.state = 'delivered' and c.receipt = 'pending'", "");
        await work.CommitAsync();
        return claimed;
    }

    private async Task<IReadOnlyList<ClaimedDelivery>> LeaseAsync(Work work, int partnerId, int max, string which, string lane)
    {
        var claimed = await work.Connection.QueryAsync<ClaimedDelivery>($"""
            update delivery d set lease_token = gen_random_uuid(), lease_until = (select gateway_now()) + @LeaseTime
            from (select c.delivery_id from delivery c
                  where c.partner_id = @partnerId and {which} and c.due_at <= (select gateway_now())
                    and (c.lease_until is null or c.lease_until <= (select gateway_now())) {lane}
                  order by c.due_at, c.delivery_id limit @max for update skip locked) h
            join delivery x using (delivery_id) join partner p using (partner_id) join party y on y.party_id = p.party_id join document o using (document_id)
            where d.delivery_id = h.delivery_id and p.state = 'active'
            returning d.delivery_id as "DeliveryId", d.partner_id as "PartnerId", d.party_id as "PartyId", coalesce(y.gln, '') as "PartnerGln", p.channel as "Channel",
                p.url as "Url", p.secret as "Secret", d.message_id as "MessageId", d.document_id as "DocumentId", o.sha256 as "Sha256", o.length as "Length",
                o.media_type as "MediaType", o.content_encoding as "ContentEncoding", p.format as "Format", d.receipt_ref as "ReceiptRef", d.lease_token as "LeaseToken", d.traceparent as "TraceParent"
            """, new { options.Value.LeaseTime, partnerId, max }, work.Transaction);
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
            ended += await EndAbandonedAsync(work, partnerId);
        }
        await work.CommitAsync();
        return ended;
    }

    // A lease that ran out after an intent: whether the partner got the document is unknown, so it is sent again under the same key.
    private static Task<int> EndAbandonedAsync(Work work, int partnerId) => work.Connection.ExecuteAsync("""
        with expired as (
            select delivery_id from delivery
            where partner_id = @partnerId and state = 'due' and lease_token is not null and lease_until <= (select gateway_now()) for update skip locked),
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
    /// <returns>The attempt's number, or null when the lease is lost.</returns>
    public async Task<int?> IntendAsync(ClaimedDelivery delivery, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Worker, ct);
        var number = await work.Connection.ExecuteScalarAsync<int?>("""
            with mine as (
                update delivery set attempts = attempts + 1, lease_until = gateway_now() + @LeaseTime
                where delivery_id = @DeliveryId and lease_token = @LeaseToken and state = 'due' returning delivery_id, attempts, party_id)
            insert into attempt (delivery_id, number, party_id, started_at, request_hash) select delivery_id, attempts, party_id, gateway_now(), @Sha256 from mine
            returning number
            """, new { options.Value.LeaseTime, delivery.DeliveryId, delivery.LeaseToken, delivery.Sha256 }, work.Transaction);
        await work.CommitAsync();
        return number;
    }

    /// <returns>The delivery's state, or null when the lease was lost meanwhile and nothing is changed.</returns>
    public async Task<string?> CompleteAsync(ClaimedDelivery delivery, int number, ChannelAnswer answer)
    {
        var settings = options.Value;
        var sent = answer.Meaning is AnswerMeaning.Accepted or AnswerMeaning.Pending;
        await using var work = await database.BeginAsync(Worker, CancellationToken.None);
        var state = await work.Connection.ExecuteScalarAsync<string?>("""
            with mine as (
                update delivery set lease_token = null, lease_until = null,
                    state = case when @sent then 'delivered' when @refused and (case when code = @Code then equal_refusals else 0 end) + 1 >= @EqualRefusals then 'dead'
                                 when gateway_now() >= give_up_at then 'dead' else 'due' end,
                    dead_reason = case when @sent then null when @refused and (case when code = @Code then equal_refusals else 0 end) + 1 >= @EqualRefusals then 'refused'
                                       when gateway_now() >= give_up_at then 'exhausted' end,
                    equal_refusals = case when @refused then (case when code = @Code then equal_refusals else 0 end) + 1 else 0 end,
                    code = case when @sent then null else @Code end,
                    due_at = case when @sent then gateway_now() else least(gateway_now() + @wait, greatest(give_up_at, gateway_now())) end,
                    finished_at = case when @sent then gateway_now() end,
                    receipt = case when @pending then 'pending' else 'none' end, receipt_ref = @ReceiptRef
                where delivery_id = @DeliveryId and lease_token = @LeaseToken and state = 'due' returning state),
            ended as (
                update attempt set ended_at = gateway_now(), status = @Status, code = @Code, verdict = @Verdict, response = @Response, retry_after = @RetryAfter
                where delivery_id = @DeliveryId and number = @number and exists (select from mine))
            select state from mine
            """, new
        {
            sent, refused = answer.Meaning == AnswerMeaning.Refused, pending = answer.Meaning == AnswerMeaning.Pending, EqualRefusals, number, wait = Backoff(number, answer.RetryAfter, settings),
            delivery.DeliveryId, delivery.LeaseToken, answer.Status, answer.Code, answer.Verdict, answer.Response, answer.RetryAfter, answer.ReceiptRef,
        }, work.Transaction);
        var opened = state is not null && await JudgePartnerAsync(work, delivery, answer);
        await work.CommitAsync();
        if (opened)
        {
            GatewayMeter.BreakerOpened();
        }
        return state;
    }

    /// <returns>True when this answer opened the breaker, for the first time or again.</returns>
    private static async Task<bool> JudgePartnerAsync(Work work, ClaimedDelivery delivery, ChannelAnswer answer)
    {
        var fails = answer.Meaning is AnswerMeaning.Retry && answer.Verdict is Verdict.Theirs or Verdict.Network;
        var credential = answer.Meaning is AnswerMeaning.Credential;
        if (!fails && !credential)
        {
            await work.Connection.ExecuteAsync("""
                update breaker set failures = 0, opened = 0, open_until = null, reason = null where partner_id = @PartnerId and (failures > 0 or opened > 0)
                """, new { delivery.PartnerId }, work.Transaction);
            return false;
        }
        var wait = string.Format(System.Globalization.CultureInfo.InvariantCulture, BreakerWait, "b.opened + 1");
        return await work.Connection.ExecuteScalarAsync<bool>($"""
            insert into breaker as b (partner_id, party_id, failures, open_until, opened, reason)
            values (@PartnerId, @PartyId, 1, case when @credential then gateway_now() + interval '30 s' end, case when @credential then 1 else 0 end, @reason)
            on conflict (partner_id) do update set failures = b.failures + 1, reason = @reason,
                open_until = case when @credential or b.opened > 0 or b.failures + 1 >= @FailuresToOpen then gateway_now() + {wait} else b.open_until end,
                opened = case when @credential or b.opened > 0 or b.failures + 1 >= @FailuresToOpen then b.opened + 1 else 0 end
            returning opened > 0
            """, new { delivery.PartnerId, delivery.PartyId, credential, FailuresToOpen, reason = credential ? "credential" : answer.Code }, work.Transaction);
    }

    public async Task CompleteReceiptAsync(ClaimedDelivery delivery, ChannelAnswer answer)
    {
        await using var work = await database.BeginAsync(Worker, CancellationToken.None);
        // Asked less often as it ages: a quarter of its age, between 1 s and 5 min.
        await work.Connection.ExecuteAsync("""
            update delivery set lease_token = null, lease_until = null,
                receipt = case when @accepted then 'received' when @negative then 'negative' else 'pending' end,
                state = case when @negative then 'dead' else state end, dead_reason = case when @negative then 'refused' end, code = case when @negative then @Code else code end,
                due_at = gateway_now() + greatest(interval '1 s', least(interval '5 min', (gateway_now() - finished_at) / 4))
            where delivery_id = @DeliveryId and lease_token = @LeaseToken and state = 'delivered' and receipt = 'pending'
            """, new { accepted = answer.Meaning == AnswerMeaning.Accepted, negative = answer.Meaning == AnswerMeaning.Negative, answer.Code, delivery.DeliveryId, delivery.LeaseToken }, work.Transaction);
        await work.CommitAsync();
    }

    public async Task RenewAsync(IReadOnlyList<ClaimedDelivery> claimed, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Worker, ct);
        await work.Connection.ExecuteAsync("update delivery set lease_until = gateway_now() + @LeaseTime where lease_token = any(@tokens) and delivery_id = any(@ids)",
            new { options.Value.LeaseTime, tokens = Tokens(claimed), ids = claimed.Select(d => d.DeliveryId).ToArray() }, work.Transaction);
        await work.CommitAsync();
    }

    /// <summary>Gives back what was claimed and not begun.</summary>
    public async Task ReleaseAsync(IReadOnlyList<ClaimedDelivery> claimed)
    {
        await using var work = await database.BeginAsync(Worker, CancellationToken.None);
        await work.Connection.ExecuteAsync("""
            update delivery d set lease_token = null, lease_until = null where lease_token = any(@tokens) and delivery_id = any(@ids)
                and not exists (select from attempt a where a.delivery_id = d.delivery_id and a.ended_at is null)
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
