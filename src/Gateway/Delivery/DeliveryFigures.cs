using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Delivery;

/// <summary>
/// Where a day's routing decisions, replays and further parts of composed shipments are now. <see cref="Decided"/> is counted from the decisions, the rest from the deliveries:
/// they must agree, and if they do not, something is lost.
/// </summary>
public sealed record DeliveryBalance(long Decided, long NotSent, DeliveryCounts Deliveries)
{
    public bool Balances => Decided == NotSent + Deliveries.All;
}

/// <summary>One hour's deliveries by shown state, and the minutes from receiving to delivering of those delivered.</summary>
public sealed record DeliveryHour(DateTime Hour, long Delivered, long Open, long Dead, double? P50Minutes, double? P95Minutes);

/// <summary>One partner's day.</summary>
public sealed record PartnerDay(int PartnerId, string Partner, DateTime Day, long All, long Delivered, long Dead, long FirstTry);

/// <summary>Deliveries that wait for the same decision.</summary>
public sealed record DeadGroup(int PartnerId, string Partner, string Channel, DeliveryReason Why, long Count, DateTime Oldest, DateTime Newest)
{
    /// <summary>Its rows, and no others.</summary>
    public DeliveryFilter Rows => new("dead", PartnerId, Why: Why.Code);
}

/// <summary>A partner nothing is sent to now.</summary>
/// <param name="Why">What the person said who paused it; null when it is left alone after failures.</param>
/// <param name="Code">Of the failures it is left alone for.</param>
public sealed record HeldPartner(int PartnerId, string Partner, string? Why, string? Code, DateTime? Until, long Waiting);

/// <summary>A partner that took documents and has not said for too long what became of them.</summary>
public sealed record OwingPartner(int PartnerId, string Partner, long Count, DateTime Oldest);

/// <summary>A partner's deliveries that people hold one by one.</summary>
/// <param name="By">Who, and <paramref name="Why"/> why, if it is the same for all.</param>
/// <param name="Until">When the first of them goes on by itself; null: when somebody resumes them.</param>
public sealed record HeldDeliveries(int PartnerId, string Partner, string? By, string? Why, DateTime? Until, long Count)
{
    /// <summary>Its rows, and no others.</summary>
    public DeliveryFilter Rows => new("held", PartnerId);
}

/// <summary>How sending to one partner goes.</summary>
/// <param name="FirstTry">Delivered with one attempt, of <paramref name="Finished"/> in the last seven days.</param>
/// <param name="Overdue">It took these and has not said for too long what became of them.</param>
/// <param name="LastOk">When something was last delivered; null: never, or longer ago than a year.</param>
/// <param name="OpenUntil">Until when the partner is left alone after failures.</param>
public sealed record PartnerHealth(
    int PartnerId, string Gln, string Name, string Format, string Channel, string Url, string State, string? PauseReason, DateTime? OpenUntil, string? OpenReason,
    long Queue, long Dead, long Overdue, DateTime? OldestDue, DateTime? LastOk, long Finished, long FirstTry);

[method: ExplicitConstructor]
public sealed record PartnersInTrouble(long Partners, long Troubled, string[] Names);

/// <summary>Attempts of the last seven days by whose fault they ended with.</summary>
public sealed record VerdictCount(string Verdict, string? Code, long Count);

/// <summary>The figures of the first page of the day. Days are those of UTC, by when the document was received.</summary>
public sealed class DeliveryFigures(GatewayDatabase database)
{
    private const string OfDay = "from capture c join delivery d using (capture_id) where c.created_at >= @day and c.created_at < @day + interval '1 day'";

    public async Task<DeliveryBalance> BalanceAsync(Actor reader, DateTime day, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        var (routed, notSent, replays) = await work.Connection.QuerySingleAsync<(long, long, long)>(new CommandDefinition("""
            select (select count(*) from capture c join routing_decision r using (capture_id) where c.created_at >= @day and c.created_at < @day + interval '1 day'),
                   (select count(*) from capture c join routing_decision r using (capture_id) where c.created_at >= @day and c.created_at < @day + interval '1 day' and r.decision = 'not sent'),
                   (select count(*) from capture c join delivery d using (capture_id) where c.created_at >= @day and c.created_at < @day + interval '1 day' and (d.replay_of is not null or d.part_of is not null))
            """, new { day }, work.Transaction, cancellationToken: ct));
        return new DeliveryBalance(routed + replays, notSent, await DeliveryOverview.CountDayAsync(work, day, ct));
    }

    /// <summary>Every hour of the day that had a delivery.</summary>
    public async Task<IReadOnlyList<DeliveryHour>> HoursAsync(Actor reader, DateTime day, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<DeliveryHour>(new CommandDefinition($"""
            select date_trunc('hour', c.created_at) as Hour,
                count(*) filter (where d.state in ('delivered', 'closed')) as Delivered, count(*) filter (where d.state = 'due') as Open, count(*) filter (where d.state = 'dead') as Dead,
                percentile_cont(0.5) within group (order by extract(epoch from d.finished_at - c.created_at) / 60) filter (where d.state = 'delivered') as P50Minutes,
                percentile_cont(0.95) within group (order by extract(epoch from d.finished_at - c.created_at) / 60) filter (where d.state = 'delivered') as P95Minutes
            {OfDay} group by 1 order by 1
            """, new { day }, work.Transaction, cancellationToken: ct))).AsList();
    }

    /// <summary>Each partner's last <paramref name="days"/> days up to and with <paramref name="day"/>; a day without a document has no row.</summary>
    public async Task<IReadOnlyList<PartnerDay>> PartnerDaysAsync(Actor reader, DateTime day, int days, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<PartnerDay>(new CommandDefinition("""
            select p.partner_id as PartnerId, p.name as Partner, date_trunc('day', c.created_at) as Day, count(*) as All,
                count(*) filter (where d.state = 'closed' or d.state = 'delivered' and d.receipt <> 'pending') as Delivered, count(*) filter (where d.state = 'dead') as Dead,
                count(*) filter (where d.state = 'delivered' and d.attempts = 1) as FirstTry
            from capture c join delivery d using (capture_id) join partner p using (partner_id)
            where c.created_at >= @day - make_interval(days => @days - 1) and c.created_at < @day + interval '1 day'
            group by 1, 2, 3 order by 2, 1, 3
            """, new { day, days }, work.Transaction, cancellationToken: ct))).AsList();
    }

    /// <summary>What waits for a person, grouped by what would mend it; the oldest group first.</summary>
    public async Task<IReadOnlyList<DeadGroup>> DeadGroupsAsync(Actor reader, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        var found = await work.Connection.QueryAsync<(int PartnerId, string Partner, string Channel, string? DeadReason, string? Code, long Count, DateTime Oldest, DateTime Newest)>(new CommandDefinition("""
            select d.partner_id, p.name, p.channel, d.dead_reason, d.code, count(*), min(d.created_at), max(d.created_at)
            from delivery d join partner p using (partner_id) where d.state = 'dead'
            group by 1, 2, 3, 4, 5 order by min(d.created_at) limit 5000
            """, transaction: work.Transaction, cancellationToken: ct));
        return [.. (from f in found
                    group f by (f.PartnerId, f.Partner, f.Channel, Why: DeliveryReason.Of(f.Code, f.DeadReason)) into g
                    let oldest = g.Min(f => f.Oldest)
                    orderby oldest
                    select new DeadGroup(g.Key.PartnerId, g.Key.Partner, g.Key.Channel, g.Key.Why, g.Sum(f => f.Count), oldest, g.Max(f => f.Newest))).Take(limit)];
    }

    public async Task<IReadOnlyList<HeldPartner>> HeldPartnersAsync(Actor reader, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<HeldPartner>(new CommandDefinition("""
            select p.partner_id as PartnerId, p.name as Partner,
                case when p.state = 'paused' then coalesce(p.pause_reason, 'The partner is paused.') end as Why, case when p.state <> 'paused' then b.reason end as Code,
                case when p.state <> 'paused' then b.open_until end as Until,
                (select count(*) from delivery d where d.partner_id = p.partner_id and d.state = 'due' and not coalesce(d.lease_until > n.at, false)) as Waiting
            from (select gateway_now() as at) n, partner p left join breaker b using (partner_id)
            where p.state = 'paused' or b.open_until > n.at order by p.name
            """, transaction: work.Transaction, cancellationToken: ct))).AsList();
    }

    /// <summary>What people hold of partners that are not held themselves; the most first.</summary>
    public async Task<IReadOnlyList<HeldDeliveries>> HeldDeliveriesAsync(Actor reader, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<HeldDeliveries>(new CommandDefinition($"""
            select p.partner_id as PartnerId, p.name as Partner, case when min(d.held_by) = max(d.held_by) then min(d.held_by) end as By,
                case when min(d.held_why) = max(d.held_why) then min(d.held_why) end as Why, min(d.held_until) as Until, count(*) as Count
            from (select gateway_now() as at) n, delivery d join partner p using (partner_id) left join breaker b using (partner_id)
            where d.state = 'due' and {DeliveryHold.Stands} and p.state <> 'paused' and (b.open_until is null or b.open_until <= n.at)
            group by 1, 2 order by 6 desc, 2
            """, transaction: work.Transaction, cancellationToken: ct))).AsList();
    }

    public async Task<IReadOnlyList<OwingPartner>> OwingPartnersAsync(Actor reader, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<OwingPartner>(new CommandDefinition($"""
            select d.partner_id as PartnerId, p.name as Partner, count(*) as Count, min(d.finished_at) as Oldest
            from delivery d join partner p using (partner_id) where {DeliveryOverview.Overdue} group by 1, 2 order by 2, 1
            """, transaction: work.Transaction, cancellationToken: ct))).AsList();
    }

    /// <summary>How many partners there are, how many of them are paused, fail, need a decision or owe a receipt, and the first of these by name.</summary>
    public async Task<PartnersInTrouble> TroubleAsync(Actor reader, int names, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await work.Connection.QuerySingleAsync<PartnersInTrouble>(new CommandDefinition($$"""
            select count(*) as Partners, count(*) filter (where troubled) as Troubled,
                coalesce((array_agg(name order by name, partner_id) filter (where troubled))[:@names], '{}') as Names
            from (select p.partner_id, p.name, p.state = 'paused' or coalesce(b.open_until > gateway_now(), false)
                    or exists (select from delivery d where d.partner_id = p.partner_id and d.state = 'dead')
                    or exists (select from delivery d where d.partner_id = p.partner_id and {{DeliveryOverview.Overdue}}) as troubled
                from partner p left join breaker b using (partner_id)) p
            """, new { names }, work.Transaction, cancellationToken: ct));
    }

    /// <summary>The partner's own row; null when there is none.</summary>
    public async Task<PartnerHealth?> PartnerAsync(Actor reader, int partnerId, CancellationToken ct) =>
        (await PartnersAsync(reader, "p.partner_id = @partnerId", new { partnerId, limit = 1 }, ct)).SingleOrDefault();

    /// <summary>Partners by name.</summary>
    /// <param name="after">The partner that ended the page before.</param>
    public Task<IReadOnlyList<PartnerHealth>> PartnersAsync(Actor reader, int? after, int limit, CancellationToken ct) =>
        PartnersAsync(reader, "@after::int is null or (p.name, p.partner_id) > (select a.name, a.partner_id from partner a where a.partner_id = @after)", new { after, limit }, ct);

    private async Task<IReadOnlyList<PartnerHealth>> PartnersAsync(Actor reader, string which, object parameters, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<PartnerHealth>(new CommandDefinition($"""
            select p.partner_id as PartnerId, coalesce(y.gln, '') as Gln, p.name as Name, p.format as Format, p.channel as Channel, p.url as Url, p.state as State, p.pause_reason as PauseReason,
                case when b.open_until > n.at then b.open_until end as OpenUntil, b.reason as OpenReason,
                due.n as Queue, dead.n as Dead, owed.n as Overdue, due.oldest as OldestDue, coalesce(week.last_ok, earlier.last_ok) as LastOk, week.finished as Finished, week.first_try as FirstTry
            from (select gateway_now() as at) n, (select * from partner p where {which} order by p.name, p.partner_id limit @limit) p join party y using (party_id) left join breaker b on b.partner_id = p.partner_id
            cross join lateral (select count(*) as n, min(created_at) as oldest from delivery d where d.partner_id = p.partner_id and d.state = 'due') due
            cross join lateral (select count(*) as n from delivery d where d.partner_id = p.partner_id and d.state = 'dead') dead
            cross join lateral (select count(*) as n from delivery d where d.partner_id = p.partner_id and {DeliveryOverview.Overdue}) owed
            cross join lateral (select count(*) as finished, count(*) filter (where d.attempts = 1) as first_try, max(d.finished_at) as last_ok
                from delivery d where d.partner_id = p.partner_id and d.state = 'delivered' and d.finished_at >= n.at - interval '7 days') week
            left join lateral (select d.finished_at as last_ok from delivery d
                where week.last_ok is null and d.partner_id = p.partner_id and d.state = 'delivered' order by d.delivery_id desc limit 1) earlier on true
            order by p.name, p.partner_id
            """, parameters, work.Transaction, cancellationToken: ct))).AsList();
    }

    public async Task<IReadOnlyList<VerdictCount>> VerdictsAsync(Actor reader, int partnerId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<VerdictCount>(new CommandDefinition("""
            select coalesce(a.verdict, 'unknown') as Verdict, a.code as Code, count(*) as Count
            from delivery d join attempt a using (delivery_id) where d.partner_id = @partnerId and a.started_at >= gateway_now() - interval '7 days'
            group by 1, 2 order by 3 desc
            """, new { partnerId }, work.Transaction, cancellationToken: ct))).AsList();
    }
}
