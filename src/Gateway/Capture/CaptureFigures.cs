using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Capture;

/// <summary>One hour's captures by result.</summary>
public sealed record CaptureHour(DateTime Hour, long Accepted, long Refused, long Processing);

/// <summary>Documents of one sender refused (or failed) for the same first error, with the newest of them.</summary>
public sealed record RefusedGroup(int PartyId, string Party, string State, string? Code, string? Message, long Count, Guid Newest, DateTime NewestAt);

/// <summary>The captures of one day, counted twice over: all of them, and each state by itself.</summary>
public sealed record CaptureBalance(long All, CaptureCounts Counts)
{
    public bool Balances => All == Counts.All;
}

/// <summary>The figures of the first page of the day. Days are those of UTC, by when the document was received.</summary>
public sealed class CaptureFigures(GatewayDatabase database)
{
    public async Task<CaptureBalance> BalanceAsync(Actor reader, DateTime day, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        var (all, processing, accepted, refused, failed) = await work.Connection.QuerySingleAsync<(long, long, long, long, long)>(new CommandDefinition("""
            select count(*), count(*) filter (where state = 'processing'), count(*) filter (where state = 'accepted'),
                   count(*) filter (where state = 'refused'), count(*) filter (where state = 'failed')
            from capture where created_at >= @day and created_at < @day + interval '1 day'
            """, new { day }, work.Transaction, cancellationToken: ct));
        return new CaptureBalance(all, new CaptureCounts(processing, accepted, refused, failed));
    }

    public async Task<IReadOnlyList<CaptureHour>> HoursAsync(Actor reader, DateTime day, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<CaptureHour>(new CommandDefinition("""
            select date_trunc('hour', created_at) as Hour, count(*) filter (where state = 'accepted') as Accepted,
                   count(*) filter (where state in ('refused', 'failed')) as Refused, count(*) filter (where state = 'processing') as Processing
            from capture where created_at >= @day and created_at < @day + interval '1 day' group by 1 order by 1
            """, new { day }, work.Transaction, cancellationToken: ct))).AsList();
    }

    /// <summary>Documents refused since a moment, grouped by what would mend them; the newest group first.</summary>
    public async Task<IReadOnlyList<RefusedGroup>> RefusedSinceAsync(Actor reader, DateTime since, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<RefusedGroup>(new CommandDefinition("""
            select c.party_id as PartyId, p.name as Party, c.state as State, f.code as Code, min(f.message) as Message, count(*) as Count,
                   (array_agg(c.public_id order by c.capture_id desc))[1] as Newest, max(c.created_at) as NewestAt
            from capture c join party p using (party_id)
            left join lateral (select code, message from finding f where f.capture_id = c.capture_id and f.severity = 'error' order by f.ordinal limit 1) f on true
            where c.created_at >= @since and c.state in ('refused', 'failed') group by 1, 2, 3, 4 order by max(c.capture_id) desc limit @limit
            """, new { since, limit }, work.Transaction, cancellationToken: ct))).AsList();
    }
}
