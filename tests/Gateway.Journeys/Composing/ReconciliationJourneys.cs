using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.Shipments;
using Microsoft.Extensions.DependencyInjection;
using static Gateway.Journeys.Composing.ReceiptJourneys;
using static Gateway.Journeys.Composing.ShipmentStory;

namespace Gateway.Journeys.Composing;

/// <summary>What was shipped, sent and acknowledged is even, or somebody is told; and of each unit it can be shown.</summary>
public sealed class ReconciliationJourneys
{
    private const string Quiet = "00:10:00"; // what is due is done when the test says so

    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_closed_is_a_gap_and_its_serials_are_unreported_until_it_is_sent_after_all()
    {
        await using var gateway = await TestGateway.StartAsync(("Scheduling:StartDelay", Quiet));
        var story = new ShipmentStory(gateway);
        await story.KnowAsync();
        await story.AuthoriseAsync(Mah);
        await story.PartnerAsync(Wholesaler);
        await SetAsync(gateway, "update partner set state = 'paused'");
        var production = story.Production();
        await story.CaptureAsync([.. production, story.Ship("1", Mah, Plant, Wholesaler, Wholesaler, Pallet(1))]);
        // While its document is being composed its units are looked for the next time.
        await Eventually.TrueAsync(async () =>
        {
            await FollowAsync(gateway);
            return (await LotsAsync(gateway)).Any();
        });
        Assert.All(await LotsAsync(gateway), l => Assert.Equal(l.GetProperty("captured").GetInt64(), l.GetProperty("waiting").GetInt64()));
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from delivery where document_id is not null and lease_token is null") == 1);
        await DecideAsync(gateway, "hold");
        await DecideAsync(gateway, "close");
        await ReconcileAsync(gateway);

        Assert.Equal(["00300010123455 A123 12", "10300010123452 A123 3"], (await gateway.Database.ScalarAsync<string[]>("select array_agg(gtin || ' ' || lot || ' ' || substring(message from '([0-9]+) in documents that were refused') order by gtin) from exception where code = 'reconcile.gap' and state = 'open'")));
        var (first, next) = await UnreportedAsync(gateway, "?limit=10");
        var (rest, end) = await UnreportedAsync(gateway, $"?limit=10&cursor={next}");
        Assert.Equal((15, null), (first.Concat(rest).Select(s => s.GetProperty("epc").GetString()).Distinct().Count(), end));
        Assert.Equal(OnPallet().Where(e => e != Pallet(1)).Order(StringComparer.Ordinal), first.Concat(rest).Select(s => s.GetProperty("epc").GetString()).Order(StringComparer.Ordinal));
        var (exit, said, _) = await gateway.VerbAsync("reconcile", "--gaps", "--csv");
        Assert.Equal((1, 3), (exit, said.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length));

        await DecideAsync(gateway, "reopen");
        await SetAsync(gateway, "update partner set state = 'active'");
        await DecideAsync(gateway, "resume");
        await story.ReceivedAsync(Wholesaler, 1);
        await ReconcileAsync(gateway);
        Assert.Equal(0L, await gateway.Database.ScalarAsync<long>("select count(*) from exception where state = 'open'"));
        Assert.Empty((await UnreportedAsync(gateway, "")).Items);
        Assert.Equal(0, (await gateway.VerbAsync("reconcile", "unreported")).Exit);
    }

    [Fact]
    public async Task A_document_that_tells_another_number_is_counted_again_and_then_told()
    {
        await using var gateway = await TestGateway.StartAsync(("Scheduling:StartDelay", Quiet));
        await ShippedAsync(gateway);
        await FollowAsync(gateway);
        await SetAsync(gateway, "update delivery set composed = jsonb_set(composed, '{units}', '15'); update shipment set stale = true");
        await FollowAsync(gateway);
        Assert.Equal((true, -1), (await gateway.Database.ScalarAsync<bool>("select recounted from shipment"), await gateway.Database.ScalarAsync<int>("select miscounted from delivery")));
        Assert.Equal(2L, await gateway.Database.ScalarAsync<long>("select count(*) from exception where code = 'reconcile.gap' and message like '%1 more or fewer%'"));
    }

    [Fact]
    public async Task What_was_taken_back_is_not_unreported_whether_or_not_it_has_a_lot()
    {
        await using var gateway = await TestGateway.StartAsync(("Scheduling:StartDelay", Quiet));
        var (story, shipped) = await ShippedAsync(gateway);
        await story.CaptureAsync(story.Void(shipped, Case("C3")));
        await story.ReceivedAsync(Wholesaler, 2);
        await SetAsync(gateway, "update delivery set state = 'closed'");
        // All have a lot; then only the cases have, while of the packs without one four are taken back and eight are not.
        foreach (var lots in (string[])["", "update shipped_unit set lot_id = null where lot_id in (select lot_id from lot where gtin = '00300010123455'); "])
        {
            await SetAsync(gateway, lots + "update shipment set stale = true");
            await FollowAsync(gateway);
            var (items, _) = await UnreportedAsync(gateway, "?limit=50");
            Assert.Equal((10, 8, 10L), (items.Count, items.Count(s => s.GetProperty("gtin").GetString() == "00300010123455"), await gateway.Services.GetRequiredService<UnreportedSerials>().CountAsync(FollowShipments.Gateway, Ct)));
            Assert.DoesNotContain(Case("C3"), items.Select(s => s.GetProperty("epc").GetString()));
        }
    }

    [Fact]
    public async Task An_open_gap_that_changes_goes_on_with_its_new_numbers_and_one_that_stays_is_told_once()
    {
        await using var gateway = await TestGateway.StartAsync(("Scheduling:StartDelay", Quiet));
        await ShippedAsync(gateway);
        await FollowAsync(gateway);
        foreach (var units in (string[])["15", "15", "14", "14"])
        {
            await SetAsync(gateway, $"update delivery set composed = jsonb_set(composed, '{{units}}', '{units}'); update shipment set recounted = true, stale = true");
            await FollowAsync(gateway);
            await ReconcileAsync(gateway);
        }
        Assert.Equal("open 2, open 2", await gateway.Database.ScalarAsync<string>("select string_agg(state || ' ' || occurrences, ', ') from exception where code = 'reconcile.gap'"));
        Assert.Equal(["1", "2"], await gateway.Database.ScalarAsync<string[]>(
            "select array_agg(distinct substring(t from '([0-9]+) more or fewer')) from (select message as t from exception where code = 'reconcile.gap' union all select text from exception_note) x"));

        // Dismissed as it is now, it stays so.
        using var officer = gateway.Client("officer");
        foreach (var id in await gateway.Database.ScalarAsync<Guid[]>("select array_agg(public_id) from exception where code = 'reconcile.gap'"))
        {
            using var dismissed = await officer.PostAsJsonAsync($"api/exceptions/{id}/dismiss", new { reason = "It is known" }, Ct);
            Assert.True(dismissed.IsSuccessStatusCode, await dismissed.Content.ReadAsStringAsync(Ct));
        }
        await ReconcileAsync(gateway);
        // Nor does it come back when more of the lot is shipped and told, and no more is missing.
        await SetAsync(gateway, "update shipment_sum set units = units + 1 where lot is not null");
        await ReconcileAsync(gateway);
        Assert.Equal(2L, await gateway.Database.ScalarAsync<long>("select count(*) from exception where state = 'dismissed'"));
        Assert.Equal(0L, await gateway.Database.ScalarAsync<long>("select count(*) from exception where code = 'reconcile.gap' and state = 'open'"));
    }

    [Fact]
    public async Task A_partner_that_promised_to_tell_is_late_once_and_the_exception_ends_when_it_tells()
    {
        await using var gateway = await TestGateway.StartAsync(("Scheduling:StartDelay", Quiet));
        var (story, shipped) = await ShippedAsync(gateway, new { regulation = "us-dscsa", tellsReceipt = true, answerDays = 3, receiptHours = 2 });
        await SetAsync(gateway, "update delivery set receipt = 'pending', receipt_due_at = accepted_at + interval '2 hours', due_at = gateway_now() + interval '90 days'");
        await gateway.Database.AdvanceAsync(TimeSpan.FromDays(4));
        await FollowAsync(gateway);
        await FollowAsync(gateway);
        Assert.Equal("receipt.overdue open 1, receipt.unanswered open 1", await ExceptionsAsync());
        var business = (await story.DeliveryAsync(Wholesaler)).GetProperty("acknowledgements").GetProperty("business");
        Assert.Equal(("awaited", true), (business.GetProperty("state").GetString(), business.GetProperty("overdue").GetBoolean()));
        await using (var work = await gateway.Database.Gateway.BeginAsync(FollowShipments.Gateway, Ct))
        {
            Assert.Equal([("business", 1L), ("receipt", 1L)], (await OverdueAnswers.ReadAsync(work, Ct)).Select(o => (o.Kind, o.Count)));
        }

        await SetAsync(gateway, "update delivery set receipt = 'received', receipt_at = gateway_now(), receipt_overdue = false");
        await story.TellAsync(Wholesaler, story.ReceiptOf(shipped, Wholesaler));
        await FollowAsync(gateway);
        Assert.Equal("receipt.overdue resolved 1, receipt.unanswered resolved 1", await ExceptionsAsync());

        Task<string> ExceptionsAsync() => gateway.Database.ScalarAsync<string>("select string_agg(code || ' ' || state || ' ' || occurrences, ', ' order by code) from exception");
    }

    [Fact]
    public async Task The_custody_of_a_unit_names_each_hop_with_what_proves_it_and_shows_nobody_more_than_his_own()
    {
        await using var gateway = await TestGateway.StartAsync(("Scheduling:StartDelay", Quiet));
        var (story, shipped) = await ShippedAsync(gateway);
        var receipt = story.ReceiptOf(shipped, Wholesaler);
        await story.TellAsync(Wholesaler, receipt);
        await FollowAsync(gateway);

        var address = $"api/units/custody?epc={Uri.EscapeDataString(Unit("U5"))}";
        using var officer = gateway.Client("officer");
        var custody = await officer.GetFromJsonAsync<JsonElement>(address, Ct);
        var hops = custody.GetProperty("hops").EnumerateArray().ToList();
        Assert.Equal(["commissioning", "packing", "packing", "shipping", "receiving"], hops.Select(h => h.GetProperty("bizStep").GetString()));
        Assert.All(hops, h => Assert.True(h.GetProperty("audit").GetProperty("entry").GetInt64() > 0));
        var ship = hops[3].GetProperty("shipments")[0];
        Assert.Equal([Case("C2"), Pallet(1)], ship.GetProperty("chain").EnumerateArray().Select(c => c.GetString()));
        Assert.Equal((receipt.EventId, Pallet(1)), (ship.GetProperty("receivedBy").GetString(), hops[3].GetProperty("of").GetString()));
        var document = Assert.Single(ship.GetProperty("documents").EnumerateArray());
        var sha256 = await gateway.Database.ScalarAsync<string>("select encode(o.sha256, 'hex') from document o join delivery using (document_id)");
        Assert.Equal((sha256, sha256), (document.GetProperty("sha256").GetString(), document.GetProperty("attempts")[0].GetProperty("requestSha256").GetString()));
        Assert.Equal("received", document.GetProperty("acknowledgements").GetProperty("business").GetProperty("state").GetString());
        Assert.Equal(2, hops[3].GetProperty("destinations").GetArrayLength());

        using var packer = gateway.Client("cmo");
        var own = await packer.GetFromJsonAsync<JsonElement>(address, Ct);
        Assert.All(own.GetProperty("hops").EnumerateArray(), h => Assert.Equal(0, h.GetProperty("shipments").GetArrayLength()));
        using var other = gateway.Client("partner");
        using var nothing = await other.GetAsync(address, Ct);
        Assert.Equal(HttpStatusCode.NotFound, nothing.StatusCode);
        var (exit, said, _) = await gateway.VerbAsync("trace", Unit("U5"), "--custody");
        Assert.Equal((0, 5), (exit, JsonDocument.Parse(said).RootElement.GetProperty("hops").GetArrayLength()));
    }

    private static Task SetAsync(TestGateway gateway, string sql) => gateway.Database.ExecuteAsync($"select set_config('app.party', '*', false), set_config('app.actor', 'test', false); {sql}");

    private static Task ReconcileAsync(TestGateway gateway) => gateway.Services.GetRequiredService<ReconcileDeliveries>().RunAsync(Ct);

    private static async Task DecideAsync(TestGateway gateway, string step)
    {
        using var officer = gateway.Client("officer");
        using var decided = await officer.PostAsJsonAsync($"api/deliveries/{await gateway.Database.ScalarAsync<long>("select min(delivery_id) from delivery")}/{step}", new { reason = "test" }, Ct);
        Assert.True(decided.IsSuccessStatusCode, await decided.Content.ReadAsStringAsync(Ct));
    }

    private static async Task<(IReadOnlyList<JsonElement> Items, string? Next)> UnreportedAsync(TestGateway gateway, string query)
    {
        using var officer = gateway.Client("officer");
        var page = await officer.GetFromJsonAsync<JsonElement>($"api/unreported-serials{query}", Ct);
        return ([.. page.GetProperty("items").EnumerateArray()], page.GetProperty("next").GetString());
    }
}
