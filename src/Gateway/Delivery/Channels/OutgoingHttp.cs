using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using System.Text.RegularExpressions;
using Gateway.Http;
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

    // One per distinct list of private networks, so that no partner uses a pooled connection that another's list allowed.
    private readonly ConcurrentDictionary<string, Lazy<HttpClient>> _clients = new(StringComparer.Ordinal);
    private readonly DeliveryOptions _options;
    private readonly ResiliencePipeline _oneAttempt;
    private readonly TimeProvider _time;

    public OutgoingHttp(IOptions<DeliveryOptions> options, TimeProvider time)
    {
        _time = time;
        _options = options.Value;
        _oneAttempt = new ResiliencePipelineBuilder { TimeProvider = time }.AddTimeout(_options.AttemptTimeout).Build();
    }

    private HttpClient ClientFor(string privateRanges) => _clients.GetOrAdd(privateRanges, ranges =>
        new(() => MakeClient(OutgoingAddress.Networks(ranges)))).Value;

    private HttpClient MakeClient(IReadOnlyList<IPNetwork> privateRanges)
    {
        var client = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            Credentials = null,
            PreAuthenticate = false,
            ActivityHeadersPropagator = null,
            AutomaticDecompression = DecompressionMethods.None,
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
            MaxResponseHeadersLength = 64,
            ConnectCallback = (context, ct) => ConnectAsync(context.DnsEndPoint, privateRanges, ct),
        })
        { Timeout = Timeout.InfiniteTimeSpan };
        client.DefaultRequestHeaders.UserAgent.ParseAdd("gateway");
        return client;
    }

    /// <summary>Sends once and names what happened; <paramref name="judge"/> is asked about answers with a 2xx status only.</summary>
    public async Task<ChannelAnswer> SendAsync(HttpRequestMessage request, ClaimedDelivery delivery, string? secret, Func<HttpResponseMessage, string, ChannelAnswer> judge, CancellationToken ct)
    {
        try
        {
            return await _oneAttempt.ExecuteAsync(async token =>
            {
                using var response = await ClientFor(delivery.PrivateRanges).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token);
                var body = await ReadAsync(response.Content, token);
                var answer = response.IsSuccessStatusCode ? judge(response, body) : Judge(response);
                return answer with { Status = (int)response.StatusCode, Response = Mask(body, secret), RetryAfter = RetryAfter(response) };
            }, ct);
        }
        catch (TimeoutRejectedException)
        {
            return new ChannelAnswer(AnswerMeaning.Retry, Verdict.Network, "timeout");
        }
        catch (HttpRequestException e)
        {
            return Explain(e);
        }
        catch (IOException)
        {
            return new ChannelAnswer(AnswerMeaning.Retry, Verdict.Network, "reset");
        }
    }

    private static ChannelAnswer Judge(HttpResponseMessage response)
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

    private static ChannelAnswer Explain(HttpRequestException e) => e switch
    {
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

    private static async Task<string> ReadAsync(HttpContent content, CancellationToken ct)
    {
        await using var stream = await content.ReadAsStreamAsync(ct);
        var buffer = new byte[MaxResponseBytes];
        var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, ct);
        return Encoding.UTF8.GetString(buffer, 0, length);
    }

    // A partner may echo our request.
    private static string Mask(string body, string? secret) => BearerToken().Replace(KeptAnswer.Of(body, secret), "Bearer ***");

    [GeneratedRegex(@"\bBearer\s+[A-Za-z0-9._~+/=-]+", RegexOptions.IgnoreCase)]
    private static partial Regex BearerToken();

    private async ValueTask<Stream> ConnectAsync(DnsEndPoint endPoint, IReadOnlyList<IPNetwork> privateRanges, CancellationToken ct)
    {
        var addresses = await OutgoingAddress.ResolveAsync(endPoint.Host, endPoint.Port, 443, privateRanges, _options, ct);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, endPoint.Port, ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (var client in _clients.Values)
        {
            client.Value.Dispose();
        }
    }
}
