using System.Globalization;
using System.Security.Cryptography;
using Dapper;
using Epcis;
using Gateway.Access;
using Gateway.Database;
using Gateway.Delivery;
using Gateway.Exceptions;
using Gateway.Units;
using Microsoft.Extensions.Options;

namespace Gateway.Hub;

/// <summary>
/// What a hub told of a message, applied once: it may come pushed and fetched, twice, late and in any order. Whatever is final stays, and a market never goes back from distributed.
/// </summary>
public sealed class TakeAnswer(GatewayDatabase database, ReleaseLot lots, IOptions<DeliveryOptions> options)
{
    /// <summary>The hub has it already.</summary>
    private const string Known = "A7";

    /// <summary>Of packs that not every market has got, whatever the hub says of them one by one.</summary>
    private const string Market = "market";

    private const int MaxSentenceCodes = 20, ExceptionUnits = 10_000;

    /// <param name="teller">Who brought the answer: whoever asked for it, or the hub's own key.</param>
    /// <returns>Whether everything is known of the message now; null when this hub was sent no such message.</returns>
    public async Task<bool?> TakeAsync(Actor teller, int partnerId, HubResult result, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(teller with { Sees = "*" }, ct);
        // Before the message's own row is locked, as whoever releases or sends again does it.
        if (await work.Connection.QuerySingleOrDefaultAsync<(string Gtin, string? Lot)?>(new CommandDefinition("""
            select coalesce(l.gtin, o.gtin), coalesce(l.lot, o.lot) from hub_message m left join hub_chunk c using (hub_chunk_id) left join hub_lot l on l.hub_lot_id = c.hub_lot_id left join hub_order o on o.hub_order_id = m.hub_order_id
            where m.correlation_id = @CorrelationId and m.partner_id = @partnerId and m.hub_product_id is null
            """, new { result.CorrelationId, partnerId }, work.Transaction, cancellationToken: ct)) is { } of)
        {
            await (of.Lot is { } lot ? ReleaseLot.LockAsync(work, partnerId, of.Gtin, lot) : ReleaseLot.LockProductAsync(work, partnerId, of.Gtin));
        }
        if (await work.Connection.QuerySingleOrDefaultAsync<Sent>(new CommandDefinition("""
            select m.delivery_id as DeliveryId, m.party_id as PartyId, m.state as State, m.answered_at is not null as IsFinal, c.hub_chunk_id as ChunkId, l.hub_lot_id as LotId, m.hub_order_id as OrderId,
                   coalesce(l.gtin, p.gtin, o.gtin) as Gtin, coalesce(l.lot, o.lot) as Lot, t.channel_settings ->> 'protocol' as Protocol, coalesce(y.gln, '') as HubGln
            from hub_message m join partner t using (partner_id) join party y on y.party_id = t.party_id left join hub_chunk c using (hub_chunk_id) left join hub_lot l using (hub_lot_id) left join hub_product p on p.hub_product_id = m.hub_product_id
            left join hub_order o on o.hub_order_id = m.hub_order_id
            where m.correlation_id = @CorrelationId and m.partner_id = @partnerId for update of m
            """, new { result.CorrelationId, partnerId }, work.Transaction, cancellationToken: ct)) is not { } sent)
        {
            return null;
        }
        if (sent.IsFinal)
        {
            return true;
        }
        if (result is { HoldsEverywhere: true, Status: HubStatus.Accepted or HubStatus.Partial })
        {
            var countries = await work.Connection.QueryAsync<string>(new CommandDefinition("select country from hub_message_market where delivery_id = @DeliveryId", new { sent.DeliveryId }, work.Transaction, cancellationToken: ct));
            result = result with { Markets = [.. countries.Select(c => new HubMarket(c, "distributed", null))] };
        }
        var moved = await MoveMarketsAsync(work, sent, result, ct);
        var isFinal = await IsFinalAsync(work, sent, result, ct);
        var state = result.Status == HubStatus.Pending || sent.State is "partial" or "refused" ? sent.State : result.Status.ToString().ToLowerInvariant();
        var failed = result.Status is HubStatus.Partial or HubStatus.Refused || sent.OrderId is not null ? await FailAsync(work, sent, result, ct) : 0;
        if (moved == 0 && failed == 0 && !isFinal && state == sent.State)
        {
            return false; // nothing new
        }
        if (isFinal && sent.ChunkId is { } chunk)
        {
            failed += await SpreadAsync(work, sent.DeliveryId, chunk, ct);
        }
        using var bytes = new MemoryStream(result.Bytes);
        var sha256 = SHA256.HashData(result.Bytes);
        var answerId = await OutgoingDocument.FindAsync(work, sha256, ct) ?? (await OutgoingDocument.StoreAsync(work, bytes, sha256, "application/xml", ct)).DocumentId;
        await work.Connection.ExecuteAsync(new CommandDefinition("""
            update hub_message set state = @state, code = coalesce(@Code, code), text = coalesce(@Text, text), failed = failed + @failed, answered_at = case when @isFinal then gateway_now() end, answer_id = @answerId where delivery_id = @DeliveryId;
            -- Whoever asks for it next need not ask the hub.
            update delivery set due_at = gateway_now() where delivery_id = @DeliveryId and state = 'delivered' and receipt = 'pending' and @isFinal and lease_token is null
            """, new { state, result.Code, result.Text, failed, isFinal, answerId, sent.DeliveryId }, work.Transaction, cancellationToken: ct));
        if (isFinal)
        {
            await WarnAsync(work, sent);
            await (sent.OrderId is { } order ? SettleOrder.RunAsync(work, order, sent.DeliveryId, options.Value.RetryBase)
                : sent.LotId is { } lotId ? SettlePacksAsync(work, sent, lotId, sent.ChunkId!.Value) : SettleProductAsync(work, sent));
        }
        await work.CommitAsync();
        return isFinal;
    }

    /// <summary>
    /// A market that took nothing of a message is told all of it again, and those that have a pack call it known. Of what was sent again each market has taken its part with one message or another: such a market counts as one that has it.
    /// </summary>
    /// <returns>How many packs are not in every market.</returns>
    private static async Task<int> SpreadAsync(Work work, long deliveryId, int chunk, CancellationToken ct) => !await work.Connection.ExecuteScalarAsync<bool>("select exists (select from hub_message_market where delivery_id = @deliveryId and state = 'failed')", new { deliveryId }, work.Transaction) ? 0
        : await work.Connection.ExecuteScalarAsync<int>(new CommandDefinition($"""
            update hub_pack set stored_in = stored_in || array(select country from hub_message_market where delivery_id = @deliveryId and state = 'distributed' and country <> all(stored_in)) where hub_chunk_id = @chunk and fault is null;
            update hub_message_market k set state = 'distributed', confirmed_at = coalesce((
                    select max(b.confirmed_at) from hub_chunk c join hub_chunk e on e.hub_lot_id = c.hub_lot_id and e.round < c.round join hub_message m on m.hub_chunk_id = e.hub_chunk_id join hub_message_market b on b.delivery_id = m.delivery_id
                    where c.hub_chunk_id = @chunk and b.country = k.country and b.state = 'distributed'), confirmed_at)
            where k.delivery_id = @deliveryId and k.state = 'failed'
                and exists (select from hub_pack where hub_chunk_id = @chunk and fault is null) and not exists (select from hub_pack p where p.hub_chunk_id = @chunk and p.fault is null and k.country <> all(p.stored_in));
            with lacking as (update hub_pack set fault = '{Market}' where hub_chunk_id = @chunk and fault is null and exists (select from hub_message_market where delivery_id = @deliveryId and state = 'failed') returning 1) select count(*)::int from lacking
            """, new { deliveryId, chunk }, work.Transaction, commandTimeout: 600, cancellationToken: ct));

    private static Task<int> MoveMarketsAsync(Work work, Sent sent, HubResult result, CancellationToken ct) => work.Connection.ExecuteAsync(new CommandDefinition("""
        update hub_message_market k set state = w.state, confirmed_at = coalesce(w.at, gateway_now())
        from unnest(@countries, @states, @moments) as w (country, state, at)
        where k.delivery_id = @DeliveryId and k.country = w.country and k.state <> 'distributed' and k.state <> w.state and w.state <> 'pending'
        """, new { sent.DeliveryId, countries = result.Markets.Select(m => m.Country).ToArray(), states = result.Markets.Select(m => m.State).ToArray(), moments = result.Markets.Select(m => m.At).ToArray() }, work.Transaction, cancellationToken: ct));

    // By what is known altogether: answers may come in any order, and each may tell of some markets only.
    private static async Task<bool> IsFinalAsync(Work work, Sent sent, HubResult result, CancellationToken ct) =>
        result.Status == HubStatus.Refused || sent.State == "refused"
        || (result.Status != HubStatus.Pending || sent.State != "sent") && !await work.Connection.ExecuteScalarAsync<bool>(new CommandDefinition("select exists (select from hub_message_market where delivery_id = @DeliveryId and state = 'pending')", new { sent.DeliveryId }, work.Transaction, cancellationToken: ct));

    // Only packs of this very message, each once: one that was sent again since is another message's, and a later market may add some.
    private static async Task<int> FailAsync(Work work, Sent sent, HubResult result, CancellationToken ct)
    {
        if (sent.OrderId is { } order)
        {
            return await FailOrderAsync(work, order, result, ct);
        }
        if (sent.ChunkId is not { } chunk)
        {
            return 0;
        }
        if (result.Status == HubStatus.Refused)
        {
            return await work.Connection.ExecuteAsync(new CommandDefinition("update hub_pack set fault = @code where hub_chunk_id = @chunk and fault is null", new { chunk, code = result.Code ?? "refused" }, work.Transaction, cancellationToken: ct));
        }
        var failed = 0;
        foreach (var some in result.Failed.Where(f => f.Code != Known).Chunk(20_000))
        {
            failed += await work.Connection.ExecuteAsync(new CommandDefinition("""
                update hub_pack p set fault = w.code, temporary = w.temporary from unnest(@serials, @codes, @temporary) as w (serial, code, temporary)
                where p.hub_lot_id = @LotId and p.serial = w.serial and p.hub_chunk_id = @chunk and p.fault is null
                """, new { sent.LotId, chunk, serials = some.Select(f => f.Serial).ToArray(), codes = some.Select(f => f.Code).ToArray(), temporary = some.Select(f => f.Temporary).ToArray() }, work.Transaction, cancellationToken: ct));
        }
        return failed;
    }

    private static async Task<int> FailOrderAsync(Work work, int order, HubResult result, CancellationToken ct)
    {
        // Its message had been given up, and the hub answers all the same.
        await work.Connection.ExecuteAsync(new CommandDefinition("update hub_order_pack set fault = null where hub_order_id = @order and fault = 'unsent'", new { order }, work.Transaction, cancellationToken: ct));
        if (result.Status == HubStatus.Refused)
        {
            return await work.Connection.ExecuteAsync(new CommandDefinition("update hub_order_pack set fault = @code where hub_order_id = @order and fault is null", new { order, code = result.Code ?? "refused" }, work.Transaction, cancellationToken: ct));
        }
        var failed = 0;
        foreach (var some in result.Failed.Where(f => f.Code != Known).Chunk(20_000))
        {
            failed += await work.Connection.ExecuteAsync(new CommandDefinition("""
                update hub_order_pack p set fault = w.code, temporary = w.temporary from unnest(@serials, @codes, @temporary) as w (serial, code, temporary) where p.hub_order_id = @order and p.serial = w.serial and p.fault is null
                """, new { order, serials = some.Select(f => f.Serial).ToArray(), codes = some.Select(f => f.Code).ToArray(), temporary = some.Select(f => f.Temporary).ToArray() }, work.Transaction, cancellationToken: ct));
        }
        return failed;
    }

    // By what is known altogether, not by the answer that came last.
    private async Task SettlePacksAsync(Work work, Sent sent, int lotId, int chunk)
    {
        await lots.RetryAsync(work, sent.Protocol, lotId, chunk, sent.Gtin, sent.Lot!, options.Value.RetryBase);
        // What waits for its packs to be in every market need not wait for the clock.
        await work.Connection.ExecuteAsync("update hub_order set not_before = gateway_now() where hub_lot_id = @lotId and status = 'ready' and tries = 0 and not_before > gateway_now()", new { lotId }, work.Transaction);
        var source = Source(sent, sent.Lot);
        var faults = (await work.Connection.QueryAsync<(string Code, long Count)>("select fault, count(*) from hub_pack where hub_lot_id = @lotId and fault is not null group by fault order by 2 desc, 1", new { lotId }, work.Transaction)).AsList();
        var failing = (await work.Connection.QueryAsync<string>("select serial from hub_pack where hub_chunk_id = @chunk and fault is not null order by serial limit @ExceptionUnits", new { chunk, ExceptionUnits }, work.Transaction)).AsList();
        if (faults.Count == 0)
        {
            await ExceptionRecords.ResolveAsync(work, HubCodes.PacksFailed, source, "Every market has all that was reported of the lot, or is being told it again.");
        }
        else if (failing.Count > 0)
        {
            var missing = (await work.Connection.QueryAsync<string>("select country from hub_message_market where delivery_id = @DeliveryId and state = 'failed' order by country", new { sent.DeliveryId }, work.Transaction)).AsList();
            var codes = string.Join(", ", faults.Take(MaxSentenceCodes).Select(f => string.Create(CultureInfo.InvariantCulture, $"{f.Count} with {f.Code}")));
            await ExceptionRecords.OpenAsync(work, new ExceptionFacts(HubCodes.PacksFailed, Severity.Error,
                $"The hub has not stored packs of the lot {sent.Lot}: {codes}.{(missing.Count == 0 ? "" : $" Not told: {string.Join(", ", missing)}.")}") { Gtin = sent.Gtin, Lot = sent.Lot },
                source, [.. failing.Select(serial => UnitKey.ToEpc($"01{sent.Gtin}21{serial}", 0))]);
        }
    }

    // What was stored and yet has a code, such as A67: nothing failed, and somebody must read it.
    private static async Task WarnAsync(Work work, Sent sent)
    {
        if (await work.Connection.QuerySingleOrDefaultAsync<(string Code, string? Text)?>("select code, text from hub_message where delivery_id = @DeliveryId and state = 'accepted' and code is not null", new { sent.DeliveryId }, work.Transaction) is { } said)
        {
            await ExceptionRecords.OpenAsync(work, new ExceptionFacts(HubCodes.Warning, Severity.Warning, $"The hub took a message of {(sent.Lot is null ? $"the product {sent.Gtin}" : $"the lot {sent.Lot}")} with {said.Code}: {said.Text ?? "it does not say why"}") { Gtin = sent.Gtin, Lot = sent.Lot },
                Source(sent, sent.Lot), []);
        }
    }
    // A product or a lot may be at several hubs, and each is right or wrong by itself.
    private static ExceptionSource Source(Sent sent, string? lot) => new("hub", lot is null ? $"{sent.Gtin} {sent.HubGln}" : $"{sent.Gtin} {lot} {sent.HubGln}", sent.PartyId, null);

    private static async Task SettleProductAsync(Work work, Sent sent)
    {
        var source = Source(sent, null);
        var (state, code, text, missing) = await work.Connection.QuerySingleAsync<(string, string?, string?, string?)>("""
            select m.state, m.code, m.text, (select string_agg(country, ', ' order by country) from hub_message_market k where k.delivery_id = m.delivery_id and k.state = 'failed') from hub_message m where m.delivery_id = @DeliveryId
            """, new { sent.DeliveryId }, work.Transaction);
        if (state != "refused" && missing is null)
        {
            await ExceptionRecords.ResolveAsync(work, HubCodes.ProductFailed, source, "A version of the product's data is in all its markets.");
            return;
        }
        await ExceptionRecords.OpenAsync(work, new ExceptionFacts(HubCodes.ProductFailed, Severity.Error, missing is null
            ? $"The hub refuses the data of the product {sent.Gtin} with {code ?? "no code"}: {text ?? "it does not say why"}"
            : $"The data of the product {sent.Gtin} have not come to {missing}{(code is null ? "" : $" ({code})")}.") { Gtin = sent.Gtin }, source, []);
    }

    private sealed class Sent
    {
        public long DeliveryId { get; init; }
        public int PartyId { get; init; }
        public string State { get; init; } = "";
        public bool IsFinal { get; init; }
        public int? ChunkId { get; init; }
        public int? LotId { get; init; }
        public int? OrderId { get; init; }
        public string Gtin { get; init; } = "";
        public string? Lot { get; init; }
        public string Protocol { get; init; } = "";
        public string HubGln { get; init; } = "";
    }
}
