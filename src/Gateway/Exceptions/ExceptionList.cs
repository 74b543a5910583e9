using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Exceptions;

/// <summary>An exception as lists and its own page show it.</summary>
/// <param name="Cursor">Its place in the list: the next page asks for exceptions before it.</param>
/// <param name="State">open, resolved or dismissed.</param>
/// <param name="Party">Whose it is.</param>
/// <param name="SourceKind">capture or delivery.</param>
/// <param name="SourceId">As the source's own address names it.</param>
/// <param name="EventUri">eventID of the first occurrence.</param>
/// <param name="Occurrences">How often it happened, the last time at <paramref name="LastAt"/>.</param>
/// <param name="DecidedBy">Who resolved or dismissed it; null while it is open.</param>
/// <param name="Version">Rises with every change.</param>
public sealed record ExceptionRow(
    long Cursor, Guid ExceptionId, string Code, string Severity, string Message, string State, string Party, string SourceKind, string SourceId, long? DocumentId, string? EventUri,
    string? Gtin, string? Lot, DateTime OpenedAt, DateTime LastAt, int Occurrences, int UnitCount, string? AssignedTo, DateTime? DecidedAt, string? DecidedBy, string? DecidedWhy, int Version);

/// <summary>How many exceptions are in each state.</summary>
public sealed record ExceptionCounts(long Open, long Resolved, long Dismissed)
{
    public long All => Open + Resolved + Dismissed;
}

/// <summary>What a person said or decided.</summary>
/// <param name="Action">note, assign, resolve, dismiss or reopen.</param>
/// <param name="Text">The note, or the reason of the decision.</param>
/// <param name="AssignedTo">Of an assignment: who settles it from then on; null: nobody in particular.</param>
public sealed record ExceptionNote(long NoteId, string Action, string Text, string? AssignedTo, string Actor, string ActorName, string ActorRole, DateTime NotedAt);

/// <summary>Exceptions for reading, newest first; each reader sees what row security lets it see.</summary>
public sealed class ExceptionList(GatewayDatabase database)
{
    private const string Rows = """
        select e.exception_id as Cursor, e.public_id as ExceptionId, e.code as Code, e.severity as Severity, e.message as Message, e.state as State, p.name as Party,
               e.source_kind as SourceKind, e.source_id as SourceId, e.document_id as DocumentId, e.event_uri as EventUri, e.gtin as Gtin, e.lot as Lot,
               e.opened_at as OpenedAt, e.last_at as LastAt, e.occurrences as Occurrences, e.unit_count as UnitCount, e.assigned_to as AssignedTo,
               e.decided_at as DecidedAt, e.decided_by as DecidedBy, e.decided_why as DecidedWhy, e.version as Version
        from exception e join party p using (party_id)
        """;

    /// <summary>Newest first.</summary>
    public async Task<IReadOnlyList<ExceptionRow>> ListAsync(Actor reader, ExceptionFilter filter, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<ExceptionRow>(new CommandDefinition($"""
            {Rows} where {Where(filter)}{(filter.State is null ? "" : " and e.state = @State")}{(filter.Before is null ? "" : " and e.exception_id < @Before")}
            order by e.exception_id desc limit @limit
            """, Values(filter, limit), work.Transaction, cancellationToken: ct))).AsList();
    }

    /// <summary>How many there are of each state, whatever state the filter names.</summary>
    public async Task<ExceptionCounts> CountAsync(Actor reader, ExceptionFilter filter, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await work.Connection.QuerySingleAsync<ExceptionCounts>(new CommandDefinition($"""
            select count(*) filter (where e.state = 'open') as Open, count(*) filter (where e.state = 'resolved') as Resolved, count(*) filter (where e.state = 'dismissed') as Dismissed
            from exception e where {Where(filter)}
            """, Values(filter), work.Transaction, cancellationToken: ct));
    }

    /// <summary>How many wait for a person.</summary>
    public async Task<long> CountOpenAsync(Actor reader, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await work.Connection.ExecuteScalarAsync<long>(new CommandDefinition("select count(*) from exception where state = 'open'", transaction: work.Transaction, cancellationToken: ct));
    }

    /// <returns>The exception, or null when there is none or it is another party's.</returns>
    public async Task<ExceptionRow?> FindAsync(Actor reader, Guid exceptionId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await work.Connection.QuerySingleOrDefaultAsync<ExceptionRow>(new CommandDefinition(Rows + " where e.public_id = @exceptionId", new { exceptionId }, work.Transaction, cancellationToken: ct));
    }

    /// <summary>The newest about a unit, in whatever state.</summary>
    /// <param name="epcs">All the unit's spellings.</param>
    public async Task<IReadOnlyList<ExceptionRow>> OfUnitAsync(Actor reader, IEnumerable<string> epcs, int limit, CancellationToken ct)
    {
        return await database.ReadAsync<ExceptionRow>(reader, $"""
            {Rows} where e.exception_id in (select u.exception_id from exception_unit u where u.epc = any(@epcs)) order by e.exception_id desc limit @limit
            """, new { epcs = epcs.ToArray(), limit }, ct);
    }

    /// <summary>The units it is about, in the order of their spelling.</summary>
    /// <param name="after">The last one already known; null for the first.</param>
    public async Task<IReadOnlyList<string>> UnitsAsync(Actor reader, long cursor, string? after, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<string>(new CommandDefinition("""
            select epc from exception_unit where exception_id = @cursor and (@after::text is null or epc > @after) order by epc limit @limit
            """, new { cursor, after, limit }, work.Transaction, cancellationToken: ct))).AsList();
    }

    /// <summary>What people said and decided, newest first.</summary>
    public async Task<IReadOnlyList<ExceptionNote>> NotesAsync(Actor reader, long cursor, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<ExceptionNote>(new CommandDefinition("""
            select note_id as NoteId, action as Action, text as Text, assigned_to as AssignedTo, actor as Actor, actor_name as ActorName, actor_role as ActorRole, noted_at as NotedAt
            from exception_note where exception_id = @cursor order by note_id desc
            """, new { cursor }, work.Transaction, cancellationToken: ct))).AsList();
    }

    /// <returns>The exception with everything about it, or null when there is none or it is another party's.</returns>
    /// <param name="after">The last unit already known; null for the first.</param>
    public async Task<ExceptionDetails?> DetailsAsync(Actor reader, Guid exceptionId, string? after, int limit, CancellationToken ct)
    {
        if (await FindAsync(reader, exceptionId, ct) is not { } row)
        {
            return null;
        }
        var units = await UnitsAsync(reader, row.Cursor, after, limit + 1, ct);
        return new ExceptionDetails(ExceptionItem.Of(row), [.. units.Take(limit)], units.Count > limit ? units[limit - 1] : null,
            [.. (await NotesAsync(reader, row.Cursor, ct)).Select(ExceptionNoteItem.Of)]);
    }

    private static string Where(ExceptionFilter filter) => string.Join(" and ", new (string Condition, bool Asked)[]
    {
        ("true", true), ("e.code = @Code", filter.Code is not null), ("e.gtin = @Gtin", filter.Gtin is not null), ("e.lot = @Lot", filter.Lot is not null),
        ("e.document_id = @DocumentId", filter.DocumentId is not null), ("e.source_id = @Source", filter.Source is not null),
        ("e.exception_id in (select u.exception_id from exception_unit u where u.epc = @Epc)", filter.Epc is not null),
    }.Where(c => c.Asked).Select(c => c.Condition));

    private static object Values(ExceptionFilter filter, int limit = 0) =>
        new { filter.State, filter.Code, filter.Gtin, filter.Lot, filter.Epc, filter.DocumentId, filter.Source, filter.Before, limit };
}
