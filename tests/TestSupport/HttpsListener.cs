using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;

namespace Gateway.TestSupport;

/// <summary>A server on a real socket, with TLS when it is given a certificate, that keeps what came and answers as the test says.</summary>
public sealed class HttpsListener : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<Call> _calls = new();

    private HttpsListener(WebApplication app) => _app = app;

    public sealed record Call(IReadOnlyDictionary<string, string> Headers, byte[] Body);

    public string Url { get; private set; } = "";

    public IReadOnlyList<Call> Calls => [.. _calls];

    /// <param name="certificate">Null: without TLS.</param>
    /// <param name="answer">The status to answer with; 0 tears the connection down without an answer.</param>
    public static async Task<HttpsListener> StartAsync(X509Certificate2? certificate, Func<Call, Task<int>> answer)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            if (certificate is not null)
            {
                listen.UseHttps(certificate);
            }
        }));
        if (certificate is not null)
        {
            builder.WebHost.UseKestrelHttpsConfiguration();
        }
        var app = builder.Build();
        var listener = new HttpsListener(app);
        app.Run(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            var call = new Call(context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase), body.ToArray());
            listener._calls.Enqueue(call);
            if (await answer(call) is var status && status == 0)
            {
                context.Abort();
                return;
            }
            context.Response.StatusCode = status;
        });
        await app.StartAsync();
        var port = new Uri(app.Urls.First()).Port;
        listener.Url = $"{(certificate is null ? "http" : "https")}://localhost:{port}";
        return listener;
    }

    /// <summary>A certificate that nobody has signed.</summary>
    public static X509Certificate2 Certificate(string name, DateTimeOffset from, DateTimeOffset until)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using var made = request.CreateSelfSigned(from, until);
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null);
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }
}
