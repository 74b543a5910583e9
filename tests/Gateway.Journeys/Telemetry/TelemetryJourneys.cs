using System.Net;
using System.Net.Sockets;
using Gateway.Host.Simulate;
using Gateway.TestSupport;
using Microsoft.Extensions.Options;

namespace Gateway.Journeys.Telemetry;

public sealed class TelemetryJourneys
{
    private static readonly SimulatedParty Shipper = SimulatedParty.AtOneAddress("9521234000105", 7, "Shipper");
    private static readonly SimulatedParty Buyer = SimulatedParty.AtOneAddress("9521234000204", 7, "Buyer");

    private static byte[] Shipment(long sequence) => new ShipmentGenerator(29).Xml(
        new ShipmentPlan(sequence, Shipper, Buyer, new DateTimeOffset(2026, 11, 1, 8, 0, 0, TimeSpan.Zero), "LOT1", new DateOnly(2029, 1, 31)));

    [Fact]
    public async Task One_trace_shows_a_documents_way_from_the_request_to_the_partner_and_names_no_pack()
    {
        await using var collector = await Collector.StartAsync();
        var document = Shipment(1);
        string epc, capture;
        await using (var gateway = await TestGateway.StartAsync(new Dictionary<string, string?> { ["Telemetry:OtlpEndpoint"] = collector.Url, ["Telemetry:ExportEvery"] = "00:00:01" }))
        {
            await gateway.AddPartnerAsync(Buyer.Owner.Gln, "well/buyer-with-a-token");
            using var answer = await gateway.CaptureAsync(document);
            Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
            capture = answer.Headers.Location!.ToString().Split('/')[^1];
            await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from delivery where state = 'delivered'") == 1);
            epc = await gateway.Database.ScalarAsync<string>("select epc from event_epc limit 1");
            using var officer = gateway.Client("officer");
            using var looked = await officer.GetAsync($"epcs/{Uri.EscapeDataString(epc)}/events", TestContext.Current.CancellationToken);
            await Eventually.TrueAsync(() => Task.FromResult(collector.Metrics.Contains("gateway.deliveries")));
        }

        // Stopping has sent the rest.
        // Hosts of other tests in this process share the sources, so the document's own trace is looked for.
        var processing = Assert.Single(collector.Spans, s => s.Name == "process capture" && s.Tags["gateway.capture.id"] == capture);
        var way = collector.Spans.Where(s => s.TraceId == processing.TraceId).ToList();
        var attempt = Assert.Single(way, s => s.Name == "delivery attempt");
        Assert.Equal(processing.SpanId, attempt.ParentSpanId);
        var request = Assert.Single(way, s => s.SpanId == processing.ParentSpanId);
        Assert.Equal("POST /capture", request.Name);
        Assert.Equal("POST", request.Tags["http.request.method"]);
        Assert.Contains(way, s => s.Tags.ContainsKey("db.query.text"));
        Assert.Equal("ok", attempt.Tags["gateway.delivery.verdict"]);
        Assert.DoesNotContain(epc, collector.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(Uri.EscapeDataString(epc), collector.Text, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("buyer-with-a-token", collector.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("gwl_", collector.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_collector_gets_the_gateways_own_metrics_the_frameworks_and_the_drivers()
    {
        await using var collector = await Collector.StartAsync();
        await using (var gateway = await TestGateway.StartAsync(new Dictionary<string, string?> { ["Telemetry:OtlpEndpoint"] = collector.Url, ["Telemetry:ExportEvery"] = "00:00:01", ["Delivery:RetryBase"] = "00:00:00.010", ["Delivery:CheckEvery"] = "00:00:00.100" }))
        {
            await gateway.AddPartnerAsync(Buyer.Owner.Gln, "http://127.0.0.1:9/nobody-listens");
            using var answer = await gateway.CaptureAsync(Shipment(2));
            await gateway.JobAsync(answer.Headers.Location!);
            await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from breaker where opened > 0") == 1);
            await Eventually.TrueAsync(() => Task.FromResult(collector.Metrics.Contains("gateway.deliveries.age")));
        }
        string[] expected =
        [
            "gateway.captures.received", "gateway.captures.processed", "gateway.events.stored", "gateway.capture.duration", "gateway.captures.open", "gateway.captures.age",
            "gateway.delivery.attempts", "gateway.deliveries", "gateway.deliveries.age", "gateway.breaker.openings",
            "http.server.request.duration", "db.client.operation.duration", "dotnet.gc.collections",
        ];
        Assert.Equal([], expected.Except(collector.Metrics));
    }

    [Fact]
    public async Task A_collector_that_is_gone_keeps_the_gateway_neither_from_working_nor_from_stopping()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0); // accepts and never answers
        silent.Start();
        var gateway = await TestGateway.StartAsync(new Dictionary<string, string?> { ["Telemetry:OtlpEndpoint"] = $"http://{silent.LocalEndpoint}", ["Telemetry:ExportEvery"] = "00:00:01" });
        using var answer = await gateway.CaptureAsync(Shipment(3));
        var job = await gateway.JobAsync(answer.Headers.Location!);
        Assert.True(job.GetProperty("success").GetBoolean());
        await gateway.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData("Telemetry:OtlpEndpoint", "collector")]
    [InlineData("Telemetry:OtlpEndpoint", "ftp://collector")]
    [InlineData("Telemetry:OtlpEndpoint", "http://user:secret@collector:4318")]
    [InlineData("Telemetry:TraceRatio", "1.5")]
    [InlineData("Logging:Format", "xml")]
    public async Task A_setting_that_cannot_be_right_stops_the_start(string key, string value) =>
        await Assert.ThrowsAsync<OptionsValidationException>(() => TestGateway.StartAsync(new Dictionary<string, string?> { [key] = value }));
}
