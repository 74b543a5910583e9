using Epcis.Events;
using static Gateway.Journeys.Composing.ShipmentStory;

namespace Gateway.Journeys.Composing;

/// <summary>What is told of a shipment that was not so, and in what a shipment is told.</summary>
public sealed class CorrectionJourneys
{
    [Fact]
    public async Task S8_An_overage_is_a_second_document_and_the_first_stays_as_it_was()
    {
        await using var gateway = await TestGateway.StartAsync();
        var story = new ShipmentStory(gateway);
        await story.KnowAsync();
        await story.PartnerAsync(Warehouse);
        await story.CaptureAsync([.. story.Production(), story.Ship("1", Mah, Plant, Mah, Warehouse, Pallet(1))]);
        await story.ReceivedAsync(Warehouse, 1);
        await story.CaptureAsync(story.Ship("1", Mah, Plant, Mah, Warehouse, Unit("U17")));

        var documents = await story.ReceivedAsync(Warehouse, 2);
        Assert.Empty(documents[1].Errors);
        Assert.Equal([Unit("U17")], documents[1].Epcs);
        Assert.Equal(2L, await gateway.Database.ScalarAsync<long>("select count(distinct message_id) from delivery"));
    }

    [Fact]
    public async Task S9_What_did_not_arrive_is_voided_behind_the_shipment_in_its_lane()
    {
        await using var gateway = await TestGateway.StartAsync();
        var story = new ShipmentStory(gateway);
        await story.KnowAsync();
        await story.PartnerAsync(Warehouse);
        var shipping = story.Ship("1", Mah, Plant, Mah, Warehouse, Pallet(1));
        var production = story.Production();
        await story.CaptureAsync([.. production, shipping with { EventTime = shipping.EventTime!.Value.AddHours(1), EventTimeText = "2026-03-16T09:30:00Z" }]);
        await story.CaptureAsync(story.Void(shipping, Case("C2"), Case("C4")) with { EventTime = shipping.EventTime!.Value.AddDays(1), EventTimeText = "2026-03-17T09:30:00Z", EventId = "urn:uuid:7d6a5a30-6a53-4f6c-9a6e-0f8a4b9b0c11" });

        var documents = await story.ReceivedAsync(Warehouse, 2);
        Assert.Empty(documents[1].Errors);
        var taken = Assert.IsType<ObjectEvent>(Assert.Single(documents[1].Events));
        Assert.Equal(("void_shipping", EventAction.Observe), (documents[1].Steps.Single(), taken.Action));
        // Of what the void names, only what went to this partner.
        Assert.Equal([Case("C2")], taken.EpcList);
        Assert.Equal((2, 2, 2), (taken.BizTransactions.Count, taken.Sources.Count, taken.Destinations.Count));
        Assert.Equal("1 1", await gateway.Database.ScalarAsync<string>("select count(distinct ordering) || ' ' || min(corrects) from delivery"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task S10_A_shipment_in_error_is_declared_to_who_takes_that_and_voided_for_others_and_then_comes_the_correction(bool takesDeclarations)
    {
        await using var gateway = await TestGateway.StartAsync();
        var story = new ShipmentStory(gateway);
        await story.KnowAsync();
        await story.PartnerAsync(Warehouse, new { regulation = "us-dscsa", takesErrorDeclaration = takesDeclarations });
        var production = story.Production();
        var wrong = story.Ship("1", Mah, Plant, Mah, Warehouse, Pallet(1));
        await story.CaptureAsync([.. production, wrong]);
        var right = story.Ship("1", Mah, Plant, Mah, Warehouse, Case("C4"));
        await story.CaptureAsync(
            wrong with { ErrorDeclaration = new ErrorDeclaration { DeclarationTime = Start.AddHours(2), DeclarationTimeText = "2026-03-16T10:00:00Z", Reason = "urn:epcglobal:cbv:er:incorrect_data", CorrectiveEventIds = [right.EventId!] } },
            right);

        var documents = await story.ReceivedAsync(Warehouse, 3);
        Assert.All(documents, d => Assert.Empty(d.Errors));
        Assert.Equal(takesDeclarations ? "shipping" : "void_shipping", documents[1].Steps.Single());
        Assert.Equal([Pallet(1)], documents[1].Epcs);
        var told = documents[1].Events[0];
        Assert.Equal(takesDeclarations ? wrong.EventId : null, told.ErrorDeclaration is null ? null : told.EventId);
        Assert.Equal(takesDeclarations ? [right.EventId!] : [], told.ErrorDeclaration?.CorrectiveEventIds ?? []);
        Assert.Equal(Enumerable.Range(13, 4).Select(n => Unit($"U{n}")).Append(Case("C4")).Order(StringComparer.Ordinal), documents[2].Epcs);
        Assert.Equal(right.EventId, documents[2].Events[^1].EventId);
    }

    [Theory]
    [InlineData("1.2-xml", "epc", "R1.2", "<epcis:EPCISDocument")]
    [InlineData("2.0-xml", "epc", "R1.3", "schemaVersion=\"2.0\"")]
    [InlineData("2.0-json", "epc", "R1.3", "\"urn:epc:id:sscc:")]
    [InlineData("2.0-json", "digital-link", "R1.3", "\"https://id.gs1.org/00/")]
    [InlineData("2.0-xml", "digital-link", "R1.3", ">https://id.gs1.org/00/")]
    public async Task A_partner_gets_its_format_its_identifiers_and_its_release(string format, string ids, string release, string sign)
    {
        await using var gateway = await TestGateway.StartAsync();
        var story = new ShipmentStory(gateway);
        await story.KnowAsync();
        await story.AuthoriseAsync(Mah);
        await story.PartnerAsync(Wholesaler, new { regulation = "us-dscsa", release, ids }, format);
        await story.CaptureAsync([.. story.Production(), story.Ship("1", Mah, Plant, Wholesaler, Wholesaler, Pallet(1))]);

        await story.ReceivedAsync(Wholesaler, 1);
        var document = new ComposedDocument(await gateway.Database.ScalarAsync<byte[]>("select bytes from delivery join document_chunk using (document_id)"), release == "R1.2" ? Epcis.Rules.RuleProfile.Dscsa12 : Epcis.Rules.RuleProfile.Dscsa13);
        Assert.Empty(document.Errors);
        Assert.Contains(sign, document.Text, StringComparison.Ordinal);
        Assert.Equal(16, document.Epcs.Count());
        Assert.Equal(Notice, document.Statement);
        Assert.Equal((release == "R1.2", release == "R1.2" ? "00001012345" : "0001-0123-45"), (document.Header.Extensions.All(x => x.Name != "guidelineVersion"), document.Header.MasterData[0].Attributes[0].Value));
        Assert.Equal(release == "R1.3", document.Events[^1].Extensions.Any(x => x.Name == "dropShipment"));
    }

    [Fact]
    public async Task What_is_more_than_a_partner_takes_is_divided_into_whole_containers_in_order()
    {
        await using var gateway = await TestGateway.StartAsync();
        var story = new ShipmentStory(gateway);
        await story.KnowAsync();
        await story.PartnerAsync(Warehouse, new { regulation = "us-dscsa", maxEvents = 7 });
        await story.CaptureAsync([.. story.Production(), story.Unpack(Plant, Pallet(1)), story.Ship("1", Mah, Plant, Mah, Warehouse, Case("C1"), Case("C2"), Case("C3"), Case("C4"), Unit("U17"))]);

        // Seven events hold all: two that commission, four that pack, and the shipment. Of six, there are two parts.
        Assert.Equal(7, Assert.Single(await story.ReceivedAsync(Warehouse, 1)).Events.Count);
        await story.PartnerAsync(Wholesaler, new { regulation = "us-dscsa", maxEvents = 6 });
        await story.AuthoriseAsync(Mah);
        await story.CaptureAsync([.. story.Production(2, "X"), story.Unpack(Plant, Pallet(2)), story.Ship("2", Mah, Plant, Wholesaler, Wholesaler, Case("XC1"), Case("XC2"), Case("XC3"), Case("XC4"))]);
        var parts = await story.ReceivedAsync(Wholesaler, 2);
        Assert.All(parts, p => Assert.Empty(p.Errors));
        Assert.Equal([10, 10], parts.Select(p => p.Epcs.Count()));
        Assert.Equal([Case("XC1"), Case("XC2"), Case("XC3"), Case("XC4")], parts.SelectMany(p => ((ObjectEvent)p.Events[^1]).EpcList));
        Assert.Equal(2, parts.Select(p => p.Events[^1].EventId).Distinct().Count());

        await gateway.Database.ExecuteAsync("select set_config('app.actor', 'test', false); update partner_profile set max_events = 3");
        await story.CaptureAsync(story.Ship("3", Mah, Plant, Mah, Warehouse, Unit("U18")), story.Ship("4", Mah, Wholesaler, Wholesaler, Wholesaler, Case("XC1")));
        await story.HeldAsync("compose.limit");
    }
}
