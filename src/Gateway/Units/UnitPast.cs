using System.Data;
using System.Globalization;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.MasterData;

namespace Gateway.Units;

/// <summary>Why a past moment of a unit is not told.</summary>
public enum PastGap
{
    /// <summary>The moment has not come.</summary>
    Future,

    /// <summary>Nothing had happened to the unit yet, as far as is known today.</summary>
    NotYet,

    /// <summary>Events that it rests on are in the archive.</summary>
    Archived,

    /// <summary>It met so many units that their events are more than is read at once.</summary>
    TooMuch,
}

/// <param name="Sentence">For a person.</param>
public sealed record PastRefusal(PastGap Gap, string Sentence);

/// <summary>A unit at a past moment: either its facts, or why they are not told.</summary>
public sealed class UnitThen
{
    private readonly IReadOnlyList<(Unit Unit, int Depth)> _inside;
    private readonly MasterDataSnapshot _known;

    internal UnitThen(PastRefusal refusal) => (Refusal, _inside, _known) = (refusal, [], MasterDataSnapshot.Nothing);

    /// <param name="inside">What is in it with the depth of each, container by container.</param>
    internal UnitThen(UnitFacts facts, IReadOnlyList<(Unit Unit, int Depth)> inside, MasterDataSnapshot known) => (Facts, _inside, _known) = (facts, inside, known);

    /// <summary>Null when they are not told.</summary>
    public UnitFacts? Facts { get; }

    /// <summary>Null when they are.</summary>
    public PastRefusal? Refusal { get; }

    /// <summary>What was in it at any depth; of what held nothing, nothing.</summary>
    /// <param name="after"><see cref="UnitContents.Next"/> of the page before, which <see cref="UnitPast.IsPlace"/>; null for the first.</param>
    public UnitContents Contents(string? after, int limit)
    {
        var from = after is null ? 0 : UnitPast.PlaceOf(after)!.Value;
        var page = _inside.Skip(from).Take(limit).Select(u => new ContainedUnit(
            u.Unit.Epc, UnitLevels.WordOf(u.Unit.Key, u.Unit.Level, _known), u.Unit.Parent!.Epc, u.Depth, Facts!.State, u.Unit.Lot, u.Unit.Children, u.Unit.Holds)).ToList();
        return new UnitContents(Facts!.Epc, _inside.Count, page, from + page.Count < _inside.Count ? string.Create(CultureInfo.InvariantCulture, $"p{from + page.Count}") : null);
    }
}

/// <summary>
/// How a unit stood at a past moment, as is known today: the events until then, by event time, of it and of all that it met are
/// replayed. What was corrected since counts as corrected, and what was told late counts as told. A party's replay has the events
/// that row security shows it, which are its own: it tells what these alone make of the unit. What others did with the unit is not
/// in it, though the unit's present state knows of it, and neither is an event that another party told first.
/// </summary>
public sealed class UnitPast(GatewayDatabase database, UnitLedgers ledgers, UnitQueries units, KnownMasterData masterData) : IDisposable
{
    /// <summary>
    /// So many characters of events are read for one moment. A pallet of ten thousand packs has about one million; where everything met
    /// everything, as in a store that packs anew what it received, a replay could be that of the whole ledger.
    /// </summary>
    public long MaxText { get; init; } = 8_000_000;

    // Each takes up to 200 MB for some seconds.
    private const int AtOnce = 2;

    private static readonly Actor Gateway = Actor.System("units");
    private static readonly string[] s_forms = ["yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];

    private readonly SemaphoreSlim _turns = new(AtOnce);

    /// <summary>Reads a moment as people and programs write it: RFC 3339, with Z or an offset.</summary>
    /// <param name="isUtc">One without either is meant in UTC.</param>
    /// <param name="wrong">A sentence when it cannot be read.</param>
    public static DateTimeOffset? ReadMoment(string text, out string? wrong, bool isUtc = false)
    {
        wrong = null;
        if (DateTime.TryParseExact(text, s_forms, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var local) && (isUtc || local.Kind != DateTimeKind.Unspecified)
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment))
        {
            return moment.ToUniversalTime();
        }
        wrong = $"A moment is written such as 2026-01-31T12:00:00Z{(isUtc ? "" : ", with Z or an offset such as +01:00")}.";
        return null;
    }

    /// <summary>Whether a text can be a <see cref="UnitContents.Next"/> of a past moment.</summary>
    public static bool IsPlace(string text) => PlaceOf(text) is not null;

    // A count of units, with a letter that tells it from a place of the present.
    internal static int? PlaceOf(string text) => text.StartsWith('p') && int.TryParse(text.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var place) ? place : null;

    /// <param name="key">See <see cref="UnitKey"/>.</param>
    /// <returns>Null when there is no such unit, or it is another party's, as <see cref="UnitQueries.FindAsync"/> has it.</returns>
    public async Task<UnitThen?> FindAsync(Actor reader, string key, DateTimeOffset at, CancellationToken ct)
    {
        if (await units.FindAsync(reader, key, ct) is not { } now)
        {
            return null;
        }
        if (await WhyNotAsync(now, at, ct) is { } refusal)
        {
            return new UnitThen(refusal);
        }
        await _turns.WaitAsync(ct);
        try
        {
            return await ReplayAsync(reader, now, at, ct);
        }
        finally
        {
            _turns.Release();
        }
    }

    public void Dispose() => _turns.Dispose();

    /// <summary>Why a moment of a unit cannot be told, as far as its own row says; null when nothing stands against it.</summary>
    public async Task<PastRefusal?> WhyNotAsync(UnitFacts now, DateTimeOffset at, CancellationToken ct)
    {
        // Row security tells a party as little of an archived event as of another's, so the gateway looks itself.
        await using var work = await database.BeginAsync(Gateway, ct);
        var (today, isArchived) = await work.Connection.QuerySingleAsync<(DateTime, bool)>(new CommandDefinition("""
            select gateway_now(), exists (select from unit u where u.head = @head and u.hash = @hash and u.key = @Key and not exists (select from event e where e.event_id = u.first_event))
            """, new { now.Key, head = UnitKey.Head(now.Key), hash = UnitKey.Hash(now.Key) }, work.Transaction, cancellationToken: ct));
        return at.UtcDateTime > today ? new PastRefusal(PastGap.Future, $"{Exact(at)} has not come yet.")
            : isArchived ? Archived(now.Epc)
            : now.First.Time is { } first && at.UtcDateTime < first ? NotYet(now.Epc, at, first)
            : null;
    }

    private async Task<UnitThen> ReplayAsync(Actor reader, UnitFacts now, DateTimeOffset at, CancellationToken ct)
    {
        var known = await masterData.ReadAsync(ct);
        UnitThen then;
        long[] missing;
        // One snapshot: captures go on meanwhile and are not seen.
        await using (var work = await database.BeginAsync(reader, ct, IsolationLevel.RepeatableRead))
        {
            var stored = new StoredEvents(work) { Until = at, MaxText = MaxText };
            await stored.AddAsync([now.Key], ct);
            if (stored.IsTooMuch)
            {
                return new UnitThen(new PastRefusal(PastGap.TooMuch, string.Create(CultureInfo.InvariantCulture, $"Until {Exact(at)} {now.Epc} met so many units that their events have more than {MaxText:N0} characters; so much is not replayed for one answer.")));
            }
            var specifications = await ledgers.SpecificationsAsync(ct, await MasterDataRecords.LastVersionAsync(work, ct));
            var rows = await new UnitRows(work, new UnitReferences(work)).ReadAsync(stored.Keys, ct);
            missing = [.. rows.Select(r => r.FirstEvent).Where(e => !stored.Has(e)).Distinct()];
            if (Book(at).OfKey(now.Key) is { } unit)
            {
                var names = await NamesAsync(work, [unit.FirstEvent!.Value, unit.Last.Number], ct);
                then = new UnitThen(UnitFacts.Of(unit, known, names[unit.FirstEvent.Value], names[unit.Last.Number]), Inside(unit, rows.ToDictionary(r => r.Key, r => r.Id)), known);
            }
            else
            {
                var first = Book(null).OfKey(now.Key) is { FirstEvent: { } number } ? (await NamesAsync(work, [number], ct))[number].Time : null;
                then = new UnitThen(NotYet(now.Epc, at, first));
            }

            UnitBook Book(DateTimeOffset? until) => UnitBook.Replay(stored.All, only: stored.Keys, until: until, specificationOf: specifications.Find).Book;
        }
        return missing.Length > 0 && await AreArchivedAsync(missing, ct) ? new UnitThen(Archived(now.Epc)) : then;
    }

    /// <summary>Each container followed by what is in it, in the order in which documents named them, as in the present.</summary>
    private static List<(Unit Unit, int Depth)> Inside(Unit container, Dictionary<string, long> places)
    {
        var inside = new List<(Unit Unit, int Depth)>();
        // Not by recursion: who packs logistic units into each other without end would end the process.
        var next = new Stack<(Unit Unit, int Depth)>([(container, 0)]);
        while (next.TryPop(out var here))
        {
            if (here.Depth > 0)
            {
                inside.Add(here);
            }
            if (here.Unit.Children > 0 && here.Depth < UnitQueries.MaxHeight)
            {
                foreach (var child in here.Unit.Contents.OrderByDescending(c => places.GetValueOrDefault(c.Key, long.MaxValue)).ThenByDescending(c => c.Key, StringComparer.Ordinal))
                {
                    next.Push((child, here.Depth + 1));
                }
            }
        }
        return inside;
    }

    private static async Task<Dictionary<long, UnitEventName>> NamesAsync(Work work, long[] events, CancellationToken ct) =>
        (await work.Connection.QueryAsync<(long Number, string? Uri, DateTime Time, Guid Capture)>(new CommandDefinition("""
            select e.event_id, e.event_uri, e.event_time, c.public_id from event e join capture c on c.capture_id = e.event_id >> 20 where e.event_id = any(@events)
            """, new { events }, work.Transaction, cancellationToken: ct))).ToDictionary(e => e.Number, e => new UnitEventName(e.Uri, e.Time, e.Capture));

    private async Task<bool> AreArchivedAsync(long[] events, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Gateway, ct);
        return await work.Connection.ExecuteScalarAsync<bool>(new CommandDefinition("""
            select exists (select from unnest(@events) n where not exists (select from event where event_id = n))
            """, new { events }, work.Transaction, cancellationToken: ct));
    }

    private static PastRefusal Archived(string epc) => new(PastGap.Archived, $"Events that a past moment of {epc} rests on are in the archive; only its present state is known here.");

    private static PastRefusal NotYet(string epc, DateTimeOffset at, DateTime? first) => new(PastGap.NotYet,
        first is { } since ? $"Nothing is known of {epc} at {Exact(at)}: it is known since {Exact(since)}." : $"Nothing that you may see had happened to {epc} until {Exact(at)}.");

    private static string Exact(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.FFFFFF 'UTC'", CultureInfo.InvariantCulture);
}
