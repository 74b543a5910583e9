using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Gateway.Alarms;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Gateway.Host.Simulate;

/// <summary>
/// Trading partners with known manners, on a real socket of the loopback interface. The first part of the path
/// chooses the manners, so one simulator stands for any number of partners: <c>/well/acme</c>, <c>/slow/other</c>.
/// </summary>
public sealed class PartnerSimulator : IAsyncDisposable
{
    const int MaxCaptureJobs = 1_000;
    const long MaxBodyBytes = 1L << 30;
    static readonly TimeSpan SlowAnswer = TimeSpan.FromSeconds(1.5);
    static readonly TimeSpan CaptureJobRuns = TimeSpan.FromSeconds(1);

    /// <summary>A foreign system's words: the gateway's own problems and codes have no place here.</summary>
    static readonly Dictionary<string, object> Refusal = new()
    {
        ["type"] = "epcisException:ValidationException",
        ["title"] = "Document refused",
        ["status"] = 422,
        ["detail"] = "This partner does not know the product of the shipment.",
    };

    const int RefusesOneIn = 32;

    /// <summary>The same, as a delivery's attempt keeps it.</summary>
    internal static string RefusalText { get; } = JsonSerializer.Serialize(Refusal, JsonSerializerOptions.Web);

    readonly WebApplication _app;
    readonly TimeProvider _time;
    readonly ReceivedMessages _received = new();
    readonly Lock _jobsLock = new();
    readonly OrderedDictionary<string, DateTimeOffset> _captureJobs = [];

    PartnerSimulator(WebApplication app, TimeProvider time)
    {
        _app = app;
        _time = time;
    }

    /// <summary>Ends with a slash, so that relative addresses such as <c>well/acme</c> resolve below it.</summary>
    public Uri BaseAddress { get; private set; } = null!;

    /// <summary>The same partners behind a certificate that has expired.</summary>
    public Uri ExpiredAddress { get; private set; } = null!;

    /// <summary>Where alarms are heard, when they are signed with <see cref="AlarmSecret"/>.</summary>
    public Uri AlarmAddress => new(BaseAddress, "alarms");

    /// <summary>As the gateway shows it when the target is added: <c>whsec_</c> and base64.</summary>
    public string? AlarmSecret { get; set; }

    /// <summary>The latest thousand messages, oldest first.</summary>
    public IReadOnlyList<ReceivedMessage> Received => _received.All();

    /// <summary>
    /// How many different bodies were accepted under the key: 1 is right however often the message came,
    /// 2 means that its bytes changed between attempts.
    /// </summary>
    public int EffectsOf(string idempotencyKey) => _received.EffectsOf(idempotencyKey);

    public static async Task<PartnerSimulator> StartAsync(TimeProvider time, CancellationToken ct = default)
    {
        var builder = WebApplication.CreateSlimBuilder();
        // The gateway's own settings and environment must not move the partner to another address.
        builder.Configuration.Sources.Clear();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = MaxBodyBytes;
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(ExpiredCertificate(time)));
        });

        var app = builder.Build();
        var partner = new PartnerSimulator(app, time);
        partner.Map();
        await app.StartAsync(ct);
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(address => new Uri(address + "/")).ToLookup(address => address.Scheme);
        partner.BaseAddress = addresses["http"].Single();
        partner.ExpiredAddress = addresses["https"].Single();
        return partner;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    void Map()
    {
        MapManners("/well/{**partner}", (context, _) => Answer(context, _ => 200));
        MapManners("/fails-twice/{**partner}", (context, _) => Answer(context, attempt => attempt <= 2 ? 503 : 200));
        MapManners("/slow/{**partner}", async (context, ct) =>
        {
            await Task.Delay(SlowAnswer, _time, ct);
            return await Answer(context, _ => 200);
        });
        MapManners("/refuses/{**partner}", (context, _) => Answer(context, _ => 422));
        MapManners("/refuses-seldom/{**partner}", (context, _) => Answer(context, _ => IsRefused(context.Request.Headers["Idempotency-Key"].ToString()) ? 422 : 200));
        MapManners("/silent/{**partner}", async (context, ct) =>
        {
            await ReceiveAsync(context, _ => null);
            await Task.Delay(Timeout.InfiniteTimeSpan, _time, ct);
            return Results.Empty;
        });
        MapManners("/epcis/capture", CaptureAsync);
        _app.MapGet("/epcis/capture/{captureID}", CaptureJob);
        MapManners("/unfinished/capture", async (context, _) =>
        {
            await ReceiveAsync(context, _ => 202);
            return Results.Accepted($"/unfinished/capture/{Guid.NewGuid()}");
        });
        _app.MapPost("/alarms", (Func<HttpContext, Task<IResult>>)HearAlarmAsync);
        _app.MapGet("/unfinished/capture/{captureID}", (string captureID) => Results.Json(JobOf(captureID, _time.GetUtcNow(), null)));
    }

    /// <summary>The last two digits of the key decide, so a document refused once is refused whenever it comes.</summary>
    static bool IsRefused(string key) =>
        key.Length >= 2 && int.TryParse(key.AsSpan(key.Length - 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var end) && end % RefusesOneIn == 0;

    static X509Certificate2 ExpiredCertificate(TimeProvider time)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=partner.example", key, HashAlgorithmName.SHA256);
        var expired = time.GetUtcNow().AddDays(-5); // before what the history of the demonstration holds for it
        return request.CreateSelfSigned(expired.AddDays(-90), expired);
    }

    /// <summary>A client that gives up, or the end of the simulator, ends a wait without an answer.</summary>
    void MapManners(string pattern, Func<HttpContext, CancellationToken, Task<IResult>> manners) =>
        _app.MapPost(pattern, async (HttpContext context) =>
        {
            using var end = CancellationTokenSource.CreateLinkedTokenSource(
                context.RequestAborted, _app.Lifetime.ApplicationStopping);
            try
            {
                return await manners(context, end.Token);
            }
            catch (OperationCanceledException) when (end.IsCancellationRequested)
            {
                context.Abort();
                return Results.Empty;
            }
        });

    async Task<IResult> Answer(HttpContext context, Func<int, int?> answer) =>
        (await ReceiveAsync(context, answer)).Status switch
        {
            422 => Results.Json(Refusal, contentType: "application/problem+json", statusCode: 422),
            { } status => Results.StatusCode(status),
            null => Results.Empty,
        };

    async Task<ReceivedMessage> ReceiveAsync(HttpContext context, Func<int, int?> answer)
    {
        var sha256 = Convert.ToHexStringLower(await SHA256.HashDataAsync(context.Request.Body, context.RequestAborted));
        var key = context.Request.Headers["Idempotency-Key"].FirstOrDefault();
        return _received.Add(context.Request.Path.Value ?? "/", key, sha256, _time.GetUtcNow(), answer);
    }

    /// <summary>As Standard Webhooks has it: what is not signed by the one who shares the secret is refused.</summary>
    async Task<IResult> HearAlarmAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        var (headers, secret) = (context.Request.Headers, AlarmSecret);
        byte[] signed = [.. Encoding.UTF8.GetBytes($"{headers["webhook-id"]}.{headers["webhook-timestamp"]}."), .. body.ToArray()];
        return secret is not null && headers["webhook-signature"] == "v1," + Convert.ToBase64String(HMACSHA256.HashData(Convert.FromBase64String(secret[AlarmTargets.SecretPrefix.Length..]), signed))
            ? Results.NoContent()
            : Results.Unauthorized();
    }

    async Task<IResult> CaptureAsync(HttpContext context, CancellationToken ct)
    {
        var message = await ReceiveAsync(context, _ => 202);
        var captureId = Guid.NewGuid().ToString();
        lock (_jobsLock)
        {
            if (_captureJobs.Count == MaxCaptureJobs)
                _captureJobs.RemoveAt(0);
            _captureJobs.Add(captureId, message.At);
        }
        return Results.Accepted($"/epcis/capture/{captureId}");
    }

    /// <summary>Success is true from the start, as the standard has it; only running = false makes it final.</summary>
    IResult CaptureJob(string captureID)
    {
        DateTimeOffset createdAt;
        lock (_jobsLock)
        {
            if (!_captureJobs.TryGetValue(captureID, out createdAt))
                return Results.NotFound();
        }
        var finishedAt = createdAt + CaptureJobRuns;
        return Results.Json(JobOf(captureID, createdAt, _time.GetUtcNow() < finishedAt ? null : finishedAt));
    }

    static Dictionary<string, object> JobOf(string captureID, DateTimeOffset createdAt, DateTimeOffset? finishedAt)
    {
        var job = new Dictionary<string, object>
        {
            ["captureID"] = captureID,
            ["createdAt"] = createdAt,
            ["running"] = finishedAt is null,
            ["success"] = true,
            ["captureErrorBehaviour"] = "rollback",
            ["errors"] = Array.Empty<object>(),
        };
        if (finishedAt is { } at)
            job["finishedAt"] = at;
        return job;
    }
}
