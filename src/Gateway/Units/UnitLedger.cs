using Dapper;
using Gateway.Database;
using Gateway.MasterData;

namespace Gateway.Units;

/// <summary>Opens the ledger for captures.</summary>
public sealed class UnitLedgers(KnownMasterData masterData)
{
    private const long Turn = 20300030;

    private (MasterDataSnapshot Of, PackSpecifications Specifications) _known = (MasterDataSnapshot.Nothing, PackSpecifications.Nothing);

    /// <summary>The ledger for the events of one capture, in its transaction.</summary>
    /// <param name="partyId">Whose capture it is.</param>
    /// <param name="isCareful">
    /// Looks each commissioned unit up. Otherwise the units of large documents are taken for new, as nearly all are, and the
    /// database says when they are not: a unique violation, after which the capture is processed again, carefully.
    /// </param>
    /// <param name="isHuge">More units are to be expected than can stay in memory, so fewer do.</param>
    public async ValueTask<UnitLedger> OpenAsync(Work work, int partyId, long captureId, bool isCareful, bool isHuge, CancellationToken ct) =>
        new(work, partyId, captureId, await SpecificationsAsync(ct, await MasterDataRecords.LastVersionAsync(work, ct)), isCareful, isHuge);

    /// <summary>
    /// Waits until no other capture that met others over its units is at work, in the beginning of a transaction: so those who met
    /// once do not meet again and again, however many they are.
    /// </summary>
    public static Task WaitForTurnAsync(Work work, CancellationToken ct) =>
        work.Connection.ExecuteAsync(new CommandDefinition("select pg_advisory_xact_lock(@Turn)", new { Turn }, work.Transaction, commandTimeout: 0, cancellationToken: ct));

    /// <summary>How products are packed, at any moment.</summary>
    /// <param name="atLeast">With this version of a product.</param>
    public async ValueTask<PackSpecifications> SpecificationsAsync(CancellationToken ct, long atLeast = 0)
    {
        var snapshot = await masterData.ReadAsync(ct, atLeast);
        var known = _known;
        if (known.Of != snapshot)
        {
            _known = known = (snapshot, new PackSpecifications(snapshot.ProductVersions));
        }
        return known.Specifications;
    }
}

/// <summary>
/// Applies the events of one capture to the stored units (docs/decisions/0016). Units are loaded and locked for each chunk of
/// events, changed in memory, and written as sets; nothing of it is to be seen before the capture's transaction commits.
/// </summary>
public sealed class UnitLedger
{
    /// <summary>The index that keeps one row for each unit.</summary>
    public const string OneRow = "unit_once";

    /// <summary>
    /// Above so many units in memory they are written and forgotten: about 40 MB. A shipment of a hundred thousand units stays until
    /// they are packed; of a document that is too large for that, to keep as many would only take memory, twice until the collector comes.
    /// </summary>
    private const int MaxUnits = 120_000, MaxUnitsOfHuge = 30_000;

    /// <summary>Documents that commission fewer look them up: a repeated serial number is then found without a second turn.</summary>
    private const int FewUnits = 1_000;

    private const int UnitBits = 24;

    private readonly Work _work;
    private readonly int _partyId;
    private readonly bool _isCareful;
    private readonly int _maxUnits;
    private readonly PackSpecifications _specifications;
    private readonly UnitRows _rows;
    private readonly List<Unit> _dirty = [];
    private UnitBook _book;
    private long _nextId;

    internal UnitLedger(Work work, int partyId, long captureId, PackSpecifications specifications, bool isCareful, bool isHuge)
    {
        (_work, _partyId, _specifications, _isCareful, _maxUnits) = (work, partyId, specifications, isCareful, isHuge ? MaxUnitsOfHuge : MaxUnits);
        _nextId = captureId << UnitBits;
        _rows = new UnitRows(work, new UnitReferences(work));
        _book = new UnitBook(specifications.Find);
    }

    /// <summary>Applies events that are stored in the same transaction already.</summary>
    /// <returns>What the rules have to say; of earlier events too, where these come before them.</returns>
    /// <exception cref="Npgsql.PostgresException">
    /// Deadlock or unique violation: other captures touch the same units. The transaction is to be rolled back, and the capture processed again.
    /// </exception>
    public async Task<IReadOnlyList<UnitFinding>> ApplyAsync(IReadOnlyList<LedgerEvent> events, CancellationToken ct)
    {
        var facts = FactsOf(events);
        await LoadAsync(facts, ct);
        // What is locked now, nobody else takes back meanwhile.
        var gone = await DeclaredInErrorAsync(events, ct);
        facts.RemoveAll(f => gone.Contains(f.Number));
        var late = await KeysTakenBackAsync(events, ct);
        var findings = new List<UnitFinding>();
        for (var isReplayed = late.Count == 0; ; isReplayed = true)
        {
            var known = late.Count;
            late.UnionWith(facts.Where(f => !_book.CanApply(f)).SelectMany(KeysOf));
            if (isReplayed && late.Count == known)
            {
                break;
            }
            // With all that was late before: what is replayed again finds the same again.
            findings = [.. await ReplayAsync(late, events, ct)];
            // While a replay waited for its units, others may have been stored that did not exist before, and that these facts are too late for.
            await LoadAsync(facts, ct);
        }
        foreach (var fact in facts)
        {
            var applied = _book.Apply([fact]);
            findings.AddRange(applied.Findings);
            Note(applied.Changed);
        }
        _book.Except = null;
        if (_book.Units.Count > _maxUnits)
        {
            await FlushAsync(ct);
            if (_maxUnits == MaxUnitsOfHuge)
            {
                // What was forgotten has grown old, and on a busy machine the collector would let several times as much come before it looks.
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
            }
        }
        return findings;
    }

    /// <summary>Writes what has changed. Before the transaction commits this is done once more.</summary>
    /// <exception cref="Npgsql.PostgresException">As of <see cref="ApplyAsync"/>.</exception>
    public async Task FlushAsync(CancellationToken ct)
    {
        await WriteAsync(_dirty, ct);
        _dirty.Clear();
        _rows.Forget();
        _book = new UnitBook(_specifications.Find);
    }

    private async Task WriteAsync(IReadOnlyCollection<Unit> units, CancellationToken ct)
    {
        var added = units.Where(u => !u.IsStored).ToList();
        foreach (var unit in added)
        {
            (unit.Id, unit.PartyId) = (_nextId++, _partyId);
        }
        await _rows.ReferAsync(units, ct);
        await _rows.AddAsync(added, ct);
        await _rows.ChangeAsync([.. units.Where(u => u.IsStored)], ct);
    }

    private void Note(IReadOnlyList<Unit> changed)
    {
        foreach (var unit in changed)
        {
            if (!unit.IsDirty)
            {
                unit.IsDirty = true;
                _dirty.Add(unit);
            }
        }
    }

    private static List<UnitFact> FactsOf(IReadOnlyList<LedgerEvent> events)
    {
        var facts = new List<UnitFact>();
        foreach (var said in events)
        {
            facts.AddRange(EventFacts.Of(said));
        }
        for (var i = 1; i < facts.Count; i++)
        {
            if (facts[i - 1].Stamp.CompareTo(facts[i].Stamp) > 0)
            {
                return [.. facts.OrderBy(f => f.Stamp)];
            }
        }
        return facts;
    }

    /// <summary>The numbers of those events that their party has declared to be in error, here or earlier.</summary>
    private async Task<HashSet<long>> DeclaredInErrorAsync(IReadOnlyList<LedgerEvent> events, CancellationToken ct)
    {
        var named = events.Where(e => e.Event is { EventId: not null, ErrorDeclaration: null }).ToList();
        return named.Count == 0 ? [] : (await _work.Connection.QueryAsync<long>(new CommandDefinition("""
            select n.number from unnest(@ids, @numbers) n (id, number)
            cross join lateral (select from event_identity where event_uri = n.id and declared_at <> '' and party_id = @_partyId limit 1) i
            """, new { ids = named.Select(e => Storable(e.Event.EventId!)).ToArray(), numbers = named.Select(e => e.Number).ToArray(), _partyId }, _work.Transaction, cancellationToken: ct))).ToHashSet();
    }

    /// <summary>The units of declarations, and of what they declare to be in error: they need not be the same.</summary>
    private async Task<HashSet<string>> KeysTakenBackAsync(IReadOnlyList<LedgerEvent> events, CancellationToken ct)
    {
        var declarations = events.Where(e => e.Event.ErrorDeclaration is not null).ToList();
        if (declarations.Count == 0)
        {
            return [];
        }
        var retracted = await _work.Connection.QueryAsync<string>(new CommandDefinition(
            "select x.epc from event e cross join lateral event_things(e.body, e.keys) x where e.event_uri = any(@ids) and e.party_id = @_partyId and x.role < 10",
            new { ids = declarations.Select(e => e.Event.EventId).OfType<string>().Select(Storable).ToArray(), _partyId }, _work.Transaction, cancellationToken: ct));
        return retracted.Concat(declarations.SelectMany(d => d.Event.Epcs).Select(x => x.Epc)).Select(UnitKey.Of).OfType<string>().ToHashSet(StringComparer.Ordinal);
    }

    private static string Storable(string id) => id.Replace('\0', '\uFFFD');

    /// <summary>Loads the units of the facts that the book lacks, as far as there are any.</summary>
    private async Task LoadAsync(List<UnitFact> facts, CancellationToken ct)
    {
        var looksUp = _isCareful || facts.Sum(f => f.Kind == FactKind.Commission ? f.Epcs.Count : 0) < FewUnits;
        if (!looksUp && facts.TrueForAll(f => f.Kind == FactKind.Commission))
        {
            return;
        }
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var (wanted, emptied) = (new List<string>(), new List<string>());
        foreach (var fact in facts)
        {
            foreach (var key in KeysOf(fact))
            {
                if (_book.Except?.Contains(key) != true && !_book.Has(key) && seen.Add(key) && (looksUp || fact.Kind != FactKind.Commission))
                {
                    wanted.Add(key);
                }
            }
            if (fact is { Kind: FactKind.Unpack, Epcs.Count: 0, Parent: { } parent } && UnitKey.Of(parent) is { } container)
            {
                emptied.Add(container);
            }
        }
        if (wanted.Count + emptied.Count > 0)
        {
            await _rows.LoadAsync(_book, wanted, emptied, ct);
        }
    }

    private static IEnumerable<string> KeysOf(UnitFact fact) => (fact.Parent is null ? fact.Epcs : fact.Epcs.Append(fact.Parent)).Select(UnitKey.Of).OfType<string>();

    /// <summary>
    /// Makes the rows of some units, and of those that they met, anew from all their events. What was found before is not told again.
    /// </summary>
    private async Task<IReadOnlyList<UnitFinding>> ReplayAsync(HashSet<string> late, IReadOnlyList<LedgerEvent> news, CancellationToken ct)
    {
        await FlushAsync(ct);
        var stored = new StoredEvents(_work);
        Dictionary<string, UnitRows.Row> rows;
        for (var count = -1; ; count = stored.All.Count)
        {
            // Which units are to be locked, only their events tell; and those count that are there once the units are locked.
            await stored.AddAsync(late, ct);
            rows = await _rows.LockAsync(stored.Keys, ct);
            if (stored.All.Count == count)
            {
                break;
            }
        }
        _book.Except = stored.Keys;
        var numbers = news.Select(e => e.Number).ToHashSet();
        if (rows.Values.FirstOrDefault(r => !stored.Has(r.FirstEvent)) is not null)
        {
            // Whose first events are in the archive cannot be made anew.
            var gone = rows.Values.Where(r => !stored.Has(r.FirstEvent)).Select(r => UnitKey.ToEpc(r.Key, r.PrefixLength)).ToList();
            return [new UnitFinding(UnitCodes.Archived, gone, "the event comes before what is known of it, and its earlier events are in the archive; a person has to look.", news[0].Number)];
        }
        var before = UnitBook.Replay(stored.All.Where(e => !numbers.Contains(e.Number)), only: stored.Keys, specificationOf: _specifications.Find);
        var after = UnitBook.Replay(stored.All, only: stored.Keys, specificationOf: _specifications.Find);
        foreach (var unit in after.Book.Units)
        {
            if (rows.TryGetValue(unit.Key, out var row))
            {
                (unit.Id, unit.PartyId, unit.IsStored) = (row.Id, row.PartyId, true);
            }
        }
        await WriteAsync(after.Book.Units, ct);
        await _rows.RemoveAsync([.. rows.Values.Where(r => !after.Book.Has(r.Key)).Select(r => r.Id)], ct);
        return [.. after.Findings.Select(f => Without(f, before.Findings)).OfType<UnitFinding>()];
    }

    private static UnitFinding? Without(UnitFinding finding, IReadOnlyList<UnitFinding> known)
    {
        var told = known.Where(k => k.Code == finding.Code && k.Number == finding.Number).SelectMany(k => k.Units).ToHashSet(StringComparer.Ordinal);
        var units = finding.Units.Where(u => !told.Contains(u)).ToList();
        return units.Count == 0 ? null : finding with { Units = units };
    }
}
