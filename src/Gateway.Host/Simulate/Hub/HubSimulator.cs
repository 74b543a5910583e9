using System.Net;
using System.Security.Cryptography;
using Epcis.Formats;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Gateway.Host.Simulate.Hub;

/// <summary>
/// A repository of packs as docs/hub.md describes it, on a real socket of the loopback interface: as strict as the public
/// rules are, and with the faults that are asked for. It lets nobody in without a client certificate of its own authority.
/// </summary>
public sealed class HubSimulator : IAsyncDisposable
{
    private const string Scheme = "Session ";
    private const long MaxMessageBytes = 64 << 20;
    private static readonly TimeSpan s_sessionFor = TimeSpan.FromHours(24);

    private readonly HubSimulatorOptions _options;
    private readonly HubCertificates _certificates = new();
    private readonly HubRepository _repository;
    private readonly Lock _lock = new();
    private readonly List<ReceivedHubMessage> _received = [];
    private readonly Dictionary<string, DateTimeOffset> _sessions = new(StringComparer.Ordinal);
    private WebApplication? _app;
    private HubPusher? _pusher;
    private long _ahead;

    private HubSimulator(HubSimulatorOptions options)
    {
        _options = options;
        _repository = new HubRepository(options, () => Now);
    }

    /// <summary>Ends with a slash; all addresses are below it.</summary>
    public Uri Url { get; private set; } = null!;

    /// <summary>What a client trusts.</summary>
    public string AuthorityPem => _certificates.AuthorityPem;

    /// <summary>The newest client certificate and its key (PKCS#8).</summary>
    public string ClientPem => _certificates.ClientPem;

    /// <summary>What goes wrong.</summary>
    public HubFaults Faults => _options.Faults;

    /// <summary>By the hub's own clock.</summary>
    public DateTimeOffset Now => _options.Time.GetUtcNow() + TimeSpan.FromTicks(Interlocked.Read(ref _ahead));

    /// <summary>Every breach of a public rule, in the order in which they came.</summary>
    public IReadOnlyList<HubViolation> Violations => _repository.Violations;

    /// <summary>Every message, as often as it came.</summary>
    public IReadOnlyList<ReceivedHubMessage> Received
    {
        get
        {
            lock (_lock)
            {
                return [.. _received];
            }
        }
    }

    /// <summary>Of every product.</summary>
    public IReadOnlyList<HubVersion> Versions => _repository.Versions;

    /// <summary>Of every product.</summary>
    public IReadOnlyList<HubLotState> Lots => _repository.Lots;

    /// <summary>What was pushed.</summary>
    public IReadOnlyList<HubPushed> Pushed => _pusher?.Pushed ?? [];

    /// <summary>Makes certificates and listens.</summary>
    public static async Task<HubSimulator> StartAsync(HubSimulatorOptions options, CancellationToken ct = default)
    {
        var hub = new HubSimulator(options);
        try
        {
            await hub.ListenAsync(ct);
            return hub;
        }
        catch
        {
            await hub.DisposeAsync();
            throw;
        }
    }

    /// <summary>The markets that a product is withdrawn from.</summary>
    public IReadOnlyList<string> WithdrawnIn(string product) => _repository.WithdrawnIn(product);

    /// <summary>The packs that a market has of a lot: serial number, state.</summary>
    public IReadOnlyDictionary<string, string> Holding(string country, string product, string lot) =>
        _repository.Holding(country, product, lot, null, int.MaxValue).Packs.ToDictionary(p => p.Serial.ToString(), p => p.Change.State, StringComparer.Ordinal);

    /// <summary>A national system raises an alert, as for a pack that a pharmacy scanned.</summary>
    /// <returns>Its id.</returns>
    public string RaiseAlert(string country, string code, string product, string? lot = null, string? expiry = null, string? serial = null, string? user = "pharmacy", string text = "") =>
        _repository.Raise(country, code, product, lot, expiry, serial, user, text).Id;

    /// <summary>A market has not got a pack any more, and nobody is told.</summary>
    public void Forget(string country, string product, string lot, string serial) => _repository.Alter(country, product, lot, serial, null);

    /// <summary>A market has a pack in a state that nobody told it here.</summary>
    public void Hold(string country, string product, string lot, string serial, string state = "Active") => _repository.Alter(country, product, lot, serial, state);

    /// <summary>Every alert so far, however many.</summary>
    public IReadOnlyList<HubAlert> Alerts
    {
        get
        {
            var all = new List<HubAlert>();
            while (_repository.AlertsAfter(all.Count) is { Count: > 0 } more)
            {
                all.AddRange(more);
            }
            return all;
        }
    }

    /// <summary>The hub's clock goes on at once.</summary>
    public void Advance(TimeSpan time) => Interlocked.Add(ref _ahead, time.Ticks);

    /// <summary>No session is good any more.</summary>
    public void ExpireSessions()
    {
        lock (_lock)
        {
            _sessions.Clear();
        }
    }

    /// <summary>New certificates for server and client; the earlier client's is let in for so long still, also on connections that are open.</summary>
    public void Roll(TimeSpan grace = default) => _certificates.Roll(grace);

    /// <summary>Writes <c>authority.pem</c> and <c>client.pem</c> for their owner only.</summary>
    public void WriteCertificates(string directory) => _certificates.WriteTo(directory);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_pusher is not null)
        {
            await _pusher.DisposeAsync();
        }
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }
        _certificates.Dispose();
    }

    private async Task ListenAsync(CancellationToken ct)
    {
        var builder = WebApplication.CreateSlimBuilder();
        // The gateway's own settings and environment must not move the hub to another address.
        builder.Configuration.Sources.Clear();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = MaxMessageBytes;
            kestrel.AllowSynchronousIO = true; // the one XML reader reads a stream as it comes
            kestrel.Listen(IPAddress.Loopback, _options.Port, listen =>
            {
                listen.Protocols = HttpProtocols.Http1; // where a lost answer is a closed connection
                listen.UseHttps(https =>
                {
                    https.ServerCertificateSelector = (_, _) => _certificates.Server;
                    https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
                    https.ClientCertificateValidation = (client, _, _) => _certificates.LetsIn(client);
                    https.OnAuthenticate = (_, tls) => tls.AllowTlsResume = false; // a resumed connection would show no new certificate
                });
            });
        });
        _app = builder.Build();
        _app.Use(GuardAsync);
        _app.MapPost("/session", OpenSession);
        _app.MapPost("/messages", (Func<HttpContext, Task<IResult>>)TakeAsync);
        _app.MapGet("/messages/{correlationId}/result", (string correlationId) => Xml(_repository.ResultOf(correlationId)));
        _app.MapGet("/alerts", (long? after) => Xml(HubAnswers.Alerts(_repository.AlertsAfter(after ?? 0), after ?? 0)));
        _app.MapGet("/holding/{product}/{lot}", ShowHolding);
        if (_options.Push is { } push)
        {
            _pusher = new HubPusher(push, Faults, _repository);
        }
        await _app.StartAsync(ct);
        var address = new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        Url = new UriBuilder("https", "localhost", address.Port).Uri;
    }

    private async Task GuardAsync(HttpContext context, RequestDelegate next)
    {
        // A connection outlives the certificate that opened it.
        if (!_certificates.LetsIn(context.Connection.ClientCertificate))
        {
            context.Abort();
            return;
        }
        if (Faults.UnavailableUntil > Now)
        {
            if (Faults.ClosesConnections)
            {
                context.Abort();
            }
            else
            {
                context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            }
            return;
        }
        if (context.Request.Path != "/session" && !HasSession(context.Request.Headers.Authorization.ToString()))
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return;
        }
        await next(context);
    }

    private bool HasSession(string authorization)
    {
        lock (_lock)
        {
            return authorization.StartsWith(Scheme, StringComparison.Ordinal) && _sessions.TryGetValue(authorization[Scheme.Length..], out var expires) && expires > Now;
        }
    }

    private IResult OpenSession()
    {
        var (token, expires) = (Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)), Now + s_sessionFor);
        lock (_lock)
        {
            foreach (var (old, _) in _sessions.Where(s => s.Value <= Now).ToList())
            {
                _sessions.Remove(old);
            }
            _sessions.Add(token, expires);
        }
        return Xml(HubAnswers.Session(token, expires));
    }

    private async Task<IResult> TakeAsync(HttpContext context)
    {
        var (message, refused) = await Task.Run(() => Read(context.Request.Body), context.RequestAborted);
        var arrival = HubArrival.Taken;
        if (refused is null)
        {
            arrival = _repository.Take(message);
        }
        else
        {
            _repository.Violate(message, refused.Rule, refused.Message);
        }
        var status = refused is not null ? 400 : arrival == HubArrival.Conflict ? 409 : 202;
        lock (_lock)
        {
            _received.Add(new ReceivedHubMessage(message.CorrelationId.Length == 0 ? null : message.CorrelationId, message.Kind, message.Sha256, message.Count, status, Now));
        }
        if (Faults.LosesAnswer())
        {
            context.Abort();
            return Results.Empty;
        }
        if (Faults.AcknowledgeAfter is var late && late > TimeSpan.Zero)
        {
            await Task.Delay(late, context.RequestAborted);
        }
        return status switch
        {
            400 => Xml(HubAnswers.Refused(message.CorrelationId, refused!.Code, refused.Message, Now), status),
            409 => Results.StatusCode(status),
            _ => Xml(HubAnswers.Acknowledgement(message.CorrelationId, Now), status),
        };
    }

    /// <summary>Reads it once: its packs, and the hash of all its bytes, also of those behind what was wrong.</summary>
    private (HubMessage Message, HubRefusedException? Refused) Read(Stream body)
    {
        var message = new HubMessage();
        HubRefusedException? refused = null;
        using var sha256 = SHA256.Create();
        using (var hashed = new CryptoStream(body, sha256, CryptoStreamMode.Read, leaveOpen: true))
        {
            try
            {
                HubMessageReader.Read(hashed, message, _options.MaxSerials, ReaderLimits.Default with { MaxBytes = MaxMessageBytes });
            }
            catch (HubRefusedException e)
            {
                refused = e;
            }
            hashed.CopyTo(Stream.Null);
        }
        message.Sha256 = Convert.ToHexStringLower(sha256.Hash!);
        return (message, refused);
    }

    private IResult ShowHolding(HttpContext context, string product, string country, string? after)
    {
        // A lot may have a slash: taken from the address as it was written.
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Split('?')[0];
        var lot = Uri.UnescapeDataString(target[(target.LastIndexOf('/') + 1)..]);
        if (after is { Length: 0 or > SerialNumber.Length } || after?.All(char.IsAscii) is false)
        {
            return Results.BadRequest();
        }
        var (packs, more) = _repository.Holding(country, product, lot, after, _options.HeldAtOnce);
        return Xml(HubAnswers.Holding(country, packs, more));
    }

    private static IResult Xml(byte[]? document, int status = 200) => document is null ? Results.NotFound() : new XmlAnswer(document, status);

    private sealed class XmlAnswer(byte[] document, int status) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.StatusCode = status;
            httpContext.Response.ContentType = "application/xml";
            httpContext.Response.ContentLength = document.Length;
            await httpContext.Response.Body.WriteAsync(document, httpContext.RequestAborted);
        }
    }
}
