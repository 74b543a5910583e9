using System.Net;
using System.Security.Cryptography;
using System.Text;
using Gateway.Database;
using Gateway.Delivery;
using Gateway.Delivery.Channels;
using Gateway.Partners;

namespace Gateway.Hub.EpcisReport;

/// <summary>
/// A repository that is told events, as several of the Gulf are: packs are an EPCIS 1.2 document, posted with an API key, and what became of them is the answer (docs/hub.md, Another regime).
/// </summary>
public sealed class EpcisReportHub(OutgoingHttp http, GatewayDatabase database, PartnerSecrets secrets) : IHub
{
    private const int MaxAnswer = 16 << 20; // a message's EPCs, each named once

    public string Protocol => "epcis";

    public HubTraits Traits { get; } = new(ReportUnit.Events, AnswersLater: false, MaxSerials: 10_000);

    public void Write(ProductDataMessage message, Stream to) => throw new InvalidOperationException("Such a repository is told no product data.");

    public Task WriteAsync(PackDataMessage message, IAsyncEnumerable<string> serials, Stream to, CancellationToken ct) => EpcisReportMessages.WriteAsync(message, serials, to, ct);

    public Task WriteAsync(OrderMessage message, IAsyncEnumerable<string> serials, Stream to, CancellationToken ct) => throw new InvalidOperationException("Such a repository is told no states of packs.");

    public Task<(ChannelAnswer Answer, AlertPage? Page)> AskAlertsAsync(HubAddress hub, long after, CancellationToken ct) => throw new InvalidOperationException("Such a repository has no alerts.");

    public AlertPage ReadAlerts(byte[] alerts) => throw new HubAnswerException("This repository has no alerts.");

    public HubResult Read(byte[] answer) => throw new HubAnswerException("This repository answers at once, and pushes nothing.");

    public IAsyncEnumerable<HeldPack> HoldingAsync(HubAddress hub, string gtin, string lot, string country, CancellationToken ct) => throw new HubSilentException("not-told", "This repository does not tell what it holds.");

    public async Task<(ChannelAnswer Answer, HubResult? Result)> SendAsync(ClaimedDelivery delivery, CancellationToken ct)
    {
        if (secrets.Open(delivery.PartyId, delivery.Secret) is not { } key)
        {
            return (new ChannelAnswer(AnswerMeaning.Credential, Verdict.Ours, "no-key"), null);
        }
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{delivery.Url.TrimEnd('/')}/events") { Content = new StoredDocumentContent(database, delivery) };
        request.Headers.Add("X-Api-Key", key);
        request.Headers.Add("Idempotency-Key", delivery.MessageId.ToString());
        request.Headers.Add("GS1-EPCIS-Version", "1.2.0");
        HubResult? result = null;
        var answer = await http.SendAsync(request, delivery.PrivateRanges, new TlsIdentity(null, ChannelSettings.Read(delivery.Settings).Authority), async (response, inner) =>
        {
            await response.Content.LoadIntoBufferAsync(MaxAnswer, inner);
            var body = await response.Content.ReadAsByteArrayAsync(inner);
            ChannelAnswer judged;
            try
            {
                result = response.StatusCode is HttpStatusCode.OK or HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity ? EpcisReportAnswers.Read(body, delivery.MessageId) : null;
                judged = response.IsSuccessStatusCode ? new ChannelAnswer(AnswerMeaning.Retry, Verdict.Theirs, "no-result") : OutgoingHttp.Judge(response);
            }
            catch (HubAnswerException) when (!response.IsSuccessStatusCode)
            {
                judged = OutgoingHttp.Judge(response);
            }
            catch (HubAnswerException)
            {
                judged = new ChannelAnswer(AnswerMeaning.Retry, Verdict.Theirs, "invalid-response");
            }
            return judged with { Response = KeptAnswer.Of(Encoding.UTF8.GetString(body.AsSpan(0, Math.Min(body.Length, KeptAnswer.MaxLength))), key), Sha256 = SHA256.HashData(body) };
        }, ct);
        return (answer, result);
    }

    public Task<(ChannelAnswer Answer, HubResult? Result)> AskAsync(ClaimedDelivery delivery, CancellationToken ct) => throw new InvalidOperationException("This repository answers at once.");
}
