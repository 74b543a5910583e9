using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Gateway.Http;
using Gateway.Partners;
using Microsoft.Extensions.Options;
using Npgsql;
using Polly;
using Polly.Timeout;

namespace Gateway.Delivery.Channels;

/// <summary>
/// The one way out to partners. The address is checked when connecting and that very address is connected to, so a name that
/// changes its address between check and use gains nothing.
/// </summary>
public sealed partial class OutgoingHttp : IDisposable
{
    public const int MaxResponseBytes = 256 * 1024;

    // One per distinct list of private networks and identity, so that no partner uses a pooled connection that another's list allowed or another's certificate opened.
    private readonly ConcurrentDictionary<(string Ranges, TlsIdentity? Identity), Lazy<HttpClient>> _clients = new();

    // What each server showed when it was last connected to, by host and port.
    private readonly ConcurrentDictionary<string, ServedCertificate> _served = new(StringComparer.Ordinal);
    private readonly DeliveryOptions _options;
    private readonly ResiliencePipeline _oneAttempt;
    private readonly TimeProvider _time;

    public OutgoingHttp(IOptions<DeliveryOptions> options, TimeProvider time)
    {
        _time = time;
        _options = options.Value;
        _oneAttempt = new ResiliencePipelineBuilder { TimeProvider = time }.AddTimeout(_options.AttemptTimeout).Build();
    }

    private HttpClient ClientFor(string privateRanges, TlsIdentity? identity) => _clients.GetOrAdd((privateRanges, identity), key =>
        new(() => OutgoingAddress.MakeClient(_options.Outgoing, OutgoingAddress.Networks(key.Ranges), handler => LookAtCertificates(handler, key.Identity)))).Value;

    // What a server shows is remembered, and what is wrong with it is said so that its owner can mend it.
    private void LookAtCertificates(SocketsHttpHandler handler, TlsIdentity? identity)
    {
        handler.SslOptions.ClientCertificates = identity?.Certificates();
        handler.SslOptions.RemoteCertificateValidationCallback = (sender, certificate, chain, errors) =>
        {
            var host = ((SslStream)sender).TargetHostName;
            CertificateCheck.Refuse(host, host, certificate, chain, identity?.Judge(certificate, chain, errors) ?? errors);
            return true;
        };
        handler.PlaintextStreamFilter = (context, _) =>
        {
            if (context.PlaintextStream is SslStream { RemoteCertificate: { } certificate } && context.InitialRequestMessage.RequestUri is { } url)
            {
                _served[url.Authority] = CertificateCheck.Served(url.Authority, certificate);
            }
            return ValueTask.FromResult(context.PlaintextStream);
        };
    }

    /// <summary>Sends once and names what happened; <paramref name="judge"/> is asked about answers with a 2xx status only.</summary>
    public Task<ChannelAnswer> SendAsync(HttpRequestMessage request, ClaimedDelivery delivery, string? secret, Func<HttpResponseMessage, string, ChannelAnswer> judge, CancellationToken ct) =>
        SendAsync(request, delivery.PrivateRanges, null, async (response, token) =>
        {
            await using var stream = await response.Content.ReadAsStreamAsync(token);
            var (body, sha256) = await ReadAsync(stream, token);
            return (response.IsSuccessStatusCode ? judge(response, body) : Judge(response)) with { Response = Mask(body, secret), Sha256 = sha256 };
        }, ct);

    /// <summary>Sends once under an identity of ours and names what happened.</summary>
    /// <param name="take">Reads every answer, whatever its status.</param>
    public async Task<ChannelAnswer> SendAsync(HttpRequestMessage request, string privateRanges, TlsIdentity? identity, Func<HttpResponseMessage, CancellationToken, Task<ChannelAnswer>> take, CancellationToken ct)
    {
        try
        {
            return await _oneAttempt.ExecuteAsync(async token =>
            {
                using var response = await ClientFor(privateRanges, identity).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token);
                var answer = await take(response, token);
                return answer with { Status = (int)response.StatusCode, RetryAfter = RetryAfter(response), Certificate = request.RequestUri is { } url ? _served.GetValueOrDefault(url.Authority) : null };
            }, ct);
        }
        catch (TimeoutRejectedException)
        {
            return new ChannelAnswer(AnswerMeaning.Retry, Verdict.Network, "timeout");
        }
        catch (HttpRequestException e)
        {
            return Explain(e, request.RequestUri!.Authority);
        }
        catch (IOException)
        {
            return new ChannelAnswer(AnswerMeaning.Retry, Verdict.Network, "reset");
        }
    }

    /// <summary>What a status that is no success means.</summary>
    internal static ChannelAnswer Judge(HttpResponseMessage response)
    {
        var status = (int)response.StatusCode;
        var code = FormattableString.Invariant($"http-{status}");
        return status switch
        {
            401 or 403 => new(AnswerMeaning.Credential, Verdict.Ours, code),
            408 or 409 or 425 or 429 => new(AnswerMeaning.Retry, Verdict.Theirs, code),
            >= 400 and < 500 => new(AnswerMeaning.Refused, Verdict.Ours, code),
            _ => new(AnswerMeaning.Retry, Verdict.Theirs, code), // a redirect too: it is never followed
        };
    }

    private static ChannelAnswer Explain(HttpRequestException e, string authority) => e switch
    {
        { InnerException: BadCertificateException bad } => new(AnswerMeaning.Retry, Verdict.Theirs, bad.Code, Response: bad.Message, Certificate: bad is { Code: "certificate-expired", Served: { } served } ? served with { Host = authority } : null),
        { InnerException: ForbiddenAddressException forbidden } => new(AnswerMeaning.Retry, Verdict.Ours, forbidden.Code),
        { InnerException: NpgsqlException } => new(AnswerMeaning.Retry, Verdict.Ours, "database"),
        { InnerException: CorruptDocumentException } => new(AnswerMeaning.Retry, Verdict.Ours, "corrupt-document"),
        { HttpRequestError: HttpRequestError.NameResolutionError } or { InnerException: SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData } } =>
            new(AnswerMeaning.Retry, Verdict.Network, "dns"),
        { HttpRequestError: HttpRequestError.SecureConnectionError } or { InnerException: AuthenticationException } => new(AnswerMeaning.Retry, Verdict.Network, "tls"),
        { HttpRequestError: HttpRequestError.ConnectionError } => new(AnswerMeaning.Retry, Verdict.Network, "connect"),
        { HttpRequestError: HttpRequestError.InvalidResponse } => new(AnswerMeaning.Retry, Verdict.Theirs, "invalid-response"),
        _ => new(AnswerMeaning.Retry, Verdict.Network, "reset"),
    };

    private TimeSpan? RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } when date > _time.GetUtcNow() => date - _time.GetUtcNow(),
        _ => null,
    };

    private static async Task<(string Body, byte[] Sha256)> ReadAsync(Stream stream, CancellationToken ct)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(MaxResponseBytes);
        try
        {
            var length = await stream.ReadAtLeastAsync(buffer.AsMemory(0, MaxResponseBytes), MaxResponseBytes, throwOnEndOfStream: false, ct);
            return (Encoding.UTF8.GetString(buffer, 0, length), SHA256.HashData(buffer.AsSpan(0, length)));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // A partner may echo our request.
    private static string Mask(string body, string? secret) => BearerToken().Replace(KeptAnswer.Of(body, secret), "Bearer ***");

    [GeneratedRegex(@"\bBearer\s+[A-Za-z0-9._~+/=-]+", RegexOptions.IgnoreCase)]
    private static partial Regex BearerToken();

    public void Dispose()
    {
        foreach (var client in _clients.Values)
        {
            client.Value.Dispose();
        }
    }
}
