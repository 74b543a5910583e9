using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Delivery;
using Gateway.Delivery.Channels;
using Gateway.Partners;

namespace Gateway.Hub;

/// <summary>
/// A hub as deliveries see it: a message is taken at once, and its result is asked for until it is final. What the result says of packs and markets is the hub's own matter (<see cref="TakeAnswer"/>); for the delivery it is the receipt.
/// </summary>
public sealed class HubChannel(GatewayDatabase database, Hubs hubs, TakeAnswer answers) : IChannel
{
    public string Kind => "hub";

    public async Task<ChannelAnswer> SendAsync(ClaimedDelivery delivery, CancellationToken ct)
    {
        var (answer, result) = await Adapter(delivery).SendAsync(delivery, ct);
        return await TakeAsync(delivery, answer, result, ct);
    }

    public async Task<ChannelAnswer> QueryReceiptAsync(ClaimedDelivery delivery, CancellationToken ct)
    {
        // It may have been pushed meanwhile.
        if (await IsAnsweredAsync(delivery, ct))
        {
            return new ChannelAnswer(AnswerMeaning.Accepted, Verdict.Ok, "ok");
        }
        var (answer, result) = await Adapter(delivery).AskAsync(delivery, ct);
        return await TakeAsync(delivery, answer, result, ct);
    }

    private IHub Adapter(ClaimedDelivery delivery) => hubs.Of(ChannelSettings.Read(delivery.Settings).Protocol!);

    // Told by the hub, whatever it is: the message needs no more sending.
    private async Task<ChannelAnswer> TakeAsync(ClaimedDelivery delivery, ChannelAnswer answer, HubResult? result, CancellationToken ct)
    {
        if (result is null)
        {
            return answer.Meaning == AnswerMeaning.Pending && !Adapter(delivery).Traits.AnswersLater ? answer with { Meaning = AnswerMeaning.Retry, Verdict = Verdict.Theirs, Code = "no-result" } : answer;
        }
        if (result.CorrelationId != delivery.MessageId)
        {
            return answer with { Meaning = AnswerMeaning.Retry, Verdict = Verdict.Theirs, Code = "foreign-answer" };
        }
        return await answers.TakeAsync(Actor.System("hub"), delivery.PartnerId, result, ct) is true
            ? answer with { Meaning = AnswerMeaning.Accepted, Verdict = Verdict.Ok, Code = "ok" }
            : answer with { Meaning = AnswerMeaning.Pending, Verdict = Verdict.Ok, Code = "running" };
    }

    private async Task<bool> IsAnsweredAsync(ClaimedDelivery delivery, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Actor.System("hub"), ct);
        return await work.Connection.ExecuteScalarAsync<bool>(new CommandDefinition("select exists (select from hub_message where correlation_id = @MessageId and answered_at is not null)", new { delivery.MessageId }, work.Transaction, cancellationToken: ct));
    }
}
