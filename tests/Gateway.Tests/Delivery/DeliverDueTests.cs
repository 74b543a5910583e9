using System.Security.Cryptography;
using Epcis.Events;
using Gateway.Access;
using Gateway.Capture;
using Gateway.Database;
using Gateway.Delivery;
using Gateway.Partners;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.Delivery;

public sealed class DeliverDueTests
{
    internal const string PartnerGln = "9521321000018";
    private static readonly byte[] Bytes = "<a document/>"u8.ToArray();

    [Fact]
    public async Task A_partner_that_fails_twice_gets_the_same_bytes_under_the_same_key_on_the_third_try()
    {
        await using var database = await TestDatabase.CreateAsync();
        var got = new List<(string Key, byte[] Body)>();
        await using var partner = await StartPartnerAsync(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            got.Add((context.Request.Headers["Idempotency-Key"].ToString(), body.ToArray()));
            context.Response.StatusCode = got.Count < 3 ? 503 : 200;
        });
        await using var services = Services(database);
        await RouteAsync(database, services, partner.Urls.First());
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(1, await services.GetRequiredService<DeliverDue>().RunAsync(1, CancellationToken.None));
            await database.AdvanceAsync(TimeSpan.FromHours(1));
        }
        Assert.Equal(3, got.Count);
        Assert.Single(got.Select(g => g.Key).Distinct());
        Assert.All(got, g => Assert.Equal(Bytes, g.Body));
        Assert.Equal("delivered 3", await database.ScalarAsync<string>("select state || ' ' || attempts from delivery"));
    }

    [Fact]
    public async Task A_document_that_is_refused_three_times_alike_waits_for_a_person_who_can_retry_it_once()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var partner = await StartPartnerAsync(context => { context.Response.StatusCode = 422; return Task.CompletedTask; });
        await using var services = Services(database);
        await RouteAsync(database, services, partner.Urls.First());
        for (var i = 0; i < 3; i++)
        {
            await services.GetRequiredService<DeliverDue>().RunAsync(1, CancellationToken.None);
            await database.AdvanceAsync(TimeSpan.FromHours(1));
        }
        Assert.Equal("dead refused", await database.ScalarAsync<string>("select state || ' ' || dead_reason from delivery"));
        var decisions = services.GetRequiredService<DeliveryDecisions>();
        Assert.Null((await decisions.RetryAsync(Actor.System("test"), 1, 1, "They mended it", CancellationToken.None)).Refusal);
        Assert.NotNull((await decisions.RetryAsync(Actor.System("test"), 1, 1, "Me too", CancellationToken.None)).Refusal);
        Assert.Equal("They mended it", await database.ScalarAsync<string>("select reason from audit_entry where entity = 'delivery_decision'"));
        Assert.Equal("queued", (await services.GetRequiredService<DeliveryOverview>().ListAsync(Actor.System("test"), new DeliveryFilter("open", PartnerGln: PartnerGln), 10, CancellationToken.None)).Single().State.Replace("retrying", "queued", StringComparison.Ordinal));
    }

    internal static ServiceProvider Services(TestDatabase database, bool allowPrivate = true) => new ServiceCollection()
        .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection([new("Delivery:AllowPrivateAddresses", allowPrivate ? "true" : "false")]).Build())
        .AddSingleton(database.Gateway).AddLogging().AddPartners().AddDelivery().AddDataProtection().UseEphemeralDataProtectionProvider().Services.BuildServiceProvider();

    internal static async Task<WebApplication> StartPartnerAsync(RequestDelegate answer)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.Run(answer);
        await app.StartAsync();
        return app;
    }

    internal static async Task RouteAsync(TestDatabase database, ServiceProvider services, string url, params ShippingEvent[] more)
    {
        Assert.True(await services.GetRequiredService<PartnerDirectory>().AddAsync(Actor.System("test"), PartnerGln, "A partner", "1.2-xml", "https", url, "a-token", [], CancellationToken.None));
        await database.ExecuteAsync($"""
            select set_config('app.actor', 'test', false);
            insert into party (kind, name) values ('organisation', 'We');
            insert into document (party_id, sha256, length, media_type, received_at) values (2, '\x{Convert.ToHexString(SHA256.HashData(Bytes))}', {Bytes.Length}, 'application/xml', gateway_now());
            insert into document_chunk values (1, 2, 0, '\x{Convert.ToHexString(Bytes)}');
            insert into capture (document_id, party_id, submitted_by, error_behaviour, state, created_at, finished_at, answer_status, answer_body)
            values (1, 2, 'k', 'rollback', 'accepted', gateway_now(), gateway_now(), 202, '');
            """);
        await using var work = await database.Gateway.BeginAsync(Actor.System("test"), CancellationToken.None);
        await services.GetRequiredService<RouteCapture>().RouteAsync(work, [new CapturedDocument(1, 1, 2, 1, 1, 2026, false, new DocumentHeader { SchemaVersion = "1.2" },
            [new ShippingEvent(1, ["urn:epc:id:sscc:9521321.0000000001"], [], [("owning_party", PartnerGln)], []), .. more])]);
        await work.CommitAsync();
    }
}
