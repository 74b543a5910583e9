using System.Collections.Concurrent;
using System.Net;
using System.Xml.Linq;
using Gateway.Host.Commands;
using Gateway.Host.Simulate.Hub;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Gateway.Journeys.Hub;

/// <summary>Who the stand-in hub lets in, when it answers, and what goes wrong when it is told to.</summary>
public sealed class HubFaultsTests : IAsyncLifetime
{
    private HubSimulator _hub = null!;
    private HubTalk _talk = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _hub = await HubSimulator.StartAsync(new HubSimulatorOptions(), Ct);
        _talk = await new HubTalk(_hub).LogInAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _talk.Dispose();
        await _hub.DisposeAsync();
    }

    [Fact]
    public async Task Nobody_is_let_in_without_a_certificate_of_its_authority()
    {
        await using var other = await HubSimulator.StartAsync(new HubSimulatorOptions(), Ct);
        foreach (var pem in new[] { "", other.ClientPem })
        {
            using var stranger = new HubTalk(_hub, pem);
            await Assert.ThrowsAsync<HttpRequestException>(() => stranger.LogInAsync());
        }
        using var plain = new HttpClient();
        await Assert.ThrowsAsync<HttpRequestException>(() => plain.PostAsync(new UriBuilder(_hub.Url) { Scheme = "http" }.Uri + "session", null, Ct));
    }

    [Fact]
    public async Task A_session_ends_after_a_day_or_at_once()
    {
        _hub.Advance(TimeSpan.FromHours(23.9));
        await _talk.GetAsync("alerts");
        _hub.Advance(TimeSpan.FromHours(0.2));
        await AssertNoSessionAsync();
        await _talk.LogInAsync();
        await _talk.GetAsync("alerts");
        _hub.ExpireSessions();
        await AssertNoSessionAsync();
        _talk.Http.DefaultRequestHeaders.Authorization = null;
        await AssertNoSessionAsync();
    }

    [Fact]
    public async Task The_old_certificate_is_let_in_until_its_end_and_not_afterwards()
    {
        var (old, server) = (_hub.ClientPem, await HubTalk.ServerAsync(_hub));
        Assert.Equal(server, await HubTalk.ServerAsync(_hub));
        _hub.Roll(TimeSpan.FromHours(1));
        Assert.NotEqual(server, await HubTalk.ServerAsync(_hub));
        Assert.NotEqual(old, _hub.ClientPem);
        using (var again = await new HubTalk(_hub, old).LogInAsync())
        {
            await again.GetAsync("alerts");
        }
        _hub.Roll();
        await Assert.ThrowsAsync<HttpRequestException>(() => _talk.GetAsync("alerts")); // on the connection that it had opened
        using var late = new HubTalk(_hub, old);
        await Assert.ThrowsAsync<HttpRequestException>(() => late.LogInAsync());
        using var renewed = await new HubTalk(_hub).LogInAsync();
        await renewed.GetAsync("alerts");
    }

    [Fact]
    public async Task Markets_answer_one_after_the_other_and_what_comes_before_the_last_is_too_early()
    {
        await using var hub = await HubSimulator.StartAsync(new HubSimulatorOptions { ResultAfter = TimeSpan.FromMinutes(5), MarketAfter = TimeSpan.FromMinutes(1) }, Ct);
        using var talk = await new HubTalk(hub).LogInAsync();
        var data = await talk.SendAsync(HubTalk.ProductData());
        Assert.Equal("pending DE:pending FR:pending", await talk.ResultAsync(data));
        hub.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal("accepted DE:distributed FR:pending", await talk.ResultAsync(data));
        hub.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("accepted DE:distributed FR:distributed", await talk.ResultAsync(data));

        var packs = await talk.SendAsync(HubTalk.PackData(["1", "2"]));
        hub.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(("accepted DE:distributed FR:pending", 2, 0), (await talk.ResultAsync(packs), hub.Holding("DE", HubTalk.Product, HubTalk.Lot).Count, hub.Holding("FR", HubTalk.Product, HubTalk.Lot).Count));
        var early = await talk.SendAsync(HubTalk.Change("Locked", ["1"]));
        Assert.Equal("5", Assert.Single(hub.Violations).Rule);
        Assert.Equal(["A3 FR 1"], hub.Alerts.Select(a => $"{a.Code} {a.Country} {a.Serial}"));
        hub.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal("partial DE:distributed FR:distributed A3=1", await talk.ResultAsync(early));
        var again = await talk.SendAsync(HubTalk.Change("Locked", ["1"]));
        hub.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal("accepted DE:distributed FR:distributed", await talk.ResultAsync(again));
        Assert.Single(hub.Violations);
    }

    [Fact]
    public async Task A_change_after_a_recall_is_a_violation_before_the_recall_is_answered()
    {
        await using var hub = await HubSimulator.StartAsync(new HubSimulatorOptions { ResultAfter = TimeSpan.FromMinutes(5) }, Ct);
        using var talk = await new HubTalk(hub).LogInAsync();
        foreach (var message in new[] { HubTalk.ProductData(), HubTalk.PackData(["1"]) })
        {
            await talk.SendAsync(message);
            hub.Advance(TimeSpan.FromMinutes(5));
        }
        await talk.SendAsync(HubTalk.Recall(markets: ["DE", "FR"]));
        Assert.Empty(hub.Violations);
        await talk.SendAsync(HubTalk.Change("Locked", ["1"]));
        Assert.Equal("7", Assert.Single(hub.Violations).Rule);
    }

    [Fact]
    public async Task An_unavailable_hub_answers_503_or_closes_the_connection()
    {
        _hub.Faults.UnavailableUntil = _hub.Now.AddHours(2);
        using (var answer = await _talk.Http.GetAsync("alerts", Ct))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        }
        _hub.Faults.ClosesConnections = true;
        await Assert.ThrowsAsync<HttpRequestException>(() => _talk.Http.PostAsync("session", null, Ct));
        _hub.Advance(TimeSpan.FromHours(2));
        await _talk.GetAsync("alerts");
    }

    [Fact]
    public async Task A_lost_answer_is_of_a_message_that_was_taken()
    {
        _hub.Faults.LoseAnswers();
        var message = HubTalk.ProductData(id: "11111111-2222-3333-4444-555555555555");
        await Assert.ThrowsAsync<HttpRequestException>(() => _talk.PostAsync(message));
        Assert.Equal("accepted DE:distributed FR:distributed", await _talk.ResultAsync("11111111-2222-3333-4444-555555555555"));
        await _talk.SendAsync(message);
        Assert.Empty(_hub.Violations);
        Assert.Single(_hub.Received.Select(r => r.Sha256).Distinct());
    }

    [Fact]
    public async Task A_late_acknowledgement_is_of_a_message_that_was_taken()
    {
        _hub.Faults.AcknowledgeAfter = TimeSpan.FromSeconds(30);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var waiting = _talk.Http.PostAsync("messages", new StringContent(HubTalk.ProductData()), patience.Token);
        while (_hub.Versions.Count == 0)
        {
            await Task.Delay(10, Ct);
        }
        Assert.False(waiting.IsCompleted);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task Of_a_partial_result_only_the_rest_is_sent_again()
    {
        await _talk.AskAsync(HubTalk.ProductData());
        _hub.Faults.FailPacks(["2"], "A99", temporary: true);
        _hub.Faults.FailPacks(["3"], "A16", temporary: false);
        Assert.Equal("partial DE:distributed FR:distributed A16=3 A99?=2", await _talk.AskAsync(HubTalk.PackData(["1", "2", "3"])));
        Assert.Equal(["1"], _hub.Holding("FR", HubTalk.Product, HubTalk.Lot).Keys);
        Assert.Equal("accepted DE:distributed FR:distributed", await _talk.AskAsync(HubTalk.PackData(["2"])));
        Assert.Empty(_hub.Violations);
    }

    [Fact]
    public async Task A_market_that_took_nothing_takes_the_same_packs_later()
    {
        await _talk.AskAsync(HubTalk.ProductData());
        _hub.Faults.FailMarket("DE");
        Assert.Equal("partial A99 DE:failed FR:distributed", await _talk.AskAsync(HubTalk.PackData(["1"])));
        Assert.Equal("accepted DE:distributed FR:distributed", await _talk.AskAsync(HubTalk.PackData(["1"])));
        _hub.Faults.FailMarket("FR");
        Assert.Equal("partial A99 DE:distributed FR:failed", await _talk.AskAsync(HubTalk.Change("Locked", ["1"])));
        Assert.Equal("accepted DE:distributed FR:distributed", await _talk.AskAsync(HubTalk.Change("Locked", ["1"])));
        _hub.Faults.FailMarket("FR");
        Assert.Equal("partial A99 FR:failed", await _talk.AskAsync(HubTalk.Recall(markets: "FR")));
        Assert.Equal("accepted FR:distributed", await _talk.AskAsync(HubTalk.Recall(markets: "FR")));
        Assert.Empty(_hub.Violations);
    }

    [Fact]
    public async Task What_failed_is_told_in_any_order()
    {
        await _talk.AskAsync(HubTalk.ProductData());
        var serials = Enumerable.Range(1000, 100).Select(n => n.ToString(System.Globalization.CultureInfo.InvariantCulture)).ToArray();
        _hub.Faults.ShufflesResults = true;
        _hub.Faults.FailPacks(serials, "A99", temporary: true);
        var result = await _talk.GetAsync($"messages/{await _talk.SendAsync(HubTalk.PackData(serials))}/result");
        var failed = result.Descendants().Where(e => e.Name.LocalName == "Sn").Select(e => e.Value).ToArray();
        Assert.NotEqual(serials, failed);
        Assert.Equal(serials, failed.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Results_and_alerts_are_pushed_twice_or_never_or_in_any_order()
    {
        await using var gateway = await ToldGateway.StartAsync();
        await using var hub = await HubSimulator.StartAsync(new HubSimulatorOptions { Push = new HubPush(gateway.Address, HubTalk.Here, "key-1") }, Ct);
        using var talk = await new HubTalk(hub).LogInAsync();
        hub.Faults.LosePushes(1);
        await talk.SendAsync(HubTalk.ProductData());
        await UntilAsync(() => hub.Pushed.Count == 2); // after each market
        Assert.Equal([null, 204], hub.Pushed.Select(p => p.Status));
        Assert.Equal("/api/hub/9521234000014/answers Bearer key-1 accepted DE:distributed FR:distributed", Assert.Single(gateway.Told));

        hub.Faults.DuplicatesPushes = true;
        hub.RaiseAlert("DE", "A3", HubTalk.Product, serial: "S1");
        await UntilAsync(() => hub.Pushed.Count == 4);
        Assert.Equal(["/api/hub/9521234000014/alerts 1", "/api/hub/9521234000014/alerts 1"], gateway.Told.Skip(1));

        (hub.Faults.DuplicatesPushes, hub.Faults.ShufflesPushes) = (false, true);
        for (var lot = 0; lot < 20; lot++)
        {
            await talk.SendAsync(HubTalk.PackData([$"L{lot}"], lot: $"L{lot}"));
        }
        await UntilAsync(() => hub.Pushed.Count == 44);
        var sent = hub.Received.Select(r => r.CorrelationId).ToList();
        var told = hub.Pushed.Skip(4).Select(p => sent.IndexOf(p.CorrelationId)).ToList();
        Assert.NotEqual(told.Order(), told);
    }

    [Fact]
    public async Task The_command_writes_certificates_for_their_owner_only_and_listens_until_it_is_stopped()
    {
        var directory = Directory.CreateTempSubdirectory("gateway-hub-");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var output = new StringWriter();
        var running = SimulateCommand.RunHubAsync(new HubSimulatorOptions(), directory.FullName, output, stop.Token);
        while (output.ToString() is var said && !said.Contains("https://localhost:", StringComparison.Ordinal))
        {
            Assert.False(running.IsFaulted, running.Exception?.ToString());
            await Task.Delay(20, Ct);
        }
        foreach (var file in new[] { "authority.pem", "client.pem" })
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(directory.FullName, file)));
        }
        Assert.Contains("PRIVATE KEY", await File.ReadAllTextAsync(Path.Combine(directory.FullName, "client.pem"), Ct), StringComparison.Ordinal);
        await stop.CancelAsync();
        Assert.Equal(0, await running.WaitAsync(TimeSpan.FromSeconds(10), Ct));
        directory.Delete(recursive: true);
    }

    private static async Task UntilAsync(Func<bool> isSo)
    {
        while (!isSo())
        {
            await Task.Delay(20, Ct);
        }
    }

    private async Task AssertNoSessionAsync()
    {
        using var answer = await _talk.Http.GetAsync("alerts", Ct);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    /// <summary>Hears what is pushed.</summary>
    private sealed class ToldGateway : IAsyncDisposable
    {
        private readonly WebApplication _app;
        private readonly ConcurrentQueue<string> _told = new();

        private ToldGateway(WebApplication app) => _app = app;

        public Uri Address => new(_app.Urls.Single());

        public IEnumerable<string> Told => _told;

        public static async Task<ToldGateway> StartAsync()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            var gateway = new ToldGateway(builder.Build());
            gateway._app.Run(gateway.HearAsync);
            await gateway._app.StartAsync(Ct);
            return gateway;
        }

        public ValueTask DisposeAsync() => _app.DisposeAsync();

        private async Task HearAsync(HttpContext context)
        {
            var document = await XElement.LoadAsync(context.Request.Body, LoadOptions.None, context.RequestAborted);
            _told.Enqueue(document.Name.LocalName == "Alerts" ? $"{context.Request.Path} {document.Elements().Count()}" : $"{context.Request.Path} {context.Request.Headers.Authorization} {HubTalk.Line(document)}");
            context.Response.StatusCode = 204;
        }
    }
}
