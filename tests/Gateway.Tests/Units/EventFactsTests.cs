using Epcis.Cbv;
using Epcis.Events;
using Gateway.Units;
using static Gateway.Tests.Units.Said;

namespace Gateway.Tests.Units;

public sealed class EventFactsTests
{
    [Theory]
    [InlineData(EventAction.Add, "commissioning", "active", "COMMISSION")]
    [InlineData(EventAction.Observe, "encoding", "encoded", "ENCODE encoded")]
    [InlineData(EventAction.Observe, "inspecting", "non_sellable_other", "REJECT non_sellable_other")]
    [InlineData(EventAction.Observe, "inspecting", "active", "REWORK_OK? RELEASE")]
    [InlineData(EventAction.Observe, "sampling", "non_sellable_other", "SAMPLE non_sellable_other")]
    [InlineData(EventAction.Delete, "decommissioning", "inactive", "DECOMMISSION")]
    [InlineData(EventAction.Delete, "decommissioning", "stolen", "DECOMMISSION stolen")]
    [InlineData(EventAction.Delete, "destroying", "destroyed", "DESTROY destroyed")]
    [InlineData(EventAction.Observe, "holding", "non_sellable_other", "HOLD non_sellable_other")]
    [InlineData(EventAction.Observe, "shipping", "in_transit", "SHIP")]
    [InlineData(EventAction.Observe, "void_shipping", "in_progress", "VOID_SHIP")]
    [InlineData(EventAction.Observe, "void_shipping", "active", "VOID_SHIP")]
    [InlineData(EventAction.Delete, "void_shipping", "inactive", "VOID_SHIP")]
    [InlineData(EventAction.Observe, "receiving", "in_progress", "RECEIVE")]
    [InlineData(EventAction.Observe, "receiving", "returned", "RETURN returned")]
    [InlineData(EventAction.Delete, "dispensing", "dispensed", "DECOMMISSION dispensed")]
    [InlineData(EventAction.Observe, "dispensing", "partially_dispensed", "OBSERVE partially_dispensed")]
    [InlineData(EventAction.Observe, "storing", "sellable_accessible", "OBSERVE sellable_accessible")]
    [InlineData(EventAction.Observe, "https://example.org/steps/dusting", null, "OBSERVE")]
    public void An_object_event_states_facts_whatever_the_spelling_of_its_terms(EventAction action, string step, string? disposition, string expected)
    {
        foreach (var spell in new Func<CbvVocabulary, string, string>[] { CbvTerms.ToBare, CbvTerms.ToUrn, CbvTerms.ToWebUri })
        {
            var e = Object(action, spell(CbvVocabulary.BizStep, step), disposition is null ? null : spell(CbvVocabulary.Disposition, disposition), Plant, Pack(1));
            var facts = EventFacts.Of(Story.At(0, e));
            Assert.Equal(expected, string.Join(' ', facts.Select(f => Lifecycle.Word(f.Kind) + (f.IsOnlyIfItFits ? "?" : "") + (f.Reason is null ? "" : " " + f.Reason))));
            Assert.All(facts, f => Assert.Equal([Pack(1)], f.Epcs));
        }
    }

    [Fact]
    public void Aggregations_pack_and_unpack_and_only_an_empty_list_means_all()
    {
        var packed = Assert.Single(EventFacts.Of(Story.At(0, Packed(Case(1), Pack(1), Pack(2)))));
        Assert.Equal((FactKind.Pack, Case(1), 2), (packed.Kind, packed.Parent, packed.Epcs.Count));
        var emptied = Unpacked(Plant, Case(1));
        Assert.Equal((FactKind.Unpack, 0, Case(1)), (EventFacts.Of(Story.At(0, emptied))[0].Kind, EventFacts.Of(Story.At(0, emptied))[0].Epcs.Count, EventFacts.Emptied(emptied)));
        var byClass = emptied with { ChildQuantityList = [new QuantityElement("urn:epc:class:lgtin:9521234.000101.L1", 3, "3", null)] };
        Assert.Equal((FactKind.Observe, null), (EventFacts.Of(Story.At(0, byClass))[0].Kind, EventFacts.Emptied(byClass)));
        Assert.Equal(FactKind.Observe, EventFacts.Of(Story.At(0, Packed(Case(1), Pack(1)) with { Action = EventAction.Observe }))[0].Kind);
    }

    [Fact]
    public void A_transformation_ends_its_inputs_and_commissions_its_outputs()
    {
        var facts = EventFacts.Of(Story.At(0, new TransformationEvent { InputEpcList = [Pack(1)], OutputEpcList = [Pack(2)], Ilmd = Ilmd("L2", "2029-01-31") }));
        Assert.Equal([FactKind.Decommission, FactKind.Commission], facts.Select(f => f.Kind));
        Assert.Equal(("L2", new DateOnly(2029, 1, 31)), (facts[1].Lot, facts[1].Expiry));
    }

    [Fact]
    public void What_is_attached_or_tied_to_a_transaction_is_only_seen()
    {
        Assert.Equal([FactKind.Observe], EventFacts.Of(Story.At(0, new AssociationEvent { Action = EventAction.Add, ParentId = Pallet(1), ChildEpcs = [Pack(1)] })).Select(f => f.Kind));
        Assert.Equal([FactKind.Observe], EventFacts.Of(Story.At(0, new TransactionEvent { Action = EventAction.Add, EpcList = [Pack(1)] })).Select(f => f.Kind));
    }

    [Fact]
    public void Lot_and_expiry_are_read_from_json_and_xml_alike()
    {
        var e = Commissioned(Pack(1)) with
        {
            Ilmd = [new Extension("urn:epcglobal:cbv:mda", "cbvmda", "lotNumber") { Json = "\"L7\"" }, new Extension("urn:epcglobal:cbv:mda", "cbvmda", "itemExpirationDate") { Json = "\"2028-02-29\"" }],
        };
        var fact = EventFacts.Of(Story.At(0, e))[0];
        Assert.Equal(("L7", new DateOnly(2028, 2, 29)), (fact.Lot, fact.Expiry));
    }

    [Fact]
    public void Who_receives_is_who_possesses_or_the_place_and_never_the_owner()
    {
        var received = Received(Dispenser, Pack(1)) with
        {
            Destinations = [new SourceOrDestination("urn:epcglobal:cbv:sdt:owning_party", "urn:epc:id:pgln:0614141.00777"), new SourceOrDestination("urn:epcglobal:cbv:sdt:location", Dispenser)],
        };
        Assert.Equal(Dispenser, EventFacts.Of(Story.At(0, received))[0].Holder);
        var possessed = received with { Destinations = [.. received.Destinations, new SourceOrDestination("possessing_party", "urn:epc:id:pgln:0614141.00888")] };
        Assert.Equal("urn:epc:id:pgln:0614141.00888", EventFacts.Of(Story.At(0, possessed))[0].Holder);
    }

    [Fact]
    public void What_is_shipped_was_seen_last_where_it_left_and_everything_else_is_where_it_was_brought()
    {
        var both = Shipped(Pack(1)) with { ReadPoint = new Location(Line), BizLocation = new Location(Wholesaler) };
        Assert.Equal(Line, EventFacts.Of(Story.At(0, both))[0].Place);
        Assert.Equal(Wholesaler, EventFacts.Of(Story.At(0, both with { BizStep = "storing" }))[0].Place);
    }

    [Fact]
    public void An_event_without_a_time_and_a_declaration_state_nothing()
    {
        Assert.Empty(EventFacts.Of(new LedgerEvent(Commissioned(Pack(1)), 1)));
        Assert.Empty(EventFacts.Of(Story.At(0, Commissioned(Pack(1)) with { ErrorDeclaration = new ErrorDeclaration() })));
    }
}
