using System.Net.Http.Json;
using System.Text.Json;
using Epcis.Events;
using static Gateway.Journeys.Composing.ShipmentStory;

namespace Gateway.Journeys.Composing;

/// <summary>EXCHANGES.md, S11: a case is crushed and destroyed where it is, on the seller's authority. Who agreed is told, and nothing of it ever leaves again.</summary>
public sealed class DamageJourneys
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("us-dscsa")]
    [InlineData("none")]
    public async Task S11_Who_agreed_is_told_what_was_destroyed_and_nobody_else(string regulation)
    {
        await using var gateway = await TestGateway.StartAsync();
        var story = await AtWholesalerAsync(gateway);
        await story.PartnerAsync(Mah, new { regulation });
        await story.PartnerAsync(Dispenser);
        string[] units = [Unit("U1"), Unit("U2"), Unit("U3"), Unit("U4")];
        EpcisEvent[] unpacked = [story.Unpack(Wholesaler, Pallet(1), Case("C1")), story.Unpack(Wholesaler, Case("C1"), units)];
        var destroyed = Destroy(story, [Case("C1"), .. units]);
        await story.TellAsync(Wholesaler, [.. unpacked, destroyed]);

        var document = Assert.Single(await story.ReceivedAsync(Mah, 1));
        if (regulation == "us-dscsa")
        {
            Assert.Empty(document.Errors);
        }
        var told = (ObjectEvent)Assert.Single(document.Events);
        Assert.Equal((EventAction.Delete, destroyed.EventId), (told.Action, told.EventId));
        Assert.Equal(["destroying"], document.Steps);
        Assert.EndsWith(":destroyed", told.Disposition, StringComparison.Ordinal);
        Assert.Equal(destroyed.EpcList, told.EpcList);
        Assert.Equal(destroyed.BizLocation!.Id, told.BizLocation?.Id);
        Assert.Equal((Wholesaler, Mah), (document.Header.Sbdh!.Senders[0].Identifier, document.Header.Sbdh.Receivers[0].Identifier));
        Assert.Null(document.Statement);
        Assert.Equal(1L, await gateway.Database.ScalarAsync<long>($"select count(*) from delivery where partner_id = (select partner_id from partner_gln where gln = '{GlnOf(Mah)}')"));
        Assert.Equal(0L, await gateway.Database.ScalarAsync<long>($"select count(*) from delivery where partner_id = (select partner_id from partner_gln where gln = '{GlnOf(Dispenser)}')"));
        Assert.Contains("evidence", (await story.DeliveryAsync(Mah)).GetProperty("composing").GetProperty("kind").GetString(), StringComparison.Ordinal);
        // Real bytes: what the partner's server has taken is what is kept.
        Assert.Equal(await gateway.Database.ScalarAsync<string>("select encode(d.sha256, 'hex') from document d join delivery using (document_id) where compose_kind = 'evidence'"),
            Assert.Single(gateway.Partner.Received, m => m.Path.EndsWith(GlnOf(Mah), StringComparison.Ordinal)).Sha256, ignoreCase: true);
        Assert.Equal("nothing", await gateway.Database.ScalarAsync<string>("select coalesce(string_agg(concat_ws(' ', code, message), ','), 'nothing') from exception"));

        // Told again by another party, it is not sent again.
        await story.CaptureAsync(destroyed);
        Assert.Equal(1L, await gateway.Database.ScalarAsync<long>("select count(*) from delivery where compose_kind = 'evidence'"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task S11_What_was_destroyed_neither_ships_nor_is_clean_and_whoever_scans_it_is_told(bool composed)
    {
        await using var gateway = await TestGateway.StartAsync();
        var story = await AtWholesalerAsync(gateway);
        await story.AuthoriseAsync(Wholesaler);
        if (composed)
        {
            await story.PartnerAsync(Dispenser);
        }
        else
        {
            await gateway.AddPartnerAsync(GlnOf(Dispenser), $"well/{GlnOf(Dispenser)}");
        }
        await story.TellAsync(Wholesaler, story.Unpack(Wholesaler, Pallet(1), Case("C1")), story.Unpack(Wholesaler, Case("C1"), Unit("U1"), Unit("U2"), Unit("U3"), Unit("U4")), Destroy(story, Case("C1"), Unit("U1"), Unit("U2")));
        Assert.Equal("DESTROYED", (await UnitAsync(gateway, Unit("U1"))).GetProperty("state").GetString());

        // A good unit and a destroyed one in one shipment: none of it goes, and both sides are told why.
        var shipment = story.Ship("2", Wholesaler, Wholesaler, Dispenser, Dispenser, Unit("U1"), Unit("U3"));
        var shipped = await story.TellAsync(Wholesaler, shipment);
        Assert.Contains(Unit("U1"), await story.HeldAsync("compose.held"), StringComparison.Ordinal);
        Assert.Equal($"unit.illegal_transition open {Unit("U1")}", await FoundAsync(gateway, shipped));
        // Told again by another party, with which it moves nothing and so finds nothing, it does not go either.
        var again = await story.CaptureAsync(shipment);
        Assert.Equal(("nothing", 0L), (await FoundAsync(gateway, again), await gateway.Database.ScalarAsync<long>(
            $"select count(*) from delivery where compose_kind is null and capture_id = (select capture_id from capture where public_id = '{again}') and partner_id = (select partner_id from partner_gln where gln = '{GlnOf(Dispenser)}')")));
        var unit = await UnitAsync(gateway, Unit("U1"));
        Assert.Equal("DESTROYED", unit.GetProperty("state").GetString());
        Assert.NotEqual(0, unit.GetProperty("holds").GetArrayLength());
        using (var officer = gateway.Client("officer"))
        {
            var listed = await officer.GetFromJsonAsync<JsonElement>("api/exceptions?code=unit.illegal_transition", Ct);
            Assert.Equal(1, listed.GetProperty("items").GetArrayLength());
        }

        // Neither an inspection nor a new packing makes it good, nor what contains it.
        await story.TellAsync(Wholesaler, story.Receive(Wholesaler, Unit("U1")) with { BizStep = "urn:epcglobal:cbv:bizstep:inspecting", Disposition = "urn:epcglobal:cbv:disp:active" });
        await story.TellAsync(Wholesaler, story.Commission(Wholesaler, Tote(1)), story.Pack(Wholesaler, Tote(1), Unit("U2"), Unit("U4")), story.Ship("3", Wholesaler, Wholesaler, Dispenser, Dispenser, Tote(1)));
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from delivery where state = 'due' and compose_findings @> '[{\"code\": \"compose.held\"}]'") == 2);
        Assert.Equal(("DESTROYED", "DESTROYED"), ((await UnitAsync(gateway, Unit("U1"))).GetProperty("state").GetString(), (await UnitAsync(gateway, Unit("U2"))).GetProperty("state").GetString()));

        // Whatever is told of it later, such as a scan at somebody else's, is told to a person with its serial.
        var seen = await story.CaptureAsync(story.Receive(Dispenser, Unit("U2")) with { BizStep = "urn:epcglobal:cbv:bizstep:inspecting", Disposition = "urn:epcglobal:cbv:disp:in_progress" });
        Assert.Equal($"unit.illegal_transition open {Unit("U2")}", await FoundAsync(gateway, seen));
        var received = await story.CaptureAsync(story.Receive(Dispenser, Unit("U1")));
        Assert.Equal($"unit.illegal_transition open {Unit("U1")}", await FoundAsync(gateway, received));

        Assert.Equal(0L, await gateway.Database.ScalarAsync<long>($"select count(*) from attempt join delivery using (delivery_id) where partner_id = (select partner_id from partner_gln where gln = '{GlnOf(Dispenser)}')"));
    }

    private static Task<string> FoundAsync(TestGateway gateway, Guid capture) => gateway.Database.ScalarAsync<string>(
        $"select coalesce(string_agg(code || ' ' || state || ' ' || epc, ',' order by epc), 'nothing') from exception join exception_unit using (exception_id) where source_id = '{capture}'");

    private static async Task<JsonElement> UnitAsync(TestGateway gateway, string epc)
    {
        using var officer = gateway.Client("officer");
        return await officer.GetFromJsonAsync<JsonElement>($"api/units?epc={Uri.EscapeDataString(epc)}", Ct);
    }

    // With the party that has agreed to it as its destination.
    private static ObjectEvent Destroy(ShipmentStory story, params string[] epcs) => story.Receive(Wholesaler, epcs) with
    {
        Action = EventAction.Delete, BizStep = "urn:epcglobal:cbv:bizstep:destroying", Disposition = "urn:epcglobal:cbv:disp:destroyed",
        Sources = [new("urn:epcglobal:cbv:sdt:owning_party", Wholesaler)], Destinations = [new("urn:epcglobal:cbv:sdt:owning_party", Mah)],
    };

    private static async Task<ShipmentStory> AtWholesalerAsync(TestGateway gateway)
    {
        var story = new ShipmentStory(gateway);
        await story.KnowAsync();
        await story.AuthoriseAsync(Mah);
        await story.PartnerAsync(Wholesaler);
        await story.CaptureAsync([.. story.Production(), story.Ship("1", Mah, Plant, Wholesaler, Wholesaler, Pallet(1))]);
        await story.ReceivedAsync(Wholesaler, 1);
        await story.TellAsync(Wholesaler, story.Receive(Wholesaler, Pallet(1)));
        return story;
    }
}
