using Epcis.Events;
using Gateway.Units;
using static Gateway.Tests.Units.Said;

namespace Gateway.Tests.Units;

/// <summary>The exchanges of EXCHANGES.md as far as they are about units: 12 packs of lot A123 in 3 cases on a pallet.</summary>
public sealed class ExchangeTests
{
    private const string Cmo = "urn:epc:id:sgln:0399999.00001.0", Logistics = "urn:epc:id:sgln:0355555.00001.0", Manufacturer = "urn:epc:id:sgln:030001.111121.0";
    private const string Ship = "urn:epc:id:sscc:030001.10000000001", Tote = "urn:epc:id:sscc:0614141.1000000001";

    private static string Pack12(int n) => $"urn:epc:id:sgtin:030001.0012345.10{n:00}";

    private static string Case3(int n) => $"urn:epc:id:sgtin:030001.1012345.20{n:00}";

    private static string[] PacksOf(int @case) => [.. Enumerable.Range(@case * 4 + 1, 4).Select(Pack12)];

    private static readonly string[] s_packs = [.. Enumerable.Range(1, 12).Select(Pack12)], s_cases = [Case3(0), Case3(1), Case3(2)];

    private static PackSpecification? Product(string gtin, DateTime recordedAt) => gtin switch
    {
        "00300010123455" => new PackSpecification(1),
        "10300010123452" => new PackSpecification(2) { Content = "00300010123455", Capacity = 4, IsOfOneLot = true, PerLogisticUnit = 3 },
        _ => null,
    };

    private static ObjectEvent Commission(string place, string? lot, params string[] epcs) => Commissioned(lot, epcs, "2027-03-27") with { ReadPoint = new Location(place), BizLocation = new Location(place) };

    private static AggregationEvent Pack(string place, string parent, params string[] children) => Aggregation(EventAction.Add, "packing", place, parent, children) with { BizLocation = new Location(place) };

    private static ObjectEvent ShipTo(string from, string owner, string to, params string[] epcs) => ShippedFrom(from, epcs) with
    {
        Sources = [new SourceOrDestination("owning_party", Manufacturer), new SourceOrDestination("location", from)],
        Destinations = [new SourceOrDestination("owning_party", owner), new SourceOrDestination("location", to)],
    };

    private static ObjectEvent ReceiveAt(string owner, string place, params string[] epcs) => Received(place, epcs) with
    {
        Destinations = [new SourceOrDestination("owning_party", owner), new SourceOrDestination("location", place)],
    };

    /// <summary>S1: made, packed and sent off by the contract manufacturer.</summary>
    private static Story Made() => new Story(specification: Product).With(
        Commission(Cmo, "A123", s_packs), Commission(Cmo, "A123", s_cases),
        Pack(Cmo, Case3(0), PacksOf(0)), Pack(Cmo, Case3(1), PacksOf(1)), Pack(Cmo, Case3(2), PacksOf(2)),
        Commission(Cmo, null, Ship), Pack(Cmo, Ship, s_cases), ShipTo(Cmo, Manufacturer, Logistics, Ship));

    /// <summary>S2: sold to the wholesaler by the logistics provider, who tells no receipt.</summary>
    private static Story Sold() => Made().With(ShipTo(Logistics, Wholesaler, Wholesaler, Ship));

    /// <summary>S3: received and taken from the pallet.</summary>
    private static Story AtWholesaler() => Sold().With(ReceiveAt(Wholesaler, Wholesaler, Ship), Unpacked(Wholesaler, Ship));

    private static IEnumerable<Unit> Packs(Story story) => s_packs.Select(p => story[p]);

    [Fact]
    public void S1_what_the_contract_manufacturer_made_is_on_its_way()
    {
        var story = Made();
        Assert.Empty(story.Findings);
        Assert.All(Packs(story), p => Assert.Equal((UnitState.Shipped, "A123", Cmo), (p.Top.State, p.Lot, p.Top.Location)));
        Assert.Equal(12, story[Ship].Contents.SelectMany(c => c.Contents).Count());
    }

    [Fact]
    public void S2_the_sale_ships_again_what_nobody_told_to_be_received()
    {
        var story = Sold();
        Assert.Empty(story.Findings);
        Assert.All(Packs(story), p => Assert.Equal((UnitState.Shipped, Logistics), (p.Top.State, p.Top.Location)));
        var between = UnitBook.Replay(story.Events, until: Start.AddMinutes(7), specificationOf: Product).Book;
        Assert.Equal(Cmo, between[Pack12(5)]!.Top.Location);
    }

    [Fact]
    public void S3_the_wholesaler_has_what_was_shipped_to_him()
    {
        var story = AtWholesaler();
        Assert.Empty(story.Findings);
        Assert.All(Packs(story), p => Assert.Equal((UnitState.Commissioned, Wholesaler, Wholesaler, false), (p.Top.State, p.Top.Holder, p.Top.Location, p.Top.Has(UnitFlags.ReceiptInferred))));
        Assert.Equal(0, story[Ship].Children);
    }

    [Fact]
    public void S4_a_part_goes_on_in_a_tote_and_its_siblings_stay()
    {
        var story = AtWholesaler().With(
            Unpacked(Wholesaler, Case3(0), Pack12(1), Pack12(2)), Commission(Wholesaler, null, Tote), Pack(Wholesaler, Tote, Pack12(1), Pack12(2)), ShipTo(Wholesaler, Dispenser, Dispenser, Tote));
        Assert.Empty(story.Findings);
        Assert.Equal([Pack12(1), Pack12(2)], Packs(story).Where(p => p.Top.State == UnitState.Shipped).Select(p => p.Epc));
        Assert.Equal([Pack12(3), Pack12(4)], story[Case3(0)].Contents.Select(p => p.Epc).Order());
    }

    [Fact]
    public void S5_a_drop_shipment_is_in_the_hands_of_the_dispenser_and_not_of_the_owner()
    {
        var story = Made().With(ShipTo(Logistics, Wholesaler, Dispenser, Ship), ReceiveAt(Wholesaler, Dispenser, Ship));
        Assert.Empty(story.Findings);
        Assert.All(Packs(story), p => Assert.Equal((UnitState.Commissioned, Dispenser), (p.Top.State, p.Top.Holder)));
    }

    [Fact]
    public void S8_a_pack_without_data_waits_until_its_data_come_and_is_shipped_by_a_second_document()
    {
        var story = AtWholesaler().With(Seen(Wholesaler, Pack12(13)));
        Assert.Equal(["unit.waiting: 1013"], story.Findings);
        LedgerEvent[] second = [Story.At(0, Commission(Cmo, "A123", Pack12(13)), 50), Story.At(8, ShipTo(Logistics, Wholesaler, Wholesaler, Pack12(13)), 51)];
        Assert.False(story.Book.CanApply(second[0]));
        var replayed = UnitBook.Replay([.. story.Events, .. second], specificationOf: Product);
        Assert.Empty(replayed.Findings);
        Assert.Equal((UnitState.Shipped, Wholesaler), (replayed.Book[Pack12(13)]!.State, replayed.Book[Pack12(13)]!.Location));
    }

    [Fact]
    public void S8_what_was_too_much_goes_back()
    {
        var story = AtWholesaler().With(Unpacked(Wholesaler, Case3(2), Pack12(12)), ShipTo(Wholesaler, Manufacturer, Manufacturer, Pack12(12)), ReceiveAt(Manufacturer, Manufacturer, Pack12(12)));
        Assert.Empty(story.Findings);
        Assert.Equal((UnitState.Commissioned, Manufacturer), (story[Pack12(12)].State, story[Pack12(12)].Holder));
    }

    [Fact]
    public void S9_the_shipment_of_what_did_not_arrive_is_void_and_eleven_are_expected()
    {
        var story = Sold().With(Voided(Pack12(12)) with { ReadPoint = new Location(Logistics) });
        Assert.Equal(11, Packs(story).Count(p => p.Top.State == UnitState.Shipped));
        Assert.Equal(["unit.missing: 1012"], story.Findings);
        story.With(ReceiveAt(Wholesaler, Wholesaler, Ship), ShipTo(Logistics, Wholesaler, Wholesaler, Pack12(12)));
        Assert.Equal(["unit.missing: 1012", "unit.held: 1012"], story.Findings); // Nobody has found it.
        story.With(Released(Pack12(12)), ShipTo(Logistics, Wholesaler, Wholesaler, Pack12(12)));
        Assert.Equal((UnitState.Shipped, 2), (story[Pack12(12)].State, story.Findings.Count()));
    }

    [Fact]
    public void S9_a_lost_shipment_is_void_and_what_was_stolen_ends()
    {
        var story = Sold().With(Voided(Ship) with { ReadPoint = new Location(Logistics) }, Ended(Logistics, "decommissioning", "stolen", Ship));
        Assert.Empty(story.Findings);
        Assert.All(Packs(story), p => Assert.Equal((UnitState.Decommissioned, "stolen"), (p.Top.State, p.Top.Reason)));
        story.Tell(ReceiveAt(Wholesaler, Wholesaler, Ship));
        Assert.Equal(["unit.illegal_transition: 10000000001"], story.Findings);
    }

    [Fact]
    public void S10_an_event_declared_in_error_and_its_correction_leave_what_the_correction_says()
    {
        LedgerEvent[] Events(string lot, string id) => [Story.At(0, Commission(Cmo, lot, s_packs) with { EventId = id }, id == "urn:uuid:a" ? 1 : 90), Story.At(1, Commission(Cmo, "A123", s_cases), 2), Story.At(2, Pack(Cmo, Case3(0), PacksOf(0)), 3)];
        var wrong = Events("A124", "urn:uuid:a");
        Assert.Contains("agg.lot_mixed", UnitBook.Replay(wrong, specificationOf: Product).Findings.Select(f => f.Code));
        var declaration = new LedgerEvent(wrong[0].Event with { ErrorDeclaration = new ErrorDeclaration { Reason = "urn:epcglobal:cbv:er:incorrect_data", CorrectiveEventIds = ["urn:uuid:b"] } }, 80);
        var corrected = UnitBook.Replay([.. wrong, declaration, Events("A123", "urn:uuid:b")[0]], specificationOf: Product);
        Assert.Empty(corrected.Findings);
        Assert.Equal(BookText.Of(UnitBook.Replay(Events("A123", "urn:uuid:b"), specificationOf: Product).Book), BookText.Of(corrected.Book));
    }

    [Fact]
    public void S10_a_void_and_a_fresh_shipment_correct_a_buyer_too()
    {
        var story = Sold().With(Voided(Ship) with { ReadPoint = new Location(Logistics) }, ShipTo(Logistics, Dispenser, Dispenser, Ship), ReceiveAt(Dispenser, Dispenser, Ship));
        Assert.Empty(story.Findings);
        Assert.All(Packs(story), p => Assert.Equal(Dispenser, p.Top.Holder));
    }

    [Fact]
    public void S11_what_was_destroyed_never_ships_and_its_scan_is_told()
    {
        var story = AtWholesaler().With(Unpacked(Wholesaler, Case3(1)), Ended(Wholesaler, "destroying", "destroyed", [Case3(1), .. PacksOf(1)]));
        Assert.Empty(story.Findings);
        Assert.All(PacksOf(1), p => Assert.Equal(UnitState.Destroyed, story[p].State));
        story.With(ShippedFrom(Wholesaler, Pack12(5)), Seen(Dispenser, Pack12(6)), Commission(Cmo, "A123", Pack12(7)));
        Assert.Equal(["unit.illegal_transition: 1005", "unit.illegal_transition: 1006", "unit.duplicate_commission: 1007"], story.Findings);
        Assert.Equal(UnitState.Destroyed, story[Pack12(5)].State);
    }

    [Fact]
    public void S12_a_recalled_lot_is_found_with_every_holder_and_does_not_ship()
    {
        var story = AtWholesaler().With(
            Unpacked(Wholesaler, Case3(0), Pack12(1), Pack12(2)), Commission(Wholesaler, null, Tote), Pack(Wholesaler, Tote, Pack12(1), Pack12(2)), ShipTo(Wholesaler, Dispenser, Dispenser, Tote),
            ReceiveAt(Dispenser, Dispenser, Tote));
        var holders = story.Book.Units.Where(u => u is { Lot: "A123", Level: 1 }).GroupBy(u => u.Top.Holder).ToDictionary(g => g.Key!, g => g.Count());
        Assert.Equal(new Dictionary<string, int> { [Dispenser] = 2, [Wholesaler] = 10 }, holders);
        story.With(Held([.. s_packs]), ShippedFrom(Wholesaler, Case3(1)), ShippedFrom(Dispenser, Tote));
        Assert.Equal(["unit.held: 2001", "unit.held: 1000000001"], story.Findings);
        Assert.All(Packs(story), p => Assert.Equal(UnitState.Commissioned, p.Top.State));
    }
}
