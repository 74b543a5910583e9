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
        if (await ForbiddenAsync(delivery, ct) is { } code)
        {
            return new ChannelAnswer(AnswerMeaning.Refused, Verdict.Ours, code);
        }
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

    // However long it lay here, and whoever has it sent again: an undo ends with its days, and nothing follows a recall or withdrawal that is on its way.
    private async Task<string?> ForbiddenAsync(ClaimedDelivery delivery, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Actor.System("hub"), ct);
        return await work.Connection.ExecuteScalarAsync<string?>(new CommandDefinition("""
            select case
                when exists (select from hub_order e join hub_message r on r.hub_order_id = e.hub_order_id join delivery d on d.delivery_id = r.delivery_id
                    where e.partner_id = m.partner_id and e.gtin = coalesce(l.gtin, o.gtin) and (e.kind = 'withdrawal' or e.kind = 'recall' and e.lot = coalesce(l.lot, o.lot)) and d.attempts > 0) then 'recalled'
                when o.kind = 'undo' and o.state <> 'Locked' and exists (select from hub_order_pack p join hub_pack h on h.hub_lot_id = o.hub_lot_id and h.serial = p.serial join hub_order s on s.hub_order_id = h.state_order
                    where p.hub_order_id = o.hub_order_id and s.confirmed_at + @UndoDays * interval '1 day' < gateway_now()) then 'undo-too-late' end
            from hub_message m left join hub_chunk c using (hub_chunk_id) left join hub_lot l on l.hub_lot_id = c.hub_lot_id left join hub_order o on o.hub_order_id = m.hub_order_id
            where m.correlation_id = @MessageId and m.partner_id = @PartnerId and m.kind in ('pack data', 'state change', 'undo')
            """, new { delivery.MessageId, delivery.PartnerId, PackStates.UndoDays }, work.Transaction, cancellationToken: ct));
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
