using System.Collections.Concurrent;
using System.Net;
using System.Xml.Linq;
using Gateway.Host.Simulate;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Gateway.Journeys.Simulate;

public sealed class CmoSimulatorTests : IAsyncLifetime
{
    readonly ConcurrentQueue<(string? Key, string? Authorization, byte[] Body)> _captured = new();
    readonly ConcurrentQueue<int> _answers = new();
    readonly HttpClient _http = new();
    WebApplication _gateway = null!;

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _gateway = builder.Build();
        _gateway.MapPost("/capture", async (HttpContext context) =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            _captured.Enqueue((context.Request.Headers["Idempotency-Key"], context.Request.Headers.Authorization, body.ToArray()));
            context.Response.Headers.RetryAfter = "0";
            return Results.StatusCode(_answers.TryDequeue(out var status) ? status : 202);
        });
        await _gateway.StartAsync(Ct);
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _gateway.DisposeAsync();
    }

    [Fact]
    public async Task A_busy_gateway_gets_the_same_bytes_and_key_again_until_it_takes_them()
    {
        _answers.Enqueue(429);
        _answers.Enqueue(503);
        _answers.Enqueue(409);
        Assert.Equal(HttpStatusCode.Accepted, await Simulator().SendAsync(1, Ct));

        Assert.Equal(4, _captured.Count);
        Assert.All(_captured, c => Assert.Equal(("cmo-7-1", "Bearer secret"), (c.Key, c.Authorization)));
        Assert.All(_captured, c => Assert.Equal(_captured.First().Body, c.Body));
    }

    [Fact]
    public async Task A_refused_document_is_not_sent_again()
    {
        _answers.Enqueue(400);
        Assert.Equal(HttpStatusCode.BadRequest, await Simulator().SendAsync(1, Ct));
        Assert.Single(_captured);
    }

    [Fact]
    public async Task Every_25th_document_lacks_the_parent_of_its_cases_and_the_work_ends_when_cancelled()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var work = Simulator().RunAsync(stop.Token);
        while (_captured.Count < 26)
            await Task.Delay(10, Ct);
        await stop.CancelAsync();
        await work.WaitAsync(TimeSpan.FromSeconds(5), Ct);

        var lacking = _captured.Take(26).Select((c, i) => (Number: i + 1, Document: XDocument.Load(new MemoryStream(c.Body))))
            .Where(d => d.Document.Descendants("AggregationEvent").Any(e => e.Element("parentID") is null))
            .Select(d => d.Number);
        Assert.Equal([25], lacking);
    }

    CmoSimulator Simulator() => new(
        _http,
        new CmoSimulatorOptions(
            new Uri(_gateway.Urls.Single()), "secret", Seed: 7, SimulatedParty.AtOneAddress("9521234000006", 7, "Shipper"))
        {
            Partners = [SimulatedParty.AtOneAddress("9525678000004", 7, "Partner")],
            Interval = TimeSpan.FromMilliseconds(1),
        },
        TimeProvider.System);
}
