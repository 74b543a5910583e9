using Epcis.Events;
using Gateway.Units;
using static Gateway.Tests.Units.Said;

namespace Gateway.Tests.Units;

public sealed class ReplayTests
{
    private static Replayed Replay(IEnumerable<LedgerEvent> events, DateTimeOffset? until = null) => UnitBook.Replay(events, until: until, specificationOf: Specification);

    private static IEnumerable<string> Short(Replayed replayed) => replayed.Findings.Select(Story.Short);

    [Fact]
    public void A_fact_before_its_predecessor_waits_and_the_wait_ends_when_that_comes()
    {
        LedgerEvent packs = Story.At(0, Commissioned(Packs(1, 5)), 3), cases = Story.At(1, Commissioned(Case(1)), 4), pack = Story.At(2, Packed(Case(1), Packs(1, 5)), 1), ship = Story.At(3, Shipped(Case(1)), 2);
        var waiting = Replay([pack, ship]);
        Assert.Equal(["unit.waiting: 00000001 U000001 U000002 U000003 U000004 U000005", "unit.waiting: 00000001"], Short(waiting));
        Assert.All(waiting.Book.Units, u => Assert.Equal((UnitState.Pool, true, 0), (u.State, u.Has(UnitFlags.Waiting), u.Holds.Count)));
        Assert.False(waiting.Book.CanApply(packs));
        var less = Replay([pack, ship, packs]);
        Assert.Equal(["unit.waiting: 00000001", "unit.waiting: 00000001"], Short(less));
        Assert.Equal($"{Case(1)}: PACK was told before its commissioning.", less.Findings[0].Sentence);
        var complete = Replay([pack, ship, packs, cases]);
        Assert.Empty(complete.Findings);
        Assert.Equal(UnitState.Shipped, complete.Book[Pack(1)]!.Top.State);
    }

    [Fact]
    public void A_waiting_observation_tells_where_and_a_waiting_hold_holds()
    {
        var story = new Story().With(Seen(Wholesaler, Pack(1)), Held(Pack(2)));
        Assert.Equal(["unit.waiting: U000001", "unit.waiting: U000002"], story.Findings);
        Assert.Equal((Wholesaler, 1), (story[Pack(1)].Location, story[Pack(2)].Holds.Count));
    }

    [Fact]
    public void What_happened_before_the_commissioning_is_told_as_the_fault_that_it_is()
    {
        // As line-formats/f8: a unit is packed ten minutes before it is commissioned.
        var replayed = Replay([Story.At(0, Commissioned(Packs(2, 4))), Story.At(1, Commissioned(Case(1))), Story.At(2, Packed(Case(1), Packs(1, 5))), Story.At(12, Commissioned(Pack(1)))]);
        Assert.Equal(["agg.child_not_active: U000001"], Short(replayed));
        Assert.Equal((UnitState.Commissioned, null, "agg.child_not_active"), (replayed.Book[Pack(1)]!.State, replayed.Book[Pack(1)]!.Parent, Assert.Single(replayed.Book[Pack(1)]!.Holds)));
        Assert.Equal(["agg.child_not_active"], replayed.Book[Case(1)]!.Holds);
    }

    [Fact]
    public void Other_facts_before_the_commissioning_are_told_too()
    {
        var replayed = Replay(
        [
            Story.At(0, Commissioned(Pack(1))), Story.At(1, Packed(Case(1), Pack(1))), Story.At(2, Shipped(Pack(2))), Story.At(3, Commissioned(Case(2))), Story.At(4, Unpacked(Line, Case(2), Pack(3))),
            Story.At(5, Seen(Plant, Pack(4))), Story.At(6, Commissioned(Pack(2), Pack(3), Pack(4), Case(1))),
        ]);
        Assert.Equal(["agg.parent_unknown: 00000001", "agg.not_child: U000003", "unit.illegal_transition: U000002"], Short(replayed).OrderBy(f => f.Contains("illegal", StringComparison.Ordinal)).ThenByDescending(f => f));
        Assert.Equal(["agg.parent_unknown"], replayed.Book[Pack(1)]!.Holds);
        Assert.Empty(replayed.Book[Pack(4)]!.Holds);
    }

    [Fact]
    public void A_late_event_does_not_come_on_top()
    {
        var story = new Story().With(Commissioned(Packs(1, 5)), Commissioned(Case(1)), Commissioned(null, [Pallet(1)]), Packed(Case(1), Packs(1, 5)), Packed(Pallet(1), Case(1)), Seen(Line, Pallet(1)), Shipped(Pallet(1)));
        // Its last event was the packing, but it was shipped with its pallet since.
        Assert.False(story.Book.CanApply(Story.At(5, Unpacked(Line, Case(1), Pack(1)), 99)));
        Assert.False(story.Book.CanApply(Story.At(5, Seen(Line, Pack(1)), 99)));
        Assert.True(story.Book.CanApply(Story.At(6, Received(Wholesaler, Pallet(1)), 99)));
        Assert.True(story.Book.CanApply(Story.At(4, Commissioned(Pack(9)), 99)));
        var late = Replay([.. story.Events, Story.At(5, Unpacked(Line, Case(1), Pack(1)), 99)]);
        Assert.Equal((UnitState.Commissioned, UnitState.Shipped), (late.Book[Pack(1)]!.Top.State, late.Book[Pack(2)]!.Top.State));
    }

    [Fact]
    public void What_was_emptied_out_of_a_container_was_said_of_its_contents_too()
    {
        var story = new Story().With(Commissioned(Packs(1, 5)), Commissioned(Case(1)), Packed(Case(1), Packs(1, 5)), Seen(Line, Case(1)), Unpacked(Line, Case(1)));
        Assert.Equal(story.Events[^1].Number, story[Pack(1)].Last.Number);
        Assert.False(story.Book.CanApply(Story.At(3, Shipped(Pack(1)), 99)));
    }

    [Fact]
    public void Ties_are_taken_in_the_order_of_the_lines_and_then_of_the_file()
    {
        LedgerEvent[] events =
        [
            Story.At(0, Shipped(Case(1)), 1), Story.At(0, Packed(Case(1), Packs(1, 5)), 2), Story.At(0, Commissioned(Packs(1, 5)), 3), Story.At(0, Commissioned(Case(1)), 4),
            Story.At(0, Received(Wholesaler, Case(1)), 5),
        ];
        var replayed = Replay(events);
        Assert.Empty(replayed.Findings);
        Assert.Equal((UnitState.Commissioned, Wholesaler), (replayed.Book[Pack(1)]!.Top.State, replayed.Book[Pack(1)]!.Top.Holder));
        Assert.Equal(["agg.second_parent: U000001"], Short(Replay([Story.At(0, Commissioned(Pack(1), Case(1), Case(2)), 1), Story.At(1, Packed(Case(2), Pack(1)), 2), Story.At(1, Packed(Case(1), Pack(1)), 3)])));
        Assert.Equal(Case(2), Replay([Story.At(0, Commissioned(Pack(1), Case(1), Case(2)), 1), Story.At(1, Packed(Case(1), Pack(1)), 3), Story.At(1, Packed(Case(2), Pack(1)), 2)]).Book[Pack(1)]!.Parent!.Epc);
    }

    [Fact]
    public void A_declaration_and_a_correction_leave_only_the_correction()
    {
        LedgerEvent wrong = Story.At(1, Commissioned("L9", Packs(1, 5)) with { EventId = "urn:uuid:wrong" }), right = Story.At(1, Commissioned("L1", Packs(1, 5)) with { EventId = "urn:uuid:right" }, 10), ship = Story.At(2, Shipped(Packs(1, 5)));
        var declaration = new LedgerEvent(wrong.Event with { ErrorDeclaration = new ErrorDeclaration { DeclarationTime = Start.AddDays(1), Reason = "incorrect_data", CorrectiveEventIds = ["urn:uuid:right"] } }, 9);
        Assert.False(Replay([wrong]).Book.CanApply(declaration));
        var (corrected, only) = (Replay([wrong, ship, declaration, right]), Replay([ship, right]));
        Assert.Equal(BookText.Of(only.Book), BookText.Of(corrected.Book));
        Assert.Empty(corrected.Findings);
        Assert.Equal("L1", corrected.Book[Pack(1)]!.Lot);
        Assert.Equal(BookText.Of(corrected.Book), BookText.Of(Replay([declaration, right, ship, wrong]).Book));
    }

    [Fact]
    public void What_did_not_occur_leaves_what_followed_waiting()
    {
        var wrong = Story.At(1, Commissioned(Pack(1)));
        var declaration = new LedgerEvent(wrong.Event with { ErrorDeclaration = new ErrorDeclaration { Reason = "did_not_occur" } }, 9);
        Assert.Equal(["unit.waiting: U000001"], Short(Replay([wrong, Story.At(2, Shipped(Pack(1))), declaration])));
    }

    [Fact]
    public void An_event_that_two_partners_tell_counts_once()
    {
        var said = Story.At(0, Commissioned(Pack(1)));
        Assert.Empty(Replay([said, said with { Number = 7 }]).Findings);
    }

    [Fact]
    public void A_history_tells_how_things_stood_at_a_moment()
    {
        var story = new Story().With(
            Commissioned(Packs(1, 5)), Commissioned(Case(1)), Commissioned(null, [Pallet(1)]), Packed(Case(1), Packs(1, 5)), Packed(Pallet(1), Case(1)), Shipped(Pallet(1)), Received(Wholesaler, Pallet(1)),
            Unpacked(Wholesaler, Pallet(1)), Unpacked(Wholesaler, Case(1), Pack(1)), Ended(Wholesaler, "dispensing", "dispensed", Pack(1)));
        string At(int minutes)
        {
            var unit = Replay(story.Events, Start.AddMinutes(minutes)).Book[Pack(1)]!;
            return $"{unit.Top.State} in {unit.Parent?.Epc[^2..] ?? "nothing"} at {unit.Top.Location?[16..^2]}";
        }
        Assert.Equal("Commissioned in nothing at 9521234.00001.PL", At(0));
        Assert.Equal("Commissioned in 01 at 9521234.00001.PL", At(3));
        Assert.Equal("Shipped in 01 at 9521234.00001", At(5));
        Assert.Equal("Commissioned in 01 at 0614141.00777", At(6));
        Assert.Equal("Commissioned in 01 at 0614141.00777", At(7));
        Assert.Equal("Commissioned in nothing at 0614141.00777", At(8));
        Assert.Equal("Decommissioned in nothing at 0614141.00777", At(99));
        Assert.Null(Replay(story.Events, Start.AddMinutes(-1)).Book[Pack(1)]);
    }

    [Fact]
    public void Facts_that_no_event_states_are_replayed_among_the_events()
    {
        UnitFact[] facts = [new(FactKind.Encode, Start, 1, Packs(1, 2)), new(FactKind.Allocate, Start.AddMinutes(-1), 2, Packs(1, 2))];
        var replayed = UnitBook.Replay([Story.At(1, Commissioned(Pack(1)))], facts, allocationCheck: true);
        Assert.Empty(replayed.Findings);
        Assert.Equal((UnitState.Commissioned, UnitState.Encoded), (replayed.Book[Pack(1)]!.State, replayed.Book[Pack(2)]!.State));
    }
}
