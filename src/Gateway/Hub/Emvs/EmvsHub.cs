using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Gateway.Database;
using Gateway.Delivery;
using Gateway.Delivery.Channels;
using Gateway.Partners;

namespace Gateway.Hub.Emvs;

/// <summary>
/// The EU hub, in messages of our own published shape (docs/hub.md) over mutual TLS. Who has the confidential specification writes it here: nothing outside this folder knows how a message looks.
/// </summary>
public sealed class EmvsHub(OutgoingHttp http, GatewayDatabase database, PartnerSecrets secrets, TimeProvider time) : IHub
{
    private const int MaxAnswer = 16 << 20;

    // A session is good for a day; a node has its own.
    private readonly ConcurrentDictionary<(int PartnerId, string Url), (string Token, DateTime Expires)> _sessions = new();

    public string Protocol => "emvs";

    public HubTraits Traits { get; } = new(ReportUnit.Serials, AnswersLater: true, MaxSerials: 250_000) { TakesProductData = true, TellsHolding = true, HasAlerts = true, TakesOrders = true };

    public void Write(ProductDataMessage message, Stream to) => EmvsMessages.Write(message, to);

    public Task WriteAsync(PackDataMessage message, IAsyncEnumerable<string> serials, Stream to, CancellationToken ct) => EmvsMessages.WriteAsync(message, serials, to, ct);

    public Task WriteAsync(OrderMessage message, IAsyncEnumerable<string> serials, Stream to, CancellationToken ct) => EmvsMessages.WriteAsync(message, serials, to, ct);

    public HubResult Read(byte[] answer) => EmvsAnswers.ReadResult(answer);

    public AlertPage ReadAlerts(byte[] alerts) => EmvsAnswers.ReadAlerts(alerts);

    public async Task<(ChannelAnswer Answer, HubResult? Result)> SendAsync(ClaimedDelivery delivery, CancellationToken ct)
    {
        HubResult? refused = null;
        var answer = await InSessionAsync(HubAddress.Of(delivery), () => new HttpRequestMessage(HttpMethod.Post, Below(delivery.Url, "messages")) { Content = new StoredDocumentContent(database, delivery) }, (response, body) =>
        {
            if (response.StatusCode == HttpStatusCode.BadRequest)
            {
                refused = EmvsAnswers.ReadResult(body);
                return new ChannelAnswer(AnswerMeaning.Refused, Verdict.Ours, refused.Code ?? "http-400");
            }
            return response.IsSuccessStatusCode ? new ChannelAnswer(AnswerMeaning.Pending, Verdict.Ok, "ok", ReceiptRef: Below(delivery.Url, $"messages/{delivery.MessageId}/result").AbsoluteUri) : OutgoingHttp.Judge(response);
        }, ct);
        return (answer, refused);
    }

    public async Task<(ChannelAnswer Answer, HubResult? Result)> AskAsync(ClaimedDelivery delivery, CancellationToken ct)
    {
        HubResult? result = null;
        var answer = await InSessionAsync(HubAddress.Of(delivery), () => new HttpRequestMessage(HttpMethod.Get, Below(delivery.Url, $"messages/{delivery.MessageId}/result")), (response, body) =>
        {
            if (!response.IsSuccessStatusCode)
            {
                return OutgoingHttp.Judge(response);
            }
            result = EmvsAnswers.ReadResult(body);
            return new ChannelAnswer(AnswerMeaning.Pending, Verdict.Ok, "ok");
        }, ct);
        return (answer, result);
    }

    public async Task<(ChannelAnswer Answer, AlertPage? Page)> AskAlertsAsync(HubAddress hub, long after, CancellationToken ct)
    {
        AlertPage? page = null;
        var answer = await InSessionAsync(hub, () => new HttpRequestMessage(HttpMethod.Get, Below(hub.Url, string.Create(CultureInfo.InvariantCulture, $"alerts?after={after}"))), (response, body) =>
        {
            if (!response.IsSuccessStatusCode)
            {
                return OutgoingHttp.Judge(response);
            }
            page = EmvsAnswers.ReadAlerts(body);
            return new ChannelAnswer(AnswerMeaning.Accepted, Verdict.Ok, "ok");
        }, ct);
        return (answer, page);
    }

    public async IAsyncEnumerable<HeldPack> HoldingAsync(HubAddress hub, string gtin, string lot, string country, [EnumeratorCancellation] CancellationToken ct)
    {
        for (string? after = null; ;)
        {
            (IReadOnlyList<HeldPack> Packs, bool More)? page = null;
            var url = Below(hub.Url, $"holding/{gtin}/{Uri.EscapeDataString(lot)}?country={country}{(after is null ? "" : $"&after={Uri.EscapeDataString(after)}")}");
            var answer = await InSessionAsync(hub, () => new HttpRequestMessage(HttpMethod.Get, url), (response, body) =>
            {
                page = response.IsSuccessStatusCode ? EmvsAnswers.ReadHolding(body, country, after) : null;
                return response.IsSuccessStatusCode ? new ChannelAnswer(AnswerMeaning.Accepted, Verdict.Ok, "ok") : OutgoingHttp.Judge(response);
            }, ct);
            if (page is not { } got)
            {
                throw new HubSilentException(answer.Code, answer is { Code: "invalid-response", Response: { } wrong } ? wrong : $"The hub did not tell what {country} holds.");
            }
            foreach (var pack in got.Packs)
            {
                yield return pack;
            }
            if (!got.More)
            {
                yield break;
            }
            after = got.Packs[^1].Serial;
        }
    }

    // A session that has ended is begun anew once, within the same attempt: the same message twice is one to the hub.
    private async Task<ChannelAnswer> InSessionAsync(HubAddress hub, Func<HttpRequestMessage> ask, Func<HttpResponseMessage, byte[], ChannelAnswer> take, CancellationToken ct)
    {
        if (secrets.Open(hub.PartyId, hub.Secret) is not { } pem)
        {
            return new ChannelAnswer(AnswerMeaning.Credential, Verdict.Ours, "no-certificate");
        }
        var identity = new TlsIdentity(pem, ChannelSettings.Read(hub.Settings).Authority);
        for (var isFirst = true; ; isFirst = false)
        {
            var (token, refusal) = await SessionAsync(hub, identity, ct);
            if (refusal is not null)
            {
                return refusal;
            }
            using var request = ask();
            request.Headers.Authorization = new AuthenticationHeaderValue("Session", token);
            var answer = await http.SendAsync(request, hub.PrivateRanges, identity, (response, inner) => TakeAsync(response, take, token, inner), ct);
            if (answer.Status != 401 || !isFirst)
            {
                return answer;
            }
            _sessions.TryRemove((hub.PartnerId, hub.Url), out _);
        }
    }

    private async Task<(string Token, ChannelAnswer? Refusal)> SessionAsync(HubAddress hub, TlsIdentity identity, CancellationToken ct)
    {
        var key = (hub.PartnerId, hub.Url);
        if (_sessions.TryGetValue(key, out var session) && session.Expires > time.GetUtcNow().UtcDateTime)
        {
            return (session.Token, null);
        }
        using var request = new HttpRequestMessage(HttpMethod.Post, Below(hub.Url, "session"));
        (string Token, DateTime Expires)? begun = null;
        var answer = await http.SendAsync(request, hub.PrivateRanges, identity, (response, inner) => TakeAsync(response, (r, body) =>
        {
            begun = r.IsSuccessStatusCode ? EmvsAnswers.ReadSession(body) : null;
            return r.IsSuccessStatusCode ? new ChannelAnswer(AnswerMeaning.Accepted, Verdict.Ok, "ok") : OutgoingHttp.Judge(r);
        }, null, inner), ct);
        if (begun is not { } fresh)
        {
            return ("", answer);
        }
        _sessions[key] = fresh;
        return (fresh.Token, null);
    }

    private static async Task<ChannelAnswer> TakeAsync(HttpResponseMessage response, Func<HttpResponseMessage, byte[], ChannelAnswer> take, string? token, CancellationToken ct)
    {
        if (response.Content.Headers.ContentLength > MaxAnswer)
        {
            return new ChannelAnswer(AnswerMeaning.Retry, Verdict.Theirs, "answer-too-large");
        }
        await using var stream = await response.Content.ReadAsStreamAsync(ct);
        using var body = new MemoryStream();
        var buffer = new byte[1 << 16];
        for (int read; (read = await stream.ReadAsync(buffer, ct)) > 0;)
        {
            if (body.Length + read > MaxAnswer)
            {
                return new ChannelAnswer(AnswerMeaning.Retry, Verdict.Theirs, "answer-too-large");
            }
            body.Write(buffer, 0, read);
        }
        var bytes = body.ToArray();
        try
        {
            return take(response, bytes) with { Response = KeptAnswer.Of(System.Text.Encoding.UTF8.GetString(bytes.AsSpan(0, Math.Min(bytes.Length, KeptAnswer.MaxLength))), token), Sha256 = SHA256.HashData(bytes) };
        }
        catch (HubAnswerException e)
        {
            return new ChannelAnswer(AnswerMeaning.Retry, Verdict.Theirs, "invalid-response", Response: e.Message);
        }
    }

    private static Uri Below(string url, string path) => new($"{url.TrimEnd('/')}/{path}");
}
