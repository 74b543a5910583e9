using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Http;

namespace Gateway.Capture;

/// <summary>A capture as lists and its own page show it.</summary>
/// <param name="Cursor">Its place in the list: the next page asks for captures before it.</param>
/// <param name="Party">Who sent it.</param>
/// <param name="Length">Bytes as received.</param>
/// <param name="HeldTo">The rules that decided it; null when none did, or before they were kept.</param>
public sealed record CaptureRow(
    long Cursor, Guid CaptureId, string State, string? Form, string Party, string SubmittedBy, string MediaType, string? ContentEncoding, long Length, string Sha256,
    int EventCount, int FindingCount, int ErrorCount, DateTime CreatedAt, DateTime? FinishedAt, string? HeldTo);

/// <summary>Which captures a list shows; what is null does not restrict it.</summary>
/// <param name="State">processing, accepted, refused or failed.</param>
/// <param name="PartyId">Who sent them.</param>
/// <param name="Day">Received on this day of UTC.</param>
/// <param name="Code">With a finding of this code.</param>
/// <param name="Since">Received at this moment or later.</param>
/// <param name="Reason">Refused for this error first; <see cref="WithoutReason"/> for those without one.</param>
public sealed record CaptureFilter(string? State = null, int? PartyId = null, DateTime? Day = null, string? Code = null, DateTime? Since = null, string? Reason = null)
{
    public const string WithoutReason = "-";
}

/// <summary>How many captures are in each state.</summary>
public sealed record CaptureCounts(long Processing, long Accepted, long Refused, long Failed)
{
    public long All => Processing + Accepted + Refused + Failed;
}

/// <summary>Another capture of the same party that speaks of the same document number or lot.</summary>
/// <param name="Shared">The words they share, document numbers first.</param>
public sealed record RelatedCapture(long Cursor, Guid CaptureId, string State, DateTime CreatedAt, string Kind, string Shared);

/// <summary>Stored events of one kind.</summary>
public sealed record EventKind(string Type, string? Action, string? BizStep, long Count, DateTime First, DateTime Last);

/// <summary>One stored event.</summary>
/// <param name="Number">Its place in the document, from 1.</param>
public sealed record StoredEvent(long Number, string? EventId, string Type, string? Action, string? BizStep, string? Disposition, DateTime EventTime);

/// <summary>Captures for reading, newest first; each reader sees what row security lets it see.</summary>
public sealed class CaptureList(GatewayDatabase database)
{
    public const int MaxFindings = 1000;
    public const int MaxRelated = 10;

    private const string Row = """
        select c.capture_id as Cursor, c.public_id as CaptureId, c.state as State, c.form as Form, p.name as Party, c.submitted_by as SubmittedBy,
               d.media_type as MediaType, d.content_encoding as ContentEncoding, d.length as Length, encode(d.sha256, 'hex') as Sha256,
               c.event_count as EventCount, c.finding_count as FindingCount, c.error_count as ErrorCount, c.created_at as CreatedAt, c.finished_at as FinishedAt, c.held_to as HeldTo
        from capture c join document d using (document_id) join party p on p.party_id = c.party_id
        """;

    private const string Where = """
        where (@State::text is null or c.state = @State) and (@PartyId::int is null or c.party_id = @PartyId)
          and (@Day::timestamptz is null or c.created_at >= @Day and c.created_at < @Day + interval '1 day')
          and (@Code::text is null or exists (select from finding f where f.capture_id = c.capture_id and f.code = @Code))
          and (@Since::timestamptz is null or c.created_at >= @Since)
          and (@Reason::text is null or @Reason = coalesce((select f.code from finding f where f.capture_id = c.capture_id and f.severity = 'error' order by f.ordinal limit 1), '-'))
        """;

    // event_id is the capture's number and the event's place in the document (0004_capture.sql).
    private const string OfCapture = "event_id >= @cursor << 20 and event_id < (@cursor + 1) << 20";

    /// <param name="before">The cursor of the last row already known; null for the newest.</param>
    public async Task<IReadOnlyList<CaptureRow>> ListAsync(Actor reader, CaptureFilter filter, long? before, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<CaptureRow>(new CommandDefinition($"""
            {Row} {Where} and (@before::bigint is null or c.capture_id < @before)
            order by c.capture_id desc limit @limit
            """, new { filter.State, filter.PartyId, filter.Day, filter.Code, filter.Since, filter.Reason, before, limit }, work.Transaction, cancellationToken: ct))).AsList();
    }

    /// <summary>How many there are of each state, whatever state the filter names.</summary>
    public async Task<CaptureCounts> CountAsync(Actor reader, CaptureFilter filter, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await work.Connection.QuerySingleAsync<CaptureCounts>(new CommandDefinition($"""
            select count(*) filter (where c.state = 'processing') as Processing, count(*) filter (where c.state = 'accepted') as Accepted,
                   count(*) filter (where c.state = 'refused') as Refused, count(*) filter (where c.state = 'failed') as Failed
            from capture c {Where}
            """, new { State = (string?)null, filter.PartyId, filter.Day, filter.Code, filter.Since, filter.Reason }, work.Transaction, cancellationToken: ct));
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
    /// <param name="code">Of this rule only; null for all.</param>
    public async Task<IReadOnlyList<FindingView>> FindingsAsync(Actor reader, long cursor, string? code, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        var all = await CaptureRecords.FindingsAsync(work, cursor, errorsOnly: false);
        return [.. all.Where(f => code is null || f.Code == code).Take(MaxFindings)];
    }

    /// <summary>Newest first: what came before a document, and the corrected one that came after it.</summary>
    public async Task<IReadOnlyList<RelatedCapture>> RelatedAsync(Actor reader, long cursor, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        // A lot may be in thousands of captures: of each word only the nearest are looked at.
        return (await work.Connection.QueryAsync<RelatedCapture>(new CommandDefinition("""
            select c.capture_id as Cursor, c.public_id as CaptureId, c.state as State, c.created_at as CreatedAt,
                   min(s.kind) as Kind, string_agg(distinct s.term, ', ' order by s.term) as Shared
            from capture_term m
            cross join lateral (
                (select t.kind, t.term, t.capture_id from capture_term t
                 where t.kind = m.kind and t.term = m.term and t.party_id = m.party_id and t.capture_id < @cursor order by t.capture_id desc limit @MaxRelated)
                union all
                (select t.kind, t.term, t.capture_id from capture_term t
                 where t.kind = m.kind and t.term = m.term and t.party_id = m.party_id and t.capture_id > @cursor order by t.capture_id limit @MaxRelated)) s
            join capture c on c.capture_id = s.capture_id
            where m.capture_id = @cursor and m.kind in ('document', 'lot')
            group by c.capture_id order by min(s.kind), c.capture_id desc limit 2 * @MaxRelated
            """, new { cursor, MaxRelated }, work.Transaction, cancellationToken: ct))).AsList();
    }

    /// <summary>What is stored of a capture, by type, action and business step.</summary>
    public async Task<IReadOnlyList<EventKind>> EventKindsAsync(Actor reader, long cursor, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<EventKind>(new CommandDefinition($"""
            select event_type as Type, action as Action, biz_step as BizStep, count(*) as Count, min(event_time) as First, max(event_time) as Last
            from event where {OfCapture} group by 1, 2, 3 order by min(event_id)
            """, new { cursor }, work.Transaction, cancellationToken: ct))).AsList();
    }

    /// <summary>The stored events in document order.</summary>
    /// <param name="type">Of this type only; null for all.</param>
    /// <param name="after">The number of the last one already known.</param>
    public async Task<IReadOnlyList<StoredEvent>> EventsAsync(Actor reader, long cursor, string? type, long after, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<StoredEvent>(new CommandDefinition($"""
            select (event_id & 1048575) + 1 as Number, event_uri as EventId, event_type as Type, action as Action, biz_step as BizStep, disposition as Disposition, event_time as EventTime
            from event where {OfCapture} and event_id >= (@cursor << 20) + @after and (@type::text is null or event_type = @type)
            order by event_id limit @limit
            """, new { cursor, type, after, limit }, work.Transaction, cancellationToken: ct))).AsList();
    }
}
