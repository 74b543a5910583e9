using Epcis.Events;
using Gateway.Units;
using static Gateway.Tests.Units.Said;

namespace Gateway.Tests.Units;

public sealed class ShippingTests
{
    /// <summary>Ten packs in two cases on a pallet.</summary>
    private static Story Palletised() => new Story().With(
        Commissioned(Packs(1, 10)), Commissioned(Case(1), Case(2)), Commissioned(null, [Pallet(1)]),
        Packed(Case(1), Packs(1, 5)), Packed(Case(2), Packs(6, 5)), Packed(Pallet(1), Case(1), Case(2)));

    [Fact]
    public void A_shipment_writes_the_pallet_alone_and_everything_in_it_is_shipped()
    {
        var story = Palletised();
        var applied = story.Tell(Shipped(Pallet(1)));
        Assert.Equal([story[Pallet(1)]], applied.Changed);
        Assert.Equal((UnitState.Shipped, UnitState.Commissioned), (story[Pack(1)].Top.State, story[Pack(1)].State));
        Assert.Equal(Plant, story[Pack(1)].Top.Location);
    }

    [Fact]
    public void What_is_unpacked_takes_over_where_its_container_was()
    {
        var story = Palletised().With(Shipped(Pallet(1)), Received(Wholesaler, Pallet(1)), Unpacked(Wholesaler, Pallet(1)), Unpacked(Wholesaler, Case(1), Pack(1)));
        Assert.Empty(story.Findings);
        Assert.Equal((UnitState.Commissioned, Wholesaler, Wholesaler), (story[Pack(1)].State, story[Pack(1)].Holder, story[Pack(1)].Location));
        Assert.Equal(Wholesaler, story[Pack(2)].Top.Holder);
    }

    [Theory]
    [InlineData("unpacking")]
    [InlineData("packing")]
    [InlineData("shipping")]
    [InlineData("destroying")]
    [InlineData("dispensing")]
    [InlineData("sampling")]
    [InlineData("inspecting")]
    public void What_another_holder_does_with_shipped_goods_says_that_he_received_them(string step)
    {
        var story = new Story().With(Commissioned(Pack(1)), Commissioned(null, [Pallet(1), Pallet(2)]));
        story.With(step == "unpacking" ? [Packed(Pallet(1), Pack(1)), Shipped(Pallet(1))] : [Shipped(Pack(1))]);
        story.Tell(step switch
        {
            "unpacking" => Unpacked(Wholesaler, Pallet(1), Pack(1)),
            "packing" => Aggregation(EventAction.Add, "packing", Wholesaler, Pallet(2), Pack(1)),
            "shipping" => ShippedFrom(Wholesaler, Pack(1)),
            "destroying" => Ended(Wholesaler, "destroying", "destroyed", Pack(1)),
            "sampling" or "inspecting" => Object(EventAction.Observe, step, "non_sellable_other", Wholesaler, Pack(1)),
            _ => Ended(Wholesaler, "dispensing", "dispensed", Pack(1)),
        });
        Assert.Empty(story.Findings);
        var (unit, expected) = (story[Pack(1)], step switch
        {
            "shipping" => UnitState.Shipped,
            "destroying" => UnitState.Destroyed,
            "dispensing" => UnitState.Decommissioned,
            "sampling" => UnitState.Sampled,
            "inspecting" => UnitState.Rejected,
            _ => UnitState.Commissioned,
        });
        Assert.Equal((expected, step != "shipping"), (unit.State, unit.Has(UnitFlags.ReceiptInferred)));
        Assert.Equal(Wholesaler, unit.Top.Location);
    }

    [Fact]
    public void A_manufacturer_a_logistics_provider_and_a_wholesaler_ship_one_after_another()
    {
        var story = Palletised().With(Shipped(Pallet(1)), ShippedFrom(Wholesaler, Pallet(1)), ShippedFrom(Dispenser, Pallet(1)));
        Assert.Empty(story.Findings);
        Assert.Equal((UnitState.Shipped, Dispenser), (story[Pallet(1)].State, story[Pallet(1)].Location));
    }

    [Fact]
    public void The_shipper_himself_does_nothing_more_with_shipped_goods()
    {
        var story = Palletised().With(Shipped(Pallet(1)), Unpacked(Line, Pallet(1), Case(1)));
        Assert.Equal(["unit.illegal_transition: 3000000001"], story.Findings);
        Assert.Same(story[Pallet(1)], story[Case(1)].Parent);
        story.Tell(Shipped(Pallet(1)));
        Assert.Equal(2, story.Findings.Count());
    }

    [Fact]
    public void Goods_that_were_seen_at_the_receiver_are_still_received_by_what_he_does()
    {
        var story = Palletised().With(Shipped(Pallet(1)), Seen(Wholesaler, Pallet(1)), Unpacked(Wholesaler, Pallet(1)));
        Assert.Empty(story.Findings);
        Assert.True(story[Case(1)].Has(UnitFlags.ReceiptInferred));
    }

    [Fact]
    public void An_inferred_receipt_is_confirmed_by_the_receiving_that_follows()
    {
        var story = Palletised().With(Shipped(Pallet(1)), Unpacked(Wholesaler, Pallet(1), Case(1)), Received(Wholesaler, Pallet(1), Case(1)));
        Assert.Empty(story.Findings);
        Assert.False(story[Pallet(1)].Has(UnitFlags.ReceiptInferred));
        Assert.False(story[Case(1)].Has(UnitFlags.ReceiptInferred));
    }

    [Fact]
    public void A_part_that_arrives_says_that_the_whole_has()
    {
        var story = Palletised().With(Shipped(Pallet(1)), Received(Wholesaler, Case(1)), Received(Wholesaler, Case(2)));
        Assert.Empty(story.Findings);
        Assert.Equal((UnitState.Commissioned, Wholesaler), (story[Pallet(1)].State, story[Pallet(1)].Holder));
        Assert.True(story[Pallet(1)].Has(UnitFlags.ReceiptInferred));
        Assert.Same(story[Pallet(1)], story[Case(1)].Parent);
    }

    [Fact]
    public void Goods_that_were_not_shipped_cannot_be_received()
    {
        var story = Palletised().With(Received(Wholesaler, Pallet(1)));
        Assert.Equal(["unit.illegal_transition: 3000000001"], story.Findings);
    }

    [Fact]
    public void A_list_of_everything_ships_as_its_containers_do()
    {
        string[] all = [.. Packs(1, 10), Case(1), Case(2), Pallet(1)];
        var story = Palletised().With(Shipped(all), Received(Wholesaler, all), ShippedFrom(Wholesaler, all), Voided(all));
        Assert.Empty(story.Findings);
        Assert.Equal(UnitState.Commissioned, story[Pack(1)].Top.State);
        Assert.Same(story[Case(1)], story[Pack(1)].Parent);
    }

    [Fact]
    public void A_void_takes_the_shipment_back()
    {
        var story = Palletised();
        var before = (story[Pallet(1)].State, story[Pallet(1)].Holder, story[Pallet(1)].Flags);
        story.With(Shipped(Pallet(1)), Voided(Pallet(1)));
        Assert.Empty(story.Findings);
        Assert.Equal(before, (story[Pallet(1)].State, story[Pallet(1)].Holder, story[Pallet(1)].Flags));
        story.Tell(Shipped(Pallet(1)));
        Assert.Empty(story.Findings);
    }

    [Fact]
    public void What_did_not_go_leaves_the_container_that_went_and_is_held_until_it_is_found()
    {
        var story = Palletised().With(Shipped(Pallet(1)), Voided(Pack(3)));
        Assert.Equal(["unit.missing: U000003"], story.Findings);
        Assert.Equal((null, UnitState.Commissioned, UnitState.Shipped), (story[Pack(3)].Parent, story[Pack(3)].State, story[Pack(2)].Top.State));
        Assert.Equal((Plant, 4), (story[Pack(3)].Location, story[Case(1)].Children));
        story.With(Shipped(Pack(3)));
        Assert.Equal("unit.held: U000003", story.Findings.Last());
        story.With(Released(Pack(3)), Shipped(Pack(3)));
        Assert.Equal(UnitState.Shipped, story[Pack(3)].State);
    }

    [Fact]
    public void A_return_waits_for_its_inspection()
    {
        var story = new Story().With(Commissioned(Pack(1), Pack(2)), Shipped(Pack(1), Pack(2)), Returned(Wholesaler, Pack(1), Pack(2)));
        Assert.Equal((UnitState.Returned, Wholesaler), (story[Pack(1)].State, story[Pack(1)].Holder));
        story.With(Released(Pack(1)), Ended(Wholesaler, "destroying", "destroyed", Pack(2)));
        Assert.Empty(story.Findings);
        Assert.Equal((UnitState.Commissioned, UnitState.Destroyed), (story[Pack(1)].State, story[Pack(2)].State));
    }

    [Fact]
    public void What_comes_back_alone_is_in_nothing()
    {
        var story = Palletised().With(Shipped(Pallet(1)), Returned(Plant, Pack(1)));
        Assert.Empty(story.Findings);
        Assert.Equal((UnitState.Returned, null, 4), (story[Pack(1)].State, story[Pack(1)].Parent, story[Case(1)].Children));
    }

    [Fact]
    public void A_hold_blocks_shipping_and_nothing_else()
    {
        var story = Palletised().With(Commissioned(Pack(20)), Held(Pack(20)), Shipped(Pack(20)));
        Assert.Equal(["unit.held: U000020"], story.Findings);
        Assert.Equal(UnitState.Commissioned, story[Pack(20)].State);
        story.With(Object(EventAction.Observe, "sampling", null, Line, Pack(20)));
        Assert.Equal(UnitState.Sampled, story[Pack(20)].State);
    }

    [Fact]
    public void A_hold_on_a_pack_holds_the_pallet_around_it_until_it_is_released_or_unpacked()
    {
        var story = Palletised().With(Held(Pack(1)), Held(Pack(7)), Shipped(Pallet(1)));
        Assert.Equal(["unit.held: 3000000001"], story.Findings);
        story.With(Unpacked(Line, Case(1), Pack(1)), Shipped(Pallet(1)));
        Assert.Equal(2, story.Findings.Count());
        story.With(Released(Pack(7)), Shipped(Pallet(1)));
        Assert.Equal(2, story.Findings.Count());
        Assert.Equal(UnitState.Shipped, story[Pallet(1)].State);
    }

    [Fact]
    public void What_leaves_a_held_pallet_stays_held()
    {
        var story = Palletised().With(Held(Pallet(1)), Unpacked(Line, Pallet(1), Case(1)), Unpacked(Line, Case(1), Pack(1)));
        Assert.Equal(["non_sellable_other"], story[Case(1)].Holds);
        Assert.Equal(["non_sellable_other"], story[Pack(1)].Holds);
        Assert.Empty(story[Pack(2)].Holds);
    }

    [Fact]
    public void An_inspection_releases_what_is_held_and_reworks_what_was_rejected()
    {
        var story = new Story().With(Commissioned(Pack(1), Pack(2), Pack(3)), Held(Pack(1)), Object(EventAction.Observe, "inspecting", "non_sellable_other", Line, Pack(2)));
        Assert.Equal(UnitState.Rejected, story[Pack(2)].State);
        story.With(Released(Pack(1), Pack(2), Pack(3)));
        Assert.Empty(story.Findings);
        Assert.All([Pack(1), Pack(2), Pack(3)], p => Assert.Equal((UnitState.Commissioned, 0), (story[p].State, story[p].Holds.Count)));
    }

    [Fact]
    public void Why_a_unit_ended_is_kept()
    {
        var story = new Story().With(Commissioned(Pack(1), Pack(2)), Ended(Plant, "decommissioning", "stolen", Pack(1)), Ended(Plant, "dispensing", "dispensed", Pack(2)));
        Assert.Equal(("stolen", "dispensed"), (story[Pack(1)].Reason, story[Pack(2)].Reason));
        Assert.Equal((UnitState.Decommissioned, UnitState.Decommissioned), (story[Pack(1)].State, story[Pack(2)].State));
    }

    [Fact]
    public void A_unit_is_found_in_any_spelling_whatever_its_first_one()
    {
        var story = new Story().With(Commissioned(Pack(1)), Shipped("https://id.gs1.org/01/09521234001010/21/U000001"));
        Assert.Equal(UnitState.Shipped, story["urn:epc:id:sgtin:952123.0400101.U000001"].State);
        Assert.Single(story.Book.Units);
    }
}
