using Gateway.Delivery;
using System.Net;
using Gateway.Capture;
using Gateway.MasterData;
using Microsoft.Extensions.Options;

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
        var routing = new CaptureRouting((_, documents) =>
        {
            seen = documents.Single();
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
    public async Task A_capture_that_another_node_takes_while_it_is_set_aside_ends_the_turn_and_not_the_worker()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        using var accepted = await gateway.PostAsync(Documents.Json(Documents.Event(1)));
        await gateway.Database.ExecuteAsync("""
            update capture set attempts = 3;
            create function taken() returns trigger language plpgsql as 'begin update capture set lease_token = gen_random_uuid() where capture_id = new.capture_id; return new; end';
            create trigger taken before insert on finding for each row execute function taken()
            """);
        Assert.True(await gateway.ProcessAsync());
        Assert.Equal("processing", await gateway.Database.ScalarAsync<string>("select state from capture"));
    }

    [Fact]
    public async Task One_renewal_that_fails_does_not_end_the_renewing_of_a_lease()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        using var accepted = await gateway.PostAsync(Documents.Json(Documents.Event(1)));
        var node = Gateway.Access.Actor.System("test");
        var lease = await CaptureLease.ClaimAsync(gateway.Database.Gateway, node, TimeSpan.FromSeconds(3), CancellationToken.None);
        await gateway.Database.ExecuteAsync("revoke update on capture from gateway_app");
        using var working = new CancellationTokenSource();
        var missed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var beat = lease!.BeatAsync(gateway.Database.Gateway, node, TimeSpan.FromSeconds(3), working, _ => missed.TrySetResult());
        await missed.Task.WaitAsync(TimeSpan.FromSeconds(60));
        await gateway.Database.ExecuteAsync("update capture set lease_until = '2026-01-01'; grant update on capture to gateway_app");
        for (var tries = 0; tries < 300 && !await gateway.Database.ScalarAsync<bool>("select lease_until > '2026-01-01' from capture"); tries++)
        {
            await Task.Delay(100);
        }
        Assert.True(await gateway.Database.ScalarAsync<bool>("select lease_until > '2026-01-01' from capture"));
        await working.CancelAsync();
        await beat;
    }

    [Fact]
    public async Task An_identifier_longer_than_any_index_holds_refuses_its_document_with_a_finding()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        var id = "https://example.org/" + Convert.ToHexString(System.Security.Cryptography.RandomNumberGenerator.GetBytes(2000));
        using var accepted = await gateway.PostAsync(Documents.Json(Documents.Event(1, id)));
        Assert.True(await gateway.ProcessAsync());
        Assert.Equal("refused GW-EVT-04", await gateway.Database.ScalarAsync<string>("select c.state || ' ' || f.code from capture c join finding f using (capture_id)"));
    }

    [Fact]
    public async Task That_a_document_is_refused_is_told_while_the_rest_of_it_is_still_read()
    {
        var rest = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var document = Documents.Json(Documents.BadEvent, Documents.Event(2));
        var split = document.LastIndexOf("{\"type\":\"ObjectEvent\"", StringComparison.Ordinal);
        await using var stream = new SlowStream(document[..split], rest.Task);
        using var reader = await Task.Run(() => DocumentReading.Open(stream, new CaptureOptions()));
        var chunks = ParsedEvents.Start(reader, new CaptureRules(Options.Create(new RuleOptions())), proceed: false, new CaptureTerms(), MasterDataSnapshot.Nothing, scope: null, CancellationToken.None, out var parsing);
        var first = await chunks.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.True(first.IsRefused);
        Assert.Empty(first.Events);
        rest.SetResult(document[split..]);
        await foreach (var chunk in chunks.ReadAllAsync())
        {
            Assert.Empty(chunk.Events);
        }
        await parsing;
    }

    /// <summary>Gives its beginning (and the white space that fills the reader's buffer), and the rest when it has come.</summary>
    private sealed class SlowStream(string beginning, Task<string> rest) : ForwardStream
    {
        private byte[] _bytes = System.Text.Encoding.UTF8.GetBytes(beginning + new string(' ', 1 << 16));
        private int _position;
        private bool _ended;

        public override int Read(Span<byte> buffer)
        {
            if (_position == _bytes.Length && !_ended)
            {
                (_bytes, _position, _ended) = (System.Text.Encoding.UTF8.GetBytes(rest.GetAwaiter().GetResult()), 0, true);
            }
            var length = Math.Min(buffer.Length, _bytes.Length - _position);
            _bytes.AsSpan(_position, length).CopyTo(buffer);
            _position += length;
            return length;
        }
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
