using Epcis.Events;
using Epcis.Rules;

namespace Epcis.Tests.Rules;

public sealed class RuleTests
{
    private static readonly Extension Lot = new("urn:epcglobal:cbv:mda", "cbvmda", "lotNumber") { Text = "998877" };

    private static void Finds(string code, EpcisEvent e) => Assert.Equal([code], An.CodesOf(e));

    private static void FindsNothing(EpcisEvent e) => Assert.Empty(An.CodesOf(e));

    private static QuantityElement Quantity(decimal? number, string? uom) =>
        new(An.Lot, number, number?.ToString(System.Globalization.CultureInfo.InvariantCulture), uom);

    [Fact] public void Sound_events_give_no_findings() => Assert.All(An.Sound, FindsNothing);

    [Fact]
    public void Every_rule_has_its_own_code_and_says_what_it_is_about()
    {
        Assert.Equal(RuleCatalog.All.Count, RuleCatalog.All.Select(r => r.Code).Distinct().Count());
        Assert.All(RuleCatalog.All, r => Assert.EndsWith(".", r.Sentence, StringComparison.Ordinal));
        Assert.All(RuleCatalog.All, r => Assert.EndsWith(".", r.Remedy, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_rule_of_the_assembly_is_in_the_catalogue() => Assert.Equal(
        typeof(Rule).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(Rule)) && !t.IsAbstract).Select(t => t.Name).Order(),
        RuleCatalog.All.Select(r => r.GetType().Name).Order());

    [Fact]
    public void A_finding_says_where_it_is_and_what_the_clause_is()
    {
        var e = An.Aggregation with { ParentId = null, Index = 3, EventId = "urn:uuid:1", Place = new Place(10, 5) };
        var finding = Assert.Single(An.FindingsOf(e).All);
        Assert.Equal((3, "urn:uuid:1", new Place(10, 5), Severity.Error), (finding.Event, finding.EventId, finding.Where, finding.Severity));
        Assert.NotNull(finding.Clause);
    }

    [Theory]
    [InlineData("2026-03-01T12:00:00")]
    [InlineData("2026-03-01T12:00Z")]
    [InlineData("2026-03-01T12:00:00+15:00")]
    [InlineData("yesterday")]
    [InlineData("")]
    public void An_event_time_without_seconds_or_zone_is_an_error(string text) =>
        Finds("EPCIS-TIME-01", An.Observation with { EventTimeText = text });

    [Theory]
    [InlineData("2026-03-01T12:00:00Z")]
    [InlineData("2026-03-01T12:00:00.123456789-14:00")]
    public void An_event_time_with_seconds_and_zone_is_right(string text) => FindsNothing(An.Observation with { EventTimeText = text });

    [Theory]
    [InlineData("Z")]
    [InlineData("+1:00")]
    [InlineData("+14:30")]
    [InlineData("")]
    public void An_offset_that_is_not_hours_and_minutes_is_an_error(string text) =>
        Finds("EPCIS-TIME-02", An.Observation with { EventTimeZoneOffset = text });

    [Fact] public void Adding_children_without_a_parent_is_an_error() => Finds("EPCIS-AGG-01", An.Aggregation with { ParentId = null });

    [Fact]
    public void An_observed_aggregation_needs_no_parent() =>
        FindsNothing(An.Aggregation with { ParentId = null, Action = EventAction.Observe });

    [Fact] public void Adding_no_children_is_an_error() => Finds("EPCIS-AGG-02", An.Aggregation with { ChildEpcs = [] });

    [Fact]
    public void Deleting_without_children_removes_them_all() =>
        FindsNothing(An.Aggregation with { ChildEpcs = [], Action = EventAction.Delete });

    [Fact]
    public void An_association_needs_its_parent_even_when_observed() =>
        Finds("EPCIS-ASSOC-01", An.Association with { ParentId = null, Action = EventAction.Observe });

    [Fact] public void An_association_needs_children() => Finds("EPCIS-ASSOC-02", An.Association with { ChildEpcs = [] });

    [Fact] public void An_object_event_about_nothing_is_an_error() => Finds("EPCIS-OBJ-01", An.Observation with { EpcList = [] });

    [Fact]
    public void Sensor_data_at_a_read_point_needs_no_objects()
    {
        FindsNothing(An.Observation with { EpcList = [], SensorElements = [new SensorElement()] });
        Finds("EPCIS-OBJ-01", An.Observation with { EpcList = [], SensorElements = [new SensorElement()], ReadPoint = null });
    }

    [Fact]
    public void Ilmd_is_for_adding_only()
    {
        Finds("EPCIS-ILMD-01", An.Observation with { Ilmd = [Lot] });
        FindsNothing(An.Observation with { Ilmd = [Lot], Action = EventAction.Add });
    }

    [Fact] public void A_transaction_event_needs_a_transaction() => Finds("EPCIS-TXN-01", An.Transaction with { BizTransactions = [] });

    [Fact]
    public void A_transaction_event_needs_objects_unless_it_deletes()
    {
        Finds("EPCIS-TXN-02", An.Transaction with { EpcList = [] });
        FindsNothing(An.Transaction with { EpcList = [], Action = EventAction.Delete });
        FindsNothing(An.Transaction with { EpcList = [], ParentId = An.Pallet });
    }

    [Fact]
    public void A_transformation_needs_both_sides_or_an_id()
    {
        Finds("EPCIS-XFORM-01", An.Transformation with { InputEpcList = [] });
        Finds("EPCIS-XFORM-01", An.Transformation with { OutputQuantityList = [] });
        FindsNothing(An.Transformation with { InputEpcList = [], TransformationId = "urn:example:mix:1" });
        Finds("EPCIS-XFORM-01", An.Transformation with { InputEpcList = [], OutputQuantityList = [], TransformationId = "urn:example:mix:1" });
    }

    [Theory]
    [InlineData("0", null, "EPCIS-QTY-01")]
    [InlineData("-1", "KGM", "EPCIS-QTY-01")]
    [InlineData("1.5", null, "EPCIS-QTY-02")]
    [InlineData(null, "KGM", "EPCIS-QTY-03")]
    [InlineData("1.5", "kilo", "EPCIS-QTY-04")]
    public void A_quantity_has_its_rules(string? number, string? uom, string code) => Finds(code, An.Observation with
    {
        QuantityList = [Quantity(number is null ? null : decimal.Parse(number, System.Globalization.CultureInfo.InvariantCulture), uom)],
    });

    [Theory]
    [InlineData("10", null)]
    [InlineData("10.0", null)]
    [InlineData("1.5", "KGM")]
    [InlineData(null, null)]
    public void A_sound_quantity_gives_no_findings(string? number, string? uom) => FindsNothing(An.Observation with
    {
        QuantityList = [Quantity(number is null ? null : decimal.Parse(number, System.Globalization.CultureInfo.InvariantCulture), uom)],
    });

    [Fact]
    public void An_old_quantity_event_may_count_zero() =>
        FindsNothing(An.Observation with { EpcList = [], QuantityList = [Quantity(0, null)], WasQuantityEvent = true });

    [Fact]
    public void An_error_declaration_needs_its_time() =>
        Finds("EPCIS-ERR-01", An.Observation with { EventId = "urn:uuid:1", ErrorDeclaration = new ErrorDeclaration { Reason = "incorrect_data" } });

    [Theory]
    [InlineData("did_not_occur")]
    [InlineData("urn:epcglobal:cbv:er:did_not_occur")]
    [InlineData("https://ref.gs1.org/cbv/ER-did_not_occur")]
    public void An_event_that_did_not_occur_is_not_corrected(string reason) => Finds("CBV-ERR-01", An.Observation with
    {
        EventId = "urn:uuid:1",
        ErrorDeclaration = new ErrorDeclaration
        {
            DeclarationTimeText = "2026-03-02T12:00:00Z",
            Reason = reason,
            CorrectiveEventIds = ["urn:uuid:2"],
        },
    });

    [Fact]
    public void A_persistent_disposition_elsewhere_is_warned_about_and_its_value_checked()
    {
        var e = An.Aggregation with { PersistentDisposition = new PersistentDisposition(["completeness_verified"], []) };
        Finds("EPCIS-PDISP-01", e);
        Assert.False(An.FindingsOf(e).HasErrors);
        Finds("CBV-TERM-01", An.Observation with { PersistentDisposition = new PersistentDisposition([], ["complete_ly"]) });
        Finds("EPCIS-PDISP-02", An.Observation with { PersistentDisposition = new PersistentDisposition([], []) });
    }

    [Fact]
    public void A_second_mention_is_warned_about_also_in_another_spelling()
    {
        const string link = "https://example.com/01/80614141123458/21/6789";
        var e = An.Observation with { EpcList = [link, "https://id.gs1.org/01/80614141123458/10/L/21/6789"] };
        Finds("EPCIS-DUP-01", e);
        Assert.False(An.FindingsOf(e).HasErrors);
        Finds("EPCIS-PAR-01", An.Aggregation with { ParentId = link, ChildEpcs = [link] });
    }

    [Theory]
    [InlineData("urn:epc:id:sgtin:0614141.12345.6789", "EPCIS-EPC-01")]
    [InlineData("https://id.gs1.org/00/006141411234567891", "EPCIS-EPC-01")]
    [InlineData("urn:epc:tag:sgtin-96:3.0614141.812345.6789", "EPCIS-EPC-02")]
    [InlineData("urn:epc:raw:96.x0123", "EPCIS-EPC-02")]
    public void A_malformed_identifier_is_an_error_wherever_it_stands(string epc, string code)
    {
        Finds(code, An.Observation with { EpcList = [epc] });
        Assert.Contains(code, An.CodesOf(An.Observation with { ReadPoint = new Location(epc) }));
        Finds(code, An.Aggregation with { ParentId = epc });
        Assert.Contains(code, An.CodesOf(An.Observation with { Sources = [new SourceOrDestination("location", epc)] }));
        Assert.Contains(code, An.CodesOf(An.Observation with { QuantityList = [new QuantityElement(epc, 1, "1", null)] }));
    }

    [Fact]
    public void A_link_of_another_host_with_a_wrong_check_digit_is_warned_about()
    {
        var e = An.Observation with { EpcList = ["https://example.com/00/006141411234567891"] };
        Finds("EPCIS-EPC-03", e);
        Assert.False(An.FindingsOf(e).HasErrors);
    }

    [Fact]
    public void Private_identifiers_are_legal() => FindsNothing(An.Observation with { EpcList = ["urn:example:tote:7"] });

    [Theory]
    [InlineData("urn:epcglobal:cbv:bizstep:shiping")]
    [InlineData("shiping")]
    [InlineData("https://ref.gs1.org/cbv/BizStep-shiping")]
    public void A_misspelt_biz_step_is_an_error_with_a_suggestion(string bizStep)
    {
        var finding = Assert.Single(An.FindingsOf(An.Observation with { BizStep = bizStep }).All);
        Assert.Equal(("CBV-TERM-01", "shipping"), (finding.Code, finding.Suggestion));
    }

    [Fact]
    public void Terms_are_checked_in_every_field()
    {
        Finds("CBV-TERM-01", An.Observation with { Disposition = "on_its_way" });
        Finds("CBV-TERM-01", An.Transaction with { BizTransactions = [new BizTransaction("purchase", "urn:example:po:1")] });
        Finds("CBV-TERM-01", An.Observation with { Destinations = [new SourceOrDestination("shop", "urn:example:shop:1")] });
        Finds("CBV-TERM-02", An.Observation with { BizStep = "urn:epcglobal:cbv:bizstep:transforming" });
    }

    [Fact]
    public void A_missing_biz_step_is_worth_knowing_only() =>
        Assert.Equal(Severity.Info, Assert.Single(An.FindingsOf(An.Observation with { BizStep = null }).All).Severity);
}
