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
        var documentId = await work.Connection.ExecuteScalarAsync<long>("""
            insert into document (party_id, sha256, length, media_type, content_encoding, received_at)
            values (@PartyId, @Sha256, @Length, @MediaType, @ContentEncoding, @Now) returning document_id
            """, capture, work.Transaction);
        await StoreChunksAsync(work, documentId, capture.PartyId, bytes, ct);
        var captureId = await work.Connection.ExecuteScalarAsync<long>("""
            insert into capture (public_id, document_id, party_id, submitted_by, error_behaviour, state, created_at, finished_at, answer_status, answer_body, form, traceparent, lease_token)
            values (@PublicId, @documentId, @PartyId, @SubmittedBy, @ErrorBehaviour, @State, @Now, @FinishedAt, @Status, @Answer, @Form, @traceParent, @LeaseToken) returning capture_id
            """, new
        {
            capture.PublicId, documentId, capture.PartyId, capture.SubmittedBy, capture.ErrorBehaviour, capture.State, capture.Now, capture.FinishedAt,
            capture.Status, capture.Answer, capture.Form, traceParent = GatewayTrace.Context, capture.LeaseToken,
        }, work.Transaction);
        if (capture.Key is not null)
        {
            await work.Connection.ExecuteAsync("insert into idempotency (party_id, key, sha256, capture_id, created_at) values (@PartyId, @Key, @Sha256, @captureId, @Now)",
                new { capture.PartyId, capture.Key, capture.Sha256, captureId, capture.Now }, work.Transaction);
        }
        return (captureId, documentId);
    }

    private static async Task StoreChunksAsync(Work work, long documentId, int partyId, Stream bytes, CancellationToken ct)
    {
        var buffer = new byte[Math.Min(ChunkBytes, bytes.Length)];
        for (var ordinal = 0; ; ordinal++)
        {
            var length = await bytes.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, ct);
            if (length == 0)
            {
                return;
            }
            await using var insert = new NpgsqlCommand("insert into document_chunk (document_id, party_id, ordinal, bytes) values ($1, $2, $3, $4)", work.Connection, work.Transaction)
            {
                Parameters =
                {
                    new() { Value = documentId }, new() { Value = partyId }, new() { Value = ordinal },
                    new() { Value = new ReadOnlyMemory<byte>(buffer, 0, length), NpgsqlDbType = NpgsqlDbType.Bytea },
                },
            };
            await insert.ExecuteNonQueryAsync(ct);
        }
    }

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
