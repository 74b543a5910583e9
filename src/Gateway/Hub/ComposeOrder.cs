using Dapper;
using Epcis;
using Gateway.Access;
using Gateway.Database;
using Gateway.Delivery;
using Gateway.Exceptions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Hub;

/// <summary>
/// One turn: writes the message of the next order that may be told now and queues it, in one transaction. What hinders an order for now, such as packs that are not in every market yet, puts it off; what forbids it
/// by now, such as a recall since, ends it, and somebody is told.
/// </summary>
public sealed partial class ComposeOrder(GatewayDatabase database, Hubs hubs, IOptions<DeliveryOptions> options, ILogger<ComposeOrder> log)
{
    private static readonly Actor Composer = Actor.System("hub");

    // What a waiting order waits for wakes it; the clock is the safety net.
    private static readonly TimeSpan Later = TimeSpan.FromMinutes(1);

    /// <returns>False when there is nothing to write, or another node writes.</returns>
    public async Task<bool> RunAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Composer, ct);
        if (!await work.Connection.ExecuteScalarAsync<bool>(new CommandDefinition("select pg_try_advisory_xact_lock(hashtextextended('hub messages', 62))", transaction: work.Transaction, cancellationToken: ct)))
        {
            return false;
        }
        if (await work.Connection.QueryFirstOrDefaultAsync<(int Id, long Delivery, int PartnerId, string Gtin, string? Lot)?>(new CommandDefinition("""
            select o.hub_order_id, m.delivery_id, o.partner_id, o.gtin, o.lot from hub_order o join hub_message m using (hub_order_id) join delivery d using (delivery_id) where o.status = 'told' and m.answered_at is null and d.state in ('dead', 'closed') and o.hub_order_id not in (select repeats from hub_order where repeats is not null) limit 1
            """, transaction: work.Transaction, cancellationToken: ct)) is { } given)
        {
            await (given.Lot is { } of ? ReleaseLot.LockAsync(work, given.PartnerId, given.Gtin, of) : ReleaseLot.LockProductAsync(work, given.PartnerId, given.Gtin));
            await SettleOrder.GivenUpAsync(work, given.Id, given.Delivery);
            await work.CommitAsync();
            return true;
        }
        if (await work.Connection.QuerySingleOrDefaultAsync<(int Id, int PartnerId, string Gtin, string? Lot)?>(new CommandDefinition(
            "select hub_order_id, partner_id, gtin, lot from hub_order where status = 'ready' and not_before <= (select gateway_now()) order by not_before, hub_order_id limit 1", transaction: work.Transaction, cancellationToken: ct)) is not { } first)
        {
            return false;
        }
        await (first.Lot is { } lot ? ReleaseLot.LockAsync(work, first.PartnerId, first.Gtin, lot) : ReleaseLot.LockProductAsync(work, first.PartnerId, first.Gtin));
        if (await NextAsync(work, first.Id) is not { } next)
        {
            return true; // ended meanwhile
        }
        try
        {
            await DoAsync(work, next, ct);
            await work.CommitAsync();
            return true;
        }
        catch (Exception e) when (e is not (NpgsqlException or CommitUnknownException or OperationCanceledException))
        {
            await work.DisposeAsync();
            await PutOffAsync(next.Id);
            NotWritten(e, next.Id);
            return true;
        }
    }

    private static async Task<Next?> NextAsync(Work work, int id) => await work.Connection.QuerySingleOrDefaultAsync<Next>("""
        select o.hub_order_id as Id, o.party_id as PartyId, o.partner_id as PartnerId, o.kind as Kind, o.gtin as Gtin, o.lot as Lot, o.hub_lot_id as LotId, o.state as State, o.location as Location, o.markets as Markets, o.units as Units, o.repeats is not null as IsRepeat,
               coalesce(r.reason, o.reason) as Reason, p.version as Version, l.expiry as Expiry, t.channel_settings ->> 'protocol' as Protocol
        from hub_order o left join hub_order r on r.hub_order_id = o.repeats join hub_product p on p.hub_product_id = o.hub_product_id join partner t on t.partner_id = o.partner_id left join hub_lot l on l.hub_lot_id = o.hub_lot_id
        where o.hub_order_id = @id and o.status = 'ready' for update of o
        """, new { id }, work.Transaction);

    private async Task DoAsync(Work work, Next next, CancellationToken ct)
    {
        if (next.IsOfPacks)
        {
            var isUndo = next.Kind == OrderKinds.Undo;
            var lot = await OrderRules.LotAsync(work, next.PartnerId, next.Gtin, next.Lot!);
            if (OrderRules.RefuseLot(lot, next.Gtin, next.Lot!, isUndo) is { } ended)
            {
                await EndAsync(work, next, ended);
                return;
            }
            var serials = (await work.Connection.QueryAsync<string>("select serial from hub_order_pack where hub_order_id = @Id", new { next.Id }, work.Transaction)).AsList();
            var broken = await OrderRules.BrokenAsync(work, next.LotId!.Value, serials, next.State!, isUndo, next.Location!, next.Id);
            if (broken.Any(b => b.Code is "waiting" or "pending"))
            {
                await LaterAsync(work, next.Id);
                return;
            }
            // Of an order that is told again the hub may have done a part: what it has done it calls known.
            if (broken.Where(b => !next.IsRepeat || b.Code is not "active" && !(b.Code == "inactive" && b.Detail == next.State)).ToList() is { Count: > 0 } never)
            {
                await EndAsync(work, next, OrderRules.InWords(never, next.State!));
                return;
            }
        }
        else if (next.Kind == OrderKinds.Recall && await work.Connection.ExecuteScalarAsync<string?>("""
            select string_agg(distinct m, ', ') from hub_order w cross join unnest(w.markets) m where w.partner_id = @PartnerId and w.gtin = @Gtin and w.kind = 'withdrawal' and w.status not in ('asked', 'ended') and m = any(@Markets)
            """, next, work.Transaction) is { } withdrawn)
        {
            await EndAsync(work, next, $"The product is withdrawn from {withdrawn} meanwhile: nothing more is told there.");
            return;
        }
        // Nothing of any of its lots may come after it.
        else if (next.Kind == OrderKinds.Withdrawal && await work.Connection.ExecuteScalarAsync<bool>("""
            select exists (select from hub_message m join delivery d using (delivery_id) left join hub_chunk c using (hub_chunk_id) left join hub_lot l on l.hub_lot_id = c.hub_lot_id left join hub_order o on o.hub_order_id = m.hub_order_id
                where m.partner_id = @PartnerId and coalesce(l.gtin, o.gtin) = @Gtin and d.state = 'due')
            """, next, work.Transaction))
        {
            await LaterAsync(work, next.Id);
            return;
        }
        await WriteAsync(work, next, ct);
    }

    private async Task WriteAsync(Work work, Next next, CancellationToken ct)
    {
        var message = new OrderMessage(Guid.NewGuid(), await work.Connection.ExecuteScalarAsync<DateTime>("select gateway_now()", transaction: work.Transaction),
            next.Kind, next.Gtin, next.Version, next.Lot, next.Expiry, next.State, next.Location, next.Markets, next.Reason, next.IsOfPacks ? next.Units : 0);
        // Behind what was told of the lot before.
        var lane = next.Lot is { } lot ? $"hub {next.Gtin} {lot}" : $"hub {next.Gtin}";
        // An undo is not sent any more when its days are over while the hub is away.
        var until = next.Kind == OrderKinds.Undo && next.State != PackStates.Locked ? await work.Connection.ExecuteScalarAsync<DateTime?>("""
            select min(o.confirmed_at) + @UndoDays * interval '1 day' from hub_order_pack p join hub_pack h on h.hub_lot_id = @LotId and h.serial = p.serial join hub_order o on o.hub_order_id = h.state_order where p.hub_order_id = @Id
            """, new { next.Id, next.LotId, PackStates.UndoDays }, work.Transaction) : null;
        var serials = QueueMessage.SerialsAsync(work, "select serial from hub_order_pack where hub_order_id = $1 order by serial", next.Id, message.Count, ct);
        var deliveryId = await QueueMessage.RunAsync(work, spool => hubs.Of(next.Protocol).WriteAsync(message, serials, spool, ct), next.PartnerId, message.CorrelationId, lane, options.Value, ct, until);
        await work.Connection.ExecuteAsync(new CommandDefinition("""
            insert into hub_message (delivery_id, party_id, partner_id, correlation_id, kind, hub_order_id) values (@deliveryId, @PartyId, @PartnerId, @CorrelationId, @Kind, @Id);
            insert into hub_message_market (delivery_id, party_id, country, state) select @deliveryId, @PartyId, unnest(@Markets), 'pending';
            update hub_order set status = 'told' where hub_order_id = @Id
            """, new { deliveryId, next.PartyId, next.PartnerId, message.CorrelationId, next.Kind, next.Id, next.Markets }, work.Transaction, cancellationToken: ct));
    }

    private static async Task EndAsync(Work work, Next next, string why)
    {
        await PlaceOrders.EndAsync(work, next.Id, next.PartyId, why);
        await ExceptionRecords.OpenAsync(work, new ExceptionFacts(HubCodes.OrderFailed, Severity.Error, $"The hub is not told {(next.IsOfPacks ? $"that packs of the lot {next.Lot} are {(next.Kind == OrderKinds.Undo ? "not " : "")}{next.State}" : $"the {next.Kind} of {(next.Lot is null ? next.Gtin : $"the lot {next.Lot}")} again")}. {why}") { Gtin = next.Gtin, Lot = next.Lot }, PlaceOrders.Source(next.Id, next.PartyId), []);
    }

    private static Task LaterAsync(Work work, int order) => work.Connection.ExecuteAsync("update hub_order set not_before = gateway_now() + @Later where hub_order_id = @order", new { order, Later }, work.Transaction);

    // One that cannot be written holds up no other.
    private async Task PutOffAsync(int order)
    {
        await using var work = await database.BeginAsync(Composer, CancellationToken.None);
        await LaterAsync(work, order);
        await work.CommitAsync();
    }

    [LoggerMessage(2025, LogLevel.Error, "The order {Order} could not be written for the hub; it is tried again in a minute.")]
    private partial void NotWritten(Exception e, int order);

    private sealed class Next
    {
        public int Id { get; init; }
        public int PartyId { get; init; }
        public int PartnerId { get; init; }
        public string Kind { get; init; } = "";
        public string Gtin { get; init; } = "";
        public string? Lot { get; init; }
        public int? LotId { get; init; }
        public string? State { get; init; }
        public string? Location { get; init; }
        public string[] Markets { get; init; } = [];
        public int Units { get; init; }
        public bool IsRepeat { get; init; }
        public string Reason { get; init; } = "";
        public int Version { get; init; }
        public DateOnly? Expiry { get; init; }
        public string Protocol { get; init; } = "";
        public bool IsOfPacks => Kind is OrderKinds.StateChange or OrderKinds.Undo;
    }
}
