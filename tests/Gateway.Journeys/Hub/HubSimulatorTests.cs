using System.Net;
using Gateway.Host.Simulate.Hub;

namespace Gateway.Journeys.Hub;

/// <summary>The stand-in hub over real sockets: its wire, and rules 1 to 7 of docs/hub.md.</summary>
public sealed class HubSimulatorTests : IAsyncLifetime
{
    private HubSimulator _hub = null!;
    private HubTalk _talk = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Broken => string.Join(" ", _hub.Violations.Select(v => v.Rule));

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
    public async Task Packs_of_a_version_that_is_distributed_are_held_in_all_its_markets()
    {
        Assert.Equal("accepted DE:distributed FR:distributed", await _talk.AskAsync(HubTalk.ProductData()));
        Assert.Equal("accepted DE:distributed FR:distributed", await _talk.AskAsync(HubTalk.PackData(["a", "B", "10%/1"])));

        Assert.Equal("10%/1=Active B=Active a=Active", Held("DE"));
        Assert.Equal("10%/1=Active B=Active a=Active", Held("FR"));
        var holding = await _talk.GetAsync($"holding/{HubTalk.Product}/{HubTalk.Lot}?country=FR&after=10%25%2F1");
        Assert.Equal("B a", string.Join(" ", holding.Elements().Select(p => p.Attribute("sn")!.Value)));
        Assert.Equal((3, "DE FR"), (Assert.Single(_hub.Versions).Version, string.Join(" ", _hub.Versions[0].DistributedIn)));
        Assert.Equal(("B7", "281231"), (Assert.Single(_hub.Lots).Lot, _hub.Lots[0].Expiry));
        Assert.Empty(_hub.Violations);
        Assert.Equal(["ProductData 0 202", "PackData 3 202"], _hub.Received.Select(r => $"{r.Kind} {r.Count} {r.Status}"));
    }

    [Fact]
    public async Task A_holding_is_told_in_pages()
    {
        await ReleaseAsync(Numbered(50_001));
        var first = await _talk.GetAsync($"holding/{HubTalk.Product}/{HubTalk.Lot}?country=DE");
        Assert.Equal((50_000, "true"), (first.Elements().Count(), first.Attribute("more")!.Value));
        var last = first.Elements().Last().Attribute("sn")!.Value;
        var second = await _talk.GetAsync($"holding/{HubTalk.Product}/{HubTalk.Lot}?country=DE&after={last}");
        Assert.Equal(("S0050000", "false"), (Assert.Single(second.Elements()).Attribute("sn")!.Value, second.Attribute("more")!.Value));
    }

    [Fact]
    public async Task A_lot_with_a_slash_is_asked_for()
    {
        await _talk.AskAsync(HubTalk.ProductData());
        await _talk.AskAsync(HubTalk.PackData(["1"], lot: "7/8"));
        Assert.Single((await _talk.GetAsync($"holding/{HubTalk.Product}/7%2F8?country=DE")).Elements());
    }

    [Fact]
    public async Task The_same_message_again_is_taken_and_nothing_happens_twice()
    {
        await _talk.AskAsync(HubTalk.ProductData());
        var message = HubTalk.PackData(["1", "2"], id: "11111111-2222-3333-4444-555555555555");
        await _talk.SendAsync(message);
        Assert.Equal("accepted DE:distributed FR:distributed", await _talk.AskAsync(message));
        Assert.Empty(_hub.Violations);
        Assert.Equal(3, _hub.Received.Count);

        var (status, _) = await _talk.PostAsync(HubTalk.PackData(["3"], id: "11111111-2222-3333-4444-555555555555"));
        Assert.Equal((HttpStatusCode.Conflict, "wire"), (status, Broken));
        Assert.Equal("1=Active 2=Active", Held("DE"));
    }

    [Theory]
    [InlineData("I1", "no XML")]
    [InlineData("I1", "<PackData/>")]
    [InlineData("I1", "<Result xmlns='urn:open-serialization-gateway:hub:1'/>")]
    [InlineData("I1", "count='2'", "count='1'")]
    [InlineData("I1", "<Sn>1</Sn>", "<Sn>123456789012345678901</Sn>")]
    [InlineData("I1", "<City>City</City>", "")]
    [InlineData("A16", "<City>City</City>", "<City> </City>")]
    [InlineData("A16", "<City>City</City>", "<City/>")]
    [InlineData("A16", " expiry='281231'", "")]
    [InlineData("A16", "id='B7'", "id=''")]
    [InlineData("A16", "<Sn>2</Sn>", "<Sn>1</Sn>")]
    public async Task What_no_schema_can_accept_is_refused_at_once(string code, string what, string? instead = null)
    {
        var message = instead is null ? what : HubTalk.PackData(["1", "2"]).Replace('"', '\'').Replace(what, instead, StringComparison.Ordinal);
        var (status, answer) = await _talk.PostAsync(message);
        Assert.Equal((HttpStatusCode.BadRequest, $"refused {code}"), (status, HubTalk.Line(answer!)));
        Assert.NotEmpty(_hub.Violations);
        Assert.Equal(400, Assert.Single(_hub.Received).Status);
    }

    [Fact]
    public async Task What_is_not_known_has_no_result()
    {
        using var answer = await _talk.Http.GetAsync($"messages/{Guid.NewGuid()}/result", Ct);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task Rule_1_a_version_is_never_overwritten_and_distributed_before_its_packs()
    {
        Assert.Equal("refused A16", await _talk.AskAsync(HubTalk.PackData(["1"])));
        await _talk.AskAsync(HubTalk.ProductData());
        Assert.Equal("refused A16", await _talk.AskAsync(HubTalk.ProductData(name: "Other")));
        Assert.Equal("refused A16", await _talk.AskAsync(HubTalk.ProductData()));
        await _talk.AskAsync(HubTalk.ProductData(4, "Other", "", "DE"));
        await _talk.AskAsync(HubTalk.PackData(["1"]));
        Assert.Equal("refused A16", await _talk.AskAsync(HubTalk.PackData(["2"], version: 4)));
        Assert.Equal("1 1 1 1", Broken);
        Assert.Equal("1=Active", Held("FR"));
    }

    [Fact]
    public async Task Rule_1_packs_wait_for_the_last_market_of_their_version()
    {
        _hub.Faults.FailMarket("FR");
        Assert.Equal("partial A99 DE:distributed FR:failed", await _talk.AskAsync(HubTalk.ProductData()));
        Assert.Equal("refused A16", await _talk.AskAsync(HubTalk.PackData(["1"])));
        Assert.Equal("1", Broken);
        Assert.Equal("accepted DE:distributed FR:distributed", await _talk.AskAsync(HubTalk.ProductData()));
        Assert.Equal("accepted DE:distributed FR:distributed", await _talk.AskAsync(HubTalk.PackData(["1"])));
        Assert.Equal("1", Broken);
    }

    [Fact]
    public async Task Rule_2_a_quarter_of_a_million_numbers_are_a_message_and_one_more_is_not()
    {
        await ReleaseAsync(Numbered(250_000));
        Assert.Equal(250_000, _hub.Received[^1].Count);
        Assert.Equal(250_000, _hub.Holding("FR", HubTalk.Product, HubTalk.Lot).Count);

        var (status, answer) = await _talk.PostAsync(HubTalk.PackData(Numbered(250_001), lot: "B8"));
        Assert.Equal((HttpStatusCode.BadRequest, "refused I1", "2"), (status, HubTalk.Line(answer!), Broken));
        Assert.Single(_hub.Lots);
    }

    [Fact]
    public async Task Rule_2_case_counts()
    {
        await ReleaseAsync(["a", "A"]);
        Assert.Equal("refused A2", await _talk.AskAsync(HubTalk.Change("Locked", ["a"], lot: "b7")));
        Assert.Equal("accepted DE:distributed FR:distributed", await _talk.AskAsync(HubTalk.Change("Locked", ["a"])));
        Assert.Equal("A=Active a=Locked", Held("DE"));
    }

    [Fact]
    public async Task Rule_3_a_lot_has_one_expiry_and_it_is_a_date()
    {
        await _talk.AskAsync(HubTalk.ProductData());
        Assert.Equal("refused A16", await _talk.AskAsync(HubTalk.PackData(["1"], expiry: "270229")));
        await _talk.AskAsync(HubTalk.PackData(["1"]));
        Assert.Equal("refused A52", await _talk.AskAsync(HubTalk.PackData(["2"], expiry: "281230")));
        Assert.Equal("refused A52", await _talk.AskAsync(HubTalk.Change("Locked", ["1"], expiry: "281230")));
        Assert.Equal("3 3 3", Broken);
        Assert.Equal("A52 DE 1, A52 FR 1", Raised());
    }

    [Fact]
    public async Task Rule_4_packs_that_are_known_fail_one_by_one()
    {
        await ReleaseAsync(["1", "2"]);
        Assert.Equal("partial DE:distributed FR:distributed A7=2", await _talk.AskAsync(HubTalk.PackData(["2", "3"])));
        Assert.Equal("partial DE:distributed FR:distributed A68=1", await _talk.AskAsync(HubTalk.PackData(["1", "4"], lot: "B8")));
        Assert.Equal("1=Active 2=Active 3=Active", Held("DE"));
        Assert.Equal("4 4", Broken);
    }

    [Fact]
    public async Task Rule_5_a_state_changes_from_active_and_only_of_packs_that_are_there()
    {
        await ReleaseAsync(["1", "2", "3"]);
        await _talk.AskAsync(HubTalk.PackData(["9"], lot: "B8"));
        Assert.Equal("partial DE:distributed FR:distributed A3=7 A68=9", await _talk.AskAsync(HubTalk.Change("Exported", ["1", "7", "9"])));
        Assert.Equal("partial DE:distributed FR:distributed A24=1", await _talk.AskAsync(HubTalk.Change("Locked", ["1", "2"])));
        Assert.Equal("partial DE:distributed FR:distributed A7=2", await _talk.AskAsync(HubTalk.Change("Locked", ["2", "3"])));
        Assert.Equal("refused A2", await _talk.AskAsync(HubTalk.Change("Locked", ["1"], lot: "B9")));
        Assert.Equal("1=Exported 2=Locked 3=Locked", Held("DE"));
        Assert.Equal("5 5 5 5", Broken);
        Assert.Equal("A3 DE 7, A3 FR 7, A68 DE 9, A68 FR 9, A24 DE 1, A24 FR 1, A7 DE 2, A7 FR 2, A2 DE 1, A2 FR 1", Raised());
    }

    [Fact]
    public async Task Rule_6_an_undo_comes_from_the_same_place_within_ten_days()
    {
        await ReleaseAsync(["1", "2", "3", "4", "5", "6"]);
        await _talk.AskAsync(HubTalk.Change("Exported", ["1", "2"]));
        await _talk.AskAsync(HubTalk.Change("Locked", ["3"]));
        await _talk.AskAsync(HubTalk.Change("Destroyed", ["4"]));
        await _talk.AskAsync(HubTalk.Change("Stolen", ["5"]));
        _hub.Advance(TimeSpan.FromDays(3));
        await _talk.LogInAsync();
        Assert.Equal("accepted DE:distributed FR:distributed", await _talk.AskAsync(HubTalk.Change("Exported", ["1"], undo: true)));
        Assert.Empty(_hub.Violations);
        Assert.Equal("partial DE:distributed FR:distributed A24=2", await _talk.AskAsync(HubTalk.Change("Exported", ["2"], undo: true, location: HubTalk.There)));
        Assert.Equal("partial DE:distributed FR:distributed A24=2", await _talk.AskAsync(HubTalk.Change("Sample", ["2"], undo: true)));
        Assert.Equal("partial DE:distributed FR:distributed A24=4", await _talk.AskAsync(HubTalk.Change("Destroyed", ["4"], undo: true)));
        Assert.Equal("partial DE:distributed FR:distributed A24=5", await _talk.AskAsync(HubTalk.Change("Stolen", ["5"], undo: true)));
        Assert.Equal(8, _hub.Alerts.Count);
        Assert.Equal("partial DE:distributed FR:distributed A7=6", await _talk.AskAsync(HubTalk.Change("Locked", ["6"], undo: true)));
        Assert.Equal(8, _hub.Alerts.Count); // none on the undo of a pack that is active
        _hub.Advance(TimeSpan.FromDays(8));
        await _talk.LogInAsync();
        Assert.Equal("partial DE:distributed FR:distributed A24=2", await _talk.AskAsync(HubTalk.Change("Exported", ["2"], undo: true)));
        Assert.Equal("6 6 6 6 6 6", Broken);
        Assert.Equal("accepted DE:distributed FR:distributed", await _talk.AskAsync(HubTalk.Change("Locked", ["3"], undo: true)));
        Assert.Equal("1=Active 2=Exported 3=Active 4=Destroyed 5=Stolen 6=Active", Held("DE"));
    }

    [Fact]
    public async Task Rule_6_nothing_of_an_expired_lot_is_undone_and_no_alert_tells_it()
    {
        var today = _hub.Now.ToString("yyMMdd", System.Globalization.CultureInfo.InvariantCulture);
        await _talk.AskAsync(HubTalk.ProductData());
        await _talk.AskAsync(HubTalk.PackData(["1", "2"], expiry: today));
        await _talk.AskAsync(HubTalk.Change("Locked", ["1", "2"], expiry: today));
        Assert.Equal("accepted DE:distributed FR:distributed", await _talk.AskAsync(HubTalk.Change("Locked", ["1"], undo: true, expiry: today)));
        _hub.Advance(TimeSpan.FromDays(1));
        await _talk.LogInAsync();
        Assert.Equal("partial DE:distributed FR:distributed A24=2", await _talk.AskAsync(HubTalk.Change("Locked", ["2"], undo: true, expiry: today)));
        Assert.Equal("6", Broken);
        Assert.Empty(_hub.Alerts);
    }

    [Fact]
    public async Task Rule_7_nothing_of_a_recalled_lot_changes_where_it_is_recalled()
    {
        await ReleaseAsync(["1"]);
        Assert.Equal("accepted FR:distributed", await _talk.AskAsync(HubTalk.Recall(markets: "FR")));
        Assert.Empty(_hub.Violations);
        Assert.Equal("FR", Assert.Single(Assert.Single(_hub.Lots).RecalledIn));
        Assert.Equal("partial A24 DE:distributed FR:failed", await _talk.AskAsync(HubTalk.PackData(["2"])));
        Assert.Equal("partial A24 DE:distributed FR:failed", await _talk.AskAsync(HubTalk.Change("Locked", ["1"])));
        Assert.Equal("partial A24 FR:failed", await _talk.AskAsync(HubTalk.Recall(markets: "FR")));
        Assert.Equal("partial A16 DE:distributed IT:failed", await _talk.AskAsync(HubTalk.Recall(markets: ["DE", "IT"])));
        Assert.Equal("refused A2", await _talk.AskAsync(HubTalk.Recall(lot: "B9", markets: "DE")));
        Assert.Equal("7 7 7 7 7", Broken);
        Assert.Equal("1=Active", Held("FR"));
        Assert.Empty(_hub.Alerts);
    }

    [Fact]
    public async Task Rule_7_nothing_of_a_withdrawn_product_changes_where_it_is_withdrawn()
    {
        await ReleaseAsync(["1"]);
        Assert.Equal("accepted DE:distributed", await _talk.AskAsync(HubTalk.Withdrawal("DE")));
        Assert.Empty(_hub.Violations);
        Assert.Equal("DE", Assert.Single(_hub.WithdrawnIn(HubTalk.Product)));
        Assert.Equal("partial A24 DE:failed FR:distributed", await _talk.AskAsync(HubTalk.Change("Locked", ["1"])));
        Assert.Equal("partial A24 DE:failed", await _talk.AskAsync(HubTalk.Withdrawal("DE")));
        Assert.Equal("7 7", Broken);
        Assert.Empty(_hub.Alerts);
    }

    [Fact]
    public async Task Alerts_are_told_in_their_order_in_pages()
    {
        for (var n = 1; n <= 501; n++)
        {
            _hub.RaiseAlert("DE", "A68", HubTalk.Product, HubTalk.Lot, HubTalk.Expiry, $"S{n}", text: "Another lot.");
        }
        var first = await _talk.GetAsync("alerts");
        Assert.Equal((500, "500"), (first.Elements().Count(), first.Attribute("last")!.Value));
        var second = await _talk.GetAsync("alerts?after=500");
        Assert.Equal(("S501", "501", "pharmacy"), (Assert.Single(second.Elements()).Attribute("sn")!.Value, second.Attribute("last")!.Value, second.Elements().Single().Attribute("user")!.Value));
        var none = await _talk.GetAsync("alerts?after=501");
        Assert.Equal((0, "501"), (none.Elements().Count(), none.Attribute("last")!.Value));
    }

    private static string[] Numbered(int count, int from = 0) => [.. Enumerable.Range(from, count).Select(n => $"S{n:0000000}")];

    private async Task ReleaseAsync(IReadOnlyCollection<string> serials)
    {
        Assert.StartsWith("accepted", await _talk.AskAsync(HubTalk.ProductData()), StringComparison.Ordinal);
        Assert.StartsWith("accepted", await _talk.AskAsync(HubTalk.PackData(serials)), StringComparison.Ordinal);
    }

    private string Held(string country) => string.Join(" ", _hub.Holding(country, HubTalk.Product, HubTalk.Lot).OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Key}={p.Value}"));

    private string Raised() => string.Join(", ", _hub.Alerts.Select(a => $"{a.Code} {a.Country} {a.Serial}"));
}
