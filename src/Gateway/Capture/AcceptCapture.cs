using System.Text.Json;
using Dapper;
using Epcis;
using Epcis.Formats;
using Gateway.Access;
using Gateway.Database;
using Gateway.Exceptions;
using Gateway.Http;
using Gateway.MasterData;
using Gateway.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Capture;

/// <summary>The first answer to a document, repeated byte for byte to who sends it again.</summary>
/// <param name="ReceivedAt">When its bytes were stored, by the database's clock.</param>
internal sealed record CaptureAnswer(Guid PublicId, int Status, string Body, bool IsReplay, DateTime ReceivedAt);

/// <summary>What reads a line's document.</summary>
/// <param name="Mapping">Name and version.</param>
/// <param name="Method"><c>device</c>, <c>file</c> or <c>manual</c>.</param>
internal sealed record AcceptedMapping(string Mapping, string Method, long? RunId);

/// <summary>
/// Takes a document in: what needs no schema is checked while nothing is held, then bytes, job and idempotency are committed
/// before anything is answered. From then on a crash loses nothing.
/// </summary>
internal sealed partial class AcceptCapture(GatewayDatabase database, SmallCaptures small, CaptureRules rules, KnownMasterData masterData, IOptions<CaptureOptions> options, ILogger<AcceptCapture> log)
{
    /// <summary>The run that a file is said to tell of was closed while its bytes came.</summary>
    private const string RunClosed = "GW049";

    private readonly CaptureOptions _options = options.Value;

    /// <exception cref="CommitUnknownException">The commit was not confirmed; the caller must not be told of success.</exception>
    /// <returns>The answer; null when another request holds the same key or bytes and does not end.</returns>
    /// <param name="mapped">What reads the document, and how it came about; null when it is EPCIS.</param>
    public async Task<(CaptureAnswer? Answer, IResult? Problem)> AcceptAsync(ReceivedBody body, string? key, string errorBehaviour, Actor actor, CancellationToken ct, AcceptedMapping? mapped = null)
    {
        if (mapped is null && await DecideAtOnceAsync(body, key, errorBehaviour, actor, ct) is { } decided)
        {
            return (decided, null);
        }
        for (var tries = 0; tries < 3; tries++)
        {
            var (first, problem) = await FindFirstAsync(body.Sha256, key, actor, ct);
            if (first is not null && mapped is not null && await ReadByAsync(first.PublicId, actor, ct) is var (mapping, runId) && (mapping != mapped.Mapping || mapped.RunId is not null && runId != mapped.RunId))
            {
                return (null, Problems.TakenOtherwise(first.PublicId, mapping));
            }
            if (first is not null || problem is not null)
            {
                return (first, problem);
            }
            // A line's file is read once, by whoever decides it; that its gzip is whole and within bounds is proved before.
            var findings = await Task.Run(() => mapped is null ? ReadThrough(body) : Inflated(body), ct);
            try
            {
                if (await StoreAsync(body, key, errorBehaviour, actor, findings, mapped, ct) is { } answer)
                {
                    return (answer, null);
                }
                // Somebody was faster with the same bytes: the next look finds what they were told.
            }
            catch (PostgresException e) when (e is { SqlState: PostgresErrorCodes.UniqueViolation, ConstraintName: "idempotency_pkey" })
            {
                // Or with the same key.
            }
            catch (PostgresException e) when (e.SqlState == RunClosed)
            {
                return (null, Problems.BadParameter(e.MessageText));
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.LockNotAvailable)
            {
                return (null, Problems.StillRunning());
            }
        }
        return (null, Problems.StillRunning());
    }

    /// <returns>Null when the document is to be taken in first and decided later.</returns>
    private async Task<CaptureAnswer?> DecideAtOnceAsync(ReceivedBody body, string? key, string errorBehaviour, Actor actor, CancellationToken ct)
    {
        if (body.Length > _options.MaxBytesAtOnce || body.IsGzip)
        {
            return null;
        }
        ParsedDocument document;
        try
        {
            using var stream = body.Decoded(_options);
            document = ParsedDocument.Read(stream, _options, rules, errorBehaviour == "proceed", await masterData.ReadAsync(ct), actor.Scope);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // What ends the reading of a document must not keep its bytes from being stored.
            NotRead(e, body.Length);
            return null;
        }
        // What cannot be read at all is answered otherwise.
        return document.Reader.IsBroken ? null : await small.DecideAsync(new SmallCapture(
            new NewCapture(Guid.NewGuid(), actor.PartyId!.Value, actor.Id, body.Sha256, body.Length, body.MediaType, null, key, errorBehaviour, default, 202, "") { LeaseToken = Guid.NewGuid(), Scope = actor.Scope },
            body.ToArray(), document, actor.Sees));
    }

    private async Task<(CaptureAnswer?, IResult?)> FindFirstAsync(byte[] sha256, string? key, Actor actor, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor, ct);
        var known = key is null ? null : await work.Connection.QuerySingleOrDefaultAsync<byte[]>(
            "select sha256 from idempotency where party_id = @party and key = @key", new { party = actor.PartyId, key }, work.Transaction);
        if (known is not null && !known.AsSpan().SequenceEqual(sha256))
        {
            return (null, Problems.KeyReused());
        }
        var first = await work.Connection.QuerySingleOrDefaultAsync<(long CaptureId, Guid PublicId, int Status, string Body, DateTime CreatedAt)?>("""
            select c.capture_id, c.public_id, c.answer_status, c.answer_body, c.created_at from capture c join document d using (document_id)
            where d.party_id = @party and d.sha256 = @sha256
            """, new { party = actor.PartyId, sha256 }, work.Transaction);
        if (first is not { } answer)
        {
            return (null, null);
        }
        if (key is not null && known is null)
        {
            // The key now names these bytes, so that it cannot later name others.
            await work.Connection.ExecuteAsync("""
                insert into idempotency (party_id, key, sha256, capture_id, created_at) values (@party, @key, @sha256, @capture, gateway_now()) on conflict do nothing
                """, new { party = actor.PartyId, key, sha256, capture = answer.CaptureId }, work.Transaction);
            await work.CommitAsync();
        }
        Replayed(answer.PublicId);
        GatewayMeter.CaptureReceived("replayed");
        return (new CaptureAnswer(answer.PublicId, answer.Status, answer.Body, true, answer.CreatedAt), null);
    }

    private async Task<(string? Mapping, long? RunId)> ReadByAsync(Guid captureId, Actor actor, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor, ct);
        return await work.Connection.QuerySingleAsync<(string?, long?)>("select mapping, run_id from capture where public_id = @captureId", new { captureId }, work.Transaction);
    }

    private Findings? Inflated(ReceivedBody body)
    {
        if (body.IsGzip)
        {
            using var stream = body.Decoded(_options);
            (stream as InflatingStream)?.Finish(isBroken: false);
        }
        return null;
    }

    /// <returns>Null when the document can be read; else what stands in the way.</returns>
    private Findings? ReadThrough(ReceivedBody body)
    {
        using var stream = body.Decoded(_options);
        using var reader = DocumentReading.OpenUnvalidated(stream, _options);
        while (reader.Read())
        {
        }
        (stream as InflatingStream)?.Finish(reader.IsBroken);
        return reader.IsBroken ? reader.Findings : null;
    }

    /// <returns>Null when the same bytes are stored already.</returns>
    private async Task<CaptureAnswer?> StoreAsync(ReceivedBody body, string? key, string errorBehaviour, Actor actor, Findings? broken, AcceptedMapping? mapped, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor, ct);
        var publicId = Guid.NewGuid();
        var now = await work.Connection.ExecuteScalarAsync<DateTime>("set local lock_timeout = '5s'; select gateway_now()", transaction: work.Transaction);
        var (status, answer) = broken is null
            ? (202, CaptureJob.FirstAnswer(publicId, now, errorBehaviour))
            : (400, JsonSerializer.Serialize(Problems.Unreadable(broken.All, publicId.ToString()).ProblemDetails, CaptureJob.Json));
        if (await CaptureRecords.InsertAsync(work, new NewCapture(publicId, actor.PartyId!.Value, actor.Id, body.Sha256, body.Length, body.MediaType, body.IsGzip ? "gzip" : null, key, errorBehaviour, now, status, answer)
        {
            Scope = actor.Scope,
            Mapping = mapped?.Mapping,
            Method = mapped?.Method,
            RunId = mapped?.RunId,
            State = broken is null ? "processing" : "refused",
            FinishedAt = broken is null ? null : now,
            Form = broken is null ? null : DocumentReading.NameOf(DocumentForm.Unknown),
        }, body.Raw(), ct) is not var (captureId, documentId))
        {
            return null;
        }
        if (broken is not null)
        {
            await CaptureRecords.StoreFindingsAsync(work, captureId, actor.PartyId!.Value, broken);
            await CaptureExceptions.OpenAsync(work, new ExceptionSource("capture", publicId.ToString(), actor.PartyId!.Value, documentId), cause: null, broken, lot: null);
            await CaptureRecords.AuditAsync(work, "refuse", publicId, new { sha256 = Convert.ToHexStringLower(body.Sha256), length = body.Length, findings = broken.All.Count });
        }
        await work.CommitAsync();
        GatewayMeter.CaptureReceived(broken is null ? "accepted" : "refused");
        if (broken is null)
        {
            Accepted(publicId, body.Length);
        }
        else
        {
            Unreadable(publicId, body.Length);
        }
        return new CaptureAnswer(publicId, status, answer, false, now);
    }

    [LoggerMessage(1007, LogLevel.Warning, "A document of {Length} bytes could not be read at once; it is taken in and read later.")]
    private partial void NotRead(Exception exception, long length);

    [LoggerMessage(1001, LogLevel.Information, "Capture {CaptureId} accepted: {Length} bytes.")]
    private partial void Accepted(Guid captureId, long length);

    [LoggerMessage(1002, LogLevel.Warning, "Capture {CaptureId} refused: its {Length} bytes are kept but cannot be read.")]
    private partial void Unreadable(Guid captureId, long length);

    [LoggerMessage(1003, LogLevel.Information, "Capture {CaptureId} sent again: the first answer is repeated.")]
    private partial void Replayed(Guid captureId);
}
