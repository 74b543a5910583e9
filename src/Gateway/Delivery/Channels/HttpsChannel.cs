using System.Net.Http.Headers;
using Gateway.Database;
using Gateway.Partners;

namespace Gateway.Delivery.Channels;

/// <summary>A plain POST of the document; any 2xx means the partner has it.</summary>
public sealed class HttpsChannel(OutgoingHttp http, GatewayDatabase database, PartnerSecrets secrets) : IChannel
{
    public string Kind => "https";

    public async Task<ChannelAnswer> SendAsync(ClaimedDelivery delivery, CancellationToken ct)
    {
        var secret = secrets.Open(delivery.PartyId, delivery.Secret);
        using var request = Request(HttpMethod.Post, new Uri(delivery.Url), delivery, secret);
        request.Content = new StoredDocumentContent(database, delivery);
        return await http.SendAsync(request, delivery, secret, (_, _) => new ChannelAnswer(AnswerMeaning.Accepted, Verdict.Ok, "ok"), ct);
    }

    public Task<ChannelAnswer> QueryReceiptAsync(ClaimedDelivery delivery, CancellationToken ct) =>
        throw new InvalidOperationException("A plain POST has no receipt.");

    /// <summary>The key is the same in every attempt and replay, so that the partner can tell a repeat.</summary>
    internal static HttpRequestMessage Request(HttpMethod method, Uri url, ClaimedDelivery delivery, string? secret)
    {
        var request = new HttpRequestMessage(method, url);
        if (secret is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", secret);
        }
        if (method == HttpMethod.Post)
        {
            request.Headers.Add("Idempotency-Key", delivery.MessageId.ToString());
            request.Headers.Add("GS1-EPCIS-Version", delivery.Format == "1.2-xml" ? "1.2.0" : "2.0.0");
        }
        return request;
    }
}
