using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Intake;

/// <summary>A line's file or the messages of its devices, as lists show them.</summary>
/// <param name="Cursor">Its place in the list.</param>
/// <param name="SetAside">Records that were set aside.</param>
public sealed record IntakeItem(
    long Cursor, Guid Id, string Mapping, string Method, string State, string Party, string? Line, string? Lot, int Events, int SetAside, int Findings, DateTime CreatedAt, DateTime? FinishedAt, string SubmittedBy);

/// <summary>How the records of one kind of origin came about.</summary>
/// <param name="Method">device, file or manual; epcis for documents that came as EPCIS.</param>
/// <param name="Share">Of all events, 0 to 1.</param>
public sealed record MethodShare(string Method, long Documents, long Events, double Share);

/// <summary>What came from lines, newest first; each reader sees what row security lets it see.</summary>
public sealed class IntakeList(GatewayDatabase database)
{
    private const string Select = """
        select c.capture_id as Cursor, c.public_id as Id, c.mapping, c.method, c.state, p.name as Party, l.code as Line, r.lot, c.event_count as Events,
            (select count(*)::int from finding f where f.capture_id = c.capture_id and f.severity = 'error') as SetAside, c.finding_count as Findings,
            c.created_at as CreatedAt, c.finished_at as FinishedAt, c.submitted_by as SubmittedBy
        from capture c join party p using (party_id) left join run r on r.run_id = c.run_id left join line l on l.line_id = r.line_id
        where c.mapping is not null
        """;

    /// <param name="before">The cursor of the last row already known; null for the newest.</param>
    public async Task<IReadOnlyList<IntakeItem>> ReadAsync(Actor reader, string? mapping, string? state, long? before, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<IntakeItem>(new CommandDefinition($"""
            {Select} and (@mapping::text is null or split_part(c.mapping, '@', 1) = @mapping) and (@state::text is null or c.state = @state) and (@before::bigint is null or c.capture_id < @before)
            order by c.capture_id desc limit @limit
            """, new { mapping, state, before, limit }, work.Transaction, cancellationToken: ct))).AsList();
    }

    /// <summary>One of them; null when there is none, or it is another party's.</summary>
    public async Task<IntakeItem?> FindAsync(Actor reader, Guid id, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await work.Connection.QuerySingleOrDefaultAsync<IntakeItem>(new CommandDefinition($"{Select} and c.public_id = @id", new { id }, work.Transaction, cancellationToken: ct));
    }

    /// <summary>The share of what is stored by how it was captured, over the last thirty days.</summary>
    public async Task<IReadOnlyList<MethodShare>> MethodsAsync(Actor reader, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<MethodShare>(new CommandDefinition("""
            select method as Method, documents as Documents, events as Events, coalesce(events / nullif(sum(events) over (), 0), 0)::float8 as Share
            from (select coalesce(method, 'epcis') as method, count(*) as documents, coalesce(sum(event_count), 0)::bigint as events
                  from capture where state = 'accepted' and created_at > gateway_now() - interval '30 days' group by 1) m order by 1
            """, transaction: work.Transaction, cancellationToken: ct))).AsList();
    }
}
