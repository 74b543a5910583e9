using Gateway.Delivery;
using System.Net;
using Gateway.Capture;
namespace Gateway.Tests.Capture;

public sealed class ProcessCaptureTests
{
    [Fact]
    public async Task Two_turns_at_once_never_take_the_same_capture()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        using var accepted = await gateway.PostAsync(Documents.Json(Documents.Event(1)));
        var turns = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => gateway.ProcessAsync()));
        Assert.Single(turns, worked => worked);
        Assert.Equal((1L, 1), (await gateway.Database.ScalarAsync<long>("select count(*) from event"), await gateway.Database.ScalarAsync<int>("select attempts from capture")));
    }

    [Fact]
    public async Task A_capture_whose_node_died_is_taken_over_from_its_bytes_when_the_lease_ends()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        using var accepted = await gateway.PostAsync(Documents.Json(Documents.Event(1)));
        await gateway.Database.ExecuteAsync("update capture set attempts = 1, lease_token = gen_random_uuid(), lease_until = gateway_now() + interval '60 s'");
        Assert.False(await gateway.ProcessAsync());
        await gateway.Database.AdvanceAsync(TimeSpan.FromSeconds(61));
        Assert.True(await gateway.ProcessAsync());
        Assert.Equal("accepted", await gateway.Database.ScalarAsync<string>("select state from capture"));
    }

    [Fact]
    public async Task Routing_sees_shipments_in_the_transaction_and_its_failure_stores_nothing()
    {
        var calls = 0;
        CapturedDocument? seen = null;
        var routing = new CaptureRouting((_, document) =>
        {
            seen = document;
            return ++calls == 1 ? throw new InvalidOperationException("The first turn ends here.") : Task.CompletedTask;
        });
        await using var gateway = await CaptureGateway.StartAsync(routing, false);
        const string to = ",\"destinationList\":[{\"type\":\"owning_party\",\"destination\":\"urn:epc:id:pgln:4012345.00002\"}]";
        using var accepted = await gateway.PostAsync(Documents.Json(Documents.Event(1, extra: to)));
        Assert.True(await gateway.ProcessAsync());
        Assert.Equal(0L, await gateway.Database.ScalarAsync<long>("select count(*) from event"));
        Assert.False(await gateway.ProcessAsync());
        await gateway.Database.AdvanceAsync(TimeSpan.FromSeconds(21));
        Assert.True(await gateway.ProcessAsync());
        Assert.Equal(1L, await gateway.Database.ScalarAsync<long>("select count(*) from event"));
        var shipment = Assert.Single(seen!.Shipments);
        var (type, gln) = Assert.Single(shipment.Destinations);
        Assert.Equal("owning_party 401234500002", $"{type} {gln[..12]}");
    }

    [Fact]
    public async Task The_worker_is_woken_and_stores_a_document_of_many_chunks()
    {
        await using var gateway = await CaptureGateway.StartAsync(null, true, ("Capture:Sweep", "00:05:00"));
        var document = Documents.Json([.. Enumerable.Range(1, 15_000).Select(n => Documents.Event(n))]);
        Assert.True(document.Length > 2 << 20);
        using var accepted = await gateway.PostAsync(document);
        for (var tries = 0; tries < 300 && (await gateway.GetAsync(accepted.Headers.Location!.ToString())).GetProperty("running").GetBoolean(); tries++)
        {
            await Task.Delay(100);
        }
        Assert.Equal((15_000L, 15_000L), (await gateway.Database.ScalarAsync<long>("select count(*) from event"), await gateway.Database.ScalarAsync<long>("select count(*) from event_epc")));
    }

    [Fact]
    public async Task A_document_that_ends_every_turn_is_set_aside_with_its_bytes()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        using var accepted = await gateway.PostAsync(Documents.Json(Documents.Event(1)));
        await gateway.Database.ExecuteAsync("update capture set attempts = 3");
        Assert.True(await gateway.ProcessAsync());
        var job = await gateway.GetAsync(accepted.Headers.Location!.ToString());
        Assert.Equal((false, false), (job.GetProperty("running").GetBoolean(), job.GetProperty("success").GetBoolean()));
        Assert.Equal("failed", await gateway.Database.ScalarAsync<string>("select state from capture"));
    }

    [Fact]
    public async Task A_CMO_sees_neither_captures_nor_events_of_another()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        using var accepted = await gateway.PostAsync(Documents.Json(Documents.Event(1)));
        await gateway.ProcessAsync();
        using var other = await gateway.SignInAsync("Second CMO");
        var path = accepted.Headers.Location!.ToString();
        Assert.Equal(HttpStatusCode.OK, (await gateway.Client.GetAsync(path)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await other.GetAsync(path)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await other.GetAsync("/api/captures/" + path.Split('/')[^1] + "/source")).StatusCode);
        Assert.Equal(0, (await gateway.GetAsync("/capture", other)).GetArrayLength());
        Assert.DoesNotContain("sgtin", await other.GetStringAsync("/events"), StringComparison.Ordinal);
        Assert.Contains("sgtin", await gateway.Client.GetStringAsync("/events"), StringComparison.Ordinal);
    }
}
