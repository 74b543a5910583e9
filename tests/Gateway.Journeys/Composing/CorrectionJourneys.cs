using System.Net.Http.Json;
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

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Each_part_of_a_divided_shipment_is_corrected_behind_it_also_where_it_was_taken_back_before_it_was_divided(bool beforeIsComposed)
    {
        await using var gateway = await TestGateway.StartAsync();
        var story = new ShipmentStory(gateway);
        await story.KnowAsync();
        await story.PartnerAsync(Warehouse, new { regulation = "us-dscsa", maxEvents = 6 });
        var production = story.Production();
        var shipping = story.Ship("1", Mah, Plant, Mah, Warehouse, Case("C1"), Case("C2"), Case("C3"), Case("C4"));
        var (first, second) = (story.Void(shipping, Case("C2"), Case("C3")), story.Void(shipping, Case("C1")));
        var unpacking = At(story.Unpack(Plant, Pallet(1)), Start.AddMinutes(20));
        if (beforeIsComposed)
        {
            await story.CaptureAsync([.. production.Skip(1), unpacking, At(shipping, Start.AddHours(1))]);
            await story.HeldAsync("compose.path");
            await story.CaptureAsync(At(first, Start.AddHours(2)), At(second, Start.AddHours(3)));
            await story.CaptureAsync(production[0]);
        }
        else
        {
            await story.CaptureAsync([.. production, unpacking, At(shipping, Start.AddHours(1))]);
            await story.ReceivedAsync(Warehouse, 2);
            await story.CaptureAsync(At(first, Start.AddHours(2)), At(second, Start.AddHours(3)));
        }

        // C2 is in the first part, C3 in the second; C1 in the first alone, so nothing of it is said of the second.
        var documents = await story.ReceivedAsync(Warehouse, 5);
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from delivery where state = 'due'") == 0);
        Assert.All(documents, d => Assert.Empty(d.Errors));
        Assert.Equal([Case("C1"), Case("C2"), Case("C3")], documents.Where(d => d.Steps.Last() == "void_shipping").SelectMany(d => ((ObjectEvent)d.Events[0]).EpcList).Order(StringComparer.Ordinal));
        Assert.Equal(0L, await gateway.Database.ScalarAsync<long>("""
            select count(*) from delivery c join delivery d on d.delivery_id = c.corrects join attempt ca on ca.delivery_id = c.delivery_id join attempt da on da.delivery_id = d.delivery_id where ca.started_at < da.ended_at
            """));
        Assert.Equal("closed, gateway's own", await gateway.Database.ScalarAsync<string>("""
            select string_agg(concat(d.state, case when n.actor = 'system:composing' and n.action = 'close' then ', gateway''s own' end), ' ') from delivery d left join delivery_decision n using (delivery_id) where d.state <> 'delivered'
            """));
    }

    [Fact]
    public async Task A_void_takes_back_the_last_shipment_of_its_goods_and_no_earlier_one()
    {
        await using var gateway = await TestGateway.StartAsync();
        var story = new ShipmentStory(gateway);
        await story.KnowAsync();
        await story.PartnerAsync(Warehouse);
        var (once, again) = (story.Ship("1", Mah, Plant, Mah, Warehouse, Pallet(1)), story.Ship("2", Mah, Plant, Mah, Warehouse, Pallet(1)));
        await story.CaptureAsync([.. story.Production(), At(once, Start.AddHours(1))]);
        await story.CaptureAsync(At(story.Receive(Plant, Pallet(1)), Start.AddHours(2)));
        await story.CaptureAsync(At(again, Start.AddHours(3)));
        await story.ReceivedAsync(Warehouse, 2);
        // It names no despatch advice, so only its goods say which shipment it is of.
        await story.CaptureAsync(At(story.Void(again, Pallet(1)) with { BizTransactions = [] }, Start.AddHours(4)));
        // And this one names the first shipment's.
        await story.CaptureAsync(At(story.Void(once, Pallet(1)), Start.AddHours(5)));
        await story.ReceivedAsync(Warehouse, 4);
        Assert.Equal("2 1", await gateway.Database.ScalarAsync<string>("select string_agg(corrects::text, ' ' order by delivery_id) from delivery where corrects is not null"));
    }

    [Fact]
    public async Task What_takes_back_nothing_that_was_sent_and_what_ships_quantities_alone_is_said_to_a_person_and_ends_when_he_closes_it()
    {
        await using var gateway = await TestGateway.StartAsync();
        var story = new ShipmentStory(gateway);
        await story.KnowAsync();
        await story.PartnerAsync(Warehouse);
        var shipping = story.Ship("1", Mah, Plant, Mah, Warehouse, Pallet(1));
        await story.CaptureAsync([.. story.Production(), At(shipping, Start.AddHours(1))]);
        await story.ReceivedAsync(Warehouse, 1);
        await story.CaptureAsync(At(story.Void(shipping, Case("C4")), Start.AddHours(2)));
        Assert.Contains("Nothing of what is taken back was in the document", await story.HeldAsync("compose.invalid"), StringComparison.Ordinal);
        await CloseAsync(gateway, 2);

        await story.CaptureAsync(At(story.Ship("2", Mah, Plant, Mah, Warehouse) with { QuantityList = [new QuantityElement($"urn:epc:class:lgtin:030001.0012345.{Lot}", 4, "4", null)] }, Start.AddHours(3)));
        Assert.Contains("names no unit by its serial number", await story.HeldAsync("compose.invalid"), StringComparison.Ordinal);
        await CloseAsync(gateway, 3);
        Assert.Equal("resolved resolved", await gateway.Database.ScalarAsync<string>("select string_agg(state, ' ') from exception where code = 'compose.invalid'"));
    }

    private static async Task CloseAsync(TestGateway gateway, long delivery)
    {
        using var officer = gateway.Client("officer");
        using var closed = await officer.PostAsJsonAsync($"api/deliveries/{delivery}/close", new { reason = "Told by telephone" }, TestContext.Current.CancellationToken);
        Assert.True(closed.IsSuccessStatusCode, await closed.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private static T At<T>(T e, DateTimeOffset at) where T : EpcisEvent =>
        e with { EventTime = at, EventTimeText = at.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture), EventId = $"urn:uuid:{Guid.NewGuid()}" };
}
