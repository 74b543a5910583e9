using System.Globalization;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Partners;

namespace Gateway.Delivery;

/// <summary>Deliveries of one partner in the same trouble.</summary>
/// <param name="State"><c>dead</c>, <c>held</c> or <c>retrying</c>.</param>
/// <param name="Why">What is the same for all of them, and mends all of them.</param>
/// <param name="DeadReason">Why they are dead, and <paramref name="Code"/> how the last attempt failed, if it is the same for all.</param>
/// <param name="Late">How many of them the partner should have by now.</param>
/// <param name="HeldBy">Who holds them, and <paramref name="HeldWhy"/> why, if it is the same for all.</param>
/// <param name="Next">When the first of them is tried again.</param>
public sealed record DeliveryGroup(
    int PartnerId, string Partner, string Channel, string State, DeliveryReason Why, string? DeadReason, string? Code, long Count, long Late, DateTime Oldest, DateTime Newest, string? HeldBy, string? HeldWhy, DateTime? Next)
{
    /// <summary>Its rows, and no others.</summary>
    public DeliveryFilter Rows => new(State, PartnerId, Why: Why.Code);
}

/// <summary>Deliveries shown in one state, of which an operation would take all or none.</summary>
public sealed record PreviewRow(string Shown, bool Taken, long Count);

/// <summary>What became of a delivery since somebody decided about it.</summary>
public enum DeliverySince
{
    Waiting,
    Settled,
    FailedAgain,
}

public sealed record AttemptRow(int Number, DateTime StartedAt, DateTime? EndedAt, string RequestHash, int? Status, string? Code, string? Verdict, string? Response);

public sealed record DecisionRow(long DecisionId, string Action, string Reason, string Actor, DateTime DecidedAt, long? Created);

/// <summary>What a delivery is composed of.</summary>
/// <param name="Kind">shipment, void or declaration.</param>
/// <param name="Corrects">The delivery whose shipment it voids, or declares to be in error.</param>
/// <param name="PartOf">The delivery that the routing decision names, of which this is another lane or part.</param>
/// <param name="Findings">Why it is not composed yet: a JSON list of <see cref="ComposeFinding"/>.</param>
/// <param name="Composed">What is in the document and what was left out: JSON of <see cref="ComposedContent"/>.</param>
public sealed record ComposingRow(string Kind, long? Corrects, long? PartOf, string? Findings, string? Composed);

/// <summary>Deliveries for reading, newest first; each reader sees what row security lets it see.</summary>
public sealed class DeliveryOverview(GatewayDatabase database)
{
    public const int MaxAttempts = 200;

    // Reasons are fewer than codes, and each partner has few of either.
    private const int MostCodes = 5_000;

    /// <summary>The states as they are shown, and as the address of the list names them.</summary>
    public static IReadOnlyList<string> Shown { get; } = ["queued", "sending", "retrying", "held", "sent", "delivered", "dead", "closed"];

    // The words of the user interface from what is stored, decided in one place so that counts and rows agree.
    private const string ShownDue = $"""
        case when d.lease_until > n.at then 'sending' when {DeliveryHold.Stands} or p.state = 'paused' or b.open_until > n.at then 'held' when d.attempts = 0 then 'queued' else 'retrying' end
        """;

    private const string HeldBy = $"case when d.state = 'due' and {DeliveryHold.Stands} then d.held_by end";

    private const string HeldWhy = $"""
        case when d.state = 'due' then case when {DeliveryHold.Stands} then d.held_why when p.state = 'paused' then coalesce(p.pause_reason, 'The partner is paused.')
            when b.open_until > n.at then coalesce(b.reason, 'The partner kept failing.') end end
        """;

    // The words of DeliveryReason.
    private static readonly string HeldFor = $"""
        case when d.state = 'due' and s.shown = 'held' then case when {DeliveryHold.Stands} then case d.held_by when 'gateway' then 'ours.incomplete' else 'held.person' end
            when p.state = 'paused' then case when p.pause_reason = {DeliveryReason.Literal(Licences.Waiting)} then 'held.licence' else 'held.partner' end else 'held.circuit' end end
        """;

    private const string HeldUntil = $"""
        case when d.state = 'due' then case when {DeliveryHold.Stands} then d.held_until when p.state <> 'paused' and b.open_until > n.at then b.open_until end end
        """;

    private static readonly string Rows = $"""
        select d.delivery_id as DeliveryId, s.shown as State, d.state as Stored, d.dead_reason as DeadReason, d.code as Code, d.partner_id as PartnerId, p.name as Partner,
               coalesce(y.gln, '') as PartnerGln, p.channel as Channel, d.attempts as Attempts, s.shown = 'sending' as Sending,
               {HeldBy} as HeldBy, {HeldWhy} as HeldWhy, {HeldUntil} as HeldUntil,
               d.due_at as DueAt, d.created_at as CreatedAt, d.give_up_at as GiveUpAt, d.finished_at as FinishedAt, d.receipt as Receipt, d.receipt_overdue as ReceiptOverdue,
               d.message_id as MessageId, d.ordering as Ordering, d.document_id as DocumentId, d.replay_of as ReplayOf, d.version as Version, c.public_id as CaptureId,
               d.need_by as NeedBy, coalesce(d.need_by < case when d.state = 'closed' then null when d.state = 'delivered' then d.finished_at else n.at end, false) as IsLate, {HeldFor} as HeldFor
        {From} join party y on y.party_id = p.party_id left join capture c on c.capture_id = d.capture_id
        """;

    private const string From = $"""
        from (select gateway_now() as at) n, delivery d join partner p using (partner_id) left join breaker b on b.partner_id = d.partner_id
        cross join lateral (select {ShownState} as shown) s
        """;

    private const string Sent = "d.state = 'delivered' and d.receipt = 'pending'";
    internal const string Overdue = $"{Sent} and d.receipt_overdue";
    private const string Delivered = "d.state = 'delivered' and d.receipt <> 'pending'";

    private const string Late = "d.need_by < (select gateway_now())";

    // In the words of the partial indexes.
    private static string StoredAs(string state) => state switch
    {
        "sent" => Sent,
        "delivered" => Delivered,
        "dead" => "d.state = 'dead'",
        "closed" => "d.state = 'closed'",
        "overdue" => Overdue,
        "taken" => "d.state = 'delivered'",
        "open" => "d.state = 'due'",
        "late" => $"d.state = 'due' and {Late}",
        _ => "d.state = 'due' and s.shown = @State",
    };

    /// <summary>The state as it is shown, null without a delivery: of <c>d</c>, its partner <c>p</c> and the breaker <c>b</c>, at <c>n.at</c>.</summary>
    internal const string ShownState = $"case when {Sent} then 'sent' when d.state = 'due' then {ShownDue} else d.state end";

    // Only the states of what is due depend on more than the delivery itself.
    private static string Source(string? state) => state is "queued" or "sending" or "retrying" or "held" ? From : "from delivery d";

    // A reason of what is held, and the one that no code has, is one of the delivery, its partner and its breaker together; any other is of the last failure's code.
    private static string Source(DeliveryFilter filter) => filter.Why is { } why && DeliveryReason.IsOfShown(why) ? From : Source(filter.State);

    // What is late is listed by when it was needed: the one that has waited longest for its time is the first.
    private static string Order(DeliveryFilter filter) => filter.State == "late" ? "d.need_by, d.delivery_id" : "d.delivery_id desc";

    /// <summary>Newest first; what is late, by when it was needed.</summary>
    public async Task<IReadOnlyList<DeliveryRow>> ListAsync(Actor reader, DeliveryFilter filter, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        var (where, values) = await WhereAsync(work, reader, filter);
        where += filter.State is { } state ? " and " + StoredAs(state) : "";
        values.Add("limit", limit);
        // The page's numbers first: row security's conditions look to the planner as if they left hardly a row, and with the
        // joins in the same query it would read, join and sort all of them for a page.
        return (await work.Connection.QueryAsync<DeliveryRow>(new CommandDefinition($"""
            {Rows} where d.delivery_id = any(array(select d.delivery_id {Source(filter)} where {where} order by {Order(filter)} limit @limit))
            order by {Order(filter)}
            """, values, work.Transaction, cancellationToken: ct))).AsList();
    }

    /// <summary>How many there are of each state, whatever state the filter names. A day is counted whole, because it is one side of a balance.</summary>
    public async Task<DeliveryCounts> CountAsync(Actor reader, DeliveryFilter filter, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        var (where, values) = await WhereAsync(work, reader, filter with { Before = null });
        values.Add("cap", filter.Day is null ? DeliveryCounts.Cap : long.MaxValue);
        var source = Source(filter with { State = null });
        string Count(string state) => $"select '{state}', count(*) from (select {source} where {where} and {StoredAs(state)} limit @cap) d";
        return Counts(await work.Connection.QueryAsync<(string, long)>(new CommandDefinition($"""
            select {ShownDue}, count(*) from (select gateway_now() as at) n, (select d.* {source} where {where} and d.state = 'due' limit @cap) d
            join partner p using (partner_id) left join breaker b on b.partner_id = d.partner_id group by 1
            union all {Count("sent")} union all {Count("delivered")} union all {Count("dead")} union all {Count("closed")}
            """, values, work.Transaction, cancellationToken: ct)));
    }

    /// <summary>How many deliveries the filter finds, its state included, counted up to a limit.</summary>
    public async Task<long> CountUpToAsync(Actor reader, DeliveryFilter filter, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        var (where, values) = await WhereAsync(work, reader, filter with { Before = null });
        where += filter.State is { } state ? " and " + StoredAs(state) : "";
        values.Add("limit", limit);
        return await work.Connection.ExecuteScalarAsync<long>(new CommandDefinition(
            $"select count(*) from (select {Source(filter)} where {where} limit @limit) d", values, work.Transaction, cancellationToken: ct));
    }

    /// <summary>What waits for a decision, is held, or failed and is tried again, grouped by what would mend it; the oldest group first. The filter's state does not count.</summary>
    public async Task<IReadOnlyList<DeliveryGroup>> GroupsAsync(Actor reader, DeliveryFilter filter, int limit, CancellationToken ct) =>
        [.. (await GroupsAsync(reader, filter, ct)).Take(limit)];

    private async Task<IEnumerable<DeliveryGroup>> GroupsAsync(Actor reader, DeliveryFilter filter, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        var (where, values) = await WhereAsync(work, reader, filter with { Before = null });
        values.Add("most", MostCodes);
        var found = await work.Connection.QueryAsync<CodeGroup>(new CommandDefinition($"""
            select d.partner_id as PartnerId, p.name as Partner, p.channel as Channel, s.shown as State, d.dead_reason as DeadReason, d.code as Code, {HeldFor} as HeldFor,
                   count(*) as Count, count(*) filter (where d.need_by < n.at) as Late, min(d.created_at) as Oldest, max(d.created_at) as Newest,
                   case when count({HeldBy}) = count(*) and min({HeldBy}) = max({HeldBy}) then min({HeldBy}) end as HeldBy, case when min({HeldWhy}) = max({HeldWhy}) then min({HeldWhy}) end as HeldWhy,
                   case s.shown when 'retrying' then min(d.due_at) when 'held' then min(greatest({HeldUntil}, d.due_at)) filter (where {HeldUntil} is not null) end as Next
            {From} where {where} and d.state in ('due', 'dead') and s.shown in ('retrying', 'held', 'dead')
            group by 1, 2, 3, 4, 5, 6, 7 order by s.shown, min(d.created_at), d.partner_id limit @most
            """, values, work.Transaction, cancellationToken: ct));
        // What the channels call by names of their own is one reason.
        return [.. from f in found
                   group f by (f.PartnerId, f.Partner, f.Channel, f.State, Why: f.HeldFor is null ? DeliveryReason.Of(f.Code, f.DeadReason) : DeliveryReason.Named(f.HeldFor)!) into g
                   let oldest = g.Min(f => f.Oldest)
                   orderby g.Key.State, oldest, g.Key.PartnerId
                   select new DeliveryGroup(g.Key.PartnerId, g.Key.Partner, g.Key.Channel, g.Key.State, g.Key.Why, Same(g.Select(f => f.DeadReason)), Same(g.Select(f => f.Code)), g.Sum(f => f.Count), g.Sum(f => f.Late),
                       oldest, g.Max(f => f.Newest), Same(g.Select(f => f.HeldBy)), Same(g.Select(f => f.HeldWhy)), g.Min(f => f.Next))];
    }

    private static string? Same(IEnumerable<string?> values) => values.Distinct().ToList() is [{ } only] ? only : null;

    /// <summary>What an operation is to be on: the deliveries that the filter finds and that can be decided so, each with its version, in the order of their lanes.</summary>
    /// <param name="action">retry, replay or close.</param>
    public static async Task<IReadOnlyList<(long DeliveryId, int Version)>> FreezeAsync(Work work, Actor reader, DeliveryFilter filter, string action, int limit, CancellationToken ct)
    {
        var (where, values) = await WhereAsync(work, reader, filter);
        where += filter.State is { } state ? " and " + StoredAs(state) : "";
        where += $" and {Takes(action)}";
        values.Add("limit", limit);
        return (await work.Connection.QueryAsync<(long, int)>(new CommandDefinition(
            $"select d.delivery_id, d.version {Source(filter)} where {where} order by d.delivery_id limit @limit", values, work.Transaction, cancellationToken: ct))).AsList();
    }

    private static string Takes(string action) => action switch
    {
        "retry" => $"(d.state = 'dead' or d.state = 'due' and d.attempts > 0 and not {DeliveryHold.Stands})",
        "replay" => "d.state = 'delivered'",
        _ => "d.state = 'dead'",
    };

    /// <summary>What an operation begun now would take of the deliveries that the filter finds, and what it would leave out.</summary>
    /// <param name="action">retry, replay or close.</param>
    public async Task<IReadOnlyList<PreviewRow>> PreviewAsync(Actor reader, DeliveryFilter filter, string action, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        var (where, values) = await WhereAsync(work, reader, filter with { Before = null });
        where += filter.State is { } state ? " and " + StoredAs(state) : "";
        return (await work.Connection.QueryAsync<PreviewRow>(new CommandDefinition(
            $"select s.shown as Shown, {Takes(action)} as Taken, count(*) as Count {From} where {where} group by 1, 2 order by 2 desc, 3 desc, 1", values, work.Transaction, cancellationToken: ct))).AsList();
    }

    /// <summary>What became of deliveries since somebody decided about each.</summary>
    public static async Task<IReadOnlyDictionary<long, DeliverySince>> OutcomesSinceAsync(Work work, long[] deliveries, DateTime[] since, CancellationToken ct)
    {
        // What our own stop cut short has an unknown outcome, and says nothing about the partner.
        var rows = await work.Connection.QueryAsync<(long Id, string Became)>(new CommandDefinition("""
            select d.delivery_id, case when d.state in ('delivered', 'closed') then 'Settled' when d.state = 'dead' then 'FailedAgain'
                when exists (select from attempt a where a.delivery_id = d.delivery_id and a.started_at >= i.since and a.ended_at is not null and a.verdict <> 'unknown') then 'FailedAgain' else 'Waiting' end
            from unnest(@deliveries, @since) as i (delivery_id, since) join delivery d using (delivery_id)
            """, new { deliveries, since }, work.Transaction, cancellationToken: ct));
        return rows.ToDictionary(r => r.Id, r => Enum.Parse<DeliverySince>(r.Became));
    }

    /// <summary>The deliveries of all documents received on one day (UTC), replays included: all of them, because a balance is exact.</summary>
    internal static async Task<DeliveryCounts> CountDayAsync(Work work, DateTime day, CancellationToken ct) => Counts(await work.Connection.QueryAsync<(string, long)>(new CommandDefinition(
        $"select s.shown, count(*) {From} where d.capture_id in (select capture_id from capture where created_at >= @day and created_at < @day + interval '1 day') group by s.shown",
        new { day }, work.Transaction, cancellationToken: ct)));

    private static DeliveryCounts Counts(IEnumerable<(string State, long Count)> counted)
    {
        var counts = counted.ToDictionary(c => c.State, c => c.Count);
        long Of(string state) => counts.GetValueOrDefault(state);
        return new DeliveryCounts(Of("queued"), Of("sending"), Of("retrying"), Of("held"), Of("sent"), Of("delivered"), Of("dead"), Of("closed"));
    }

    private static async Task<(string Where, DynamicParameters Values)> WhereAsync(Work work, Actor reader, DeliveryFilter filter)
    {
        var where = new List<string> { "true" };
        var values = new DynamicParameters(new { codes = DeliveryReason.CodesOf(filter.Why), filter.State, filter.Code, filter.DeadReason, filter.From, filter.To, filter.Before });
        // Row security would look at every row of the others; the partners that a reader sees are few, and indexed.
        if (filter.PartnerId is not null || filter.PartnerGln is not null || reader.Sees != "*")
        {
            values.Add("partners", (await work.Connection.QueryAsync<int>("""
                select partner_id from partner where (@PartnerId::int is null or partner_id = @PartnerId)
                  and (@PartnerGln::text is null or partner_id in (select partner_id from partner_gln where gln = @PartnerGln))
                """, new { filter.PartnerId, filter.PartnerGln }, work.Transaction)).ToArray());
            where.Add("d.partner_id = any(@partners)");
        }
        if (filter.Day is { } day)
        {
            // An array is looked up by the index of captures; a join would walk the deliveries from the newest to that day.
            values.Add("captures", (await work.Connection.QueryAsync<long>(
                "select capture_id from capture where created_at >= @day and created_at < @day + interval '1 day'", new { day }, work.Transaction)).ToArray());
            where.Add("d.capture_id = any(@captures)");
        }
        if (filter.Text is { Length: > 0 } text)
        {
            values.AddDynamicParams(new { text, number = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : (long?)null, message = Guid.TryParse(text, out var id) ? id : (Guid?)null });
            // Beginning as a range: row security lets no LIKE decide by index.
            where.Add("""(d.delivery_id = @number or d.message_id = @message or d.ordering collate "C" >= @text and d.ordering collate "C" < @text || U&'\+10FFFF')""");
        }
        (string Condition, bool Asked)[] others =
        [
            (DeliveryReason.Condition(filter.Why), filter.Why is not null),
            ("d.code is null", filter.Code == DeliveryFilter.WithoutCode), ("d.code = @Code", filter.Code is not null and not DeliveryFilter.WithoutCode),
            ("d.dead_reason = @DeadReason", filter.DeadReason is not null), ("d.finished_at >= @From", filter.From is not null), ("d.finished_at < @To", filter.To is not null),
            ("d.delivery_id < @Before", filter.Before is not null && filter.State != "late"),
            ("(d.need_by, d.delivery_id) > (select b.need_by, b.delivery_id from delivery b where b.delivery_id = @Before)", filter.Before is not null && filter.State == "late"),
        ];
        where.AddRange(others.Where(c => c.Asked).Select(c => c.Condition));
        return (string.Join(" and ", where), values);
    }

    /// <summary>The partners the reader may see, for choosing one.</summary>
    public async Task<IReadOnlyList<(int PartnerId, string Name)>> PartnersAsync(Actor reader, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<(int, string)>(new CommandDefinition(
            "select partner_id, name from partner order by name, partner_id limit 500", transaction: work.Transaction, cancellationToken: ct))).AsList();
    }

    /// <returns>The delivery, or null when there is none or it is another party's.</returns>
    public async Task<DeliveryRow?> FindAsync(Actor reader, long deliveryId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await work.Connection.QuerySingleOrDefaultAsync<DeliveryRow>(new CommandDefinition(
            Rows + " where d.delivery_id = @deliveryId", new { deliveryId }, work.Transaction, cancellationToken: ct));
    }

    /// <returns>What was composed for the delivery, or why it is not yet; null for a document that goes as it came, and for readers of other parties: it names what they were not sent.</returns>
    public async Task<ComposingRow?> ComposingAsync(Actor reader, long deliveryId, CancellationToken ct)
    {
        if (reader.Sees != "*")
        {
            return null;
        }
        await using var work = await database.BeginAsync(reader, ct);
        return await work.Connection.QuerySingleOrDefaultAsync<ComposingRow>(new CommandDefinition("""
            select compose_kind as Kind, corrects as Corrects, part_of as PartOf, compose_findings::text as Findings, composed::text as Composed from delivery where delivery_id = @deliveryId and compose_kind is not null
            """, new { deliveryId }, work.Transaction, cancellationToken: ct));
    }

    /// <returns>Who has acknowledged what of a delivery; null when there is none or it is another party's.</returns>
    public async Task<Acknowledgements?> AcknowledgementsAsync(Actor reader, long deliveryId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await Acknowledgements.FindAsync(work, deliveryId, ct);
    }

    /// <summary>The last <see cref="MaxAttempts"/> attempts, newest first.</summary>
    public async Task<IReadOnlyList<AttemptRow>> AttemptsAsync(Actor reader, long deliveryId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<AttemptRow>(new CommandDefinition("""
            select number as Number, started_at as StartedAt, ended_at as EndedAt, encode(request_hash, 'hex') as RequestHash, status as Status, code as Code, verdict as Verdict, response as Response
            from attempt where delivery_id = @deliveryId order by number desc limit @max
            """, new { deliveryId, max = MaxAttempts }, work.Transaction, cancellationToken: ct))).AsList();
    }

    public async Task<IReadOnlyList<DecisionRow>> DecisionsAsync(Actor reader, long deliveryId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<DecisionRow>(new CommandDefinition("""
            select decision_id as DecisionId, action as Action, reason as Reason, actor as Actor, decided_at as DecidedAt, created as Created
            from delivery_decision where delivery_id = @deliveryId order by decision_id desc
            """, new { deliveryId }, work.Transaction, cancellationToken: ct))).AsList();
    }

    private sealed record CodeGroup
    {
        public int PartnerId { get; init; }
        public string Partner { get; init; } = "";
        public string Channel { get; init; } = "";
        public string State { get; init; } = "";
        public string? DeadReason { get; init; }
        public string? Code { get; init; }
        public string? HeldFor { get; init; }
        public long Count { get; init; }
        public long Late { get; init; }
        public DateTime Oldest { get; init; }
        public DateTime Newest { get; init; }
        public string? HeldBy { get; init; }
        public string? HeldWhy { get; init; }
        public DateTime? Next { get; init; }
    }
}
