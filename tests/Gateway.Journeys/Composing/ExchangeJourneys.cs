using Epcis.Events;
using static Gateway.Journeys.Composing.ShipmentStory;

namespace Gateway.Journeys.Composing;

/// <summary>The exchanges of EXCHANGES.md as the receiver sees them: exactly the document that it must have.</summary>
public sealed class ExchangeJourneys
{
    private static readonly string[] s_history = ["commissioning", "commissioning", "packing", "packing", "packing", "commissioning", "packing", "shipping"];

    [Fact]
    public async Task S1_The_owner_gets_what_was_packed_for_it_without_a_statement_because_the_owner_stays()
    {
        await using var gateway = await TestGateway.StartAsync();
        var story = new ShipmentStory(gateway);
        await story.KnowAsync();
        await story.PartnerAsync(Warehouse);
        await story.CaptureAsync([.. story.Production(), story.Ship("1", Mah, Plant, Mah, Warehouse, Pallet(1))]);

        var document = Assert.Single(await story.ReceivedAsync(Warehouse, 1));
        Assert.Empty(document.Errors);
        Assert.Equal(s_history, document.Steps);
        Assert.Equal(OnPallet().Order(StringComparer.Ordinal), document.Epcs);
        Assert.Null(document.Statement);
        Assert.DoesNotContain("U17", document.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("C4", document.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task S2_The_wholesaler_gets_the_whole_history_of_exactly_its_pallet_and_the_statement()
    {
        await using var gateway = await TestGateway.StartAsync();
        var story = new ShipmentStory(gateway);
        await story.KnowAsync();
        await story.AuthoriseAsync(Mah);
        await story.PartnerAsync(Wholesaler);
        await story.CaptureAsync([.. story.Production(), story.Ship("1", Mah, Plant, Mah, Warehouse, Pallet(1))]);
        await story.CaptureAsync(story.Receive(Warehouse, Pallet(1)), story.Ship("2", Mah, Warehouse, Wholesaler, Wholesaler, Pallet(1)));

        var document = Assert.Single(await story.ReceivedAsync(Wholesaler, 1));
        Assert.Empty(document.Errors);
        Assert.Equal(s_history, document.Steps);
        Assert.Equal(OnPallet().Order(StringComparer.Ordinal), document.Epcs);
        Assert.Equal(Notice, document.Statement);
        Assert.Equal("GS1 US DSCSA R1.3", document.Header.Extensions.Single(x => x.Name == "guidelineVersion").Text);
        Assert.Equal((Mah, Wholesaler), (document.Header.Sbdh!.Senders[0].Identifier, document.Header.Sbdh.Receivers[0].Identifier));
        // One element for each packaging level, and one for each place and party.
        Assert.Equal(["urn:epc:idpat:sgtin:030001.0012345.*", "urn:epc:idpat:sgtin:030001.1012345.*"], document.Header.MasterData.Where(m => m.VocabularyType.EndsWith("EPCClass", StringComparison.Ordinal)).Select(m => m.Id));
        Assert.Equal(new[] { Mah, Plant, Warehouse, Wholesaler }.Order(StringComparer.Ordinal), document.Header.MasterData.Where(m => m.VocabularyType.EndsWith("Location", StringComparison.Ordinal)).Select(m => m.Id));
        var shipping = document.Events[^1];
        Assert.Null(shipping.BizLocation);
        Assert.Equal("false", shipping.Extensions.Single(x => x.Name == "dropShipment").Text);
        Assert.Empty(((ObjectEvent)document.Events[5]).Ilmd);
        // Transaction information: twelve containers, each with its lot.
        Assert.Equal(12, document.Epcs.Count(e => e.Contains(".0012345.", StringComparison.Ordinal)));
        // An event that was cut is another event; the others are those that were captured.
        Assert.Equal(4L, await gateway.Database.ScalarAsync<long>("select count(*) from event where event_uri is not null and biz_step = 'packing' and position(event_uri in (select convert_from(bytes, 'UTF8') from delivery join document_chunk using (document_id))) > 0"));
        Assert.DoesNotContain(await gateway.Database.ScalarAsync<string>("select event_uri from event where biz_step = 'commissioning' order by event_id limit 1"), document.Text, StringComparison.Ordinal);

        var delivery = await story.DeliveryAsync(Wholesaler);
        var left = delivery.GetProperty("composing").GetProperty("content").GetProperty("leftOut").EnumerateArray().ToDictionary(l => l.GetProperty("reason").GetString()!, l => l.GetProperty("count").GetInt32());
        Assert.Equal(7, left["commissioned with it, and not shipped"]); // six units and a case
        Assert.Equal(1, left["another shipment"]);
        Assert.Equal(1, left["receiving, which is no history of the shipment"]);
    }

    [Fact]
    public async Task S4_The_dispenser_gets_only_the_units_in_its_tote_and_learns_nothing_of_their_siblings()
    {
        await using var gateway = await TestGateway.StartAsync();
        var story = new ShipmentStory(gateway);
        await story.KnowAsync();
        await story.AuthoriseAsync(Wholesaler);
        await story.PartnerAsync(Dispenser);
        await story.CaptureAsync([.. story.Production(), story.Ship("1", Mah, Plant, Wholesaler, Wholesaler, Pallet(1))]);
        await story.CaptureAsync(
            story.Receive(Wholesaler, Pallet(1)), story.Unpack(Wholesaler, Pallet(1), Case("C1")), story.Unpack(Wholesaler, Case("C1"), Unit("U1"), Unit("U2")),
            story.Commission(Wholesaler, Tote(1)), story.Pack(Wholesaler, Tote(1), Unit("U1"), Unit("U2")), story.Ship("2", Wholesaler, Wholesaler, Dispenser, Dispenser, Tote(1)));

        var document = Assert.Single(await story.ReceivedAsync(Dispenser, 1));
        Assert.Empty(document.Errors);
        Assert.Equal(["commissioning", "commissioning", "packing", "shipping"], document.Steps);
        Assert.Equal(new[] { Unit("U1"), Unit("U2"), Tote(1) }.Order(StringComparer.Ordinal), document.Epcs);
        // Whatever the text holds, in whichever place: no sibling, no case, no pallet.
        Assert.All(OnPallet().Except([Unit("U1"), Unit("U2")]), sibling => Assert.DoesNotContain($"{sibling}<", document.Text, StringComparison.Ordinal));
        Assert.Equal(Wholesaler, document.Header.Sbdh!.Senders[0].Identifier);
        Assert.Equal("Example Pharma", document.Header.MasterData[0].Attributes.Single(a => a.Id.EndsWith("manufacturerOfTradeItemPartyName", StringComparison.Ordinal)).Value);
        Assert.Equal(Notice, document.Statement);
    }

    [Fact]
    public async Task S5_Of_a_drop_shipment_both_the_buyer_and_who_gets_the_goods_have_a_document()
    {
        await using var gateway = await TestGateway.StartAsync();
        var story = new ShipmentStory(gateway);
        await story.KnowAsync();
        await story.AuthoriseAsync(Mah);
        await story.PartnerAsync(Wholesaler);
        await story.PartnerAsync(Dispenser);
        await story.CaptureAsync([.. story.Production(), story.Ship("1", Mah, Plant, Wholesaler, Dispenser, Pallet(1)) with { Extensions = [new Extension("http://epcis.gs1us.org/hc/ns", "gs1ushc", "dropShipment") { Text = "true" }] }]);

        foreach (var place in (string[])[Wholesaler, Dispenser])
        {
            var document = Assert.Single(await story.ReceivedAsync(place, 1));
            Assert.Empty(document.Errors);
            Assert.Equal(OnPallet().Order(StringComparer.Ordinal), document.Epcs);
            Assert.Equal(place, document.Header.Sbdh!.Receivers[0].Identifier);
            Assert.Equal("true", document.Events[^1].Extensions.Single(x => x.Name == "dropShipment").Text);
            Assert.True(document.Text.IndexOf("dropShipment>", StringComparison.Ordinal) > document.Text.LastIndexOf("</extension>", StringComparison.Ordinal));
        }
    }
}
