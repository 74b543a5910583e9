using System.Diagnostics;
using Gateway.Delivery.Channels;
using Gateway.Telemetry;
using Microsoft.Extensions.Logging;

namespace Gateway.Delivery;

/// <summary>One attempt: intent, sending, outcome. Each is committed before the next begins.</summary>
public sealed partial class DeliverOne(DeliveryQueue queue, IEnumerable<IChannel> channels, ILogger<DeliverOne> logger)
{
    private readonly Dictionary<string, IChannel> _channels = channels.ToDictionary(c => c.Kind, StringComparer.Ordinal);

    public async Task AttemptAsync(ClaimedDelivery delivery, CancellationToken ct)
    {
        using var activity = GatewayTrace.Continue("delivery attempt", delivery.TraceParent, ActivityKind.Client);
        activity?.SetTag("gateway.delivery.id", delivery.DeliveryId);
        if (await queue.IntendAsync(delivery, ct) is not { } number)
        {
            LeaseLost(delivery.DeliveryId);
            return;
        }
        ChannelAnswer answer;
        try
        {
            answer = _channels.TryGetValue(delivery.Channel, out var channel)
                ? await channel.SendAsync(delivery, ct)
                : new ChannelAnswer(AnswerMeaning.Refused, Verdict.Ours, "no-channel");
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The process stops: whether the partner got it is unknown, so it is sent again under the same key.
            answer = new ChannelAnswer(AnswerMeaning.Retry, Verdict.Unknown, "unknown-outcome");
        }
        var state = await queue.CompleteAsync(delivery, number, answer);
        GatewayMeter.DeliveryAttempted(delivery.Channel, answer.Verdict);
        activity?.SetTag("gateway.delivery.verdict", answer.Verdict).SetTag("gateway.delivery.code", answer.Code).SetTag("http.response.status_code", answer.Status);
        if (state is null)
        {
            LeaseLost(delivery.DeliveryId);
        }
        else if (state != "delivered")
        {
            activity?.SetStatus(ActivityStatusCode.Error);
            Failed(delivery.DeliveryId, delivery.PartnerGln, answer.Code, number, state);
        }
    }

    public async Task AskReceiptAsync(ClaimedDelivery delivery, CancellationToken ct) =>
        await queue.CompleteReceiptAsync(delivery, await _channels[delivery.Channel].QueryReceiptAsync(delivery, ct));

    [LoggerMessage(2001, LogLevel.Warning, "Delivery {DeliveryId} lost its lease; another worker has it.")]
    private partial void LeaseLost(long deliveryId);

    [LoggerMessage(2002, LogLevel.Warning, "Delivery {DeliveryId} to {PartnerGln} failed: {Code}. Attempt {Attempt}, now {State}.")]
    private partial void Failed(long deliveryId, string partnerGln, string code, int attempt, string state);
}
