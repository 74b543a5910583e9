using Dapper;
using Gateway.Access;
using Gateway.Audit;
using Gateway.Database;
using Gateway.Http;

namespace Gateway.Capture;

/// <summary>What callers may read of captures; row security leaves them their own.</summary>
public sealed class CaptureReading(GatewayDatabase database)
{
    private const string Job = "select capture_id as CaptureId, public_id as PublicId, created_at as CreatedAt, finished_at as FinishedAt, state, error_behaviour as ErrorBehaviour, error_count as ErrorCount from capture ";

    internal GatewayDatabase Database { get; } = database;

    public async Task<CaptureJob?> JobAsync(Actor actor, Guid id, CancellationToken ct)
    {
        await using var work = await Database.BeginAsync(actor, ct);
        return await work.Connection.QuerySingleOrDefaultAsync<JobRow>(Job + "where public_id = @id", new { id }, work.Transaction) is { } row
            ? await JobOfAsync(work, row)
            : null;
    }

    /// <summary>Newest first.</summary>
    public async Task<(IReadOnlyList<CaptureJob> Jobs, long? Next)> JobsAsync(Actor actor, Page page, CancellationToken ct)
    {
        await using var work = await Database.BeginAsync(actor, ct);
        var rows = (await work.Connection.QueryAsync<JobRow>(Job + "where capture_id < @beyond order by capture_id desc limit @limit",
            new { beyond = page.Beyond ?? long.MaxValue, limit = page.Size + 1 }, work.Transaction)).AsList();
        var jobs = new List<CaptureJob>();
        foreach (var row in rows.Take(page.Size))
        {
            jobs.Add(await JobOfAsync(work, row));
        }
        return (jobs, rows.Count > page.Size ? rows[page.Size - 1].CaptureId : null);
    }

    public async Task<CaptureDetails?> DetailsAsync(Actor actor, Guid id, CancellationToken ct)
    {
        await using var work = await Database.BeginAsync(actor, ct);
        var row = await work.Connection.QuerySingleOrDefaultAsync<DetailsRow>("""
            select c.capture_id as CaptureId, c.public_id as PublicId, c.state, c.error_behaviour as ErrorBehaviour, c.form, d.sha256, d.length, d.media_type as MediaType,
                   d.content_encoding as ContentEncoding, c.submitted_by as SubmittedBy, c.party_id as PartyId, c.event_count as Events, c.error_count as Errors,
                   c.created_at as CreatedAt, c.finished_at as FinishedAt, c.attempts, c.held_to as HeldTo
            from capture c join document d using (document_id) where c.public_id = @id
            """, new { id }, work.Transaction);
        return row is null ? null : new CaptureDetails(row.PublicId, row.State, row.ErrorBehaviour, row.Form, Convert.ToHexStringLower(row.Sha256), row.Length, row.MediaType,
            row.ContentEncoding, row.SubmittedBy, row.PartyId, row.Events, row.Errors, row.CreatedAt, row.FinishedAt, row.Attempts, row.HeldTo,
            await CaptureRecords.FindingsAsync(work, row.CaptureId, errorsOnly: false));
    }

    /// <summary>That the entry of the capture is in the sealed trail.</summary>
    /// <returns>Null while it is not decided, or not sealed.</returns>
    public async Task<LeafProof?> ProofAsync(Actor actor, Guid id, CancellationToken ct)
    {
        await using var work = await Database.BeginAsync(actor, ct, System.Data.IsolationLevel.RepeatableRead);
        var ord = await work.Connection.ExecuteScalarAsync<long?>(
            "select entry_of_capture(@id)", new { id }, work.Transaction);
        return ord is null ? null : await TrailProofs.OfEntryAsync(work, ord.Value, ct);
    }

    internal async Task<SourceRow?> SourceAsync(Actor actor, Guid id, CancellationToken ct)
    {
        await using var work = await Database.BeginAsync(actor, ct);
        return await work.Connection.QuerySingleOrDefaultAsync<SourceRow>("""
            select d.document_id as DocumentId, d.sha256, d.media_type as MediaType, d.content_encoding as ContentEncoding
            from capture c join document d using (document_id) where c.public_id = @id
            """, new { id }, work.Transaction);
    }

    private static async Task<CaptureJob> JobOfAsync(Work work, JobRow row) => new(
        row.PublicId.ToString(), row.CreatedAt, row.FinishedAt, row.State == "processing",
        row.State is "processing" or "accepted" && row.ErrorCount == 0, row.ErrorBehaviour,
        row.State == "processing" || row.ErrorCount == 0 && row.State == "accepted" ? [] : await CaptureRecords.FindingsAsync(work, row.CaptureId, errorsOnly: true));

    private sealed record JobRow
    {
        public long CaptureId { get; init; }
        public Guid PublicId { get; init; }
        public DateTime CreatedAt { get; init; }
        public DateTime? FinishedAt { get; init; }
        public string State { get; init; } = "";
        public string ErrorBehaviour { get; init; } = "";
        public int ErrorCount { get; init; }
    }

    private sealed record DetailsRow
    {
        public long CaptureId { get; init; }
        public Guid PublicId { get; init; }
        public string State { get; init; } = "";
        public string ErrorBehaviour { get; init; } = "";
        public string? Form { get; init; }
        public byte[] Sha256 { get; init; } = [];
        public long Length { get; init; }
        public string MediaType { get; init; } = "";
        public string? ContentEncoding { get; init; }
        public string SubmittedBy { get; init; } = "";
        public int PartyId { get; init; }
        public int Events { get; init; }
        public int Errors { get; init; }
        public DateTime CreatedAt { get; init; }
        public DateTime? FinishedAt { get; init; }
        public int Attempts { get; init; }
        public string? HeldTo { get; init; }
    }

    internal sealed record SourceRow
    {
        public long DocumentId { get; init; }
        public byte[] Sha256 { get; init; } = [];
        public string MediaType { get; init; } = "";
        public string? ContentEncoding { get; init; }
        public string Extension => (MediaType.EndsWith("xml", StringComparison.Ordinal) ? ".xml" : ".json") + (ContentEncoding is null ? "" : ".gz");
    }
}
