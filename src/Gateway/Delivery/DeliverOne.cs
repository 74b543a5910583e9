using System.Diagnostics;
using Gateway.Database;
using Gateway.Delivery.Channels;
using Gateway.Partners;
using Gateway.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Delivery;

/// <summary>One attempt: intent, sending, outcome. Each is committed before the next begins.</summary>
public sealed partial class DeliverOne(DeliveryQueue queue, Certificates certificates, IEnumerable<IChannel> channels, IOptions<DeliveryOptions> options, TimeProvider time, ILogger<DeliverOne> logger)
{
    private readonly Dictionary<string, IChannel> _channels = channels.ToDictionary(c => c.Kind, StringComparer.Ordinal);

    /// <summary>Whether nothing else is sent to its partner, or asked of it, at the same time.</summary>
    internal bool GoesAlone(ClaimedDelivery delivery) => delivery.HasCrashed || _channels.TryGetValue(delivery.Channel, out var channel) && channel.OneAtATime;

    /// <param name="place">Its request's among those of its partner; given up as soon as the partner has taken the document.</param>
    /// <returns>Null when the lease was lost.</returns>
    internal async Task<Outcome?> AttemptAsync(ClaimedDelivery delivery, PartnerLine.Place place, CancellationToken ct)
    {
        using var activity = GatewayTrace.Continue("delivery attempt", delivery.TraceParent, ActivityKind.Client);
        activity?.SetTag("gateway.delivery.id", delivery.DeliveryId);
        if (await queue.IntendAsync(delivery) is not { } intent)
        {
            LeaseLost(delivery.DeliveryId);
            return null;
        }
        var answer = await AskAsync(delivery, (channel, token) => channel.SendAsync(delivery with { Bytes = intent.Bytes }, token), ct);
        if (answer is { Meaning: AnswerMeaning.Accepted or AnswerMeaning.Pending, RetryAfter: null })
        {
            place.Dispose(); // a failure is recorded first: it may be that nothing more is to be sent
        }
        var outcome = await queue.CompleteAsync(delivery, intent.Number, answer);
        GatewayMeter.DeliveryAttempted(delivery.Channel, answer.Verdict);
        activity?.SetTag("gateway.delivery.verdict", answer.Verdict).SetTag("gateway.delivery.code", answer.Code).SetTag("http.response.status_code", answer.Status);
        if (outcome is { State: not "delivered" })
        {
            activity?.SetStatus(ActivityStatusCode.Error);
            Failed(delivery.DeliveryId, delivery.PartnerGln, answer.Code, intent.Number, outcome.State);
        }
        Tell(delivery, outcome, answer);
        if (answer.Certificate is { } certificate)
        {
            await KeepAsync(delivery.PartnerId, certificate);
        }
        return outcome;
    }

    // It is seen again at the next delivery, and this one is complete.
    private async Task KeepAsync(int partnerId, ServedCertificate certificate)
    {
        try
        {
            await certificates.SeenAsync(partnerId, certificate);
        }
        catch (Exception e) when (e is NpgsqlException or CommitUnknownException)
        {
            CertificateNotKept(partnerId, e);
        }
    }

    /// <returns>Null when the lease was lost.</returns>
    internal async Task<Outcome?> AskReceiptAsync(ClaimedDelivery delivery, CancellationToken ct)
    {
        var answer = await AskAsync(delivery, (channel, token) => channel.QueryReceiptAsync(delivery, token), ct);
        var outcome = await queue.CompleteReceiptAsync(delivery, answer);
        if (outcome is { State: "dead" })
        {
            Refused(delivery.DeliveryId, delivery.PartnerGln);
        }
        Tell(delivery, outcome, answer);
        return outcome;
    }

    /// <summary>The answer, whatever the channel does: one that throws or never returns is an answer too.</summary>
    private async Task<ChannelAnswer> AskAsync(ClaimedDelivery delivery, Func<IChannel, CancellationToken, Task<ChannelAnswer>> ask, CancellationToken ct)
    {
        if (!_channels.TryGetValue(delivery.Channel, out var channel))
        {
            return new ChannelAnswer(AnswerMeaning.Refused, Verdict.Ours, "no-channel");
        }
        using var end = CancellationTokenSource.CreateLinkedTokenSource(ct);
        try
        {
            // A channel keeps the time of an attempt itself; twice as long means that it hangs.
            return await Task.Run(() => ask(channel, end.Token), CancellationToken.None).WaitAsync(options.Value.AttemptTimeout * 2, time, ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The process stops: whether the partner got it is unknown, so it is sent again under the same key.
            return new ChannelAnswer(AnswerMeaning.Retry, Verdict.Unknown, "unknown-outcome");
        }
        catch (Exception e) when (e is NpgsqlException or CommitUnknownException)
        {
            return new ChannelAnswer(AnswerMeaning.Retry, Verdict.Ours, "database");
        }
        catch (Exception e)
        {
            ChannelBroke(delivery.DeliveryId, delivery.Channel, e);
            return new ChannelAnswer(AnswerMeaning.Broken, Verdict.Ours, e is TimeoutException ? "channel-hangs" : "channel-broke");
        }
        finally
        {
            await end.CancelAsync();
        }
    }

    // What stands of this is an alarm until it is over; these tell the log of the moment.
    private void Tell(ClaimedDelivery delivery, Outcome? outcome, ChannelAnswer answer)
    {
        if (outcome is null)
        {
            LeaseLost(delivery.DeliveryId);
            return;
        }
        if (outcome.Opened is { } opened)
        {
            GatewayMeter.BreakerOpened();
            BreakerOpened(delivery.PartnerGln, answer.Code, opened);
        }
        if (outcome.Overdue)
        {
            ReceiptOverdue(delivery.DeliveryId, delivery.PartnerGln);
        }
    }

    [LoggerMessage(2001, LogLevel.Warning, "Delivery {DeliveryId} lost its lease; another worker has it.")]
    private partial void LeaseLost(long deliveryId);

    [LoggerMessage(2002, LogLevel.Warning, "Delivery {DeliveryId} to {PartnerGln} failed: {Code}. Attempt {Attempt}, now {State}.")]
    private partial void Failed(long deliveryId, string partnerGln, string code, int attempt, string state);

    [LoggerMessage(2004, LogLevel.Warning, "Partner {PartnerGln} is left alone after {Code}, for the {Opened}. time in a row.")]
    private partial void BreakerOpened(string partnerGln, string code, int opened);

    [LoggerMessage(2005, LogLevel.Warning, "Partner {PartnerGln} has taken delivery {DeliveryId} and owes its result for too long.")]
    private partial void ReceiptOverdue(long deliveryId, string partnerGln);

    [LoggerMessage(2006, LogLevel.Error, "The channel {Channel} broke on delivery {DeliveryId}.")]
    private partial void ChannelBroke(long deliveryId, string channel, Exception e);

    [LoggerMessage(2015, LogLevel.Warning, "The certificate that partner {PartnerId} showed was not kept; it is seen again at the next delivery.")]
    private partial void CertificateNotKept(int partnerId, Exception e);

    [LoggerMessage(2007, LogLevel.Warning, "Partner {PartnerGln} has taken and then refused delivery {DeliveryId}.")]
    private partial void Refused(long deliveryId, string partnerGln);
}
