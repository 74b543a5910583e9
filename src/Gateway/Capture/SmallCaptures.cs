using System.Diagnostics;
using Dapper;
using Epcis;
using Gateway.Access;
using Gateway.Database;
using Gateway.Http;
using Gateway.Telemetry;
using Gateway.Units;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gateway.Capture;

/// <summary>A small document that was read whole, on its way to be stored and decided.</summary>
/// <param name="capture">Without time and answer: both are of the transaction.</param>
/// <param name="sees">The rows its sender may touch.</param>
internal sealed class SmallCapture(NewCapture capture, byte[] bytes, ParsedDocument document, string sees)
{
    public NewCapture Capture { get; private set; } = capture;
    public byte[] Bytes { get; } = bytes;
    public ParsedDocument Document { get; } = document;
    public string Sees { get; } = sees;

    /// <summary>What names the document, if it says so.</summary>
    public byte[]? Identity { get; } = DocumentIdentity.Of(document.Reader.Header)?.Key;

    /// <summary>The answer; null when the document is to be taken in alone.</summary>
    public TaskCompletionSource<CaptureAnswer?> Outcome { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void AnswerAt(DateTime now) => Capture = Capture with { Now = now, Answer = CaptureJob.LastAnswer(Capture.PublicId, now, Capture.ErrorBehaviour, Document) };
}

/// <summary>
/// Stores and decides small documents in one transaction: those that come while one is under way share the next, so a commit is
/// paid once for many. Nobody is answered before it is confirmed. Whatever is out of the ordinary with one of them rolls all
/// back, and each is taken in alone.
/// </summary>
internal sealed partial class SmallCaptures
{
    private const int MaxTogether = 64;
    private const int MaxBytesTogether = 1 << 20;
    private static readonly Actor Gateway = Actor.System("capture");
    private readonly GatewayDatabase _database;
    private readonly CaptureDecision _decision;
    private readonly ILogger<SmallCaptures> _log;
    private readonly Gathering<SmallCapture> _gathering;

    public SmallCaptures(GatewayDatabase database, CaptureRouting routing, CaptureRules rules, UnitLedgers ledgers, IOptions<CaptureOptions> options, ILogger<SmallCaptures> log)
    {
        (_database, _decision, _log) = (database, new CaptureDecision(routing, rules, ledgers, options.Value), log);
        _gathering = new Gathering<SmallCapture>(options.Value.TransactionsAtOnce, Choose, AnswerAsync);
    }

    /// <exception cref="CommitUnknownException">The commit was not confirmed; the caller must not be told of success.</exception>
    /// <returns>The answer; null when the document is to be taken in alone: nothing of it is stored, or the same was stored before.</returns>
    public Task<CaptureAnswer?> DecideAsync(SmallCapture capture)
    {
        _gathering.Add(capture);
        return capture.Outcome.Task;
    }

    private async Task AnswerAsync(List<SmallCapture> together)
    {
        try
        {
            var answers = await StoreAsync(together);
            together.ForEach(c => c.Outcome.SetResult(answers.GetValueOrDefault(c.Capture.PublicId)));
        }
        catch (CommitUnknownException e)
        {
            together.ForEach(c => c.Outcome.SetException(e));
        }
        catch (Exception e)
        {
            TakenApart(e, together.Count);
            together.ForEach(c => c.Outcome.SetResult(null));
        }
    }

    /// <summary>Those of one party, so that row security holds for all, and no two that exclude each other.</summary>
    private static List<SmallCapture> Choose(IReadOnlyList<SmallCapture> waiting)
    {
        var chosen = new List<SmallCapture>();
        var bytes = 0;
        foreach (var next in waiting)
        {
            if (chosen.Count == 0 || chosen.Count < MaxTogether && bytes + next.Bytes.Length <= MaxBytesTogether && chosen.TrueForAll(c => MayShare(c, next)))
            {
                chosen.Add(next);
                bytes += next.Bytes.Length;
            }
        }
        return chosen;
    }

    private static bool MayShare(SmallCapture one, SmallCapture other) =>
        one.Capture.PartyId == other.Capture.PartyId && one.Sees == other.Sees && !one.Capture.Sha256.AsSpan().SequenceEqual(other.Capture.Sha256)
        && (one.Capture.Key is null || one.Capture.Key != other.Capture.Key)
        && (one.Identity is null || other.Identity is null || !one.Identity.AsSpan().SequenceEqual(other.Identity));

    private async Task<Dictionary<Guid, CaptureAnswer>> StoreAsync(List<SmallCapture> together)
    {
        var started = Stopwatch.GetTimestamp();
        // The documents are stored with the sender's rights, and decided with the gateway's own, as elsewhere.
        await using var work = await _database.BeginAsync(Gateway with { Sees = together[0].Sees }, CancellationToken.None);
        // Plans do not depend on how many share the transaction, so none is made anew for each.
        var (now, used, named) = await work.Connection.QuerySingleAsync<(DateTime, string[], byte[][])>("""
            set local lock_timeout = '1s'; set local plan_cache_mode = force_generic_plan;
            select gateway_now(), array(select key from idempotency where party_id = @party and key = any(@keys)), array(select identity from capture where party_id = @party and identity = any(@identities))
            """, new { party = together[0].Capture.PartyId, keys = together.Select(c => c.Capture.Key).OfType<string>().ToArray(), identities = together.Select(c => c.Identity).OfType<byte[]>().ToArray() }, work.Transaction);
        // What has another's key or name is refused by whoever takes it in alone.
        var captures = together.Where(c => !used.Contains(c.Capture.Key) && !named.Any(n => n.AsSpan().SequenceEqual(c.Identity))).ToDictionary(c => c.Capture.PublicId);
        foreach (var capture in captures.Values)
        {
            capture.AnswerAt(now);
        }
        var stored = captures.Count == 0 ? [] : await CaptureRecords.InsertAsync(work, [.. captures.Values.Select(c => (c.Capture, c.Bytes))]);
        if (stored.Count == 0)
        {
            return [];
        }
        await work.ActAsAsync(Gateway);
        var all = stored.Select(s => (Capture: captures[s.PublicId], s.CaptureId, s.DocumentId, Span: SpanOf(captures[s.PublicId].Capture))).ToList();
        try
        {
            var events = await _decision.DecideAsync(work, [.. all.Select(c => (
                CaptureLease.Of(c.Capture.Capture, c.CaptureId, c.DocumentId) with { TraceParent = c.Span?.Id }, c.Capture.Document))], now, CancellationToken.None);
            await work.CommitAsync();
            foreach (var (c, count) in all.Zip(events))
            {
                Tell(c.Capture, count, Stopwatch.GetElapsedTime(started));
            }
        }
        finally
        {
            all.ForEach(c => c.Span?.Dispose());
        }
        return all.ToDictionary(c => c.Capture.Capture.PublicId, c => new CaptureAnswer(c.Capture.Capture.PublicId, c.Capture.Capture.Status, c.Capture.Capture.Answer, false, now));
    }

    private static Activity? SpanOf(NewCapture capture) => GatewayTrace.Continue("process capture", capture.TraceParent)?.SetTag("gateway.capture.id", capture.PublicId.ToString());

    private void Tell(SmallCapture c, int events, TimeSpan took)
    {
        GatewayMeter.CaptureReceived("accepted");
        GatewayMeter.CaptureProcessed(c.Document.IsRefused ? "refused" : "accepted", events);
        GatewayMeter.CaptureTook(took);
        if (c.Document.IsRefused)
        {
            Refused(c.Capture.PublicId, c.Capture.Length, c.Document.Reader.Findings.ErrorCount);
        }
        else
        {
            Captured(c.Capture.PublicId, c.Capture.Length, events, c.Document.Reader.Findings.All.Count);
        }
    }

    [LoggerMessage(1004, LogLevel.Information, "Capture {CaptureId} accepted and stored: {Length} bytes, {Events} events, {Findings} findings.")]
    private partial void Captured(Guid captureId, long length, int events, int findings);

    [LoggerMessage(1005, LogLevel.Warning, "Capture {CaptureId} of {Length} bytes refused with {Errors} errors; no event is stored.")]
    private partial void Refused(Guid captureId, long length, int errors);

    [LoggerMessage(1006, LogLevel.Warning, "{Captures} captures could not be stored together; each is taken in alone.")]
    private partial void TakenApart(Exception exception, int captures);
}
