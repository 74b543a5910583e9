using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Gateway.Access;
using Gateway.Capture;
using Gateway.Database;
using Gateway.Exceptions;
using Gateway.Query;
using Gateway.Units;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.Capture;

/// <summary>The capture and query slices on a real socket and a fresh database. Tests take the worker's turns themselves.</summary>
internal sealed class CaptureGateway : IAsyncDisposable
{
    private readonly WebApplication _app;

    private CaptureGateway(TestDatabase database, WebApplication app, HttpClient client) => (Database, _app, Client) = (database, app, client);

    public TestDatabase Database { get; }

    /// <summary>Signed in as a CMO.</summary>
    public HttpClient Client { get; }

    public static Task<CaptureGateway> StartAsync(params (string Name, string Value)[] settings) => StartAsync(null, false, settings);

    public static async Task<CaptureGateway> StartAsync(CaptureRouting? routing, bool withWorker, params (string Name, string Value)[] settings)
    {
        var database = await TestDatabase.CreateAsync();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        // Else a document would be decided before a test could take a turn; a test of just that sets it otherwise.
        builder.Configuration.AddInMemoryCollection([KeyValuePair.Create("Capture:MaxBytesAtOnce", (string?)"0"), KeyValuePair.Create("Capture:LateAfter", (string?)"36500.00:00:00")]);
        builder.Configuration.AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Name, (string?)s.Value)));
        builder.Services.AddSingleton(database.Gateway).AddAccess().AddExceptions().AddUnits().AddCapture();
        if (routing is not null)
        {
            builder.Services.AddSingleton(routing);
        }
        if (!withWorker)
        {
            builder.Services.Remove(builder.Services.Single(s => s.ServiceType == typeof(IHostedService) && s.ImplementationType == typeof(CaptureWorker)));
        }
        var app = builder.Build();
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapCapture();
        app.MapQuery();
        app.MapUnits();
        await app.StartAsync();
        var gateway = new CaptureGateway(database, app, null!);
        return new CaptureGateway(database, app, await gateway.SignInAsync("First CMO"));
    }

    /// <param name="scope">What the key may send; null: anything.</param>
    public async Task<HttpClient> SignInAsync(string cmo, KeyScope? scope = null)
    {
        await using var work = await Database.Gateway.BeginAsync(Actor.System("test"), CancellationToken.None);
        var key = await ApiKeys.CreateAsync(work, await Parties.EnsureAsync(work, "cmo", cmo, null), "cmo", cmo, "gwt", scope: scope);
        await work.CommitAsync();
        var client = new HttpClient { BaseAddress = new Uri(_app.Urls.Single()) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    /// <summary>One turn, by a processor of its own, as another node would have.</summary>
    public Task<bool> ProcessAsync() => ActivatorUtilities.CreateInstance<ProcessCapture>(_app.Services).RunAsync(CancellationToken.None);

    /// <summary>Those who store small documents together, as another node would have them.</summary>
    public SmallCaptures SmallCaptures(CaptureRouting routing) => ActivatorUtilities.CreateInstance<SmallCaptures>(_app.Services, routing);

    public Task<HttpResponseMessage> PostAsync(string document, string type = "application/ld+json", params (string Name, string Value)[] headers) =>
        PostAsync(Encoding.UTF8.GetBytes(document), type, headers);

    public async Task<HttpResponseMessage> PostAsync(byte[] document, string type, params (string Name, string Value)[] headers) =>
        await PostAsync(Client, document, type, headers);

    public static async Task<HttpResponseMessage> PostAsync(HttpClient client, byte[] document, string type, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/capture") { Content = new ByteArrayContent(document) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
        foreach (var (name, value) in headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                request.Content.Headers.Add(name, value);
            }
        }
        return await client.SendAsync(request);
    }

    public async Task<JsonElement> GetAsync(string path, HttpClient? client = null) =>
        JsonDocument.Parse(await (client ?? Client).GetStringAsync(path)).RootElement;

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
        try
        {
            await Database.LedgerHoldsAsync();
        }
        finally
        {
            await Database.DisposeAsync();
        }
    }
}

internal static class Documents
{
    public static string Event(int n, string id = "", string extra = "") => $$"""
        {"type":"ObjectEvent",{{(id == "" ? "" : $"\"eventID\":\"{id}\",")}}"eventTime":"2026-03-01T10:00:0{{n % 10}}Z","eventTimeZoneOffset":"+00:00","epcList":["urn:epc:id:sgtin:4012345.011111.{{n}}"],"action":"OBSERVE","bizStep":"shipping"{{extra}}}
        """;

    public static string Json(params string[] events) => $$"""
        {"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-03-01T10:00:00Z","epcisBody":{"eventList":[{{string.Join(",", events)}}] } }
        """;

    /// <summary>An aggregation that adds without a parent: readable, and against the rules.</summary>
    public const string BadEvent = """
        {"type":"AggregationEvent","eventTime":"2026-03-01T10:00:00Z","eventTimeZoneOffset":"+00:00","childEPCs":["urn:epc:id:sgtin:4012345.011111.77"],"action":"ADD","bizStep":"packing"}
        """;

    public const string Xml = """
        <?xml version="1.0" encoding="UTF-8"?>
        <epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:1" schemaVersion="1.2" creationDate="2026-03-01T10:00:00Z"><EPCISBody><EventList>
        <ObjectEvent><eventTime>2026-03-01T10:00:00Z</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset>
        <epcList><epc>urn:epc:id:sgtin:4012345.011111.1</epc></epcList><action>OBSERVE</action><bizStep>urn:epcglobal:cbv:bizstep:shipping</bizStep></ObjectEvent>
        </EventList></EPCISBody></epcis:EPCISDocument>
        """;
}
