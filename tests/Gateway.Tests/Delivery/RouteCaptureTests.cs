using System.Text;
using System.Text.Json;
using Epcis.Events;
using Epcis.Formats;
using Epcis.Formats.JsonLd;
using Epcis.Identifiers;
using Gateway.Access;
using Gateway.Delivery;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Tests.Delivery;

/// <summary>Who gets a captured document, who does not, and the stored reason why.</summary>
public sealed class RouteCaptureTests
{
    private const string Buyer = "9521321000018";
    private const string Other = "9521234000204";
    private const string Case = "urn:epc:id:sscc:9521321.0000000001";
    private const string Pack = "urn:epc:id:sgtin:9521321.012345.1";
    private const string Stranger = "urn:epc:id:sgtin:9521321.012345.999";
    private const string Lot = "urn:epc:class:lgtin:9521321.012345.LOT1";
    private const string StrangeLot = "urn:epc:class:lgtin:9521321.012345.LOT9";

    private static readonly EpcisEvent Commissioning = new ObjectEvent { Action = EventAction.Add, BizStep = "commissioning", EpcList = [Pack] };
    private static readonly EpcisEvent Packing = new AggregationEvent { Action = EventAction.Add, BizStep = "packing", ParentId = Case, ChildEpcs = [Pack] };
    private static readonly EpcisEvent Shipping = new ObjectEvent
    {
        Action = EventAction.Observe, BizStep = "shipping", EpcList = [Case], BizTransactions = [new("desadv", "urn:epcglobal:cbv:bt:9521321000018:ASN1")],
    };

    [Fact]
    public void A_lane_whose_despatch_advice_has_a_long_name_fits_its_index()
    {
        var name = new string('7', 100_000);
        var shipment = new ShippingEvent(1, [], [], [], [new BizTransaction("desadv", name)]);
        var lane = RouteCapture.Ordering(new CapturedDocument(1, 1, 1, 1, 1, 2026, false, new DocumentHeader(), [shipment]));
        Assert.StartsWith("sha256 ", lane, StringComparison.Ordinal);
        Assert.Equal(71, lane.Length);
    }

    [Theory]
    [InlineData(null, "01:00:00")]
    [InlineData("update partner set need_within = interval '3 hours'", "03:00:00")]
    public async Task By_when_the_partner_needs_it_is_written_when_it_is_queued(string? change, string within)
    {
        await using var database = await TestDatabase.CreateAsync();
        await PrepareAsync(database);
        await database.ExecuteAsync("select set_config('app.actor', 'test', false); " + (change ?? "select 1"));
        await StoreAsync(database, 2, [Commissioning, Packing, Shipping]);
        await RouteAsync(database, [To(Buyer)], Last(3));
        await database.ExecuteAsync("select set_config('app.actor', 'test', false); update partner set need_within = interval '9 days'");
        Assert.Equal(within, await database.ScalarAsync<string>("select date_trunc('seconds', need_by - created_at)::text from delivery"));
    }

    [Fact]
    public async Task A_document_that_tells_only_the_history_of_its_shipment_is_queued() =>
        Assert.Equal("queued ROUTE-SHIPMENT", await DecideAsync([Commissioning, Packing, Shipping]));

    [Fact]
    public async Task An_EPC_that_is_not_shipped_is_told_to_no_partner() =>
        Assert.Equal("queued ROUTE-COMPOSED", await DecideAsync([Commissioning, Packing, Shipping, new ObjectEvent { Action = EventAction.Add, EpcList = [Stranger] }]));

    [Fact]
    public async Task A_lot_that_is_not_shipped_is_told_to_no_partner() =>
        Assert.Equal("queued ROUTE-COMPOSED", await DecideAsync([Commissioning, Packing, Shipping, new ObjectEvent { Action = EventAction.Observe, QuantityList = [Of(StrangeLot)] }]));

    [Fact]
    public async Task A_lot_named_beside_a_shipped_EPC_is_still_looked_at() =>
        Assert.Equal("queued ROUTE-COMPOSED", await DecideAsync([Packing, Shipping, new ObjectEvent { Action = EventAction.Observe, EpcList = [Pack], QuantityList = [Of(StrangeLot)] }]));

    [Fact]
    public async Task A_lot_packed_in_what_is_shipped_is_its_history() =>
        Assert.Equal("queued ROUTE-SHIPMENT", await DecideAsync(
            [new ObjectEvent { Action = EventAction.Add, QuantityList = [Of(Lot)] }, new AggregationEvent { Action = EventAction.Add, ParentId = Case, ChildQuantityList = [Of(Lot)] }, Shipping]));

    [Fact]
    public async Task The_inputs_of_a_transformation_are_not_what_is_shipped() =>
        Assert.Equal("queued ROUTE-COMPOSED", await DecideAsync([Packing, Shipping, new TransformationEvent { InputQuantityList = [Of(StrangeLot)], OutputEpcList = [Pack] }]));

    [Fact]
    public async Task An_event_without_any_EPC_is_told_to_no_partner() =>
        Assert.Equal("queued ROUTE-COMPOSED", await DecideAsync([Commissioning, Packing, Shipping, new TransactionEvent { Action = EventAction.Add, BizTransactions = [new("po", "urn:epcglobal:cbv:bt:9521321000018:PO7")] }]));

    [Fact]
    public async Task An_event_without_any_EPC_that_names_the_shipments_transaction_is_its_history() =>
        Assert.Equal("queued ROUTE-SHIPMENT", await DecideAsync([Commissioning, Packing, Shipping, new TransactionEvent { Action = EventAction.Add, BizTransactions = Shipping.BizTransactions }]));

    [Fact]
    public async Task One_thing_in_two_spellings_is_one_thing_and_an_event_may_hold_a_character_0() =>
        Assert.Equal("queued ROUTE-SHIPMENT", await DecideAsync(
            [new ObjectEvent { Action = EventAction.Add, BizStep = "made\0 up", EpcList = ["https://example.com/01/09521321123458/21/1"] }, new AggregationEvent { Action = EventAction.Add, ParentId = Case, ChildEpcs = ["https://id.gs1.org/01/09521321123458/21/1"] }, Shipping]));

    [Fact]
    public async Task A_repeated_event_is_looked_at_where_it_was_stored_first()
    {
        await using var database = await TestDatabase.CreateAsync();
        await PrepareAsync(database);
        await StoreAsync(database, 1, [new ObjectEvent { Action = EventAction.Add, EpcList = [Stranger] }]);
        await database.ExecuteAsync("insert into event_identity (event_uri, content_hash, event_id, party_id, claim) values ('urn:uuid:first', 'x', 1 << 20, 2, 0)");
        await StoreAsync(database, 2, [Commissioning, Packing, Shipping]);
        await FindAsync(database, "GW-EVT-01", "info");
        Assert.Equal("queued ROUTE-COMPOSED", await RouteAsync(database, [To(Buyer)], Last(3)));
    }

    [Theory]
    [InlineData("GW-EVT-02", "warning")]
    [InlineData("EPCIS-AGG-01", "error")]
    public async Task A_document_with_an_event_that_was_not_accepted_does_not_go_as_it_came(string code, string severity)
    {
        await using var database = await TestDatabase.CreateAsync();
        await PrepareAsync(database);
        await StoreAsync(database, 2, [Commissioning, Packing, Shipping]);
        await FindAsync(database, code, severity);
        Assert.Equal("queued ROUTE-COMPOSED", await RouteAsync(database, [To(Buyer)], Last(3)));
    }

    [Fact]
    public async Task Of_shipments_to_two_parties_in_one_document_a_partner_gets_its_own_in_a_document_of_its_own() =>
        Assert.Equal("queued ROUTE-COMPOSED", await DecideAsync([Commissioning, Packing, Shipping], [To(Buyer), To(Other)]));

    [Fact]
    public async Task A_document_that_ships_nothing_is_not_sent_even_where_a_route_takes_all() =>
        Assert.Equal("not sent ROUTE-NO-SHIPMENT", await DecideAsync([Commissioning], [], "insert into route (partner_id, reason) values (1, 'They take all')"));

    [Fact]
    public async Task A_partner_that_takes_another_format_gets_a_document_in_that() =>
        Assert.Equal("queued ROUTE-COMPOSED", await DecideAsync([Commissioning, Packing, Shipping], change: "update partner set format = '2.0-json'"));

    [Fact]
    public async Task A_draft_of_a_partner_is_sent_nothing() =>
        Assert.Equal("not sent ROUTE-PARTNER-DRAFT", await DecideAsync([Commissioning, Packing, Shipping], change: "update partner set state = 'draft'"));

    [Theory]
    [InlineData("update partner set state = 'practice'")]
    [InlineData("insert into partner_profile (partner_id, party_id, regulation) select partner_id, party_id, 'us-dscsa' from partner; update partner set state = 'practice'")]
    public async Task A_partner_in_practice_is_sent_nothing_that_was_captured(string change) =>
        Assert.Equal("not sent ROUTE-PARTNER-PRACTICE", await DecideAsync([Commissioning, Packing, Shipping], change: change));

    [Fact]
    public async Task A_paused_partner_still_has_its_deliveries_queued() =>
        Assert.Equal("queued ROUTE-SHIPMENT", await DecideAsync([Commissioning, Packing, Shipping], change: "update partner set state = 'paused', pause_reason = 'Their move'"));

    [Fact]
    public async Task A_partner_of_a_regulation_gets_nothing_as_it_came_and_a_delivery_for_each_lane()
    {
        await using var database = await TestDatabase.CreateAsync();
        await PrepareAsync(database);
        await database.ExecuteAsync("select set_config('app.actor', 'test', false); insert into partner_profile (partner_id, party_id, regulation) values (1, 1, 'us-dscsa')");
        await StoreAsync(database, 2, [Commissioning, Packing, Shipping]);
        ShippingEvent In(string lane, long place) => To(Buyer) with { EventId = (2L << 20) + place, BizTransactions = [new("desadv", lane)] };
        Assert.Equal("queued ROUTE-COMPOSED", await RouteAsync(database, [In("a", 2), In("b", 3), In("a", 4)], Last(3)));
        Assert.Equal($"a {{{(2L << 20) + 2},{(2L << 20) + 4}}} - 2, b {{{(2L << 20) + 3}}} 1 2",
            await database.ScalarAsync<string>("select string_agg(concat_ws(' ', ordering, shipment_events, coalesce(part_of::text, '-'), capture_id), ', ' order by delivery_id) from delivery where document_id is null"));
    }

    [Theory]
    [InlineData("max_bytes", "1", "ROUTE-SHIPMENT")]
    [InlineData("max_events", "3", "ROUTE-SHIPMENT")]
    [InlineData("max_events", "2", "ROUTE-COMPOSED")]
    [InlineData("ids", "'digital-link'", "ROUTE-COMPOSED")]
    public async Task What_a_partner_does_not_take_as_it_came_is_composed_for_it_also_without_a_regulation(string setting, string value, string code) =>
        Assert.Equal("queued " + code, await DecideAsync([Commissioning, Packing, Shipping], change: $"insert into partner_profile (partner_id, party_id, {setting}) values (1, 1, {value})"));

    [Fact]
    public async Task A_shipment_that_two_parties_tell_of_is_told_to_a_partner_once()
    {
        await using var database = await TestDatabase.CreateAsync();
        await PrepareAsync(database);
        await database.ExecuteAsync("select set_config('app.actor', 'test', false); insert into partner_profile (partner_id, party_id, regulation) values (1, 1, 'us-dscsa')");
        var (first, again) = ((1L << 20) + 2, (2L << 20) + 2);
        await StoreAsync(database, 1, [Commissioning, Packing, Shipping]);
        await StoreAsync(database, 2, [Commissioning, Packing, Shipping]);
        await database.ExecuteAsync($"""
            update event set event_uri = 'urn:uuid:one', told_again = event_id = {again} where event_id in ({first}, {again});
            insert into event_identity (event_uri, event_id, content_hash, party_id, claim) values ('urn:uuid:one', {first}, sha256('1'), 2, 0);
            insert into delivery (party_id, capture_id, compose_kind, shipment_events, partner_id, message_id, ordering, state, due_at, created_at, give_up_at)
            values (1, 1, 'shipment', array[{first}], 1, gen_random_uuid(), 'lane', 'due', gateway_now(), gateway_now(), gateway_now() + interval '1 h')
            """);
        Assert.Equal("not sent ROUTE-NO-SHIPMENT", await RouteAsync(database, [To(Buyer)], Last(3)));

        // What was closed told nobody.
        await database.ExecuteAsync("update delivery set state = 'closed', finished_at = gateway_now(); delete from routing_decision");
        Assert.Equal("queued ROUTE-COMPOSED", await RouteAsync(database, [To(Buyer)], Last(3)));
    }

    private static QuantityElement Of(string epcClass) => new(epcClass, 10, "10", null);

    private static ShippingEvent To(string gln) => new((2L << 20) + 2, [Case], [], [("owning_party", gln)], []);

    private static long Last(int events) => (2L << 20) + events - 1;

    private static async Task<string> DecideAsync(EpcisEvent[] events, ShippingEvent[]? shipments = null, string? change = null)
    {
        await using var database = await TestDatabase.CreateAsync();
        await PrepareAsync(database);
        if (change is not null)
        {
            await database.ExecuteAsync("select set_config('app.actor', 'test', false); " + change);
        }
        await StoreAsync(database, 2, events);
        var at = (2L << 20) + Array.IndexOf(events, Shipping);
        return await RouteAsync(database, shipments ?? [To(Buyer) with { EventId = at }], Last(events.Length));
    }

    private static Task PrepareAsync(TestDatabase database) => database.ExecuteAsync($"""
        select set_config('app.actor', 'test', false);
        insert into party (kind, name, gln) values ('partner', 'Buyer', '{Buyer}'), ('organisation', 'We', null);
        insert into partner (party_id, name, format, channel, url, created_at) values (1, 'Buyer', '1.2-xml', 'https', 'https://example.org', gateway_now());
        insert into partner_gln values ('{Buyer}', 1);
        insert into document (party_id, sha256, length, media_type, received_at) select 2, sha256(n::text::bytea), 1, 'application/xml', gateway_now() from generate_series(1, 2) n;
        insert into capture (document_id, party_id, submitted_by, error_behaviour, state, created_at, finished_at, answer_status, answer_body)
        select n, 2, 'k', 'rollback', 'accepted', gateway_now(), gateway_now(), 202, '' from generate_series(1, 2) n;
        """);

    // As a capture stores them: the rendering of the event, and how its EPCs are spelled elsewhere.
    private static async Task StoreAsync(TestDatabase database, long captureId, EpcisEvent[] events)
    {
        await using var connection = new NpgsqlConnection(database.AdministratorConnectionString);
        await connection.OpenAsync();
        for (var i = 0; i < events.Length; i++)
        {
            var e = events[i] with { EventTime = DateTimeOffset.UnixEpoch, EventTimeText = "1970-01-01T00:00:00Z", EventTimeZoneOffset = "+00:00" };
            var keys = e.Epcs.Select(x => x.Epc).Concat(e.Quantities.Select(q => q.Quantity.EpcClass)).Where(x => EpcKey.Normalise(x) != x).Distinct().ToDictionary(x => x, x => EpcKey.Normalise(x));
            await using var row = new NpgsqlCommand("""
                insert into event (event_id, period, party_id, event_type, event_time, record_time, body, keys) values ($1, 2026, 2, $2, gateway_now(), gateway_now(), $3, $4::jsonb);
                """, connection)
            { Parameters = { new() { Value = (captureId << 20) + i }, new() { Value = e.EventType }, new() { Value = Encoding.UTF8.GetString(JsonEventWriter.ToUtf8(e, null)) }, new() { Value = JsonSerializer.Serialize(keys) } } };
            await row.ExecuteNonQueryAsync();
        }
    }

    private static Task FindAsync(TestDatabase database, string code, string severity) => database.ExecuteAsync($"""
        insert into finding (capture_id, ordinal, party_id, code, severity, event, event_uri, line, col, message) values (2, 0, 2, '{code}', '{severity}', 3, 'urn:uuid:first', 1, 1, 'What was found');
        update capture set finding_count = 1 where capture_id = 2
        """);

    private static async Task<string> RouteAsync(TestDatabase database, ShippingEvent[] shipments, long last)
    {
        await using var work = await database.Gateway.BeginAsync(Actor.System("test"), CancellationToken.None);
        await new RouteCapture(Options.Create(new DeliveryOptions())).RouteAsync(work, [new CapturedDocument(2, 2, 2, 2L << 20, last, 2026, true, new DocumentHeader { SchemaVersion = "1.2" }, shipments)]);
        await work.CommitAsync();
        return await database.ScalarAsync<string>("select decision || ' ' || code from routing_decision");
    }
}
