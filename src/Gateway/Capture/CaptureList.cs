using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Capture;

/// <summary>A capture as lists and its own page show it.</summary>
/// <param name="Cursor">Its place in the list: the next page asks for captures before it.</param>
/// <param name="Party">Who sent it.</param>
/// <param name="Length">Bytes as received.</param>
public sealed record CaptureRow(
    long Cursor, Guid CaptureId, string State, string? Form, string Party, string SubmittedBy, string MediaType, string? ContentEncoding, long Length, string Sha256,
    int EventCount, int FindingCount, int ErrorCount, DateTime CreatedAt, DateTime? FinishedAt);

/// <summary>Which captures a list shows; what is null does not restrict it.</summary>
/// <param name="State">processing, accepted, refused or failed.</param>
/// <param name="PartyId">Who sent them.</param>
/// <param name="Day">Received on this day of UTC.</param>
/// <param name="Code">With a finding of this code.</param>
public sealed record CaptureFilter(string? State = null, int? PartyId = null, DateTime? Day = null, string? Code = null);

/// <summary>How many captures are in each state.</summary>
public sealed record CaptureCounts(long Processing, long Accepted, long Refused, long Failed)
{
    public long All => Processing + Accepted + Refused + Failed;
}

/// <summary>What the checks said about a capture, as it is stored.</summary>
public sealed record StoredFinding(
    int Ordinal, string Code, string Severity, string? Clause, int? Event, string? EventUri, int Line, int Col, string? Pointer, string? Got, string? Want, string? Suggestion, string Message);

/// <summary>Captures for reading, newest first; each reader sees what row security lets it see.</summary>
public sealed class CaptureList(GatewayDatabase database)
{
    public const int MaxFindings = 500;

    private const string Row = """
        select c.capture_id as Cursor, c.public_id as CaptureId, c.state as State, c.form as Form, p.name as Party, c.submitted_by as SubmittedBy,
               d.media_type as MediaType, d.content_encoding as ContentEncoding, d.length as Length, encode(d.sha256, 'hex') as Sha256,
               c.event_count as EventCount, c.finding_count as FindingCount, c.error_count as ErrorCount, c.created_at as CreatedAt, c.finished_at as FinishedAt
        from capture c join document d using (document_id) join party p on p.party_id = c.party_id
        """;

    private const string Where = """
        where (@State::text is null or c.state = @State) and (@PartyId::int is null or c.party_id = @PartyId)
          and (@Day::timestamptz is null or c.created_at >= @Day and c.created_at < @Day + interval '1 day')
          and (@Code::text is null or exists (select from finding f where f.capture_id = c.capture_id and f.code = @Code))
        """;

    /// <param name="before">The cursor of the last row already known; null for the newest.</param>
    public async Task<IReadOnlyList<CaptureRow>> ListAsync(Actor reader, CaptureFilter filter, long? before, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<CaptureRow>(new CommandDefinition($"""
            {Row} {Where} and (@before::bigint is null or c.capture_id < @before)
            order by c.capture_id desc limit @limit
            """, new { filter.State, filter.PartyId, filter.Day, filter.Code, before, limit }, work.Transaction, cancellationToken: ct))).AsList();
    }

    /// <summary>How many there are of each state, whatever state the filter names.</summary>
    public async Task<CaptureCounts> CountAsync(Actor reader, CaptureFilter filter, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await work.Connection.QuerySingleAsync<CaptureCounts>(new CommandDefinition($"""
            select count(*) filter (where c.state = 'processing') as Processing, count(*) filter (where c.state = 'accepted') as Accepted,
                   count(*) filter (where c.state = 'refused') as Refused, count(*) filter (where c.state = 'failed') as Failed
            from capture c {Where}
            """, new { State = (string?)null, filter.PartyId, filter.Day, filter.Code }, work.Transaction, cancellationToken: ct));
    }

    /// <summary>Who has sent anything the reader may see, for choosing one.</summary>
    public async Task<IReadOnlyList<(int PartyId, string Name)>> PartiesAsync(Actor reader, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<(int, string)>(new CommandDefinition(
            "select party_id, name from party p where exists (select from capture c where c.party_id = p.party_id) order by name limit 500", transaction: work.Transaction, cancellationToken: ct))).AsList();
    }

    /// <returns>The capture, or null when there is none or it is another party's.</returns>
    public async Task<CaptureRow?> FindAsync(Actor reader, Guid captureId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await work.Connection.QuerySingleOrDefaultAsync<CaptureRow>(new CommandDefinition(
            Row + " where c.public_id = @captureId", new { captureId }, work.Transaction, cancellationToken: ct));
    }

    /// <summary>The first <see cref="MaxFindings"/> findings, in document order.</summary>
    public async Task<IReadOnlyList<StoredFinding>> FindingsAsync(Actor reader, Guid captureId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<StoredFinding>(new CommandDefinition("""
            select f.ordinal as Ordinal, f.code as Code, f.severity as Severity, f.clause as Clause, f.event as Event, f.event_uri as EventUri, f.line as Line, f.col as Col,
                   f.pointer as Pointer, f.got as Got, f.want as Want, f.suggestion as Suggestion, f.message as Message
            from finding f join capture c using (capture_id)
            where c.public_id = @captureId order by f.ordinal limit @max
            """, new { captureId, max = MaxFindings }, work.Transaction, cancellationToken: ct))).AsList();
    }
}
