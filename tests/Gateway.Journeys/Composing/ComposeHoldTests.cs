using System.Net.Http.Json;
using Epcis.Events;
using static Gateway.Journeys.Composing.ShipmentStory;

namespace Gateway.Journeys.Composing;

/// <summary>What keeps a document from being composed is told with every reason, and ends by itself.</summary>
public sealed class ComposeHoldTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_shipment_waits_for_the_commissioning_of_its_units_and_goes_when_that_is_captured()
    {
        await using var gateway = await TestGateway.StartAsync();
        var story = new ShipmentStory(gateway);
        await story.KnowAsync();
        await story.PartnerAsync(Warehouse);
        var production = story.Production();
        await story.CaptureAsync([.. production.Skip(1), story.Ship("1", Mah, Plant, Mah, Warehouse, Pallet(1))]);

        Assert.Contains($"No event tells how {Unit("U1")} was commissioned.", await story.HeldAsync("compose.path"), StringComparison.Ordinal);
        var held = await story.DeliveryAsync(Warehouse);
        Assert.Equal(("held", "gateway", 12), (held.GetProperty("shown").GetString(), held.GetProperty("heldBy").GetString(),
            held.GetProperty("composing").GetProperty("findings").EnumerateArray().Count(f => f.GetProperty("code").GetString() == "compose.path")));
        Assert.Equal("open compose.path", await gateway.Database.ScalarAsync<string>("select state || ' ' || code from exception where source_kind = 'delivery'"));

        await story.CaptureAsync(production[0]);
        Assert.Empty(Assert.Single(await story.ReceivedAsync(Warehouse, 1)).Errors);
        Assert.Equal("resolved", await gateway.Database.ScalarAsync<string>("select state from exception where source_kind = 'delivery'"));
    }

    [Fact]
    public async Task What_the_regulation_demands_is_named_one_by_one_and_a_resume_looks_at_once()
    {
        await using var gateway = await TestGateway.StartAsync();
        var story = new ShipmentStory(gateway);
        await story.PartnerAsync(Warehouse);
        await story.CaptureAsync([.. story.Production(), story.Ship("1", Mah, Plant, Mah, Warehouse, Pallet(1))]);
        var findings = await story.HeldAsync("compose.masterdata");
        Assert.All((string[])["00300010123455", "10300010123452", GlnOf(Mah), GlnOf(Plant), GlnOf(Warehouse)], subject => Assert.Contains(subject, findings, StringComparison.Ordinal));

        await story.KnowAsync();
        await ResumeAsync(gateway);
        Assert.Empty(Assert.Single(await story.ReceivedAsync(Warehouse, 1)).Errors);
    }

    [Fact]
    public async Task A_change_of_owner_waits_for_the_one_who_may_state_it()
    {
        await using var gateway = await TestGateway.StartAsync();
        var story = new ShipmentStory(gateway);
        await story.KnowAsync();
        await story.PartnerAsync(Wholesaler);
        await story.CaptureAsync([.. story.Production(), story.Ship("1", Mah, Plant, Wholesaler, Wholesaler, Pallet(1))]);
        Assert.Contains(GlnOf(Mah), await story.HeldAsync("compose.statement"), StringComparison.Ordinal);

        await story.AuthoriseAsync(Mah);
        await ResumeAsync(gateway);
        Assert.Equal(Notice, Assert.Single(await story.ReceivedAsync(Wholesaler, 1)).Statement);
    }

    [Fact]
    public async Task A_unit_that_is_held_keeps_what_it_is_shipped_in()
    {
        await using var gateway = await TestGateway.StartAsync();
        var story = new ShipmentStory(gateway);
        await story.KnowAsync();
        await story.PartnerAsync(Warehouse);
        var production = story.Production();
        var hold = story.Receive(Plant, Unit("U3")) with { BizStep = "urn:epcglobal:cbv:bizstep:holding", Disposition = "urn:epcglobal:cbv:disp:non_sellable_other" };
        await story.CaptureAsync([.. production, hold, story.Ship("1", Mah, Plant, Mah, Warehouse, Pallet(1))]);
        Assert.Contains(Unit("U3"), await story.HeldAsync("compose.held"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_worker_that_dies_between_composing_and_storing_leaves_nothing_and_the_next_names_the_document_alike()
    {
        await using var gateway = await TestGateway.StartAsync();
        var story = new ShipmentStory(gateway);
        await story.KnowAsync();
        await story.PartnerAsync(Warehouse);
        // As a node that claimed it and died: the lease is another's, and no document is there.
        await gateway.Database.ExecuteAsync("""
            create function dead_node() returns trigger language plpgsql as $$ begin new.lease_token := gen_random_uuid(); new.lease_until := gateway_now() + interval '1 min'; return new; end $$;
            create trigger dead_node before insert on delivery for each row execute function dead_node()
            """);
        await story.CaptureAsync([.. story.Production(), story.Ship("1", Mah, Plant, Mah, Warehouse, Pallet(1))]);
        await gateway.Database.ExecuteAsync("drop trigger dead_node on delivery");
        var name = await gateway.Database.ScalarAsync<Guid>("select message_id from delivery");
        await Task.Delay(500, Ct);
        Assert.Equal(0L, await gateway.Database.ScalarAsync<long>("select count(*) from delivery where document_id is not null"));

        await gateway.Database.AdvanceAsync(TimeSpan.FromMinutes(2));
        var document = Assert.Single(await story.ReceivedAsync(Warehouse, 1));
        Assert.Equal(name.ToString(), document.Header.Sbdh!.InstanceIdentifier);
        Assert.Equal(1L, await gateway.Database.ScalarAsync<long>("select count(*) from document d where not exists (select from capture c where c.document_id = d.document_id)"));
    }

    private static async Task ResumeAsync(TestGateway gateway)
    {
        using var officer = gateway.Client("officer");
        using var resumed = await officer.PostAsJsonAsync($"api/deliveries/{await gateway.Database.ScalarAsync<long>("select delivery_id from delivery")}/resume", new { reason = "It is there now" }, Ct);
        Assert.True(resumed.IsSuccessStatusCode, await resumed.Content.ReadAsStringAsync(Ct));
    }
}
