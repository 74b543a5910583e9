using Gateway.Access;
using Gateway.Capture;
using Gateway.Database;
using Gateway.Delivery;
using Gateway.Delivery.Channels;
using Gateway.Hub;
using Gateway.Hub.Emvs;
using Gateway.MasterData;
using Gateway.Partners;
using Gateway.Tests.Units;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Gateway.Tests.Hub;

/// <summary>A ledger beside which packs are reported to a hub: what a hub says, tests say themselves.</summary>
internal sealed class HubStory : IAsyncDisposable
{
    public const string Gtin = "09521234001010", HubGln = "9521234000907";

    public static readonly Actor Person = Actor.System("test");

    private readonly ServiceProvider _services;

    private HubStory(LedgerGateway ledger, ServiceProvider services, HubPartner hub) => (Ledger, _services, Hub) = (ledger, services, hub);

    public LedgerGateway Ledger { get; }

    public HubPartner Hub { get; }

    public GatewayDatabase Database => Ledger.Gateway.Database.Gateway;

    /// <param name="maxSerials">In one message.</param>
    /// <param name="alerts">What the hub answers to who asks for its alerts behind a place; null: it is asked over the wire.</param>
    public static async Task<HubStory> StartAsync(int maxSerials = 250_000, bool knowsProducts = true, Func<long, (ChannelAnswer, AlertPage?)>? alerts = null)
    {
        var ledger = await LedgerGateway.StartAsync(knowsProducts, routing: new CaptureRouting(new RouteCapture(Options.Create(new DeliveryOptions())).RouteAsync));
        await ledger.Gateway.Database.ExecuteAsync($$"""
            do $$ begin perform set_config('app.actor', 'test', false); end $$;
            with o as (insert into party (kind, name) select 'organisation', 'We' where not exists (select from party where kind = 'organisation')),
            y as (insert into party (kind, name, gln) values ('partner', 'Hub', '{{HubGln}}') returning party_id)
            insert into partner (party_id, name, format, channel, url, created_at, channel_settings) select party_id, 'Hub', 'hub', 'hub', 'https://hub.example', gateway_now(), '{"protocol": "emvs"}' from y
            """);
        var services = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Delivery:AllowPrivateAddresses"] = "true" }).Build())
            .AddSingleton(ledger.Gateway.Database.Gateway).AddLogging().AddPartners().AddMasterData().AddDelivery().AddHub()
            .AddSingleton<IHub>(s => new SmallMessages(ActivatorUtilities.CreateInstance<EmvsHub>(s), maxSerials, alerts));
        services.AddDataProtection().UseEphemeralDataProtectionProvider();
        services.Remove(services.First(d => d.ServiceType == typeof(IHub)));
        var provider = services.BuildServiceProvider();
        return new HubStory(ledger, provider, (await provider.GetRequiredService<Hubs>().OneAsync(Person, null, CancellationToken.None))!);
    }

    /// <summary>What markets hold, for tests that say it.</summary>
    public Dictionary<string, HeldPack[]> Held { get; } = [];

    /// <summary>What a market says that it holds.</summary>
    public Func<string, IAsyncEnumerable<HeldPack>> Holding { set => ((SmallMessages)Get<Hubs>().Of("emvs")).Holding = value; }

    public T Get<T>() where T : notnull => _services.GetRequiredService<T>();

    public static Company Company(string name) => new("ORG-1", name, "Main Street 1", "Town", "12345", "DE");

    public static ProductData Product(params string[] countries) => new(Gtin, "Sample 500 mg", "Samplum", "tablet", "500 mg", "box", 20, ["N02BE01"], Company("Maker"),
        [.. countries.Select(c => new MarketData(c, $"{c}-4711", Company("Holder")))]);

    /// <summary>Tells the product's data, and lets every market have them.</summary>
    public async Task ProductKnownAsync(params string[] countries)
    {
        var (_, wrong) = await Get<ProductVersions>().AddAsync(Person, Hub, Product(countries), "first", CancellationToken.None);
        Assert.Empty(wrong);
        await AnswerAsync(await MessageAsync(), HubStatus.Accepted, countries.Select(c => (c, "distributed")));
    }

    public Task<Released> ReleaseAsync(string lot = "L1", string gtin = Gtin) => Get<ReleaseLot>().RunAsync(Person, Hub, gtin, lot, "QA has released it", CancellationToken.None);

    /// <summary>Writes what is to be written.</summary>
    /// <returns>How many messages.</returns>
    public async Task<int> ComposeAsync()
    {
        var count = 0;
        while (await Get<ComposePackData>().RunAsync(CancellationToken.None))
        {
            count++;
        }
        return count;
    }

    /// <summary>The correlation id of the newest message.</summary>
    public Task<Guid> MessageAsync() => Ledger.Gateway.Database.ScalarAsync<Guid>("select correlation_id from hub_message order by delivery_id desc limit 1");

    public async Task<Guid[]> MessagesAsync() => await Ledger.Gateway.Database.ScalarAsync<Guid[]>("select coalesce(array_agg(correlation_id order by delivery_id), '{}') from hub_message where kind = 'pack data'");

    public Task<bool?> AnswerAsync(Guid message, HubStatus status, IEnumerable<(string Country, string State)> markets, params FailedPack[] failed) => Get<TakeAnswer>().TakeAsync(Person, Hub.PartnerId, Result(message, status, markets, failed), CancellationToken.None);

    public static HubResult Result(Guid message, HubStatus status, IEnumerable<(string Country, string State)> markets, params FailedPack[] failed)
    {
        var all = markets.Select(m => new HubMarket(m.Country, m.State, null)).ToList();
        return new HubResult(message, status, status == HubStatus.Refused ? "A16" : null, null, all, failed, System.Text.Encoding.UTF8.GetBytes($"{message} {status} {string.Join(',', all)} {string.Join(',', failed.AsEnumerable())}"));
    }

    /// <summary>The bytes of a message as they are sent.</summary>
    public Task<byte[]> BytesAsync(Guid message) => Ledger.Gateway.Database.ScalarAsync<byte[]>($"select string_agg(c.bytes, '' order by c.ordinal) from hub_message m join delivery d using (delivery_id) join document_chunk c using (document_id) where m.correlation_id = '{message}'");

    public Task<string> TextAsync(string sql) => Ledger.Gateway.Database.ScalarAsync<string>($"select coalesce(({sql})::text, '')");

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        await Ledger.DisposeAsync();
    }

    /// <summary>The hub's own adapter, with smaller messages.</summary>
    private sealed class SmallMessages(EmvsHub hub, int maxSerials, Func<long, (ChannelAnswer, AlertPage?)>? alerts) : IHub
    {
        public string Protocol => hub.Protocol;

        public HubTraits Traits => hub.Traits with { MaxSerials = maxSerials };

        public void Write(ProductDataMessage message, Stream to) => hub.Write(message, to);

        public Task WriteAsync(PackDataMessage message, IAsyncEnumerable<string> serials, Stream to, CancellationToken ct) => hub.WriteAsync(message, serials, to, ct);

        public Task WriteAsync(OrderMessage message, IAsyncEnumerable<string> serials, Stream to, CancellationToken ct) => hub.WriteAsync(message, serials, to, ct);

        public Task<(ChannelAnswer Answer, HubResult? Result)> SendAsync(ClaimedDelivery delivery, CancellationToken ct) => hub.SendAsync(delivery, ct);

        public Task<(ChannelAnswer Answer, HubResult? Result)> AskAsync(ClaimedDelivery delivery, CancellationToken ct) => hub.AskAsync(delivery, ct);

        public HubResult Read(byte[] answer) => hub.Read(answer);

        public Task<(ChannelAnswer Answer, AlertPage? Page)> AskAlertsAsync(HubAddress at, long after, CancellationToken ct) => alerts is null ? hub.AskAlertsAsync(at, after, ct) : Task.FromResult(alerts(after));

        public AlertPage ReadAlerts(byte[] pushed) => hub.ReadAlerts(pushed);

        public IAsyncEnumerable<HeldPack> HoldingAsync(HubAddress line, string gtin, string lot, string country, CancellationToken ct) => Holding?.Invoke(country) ?? hub.HoldingAsync(line, gtin, lot, country, ct);

        public Func<string, IAsyncEnumerable<HeldPack>>? Holding { get; set; }
    }
}
