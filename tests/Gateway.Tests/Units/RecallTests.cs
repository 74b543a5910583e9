using Epcis.Events;
using Gateway.Access;
using Gateway.MasterData;
using Gateway.Units;
using static Gateway.Tests.Units.Said;

namespace Gateway.Tests.Units;

/// <summary>The scope of a recall, from documents as partners send them (EXCHANGES.md S4, S12).</summary>
public sealed class RecallTests
{
    private const string Product = "09521234001010";
    private static readonly Actor Officer = Actor.System("test");
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_split_case_is_found_unit_by_unit_at_both_holders()
    {
        await using var ledger = await SplitAsync();
        var answer = await AskAsync(ledger, lot: "L1");
        Assert.Equal(20, answer.Units);
        Assert.Equal(
            [(RecallStandings.OnItsWay, GlnOf(Dispenser), 2L, "1 pallet"), (RecallStandings.InHand, GlnOf(Wholesaler), 18L, "4 case")],
            answer.Holders.Select(h => (h.Standing, h.Gln!, h.Units, string.Join(", ", h.Outermost.Select(o => $"{o.Value} {o.Key}")))));
        Assert.Equal(0, answer.Unplaced);
        Assert.Equal([2L, 3L, 15L], answer.Documents.Select(d => d.Units).Order());

        var units = await UnitsAsync(ledger, answer);
        Assert.Equal(Packs(1, 20).Order(StringComparer.Ordinal), units.Select(u => u.Epc).Order(StringComparer.Ordinal));
        var split = units.Where(u => u.Standing == RecallStandings.OnItsWay).ToList();
        Assert.Equal([Pack(1), Pack(2)], split.Select(u => u.Epc).Order());
        Assert.All(split, u => Assert.Equal((Pallet(9), Pallet(9), Dispenser, "SHIPPED", "L1"), (u.Parent, u.Top, u.Holder, u.State, u.Lot)));
        Assert.Equal((Case(1), "U000003"), units.Single(u => u.Epc == Pack(3)) is var left ? (left.Top, left.Serial) : default);
        Assert.All(units, u => Assert.Contains(answer.Documents, d => d.CaptureId == u.CaptureId));

        // The dispenser receives, opens the tote and dispenses one: two are still with somebody, and one of them is ended.
        await ledger.CaptureAsync(At(20, Received(Dispenser, Pallet(9))), At(21, Unpacked(Dispenser, Pallet(9))), At(22, Ended(Dispenser, "dispensing", "dispensed", Pack(1))));
        answer = await AskAsync(ledger, lot: "L1");
        Assert.Equal(
            [(RecallStandings.InHand, Wholesaler, 18L), (RecallStandings.InHand, Dispenser, 1L), (RecallStandings.Ended, Dispenser, 1L)],
            answer.Holders.Select(h => (h.Standing, h.Holder!, h.Units)));
    }

    [Fact]
    public async Task What_was_once_in_a_container_or_sent_to_a_partner_is_found_wherever_it_went_since()
    {
        await using var ledger = await SplitAsync();
        // The pallet and its first case are empty or opened by now: what they held is known from their packing.
        Assert.Equal((20L, 2), await AskAsync(ledger, container: Pallet(1)) is var pallet ? (pallet.Units, pallet.Holders.Count) : default);
        Assert.Equal((5L, 2), await AskAsync(ledger, container: "(00)" + UnitKey.Of(Pallet(1))![2..]) is var same ? (same.Units / 4, same.Holders.Count) : default);
        Assert.Equal((5L, 2), await AskAsync(ledger, container: Case(1)) is var opened ? (opened.Units, opened.Holders.Count) : default);
        Assert.Equal((1L, 1), await AskAsync(ledger, container: Pack(7)) is var pack ? (pack.Units, pack.Holders.Count) : default);
        Assert.Equal(20, (await AskAsync(ledger, partner: GlnOf(Wholesaler))).Units);
        Assert.Equal(2, (await AskAsync(ledger, partner: GlnOf(Dispenser))).Units);
        Assert.Equal(0, (await AskAsync(ledger, partner: "9521234000013")).Units);

        // What the wholesaler packs into the same case later was not sent to him in it.
        await ledger.CaptureAsync(At(30, Commissioned("L2", [Pack(90)])), At(31, Shipped(Pack(90)) is var other ? other with { Destinations = [new SourceOrDestination("location", Dispenser)] } : other),
            At(32, Received(Wholesaler, Pack(90))), At(33, Packed(Case(1), Pack(90))));
        Assert.Equal(6, (await AskAsync(ledger, container: Case(1))).Units);
        Assert.Equal([Pack(1), Pack(2), Pack(90)], (await UnitsAsync(ledger, await AskAsync(ledger, partner: GlnOf(Dispenser)))).Select(u => u.Epc).Order());
    }

    [Fact]
    public async Task A_range_is_of_serial_numbers_in_their_order_and_waiting_units_are_placed_nowhere()
    {
        await using var ledger = await SplitAsync();
        await ledger.CaptureAsync(At(40, Seen(Plant, Pack(21))));
        var answer = await AskAsync(ledger, from: "U000019", to: "U000022");
        Assert.Equal((3L, 1L), (answer.Units, answer.Unplaced));
        Assert.Equal([Pack(19), Pack(20), Pack(21)], (await UnitsAsync(ledger, answer)).Select(u => u.Epc).Order());
        Assert.Equal(0, (await AskAsync(ledger, from: "U19", to: "U22")).Units);
    }

    [Fact]
    public async Task Shipped_goods_without_a_destination_are_nowhere_and_a_later_observation_hides_no_destination()
    {
        await using var ledger = await LedgerGateway.StartAsync();
        await ledger.CaptureAsync(At(0, Commissioned(Packs(1, 3))), At(1, Shipped(Pack(1))), At(2, ShippedTo(Wholesaler, Plant, Pack(2))), At(3, Seen("urn:epc:id:sgln:9521234.00009.0", Pack(2))));
        var answer = await AskAsync(ledger, lot: "L1");
        Assert.Equal(
            [(RecallStandings.Unplaced, null, 1L), (RecallStandings.OnItsWay, Wholesaler, 1L), (RecallStandings.InHand, Line, 1L)],
            answer.Holders.Select(h => (h.Standing, h.Holder, h.Units)));
    }

    [Fact]
    public async Task Who_asked_for_what_is_in_the_trail()
    {
        await using var ledger = await LedgerGateway.StartAsync();
        await Scope(ledger).RunAsync(Officer with { Id = "person:ann", Name = "Ann" }, RecallAsk.Read(Product, "L1", null, null, null, null, out _)!, Ct);
        Assert.Equal($"Ann recall lot L1 of {Product}", await ledger.Gateway.Database.ScalarAsync<string>("select actor_name || ' ' || action || ' ' || entity_key from audit_entry where entity = 'recall_scope'"));
    }

    [Theory]
    [InlineData(null, null, null, null, null, null, "Name one")]
    [InlineData(Product, null, null, null, null, null, "Name one")]
    [InlineData(Product, "L1", null, null, null, "9521234000013", "Name one")]
    [InlineData(Product, null, "9", null, null, null, "Name one")]
    [InlineData(Product, null, "9", "11", null, null, null)]
    [InlineData(Product, null, "9", "8", null, null, "behind")]
    [InlineData("09521234001011", "L1", null, null, null, null, "gtin")]
    [InlineData(null, null, null, null, "urn:x", null, "container")]
    [InlineData(null, null, null, null, null, "9521234000014", "partner")]
    public void What_is_recalled_is_named_in_one_way(string? gtin, string? lot, string? from, string? to, string? container, string? partner, string? wrong)
    {
        var ask = RecallAsk.Read(gtin, lot, from, to, container, partner, out var said);
        Assert.Equal(wrong is null, ask is not null);
        Assert.Contains(wrong ?? "", said ?? "", StringComparison.Ordinal);
    }

    /// <summary>A pallet of twenty went to the wholesaler, who opened it and one of its cases, and sent two packs of that on in a tote.</summary>
    private static async Task<LedgerGateway> SplitAsync()
    {
        var ledger = await LedgerGateway.StartAsync();
        Assert.Equal("", await ledger.CaptureAsync(
            At(0, Commissioned(Packs(1, 20))), At(1, Commissioned(null, [Case(1), Case(2), Case(3), Case(4)])), At(2, Commissioned(null, [Pallet(1)])),
            At(3, Packed(Case(1), Packs(1, 5))), At(4, Packed(Case(2), Packs(6, 5))), At(5, Packed(Case(3), Packs(11, 5))), At(6, Packed(Case(4), Packs(16, 5))),
            At(7, Packed(Pallet(1), Case(1), Case(2), Case(3), Case(4))), At(8, ShippedTo(Wholesaler, Plant, Pallet(1)))));
        Assert.Equal("", await ledger.CaptureAsync(At(10, Received(Wholesaler, Pallet(1))), At(11, Unpacked(Wholesaler, Pallet(1)))));
        Assert.Equal("", await ledger.CaptureAsync(
            At(12, Unpacked(Wholesaler, Case(1), Pack(1), Pack(2))), At(13, Object(EventAction.Add, "commissioning", "active", Wholesaler, Pallet(9))), At(14, Packed(Pallet(9), Pack(1), Pack(2)) with { ReadPoint = new Epcis.Events.Location(Wholesaler) })));
        Assert.Equal("", await ledger.CaptureAsync(At(15, ShippedTo(Dispenser, Wholesaler, Pallet(9)))));
        return ledger;
    }

    private static ObjectEvent ShippedTo(string destination, string place, params string[] epcs) =>
        ShippedFrom(place, epcs) with { Destinations = [new SourceOrDestination("owning_party", "urn:epc:id:pgln:0614141.00999"), new SourceOrDestination("location", destination)] };

    private static string GlnOf(string place) => Epcis.Identifiers.Gln.TryFromAny(place, out var gln) ? gln : "";

    private static RecallScope Scope(LedgerGateway ledger) => new(ledger.Gateway.Database.Gateway, new KnownMasterData(new MasterDataRecords(ledger.Gateway.Database.Gateway)));

    private static Task<RecallAnswer> AskAsync(LedgerGateway ledger, string? lot = null, string? from = null, string? to = null, string? container = null, string? partner = null)
    {
        var ask = RecallAsk.Read(lot is null && from is null ? null : Product, lot, from, to, container, partner, out var wrong);
        Assert.Null(wrong);
        return Scope(ledger).RunAsync(Officer, ask!, Ct);
    }

    private static async Task<List<RecallUnit>> UnitsAsync(LedgerGateway ledger, RecallAnswer answer)
    {
        var units = new List<RecallUnit>();
        await foreach (var unit in Scope(ledger).UnitsAsync(Officer, answer, Ct))
        {
            units.Add(unit);
        }
        return units;
    }
}
