using System.Text.Json;
using Dapper;
using Epcis;
using Gateway.Database;
using Gateway.Http;

namespace Gateway.Capture;

/// <summary>Findings and the audit entry of a capture, written in the transaction that decides it; and their reading.</summary>
internal static class CaptureRecords
{
    public static Task StoreFindingsAsync(Work work, long captureId, int partyId, Findings findings)
    {
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
