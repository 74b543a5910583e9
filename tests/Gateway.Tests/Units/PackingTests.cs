using Epcis.Events;
using Gateway.Units;
using static Gateway.Tests.Units.Said;

namespace Gateway.Tests.Units;

public sealed class PackingTests
{
    /// <summary>Five packs and what may hold them, all commissioned.</summary>
    private static Story Begun(int packs = 5) => new Story().With(Commissioned(Packs(1, packs)), Commissioned(Case(1), Case(2)), Commissioned(null, [Pallet(1), Pallet(2)]));

    private static Story Full() => Begun().With(Packed(Case(1), Packs(1, 5)));

    private static string[] HeldFor(Story story, params string[] epcs) => [.. epcs.SelectMany(e => story[e].Holds)];

    [Fact]
    public void What_is_packed_is_in_its_container_once()
    {
        var story = Full();
        Assert.Empty(story.Findings);
        Assert.All(Packs(1, 5), p => Assert.Same(story[Case(1)], story[p].Parent));
        Assert.Equal((5, "L1"), (story[Case(1)].Children, story[Case(1)].ContentLot));
        Assert.Equal(Packs(1, 5).Order(), story[Case(1)].Contents.Select(u => u.Epc).Order());
    }

    [Fact]
    public void The_same_link_again_is_nothing()
    {
        var story = Full().With(Packed(Case(1), Packs(1, 5)));
        Assert.Empty(story.Findings);
        Assert.Equal(5, story[Case(1)].Children);
    }

    [Fact]
    public void A_container_that_is_not_commissioned_holds_nothing()
    {
        var story = Begun().With(Ended(Plant, "decommissioning", "inactive", Case(1)), Packed(Case(1), Pack(1), Pack(2)));
        Assert.Equal(["agg.parent_unknown: 00000001"], story.Findings);
        Assert.Null(story[Pack(1)].Parent);
        Assert.Equal(["agg.parent_unknown", "agg.parent_unknown", "agg.parent_unknown"], HeldFor(story, Case(1), Pack(1), Pack(2)));
    }

    [Fact]
    public void A_child_that_is_not_active_is_left_out_and_held_and_so_is_the_container()
    {
        var story = Begun();
        story.State(FactKind.Encode, Pack(9));
        story.Tell(Packed(Case(1), Pack(1), Pack(9)));
        Assert.Equal(["agg.child_not_active: U000009"], story.Findings);
        Assert.Equal((1, null), (story[Case(1)].Children, story[Pack(9)].Parent));
        Assert.Equal(["agg.child_not_active", "agg.child_not_active"], HeldFor(story, Case(1), Pack(9), Pack(1)));
    }

    [Fact]
    public void The_first_of_two_containers_stands_and_all_three_are_held()
    {
        var story = Full().With(Packed(Case(2), Pack(1)));
        Assert.Equal(["agg.second_parent: U000001"], story.Findings);
        Assert.Same(story[Case(1)], story[Pack(1)].Parent);
        Assert.Equal(["agg.second_parent", "agg.second_parent", "agg.second_parent"], HeldFor(story, Pack(1), Case(1), Case(2)));
    }

    [Fact]
    public void No_container_is_within_itself()
    {
        var story = Full().With(Packed(Pallet(1), Case(1)), Packed(Case(1), Pallet(1)), Packed(Case(2), Case(2)));
        Assert.Equal(["agg.cycle: 3000000001", "agg.cycle: 00000002"], story.Findings);
        Assert.Null(story[Pallet(1)].Parent);
        Assert.Equal(["agg.cycle", "agg.cycle", "agg.cycle"], HeldFor(story, Case(1), Pallet(1), Case(2)));
    }

    [Fact]
    public void What_is_packed_is_the_next_level_down()
    {
        var story = Full().With(Commissioned(Pack(8)), Packed(Pallet(1), Case(1)), Packed(Pallet(1), Pack(8)), Packed(Case(2), Case(1)));
        Assert.Equal(["agg.level: U000008", "agg.second_parent: 00000001"], story.Findings);
        story.With(Commissioned(Case(3)), Packed(Case(2), Case(3)));
        Assert.Equal("agg.level: 00000003", story.Findings.Last());
        Assert.Equal(3, story[Pallet(1)].Level);
    }

    [Fact]
    public void Another_product_is_not_what_the_case_holds()
    {
        var other = "urn:epc:id:sgtin:9521234.000202.X1";
        var story = Begun().With(Commissioned(other), Packed(Case(1), other));
        Assert.Equal(["agg.level: X1"], story.Findings);
    }

    [Fact]
    public void A_product_that_nobody_knows_is_not_held_to_level_capacity_or_lot()
    {
        var story = new Story(specification: (_, _) => null).With(Commissioned(Packs(1, 9)), Commissioned("L2", [Pack(10)]), Commissioned(Case(1)), Packed(Case(1), Packs(1, 10)), Shipped(Case(1)));
        Assert.Empty(story.Findings);
        Assert.Equal(10, story[Case(1)].Children);
    }

    [Fact]
    public void A_tote_takes_loose_packs_at_a_wholesaler()
    {
        var story = Begun().With(Packed(Pallet(1), Pack(1), Pack(2)), Packed(Pallet(1), Pack(3)));
        Assert.Empty(story.Findings);
        Assert.Equal((3, 2), (story[Pallet(1)].Children, (int)story[Pallet(1)].Level));
    }

    [Fact]
    public void What_is_too_much_is_left_out()
    {
        var story = Begun(packs: 7).With(Packed(Case(1), Packs(1, 7)));
        Assert.Equal(["agg.over_capacity: U000006 U000007"], story.Findings);
        Assert.Equal(5, story[Case(1)].Children);
        Assert.Equal(["agg.over_capacity", "agg.over_capacity", "agg.over_capacity"], HeldFor(story, Case(1), Pack(6), Pack(7)));
    }

    [Fact]
    public void A_pallet_holds_as_many_cases_as_fit_on_it()
    {
        var cases = Enumerable.Range(1, 5).Select(Case).ToArray();
        var flagged = Packed(Case(1)) with { Extensions = [new Extension(EventFacts.LineNamespace, "line", "partial") { Text = "true" }] };
        var story = new Story().With(Commissioned(cases), Commissioned(null, [Pallet(1)]));
        foreach (var one in cases)
        {
            story.With(Commissioned(Pack(int.Parse(one[^2..], System.Globalization.CultureInfo.InvariantCulture))), flagged with { ParentId = one, ChildEpcs = [Pack(int.Parse(one[^2..], System.Globalization.CultureInfo.InvariantCulture))] });
        }
        story.Tell(Packed(Pallet(1), cases));
        Assert.Equal(["agg.over_capacity: 00000005"], story.Findings);
    }

    [Fact]
    public void A_case_is_of_one_lot_unless_it_is_flagged_as_mixed()
    {
        var story = Begun(2).With(Commissioned("L2", [Pack(3)]), Packed(Case(1), Packs(1, 3)));
        Assert.Equal(["agg.lot_mixed: U000003"], story.Findings);
        Assert.Equal(["agg.lot_mixed", "agg.lot_mixed"], HeldFor(story, Case(1), Pack(3)));
        var mixed = new Story().With(Commissioned("L2", [Pack(3)]), Commissioned(Pack(1), Pack(2)), Commissioned(null, [Case(1)]),
            Packed(Case(1), Packs(1, 3)) with { Extensions = [new Extension(EventFacts.LineNamespace, "line", "mixed") { Json = "true" }] });
        Assert.Empty(mixed.Findings);
        Assert.Equal(3, mixed[Case(1)].Children);
    }

    [Fact]
    public void A_container_that_is_closed_short_is_flagged_as_partial_or_held()
    {
        var story = Begun(3).With(Packed(Case(1), Packs(1, 3)), Packed(Pallet(1), Case(1)));
        Assert.Equal(["agg.short_not_flagged: 00000001"], story.Findings);
        Assert.Equal(["agg.short_not_flagged"], story[Case(1)].Holds);
        Assert.Same(story[Pallet(1)], story[Case(1)].Parent);
        var shipped = Begun(3).With(Packed(Case(1), Packs(1, 3)), Shipped(Case(1)));
        Assert.Equal(["agg.short_not_flagged: 00000001"], shipped.Findings);
        var flagged = Begun(3).With(Packed(Case(1), Packs(1, 3)) with { Extensions = [new Extension(EventFacts.LineNamespace, "line", "partial") { Text = "true" }] }, Packed(Pallet(1), Case(1)));
        Assert.Empty(flagged.Findings);
    }

    [Fact]
    public void A_case_that_was_opened_on_its_way_is_no_fault_when_it_goes_on()
    {
        var story = Full().With(Shipped(Case(1)), Received(Wholesaler, Case(1)), Unpacked(Wholesaler, Case(1), Pack(1)), ShippedFrom(Wholesaler, Case(1)));
        Assert.Empty(story.Findings);
        Assert.Equal(UnitState.Shipped, story[Pack(2)].Top.State);
        Assert.Equal(UnitState.Commissioned, story[Pack(1)].State);
    }

    [Fact]
    public void Only_what_is_in_a_container_is_unpacked_from_it()
    {
        var story = Full().With(Commissioned(Pack(7)), Unpacked(Line, Case(1), Pack(1), Pack(7)));
        Assert.Equal(["agg.not_child: U000007"], story.Findings);
        Assert.Equal((4, null), (story[Case(1)].Children, story[Pack(1)].Parent));
        Assert.Equal(["agg.not_child", "agg.not_child"], HeldFor(story, Case(1), Pack(7)));
    }

    [Fact]
    public void What_leaves_from_between_others_leaves_them_in_their_container()
    {
        var story = Full().With(Unpacked(Line, Case(1), Pack(3)));
        Assert.Equal([Pack(5), Pack(4), Pack(2), Pack(1)], story[Case(1)].Contents.Select(u => u.Epc));
        story.With(Unpacked(Line, Case(1), Pack(5)), Unpacked(Line, Case(1), Pack(1)));
        Assert.Equal([Pack(4), Pack(2)], story[Case(1)].Contents.Select(u => u.Epc));
    }

    [Fact]
    public void Unpacking_without_names_empties_the_container()
    {
        var story = Full().With(Unpacked(Line, Case(1)));
        Assert.Empty(story.Findings);
        Assert.Equal((0, null), (story[Case(1)].Children, story[Case(1)].ContentLot));
        Assert.All(Packs(1, 5), p => Assert.Null(story[p].Parent));
        story.With(Packed(Case(2), Packs(1, 5)));
        Assert.Empty(story.Findings);
    }

    [Theory]
    [InlineData("sampling", EventAction.Observe)]
    [InlineData("inspecting", EventAction.Observe)]
    [InlineData("decommissioning", EventAction.Delete)]
    [InlineData("destroying", EventAction.Delete)]
    [InlineData("shipping", EventAction.Observe)]
    public void What_is_packed_is_unpacked_first(string step, EventAction action)
    {
        var story = Full().With(Object(action, step, "non_sellable_other", Plant, Pack(1)));
        Assert.Equal(["unit.packed: U000001"], story.Findings);
        Assert.Equal((UnitState.Commissioned, story[Case(1)]), (story[Pack(1)].State, story[Pack(1)].Parent));
        Assert.Equal(["unit.packed"], story[Pack(1)].Holds);
        Assert.Equal(1, story[Case(1)].HeldBelow);
    }

    [Fact]
    public void A_container_outside_the_ledger_says_only_where_things_were()
    {
        var story = Begun().With(Packed("urn:epc:id:grai:0614141.12345.400", Pack(1)) with { ReadPoint = new Location(Plant) });
        Assert.Empty(story.Findings);
        Assert.Equal((null, Plant), (story[Pack(1)].Parent, story[Pack(1)].Location));
    }

    [Theory]
    [InlineData(null, "2028-08-31", "lot.missing")]
    [InlineData("L1", "2026-09-14", "lot.expired")]
    [InlineData("L1", "2026-09-13", "lot.expired")]
    [InlineData("L1", "2026-09-15", null)]
    public void A_unit_needs_a_lot_that_has_not_expired(string? lot, string expiry, string? code)
    {
        var story = new Story().With(Commissioned(lot, [Pack(1)], expiry));
        Assert.Equal(code is null ? [] : [code + ": U000001"], story.Findings);
        Assert.Equal(code is null ? UnitState.Commissioned : UnitState.Pool, story[Pack(1)].State);
    }

    [Fact]
    public void A_unit_without_a_lot_is_no_active_child()
    {
        var story = new Story().With(Commissioned(null, [Pack(1)]), Commissioned(Case(1)), Packed(Case(1), Pack(1)));
        Assert.Equal(["lot.missing: U000001", "agg.child_not_active: U000001"], story.Findings);
        Assert.Equal(["agg.child_not_active", "agg.child_not_active"], HeldFor(story, Pack(1), Case(1)));
    }

    [Fact]
    public void The_expiry_is_compared_with_the_day_where_it_was_commissioned()
    {
        var late = new UnitFact(FactKind.Commission, new DateTimeOffset(2026, 9, 14, 23, 30, 0, TimeSpan.FromHours(-6)), 1, [Pack(1)]) { Lot = "L1", Expiry = new DateOnly(2026, 9, 15) };
        Assert.Empty(new UnitBook().Apply([late]).Findings);
    }

    [Fact]
    public void A_second_commissioning_holds_the_unit_and_changes_nothing_else()
    {
        var story = Begun().With(Commissioned("L9", [Pack(1)]));
        Assert.Equal(["unit.duplicate_commission: U000001"], story.Findings);
        Assert.Equal(("L1", UnitState.Commissioned), (story[Pack(1)].Lot, story[Pack(1)].State));
        Assert.Equal(["unit.duplicate_commission"], story[Pack(1)].Holds);
    }

    [Fact]
    public void A_finding_is_a_sentence_for_a_person()
    {
        var story = Begun(7);
        var full = story.Tell(Packed(Case(1), Packs(1, 7))).Findings[0];
        Assert.Equal($"{Pack(6)} and 1 more: it was packed into {Case(1)}, which was full.", full.Sentence);
        Assert.Equal((Case(1), 3L), (full.Container, full.Number));
        Assert.Equal($"{Pack(1)}: SAMPLE while it is in {Case(1)}; it would have to be unpacked first.", story.Tell(Object(EventAction.Observe, "sampling", null, Plant, Pack(1))).Findings[0].Sentence);
        Assert.Equal($"{Pallet(1)}: RECEIVE may not follow COMMISSIONED.", story.Tell(Received(Wholesaler, Pallet(1))).Findings[0].Sentence);
        Assert.Equal($"{Pack(9)}: it was commissioned on 2026-09-14 and expires on 2026-09-01.", story.Tell(Commissioned("L1", [Pack(9)], "2026-09-01")).Findings[0].Sentence);
    }
}
