using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Epcis;
using Epcis.Events;
using Epcis.Formats;
using Gateway.Units;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Gateway.Host.Simulate.Hub;

/// <summary>What one document to a repository of events was: how often it came is how often it stands here.</summary>
/// <param name="Count">Its packs, as far as it was read.</param>
public sealed record ReceivedReport(string? MessageId, int Count, int Status, byte[] Bytes);

/// <summary>
/// A repository that is told events (docs/hub.md, Another regime), on a real socket of the loopback interface: it takes EPCIS 1.2 documents of its schema that commission packs, with its API key, and answers at once.
/// </summary>
public sealed class EpcisReportSimulator : IAsyncDisposable
{
    private const long MaxBytes = 64 << 20;
    private const string MasterData = "urn:epcglobal:cbv:mda";

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    private readonly HubCertificates _certificates = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<string, (string Sha256, byte[] Answer, int Status)> _answered = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _packs = new(StringComparer.Ordinal); // the unit's key, its lot
    private readonly List<ReceivedReport> _received = [];
    private WebApplication? _app;

    private EpcisReportSimulator()
    {
    }

    /// <summary>Ends with a slash; its one address is below it.</summary>
    public Uri Url { get; private set; } = null!;

    /// <summary>What a client trusts.</summary>
    public string AuthorityPem => _certificates.AuthorityPem;

    /// <summary>Whoever sends it is let in; it may be changed.</summary>
    public string Key { get; set; } = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));

    /// <summary>What goes wrong: packs that fail, answers that are lost, and a time when it is not there.</summary>
    public HubFaults Faults { get; } = new();

    /// <summary>Every document, as often as it came.</summary>
    public IReadOnlyList<ReceivedReport> Received
    {
        get
        {
            lock (_lock)
            {
                return [.. _received];
            }
        }
    }

    /// <summary>The serial numbers that it has of a lot.</summary>
    public IReadOnlyList<string> Holding(string gtin, string lot)
    {
        lock (_lock)
        {
            return [.. _packs.Where(p => p.Value == lot && UnitKey.GtinOf(p.Key).SequenceEqual(gtin)).Select(p => UnitKey.SerialOf(p.Key).ToString()).Order(StringComparer.Ordinal)];
        }
    }

    /// <summary>Listens.</summary>
    /// <param name="port">On the loopback interface; 0: any that is free.</param>
    public static async Task<EpcisReportSimulator> StartAsync(int port = 0, CancellationToken ct = default)
    {
        var hub = new EpcisReportSimulator();
        try
        {
            await hub.ListenAsync(port, ct);
            return hub;
        }
        catch
        {
            await hub.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }
        _certificates.Dispose();
    }

    private async Task ListenAsync(int port, CancellationToken ct)
    {
        var builder = WebApplication.CreateSlimBuilder();
        // The gateway's own settings and environment must not move the hub to another address.
        builder.Configuration.Sources.Clear();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = MaxBytes;
            kestrel.Listen(IPAddress.Loopback, port, listen =>
            {
                listen.Protocols = HttpProtocols.Http1; // where a lost answer is a closed connection
                listen.UseHttps(https => https.ServerCertificateSelector = (_, _) => _certificates.Server);
            });
        });
        _app = builder.Build();
        _app.MapPost("/events", (Func<HttpContext, Task<IResult>>)TakeAsync);
        await _app.StartAsync(ct);
        var address = new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        Url = new UriBuilder("https", "localhost", address.Port).Uri;
    }

    private async Task<IResult> TakeAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        var (bytes, id) = (body.ToArray(), context.Request.Headers["Idempotency-Key"].ToString());
        var (status, answer, count) = Faults.UnavailableUntil > DateTimeOffset.UtcNow ? (503, [], 0)
            : !CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(context.Request.Headers["X-Api-Key"].ToString()), Encoding.UTF8.GetBytes(Key)) ? (401, [], 0)
            : Take(id, bytes);
        lock (_lock)
        {
            _received.Add(new ReceivedReport(id.Length == 0 ? null : id, count, status, bytes));
        }
        if (status == 200 && Faults.LosesAnswer())
        {
            context.Abort();
            return Results.Empty;
        }
        return answer.Length == 0 ? Results.StatusCode(status) : Results.Text(answer, "application/json", status);
    }

    private (int Status, byte[] Answer, int Count) Take(string id, byte[] bytes)
    {
        if (!Guid.TryParse(id, out _))
        {
            return (400, Refused("wire", "Idempotency-Key is missing or none."), 0);
        }
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes));
        lock (_lock)
        {
            // The same again happens once.
            if (_answered.TryGetValue(id, out var before))
            {
                return before.Sha256 == sha256 ? (before.Status, before.Answer, 0) : (409, [], 0);
            }
            var (status, answer, count) = Read(bytes);
            _answered.Add(id, (sha256, answer, status));
            return (status, answer, count);
        }
    }

    private (int Status, byte[] Answer, int Count) Read(byte[] bytes)
    {
        var packs = new List<(string Epc, string Key, string Lot)>();
        var isOther = false;
        using (var reader = EpcisDocument.Open(new MemoryStream(bytes), ReaderLimits.Default))
        {
            while (reader.Read())
            {
                if (reader.Current is not ObjectEvent { Action: EventAction.Add, BizStep: "urn:epcglobal:cbv:bizstep:commissioning", EpcList.Count: > 0 } told || Ilmd(told, "lotNumber") is not { } lot || Ilmd(told, "itemExpirationDate") is null)
                {
                    isOther = true;
                    continue;
                }
                packs.AddRange(told.EpcList.Select(epc => (epc, epc.StartsWith("urn:epc:id:sgtin:", StringComparison.Ordinal) ? UnitKey.Of(epc) ?? "" : "", lot)));
            }
            var wrong = reader.Findings.All.FirstOrDefault(f => f.Severity == Severity.Error);
            if (reader.Form != DocumentForm.Xml12 || wrong is not null)
            {
                return (400, Refused("schema", wrong?.Message ?? "It is no EPCIS 1.2 document."), packs.Count);
            }
        }
        if (isOther)
        {
            return (422, Refused("event", "An event is no commissioning of packs with a lot and an expiry."), packs.Count);
        }
        var failed = new List<object>();
        foreach (var (epc, key, lot) in packs)
        {
            var (code, temporary) = key.Length == 0 ? ("epc", false) : _packs.TryGetValue(key, out var other) ? (other == lot ? "known" : "other-lot", false)
                : Faults.FailureOf(SerialNumber.Of(UnitKey.SerialOf(key).ToString())) is { } fault ? (fault.Code, fault.IsTemporary) : (null, false);
            if (code is null)
            {
                _packs.Add(key, lot);
            }
            else
            {
                failed.Add(new { epc, code, temporary });
            }
        }
        return (200, JsonSerializer.SerializeToUtf8Bytes(new { status = failed.Count == 0 ? "accepted" : "partial", failed }, s_json), packs.Count);
    }

    private static string? Ilmd(ObjectEvent told, string name) => told.Ilmd.FirstOrDefault(i => i.Namespace == MasterData && i.Name == name)?.Text;

    private static byte[] Refused(string code, string text) => JsonSerializer.SerializeToUtf8Bytes(new { status = "refused", code, text }, s_json);
}
