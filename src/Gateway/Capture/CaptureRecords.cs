using System.Text.Json;
using Dapper;
using Epcis;
using Gateway.Database;
using Gateway.Http;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Capture;

/// <summary>A capture's document, findings and audit entry, each written in its caller's transaction; and the findings' reading.</summary>
internal static class CaptureRecords
{
    private const int ChunkBytes = 1 << 20;

    /// <summary>Stores bytes, capture and idempotency key.</summary>
    /// <returns>Null when the party's same bytes are stored already.</returns>
    /// <exception cref="PostgresException">Unique violation: the key is.</exception>
    public static async Task<(long CaptureId, long DocumentId)?> InsertAsync(Work work, NewCapture capture, Stream bytes, CancellationToken ct)
    {
        var buffer = new byte[Math.Min(ChunkBytes, bytes.Length)];
        var length = await bytes.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, ct);
        if (await InsertAsync(work, [(capture, buffer[..length])]) is not [var (_, captureId, documentId)])
        {
            return null;
        }
        for (var ordinal = 1; (length = await bytes.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, ct)) > 0; ordinal++)
        {
            await using var insert = new NpgsqlCommand("insert into document_chunk (document_id, party_id, ordinal, bytes) values ($1, $2, $3, $4)", work.Connection, work.Transaction)
            {
                Parameters = { new() { Value = documentId }, new() { Value = capture.PartyId }, new() { Value = ordinal }, new() { Value = buffer.AsMemory(0, length), NpgsqlDbType = NpgsqlDbType.Bytea } },
            };
            await insert.ExecuteNonQueryAsync(ct);
        }
        return (captureId, documentId);
    }

    /// <summary>All of small documents in one round trip: those of one party, at one time.</summary>
    /// <returns>Without those whose bytes are stored already. They are written in the order of their hashes, so that two who store the same meet in one order.</returns>
    public static async Task<IReadOnlyList<(Guid PublicId, long CaptureId, long DocumentId)>> InsertAsync(Work work, IReadOnlyList<(NewCapture Capture, byte[] Bytes)> captures)
    {
        var all = captures.Select(c => c.Capture).ToList();
        await using var insert = new NpgsqlCommand("""
            with n as materialized (
                select * from unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
                as n (sha256, length, media_type, content_encoding, bytes, public_id, submitted_by, error_behaviour, state, finished_at, answer_status, answer_body, form, traceparent, lease_token, key, prefixes, sites, mapping, method, run_id)),
            d as (
                insert into document (party_id, sha256, length, media_type, content_encoding, received_at) select $1, sha256, length, media_type, content_encoding, $2 from n order by sha256
                on conflict (party_id, sha256) do nothing returning document_id, sha256),
            b as (
                insert into document_chunk (document_id, party_id, ordinal, bytes) select document_id, $1, 0, bytes from d join n using (sha256) where octet_length(bytes) > 0),
            c as (
                insert into capture (public_id, document_id, party_id, submitted_by, error_behaviour, state, created_at, finished_at, answer_status, answer_body, form, traceparent, lease_token, prefixes, sites, mapping, method, run_id)
                select public_id, document_id, $1, submitted_by, error_behaviour, state, $2, finished_at, answer_status, answer_body, form, traceparent, lease_token, string_to_array(prefixes, ' '), string_to_array(sites, ' '), mapping, method, run_id from d join n using (sha256)
                returning public_id, capture_id, document_id),
            k as (
                insert into idempotency (party_id, key, sha256, capture_id, created_at) select $1, key, sha256, capture_id, $2 from c join n using (public_id) where key is not null)
            select public_id, capture_id, document_id from c
            """, work.Connection, work.Transaction)
        {
            Parameters =
            {
                new() { Value = all[0].PartyId }, new() { Value = all[0].Now, NpgsqlDbType = NpgsqlDbType.TimestampTz },
                Each(c => c.Sha256, NpgsqlDbType.Bytea), Each(c => c.Length, NpgsqlDbType.Bigint), Each(c => c.MediaType, NpgsqlDbType.Text), Each(c => c.ContentEncoding, NpgsqlDbType.Text),
                new() { Value = captures.Select(c => c.Bytes).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea },
                Each(c => c.PublicId, NpgsqlDbType.Uuid), Each(c => c.SubmittedBy, NpgsqlDbType.Text), Each(c => c.ErrorBehaviour, NpgsqlDbType.Text), Each(c => c.State, NpgsqlDbType.Text),
                Each(c => c.FinishedAt, NpgsqlDbType.TimestampTz), Each(c => c.Status, NpgsqlDbType.Integer), Each(c => c.Answer, NpgsqlDbType.Text), Each(c => c.Form, NpgsqlDbType.Text),
                Each(c => c.TraceParent, NpgsqlDbType.Text), Each(c => c.LeaseToken, NpgsqlDbType.Uuid), Each(c => c.Key, NpgsqlDbType.Text),
                Each(c => Joined(c.Scope?.Prefixes), NpgsqlDbType.Text), Each(c => Joined(c.Scope?.Sites), NpgsqlDbType.Text),
                Each(c => c.Mapping, NpgsqlDbType.Text), Each(c => c.Method, NpgsqlDbType.Text), Each(c => c.RunId, NpgsqlDbType.Bigint),
            },
        };
        var stored = new List<(Guid, long, long)>();
        await using var reader = await insert.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            stored.Add((reader.GetGuid(0), reader.GetInt64(1), reader.GetInt64(2)));
        }
        return stored;

        // An array of arrays would be one array to the database.
        static string? Joined(string[]? entries) => entries is { Length: > 0 } ? string.Join(' ', entries) : null;

        NpgsqlParameter Each<T>(Func<NewCapture, T> value, NpgsqlDbType type) => new() { Value = all.Select(value).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | type };
    }

    public static Task StoreFindingsAsync(Work work, long captureId, int partyId, Findings findings) => StoreFindingsAsync(work, partyId, [(captureId, findings)]);

    /// <summary>Those of several captures of one party.</summary>
    public static Task StoreFindingsAsync(Work work, int partyId, IEnumerable<(long CaptureId, Findings Findings)> found)
    {
        var some = found.Where(f => f.Findings.All.Count > 0).ToList();
        if (some.Count == 0)
        {
            return Task.CompletedTask; // a capture's counts are 0 from the start
        }
        var rows = JsonSerializer.Serialize(some.SelectMany(x => x.Findings.All.Select((f, ordinal) => new
        {
            capture_id = x.CaptureId,
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
        })));
        // The counts tell of those beyond the limit too.
        return work.Connection.ExecuteAsync("""
            insert into finding (party_id, capture_id, ordinal, code, severity, clause, event, event_uri, line, col, pointer, got, want, suggestion, message)
            select @partyId, f.* from jsonb_to_recordset(@rows::jsonb) as f(capture_id bigint, ordinal int, code text, severity text, clause text, event int, event_uri text,
                line int, col int, pointer text, got text, want text, suggestion text, message text);
            update capture c set finding_count = n.findings, error_count = n.errors from unnest(@captures, @findings, @errors) as n (capture_id, findings, errors) where c.capture_id = n.capture_id
            """, new
        {
            partyId, rows, captures = some.Select(x => x.CaptureId).ToArray(),
            findings = some.Select(x => x.Findings.All.Count + x.Findings.Dropped).ToArray(), errors = some.Select(x => x.Findings.ErrorCount).ToArray(),
        }, work.Transaction);
    }

    public static Task AuditAsync(Work work, string action, Guid publicId, object what) => AuditAsync(work, [(action, publicId, what)]);

    public static Task AuditAsync(Work work, IReadOnlyCollection<(string Action, Guid PublicId, object What)> entries) =>
        work.Connection.ExecuteAsync("select audit_write(action, 'capture', key, null, what::jsonb) from unnest(@actions, @keys, @whats) as e (action, key, what)", new
        {
            actions = entries.Select(e => e.Action).ToArray(),
            keys = entries.Select(e => e.PublicId.ToString()).ToArray(),
            whats = entries.Select(e => JsonSerializer.Serialize(e.What, CaptureJob.Json)).ToArray(),
        }, work.Transaction);

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
