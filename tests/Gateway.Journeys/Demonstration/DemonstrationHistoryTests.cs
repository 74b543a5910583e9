using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Dapper;
using Gateway.Access;
using Gateway.Capture;
using Gateway.Database;
using Gateway.Delivery;
using Gateway.Host;
using Gateway.Host.Simulate;
using Gateway.Partners;
using Gateway.Shipments;
using Gateway.TestSupport;
using Gateway.Units;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Journeys.Demonstration;

/// <summary>A day of the demonstration's past, written beside a living host.</summary>
public sealed class DemonstrationHistoryTests
{
    internal static readonly HistorySize Day = new(1, 150, 12);
    internal static readonly HistorySize TwoDays = Day with { Days = 2, Shipments = 480 };
    internal static readonly HistorySize ThreeDays = Day with { Days = 3, Shipments = 600 };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_day_of_history_balances_and_is_kept_as_if_it_had_been_lived_through()
    {
        await using var gateway = await StartAsync();
        var database = gateway.Database;
        var written = await HistoryOf(gateway).WriteAsync(Ct);

        Assert.InRange(written, 150, 170);
        Assert.Equal(written, await CountAsync(database, "capture"));
        Assert.Equal(written, await CountAsync(database, "capture where state in ('accepted', 'refused')"));
        Assert.True(await CountAsync(database, "capture where state = 'refused'") > 0);
        Assert.Equal(0, await CountAsync(database, "finding f where code <> 'EPCIS-AGG-01' and not exists (select from delivery v where v.capture_id = f.capture_id and v.compose_kind is not null)"));
        Assert.Equal(0, await CountAsync(database, "capture c where (state = 'refused') <> exists (select from finding f where f.capture_id = c.capture_id and f.severity = 'error')"));

        // Each accepted document went to one partner; the balance of Today holds for each day.
        Assert.Equal(await CountAsync(database, "capture where state = 'accepted'"), await CountAsync(database, "routing_decision where decision = 'queued'"));
        Assert.Equal(0, await CountAsync(database, "routing_decision where decision <> 'queued'"));
        var figures = gateway.Services.GetRequiredService<DeliveryFigures>();
        foreach (var day in (DateTime[])[DateTime.UtcNow.Date, DateTime.UtcNow.Date.AddDays(-1)])
        {
            var balance = await figures.BalanceAsync(Actor.System("test"), day, Ct);
            Assert.True(balance.Balances, balance.ToString());
        }

        // Everything at its time, numbers in the order of time.
        Assert.Equal(0, await CountAsync(database, "capture c join event e on e.event_id >> 20 = c.capture_id where e.record_time <> c.created_at"));
        Assert.Equal(await CountAsync(database, "event"), await database.ScalarAsync<long>("select sum(event_count) from capture"));
        Assert.Equal(0, await CountAsync(database, "(select created_at < lag(created_at) over (order by capture_id) as back from capture) c where back"));
        Assert.Equal(0, await CountAsync(database, "capture c join document d using (document_id) where d.received_at <> c.created_at or c.finished_at not between c.created_at and c.created_at + interval '5 min'"));
        Assert.Equal(0, await CountAsync(database, "capture c left join audit_entry a on a.entity = 'capture' and a.entity_key = c.public_id::text where a.recorded_at is null or a.recorded_at not between c.created_at and c.created_at + interval '5 min'"));
        Assert.Equal(written, await CountAsync(database, "audit_entry where entity = 'capture'"));

        // Bytes and what is said of them.
        Assert.Equal(0, await CountAsync(database, "document d where sha256 <> (select sha256(string_agg(bytes, '' order by ordinal)) from document_chunk c where c.document_id = d.document_id)"));
        Assert.Equal(0, await CountAsync(database, "attempt a join delivery v using (delivery_id) join document d using (document_id) where a.request_hash <> d.sha256 or a.ended_at < a.started_at or a.started_at < v.created_at"));
        Assert.Equal(0, await CountAsync(database, "delivery v where attempts <> (select count(*) from attempt a where a.delivery_id = v.delivery_id)"));
    }

    [Fact]
    public async Task Events_of_the_past_are_found_by_their_time()
    {
        await using var gateway = await StartAsync();
        await HistoryOf(gateway).WriteAsync(Ct);
        using var client = gateway.Client("officer");
        var from = await gateway.Database.ScalarAsync<DateTime>("select date_trunc('hour', created_at) from capture where state = 'accepted' order by capture_id offset 40 limit 1");
        var ids = await gateway.Database.ScalarAsync<long>($"select count(*) from event where event_time >= '{from:O}' and event_time < '{from.AddHours(1):O}'");

        var answer = await client.GetFromJsonAsync<JsonElement>($"events?GE_eventTime={from:yyyy-MM-ddTHH:mm:ssZ}&LT_eventTime={from.AddHours(1):yyyy-MM-ddTHH:mm:ssZ}&perPage=1000", Ct);

        Assert.True(ids > 0);
        Assert.Equal(ids, answer.GetProperty("epcisBody").GetProperty("queryResults").GetProperty("resultsBody").GetProperty("eventList").GetArrayLength());
    }

    [Fact]
    public async Task Workers_leave_the_past_alone_and_the_partner_with_the_expired_certificate_too()
    {
        await using var gateway = await StartAsync();
        var database = gateway.Database;
        await HistoryOf(gateway).WriteAsync(Ct);
        // What is composed is the present's to do.
        const string settled = "attempt a join delivery v using (delivery_id) where v.compose_kind is null";
        var attempts = await CountAsync(database, settled);
        Assert.Equal(12, await CountAsync(database, "delivery join partner p using (partner_id) where delivery.state = 'due' and p.name = 'Island Pharmacies'"));
        Assert.Equal(0, await CountAsync(database, "delivery join partner p using (partner_id) where delivery.state = 'due' and compose_kind is null and p.name not in ('Island Pharmacies', 'Desert Pharmacies')"));
        Assert.Equal(0, await CountAsync(database, "delivery where lease_token is not null and receipt <> 'pending' and compose_kind is null"));

        // A document of the present passes through the same workers, so they have looked at everything that is due.
        var central = DemonstrationCast.Partners.First(p => p.Past == PastManner.Well);
        var plan = new ShipmentPlan(9_000, DemonstrationCast.Shippers[0], central.Party, DateTimeOffset.UtcNow, "NOW1", new DateOnly(2029, 1, 1));
        using var answer = await gateway.CaptureAsync(new ShipmentGenerator(1).Xml(plan));
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        await Eventually.TrueAsync(async () => await CountAsync(database, "delivery join capture c using (document_id) where delivery.state = 'delivered' and compose_kind is null and not exists (select from idempotency i where i.capture_id = c.capture_id)") == 1);

        Assert.Equal(attempts + 1, await CountAsync(database, settled));
        var held = (await gateway.Services.GetRequiredService<DeliveryFigures>().HeldPartnersAsync(Actor.System("test"), Ct)).ToDictionary(h => h.Partner);
        Assert.Equal(("Island Pharmacies", null, "certificate-expired", 12L), (held["Island Pharmacies"].Partner, held["Island Pharmacies"].Why, held["Island Pharmacies"].Code, held["Island Pharmacies"].Waiting));
        Assert.Equal(Licences.Waiting, held["Desert Pharmacies"].Why);
        Assert.Equal(0, await CountAsync(database, "attempt join delivery v using (delivery_id) join partner p using (partner_id) where p.name = 'Desert Pharmacies' and v.state = 'due'"));
    }

    [Fact]
    public async Task The_partner_that_was_out_has_everything_by_itself_and_the_silent_one_owes_its_results()
    {
        await using var gateway = await StartAsync();
        var database = gateway.Database;
        // Of the last night that was over an hour ago, at six in the morning not all lies in the last day.
        await HistoryOf(gateway, size: TwoDays).WriteAsync(Ct);
        Assert.True(await CountAsync(database, "delivery v join partner p using (partner_id) where p.name = 'Northern Wholesale' and v.attempts > 1 and v.state = 'delivered' and (select bool_or(a.code = 'http-503') from attempt a where a.delivery_id = v.delivery_id)") > 0);
        Assert.Equal(0, await CountAsync(database, "delivery v join partner p using (partner_id) where p.name = 'Northern Wholesale' and v.state <> 'delivered'"));
        Assert.True(await CountAsync(database, "delivery v join partner p using (partner_id) where p.name = 'Lakeside Clinics' and v.receipt = 'pending' and v.receipt_overdue") > 0);
        Assert.Equal(0, await CountAsync(database, "delivery v join partner p using (partner_id) where p.name <> 'Lakeside Clinics' and v.receipt = 'pending'"));
    }

    [Fact]
    public async Task What_partners_received_is_told_in_documents_of_their_own_and_what_was_refused_and_corrected_is_settled()
    {
        await using var gateway = await StartAsync();
        var database = gateway.Database;
        await HistoryOf(gateway, size: ThreeDays).WriteAsync(Ct);
        Assert.Equal(1, await CountAsync(database, "exception where code = 'EPCIS-AGG-01' and state = 'open'"));
        Assert.True(await CountAsync(database, "exception where code = 'EPCIS-AGG-01' and state = 'resolved' and decided_at between opened_at + interval '59 min' and opened_at + interval '61 min'") > 5);
        await gateway.Services.GetRequiredService<FollowShipments>().RunAsync(Ct);

        const string north = "delivery v join partner p using (partner_id) where p.name = 'Northern Wholesale' and v.business =";
        var start = await database.ScalarAsync<DateTime>("select date_trunc('hour', min(created_at)) from idempotency where key like 'history-%'");
        var told = HistoryPlan.Make(start, ThreeDays, DemonstrationPlant.Seed).Receipts.Where(r => r.Partner.Party.Owner.Name == "Northern Wholesale" && r.At < DateTime.UtcNow).ToList();
        Assert.NotEmpty(told);
        // The host follows shipments too, and what it is at is not looked at twice.
        await Eventually.TrueAsync(async () => await CountAsync(database, $"{north} 'received'") == told.Sum(r => r.Whole.Count));
        Assert.Equal((1, 1), (await CountAsync(database, $"{north} 'partly'"), await CountAsync(database, $"{north} 'disputed'")));
        Assert.Equal("receipt.damaged", await database.ScalarAsync<string>("select string_agg(code, ' ') from exception where code like 'receipt.%' and state = 'open' and source_kind = 'delivery'"));

        // One partner refused what it was told of one lot, which is all that is uneven: its packs, and its cases.
        await gateway.Services.GetRequiredService<ReconcileDeliveries>().RunAsync(Ct);
        Assert.Equal("2 Western Wholesale", await database.ScalarAsync<string>("select count(distinct e.gtin) || ' ' || min(p.name) from exception e join partner p on p.partner_id::text = split_part(e.source_id, '/', 1) where e.code = 'reconcile.gap' and e.state = 'open' having count(distinct e.lot) = 1"));
        Assert.Equal("refused", await database.ScalarAsync<string>("select distinct dead_reason from delivery where state = 'dead'"));
    }

    [Fact]
    public async Task A_history_cut_short_goes_on_with_the_next_hour_and_a_whole_one_is_not_written_again()
    {
        await using var gateway = await StartAsync();
        var database = gateway.Database;
        var route = gateway.Services.GetRequiredService<CaptureRouting>().Route!;
        var calls = 0;
        var failing = new CaptureHistory(
            new CaptureRouting((work, documents) => ++calls == 70 ? throw new InvalidOperationException("Cut here.") : route(work, documents)), gateway.Services.GetRequiredService<CaptureRules>(),
            gateway.Services.GetRequiredService<UnitLedgers>(), gateway.Services.GetRequiredService<IOptions<CaptureOptions>>());

        var cut = await Assert.ThrowsAsync<InvalidOperationException>(() => HistoryOf(gateway, failing).WriteAsync(Ct));
        Assert.Equal("Cut here.", cut.Message);
        var before = await CountAsync(database, "capture");
        Assert.InRange(before, 1, 75);
        var rest = await HistoryOf(gateway).WriteAsync(Ct);

        Assert.Equal(before + rest, await CountAsync(database, "capture"));
        Assert.InRange(before + rest, 150, 170);
        Assert.Equal(before + rest, await database.ScalarAsync<long>("select max(split_part(key, '-', 3)::bigint) from idempotency"));
        Assert.Equal(0, await CountAsync(database, "(select created_at < lag(created_at) over (order by capture_id) as back from capture) c where back"));
        Assert.Equal(0, await CountAsync(database, "finding f where code <> 'EPCIS-AGG-01' and not exists (select from delivery v where v.capture_id = f.capture_id and v.compose_kind is not null)"));
        Assert.Equal(0, await HistoryOf(gateway).WriteAsync(Ct));
        Assert.Equal(before + rest, await CountAsync(database, "capture"));
    }

    [Fact]
    public async Task A_demonstration_that_has_begun_to_live_gets_no_history()
    {
        await using var gateway = await StartAsync();
        var plan = new ShipmentPlan(9_000, DemonstrationCast.Shippers[0], DemonstrationCast.Partners[0].Party, DateTimeOffset.UtcNow, "NOW1", new DateOnly(2029, 1, 1));
        using var answer = await gateway.CaptureAsync(new ShipmentGenerator(1).Xml(plan), "cmo-1-9000");
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Equal(0, await HistoryOf(gateway).WriteAsync(Ct));
    }

    [Fact]
    public async Task A_live_database_refuses_a_history()
    {
        await using var gateway = await StartAsync();
        await gateway.Database.ExecuteAsync("select set_config('app.actor', 'test', false); delete from api_key; update installation set kind = 'live'"); // a key of tests keeps a database from being live
        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => HistoryOf(gateway).WriteAsync(Ct));
        Assert.Contains("live", refusal.Message, StringComparison.Ordinal);
        var history = gateway.Services.GetRequiredService<CaptureHistory>();
        await using var work = await gateway.Database.Gateway.BeginAsync(Actor.System("test"), Ct);
        await Assert.ThrowsAsync<InvalidOperationException>(() => history.StoreAsync(work, history.Read("<x/>"u8.ToArray(), "application/xml"), DateTime.UtcNow.AddDays(-1), 1, "key:x", null, Ct));
        await Assert.ThrowsAsync<InvalidOperationException>(() => DeliveryHistory.SettleAsync(work, []));
        await Assert.ThrowsAsync<InvalidOperationException>(() => DeliveryHistory.LeaveAloneAsync(work, 1, "tls", 1, DateTime.UtcNow));
        Assert.Equal(0, await CountAsync(gateway.Database, "capture"));
    }

    private static async Task<TestGateway> StartAsync()
    {
        var gateway = await TestGateway.StartAsync();
        await new DemonstrationPlant(gateway.Database.Gateway, gateway.Url, gateway.Keys["administrator"], gateway.Keys["cmo"]).PreparePartnersAsync(gateway.Partner, TestGateway.Folders, Ct);
        return gateway;
    }

    private static DemonstrationHistory HistoryOf(TestGateway gateway, CaptureHistory? history = null, HistorySize? size = null) => new(
        gateway.Database.Gateway, history ?? gateway.Services.GetRequiredService<CaptureHistory>(), [new(1, "one"), new(2, "two"), new(1, "line")], gateway.Partner.BaseAddress, size ?? Day, DemonstrationPlant.Seed);

    private static Task<long> CountAsync(TestDatabase database, string from) => database.ScalarAsync<long>("select count(*) from " + from);
}
