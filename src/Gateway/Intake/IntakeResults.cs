using System.IO.Compression;
using Dapper;
using Gateway.Access;
using Gateway.Capture;
using Gateway.Database;
using Gateway.Http;
using Gateway.Units;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Gateway.Intake;

/// <summary>How a unit would differ after a file.</summary>
/// <param name="From">Its state before; null when nothing is known of it.</param>
/// <param name="To">Its state after.</param>
/// <param name="ParentFrom">Its container before.</param>
/// <param name="ParentTo">Its container after.</param>
public sealed record UnitDifference(string Epc, string? From, string? To, string? ParentFrom, string? ParentTo);

/// <summary>A dry run against what is known.</summary>
/// <param name="Unchanged">Units of which the file says nothing new.</param>
/// <param name="Difference">The units that would differ; the first of them where there are many.</param>
/// <param name="Changed">How many would differ.</param>
public sealed record IntakeTrial(IntakeResult Result, int Changed, int Unchanged, IReadOnlyList<UnitDifference> Difference);

/// <summary>What files came to, made from their stored bytes and the events that the ledger has of the same units.</summary>
public sealed class IntakeResults
{
    /// <summary>Differences that are listed.</summary>
    public const int MaxDifferences = 1_000;

    // As a replay of the past: about a gigabyte of memory for a moment.
    private const long MaxText = 200_000_000;
    private static readonly Actor Gateway = Actor.System("intake");
    private readonly GatewayDatabase _database;
    private readonly Mappings _mappings;
    private readonly TakeIn _takeIn;
    private readonly UnitLedgers _ledgers;
    private readonly SemaphoreSlim _turns = new(2, 2);

    public IntakeResults(GatewayDatabase database, Mappings mappings, TakeIn takeIn, UnitLedgers ledgers) => (_database, _mappings, _takeIn, _ledgers) = (database, mappings, takeIn, ledgers);

    private sealed record Taken(long CaptureId, long DocumentId, int PartyId, string Mapping, string State, string? ContentEncoding, DateTime ReceivedAt, byte[] Sha256, long? RunId);

    /// <summary>The result of a file that was taken in, as things stood when it had been applied.</summary>
    /// <returns>Null when there is none, or it is another party's, or it is EPCIS itself; a sentence when there is no result to tell.</returns>
    public async Task<(IntakeResult? Result, string? Refusal)?> OfAsync(Actor reader, Guid captureId, CancellationToken ct)
    {
        Taken? taken;
        await using (var work = await _database.BeginAsync(reader, ct))
        {
            taken = await work.Connection.QuerySingleOrDefaultAsync<Taken>(new CommandDefinition("""
                select c.capture_id as CaptureId, c.document_id as DocumentId, c.party_id as PartyId, c.mapping, c.state, d.content_encoding as ContentEncoding, d.received_at as ReceivedAt, d.sha256, c.run_id as RunId
                from capture c join document d using (document_id) where c.public_id = @captureId and c.mapping is not null
                """, new { captureId }, work.Transaction, cancellationToken: ct));
        }
        if (taken is null)
        {
            return null;
        }
        if (taken.State is "processing" or "failed")
        {
            return (null, taken.State == "failed" ? "Processing ended without a result: see the capture." : "The file is not processed yet.");
        }
        var mapping = await _mappings.OfAsync(taken.Mapping, ct);
        var context = await _takeIn.ContextAsync(new MappedDocument(taken.Mapping, taken.PartyId, taken.ReceivedAt, taken.Sha256, taken.RunId), ct);
        await using var bytes = new ChunkStream(_database, reader, taken.DocumentId);
        await using Stream file = taken.ContentEncoding is null ? bytes : new GZipStream(bytes, CompressionMode.Decompress);
        await _turns.WaitAsync(ct);
        try
        {
            using var read = new IntakeReader(file, mapping, context);
            var events = await Task.Run(() => Read(read, taken), ct);
            var end = (taken.CaptureId + 1) << 20;
            var (before, refusal) = await KnownAsync(taken.PartyId, events, number => number < end, ct);
            if (refusal is not null)
            {
                return (null, refusal);
            }
            var own = events.Select(e => e.Number).ToHashSet();
            var specifications = await _ledgers.SpecificationsAsync(ct);
            var standing = UnitBook.Standing(events.Concat(before.Where(e => !own.Contains(e.Number)))).ToList();
            return (new IntakeReplay(read, mapping, captureId.ToString(), context.ReceivedAt).Run(standing, own.Contains, new UnitBook(specifications.Find)), null);
        }
        finally
        {
            _turns.Release();
        }
    }

    /// <summary>What a file would come to, and which units it would change. Nothing is stored.</summary>
    internal async Task<(IntakeTrial? Trial, string? Refusal)> TryAsync(Mapping mapping, ReceivedBody body, string name, int partyId, DateTimeOffset now, CaptureOptions options, CancellationToken ct)
    {
        var context = await _takeIn.ContextAsync(new MappedDocument(mapping.Id, partyId, now.UtcDateTime, body.Sha256, null), ct);
        await using var file = body.Decoded(options);
        await _turns.WaitAsync(ct);
        try
        {
            using var read = new IntakeReader(file, mapping, context);
            // What comes next is numbered after all there is.
            var events = await Task.Run(() => Read(read, new Taken(long.MaxValue >> 21, 0, partyId, mapping.Id, "", null, now.UtcDateTime, body.Sha256, null)), ct);
            var (known, refusal) = await KnownAsync(partyId, events, _ => true, ct);
            if (refusal is not null)
            {
                return (null, refusal);
            }
            var specifications = await _ledgers.SpecificationsAsync(ct);
            var standing = UnitBook.Standing(known).ToList();
            var before = UnitBook.Replay(standing, specificationOf: specifications.Find).Book;
            var after = new UnitBook(specifications.Find);
            var own = events.Select(e => e.Number).ToHashSet();
            var result = new IntakeReplay(read, mapping, name, now).Run([.. UnitBook.Standing(known.Concat(events))], own.Contains, after);
            var touched = events.SelectMany(e => e.Event.Epcs).Select(e => UnitKey.Of(e.Epc)).OfType<string>().Distinct(StringComparer.Ordinal).ToList();
            var differences = touched.Where(key => after.OfKey(key) is not null).Select(key => Difference(before.OfKey(key), after.OfKey(key)!)).Where(d => d.From != d.To || d.ParentFrom != d.ParentTo).ToList();
            return (new IntakeTrial(result, differences.Count, touched.Count - differences.Count, [.. differences.Take(MaxDifferences)]), null);
        }
        finally
        {
            _turns.Release();
        }
    }

    /// <summary>Tries the files of a form that a person sent: what each would come to.</summary>
    public async Task<(IReadOnlyList<(UploadedFile File, IntakeTrial? Trial)> Files, ProblemHttpResult? Problem)> TryAsync(
        HttpContext context, UploadFiles upload, string name, TimeProvider clock, CaptureOptions options, CancellationToken ct)
    {
        var (mapping, errors) = await _mappings.DraftAsync(name, ct);
        var tried = new Dictionary<string, IntakeTrial?>(StringComparer.Ordinal);
        var (files, problem) = await upload.EachAsync(context, async (file, body) =>
        {
            var (trial, refusal) = mapping is null
                ? (null, errors.Count == 0 ? "There is no such mapping." : $"The file of the mapping cannot be used: {string.Join(" ", errors.Take(5))}")
                : await TryAsync(mapping, body, file, context.Actor().PartyId!.Value, clock.GetUtcNow(), options, ct);
            tried[file] = trial;
            return new UploadedFile(file, trial is null ? Problems.Invalid(refusal!, "GW-INT-02").ProblemDetails : null);
        }, ofAnyType: true, ct);
        return ([.. files.Select(f => (f, tried.GetValueOrDefault(f.Name)))], problem);
    }

    private static UnitDifference Difference(Unit? before, Unit after) =>
        new(after.Epc, before is null ? null : Lifecycle.Word(before.Top.State), Lifecycle.Word(after.Top.State), before?.Parent?.Epc, after.Parent?.Epc);

    private static List<LedgerEvent> Read(IntakeReader reader, Taken taken)
    {
        var events = new List<LedgerEvent>();
        while (reader.Read())
        {
            events.Add(new LedgerEvent(reader.Current, (taken.CaptureId << 20) + reader.Current.Index) { PartyId = taken.PartyId, RecordedAt = taken.ReceivedAt });
        }
        return events;
    }

    private async Task<(IReadOnlyList<LedgerEvent> Events, string? Refusal)> KnownAsync(int partyId, List<LedgerEvent> events, Func<long, bool> counts, CancellationToken ct)
    {
        var keys = events.SelectMany(e => e.Event.Epcs).Select(e => UnitKey.Of(e.Epc)).OfType<string>().ToHashSet(StringComparer.Ordinal);
        if (keys.Count == 0)
        {
            return ([], null);
        }
        // A party is told of its own events; only the ledger knows of others'.
        await using var work = await _database.BeginAsync(Gateway with { Sees = partyId.ToString(System.Globalization.CultureInfo.InvariantCulture) }, ct);
        var stored = new StoredEvents(work) { MaxText = MaxText };
        await stored.AddAsync(keys, ct);
        return stored.IsTooMuch
            ? ([], "The units of the file met so many others that this is not told in one answer. The capture has its findings.")
            : ([.. stored.All.Where(e => counts(e.Number))], null);
    }
}
