using System.Diagnostics;
using System.IO.Compression;
using Dapper;
using Epcis;
using Epcis.Formats;
using Gateway.Access;
using Gateway.Database;
using Gateway.MasterData;
using Gateway.Telemetry;
using Gateway.Units;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Capture;

/// <summary>
/// One turn of processing: claims an accepted document, reads it from its stored bytes and decides it in one transaction,
/// so a crash anywhere leaves either nothing or everything.
/// </summary>
public sealed partial class ProcessCapture(GatewayDatabase database, CaptureRouting routing, CaptureRules rules, KnownMasterData masterData, UnitLedgers ledgers, MappedDocuments mapped, IOptions<CaptureOptions> options, ILogger<ProcessCapture> log)
{
    private static readonly Actor Gateway = Actor.System("capture");
    private readonly CaptureDecision _decision = new(routing, rules, ledgers, options.Value);
    private readonly CaptureOptions _options = options.Value;

    /// <returns>False when nothing is open.</returns>
    public async Task<bool> RunAsync(CancellationToken ct)
    {
        if (await CaptureLease.ClaimAsync(database, Gateway, _options.Lease, ct) is not { } lease)
        {
            return false;
        }
        using var activity = GatewayTrace.Continue("process capture", lease.TraceParent);
        activity?.SetTag("gateway.capture.id", lease.PublicId.ToString());
        lease = lease with { TraceParent = GatewayTrace.Context };
        var started = Stopwatch.GetTimestamp();
        using var working = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var beat = lease.BeatAsync(database, Gateway, _options.Lease, working, e => NotRenewed(e, lease.PublicId));
        try
        {
            await (lease.Attempts > _options.MaxAttempts ? FailAsync(lease) : DecideCarefullyAsync(lease, working.Token));
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            await lease.ReleaseAsync(database, Gateway, uncount: true);
            throw;
        }
        catch (Exception e) when (e is LeaseLostException or OperationCanceledException)
        {
            LeaseLost(lease.PublicId);
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure || AreUnitsStored(e) || DocumentIdentity.IsTaken(e))
        {
            await lease.ReleaseAsync(database, Gateway, uncount: true);
        }
        catch (Exception e) when (DatabaseFault.IsOutage(e))
        {
            Interrupted(e, lease.PublicId);
            await GiveBackAsync(lease, ct);
            throw; // the worker waits before its next turn
        }
        catch (Exception e)
        {
            TurnFailed(e, lease.PublicId, lease.Attempts);
            activity?.SetStatus(ActivityStatusCode.Error);
            await lease.ReleaseAsync(database, Gateway, uncount: false);
        }
        finally
        {
            await working.CancelAsync();
            await beat;
            GatewayMeter.CaptureTook(Stopwatch.GetElapsedTime(started));
        }
        return true;
    }

    /// <summary>
    /// Attempts are for documents that end every turn, so one that the database interrupted is not counted: three full disks
    /// or restarts must not set a sound document aside. When the lease has run out, another claim has counted already.
    /// </summary>
    private async Task GiveBackAsync(CaptureLease lease, CancellationToken ct)
    {
        using var held = CancellationTokenSource.CreateLinkedTokenSource(ct);
        held.CancelAfter(_options.Lease);
        while (!held.IsCancellationRequested)
        {
            try
            {
                await lease.ReleaseAsync(database, Gateway, uncount: true);
                return;
            }
            catch (Exception e) when (DatabaseFault.IsOutage(e))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(500), held.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Takes the units of a large document for new; where some are not, the document is processed again, and each is looked up.</summary>
    private async Task DecideCarefullyAsync(CaptureLease lease, CancellationToken ct)
    {
        try
        {
            await DecideAsync(lease, isCareful: false, ct);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.DeadlockDetected || AreUnitsStored(e))
        {
            await DecideAsync(lease, isCareful: true, ct);
        }
    }

    private static bool AreUnitsStored(PostgresException e) => e is { SqlState: PostgresErrorCodes.UniqueViolation, ConstraintName: UnitLedger.OneRow };

    // A hundred thousand units that are commissioned, packed and shipped have less; and gzip takes an eighth or more of it.
    private static bool IsHuge(CaptureLease lease) => lease.Length > (lease.ContentEncoding is null ? 16 << 20 : 2 << 20);

    private async Task DecideAsync(CaptureLease lease, bool isCareful, CancellationToken ct)
    {
        // Ends the parser whatever happens here: it would wait for room in the channel for ever.
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(ct);
        await using var bytes = new ChunkStream(database, Gateway, lease.DocumentId);
        await using Stream document = lease.ContentEncoding is null ? bytes : new GZipStream(bytes, CompressionMode.Decompress);
        var open = lease.Mapped is { } mapping ? await mapped.OpenerAsync(mapping, ct) : stream => DocumentReading.Open(stream, _options);
        using var reader = await Task.Run(() => open(document), ct);
        var proceed = lease.ErrorBehaviour == "proceed";
        var terms = new CaptureTerms();
        var scope = ScopeCheck.Of(lease.Scope);
        var chunks = ParsedEvents.Start(reader, lease.Mapping is null ? rules : null, proceed, terms, await masterData.ReadAsync(ct), scope, reading.Token, out var parsing);
        // The parser adds to the reader's findings on its own thread, so what storing finds is kept apart until it has ended.
        var repeats = new Findings();
        var work = await database.BeginAsync(Gateway, ct);
        try
        {
            if (isCareful)
            {
                await UnitLedgers.WaitForTurnAsync(work, ct);
            }
            // Between two chunks the transaction waits for the parser, which may read long over events that are not stored.
            var recordTime = await work.Connection.ExecuteScalarAsync<DateTime>("set local idle_in_transaction_session_timeout = '10min'; select gateway_now()", transaction: work.Transaction);
            using var store = new EventStore(work, lease, recordTime, await ledgers.OpenAsync(work, lease.PartyId, lease.CaptureId, isCareful, IsHuge(lease), ct), routing.Numbers, _options.LateAfter);
            var refused = false;
            await foreach (var chunk in chunks.ReadAllAsync(ct))
            {
                refused |= chunk.IsRefused;
                if (refused)
                {
                    // Nothing of the document is to stay; reading goes on for all its findings, holding no transaction.
                    await work.DisposeAsync();
                    continue;
                }
                await store.StoreAsync(chunk.Events, repeats, ct);
            }
            await parsing;
            refused |= reader.IsBroken;
            var earlier = refused ? null : await EarlierAsync(work, lease, DocumentIdentity.Of(reader.Header), ct);
            if (earlier is { IsSame: true })
            {
                await work.DisposeAsync();
                await AcceptAgainAsync(lease, reader, terms, earlier, ct);
                return;
            }
            foreach (var repeat in repeats.All)
            {
                reader.Findings.Add(repeat);
            }
            if (refused || earlier is not null || reader.Findings.HasErrors && store.Count == 0)
            {
                await work.DisposeAsync();
                await RefuseAsync(new DecidedDocument(lease, reader, terms, null) { Cause = scope?.First }, ct);
                return;
            }
            await AcceptAsync(work, new DecidedDocument(lease, reader, terms, store), ct);
        }
        finally
        {
            await reading.CancelAsync();
            await work.DisposeAsync();
            await parsing;
        }
    }

    private async Task<EarlierDocument?> EarlierAsync(Work work, CaptureLease lease, DocumentIdentity? identity, CancellationToken ct) =>
        identity is null ? null : await identity.EarlierAsync(database, Gateway, work, lease.PartyId, lease.Sha256, () => ChunkStream.ContentHashAsync(database, Gateway, lease.DocumentId, lease.Sha256, lease.ContentEncoding, ct), ct);

    // What it says is stored. An event that has no eventID would be stored a second time, and move units again, so nothing of it is.
    private async Task AcceptAgainAsync(CaptureLease lease, EpcisReader reader, CaptureTerms terms, EarlierDocument earlier, CancellationToken ct)
    {
        reader.Findings.Add(DocumentIdentity.SentAgain(earlier));
        await using var work = await database.BeginAsync(Gateway, ct);
        var recordTime = await work.Connection.ExecuteScalarAsync<DateTime>("select gateway_now()", transaction: work.Transaction);
        using var nothing = new EventStore(work, lease, recordTime, await ledgers.OpenAsync(work, lease.PartyId, lease.CaptureId, isCareful: true, isHuge: false, ct), routing.Numbers, _options.LateAfter);
        await AcceptAsync(work, new DecidedDocument(lease, reader, terms, nothing) { IsSentAgain = true }, ct);
    }

    private async Task AcceptAsync(Work work, DecidedDocument accepted, CancellationToken ct)
    {
        await _decision.EndAsync(work, [accepted], at: null, ct);
        ct.ThrowIfCancellationRequested();
        await work.CommitAsync();
        GatewayMeter.CaptureProcessed("accepted", accepted.Store!.Count);
        Captured(accepted.Lease.PublicId, accepted.Store.Count, accepted.Reader.Findings.All.Count);
    }

    private async Task RefuseAsync(DecidedDocument refused, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Gateway, ct);
        // Also of a document that is refused for something else: its sender is to mend all of it at once.
        if (await EarlierAsync(work, refused.Lease, refused.Identity, ct) is { IsSame: false } earlier)
        {
            var taken = refused.Identity!.Refused(earlier);
            refused.Reader.Findings.Add(taken);
            refused = refused with { Cause = refused.Cause ?? taken };
        }
        await _decision.EndAsync(work, [refused], at: null, ct);
        await work.CommitAsync();
        GatewayMeter.CaptureProcessed("refused", 0);
        Refused(refused.Lease.PublicId, refused.Reader.Findings.ErrorCount);
    }

    /// <summary>The document has ended every turn; its bytes stay, and a person decides.</summary>
    private async Task FailAsync(CaptureLease lease)
    {
        var findings = new Findings();
        findings.Add(new Finding("GW-CAP-11", Severity.Error, $"Processing ended without a result {_options.MaxAttempts} times; the document is kept, nothing of it is stored as events."));
        await using var work = await database.BeginAsync(Gateway, CancellationToken.None);
        await CaptureRecords.StoreFindingsAsync(work, lease.CaptureId, lease.PartyId, findings);
        await CaptureExceptions.OpenAsync(work, lease.Source, cause: null, findings, lot: null);
        await CaptureRecords.AuditAsync(work, "fail", lease.PublicId, new { sha256 = Convert.ToHexStringLower(lease.Sha256), lease.Length, lease.SubmittedBy });
        await lease.FinishAsync(work, "failed", null, 0, null);
        await work.CommitAsync();
        GatewayMeter.CaptureProcessed("failed", 0);
        Failed(lease.PublicId, _options.MaxAttempts);
    }

    [LoggerMessage(1010, LogLevel.Information, "Capture {CaptureId} stored: {Events} events, {Findings} findings.")]
    private partial void Captured(Guid captureId, int events, int findings);

    [LoggerMessage(1011, LogLevel.Warning, "Capture {CaptureId} refused with {Errors} errors; no event is stored.")]
    private partial void Refused(Guid captureId, int errors);

    [LoggerMessage(1012, LogLevel.Error, "Capture {CaptureId} failed after {Attempts} attempts; its bytes are kept.")]
    private partial void Failed(Guid captureId, int attempts);

    [LoggerMessage(1013, LogLevel.Warning, "Capture {CaptureId} was taken over by another node.")]
    private partial void LeaseLost(Guid captureId);

    [LoggerMessage(1016, LogLevel.Warning, "The lease of capture {CaptureId} could not be renewed; it is tried again.")]
    private partial void NotRenewed(Exception exception, Guid captureId);

    [LoggerMessage(1015, LogLevel.Warning, "Processing of capture {CaptureId} is interrupted by the database; the attempt is not counted.")]
    private partial void Interrupted(Exception exception, Guid captureId);

    [LoggerMessage(1014, LogLevel.Error, "Capture {CaptureId} could not be processed in attempt {Attempt}.")]
    private partial void TurnFailed(Exception exception, Guid captureId, int attempt);
}
