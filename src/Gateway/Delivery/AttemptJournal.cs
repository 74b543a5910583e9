using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Delivery.Channels;

namespace Gateway.Delivery;

/// <summary>An intent that stands: the partner may be spoken to.</summary>
/// <param name="Number">The attempt's, from 1.</param>
/// <param name="Bytes">The document, where it is small; else it is read while it is sent.</param>
public sealed record Intent(int Number, byte[]? Bytes);

/// <summary>
/// Intents, and outcomes by which a document was taken. Those that come while others are being committed share the next transaction, so under
/// load a commit is paid once for many; who comes alone waits for nobody. Nobody goes on before it is confirmed.
/// </summary>
internal sealed class AttemptJournal
{
    private const int GroupsAtOnce = 2, MaxOfAGroup = 64;
    private const int MaxBytes = 64 << 10; // of a document that comes with its intent

    private static readonly Actor Worker = Actor.System("delivery");
    private readonly GatewayDatabase _database;
    private readonly DeliveryOptions _options;
    private readonly Gathering<Entry> _gathering;

    public AttemptJournal(GatewayDatabase database, DeliveryOptions options)
    {
        (_database, _options) = (database, options);
        _gathering = new Gathering<Entry>(GroupsAtOnce, waiting => [.. waiting.Take(MaxOfAGroup)], ServeAsync);
    }

    /// <summary>Commits the intent before anything is sent.</summary>
    /// <returns>Null when the lease is lost, or nothing goes to the partner any more since it was claimed; then the lease is given back.</returns>
    public async Task<Intent?> IntendAsync(ClaimedDelivery delivery) => (Intent?)await AddAsync(new Entry(delivery, null));

    /// <summary>Commits that the partner has taken it, and tells its breaker.</summary>
    /// <returns>False when the lease was lost meanwhile and nothing is changed.</returns>
    public async Task<bool> TakenAsync(ClaimedDelivery delivery, int number, ChannelAnswer answer) => await AddAsync(new Entry(delivery, answer) { Number = number }) is true;

    private Task<object?> AddAsync(Entry entry)
    {
        _gathering.Add(entry);
        return entry.Outcome.Task;
    }

    private async Task ServeAsync(List<Entry> group)
    {
        try
        {
            await using var work = await _database.BeginAsync(Worker, CancellationToken.None);
            // Planned once for groups of any size: planning such a statement takes longer than running it.
            await work.Connection.ExecuteAsync("set local plan_cache_mode = force_generic_plan", transaction: work.Transaction);
            var (taken, intended) = (group.Where(e => e.Answer is not null).ToList(), group.Where(e => e.Answer is null).ToList());
            var known = taken.Count == 0 ? [] : await TakeAsync(work, taken);
            var intents = intended.Count == 0 ? [] : await IntendAsync(work, intended);
            await work.CommitAsync();
            taken.ForEach(e => e.Outcome.SetResult(known.Contains(e.Delivery.DeliveryId)));
            intended.ForEach(e => e.Outcome.SetResult(intents.GetValueOrDefault(e.Delivery.DeliveryId)));
        }
        catch (Exception e) when (e is not CommitUnknownException && group.Count > 1)
        {
            // One of them may be why; each is tried alone.
            foreach (var entry in group)
            {
                await ServeAsync([entry]);
            }
        }
        catch (Exception e)
        {
            group.ForEach(entry => entry.Outcome.TrySetException(e));
        }
    }

    private async Task<Dictionary<long, Intent>> IntendAsync(Work work, List<Entry> entries)
    {
        var intents = await work.Connection.QueryAsync<(long DeliveryId, int Number, byte[]? Bytes)>("""
            with able as materialized (
                select partner_id from partner where partner_id = any(@partners) and state = 'active' and (not needs_licence or licence_until(partner_id) is not null)),
            mine as (
                update delivery d set attempts = d.attempts + 1, lease_until = (select gateway_now()) + @leaseTime
                from unnest(@ids, @tokens, @hashes) as w (id, token, hash)
                where d.delivery_id = w.id and d.lease_token = w.token and d.state = 'due' and d.partner_id in (select partner_id from able)
                returning d.delivery_id, d.attempts, d.party_id, d.document_id, w.hash),
            intended as (
                insert into attempt (delivery_id, number, party_id, started_at, request_hash) select delivery_id, attempts, party_id, (select gateway_now()), hash from mine)
            select m.delivery_id, m.attempts, c.bytes from mine m
            left join document_chunk c on c.document_id = m.document_id and c.ordinal = 0 and m.document_id = any(@small)
            """, new
        {
            partners = entries.Select(e => e.Delivery.PartnerId).Distinct().ToArray(), ids = Ids(entries), tokens = Tokens(entries), hashes = entries.Select(e => e.Delivery.Sha256).ToArray(), leaseTime = _options.LeaseTime,
            small = entries.Where(e => e.Delivery.Length <= MaxBytes).Select(e => e.Delivery.DocumentId).ToArray(),
        }, work.Transaction);
        var stand = intents.ToDictionary(i => i.DeliveryId, i => new Intent(i.Number, i.Bytes));
        if (entries.Where(e => !stand.ContainsKey(e.Delivery.DeliveryId)).ToList() is { Count: > 0 } fallen)
        {
            await work.Connection.ExecuteAsync("update delivery set lease_token = null, lease_until = null where delivery_id = any(@ids) and lease_token = any(@tokens)", new { ids = Ids(fallen), tokens = Tokens(fallen) }, work.Transaction);
        }
        return stand;
    }

    private async Task<HashSet<long>> TakeAsync(Work work, List<Entry> entries)
    {
        var known = (await work.Connection.QueryAsync<long>($"""
            with changed as (
                update delivery d set lease_token = null, lease_until = null, state = 'delivered', dead_reason = null, equal_refusals = 0, code = null,
                    due_at = (select gateway_now()) + case when w.pending then interval '1 s' else interval '0' end, finished_at = (select gateway_now()),
                    receipt = case when w.pending then 'pending' else 'none' end, receipt_ref = w.ref, receipt_overdue = false,
                    accepted_at = (select gateway_now()), accepted_attempt = w.number, receipt_at = null, receipt_due_at = case when w.pending then (select gateway_now()) + {Acknowledgements.ReceiptAfter} end,
                    business = case when {Acknowledgements.IsToBeAnswered} then 'awaited' end, business_due_at = case when {Acknowledgements.IsToBeAnswered} then (select gateway_now()) + {Acknowledgements.AnswerAfter} end,
                    business_at = null, business_event = null, business_note = null, receipt_told = false, business_overdue = false
                from unnest(@ids, @tokens, @pending, @refs, @numbers) as w (id, token, pending, ref, number)
                where d.delivery_id = w.id and d.lease_token = w.token and d.state = 'due' returning d.delivery_id, d.capture_id, d.partner_id, d.shipment_events),
            stale as (update shipment s set stale = true, recounted = false from (
                select s.shipment_id from shipment s join changed c on s.capture_id = c.capture_id and s.partner_id = c.partner_id and (c.shipment_events is null or s.event_id = any(c.shipment_events)) order by s.shipment_id for no key update of s) x where s.shipment_id = x.shipment_id),
            ended as (
                update attempt a set ended_at = (select gateway_now()), status = w.status, code = w.code, verdict = w.verdict, response = w.response, answer_sha256 = w.sha256
                from unnest(@ids, @numbers, @statuses, @codes, @verdicts, @responses, @hashes) as w (id, number, status, code, verdict, response, sha256)
                where a.delivery_id = w.id and a.number = w.number and w.id in (select delivery_id from changed))
            select delivery_id from changed
            """, new
        {
            ids = Ids(entries), tokens = Tokens(entries), pending = entries.Select(e => e.Answer!.Meaning == AnswerMeaning.Pending).ToArray(), refs = entries.Select(e => e.Answer!.ReceiptRef).ToArray(),
            numbers = entries.Select(e => e.Number).ToArray(), statuses = entries.Select(e => e.Answer!.Status).ToArray(), codes = entries.Select(e => e.Answer!.Code).ToArray(),
            verdicts = entries.Select(e => e.Answer!.Verdict).ToArray(), responses = entries.Select(e => e.Answer!.Response).ToArray(),
            hashes = entries.Select(e => e.Answer!.Sha256).ToArray(), _options.ReceiptOverdueAfter, _options.BusinessAnswerAfter,
        }, work.Transaction)).ToHashSet();
        var answered = entries.Where(e => known.Contains(e.Delivery.DeliveryId)).ToList();
        await Breaker.ClosedByAsync(work, [.. answered.Select(e => e.Delivery.PartnerId).Distinct().Order()], Tokens(answered));
        return known;
    }

    private static long[] Ids(List<Entry> entries) => [.. entries.Select(e => e.Delivery.DeliveryId)];

    private static Guid[] Tokens(List<Entry> entries) => [.. entries.Select(e => e.Delivery.LeaseToken)];

    /// <param name="Answer">By which it was taken; null: an intent.</param>
    private sealed record Entry(ClaimedDelivery Delivery, ChannelAnswer? Answer)
    {
        public int Number { get; init; }

        /// <summary>An <see cref="Intent"/> or none; or whether the lease still stood.</summary>
        public TaskCompletionSource<object?> Outcome { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
