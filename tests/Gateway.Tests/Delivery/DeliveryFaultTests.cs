using Gateway.Access;
using Gateway.Delivery;
using Microsoft.Extensions.DependencyInjection;
using static Gateway.Tests.Delivery.DeliverDueTests;

namespace Gateway.Tests.Delivery;

/// <summary>What partners do wrong, and what the outbox makes of it.</summary>
public sealed class DeliveryFaultTests
{
    private const string Last = "select code || ' ' || verdict from attempt order by number desc limit 1";
    private static readonly Actor Person = Actor.System("test");

    [Fact]
    public async Task A_redirect_is_never_followed()
    {
        await using var database = await TestDatabase.CreateAsync();
        var paths = new List<string>();
        await using var partner = await StartPartnerAsync(context =>
        {
            paths.Add(context.Request.Path);
            context.Response.StatusCode = 307;
            context.Response.Headers.Location = "/elsewhere";
            return Task.CompletedTask;
        });
        await using var services = Services(database);
        await RouteAsync(database, services, partner.Urls.First());
        await TurnAsync(services);
        Assert.Equal(["/"], paths);
        Assert.Equal("http-307 theirs", await database.ScalarAsync<string>(Last));
    }

    [Fact]
    public async Task A_private_address_is_not_called_unless_it_is_allowed()
    {
        await using var database = await TestDatabase.CreateAsync();
        var calls = 0;
        await using var partner = await StartPartnerAsync(_ => { calls++; return Task.CompletedTask; });
        await using var services = Services(database, allowPrivate: false);
        await RouteAsync(database, services, partner.Urls.First());
        await TurnAsync(services);
        Assert.Equal(0, calls);
        Assert.EndsWith(" ours", await database.ScalarAsync<string>(Last), StringComparison.Ordinal);
        Assert.Equal(0L, await database.ScalarAsync<long>("select count(*) from delivery where state = 'delivered'"));
    }

    [Fact]
    public async Task Retry_After_of_the_partner_is_honoured()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var partner = await StartPartnerAsync(context =>
        {
            context.Response.StatusCode = 503;
            context.Response.Headers.RetryAfter = "600";
            return Task.CompletedTask;
        });
        await using var services = Services(database);
        await RouteAsync(database, services, partner.Urls.First());
        await TurnAsync(services);
        Assert.True(await database.ScalarAsync<bool>("select due_at - gateway_now() between interval '570 s' and interval '600 s' from delivery"));
    }

    [Fact]
    public async Task A_lane_waits_for_its_head_and_another_lane_does_not()
    {
        await using var database = await TestDatabase.CreateAsync();
        var answers = new Queue<int>([503, 200, 200, 200]);
        await using var partner = await StartPartnerAsync(context => { context.Response.StatusCode = answers.Dequeue(); return Task.CompletedTask; });
        await using var services = Services(database);
        await RouteAsync(database, services, partner.Urls.First());
        await TurnAsync(services); // the head fails
        await AddAsync(database, "ordering");
        await AddAsync(database, "'another lane'");
        await TurnAsync(services);
        Assert.Equal("due due delivered", await database.ScalarAsync<string>("select string_agg(state, ' ' order by delivery_id) from delivery"));
        await database.AdvanceAsync(TimeSpan.FromMinutes(1));
        await TurnAsync(services);
        await TurnAsync(services);
        Assert.Equal("delivered delivered delivered", await database.ScalarAsync<string>("select string_agg(state, ' ' order by delivery_id) from delivery"));
    }

    [Fact]
    public async Task A_partner_that_fails_five_times_in_a_row_is_left_alone_and_that_burns_no_attempts()
    {
        await using var database = await TestDatabase.CreateAsync();
        var calls = 0;
        await using var partner = await StartPartnerAsync(context => { calls++; context.Response.StatusCode = 500; return Task.CompletedTask; });
        await using var services = Services(database);
        await RouteAsync(database, services, partner.Urls.First());
        for (var i = 0; i < 5; i++)
        {
            await TurnAsync(services);
            await database.ExecuteAsync("update delivery set due_at = gateway_now() where state = 'due'");
        }
        Assert.Equal(5, calls);
        await TurnAsync(services);
        Assert.Equal(5, calls);
        Assert.Equal(5, await database.ScalarAsync<int>("select attempts from delivery"));
        await database.AdvanceAsync(TimeSpan.FromMinutes(1)); // half open: one probe
        await TurnAsync(services);
        Assert.Equal(6, calls);
    }

    [Fact]
    public async Task A_replay_repeats_the_message_identifier_and_one_is_open_at_a_time()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var partner = await StartPartnerAsync(_ => Task.CompletedTask);
        await using var services = Services(database);
        await RouteAsync(database, services, partner.Urls.First());
        await TurnAsync(services);
        var decisions = services.GetRequiredService<DeliveryDecisions>();
        Assert.Null((await decisions.ReplayAsync(Person, 1, null, "The partner lost it", CancellationToken.None)).Refusal);
        Assert.NotNull((await decisions.ReplayAsync(Person, 1, null, "Once more", CancellationToken.None)).Refusal);
        Assert.Equal(2L, await database.ScalarAsync<long>("select count(*) from delivery"));
        Assert.Equal(1L, await database.ScalarAsync<long>("select count(distinct message_id) from delivery"));
    }

    [Fact]
    public async Task A_dead_delivery_is_closed_with_a_reason_and_reopened()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var partner = await StartPartnerAsync(_ => Task.CompletedTask);
        await using var services = Services(database);
        await RouteAsync(database, services, partner.Urls.First());
        await database.ExecuteAsync("update delivery set state = 'dead', dead_reason = 'refused'");
        var decisions = services.GetRequiredService<DeliveryDecisions>();
        Assert.Null((await decisions.CloseAsync(Person, 1, null, "Settled by telephone", CancellationToken.None)).Refusal);
        Assert.Equal("closed", await database.ScalarAsync<string>("select state from delivery"));
        Assert.NotNull((await decisions.RetryAsync(Person, 1, null, "Again", CancellationToken.None)).Refusal);
        Assert.Null((await decisions.ReopenAsync(Person, 1, null, "It was not settled", CancellationToken.None)).Refusal);
        Assert.Equal("close reopen", await database.ScalarAsync<string>("select string_agg(action, ' ' order by decision_id) from delivery_decision"));
    }

    [Fact]
    public async Task A_document_with_shipments_for_two_parties_goes_to_neither_as_it_came_and_says_why()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var partner = await StartPartnerAsync(_ => Task.CompletedTask);
        await using var services = Services(database);
        await RouteAsync(database, services, partner.Urls.First(), new ShippingEvent(2, ["urn:epc:id:sscc:9521321.0000000002"], [], [("owning_party", "9521234000204")], []));
        Assert.Equal("queued ROUTE-COMPOSED", await database.ScalarAsync<string>("select decision || ' ' || code from routing_decision"));
        Assert.Equal(1L, await database.ScalarAsync<long>("select count(*) from delivery where document_id is null and compose_kind = 'shipment'"));
    }

    [Fact]
    public async Task A_partner_sees_its_own_deliveries_and_nobody_elses()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var partner = await StartPartnerAsync(_ => Task.CompletedTask);
        await using var services = Services(database);
        await RouteAsync(database, services, partner.Urls.First());
        var list = services.GetRequiredService<DeliveryOverview>();
        Assert.Single(await list.ListAsync(Person with { Sees = "1" }, new DeliveryFilter(), 10, CancellationToken.None));
        Assert.Empty(await list.ListAsync(Person with { Sees = "2" }, new DeliveryFilter(), 10, CancellationToken.None));
        Assert.Empty(await list.ListAsync(Person with { Sees = "" }, new DeliveryFilter(), 10, CancellationToken.None));
    }

    private static Task<int> TurnAsync(ServiceProvider services) => services.GetRequiredService<DeliverDue>().RunAsync(1, CancellationToken.None);

    // Another delivery of the same partner: in the same lane, or in one that is named.
    private static Task AddAsync(TestDatabase database, string ordering)
    {
        var bytes = $"'{Guid.NewGuid()}'::bytea"; // sending compares the bytes with the document's hash
        return database.ExecuteAsync($"""
            with d as (insert into document (party_id, sha256, length, media_type, received_at) select party_id, sha256({bytes}), length({bytes}), media_type, received_at from document where document_id = 1 returning document_id),
                 c as (insert into document_chunk select document_id, 2, 0, {bytes} from d)
            insert into delivery (party_id, document_id, partner_id, message_id, ordering, state, due_at, created_at, give_up_at)
            select party_id, (select document_id from d), partner_id, gen_random_uuid(), {ordering}, 'due', gateway_now(), gateway_now(), give_up_at from delivery where delivery_id = 1
            """);
    }
}
