using System.Text.Json;
using Gateway.Database;
using Gateway.Partners;

namespace Gateway.Delivery.Channels;

/// <summary>EPCIS 2.0 capture: 202 with a Location is a job of the partner's, asked until it has ended.</summary>
public sealed class EpcisChannel(OutgoingHttp http, GatewayDatabase database, PartnerSecrets secrets) : IChannel
{
    public string Kind => "epcis";

    public async Task<ChannelAnswer> SendAsync(ClaimedDelivery delivery, CancellationToken ct)
    {
        var url = new Uri(delivery.Url);
        var secret = secrets.Open(delivery.PartyId, delivery.Secret);
        using var request = HttpsChannel.Request(HttpMethod.Post, url, delivery, secret);
        request.Content = new StoredDocumentContent(database, delivery);
        return await http.SendAsync(request, delivery, secret, (response, _) => Taken(url, response.Headers.Location), ct);
    }

    public async Task<ChannelAnswer> QueryReceiptAsync(ClaimedDelivery delivery, CancellationToken ct)
    {
        // The job is where the document was taken; the partner's secret may be another server's by now.
        var job = new Uri(delivery.ReceiptRef!);
        var secret = job.GetLeftPart(UriPartial.Authority) == new Uri(delivery.Url).GetLeftPart(UriPartial.Authority) ? secrets.Open(delivery.PartyId, delivery.Secret) : null;
        using var request = HttpsChannel.Request(HttpMethod.Get, job, delivery, secret);
        request.Headers.Accept.ParseAdd("application/json");
        return await http.SendAsync(request, delivery, secret, (_, body) => JobResult(body), ct);
    }

    // The job is asked with our credential, so only at the partner's own host.
    private static ChannelAnswer Taken(Uri url, Uri? location)
    {
        // It has said that it took the document; an address that cannot be read is as good as none.
        if (location is null || !Uri.TryCreate(url, location, out var job))
        {
            return new ChannelAnswer(AnswerMeaning.Accepted, Verdict.Ok, "ok");
        }
        return job.GetLeftPart(UriPartial.Authority) == url.GetLeftPart(UriPartial.Authority)
            ? new ChannelAnswer(AnswerMeaning.Pending, Verdict.Ok, "ok", ReceiptRef: job.AbsoluteUri)
            : new ChannelAnswer(AnswerMeaning.Retry, Verdict.Theirs, "foreign-location");
    }

    private static ChannelAnswer JobResult(string body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            var (running, success) = (Flag(json, "running"), Flag(json, "success"));
            return (running, success) switch
            {
                (false, true) => new(AnswerMeaning.Accepted, Verdict.Ok, "ok"),
                (false, false) => new(AnswerMeaning.Negative, Verdict.Ours, "negative"),
                (true, _) => new(AnswerMeaning.Pending, Verdict.Ok, "running"),
                _ => new(AnswerMeaning.Retry, Verdict.Theirs, "invalid-response"),
            };
        }
        catch (JsonException)
        {
            return new ChannelAnswer(AnswerMeaning.Retry, Verdict.Theirs, "invalid-response");
        }
    }

    private static bool? Flag(JsonDocument json, string name) =>
        json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty(name, out var value)
            ? value.ValueKind switch { JsonValueKind.True => true, JsonValueKind.False => false, _ => null }
            : null;
}
