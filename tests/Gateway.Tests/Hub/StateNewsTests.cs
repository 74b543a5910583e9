using Epcis.Events;
using Gateway.Hub;
using Gateway.MasterData;
using Gateway.Tests.Units;
using Gateway.Units;

namespace Gateway.Tests.Hub;

using static Said;

/// <summary>EU-FMD.md section 9: what EPCIS events mean for packs that a hub has.</summary>
public sealed class StateNewsTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Events_become_orders_and_containers_mean_what_is_in_them()
    {
        await using var story = await DistributedAsync();
        await story.Ledger.CaptureAsync(
            At(3, Object(EventAction.Observe, "sampling", "non_sellable_other", Plant, Pack(1))),
            At(4, Held(Pack(2), Pack(3))),
            At(5, Ended(Plant, "decommissioning", "stolen", Pack(4))),
            At(6, Ended(Plant, "destroying", "destroyed", Case(1))),
            At(7, ShippedTo("9521234009993", Pack(8))),
            At(7, ShippedTo("9521234009986", Pack(9))));
        await HearAsync(story);
        Assert.Equal("ready Sample U000001|ready Locked U000002 U000003|asked Stolen U000004|asked Destroyed U000005 U000006|ready Exported U000008", await OrdersAsync(story));
        Assert.Equal("9521234000013", await story.TextAsync("select distinct location from hub_order"));
        Assert.Equal("hub.waits hub.waits", await story.TextAsync("select string_agg(code, ' ') from exception where code like 'hub.%'"));
        // Heard once, whatever happens.
        await story.Ledger.Gateway.Database.ExecuteAsync("select set_config('app.actor', 'x', false), set_config('app.party', '*', false); update hub_news set heard_at = null");
        await HearAsync(story);
        Assert.Equal("5", await story.TextAsync("select count(*) from hub_order"));
    }

    [Fact]
    public async Task What_nobody_has_said_why_and_what_a_rule_forbids_a_person_decides()
    {
        await using var story = await DistributedAsync();
        await story.Ledger.CaptureAsync(At(3, Ended(Plant, "decommissioning", "inactive", Pack(1))), At(4, Object(EventAction.Observe, "sampling", "non_sellable_other", Plant, Pack(2))));
        await HearAsync(story);
        await DoneAsync(story);
        await story.Ledger.CaptureAsync(At(5, Ended(Plant, "destroying", "destroyed", Pack(2))));
        await HearAsync(story);
        Assert.Equal("done Sample U000002", await OrdersAsync(story));
        Assert.Equal("1 packs of the lot L1 were decommissioned, and nothing tells why: decide what the hub is told of them.|The pack U000002 is Sample already: a state is changed only from Active. Undo it first, where that can be undone. An event says otherwise: decide.",
            await story.TextAsync("select string_agg(message, '|' order by exception_id) from exception where code = 'hub.decide'"));
    }

    [Fact]
    public async Task A_lock_is_undone_by_its_release_once_the_hub_has_it_and_only_from_its_place()
    {
        await using var story = await DistributedAsync();
        await story.Ledger.CaptureAsync(At(3, Held(Pack(1), Pack(2))));
        await HearAsync(story);
        await story.Ledger.CaptureAsync(At(4, Released(Pack(1))), At(5, Released(Pack(3))), At(6, Object(EventAction.Observe, "inspecting", "active", "urn:epc:id:sgln:9521234.00012.0", Pack(2))));
        await HearAsync(story);
        Assert.Equal("ready Locked U000001 U000002", await OrdersAsync(story)); // and the release waits
        await DoneAsync(story);
        await story.Ledger.Gateway.Database.AdvanceAsync(TimeSpan.FromMinutes(2));
        await HearAsync(story);
        Assert.Equal("done Locked U000001 U000002|ready undo Locked U000001", await OrdersAsync(story));
        Assert.Contains("was made Locked at 9521234000013: that is undone only there.", await story.TextAsync("select message from exception where code = 'hub.decide'"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_told_in_turn_before_the_markets_have_the_packs_is_told_in_turn_after_it()
    {
        await using var story = await DistributedAsync(isDistributed: false);
        await story.Ledger.CaptureAsync(At(3, Held(Pack(1))));
        await HearAsync(story);
        await story.Ledger.CaptureAsync(At(4, Released(Pack(1))));
        await story.Ledger.CaptureAsync(At(5, Held(Pack(1))));
        await HearAsync(story);
        Assert.Equal("ready Locked U000001", await OrdersAsync(story)); // the others wait, in their order
        await story.AnswerAsync(await story.MessageAsync(), HubStatus.Accepted, [("DE", "distributed")]);
        await DoneAsync(story);
        for (var n = 0; n < 2; n++)
        {
            await story.Ledger.Gateway.Database.AdvanceAsync(TimeSpan.FromMinutes(2));
            await HearAsync(story);
            await DoneAsync(story);
        }
        Assert.Equal("done Locked U000001|done undo Locked U000001|done Locked U000001", await OrdersAsync(story));
        Assert.Equal("Locked", await story.TextAsync("select state from hub_pack where serial = 'U000001'"));
    }

    [Fact]
    public async Task A_shipment_abroad_that_is_voided_is_undone_and_the_gateways_own_holds_say_nothing()
    {
        await using var story = await DistributedAsync();
        await story.Ledger.CaptureAsync(At(3, ShippedTo("9521234009993", Pack(8))));
        await HearAsync(story);
        await DoneAsync(story);
        await story.Ledger.CaptureAsync(At(4, Voided(Pack(8))), At(5, Held(Pack(2)) with { Disposition = "recalled", Extensions = [new Extension(EventFacts.LineNamespace, "line", "reason") { Text = "recalled" }, new Extension(EventFacts.LineNamespace, "line", "order") { Text = "7" }] }));
        await HearAsync(story);
        Assert.Equal("done Exported U000008|ready undo Exported U000008", await OrdersAsync(story));
    }

    [Fact]
    public async Task An_order_of_packs_that_are_on_their_way_waits_for_every_market()
    {
        await using var story = await DistributedAsync(isDistributed: false);
        await story.Ledger.CaptureAsync(At(3, Object(EventAction.Observe, "sampling", "non_sellable_other", Plant, Pack(1))));
        await HearAsync(story);
        Assert.Equal("ready Sample U000001", await OrdersAsync(story));
        await TellAsync(story);
        Assert.Equal("ready Sample U000001", await OrdersAsync(story));
        await story.AnswerAsync(await story.MessageAsync(), HubStatus.Accepted, [("DE", "distributed")]);
        await DoneAsync(story);
        Assert.Equal("done Sample U000001", await OrdersAsync(story));
    }

    [Fact]
    public async Task An_event_declared_in_error_is_not_told_and_after_that_somebody_decides()
    {
        await using var story = await DistributedAsync();
        var (first, second) = (At(3, Object(EventAction.Observe, "sampling", "non_sellable_other", Plant, Pack(1))), At(3, Object(EventAction.Observe, "sampling", "non_sellable_other", Plant, Pack(2))));
        await story.Ledger.CaptureAsync(second);
        await HearAsync(story);
        await DoneAsync(story);
        await story.Ledger.CaptureAsync(first);
        await HearAsync(story);
        await story.Ledger.CaptureAsync(Declared(first), Declared(second));
        await HearAsync(story);
        Assert.Equal("done Sample U000002|ended Sample U000001", await OrdersAsync(story));
        Assert.Contains("was declared in error: undo it", await story.TextAsync("select message from exception where code = 'hub.decide'"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_recalled_lot_is_asked_for_once_and_a_trading_partner_tells_nothing()
    {
        await using var story = await DistributedAsync();
        using var partner = await story.Ledger.Gateway.SignInAsync("Wholesaler");
        await story.Ledger.Gateway.Database.ExecuteAsync("select set_config('app.actor', 'x', false), set_config('app.party', '*', false); update party set kind = 'partner' where name = 'Wholesaler'");
        await story.Ledger.CaptureAsync([At(3, Object(EventAction.Observe, "holding", "recalled", Plant, Pack(1)))], partner);
        await HearAsync(story);
        Assert.Equal("", await OrdersAsync(story));
        await story.Ledger.CaptureAsync(At(4, Object(EventAction.Observe, "holding", "recalled", Plant, Pack(1))), At(5, Object(EventAction.Observe, "holding", "recalled", Plant, Pack(2))));
        await HearAsync(story);
        Assert.Equal("asked", await OrdersAsync(story));
        Assert.Equal("recall L1 2", await story.TextAsync("select concat_ws(' ', kind, lot, needs) from hub_order"));
    }

    private static async Task<HubStory> DistributedAsync(bool isDistributed = true)
    {
        var story = await HubStory.StartAsync(knowsProducts: false);
        await story.ProductKnownAsync("DE");
        var wanted = new WantedMasterData();
        foreach (var (gln, country) in ((string, string)[])[("9521234009993", "US"), ("9521234009986", "FR")])
        {
            var place = new Gateway.MasterData.Location(gln) { Name = country, Country = country, CompanyPrefixLength = 7 };
            wanted.Locations.Add(new Wanted<Gateway.MasterData.Location>(place, _ => place, _ => default));
        }
        Assert.False((await new ChangeMasterData(story.Database).RunAsync(HubStory.Person with { Reason = "test" }, wanted, dryRun: false, expected: null, Ct)).IsRefused);
        await story.Ledger.CaptureAsync(At(0, Commissioned([.. Packs(1, 10), Case(1)])), At(1, Packed(Case(1), Pack(5), Pack(6))));
        Assert.Null((await story.ReleaseAsync()).Refusal);
        Assert.Equal(1, await story.ComposeAsync());
        if (isDistributed)
        {
            await story.AnswerAsync(await story.MessageAsync(), HubStatus.Accepted, [("DE", "distributed")]);
        }
        return story;
    }

    private static EpcisEvent Declared(EpcisEvent e) => e with { ErrorDeclaration = new ErrorDeclaration { DeclarationTime = e.EventTime!.Value.AddHours(1), Reason = "incorrect_data" } };

    private static ObjectEvent ShippedTo(string gln, params string[] epcs) => Shipped(epcs) with { Destinations = [new SourceOrDestination("location", $"urn:epc:id:sgln:{gln[..7]}.{gln[7..12]}.0")] };

    private static async Task HearAsync(HubStory story)
    {
        while (await story.Get<HearStates>().RunAsync(Ct))
        {
        }
    }

    private static async Task TellAsync(HubStory story)
    {
        while (await story.Get<ComposeOrder>().RunAsync(Ct))
        {
        }
    }

    private static async Task DoneAsync(HubStory story)
    {
        await TellAsync(story);
        await story.AnswerAsync(await story.MessageAsync(), HubStatus.Accepted, [("DE", "distributed")]);
    }

    private static Task<string> OrdersAsync(HubStory story) => story.TextAsync("""
        select string_agg(concat_ws(' ', status, case when kind = 'undo' then kind end, state, (select string_agg(serial, ' ' order by serial) from hub_order_pack p where p.hub_order_id = o.hub_order_id)), '|' order by hub_order_id) from hub_order o
        """);
}
