using System.Globalization;
using System.Text.Json;
using System.Xml.Linq;
using Gateway.Host.Simulate;

namespace Gateway.Journeys.Simulate;

public sealed class ShipmentGeneratorTests
{
    static readonly SimulatedParty Shipper = SimulatedParty.AtOneAddress("9521234000006", 7, "Shipper");
    static readonly SimulatedParty Partner = SimulatedParty.AtOneAddress("9525678000004", 7, "Partner & Sons");

    static ShipmentPlan Plan(long sequence) => new(
        sequence, Shipper, Partner, new DateTimeOffset(2026, 5, 4, 9, 0, 0, TimeSpan.FromHours(-4)), "LOT1", new DateOnly(2028, 4, 30));

    [Theory]
    [InlineData(1, 1, false)]
    [InlineData(5, 20, false)]
    [InlineData(3, 4, true)] // the missing parent is against the standard, not against its schema
    public void Shipment_is_valid_against_the_schema_of_gs1(int cases, int unitsPerCase, bool omitCaseParent)
    {
        var plan = Plan(1) with { Cases = cases, UnitsPerCase = unitsPerCase, OmitCaseParent = omitCaseParent };
        using var document = new MemoryStream(new ShipmentGenerator(7).Xml(plan));
        Assert.Empty(Gs1Schema.ErrorsOf(document));
    }

    [Fact]
    public void Same_seed_and_plan_give_the_same_bytes_and_another_seed_does_not()
    {
        var bytes = new ShipmentGenerator(7).Xml(Plan(1));
        Assert.Equal(bytes, new ShipmentGenerator(7).Xml(Plan(1)));
        Assert.NotEqual(bytes, new ShipmentGenerator(8).Xml(Plan(1)));
    }

    [Fact]
    public void No_identifier_repeats_in_two_hundred_shipments()
    {
        var generator = new ShipmentGenerator(7);
        var documents = Enumerable.Range(1, 200).Select(n => Load(generator.Xml(Plan(n)))).ToList();

        var commissioned = documents.SelectMany(d => d.Descendants("ObjectEvent"))
            .Where(e => e.Element("action")?.Value == "ADD").SelectMany(e => e.Descendants("epc")).Select(e => e.Value).ToList();
        Assert.Equal(200 * (12 + 3 + 1), commissioned.Count);
        Assert.Equal(commissioned.Count, commissioned.Distinct().Count());

        var eventIds = documents.SelectMany(d => d.Descendants("eventID")).Select(e => e.Value).ToList();
        Assert.Equal(eventIds.Count, eventIds.Distinct().Count());
    }

    [Fact]
    public void The_shipment_names_the_pallet_alone_and_its_contents_come_before_it_in_time_order()
    {
        var document = Load(new ShipmentGenerator(7).Xml(Plan(1)));
        var events = document.Descendants("EventList").Single().Elements().ToList();
        var times = events.Select(e => DateTimeOffset.Parse(e.Element("eventTime")!.Value, CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(times.Order(), times);
        Assert.Equal(Plan(1).ShippedAt, times[^1]);

        var pallet = events.Last(e => e.Name == "AggregationEvent").Element("parentID")!.Value;
        Assert.Equal(pallet, Assert.Single(events[^1].Descendants("epc")).Value);
        Assert.Null(events[^1].Element("bizLocation"));
    }

    [Fact]
    public void Omitting_the_parent_leaves_the_pallet_its_own()
    {
        var packing = Load(new ShipmentGenerator(7).Xml(Plan(1) with { OmitCaseParent = true })).Descendants("AggregationEvent");
        Assert.Equal([false, false, false, true], packing.Select(e => e.Element("parentID") is not null));
    }

    [Fact]
    public void Json_tells_the_same_events_about_the_same_objects_as_xml()
    {
        var generator = new ShipmentGenerator(7);
        var xml = Load(generator.Xml(Plan(1)));
        using var json = JsonDocument.Parse(generator.Json(Plan(1)));
        var events = json.RootElement.GetProperty("epcisBody").GetProperty("eventList").EnumerateArray().ToList();

        Assert.Equal(
            xml.Descendants("EventList").Elements().Select(e => $"{e.Name} {e.Descendants("eventID").Single().Value} {e.Element("parentID")?.Value}"),
            events.Select(e => $"{e.GetProperty("type")} {e.GetProperty("eventID")} {(e.TryGetProperty("parentID", out var parent) ? parent : null)}"));
        Assert.Equal(
            xml.Descendants("epc").Select(e => e.Value),
            events.SelectMany(e => e.GetProperty(e.TryGetProperty("epcList", out _) ? "epcList" : "childEPCs").EnumerateArray()).Select(e => e.GetString()));
        Assert.True(json.RootElement.GetProperty("gs1ushc:dscsaTransactionStatement").GetProperty("gs1ushc:affirmTransactionStatement").GetBoolean());
    }

    [Fact]
    public void Commissioning_document_is_valid_and_holds_exactly_the_units_asked_for()
    {
        using var document = new MemoryStream();
        CommissioningDocument.Write(document, units: 2_500, perEvent: 1_000, seed: 3);
        document.Position = 0;
        var events = XDocument.Load(document).Descendants("ObjectEvent").ToList();
        Assert.Equal([1_000, 1_000, 500], events.Select(e => e.Descendants("epc").Count()));
        Assert.Equal(2_500, events.SelectMany(e => e.Descendants("epc")).Select(e => e.Value).Distinct().Count());
        document.Position = 0;
        Assert.Empty(Gs1Schema.ErrorsOf(document));
    }

    [Fact]
    public void Aggregation_document_is_valid_and_packs_each_unit_once_in_cases_of_its_own()
    {
        using var document = new MemoryStream();
        AggregationDocument.Write(document, units: 2_500, perEvent: 1_000, seed: 3);
        document.Position = 0;
        var events = XDocument.Load(document).Descendants("AggregationEvent").ToList();
        Assert.Equal([1_000, 1_000, 500], events.Select(e => e.Descendants("epc").Count()));
        Assert.Equal(2_500, events.SelectMany(e => e.Descendants("epc")).Select(e => e.Value).Distinct().Count());
        Assert.Equal(3, events.Select(e => e.Element("parentID")!.Value).Distinct().Count());
        document.Position = 0;
        Assert.Empty(Gs1Schema.ErrorsOf(document));
    }

    [Fact]
    public void Commissioning_document_reaches_the_stream_in_small_pieces()
    {
        using var pieces = new LargestWrite();
        CommissioningDocument.Write(pieces, units: 100_000, perEvent: 100_000, seed: 3);
        Assert.InRange(pieces.Bytes, 1, 64 * 1024);
    }

    static XDocument Load(byte[] document) => XDocument.Load(new MemoryStream(document));

    sealed class LargestWrite : MemoryStream
    {
        public int Bytes { get; private set; }

        public override void Write(byte[] buffer, int offset, int count) => Bytes = Math.Max(Bytes, count);

        public override void Write(ReadOnlySpan<byte> buffer) => Bytes = Math.Max(Bytes, buffer.Length);
    }
}
