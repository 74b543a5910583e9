using Gateway.Access;
using Gateway.Database;
using Gateway.MasterData;
using Gateway.Units;

namespace Gateway.Tests.Units;

/// <summary>A lot's numbers, each with its list, on rows as the ledger writes them.</summary>
public sealed class LotQueryTests
{
    private const string Unit = "09521234001010", Case = "59521234001015", Lot = "L1";
    private static readonly Actor Reader = Actor.System("test");
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_lot_that_is_packed_whole_is_complete_and_every_number_has_its_list()
    {
        await using var database = await LedgerAsync(pallets: 2);
        var lot = await FindAsync(database);
        Assert.True(lot.IsComplete);
        Assert.Equal((100m, 40L, 40L, new LotBalance(40, 0, 0, 0, 0, 0, 0, 0), "Demozol", new DateOnly(2028, 8, 31)), (lot.Percent, lot.Commissioned, lot.Settled, lot.Balance, lot.Product, lot.Expiry));
        Assert.Equal([(Unit, "unit", 40L, 0L), (Case, "case", 8L, 8L), (null, "pallet", 2L, 2L)], lot.Levels.Select(l => (l.Gtin, l.Level, l.Units, l.Full)));
        Assert.Equal([0L, 40L, 8L], lot.Levels.Select(l => l.Seen));
        Assert.Equal(lot.Levels.Select(l => (l.Seen, (long?)l.Seen)), lot.Levels.Select(l => (l.Declared, l.Gtin == Unit ? 0 : l.Capacity)));
        Assert.Equal(40, (await UnitsAsync(database, new("packed"))).Count);
        Assert.Equal(10, (await UnitsAsync(database, new("containers"))).Count);
        Assert.Empty(await UnitsAsync(database, new("orphan")));
        var unit = (await UnitsAsync(database, new("packed")))[0];
        Assert.Equal(("urn:epc:id:sgtin:9521234.000101.U000001", "COMMISSIONED", Unit), (unit.Epc, unit.State, unit.Gtin));
        Assert.Equal(("urn:epc:id:sgtin:9521234.500101.C000001", "urn:epc:id:sscc:9521234.3000000001"), (unit.Parent, unit.Top));
    }

    [Fact]
    public async Task Whatever_is_left_to_explain_is_counted_and_listed()
    {
        await using var database = await LedgerAsync(pallets: 5);
        await database.ExecuteAsync($"""
            update unit set parent_id = null where key like '%U000001';                       -- a pack beside its case, which counts it as gone
            update unit set children = 4 where key like '%C000001';
            update unit set children = 9 where key like '%C000005';                           -- a case that counts what does not name it
            update unit set holds = 'unit.packed damaged' where key like '%U000041';
            update unit set parent_id = 987 where key like '%U000061';                        -- in a container that does not exist
            update unit set children = 4 where key like '%C000013';
            update unit set state = 11 where unit_id = 5;                                     -- a whole pallet is gone
            insert into unit (unit_id, first_event, last_event, last_at, party_id, head, state, flags, level, last_kind, prefix_length, key, hash)
            values (777, 3, 3, timestamptz '2026-09-14 10:00Z', 1, 0, 1, 4, 1, 12, 0, '01{Unit}21LATE', 777), (778, 99, 99, timestamptz '2026-09-14 10:00Z', 1, 0, 1, 4, 1, 12, 7, '01{Unit}21FOREIGN', 778)
            """);
        var lot = await FindAsync(database);
        Assert.False(lot.IsComplete);
        Assert.Equal(new LotBalance(78, 1, 0, 0, 0, 20, 0, 1), lot.Balance);
        Assert.Equal((100L, 1L, 2L, 1L, 1L, 2L), (lot.Commissioned, lot.Orphans, lot.Short, lot.Waiting, lot.Held, lot.Unexplained));
        // Three pallets have something wrong in a case of theirs, which says nothing of the other cases.
        Assert.Equal((100 - 1 - 4 - 5 - 1 - 1 - 4, 83.1m), (lot.Settled, lot.Percent));
        Assert.Equal(new Dictionary<string, long> { ["COMMISSIONED"] = 80, ["SHIPPED"] = 20 }, lot.Levels[0].States);

        Assert.Equal(["U000001"], await SerialsAsync(new("orphan")));
        Assert.Equal(["C000001", "C000013"], await SerialsAsync(new("short")));
        Assert.Equal(["C000005", "U000061"], await SerialsAsync(new("unexplained")));
        Assert.Equal(["https://id.gs1.org/01/09521234001010/21/LATE"], (await UnitsAsync(database, new("waiting"))).Select(u => u.Epc));
        var held = Assert.Single(await UnitsAsync(database, new("held")));
        Assert.Equal(["unit.packed", "damaged"], held.Holds);
        Assert.Equal((20, 4, 1), ((await SerialsAsync(new("shipped"))).Count, (await SerialsAsync(new(null, Case, UnitState.Shipped))).Count, (await SerialsAsync(new(null, LotUnitFilter.LogisticUnits, UnitState.Shipped))).Count));
        Assert.Equal((4L, (int?)4), (await UnitsAsync(database, new("full")))[0] is var full ? (full.Children, full.Capacity) : default);

        // A case that is meant to hold less, and one that was full and was opened, are short no longer.
        await database.ExecuteAsync("update unit set flags = flags | 32 where key like '%C000001'; update unit set flags = flags | 128 where key like '%C000013'");
        Assert.Equal((0L, 1L), (await FindAsync(database)) is var after ? (after.Short, after.Levels[1].Partial) : default);
        await database.ExecuteAsync("update unit set holds = 'agg.short_not_flagged' where key like '%C000013'");
        Assert.Equal(["C000013"], await SerialsAsync(new("short")));

        async Task<IReadOnlyList<string>> SerialsAsync(LotUnitFilter filter) => [.. (await UnitsAsync(database, filter)).Select(u => u.Epc[(u.Epc.LastIndexOf('.') + 1)..])];
    }

    private static async Task<Lot> FindAsync(TestDatabase database) => (await Queries(database).FindAsync(Reader, Unit, Lot, Ct))!;

    private static async Task<IReadOnlyList<LotUnit>> UnitsAsync(TestDatabase database, LotUnitFilter filter) => (await Queries(database).UnitsAsync(Reader, Unit, Lot, filter, 0, 1000, Ct))!;

    private static LotQueries Queries(TestDatabase database) => new(database.Gateway, new KnownMasterData(new MasterDataRecords(database.Gateway)));

    /// <summary>A lot of packs, five in a case, four cases on a pallet; nobody has touched it since.</summary>
    private static async Task<TestDatabase> LedgerAsync(int pallets)
    {
        var database = await TestDatabase.CreateAsync();
        await using (var work = await database.Gateway.BeginAsync(Reader, Ct))
        {
            await Parties.EnsureAsync(work, "organisation", "Demo Pharma", "9521234000006");
            await work.CommitAsync();
        }
        var file = new MemoryStream(System.Text.Encoding.UTF8.GetBytes($"gtin,name,level,holds,quantity,perLogisticUnit\n{Unit},Demozol,unit,,,\n{Case},\"Demozol, case\",case,{Unit},5,4\n"));
        Assert.False((await new ChangeMasterData(database.Gateway).ImportAsync(Reader with { Reason = "test" }, file, false, Ct)).IsRefused);
        // unit_id: pallets from 1, cases from a million, packs from ten million, so that each level can be named.
        await database.ExecuteAsync($"""
            insert into lot (party_id, gtin, lot, expiry) values (1, '{Unit}', '{Lot}', '2028-08-31'), (1, '{Case}', '{Lot}', '2028-08-31');
            insert into place (party_id, uri) values (1, '{Said.Line}'), (1, '{Said.Wholesaler}');
            insert into unit (unit_id, parent_id, first_event, last_event, last_at, party_id, lot_id, holder_id, location_id, children, head, state, flags, level, last_kind, prefix_length, key, hash)
            select n, null, 1, 4, timestamptz '2026-09-14 10:00Z', 1, null, 1, 1, 4, 0, 7, 3, 3, 12, 7, key, n from unnest(array['{string.Join("','", Enumerable.Range(1, pallets).Select(n => UnitKey.Of(Said.Pallet(n))))}']) with ordinality p (key, n)
            union all
            select 1000000 + n, 1 + (n - 1) / 4, 2, 4, timestamptz '2026-09-14 10:00Z', 1, 2, 1, 1, 5, 0, 7, 3, 2, 12, 7, '01{Case}21C' || lpad(n::text, 6, '0'), 1000000 + n from generate_series(1, {pallets * 4}) n
            union all
            select 10000000 + n, 1000001 + (n - 1) / 5, 1, 3, timestamptz '2026-09-14 10:00Z', 1, 1, 1, 1, null, 0, 7, 3, 1, 12, 7, '01{Unit}21U' || lpad(n::text, 6, '0'), 10000000 + n from generate_series(1, {pallets * 20}) n;
            analyze unit
            """);
        return database;
    }
}
