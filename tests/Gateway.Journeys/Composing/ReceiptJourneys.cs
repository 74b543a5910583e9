using System.Net.Http.Json;
using System.Text.Json;
using Epcis.Events;
using Gateway.Shipments;
using Microsoft.Extensions.DependencyInjection;
using static Gateway.Journeys.Composing.ShipmentStory;

namespace Gateway.Journeys.Composing;

/// <summary>Three acknowledgements that are kept apart, and what was shipped counted against what was sent and acknowledged.</summary>
public sealed class ReceiptJourneys
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task S3_The_receipt_of_the_pallet_closes_the_shipment_and_each_acknowledgement_has_its_evidence()
    {
        await using var gateway = await TestGateway.StartAsync(("Scheduling:StartDelay", "00:10:00")); // what is due is done when the test says so
        var (story, shipped) = await ShippedAsync(gateway);
        await FollowAsync(gateway);
        var before = (await story.DeliveryAsync(Wholesaler)).GetProperty("acknowledgements");
        Assert.Equal(("awaited", 16L, 0L), (State(before), before.GetProperty("business").GetProperty("expected").GetInt64(), before.GetProperty("business").GetProperty("received").GetInt64()));
        var transport = before.GetProperty("transport");
        Assert.Equal(1, transport.GetProperty("attempt").GetInt32());
        Assert.Equal(await gateway.Database.ScalarAsync<string>("select encode(sha256, 'hex') from document join delivery using (document_id)"), transport.GetProperty("sentSha256").GetString());
        Assert.Equal(64, transport.GetProperty("answerSha256").GetString()!.Length);
        Assert.Equal("none", before.GetProperty("receipt").GetProperty("state").GetString());

        var receipt = story.ReceiptOf(shipped, Wholesaler);
        await story.TellAsync(Wholesaler, receipt, story.Unpack(Wholesaler, Pallet(1)));
        await FollowAsync(gateway);
        var after = (await story.DeliveryAsync(Wholesaler)).GetProperty("acknowledgements");
        Assert.Equal(("received", receipt.EventId), (State(after), after.GetProperty("business").GetProperty("eventId").GetString()));
        Assert.Equal(16L, await gateway.Database.ScalarAsync<long>("select count(*) from shipped_unit where received_by is not null"));
        Assert.Equal(0L, await gateway.Database.ScalarAsync<long>("select count(*) from delivery where business in ('awaited', 'partly')")); // no shipment is open
        var lots = await LotsAsync(gateway);
        Assert.Equal([("10300010123452", 3L, 3L, 3L, 3L), ("00300010123455", 12L, 12L, 12L, 12L)],
            lots.Select(l => (l.GetProperty("gtin").GetString()!, l.GetProperty("captured").GetInt64(), l.GetProperty("sent").GetInt64(), l.GetProperty("acknowledged").GetInt64(), l.GetProperty("received").GetInt64())).OrderBy(l => l.Item2));
        // Told again, or followed again, nothing changes.
        var then = await gateway.Database.ScalarAsync<string>("select business || business_at from delivery");
        await gateway.Database.ExecuteAsync("update shipment set stale = true, units = null");
        await FollowAsync(gateway);
        Assert.Equal(then, await gateway.Database.ScalarAsync<string>("select business || business_at from delivery"));
    }

    [Fact]
    public async Task S3_Silence_after_the_agreed_days_is_assumed_receipt_and_a_receipt_that_comes_later_counts()
    {
        await using var gateway = await TestGateway.StartAsync(("Scheduling:StartDelay", "00:10:00")); // what is due is done when the test says so
        var (story, shipped) = await ShippedAsync(gateway, new { regulation = "us-dscsa", answerDays = 5 });
        await gateway.Database.AdvanceAsync(TimeSpan.FromDays(4));
        await FollowAsync(gateway);
        Assert.Equal("awaited", State(await AcknowledgementsAsync(story)));
        await gateway.Database.AdvanceAsync(TimeSpan.FromDays(2));
        await FollowAsync(gateway);
        Assert.Equal("assumed", State(await AcknowledgementsAsync(story)));
        Assert.Equal((12L, 0L), ((await LotsAsync(gateway)).Sum(l => l.GetProperty("gtin").GetString()![0] == '0' ? l.GetProperty("assumed").GetInt64() : 0), await gateway.Database.ScalarAsync<long>("select count(*) from exception")));

        await story.TellAsync(Wholesaler, story.ReceiptOf(shipped, Wholesaler));
        await FollowAsync(gateway);
        Assert.Equal("received", State(await AcknowledgementsAsync(story)));
    }

    [Fact]
    public async Task S9_A_shortage_is_told_after_the_agreed_days_and_ends_with_the_void()
    {
        await using var gateway = await TestGateway.StartAsync(("Scheduling:StartDelay", "00:10:00")); // what is due is done when the test says so
        var (story, shipped) = await ShippedAsync(gateway);
        await story.TellAsync(Wholesaler, story.ReceiptOf(shipped, Wholesaler, Case("C1"), Case("C2")));
        await FollowAsync(gateway);
        var partly = await AcknowledgementsAsync(story);
        Assert.Equal(("partly", 16L, 10L), (State(partly), partly.GetProperty("business").GetProperty("expected").GetInt64(), partly.GetProperty("business").GetProperty("received").GetInt64()));
        Assert.Equal(0L, await gateway.Database.ScalarAsync<long>("select count(*) from exception"));

        await gateway.Database.AdvanceAsync(TimeSpan.FromDays(15));
        await FollowAsync(gateway);
        await FollowAsync(gateway);
        Assert.Equal("receipt.short open Data No Product: the partner was told of 16 units and has received 10; 6 are outstanding after the agreed days.", await gateway.Database.ScalarAsync<string>("select code || ' ' || state || ' ' || message from exception"));

        // Who names the despatch advice and no unit has it all.
        await story.TellAsync(Wholesaler, story.ReceiptOf(shipped, Wholesaler) with { EpcList = [], QuantityList = [new QuantityElement("urn:epc:class:lgtin:030001.0012345.A123", 12, "12", null)] });
        await FollowAsync(gateway);
        Assert.Equal("received resolved", await gateway.Database.ScalarAsync<string>("select d.business || ' ' || e.state from delivery d, exception e"));
    }

    [Fact]
    public async Task S9_A_void_takes_from_what_is_expected()
    {
        await using var gateway = await TestGateway.StartAsync(("Scheduling:StartDelay", "00:10:00")); // what is due is done when the test says so
        var (story, shipped) = await ShippedAsync(gateway);
        await story.TellAsync(Wholesaler, story.ReceiptOf(shipped, Wholesaler, Case("C1"), Case("C2")));
        await FollowAsync(gateway);
        await story.CaptureAsync(story.Void(shipped, Case("C3")));
        await story.ReceivedAsync(Wholesaler, 2);
        await FollowAsync(gateway);
        var left = await AcknowledgementsAsync(story);
        Assert.Equal(("partly", 11L, 10L), (State(left), left.GetProperty("business").GetProperty("expected").GetInt64(), left.GetProperty("business").GetProperty("received").GetInt64()));
        Assert.Equal(8L, (await LotsAsync(gateway)).Single(l => l.GetProperty("gtin").GetString() == "00300010123455").GetProperty("captured").GetInt64());
        // Found after all, it is product without data.
        await story.TellAsync(Wholesaler, story.ReceiptOf(shipped, Wholesaler, Case("C3")));
        await FollowAsync(gateway);
        Assert.Equal("disputed", State(await AcknowledgementsAsync(story)));
    }

    [Fact]
    public async Task S8_A_unit_too_many_is_disputed_until_a_second_document_tells_it()
    {
        await using var gateway = await TestGateway.StartAsync(("Scheduling:StartDelay", "00:10:00")); // what is due is done when the test says so
        var (story, shipped) = await ShippedAsync(gateway);
        await story.TellAsync(Wholesaler, story.ReceiptOf(shipped, Wholesaler, Pallet(1), Unit("U17")));
        await FollowAsync(gateway);
        Assert.Equal("disputed", State(await AcknowledgementsAsync(story)));
        Assert.Equal($"receipt.over open {Unit("U17")}", await gateway.Database.ScalarAsync<string>("select code || ' ' || state || ' ' || epc from exception join exception_unit using (exception_id) where code like 'receipt.%'"));

        // Nobody had told that it left, so the ledger holds it until somebody has looked.
        await story.CaptureAsync(story.Receive(Plant, Unit("U17")) with { BizStep = "urn:epcglobal:cbv:bizstep:inspecting", Disposition = "urn:epcglobal:cbv:disp:active" }, story.Ship("1", Mah, Plant, Wholesaler, Wholesaler, Unit("U17")));
        await story.ReceivedAsync(Wholesaler, 2);
        await FollowAsync(gateway);
        Assert.Equal(("received", "received", "resolved"), (State(await AcknowledgementsAsync(story)), State(await AcknowledgementsAsync(story, 1)), await gateway.Database.ScalarAsync<string>("select state from exception where code like 'receipt.%'")));
    }

    // Whoever looks for the units of a large shipment takes minutes, and each that he notes refers to it.
    [Fact]
    public async Task Who_looks_for_the_units_of_a_shipment_keeps_no_delivery_of_it_waiting()
    {
        await using var gateway = await TestGateway.StartAsync(("Scheduling:StartDelay", "00:10:00"));
        var story = new ShipmentStory(gateway);
        await story.KnowAsync();
        await story.AuthoriseAsync(Mah);
        await story.PartnerAsync(Wholesaler);
        await PauseAsync(gateway, "paused");
        await story.CaptureAsync([.. story.Production(), story.Ship("1", Mah, Plant, Wholesaler, Wholesaler, Pallet(1))]);
        await using var search = await gateway.Database.Gateway.BeginAsync(FollowShipments.Gateway, Ct);
        await using (var refer = new Npgsql.NpgsqlCommand("set local idle_in_transaction_session_timeout = '5min'; select from shipment for key share", search.Connection, search.Transaction))
        {
            await refer.ExecuteNonQueryAsync(Ct);
        }
        await PauseAsync(gateway, "active");
        await story.ReceivedAsync(Wholesaler, 1);
        Assert.Equal(1L, await gateway.Database.ScalarAsync<long>("select count(*) from attempt"));
    }

    [Fact]
    public async Task What_was_packed_before_the_shipment_and_told_after_it_is_no_unit_too_many()
    {
        await using var gateway = await TestGateway.StartAsync(("Scheduling:StartDelay", "00:10:00")); // what is due is done when the test says so
        var story = new ShipmentStory(gateway);
        await gateway.AddPartnerAsync(GlnOf(Wholesaler), $"well/{GlnOf(Wholesaler)}"); // it takes documents as they come
        EpcisEvent[] told = [story.Commission(Plant, Unit("U1"), Unit("U2")), story.Commission(Plant, Case("C1")), story.Pack(Plant, Case("C1"), Unit("U1"), Unit("U2"))];
        EpcisEvent[] late = [story.Commission(Plant, Unit("U3")), story.Pack(Plant, Case("C1"), Unit("U3"))];
        var shipped = story.Ship("1", Mah, Plant, Wholesaler, Wholesaler, Case("C1"));
        await story.CaptureAsync([.. told, shipped]);
        await story.ReceivedAsync(Wholesaler, 1);
        await FollowAsync(gateway);
        Assert.Equal(3, await gateway.Database.ScalarAsync<int>("select units from shipment"));

        await story.CaptureAsync(late);
        await story.TellAsync(Wholesaler, story.ReceiptOf(shipped, Wholesaler, Case("C1"), Unit("U1"), Unit("U2"), Unit("U3")));
        await FollowAsync(gateway);
        Assert.Equal(("received", 4L), (State(await AcknowledgementsAsync(story)), await gateway.Database.ScalarAsync<long>("select count(*) from shipped_unit where received_by is not null")));
        Assert.Equal(0L, await gateway.Database.ScalarAsync<long>("select count(*) from exception where code like 'receipt.%'"));

        // What is in no packing is one too many all the same.
        await story.CaptureAsync(story.Commission(Plant, Unit("U4")));
        await story.TellAsync(Wholesaler, story.ReceiptOf(shipped, Wholesaler, Case("C1"), Unit("U4")));
        await FollowAsync(gateway);
        Assert.Equal("disputed", State(await AcknowledgementsAsync(story)));
    }

    [Fact]
    public async Task A_receipt_that_was_declared_to_be_in_error_is_none_and_disputed_until_somebody_settles_it()
    {
        await using var gateway = await TestGateway.StartAsync(("Scheduling:StartDelay", "00:10:00")); // what is due is done when the test says so
        var (story, shipped) = await ShippedAsync(gateway);
        var receipt = story.ReceiptOf(shipped, Wholesaler);
        await story.TellAsync(Wholesaler, receipt);
        await FollowAsync(gateway);
        await story.TellAsync(Wholesaler, receipt with { ErrorDeclaration = new ErrorDeclaration { DeclarationTime = Start.AddHours(2), DeclarationTimeText = "2026-03-16T10:00:00Z", Reason = "urn:epcglobal:cbv:er:did_not_occur" } });
        await FollowAsync(gateway);
        var disputed = (await AcknowledgementsAsync(story)).GetProperty("business");
        Assert.Equal(("disputed", 0L), (disputed.GetProperty("state").GetString(), disputed.GetProperty("received").GetInt64()));
        Assert.StartsWith("Data Issue: ", disputed.GetProperty("note").GetString(), StringComparison.Ordinal);

        using var officer = gateway.Client("officer");
        using var settled = await officer.PostAsJsonAsync($"api/exceptions/{await gateway.Database.ScalarAsync<Guid>("select public_id from exception")}/resolve", new { reason = "Agreed by telephone" }, Ct);
        Assert.True(settled.IsSuccessStatusCode, await settled.Content.ReadAsStringAsync(Ct));
        await FollowAsync(gateway);
        Assert.Equal("awaited", State(await AcknowledgementsAsync(story)));
    }

    [Fact]
    public async Task A_receipt_that_came_before_the_document_was_taken_is_matched_when_it_is()
    {
        await using var gateway = await TestGateway.StartAsync(("Scheduling:StartDelay", "00:10:00")); // what is due is done when the test says so
        var story = new ShipmentStory(gateway);
        await story.KnowAsync();
        await story.AuthoriseAsync(Mah);
        await story.PartnerAsync(Wholesaler);
        await PauseAsync(gateway, "paused");
        var production = story.Production();
        var shipped = story.Ship("1", Mah, Plant, Wholesaler, Wholesaler, Pallet(1));
        await story.CaptureAsync([.. production, shipped]);
        await story.TellAsync(Wholesaler, story.ReceiptOf(shipped, Wholesaler));
        await FollowAsync(gateway);
        Assert.Equal(JsonValueKind.Null, (await AcknowledgementsAsync(story)).GetProperty("business").GetProperty("state").ValueKind);
        Assert.Equal((12L, 0L, 12L), ((await LotsAsync(gateway, "gtin=00300010123455"))[0] is var lot ? (lot.GetProperty("captured").GetInt64(), lot.GetProperty("sent").GetInt64(), lot.GetProperty("waiting").GetInt64()) : default));

        await PauseAsync(gateway, "active");
        await story.ReceivedAsync(Wholesaler, 1);
        await FollowAsync(gateway);
        Assert.Equal("received", State(await AcknowledgementsAsync(story)));
    }

    internal static async Task<(ShipmentStory Story, ObjectEvent Shipped)> ShippedAsync(TestGateway gateway, object? profile = null)
    {
        var story = new ShipmentStory(gateway);
        await story.KnowAsync();
        await story.AuthoriseAsync(Mah);
        await story.PartnerAsync(Wholesaler, profile);
        var production = story.Production();
        var shipped = story.Ship("1", Mah, Plant, Wholesaler, Wholesaler, Pallet(1));
        await story.CaptureAsync([.. production, shipped]);
        await story.ReceivedAsync(Wholesaler, 1);
        return (story, shipped);
    }

    internal static Task FollowAsync(TestGateway gateway) => gateway.Services.GetRequiredService<FollowShipments>().RunAsync(Ct);

    internal static async Task<IReadOnlyList<JsonElement>> LotsAsync(TestGateway gateway, string query = "")
    {
        using var officer = gateway.Client("officer");
        return [.. (await officer.GetFromJsonAsync<JsonElement>($"api/reconciliation?{query}", Ct)).GetProperty("items").EnumerateArray()];
    }

    private static Task PauseAsync(TestGateway gateway, string state) =>
        gateway.Database.ExecuteAsync($"select set_config('app.party', '*', false), set_config('app.actor', 'test', false); update partner set state = '{state}'");

    private static async Task<JsonElement> AcknowledgementsAsync(ShipmentStory story, int index = 0) => (await story.DeliveryAsync(Wholesaler, index)).GetProperty("acknowledgements");

    private static string? State(JsonElement acknowledgements) => acknowledgements.GetProperty("business").GetProperty("state").GetString();
}
