using Epcis.Events;
using Gateway.Units;
using static Gateway.Tests.Units.Said;

namespace Gateway.Tests.Units;

/// <summary>What lines say and EPCIS has no word for (docs/decisions/0027).</summary>
public sealed class LineWordsTests
{
    private static Extension Word(string name, string text) => new(EventFacts.LineNamespace, "gw", name) { Text = text };

    private static ObjectEvent Internal(string step, params string[] epcs) =>
        new() { EventTime = Start, EventTimeZoneOffset = "+00:00", Action = EventAction.Observe, BizStep = "urn:gateway:line:" + step, EpcList = epcs };

    [Fact]
    public void Internal_events_move_a_number_before_it_is_a_unit()
    {
        var replayed = UnitBook.Replay(
        [
            Story.At(0, Internal("encode", [.. Packs(1, 3)])), Story.At(1, Internal("reject", Pack(1)) with { Extensions = [Word("reason", "NOREAD")] }), Story.At(2, Internal("scrap", Pack(2))),
            Story.At(3, Internal("unused", Pack(4))), Story.At(4, Internal("void", Pack(4))),
        ]);
        Assert.Empty(replayed.Findings);
        Assert.Equal([UnitState.Rejected, UnitState.Scrapped, UnitState.Encoded, UnitState.Voided], Packs(1, 4).Select(p => replayed.Book[p]!.State));
        Assert.Equal("NOREAD", replayed.Book[Pack(1)]!.Reason);
        Assert.True(EventFacts.IsInternal(Internal("encode")));
        Assert.False(EventFacts.IsInternal(Commissioned(Pack(1))));
    }

    [Fact]
    public void What_is_one_event_happens_one_after_another()
    {
        var facts = EventFacts.Of(new LedgerEvent(Commissioned(Packs(1, 4)) with { EventTime = Start, Extensions = [Word("at", "0 150 150 900")] }, 1));
        Assert.Equal([(Start, 1), (Start.AddMilliseconds(150), 2), (Start.AddMilliseconds(900), 1)], facts.Select(f => (f.Time, f.Epcs.Count)));
        // Of a list that does not fit nothing is guessed.
        Assert.Equal([4], EventFacts.Of(new LedgerEvent(Commissioned(Packs(1, 4)) with { EventTime = Start, Extensions = [Word("at", "0 150")] }, 1)).Select(f => f.Epcs.Count));
        Assert.Equal([4], EventFacts.Of(new LedgerEvent(Commissioned(Packs(1, 4)) with { EventTime = Start, Extensions = [Word("at", "0 150 x 900")] }, 1)).Select(f => f.Epcs.Count));
    }

    [Fact]
    public void A_line_closes_a_container_that_is_not_full()
    {
        LedgerEvent[] made = [Story.At(0, Commissioned(Packs(1, 4))), Story.At(1, Commissioned(Case(1)))];
        var pack = Packed(Case(1), Packs(1, 4));
        var open = UnitBook.Replay([.. made, Story.At(2, pack)], specificationOf: Specification);
        Assert.Empty(open.Findings);
        var closed = UnitBook.Replay([.. made, Story.At(2, pack with { Extensions = [Word("closed", "true")] })], specificationOf: Specification);
        Assert.Equal(UnitCodes.ShortNotFlagged, Assert.Single(closed.Findings).Code);
        Assert.Equal([UnitCodes.ShortNotFlagged], closed.Book[Case(1)]!.Holds);
        Assert.Empty(UnitBook.Replay([.. made, Story.At(2, pack with { Extensions = [Word("closed", "true"), Word("partial", "true")] })], specificationOf: Specification).Findings);
    }
}
