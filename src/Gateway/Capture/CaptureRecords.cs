using System.Text.Json;
using Dapper;
using Epcis;
using Gateway.Database;
using Gateway.Http;
using Gateway.Telemetry;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Capture;

/// <summary>A capture's document, findings and audit entry, each written in its caller's transaction; and the findings' reading.</summary>
internal static class CaptureRecords
{
    private const int ChunkBytes = 1 << 20;

    /// <summary>Stores bytes, capture and idempotency key.</summary>
    /// <exception cref="PostgresException">Unique violation: the party's same bytes or key are stored already.</exception>
    public static async Task<(long CaptureId, long DocumentId)> InsertAsync(Work work, NewCapture capture, Stream bytes, CancellationToken ct)
    {
        var buffer = new byte[Math.Min(ChunkBytes, bytes.Length)];
        var length = await bytes.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, ct);
        var (captureId, documentId) = await InsertAsync(work, capture, buffer.AsMemory(0, length), ct);
        for (var ordinal = 1; (length = await bytes.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, ct)) > 0; ordinal++)
        {
            await using var insert = new NpgsqlCommand("insert into document_chunk (document_id, party_id, ordinal, bytes) values ($1, $2, $3, $4)", work.Connection, work.Transaction)
            {
                Parameters = { new() { Value = documentId }, new() { Value = capture.PartyId }, new() { Value = ordinal }, Bytes(buffer.AsMemory(0, length)) },
            };
            await insert.ExecuteNonQueryAsync(ct);
        }
        return (captureId, documentId);
    }

    /// <summary>All of a small document in one round trip.</summary>
    private static async Task<(long CaptureId, long DocumentId)> InsertAsync(Work work, NewCapture capture, ReadOnlyMemory<byte> firstChunk, CancellationToken ct)
    {
        await using var insert = new NpgsqlCommand("""
            with d as (
                insert into document (party_id, sha256, length, media_type, content_encoding, received_at) values ($1, $2, $3, $4, $5, $6) returning document_id),
            b as (
                insert into document_chunk (document_id, party_id, ordinal, bytes) select document_id, $1, 0, $7 from d where octet_length($7) > 0),
            c as (
                insert into capture (public_id, document_id, party_id, submitted_by, error_behaviour, state, created_at, finished_at, answer_status, answer_body, form, traceparent, lease_token)
                select $8, document_id, $1, $9, $10, $11, $6, $12, $13, $14, $15, $16, $17 from d returning capture_id, document_id),
            k as (
                insert into idempotency (party_id, key, sha256, capture_id, created_at) select $1, $18, $2, capture_id, $6 from c where $18 is not null)
            select capture_id, document_id from c
            """, work.Connection, work.Transaction)
        {
            Parameters =
            {
                new() { Value = capture.PartyId }, new() { Value = capture.Sha256 }, new() { Value = capture.Length }, Text(capture.MediaType), Text(capture.ContentEncoding),
                Time(capture.Now), Bytes(firstChunk), new() { Value = capture.PublicId }, Text(capture.SubmittedBy), Text(capture.ErrorBehaviour), Text(capture.State), Time(capture.FinishedAt),
                new() { Value = capture.Status }, Text(capture.Answer), Text(capture.Form), Text(GatewayTrace.Context),
                new() { Value = (object?)capture.LeaseToken ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid }, Text(capture.Key),
            },
        };
        await using var reader = await insert.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        return (reader.GetInt64(0), reader.GetInt64(1));
    }

    private static NpgsqlParameter Bytes(ReadOnlyMemory<byte> bytes) => new() { Value = bytes, NpgsqlDbType = NpgsqlDbType.Bytea };

    private static NpgsqlParameter Text(string? text) => new() { Value = (object?)text ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text };

    private static NpgsqlParameter Time(DateTime? time) => new() { Value = (object?)time ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz };

    public static Task StoreFindingsAsync(Work work, long captureId, int partyId, Findings findings)
    {
        if (findings.All.Count == 0)
        {
            return Task.CompletedTask; // the capture's counts are 0 from the start
        }
        var rows = JsonSerializer.Serialize(findings.All.Select((f, ordinal) => new
        {
            ordinal,
            code = f.Code,
            severity = f.Severity.ToString().ToLowerInvariant(),
            clause = f.Clause,
            @event = f.Event,
            event_uri = Storable(f.EventId),
            line = f.Where.Line,
            col = f.Where.Column,
            pointer = Storable(f.Where.Pointer),
            got = Storable(f.Got),
            want = Storable(f.Want),
            suggestion = Storable(f.Suggestion),
            message = Storable(f.Message),
        }));
        // The counts tell of those beyond the limit too.
        return work.Connection.ExecuteAsync("""
            insert into finding (capture_id, party_id, ordinal, code, severity, clause, event, event_uri, line, col, pointer, got, want, suggestion, message)
            select @captureId, @partyId, f.* from jsonb_to_recordset(@rows::jsonb) as f(ordinal int, code text, severity text, clause text, event int, event_uri text,
                line int, col int, pointer text, got text, want text, suggestion text, message text);
            update capture set finding_count = @findings, error_count = @errors where capture_id = @captureId
            """, new { captureId, partyId, rows, findings = findings.All.Count + findings.Dropped, errors = findings.ErrorCount }, work.Transaction);
    }

    public static Task AuditAsync(Work work, string action, Guid publicId, object what) =>
        work.Connection.ExecuteAsync("select audit_write(@action, 'capture', @key, null, @what::jsonb)",
            new { action, key = publicId.ToString(), what = JsonSerializer.Serialize(what, CaptureJob.Json) }, work.Transaction);

    public static async Task<IReadOnlyList<FindingView>> FindingsAsync(Work work, long captureId, bool errorsOnly)
    {
        var rows = await work.Connection.QueryAsync<FindingRow>("""
            select code, severity, message, clause, event, event_uri as EventUri, line, col, pointer, got, want, suggestion
            from finding where capture_id = @captureId and (not @errorsOnly or severity = 'error') order by ordinal
            """, new { captureId, errorsOnly }, work.Transaction);
        return [.. rows.Select(r => new FindingView(r.Code, r.Severity, r.Message)
        {
            Clause = r.Clause,
            Event = r.Event,
            EventId = r.EventUri,
            Where = new FindingPlace(r.Line, r.Col, r.Pointer),
            Got = r.Got,
            Want = r.Want,
            Suggestion = r.Suggestion,
        })];
    }

    /// <summary>PostgreSQL's text has no U+0000; only copies for searching and showing are changed, never the document.</summary>
    public static string? Storable(string? text) => text?.Replace('\0', '\uFFFD');

    private sealed record FindingRow
    {
        public string Code { get; init; } = "";
        public string Severity { get; init; } = "";
        public string Message { get; init; } = "";
        public string? Clause { get; init; }
        public int? Event { get; init; }
        public string? EventUri { get; init; }
        public int Line { get; init; }
        public int Col { get; init; }
        public string? Pointer { get; init; }
        public string? Got { get; init; }
        public string? Want { get; init; }
        public string? Suggestion { get; init; }
    }
}
