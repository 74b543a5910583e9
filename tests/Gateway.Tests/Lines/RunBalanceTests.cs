using FsCheck;
using FsCheck.Fluent;
using Gateway.Lines;
using Gateway.Tests.Units;
using Gateway.Units;

namespace Gateway.Tests.Lines;

/// <summary>LINES.md section 5: each equation holds exactly, and each term has just the serials that it counts.</summary>
[Requirement("P11-50")]
public sealed class RunBalanceTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_serial_of_a_run_is_in_one_place_and_nothing_is_left_over()
    {
        await using var line = await TestLine.StartAsync();
        await line.PackWholeAsync(palletHolds: 4);
        foreach (var (state, ever) in ((UnitState, bool)[])
            [(UnitState.Unused, false), (UnitState.Voided, false), (UnitState.Allocated, false), (UnitState.Encoded, false), (UnitState.Scrapped, false), (UnitState.Rejected, false), (UnitState.Rejected, true),
             (UnitState.Commissioned, true), (UnitState.Sampled, true), (UnitState.Decommissioned, true), (UnitState.Destroyed, true), (UnitState.Shipped, true), (UnitState.Returned, true)])
        {
            await line.AddAsync(Said.Pack(100 + (int)state * 2 + (ever ? 1 : 0)), state, ever, hasLot: ever);
        }
        // Of another run, of none, and of another lot: none of it is this run's.
        await line.TellAsync((await line.PlanAsync(lot: "L2")).Id);
        await line.AddAsync(Said.Pack(901));
        await line.TellAsync(null);
        await line.AddAsync(Said.Pack(902));

        var balance = (await line.DetailsAsync()).Balance;
        Assert.Equal(0, balance.Unexplained);
        Assert.Equal(
            "serialsSeen 33, unused 1, voided 1, openAtDevice 1, printed 30, scrapped 1, rejectedNeverCommissioned 1, encodedOpen 1, everCommissioned 27, activePacked 20, activeLoose 1, sampled 1, rejectedAfterCommission 1, decommissionedOrDestroyed 2, shipped 1, returned 1, allocated 33",
            string.Join(", ", balance.Packs.Counts.Where(c => c.Value > 0).Select(c => $"{c.Key} {c.Value}")));
        Assert.Equal([("unit", 33L, 0L), ("case", 4L, 4L), ("pallet", 1L, 1L)], balance.Levels.Select(l => (l.Level, l["serialsSeen"], l["full"])));
        Assert.Equal([1L, 0L, 0L], balance.Levels.Select(l => l.Orphans));
        await ListsAgreeAsync(line, balance);
        var lot = await line.Balances.OfLotAsync(TestLine.Somebody, TestLine.Gtin, TestLine.Lot, await line.Records.OfLotAsync(TestLine.Somebody, TestLine.Gtin, TestLine.Lot, Ct), Ct);
        Assert.Equal((33L, 1L), (lot.Packs["serialsSeen"], lot.Elsewhere));
    }

    [Fact]
    public async Task What_does_not_add_up_is_told_by_how_much_and_which_serials_it_is()
    {
        await using var line = await TestLine.StartAsync();
        await line.PackWholeAsync();
        await line.AddAsync(Said.Pack(50), UnitState.Pool, everCommissioned: false, flags: UnitFlags.Waiting);     // told of before it came to be
        await line.AddAsync(Said.Pack(51), UnitState.Commissioned, everCommissioned: false);                       // good, and never commissioned
        await line.AddAsync(Said.Pack(52), parent: 987);                                                           // in a container that is nowhere
        var miscounted = await line.AddAsync(Said.Case(2), children: 5);
        foreach (var n in Enumerable.Range(60, 4))
        {
            await line.AddAsync(Said.Pack(n), parent: miscounted);                                                 // four name it, and it counts five
        }
        var two = await line.AddAsync(Said.Case(3), children: 2);                                                  // short, and not marked as partial
        await line.AddAsync(Said.Pack(70), parent: two);
        await line.AddAsync(Said.Pack(71), parent: two);

        var balance = (await line.DetailsAsync()).Balance;
        Assert.Equal("allocated 1, printed 1, everCommissioned 1, packed 1", Told(balance.Packs));
        Assert.Equal("containers 1", Told(balance.Levels[1]));
        // The pallet holds one case of four.
        Assert.Equal("containers 1", Told(balance.Levels[2]));
        Assert.Equal(6, balance.Unexplained);
        await ListsAgreeAsync(line, balance);
        Assert.Equal(["U000050", "U000051", "U000052"], await SerialsAsync(line, TestLine.Gtin, "unexplained"));
        Assert.Equal(["00000002", "00000003"], await SerialsAsync(line, TestLine.CaseGtin, "unexplained"));

        static string Told(LevelBalance level) => string.Join(", ", level.Equations.Where(e => e.Unexplained > 0).Select(e => $"{e.Name} {e.Unexplained}"));
    }

    [Fact]
    public async Task Serials_come_page_by_page_and_each_once()
    {
        await using var line = await TestLine.StartAsync();
        await line.PackWholeAsync(palletHolds: 3);
        var run = (await line.Records.FindAsync(TestLine.Somebody, line.Run, Ct))!;
        var (seen, after) = (new List<string>(), (string?)null);
        while (await line.Balances.SerialsAsync(TestLine.Somebody, run, TestLine.Gtin, "activePacked", after, 4, Ct) is { Count: > 0 } page)
        {
            seen.AddRange(page.Select(s => s.Epc));
            after = page[^1].Cursor;
        }
        Assert.Equal(Said.Packs(1, 15), seen);
    }

    // Every fact is one that may follow, as the ledger takes it; the book it leads to is put into the database as it is.
    [Fact]
    public async Task Whatever_legal_history_the_equations_hold_and_each_term_has_its_serials()
    {
        await using var line = await TestLine.StartAsync(caseHolds: 2, palletHolds: 2);
        var run = (await line.Records.FindAsync(TestLine.Somebody, line.Run, Ct))!;
        string[] packs = Said.Packs(1, 8), containers = [Said.Case(1), Said.Case(2), Said.Case(3), Said.Pallet(1), Said.Pallet(2)];
        var move = from kind in Gen.Frequency(
                       (6, Gen.Constant(FactKind.Commission)), (6, Gen.Constant(FactKind.Pack)), (3, Gen.Constant(FactKind.Encode)), (2, Gen.Constant(FactKind.Unpack)), (3, Gen.Constant(FactKind.Reject)), (2, Gen.Constant(FactKind.Ship)),
                       (1, Gen.Elements(FactKind.Unused, FactKind.Void, FactKind.Scrap, FactKind.ReworkOk, FactKind.Sample, FactKind.Decommission, FactKind.Destroy, FactKind.Return, FactKind.VoidShip, FactKind.Allocate)))
                   from unit in Gen.Elements((string[])[.. packs, .. packs, .. containers])
                   from parent in Gen.Elements(containers)
                   select (kind, unit, parent);
        var histories = 0;
        foreach (var history in Gen.Sample(Gen.ArrayOf(move, 60), 25, 40))
        {
            var book = new UnitBook((gtin, at) => Said.Specification(gtin, at) is { Level: 2 } c ? c with { Capacity = 2, PerLogisticUnit = 2 } : Said.Specification(gtin, at));
            // Half of the containers are there from the beginning, or packing would be rare.
            foreach (var (m, n) in containers.Select(c => (kind: FactKind.Commission, unit: c, parent: c)).Concat(history).Select((m, n) => (m, n)))
            {
                if (book[m.unit] is { } known ? Lifecycle.Next(known.Parent is null ? known.State : known.Top.State, m.kind, known.EverCommissioned, false) is null : !Lifecycle.MayBeFirst(m.kind) || Lifecycle.Next(UnitState.Pool, m.kind, false, false) is null)
                {
                    continue;
                }
                var isPacking = m.kind is FactKind.Pack or FactKind.Unpack;
                book.Apply([new UnitFact(m.kind, Said.Start.AddMinutes(n), n + 1, [m.unit]) { Lot = UnitKey.GtinOf(UnitKey.Of(m.unit)!) is TestLine.Gtin ? TestLine.Lot : null, Expiry = new DateOnly(2028, 8, 31), IsPartial = true, Parent = isPacking ? m.kind == FactKind.Unpack ? book[m.unit]?.Parent?.Epc ?? m.parent : m.parent : null }]);
            }
            await line.Database.ExecuteAsync("truncate unit_row");
            var ids = new Dictionary<Unit, long>();
            foreach (var unit in book.Units.OrderByDescending(Height))
            {
                ids[unit] = await line.AddAsync(unit.Epc, unit.State, unit.EverCommissioned, unit.Parent is null ? null : ids[unit.Parent], unit.Children == 0 ? null : unit.Children, unit.Holds.Count > 0 ? string.Join(' ', unit.Holds) : null,
                    unit.Flags & (UnitFlags.Partial | UnitFlags.Closed | UnitFlags.Waiting), hasLot: unit.Lot is not null);
            }
            var balance = await line.Balances.OfRunAsync(TestLine.Somebody, run, Ct);
            Assert.True(balance.Unexplained == 0, string.Join("; ", balance.Levels.SelectMany(l => l.Equations.Where(e => e.Unexplained > 0).Select(e => $"{l.Level}: {e}"))));
            foreach (var level in balance.Levels)
            {
                var own = book.Units.Where(u => UnitKey.GtinOf(u.Key).ToString() == (level.Gtin ?? "")).ToList();
                Assert.Equal(own.Count, level["serialsSeen"]);
                Assert.Equal(own.Count(u => u.EverCommissioned), level["everCommissioned"]);
                Assert.Equal(own.Count(u => u.Top.State == UnitState.Commissioned && u.Parent is not null), level["activePacked"]);
                Assert.Equal(own.Count(u => u.State == UnitState.Encoded), level["encodedOpen"]);
                Assert.Equal(own.Count(u => u.Top.State == UnitState.Shipped), level["shipped"]);
                Assert.Equal(own.Count(u => u.Top.State == UnitState.Rejected && u.EverCommissioned), level["rejectedAfterCommission"]);
            }
            await ListsAgreeAsync(line, balance);
            histories++;
        }
        Assert.Equal(25, histories);

        static int Height(Unit unit)
        {
            var height = 0;
            for (var u = unit; u.Parent is not null; u = u.Parent)
            {
                height--;
            }
            return height;
        }
    }

    private static async Task ListsAgreeAsync(TestLine line, RunBalance balance)
    {
        foreach (var level in balance.Levels)
        {
            foreach (var term in RunBalance.Terms)
            {
                Assert.Equal((level.Level, term, level[term]), (level.Level, term, (await SerialsAsync(line, level.Key, term)).Distinct().Count()));
            }
        }
    }

    private static async Task<IReadOnlyList<string>> SerialsAsync(TestLine line, string level, string term) =>
        [.. (await line.Balances.SerialsAsync(TestLine.Somebody, (await line.Records.FindAsync(TestLine.Somebody, line.Run, Ct))!, level, term, null, 1000, Ct)).Select(s => s.Epc[(s.Epc.LastIndexOf('.') + 1)..])];
}
