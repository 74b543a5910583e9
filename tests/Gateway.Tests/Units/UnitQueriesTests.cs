using Gateway.Access;
using Gateway.MasterData;
using Gateway.Units;

namespace Gateway.Tests.Units;

/// <summary>Where a unit is and what it holds, on a real database.</summary>
public sealed class UnitQueriesTests
{
    private const string Pallet = "urn:epc:id:sscc:9521234.1000000001", Case = "urn:epc:id:sgtin:9521234.500101.C1", Pack = "urn:epc:id:sgtin:9521234.000101.A1";

    private static readonly Actor Reader = Actor.System("test");
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_unit_is_in_the_state_of_its_outermost_container_and_its_holds_are_told_from_theirs()
    {
        await using var database = await TestDatabase.CreateAsync();
        var (rows, units) = (await LedgerRows.CreateAsync(database), Queries(database));
        var pallet = await rows.AddAsync(Pallet, state: UnitState.Shipped, children: 1, holds: "agg.short_not_flagged");
        var box = await rows.AddAsync(Case, pallet, children: 1);
        await rows.AddAsync(Pack, box, lot: "L1", holds: "quarantine unit.held", prefix: 0, level: 1);

        var unit = (await units.FindAsync(Reader, UnitKey.Of(Pack)!, Ct))!;
        Assert.Equal(("https://id.gs1.org/01/09521234001010/21/A1", "unit", "09521234001010", "A1", "L1", new DateOnly(2028, 2, 29)), (unit.Epc, unit.Level, unit.Gtin, unit.Serial, unit.Lot, unit.Expiry));
        Assert.Equal((UnitState.Shipped, true), (unit.State, unit.IsHeld));
        Assert.Equal(["quarantine", "unit.held"], unit.Holds);
        Assert.Equal([(Case, "case", ""), (Pallet, "pallet", "agg.short_not_flagged")], unit.Containers.Select(c => (c.Epc, c.Level, string.Join(' ', c.Holds))));

        var top = (await units.FindAsync(Reader, UnitKey.Of(Pallet)!, Ct))!;
        Assert.Equal((UnitState.Shipped, 1, null, null), (top.State, top.Children, top.Gtin, top.Serial));
        Assert.Empty(top.Containers);
        Assert.Null(await units.FindAsync(Reader, UnitKey.Of("urn:epc:id:sgtin:9521234.000101.B1")!, Ct));
    }

    [Fact]
    public async Task Contents_come_container_by_container_and_in_pages()
    {
        await using var database = await TestDatabase.CreateAsync();
        var (rows, units) = (await LedgerRows.CreateAsync(database), Queries(database));
        var pallet = await rows.AddAsync(Pallet, state: UnitState.Shipped, children: 2);
        for (var c = 1; c <= 2; c++)
        {
            var box = await rows.AddAsync($"urn:epc:id:sgtin:9521234.500101.C{c}", pallet, children: 3);
            for (var u = 1; u <= 3; u++)
            {
                await rows.AddAsync($"urn:epc:id:sgtin:9521234.000101.U{c}{u}", box, lot: "L1");
            }
        }
        var whole = (await units.ContentsAsync(Reader, UnitKey.Of(Pallet)!, null, 100, Ct))!;
        Assert.Equal((Pallet, 8, null), (whole.Epc, whole.Count, whole.Next));
        Assert.Equal("1C1 2U11 2U12 2U13 1C2 2U21 2U22 2U23", string.Join(' ', whole.Items.Select(i => $"{i.Depth}{i.Epc.Split('.')[^1]}")));
        Assert.All(whole.Items, i => Assert.Equal(UnitState.Shipped, i.State));
        Assert.Equal((Pallet, "case", 3), (whole.Items[0].Parent, whole.Items[0].Level, whole.Items[0].Children));
        Assert.Equal(("urn:epc:id:sgtin:9521234.500101.C1", "unit", "L1"), (whole.Items[1].Parent, whole.Items[1].Level, whole.Items[1].Lot));

        var paged = new List<string>();
        string? after = null;
        do
        {
            var page = (await units.ContentsAsync(Reader, UnitKey.Of(Pallet)!, after, 3, Ct))!;
            Assert.Equal(8, page.Count);
            paged.AddRange(page.Items.Select(i => i.Epc));
            after = page.Next;
            Assert.True(after is null || UnitQueries.IsPlace(after));
        }
        while (after is not null);
        Assert.Equal(whole.Items.Select(i => i.Epc), paged);

        // What is in a case is where the case's pallet is; and a pack holds nothing.
        var inCase = (await units.ContentsAsync(Reader, UnitKey.Of("urn:epc:id:sgtin:9521234.500101.C2")!, null, 100, Ct))!;
        Assert.Equal((3L, UnitState.Shipped, 1), (inCase.Count, inCase.Items[0].State, inCase.Items[0].Depth));
        Assert.Equal((0L, 0), (await units.ContentsAsync(Reader, UnitKey.Of("urn:epc:id:sgtin:9521234.000101.U11")!, null, 100, Ct)) is { } none ? (none.Count, none.Items.Count) : (-1, -1));
        Assert.Null(await units.ContentsAsync(Reader, UnitKey.Of("urn:epc:id:sgtin:9521234.000101.U99")!, null, 100, Ct));
    }

    [Fact]
    public async Task A_damaged_row_that_is_in_itself_ends_no_query()
    {
        await using var database = await TestDatabase.CreateAsync();
        var (rows, units) = (await LedgerRows.CreateAsync(database), Queries(database));
        var box = await rows.AddAsync(Case, children: 1);
        var pack = await rows.AddAsync(Pack, box, children: 1);
        await rows.PutIntoAsync(box, pack);
        Assert.NotNull(await units.FindAsync(Reader, UnitKey.Of(Pack)!, Ct));
        Assert.Equal([Pack], (await units.ContentsAsync(Reader, UnitKey.Of(Case)!, null, 100, Ct))!.Items.Select(i => i.Epc));
    }

    [Fact]
    public async Task A_party_sees_its_own_units_and_not_what_others_packed_them_into()
    {
        await using var database = await TestDatabase.CreateAsync();
        var (rows, units) = (await LedgerRows.CreateAsync(database), Queries(database));
        var pallet = await rows.AddAsync(Pallet, state: UnitState.Shipped, children: 2, party: "Second CMO");
        await rows.AddAsync(Pack, pallet);
        await rows.AddAsync("urn:epc:id:sgtin:9521234.000101.B1", pallet, party: "Second CMO");
        var first = await PartyAsync(database, "First CMO");
        var mine = (await units.FindAsync(first, UnitKey.Of(Pack)!, Ct))!;
        Assert.Equal((UnitState.Commissioned, 0), (mine.State, mine.Containers.Count));
        Assert.Null(await units.FindAsync(first, UnitKey.Of(Pallet)!, Ct));
        Assert.Null(await units.ContentsAsync(first, UnitKey.Of(Pallet)!, null, 10, Ct));
        var seen = (await units.ContentsAsync(await PartyAsync(database, "Second CMO"), UnitKey.Of(Pallet)!, null, 10, Ct))!;
        Assert.Equal((1L, "urn:epc:id:sgtin:9521234.000101.B1"), (seen.Count, seen.Items[0].Epc));
    }

    [Fact]
    public async Task Master_data_say_what_level_a_unit_is_of()
    {
        await using var database = await TestDatabase.CreateAsync();
        var rows = await LedgerRows.CreateAsync(database);
        await rows.AddAsync(Pack);
        await rows.AddAsync(Case);
        await database.ExecuteAsync("""
            select set_config('app.actor', 'test', false), set_config('app.actor_name', 'test', false), set_config('app.reason', 'test', false);
            insert into product (gtin, version, party_id, name, ndc, markets, manufacturer, dosage_form, strength, net_content, level, mixed_lots, withdrawn)
            select '09521234001010', 1, party_id, 'Demozol', '', '', '', '', '', '', 'bundle', false, false from party where kind = 'organisation' limit 1
            """);
        var first = await PartyAsync(database, "First CMO"); // who may not read the product itself
        Assert.Equal("bundle", (await Queries(database).FindAsync(first, UnitKey.Of(Pack)!, Ct))!.Level);
        Assert.Equal("case", (await Queries(database).FindAsync(first, UnitKey.Of(Case)!, Ct))!.Level);
    }

    private static UnitQueries Queries(TestDatabase database) => new(database.Gateway, new KnownMasterData(new MasterDataRecords(database.Gateway)));

    internal static async Task<Actor> PartyAsync(TestDatabase database, string name) =>
        Reader with { Sees = (await database.ScalarAsync<int>($"select party_id from party where name = '{name}'")).ToString(System.Globalization.CultureInfo.InvariantCulture) };
}
