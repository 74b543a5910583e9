using System.Text.Json;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Delivery;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Hub;

/// <summary>
/// One turn: writes the next message of packs and queues it, in one transaction. A crash anywhere before leaves nothing, and the message is written anew.
/// </summary>
public sealed partial class ComposePackData(GatewayDatabase database, Hubs hubs, IOptions<DeliveryOptions> options, ILogger<ComposePackData> log)
{
    private static readonly Actor Composer = Actor.System("hub");

    /// <returns>False when there is nothing to write, or another node writes.</returns>
    public async Task<bool> RunAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Composer, ct);
        if (!await work.Connection.ExecuteScalarAsync<bool>(new CommandDefinition("select pg_try_advisory_xact_lock(hashtextextended('hub messages', 62))", transaction: work.Transaction, cancellationToken: ct))
            || await work.Connection.QueryFirstOrDefaultAsync<Next>(new CommandDefinition("""
                select c.hub_chunk_id as ChunkId, c.units as Units, l.lot as Lot, l.expiry as Expiry, p.partner_id as PartnerId, p.version as Version, p.content::text as Content, t.channel_settings ->> 'protocol' as Protocol,
                    (select u.prefix_length::int from hub_pack k join unit u on u.key = '01' || l.gtin || '21' || k.serial where k.hub_chunk_id = c.hub_chunk_id and u.prefix_length > 0 limit 1) as PrefixLength
                from hub_chunk c join hub_lot l using (hub_lot_id) join hub_product p using (hub_product_id) join partner t on t.partner_id = p.partner_id
                where c.not_before <= (select gateway_now()) and not exists (select from hub_message m where m.hub_chunk_id = c.hub_chunk_id) and hub_ended(l.partner_id, l.gtin, l.lot) = '{}' order by c.hub_chunk_id limit 1
                """, transaction: work.Transaction, cancellationToken: ct)) is not { } next)
        {
            return false;
        }
        try
        {
            await WriteAsync(work, next, ct);
            return true;
        }
        catch (Exception e) when (e is not (NpgsqlException or CommitUnknownException or OperationCanceledException))
        {
            await work.DisposeAsync();
            await PutOffAsync(next.ChunkId);
            NotWritten(e, next.ChunkId, next.Lot);
            return true;
        }
    }

    // One that cannot be written holds up no other.
    private async Task PutOffAsync(int chunk)
    {
        await using var work = await database.BeginAsync(Composer, CancellationToken.None);
        await work.Connection.ExecuteAsync("update hub_chunk set not_before = gateway_now() + interval '5 min' where hub_chunk_id = @chunk", new { chunk }, work.Transaction);
        await work.CommitAsync();
    }

    private async Task WriteAsync(Work work, Next next, CancellationToken ct)
    {
        var product = JsonSerializer.Deserialize<ProductData>(next.Content, ProductData.Json)!;
        var message = new PackDataMessage(Guid.NewGuid(), await work.Connection.ExecuteScalarAsync<DateTime>("select gateway_now()", transaction: work.Transaction), product, next.Version, next.Lot, next.Expiry, next.Units) { PrefixLength = next.PrefixLength ?? 0 };
        var serials = QueueMessage.SerialsAsync(work, "select serial from hub_pack where hub_chunk_id = $1 order by serial", next.ChunkId, next.Units, ct);
        var deliveryId = await QueueMessage.RunAsync(work, spool => hubs.Of(next.Protocol).WriteAsync(message, serials, spool, ct), next.PartnerId, message.CorrelationId, $"hub {product.Gtin} {next.Lot}", options.Value, ct);
        await work.Connection.ExecuteAsync(new CommandDefinition("""
            insert into hub_message (delivery_id, party_id, partner_id, correlation_id, kind, hub_chunk_id) select @deliveryId, party_id, @PartnerId, @CorrelationId, 'pack data', hub_chunk_id from hub_chunk where hub_chunk_id = @ChunkId;
            insert into hub_message_market (delivery_id, party_id, country, state)
            select @deliveryId, l.party_id, unnest(p.markets), 'pending' from hub_chunk c join hub_lot l using (hub_lot_id) join hub_product p using (hub_product_id) where c.hub_chunk_id = @ChunkId
            """, new { deliveryId, next.PartnerId, message.CorrelationId, next.ChunkId }, work.Transaction, cancellationToken: ct));
        await work.CommitAsync();
    }

    [LoggerMessage(2021, LogLevel.Error, "The message {Chunk} of the lot {Lot} could not be written for the hub; it is tried again in five minutes.")]
    private partial void NotWritten(Exception e, int chunk, string lot);

    private sealed class Next
    {
        public int ChunkId { get; init; }
        public int Units { get; init; }
        public string Lot { get; init; } = "";
        public DateOnly Expiry { get; init; }
        public int PartnerId { get; init; }
        public int Version { get; init; }
        public string Content { get; init; } = "";
        public string Protocol { get; init; } = "";
        public int? PrefixLength { get; init; }
    }
}
