using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Gateway.Access;
using Gateway.Delivery;
using Gateway.Delivery.Channels;
using Gateway.Operations;
using Gateway.Partners;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Gateway.TestSupport;

/// <summary>Partners and messages put straight into the outbox of a fresh database, and any number of nodes that empty it.</summary>
public sealed class Outbox : IAsyncDisposable
{
    // Changes of parties and partners are audited, and an audit entry needs an actor; this returns no row.
    private const string AsTest = "do $$ begin perform set_config('app.actor', 'test', false); end $$; ";

    private readonly List<IAsyncDisposable> _open = [];
    private int _partners;

    private Outbox(TestDatabase database) => Database = database;

    public TestDatabase Database { get; }

    public static async Task<Outbox> CreateAsync()
    {
        var outbox = new Outbox(await TestDatabase.CreateAsync());
        await outbox.Database.ExecuteAsync(AsTest + "insert into party (kind, name) values ('organisation', 'We')");
        return outbox;
    }

    /// <summary>A node of its own: its own pool of connections and its own count of requests. It works only when told.</summary>
    public ServiceProvider Node(params (string Name, string Value)[] settings) => Node(null, settings);

    /// <param name="channel">Stands beside the real ones, under its own kind.</param>
    public ServiceProvider Node(IChannel? channel, params (string Name, string Value)[] settings)
    {
        var configured = new Dictionary<string, string?> { ["Delivery:AllowPrivateAddresses"] = "true" };
        foreach (var (name, value) in settings)
        {
            configured[name.StartsWith("Partners:", StringComparison.Ordinal) ? name : $"Delivery:{name}"] = value;
        }
        var services = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(configured).Build())
            .AddSingleton(Gateway.Database.GatewayDatabase.Open(Database.AdministratorConnectionString))
            .AddLogging().AddPartners().AddDelivery().AddOperations().AddDataProtection().UseEphemeralDataProtectionProvider().Services;
        if (channel is not null)
        {
            services.AddSingleton(channel);
        }
        var node = services.BuildServiceProvider();
        _open.Add(node);
        return node;
    }

    /// <summary>Starts the node's worker, as its host would.</summary>
    public static async Task<IHostedService> WorkAsync(ServiceProvider node)
    {
        var worker = node.GetServices<IHostedService>().OfType<DeliveryWorker>().Single();
        await worker.StartAsync(CancellationToken.None);
        return worker;
    }

    public static Task<int> TurnAsync(ServiceProvider node, int partnerId = 1) => node.GetRequiredService<DeliverDue>().RunAsync(partnerId, CancellationToken.None);

    public async Task<int> AddPartnerAsync(string url, string channel = "https")
    {
        var number = ++_partners;
        return await Database.ScalarAsync<int>(AsTest + $"""
            with y as (insert into party (kind, name, gln) values ('partner', 'Partner {number}', '95213210000{number:00}') returning party_id)
            insert into partner (party_id, name, format, channel, url, created_at) select party_id, 'Partner {number}', '1.2-xml', '{channel}', '{url}', gateway_now() from y returning partner_id
            """);
    }

    /// <summary>Messages <c>lane:place</c>, place by place, so that their numbers are mixed over the lanes.</summary>
    public Task AddAsync(int partnerId, int lanes, int perLane) => Database.ExecuteAsync($"""
        with m as (select l, n, convert_to('p{partnerId} ' || l || ':' || n, 'UTF8') as bytes from generate_series(1, {perLane}) n, generate_series(1, {lanes}) l),
             d as (insert into document (party_id, sha256, length, media_type, received_at) select 1, sha256(bytes), length(bytes), 'application/xml', gateway_now() from m order by n, l returning document_id, sha256),
             c as (insert into document_chunk select document_id, 1, 0, bytes from d join m on sha256(m.bytes) = d.sha256)
        insert into delivery (party_id, document_id, partner_id, message_id, ordering, state, due_at, created_at, give_up_at)
        select p.party_id, d.document_id, p.partner_id, gen_random_uuid(), 'lane ' || m.l, 'due', gateway_now(), gateway_now(), gateway_now() + interval '7 days'
        from d join m on sha256(m.bytes) = d.sha256 cross join partner p where p.partner_id = {partnerId} order by m.n, m.l;
        analyze delivery
        """);

    public Task<long> CountAsync(string where) => Database.ScalarAsync<long>($"select count(*) from delivery where {where}");

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _open)
        {
            await node.DisposeAsync();
        }
        await Database.DisposeAsync();
    }
}

/// <summary>A trading partner on a real socket, that answers as the test says and remembers what came.</summary>
public sealed class ScriptedPartner : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<Arrival> _arrivals = new();
    private int _inFlight;

    private ScriptedPartner(WebApplication app) => _app = app;

    /// <param name="Effective">It was accepted, and not before under the same key.</param>
    public sealed record Arrival(string Key, string Body, int Status, bool Effective);

    public string Url { get; private set; } = "";

    /// <summary>Everything answered, in order; a stall or a reset has the status 0.</summary>
    public IReadOnlyList<Arrival> Arrivals => [.. _arrivals];

    /// <summary>What had an effect, in order.</summary>
    public IReadOnlyList<Arrival> Effects => [.. _arrivals.Where(a => a.Effective)];

    public int InFlight => Volatile.Read(ref _inFlight);

    /// <param name="answer">The status to answer with; 0 tears the connection down without an answer.</param>
    /// <param name="certificate">What it shows; null: it speaks without TLS.</param>
    public static async Task<ScriptedPartner> StartAsync(Func<HttpContext, string, Task<int>> answer, X509Certificate2? certificate = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            if (certificate is not null)
            {
                listen.UseHttps(certificate);
            }
        }));
        var app = builder.Build();
        var partner = new ScriptedPartner(app);
        var accepted = new ConcurrentDictionary<string, string>();
        app.Run(async context =>
        {
            Interlocked.Increment(ref partner._inFlight);
            try
            {
                using var reader = new StreamReader(context.Request.Body);
                var (key, body) = (context.Request.Headers["Idempotency-Key"].ToString(), await reader.ReadToEndAsync());
                var status = await answer(context, body);
                partner._arrivals.Enqueue(new Arrival(key, body, status, status is >= 200 and < 300 && accepted.TryAdd(key, body)));
                if (status == 0)
                {
                    context.Abort();
                }
                else if (!context.Response.HasStarted)
                {
                    context.Response.StatusCode = status;
                }
            }
            finally
            {
                Interlocked.Decrement(ref partner._inFlight);
            }
        });
        await app.StartAsync();
        partner.Url = app.Urls.First();
        return partner;
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token); // whoever still waits for an answer is cut off
        await _app.DisposeAsync();
    }
}
