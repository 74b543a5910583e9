using Epcis.Events;
using FsCheck;
using FsCheck.Fluent;
using Gateway.Units;

namespace Gateway.Tests.Units;

/// <summary>Random histories, most of them impossible: the book is held against <see cref="NaiveLedger"/> and against itself in other orders.</summary>
public sealed class UnitBookProperties
{
    internal const int CaseHolds = 2, PalletHolds = 2;

    private const int Histories = 2000;

    private static readonly string[] s_packs = Said.Packs(1, 5), s_cases = [Said.Case(1), Said.Case(2)], s_pallets = [Said.Pallet(1), Said.Pallet(2)];
    internal static readonly string[] s_units = [.. s_packs, .. s_cases, .. s_pallets], s_containers = [.. s_cases, .. s_pallets];

    private static PackSpecification? Specification(string gtin, DateTime recordedAt) => Said.Specification(gtin) is not { } s ? null : s.Level == 1 ? s : s with { Capacity = CaseHolds, PerLogisticUnit = PalletHolds };

    private static Gen<string[]> Some(string[] units, int max) => from count in Gen.Choose(1, max) from chosen in Gen.Shuffle(units) select chosen.Take(count).ToArray();

    // Commissioning and packing often, or nothing else would ever be legal.
    private static Gen<string> Words => Gen.Frequency(
        (6, Gen.Constant("commission")), (8, Gen.Constant("pack")), (4, Gen.Constant("unpack")), (5, Gen.Constant("ship")), (3, Gen.Constant("receive")), (2, Gen.Constant("void")), (2, Gen.Constant("return")),
        (1, Gen.Constant("hold")), (3, Gen.Constant("inspect")), (1, Gen.Constant("reject")), (1, Gen.Constant("sample")), (1, Gen.Constant("decommission")), (1, Gen.Constant("destroy")), (1, Gen.Constant("encode")), (1, Gen.Constant("see")));

    private static Gen<Move> AnyMove =>
        from word in Words
        from minute in Gen.Choose(1, 12)
        from parent in Gen.Elements(s_containers)
        from children in Gen.Frequency((5, Some(s_packs, 3)), (3, Some(s_cases, 2)), (1, Some(s_units, 4)))
        from units in Gen.Frequency((3, Some(s_units, 3)), (2, Some(s_containers, 2)))
        from all in Gen.Choose(1, 2)
        from place in Gen.Elements(Said.Line, Said.Plant, Said.Wholesaler, Said.Dispenser, null)
        from lot in Gen.Elements("L1", "L1", "L1", "L2", null)
        from flag in Gen.Elements(true, false, false)
        let aggregates = word is "pack" or "unpack"
        select new Move(word, !aggregates ? units : word == "unpack" && all == 1 ? [] : children, aggregates ? parent : null, place, lot, minute, 0, flag);

    // Half of the histories begin with everything commissioned and some of it packed.
    private static Move[] Beginning =>
    [
        new("commission", s_packs, null, Said.Line, "L1", 0, 0, false), new("commission", s_containers, null, Said.Line, null, 0, 0, false),
        new("pack", [s_packs[0], s_packs[1]], s_cases[0], Said.Line, null, 1, 0, false), new("pack", [s_cases[0]], s_pallets[0], Said.Line, null, 2, 0, false),
    ];

    internal static Arbitrary<Move[]> History =>
        (from begun in Gen.Elements(true, false)
         from count in Gen.Choose(1, 20)
         from moves in Gen.ArrayOf(AnyMove, count)
         select ((Move[])[.. begun ? Beginning : [], .. moves]).Select((m, i) => m with { Number = i + 1 }).ToArray()).ToArbitrary();

    private static Replayed Replay(IEnumerable<LedgerEvent> events, DateTimeOffset? until = null) => UnitBook.Replay(events, until: until, specificationOf: Specification);

    private static void Check(Func<Move[], bool> holds) => Prop.ForAll(History, holds).Check(Config.QuickThrowOnFailure.WithMaxTest(Histories));

    private static void Same(string expected, string actual) => Assert.Equal(expected, actual);

    [Fact]
    public void The_book_says_what_the_naive_ledger_says() => Check(history =>
    {
        var (book, naive) = (Replay(history.Select(m => m.Event)), NaiveLedger.Of(history, CaseHolds, PalletHolds));
        Same(naive.Tell(s_units), NaiveLedger.Tell(book.Book));
        Same(naive.Found, NaiveLedger.FoundBy(book.Findings));
        return true;
    });

    [Fact]
    public void Whatever_the_order_of_arrival_the_book_is_the_same() => Prop.ForAll(
        (from history in History.Generator from order in Gen.Shuffle(history) select (history, order)).ToArbitrary(),
        x =>
        {
            var inOrder = Replay(x.history.Select(m => m.Event));
            var (book, findings, told) = (new UnitBook(Specification), new List<UnitFinding>(), new List<LedgerEvent>());
            foreach (var said in x.order.Select(m => m.Event))
            {
                told.Add(said);
                if (book.CanApply(said))
                {
                    // As from a database: the book knows nothing but its rows.
                    book = Reloaded(book);
                    findings.AddRange(book.Apply(said).Findings);
                }
                else
                {
                    (book, var all) = Replay(told);
                    findings = [.. all];
                }
            }
            Same(BookText.Of(inOrder.Book), BookText.Of(book));
            Same(NaiveLedger.FoundBy(inOrder.Findings), NaiveLedger.FoundBy(findings));
            return true;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(Histories));

    [Fact]
    public void What_a_declaration_takes_back_was_never_said() => Prop.ForAll(
        (from history in History.Generator from wrong in History.Generator select (history, wrong)).ToArbitrary(),
        x =>
        {
            var right = x.history.Select(m => m.Event).ToList();
            var wrong = x.wrong.Select(m => (m with { Number = m.Number + 1000 }).Event).ToList();
            var taken = wrong.Select(e => new LedgerEvent(e.Event with { ErrorDeclaration = new ErrorDeclaration { Reason = "incorrect_data" } }, e.Number + 1000));
            Same(BookText.Of(Replay(right).Book), BookText.Of(Replay([.. taken, .. wrong, .. right]).Book));
            return true;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(Histories / 4));

    [Fact]
    public void Units_that_met_are_replayed_without_the_others() => Check(history =>
    {
        var events = history.Select(m => m.Event).ToList();
        var all = Replay(events);
        foreach (var unit in all.Book.Units)
        {
            var met = new HashSet<string> { unit.Key };
            for (var before = 0; before < met.Count;)
            {
                before = met.Count;
                foreach (var move in history.Where(m => m.Parent is not null))
                {
                    string[] together = [.. move.Units.Append(move.Parent!).Select(u => UnitKey.Of(u)!)];
                    if (met.Overlaps(together))
                    {
                        met.UnionWith(together);
                    }
                }
            }
            var some = UnitBook.Replay(events, only: met, specificationOf: Specification);
            Same(string.Join('\n', all.Book.Units.Where(u => met.Contains(u.Key)).Select(BookText.Row).Order()), string.Join('\n', some.Book.Units.Select(BookText.Row).Order()));
        }
        return true;
    });

    [Fact]
    public void A_past_moment_is_what_the_events_until_then_make_of_it() => Check(history =>
    {
        var (cut, until) = (Said.Start.AddMinutes(6), history.Where(m => m.Minute <= 6));
        Same(BookText.Of(Replay(until.Select(m => m.Event)).Book), BookText.Of(Replay(history.Select(m => m.Event), cut).Book));
        return true;
    });

    [Fact]
    public void Containers_count_what_they_hold_and_nothing_is_within_itself() => Check(history =>
    {
        foreach (var unit in Replay(history.Select(m => m.Event)).Book.Units)
        {
            var steps = 0;
            for (var around = unit.Parent; around is not null; around = around.Parent)
            {
                Assert.True(around != unit && ++steps < s_units.Length);
            }
            Assert.Equal(unit.Children, unit.Contents.Count());
            Assert.All(unit.Contents, child => Assert.Same(unit, child.Parent));
            Assert.Equal(unit.HeldBelow, Below(unit).Count(u => u.Holds.Count > 0));
            Assert.True(unit.Parent is null || unit.State == UnitState.Commissioned);
            Assert.True(unit.Parent is null || unit.Parent.Last.CompareTo(unit.Last) >= 0);
        }
        return true;
    });

    [Fact]
    public void A_void_undoes_its_shipment() => Check(history =>
    {
        var events = history.Select(m => m.Event).ToList();
        var before = Replay(events).Book;
        string[] shippable = [.. before.Units.Where(u => u.Parent is null && u.State == UnitState.Commissioned && !u.IsHeld).Select(u => u.Epc)];
        if (shippable.Length > 0)
        {
            var after = Replay([.. events, Story.At(100, Said.Shipped(shippable), 5000), Story.At(101, Said.Voided(shippable), 5001)]).Book;
            Same(Places(before), Places(after));
        }
        return true;
    });

    [Fact]
    public void What_an_event_changes_is_told() => Check(history =>
    {
        var book = new UnitBook(Specification);
        foreach (var said in history.OrderBy(m => m.Minute).Select(m => m.Event).Where(book.CanApply))
        {
            var before = book.Units.ToDictionary(u => u, BookText.Row);
            var changed = book.Apply(said).Changed;
            Assert.Equal(changed.Count, changed.Distinct().Count());
            Assert.Empty(book.Units.Where(u => before.GetValueOrDefault(u) != BookText.Row(u)).Except(changed));
        }
        return true;
    });

    private static string Places(UnitBook book) => string.Join('\n', book.Units.OrderBy(u => u.Key, StringComparer.Ordinal).Select(u => $"{u.Epc} {u.Top.State} {u.Parent?.Epc} {u.Top.Holder}"));

    private static IEnumerable<Unit> Below(Unit unit) => unit.Contents.SelectMany(c => Below(c).Prepend(c));

    private static UnitBook Reloaded(UnitBook book)
    {
        var (copy, units) = (new UnitBook(Specification), new Dictionary<Unit, Unit>());
        foreach (var unit in book.Units)
        {
            Load(unit);
        }
        return copy;

        Unit Load(Unit unit)
        {
            if (!units.TryGetValue(unit, out var row))
            {
                units.Add(unit, row = new Unit(unit.Key, unit.PrefixLength)
                {
                    State = unit.State,
                    Level = unit.Level,
                    Flags = unit.Flags,
                    Lot = unit.Lot,
                    Expiry = unit.Expiry,
                    Holder = unit.Holder,
                    Location = unit.Location,
                    Reason = unit.Reason,
                    Holds = unit.Holds,
                    Children = unit.Children,
                    HeldBelow = unit.HeldBelow,
                    ContentLot = unit.ContentLot,
                    FirstEvent = unit.FirstEvent,
                    Last = unit.Last,
                });
                copy.Load(row, unit.Parent is { } parent ? Load(parent) : null);
            }
            return row;
        }
    }
}
