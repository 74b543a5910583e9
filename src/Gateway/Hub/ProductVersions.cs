using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Delivery;
using Microsoft.Extensions.Options;

namespace Gateway.Hub;

/// <summary>A version of a product's data at a hub.</summary>
/// <param name="Delivery">That tells it; null: the hub is told no product data.</param>
/// <param name="State"><c>sent</c>, <c>accepted</c>, <c>partial</c> or <c>refused</c>: what the hub said of it; <c>known</c> where it is told none.</param>
/// <param name="Distributed">Every market has it, so lots may be released to it.</param>
public sealed record ProductVersion(int Id, string Gtin, int Version, ProductData Content, string Reason, DateTime MadeAt, long? Delivery, string State, string? Code, string? Text, bool Distributed, IReadOnlyList<HubMarket> Markets);

/// <summary>
/// The versions of products' data (EU-FMD.md section 3.1). One is never overwritten: what changes, or is sold in another market, is a further version, for lots that are released later.
/// </summary>
public sealed class ProductVersions(GatewayDatabase database, Hubs hubs, IOptions<DeliveryOptions> options)
{
    /// <summary>Makes a further version and queues it to the hub.</summary>
    /// <returns>Its number; or everything that is wrong with it.</returns>
    public async Task<(int Version, IReadOnlyList<string> Wrong)> AddAsync(Actor actor, HubPartner hub, ProductData product, string reason, CancellationToken ct)
    {
        if (product.Refuse() is { Count: > 0 } wrong)
        {
            return (0, wrong);
        }
        if (hub.Refuse() is { } closed)
        {
            return (0, [closed]);
        }
        await using var work = await database.BeginAsync(actor with { Sees = "*", Reason = reason }, ct);
        await work.Connection.ExecuteAsync("select pg_advisory_xact_lock(hashtextextended(@lane, 60))", new { lane = Lane(product.Gtin!) }, work.Transaction);
        var (id, version, at) = await work.Connection.QuerySingleAsync<(int, int, DateTime)>("""
            insert into hub_product (party_id, partner_id, gtin, version, content, markets, reason)
            select o.party_id, @PartnerId, @Gtin, coalesce((select max(version) from hub_product where partner_id = @PartnerId and gtin = @Gtin), 0) + 1, @content::jsonb, @Countries, @reason from party o where o.kind = 'organisation'
            returning hub_product_id, version, made_at
            """, new { hub.PartnerId, product.Gtin, content = JsonSerializer.Serialize(product, ProductData.Json), product.Countries, reason }, work.Transaction);
        var adapter = hubs.Of(hub.Protocol);
        if (!adapter.Traits.TakesProductData)
        {
            await work.CommitAsync();
            return (version, []);
        }
        var message = new ProductDataMessage(Guid.NewGuid(), at, product, version);
        var deliveryId = await QueueMessage.RunAsync(work, spool =>
        {
            adapter.Write(message, spool);
            return Task.CompletedTask;
        }, hub.PartnerId, message.CorrelationId, Lane(product.Gtin!), options.Value, ct);
        await work.Connection.ExecuteAsync("""
            insert into hub_message (delivery_id, party_id, partner_id, correlation_id, kind, hub_product_id)
            select @deliveryId, party_id, partner_id, @CorrelationId, 'product data', hub_product_id from hub_product where hub_product_id = @id;
            insert into hub_message_market (delivery_id, party_id, country, state) select @deliveryId, party_id, unnest(markets), 'pending' from hub_product where hub_product_id = @id
            """, new { deliveryId, message.CorrelationId, id }, work.Transaction);
        await work.CommitAsync();
        return (version, []);
    }

    /// <summary>Newest first.</summary>
    /// <param name="gtin">Null: of any product.</param>
    /// <param name="before">The cursor of the page before.</param>
    public async Task<IReadOnlyList<ProductVersion>> ListAsync(Actor reader, int partnerId, string? gtin, int? before, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        var rows = await work.Connection.QueryAsync<Row>(new CommandDefinition("""
            select p.hub_product_id as Id, p.gtin as Gtin, p.version as Version, p.content::text as Content, p.reason as Reason, p.made_at as MadeAt, m.delivery_id as Delivery, coalesce(m.state, 'known') as State, m.code as Code, m.text as Text,
                   m.delivery_id is null or hub_distributed(m.delivery_id) as Distributed,
                   (select json_agg(json_build_object('country', country, 'state', case when m.delivery_id is null then 'distributed' else k.state end, 'at', case when m.delivery_id is null then p.made_at else k.confirmed_at end) order by country)::text
                    from unnest(p.markets) w (country) left join hub_message_market k using (country) where m.delivery_id is null or k.delivery_id = m.delivery_id) as Markets
            from hub_product p left join hub_message m using (hub_product_id)
            where p.partner_id = @partnerId and (@gtin::text is null or p.gtin = @gtin) and (@before::int is null or p.hub_product_id < @before)
            order by p.hub_product_id desc limit @limit
            """, new { partnerId, gtin, before, limit }, work.Transaction, cancellationToken: ct));
        return [.. rows.Select(r => new ProductVersion(r.Id, r.Gtin, r.Version, JsonSerializer.Deserialize<ProductData>(r.Content, ProductData.Json)!, r.Reason, r.MadeAt, r.Delivery, r.State, r.Code, r.Text, r.Distributed,
            JsonSerializer.Deserialize<List<HubMarket>>(r.Markets, ProductData.Json)!))];
    }

    // The versions of a product go one after the other.
    private static string Lane(string gtin) => string.Create(CultureInfo.InvariantCulture, $"hub {gtin}");

    private sealed class Row
    {
        public int Id { get; init; }
        public string Gtin { get; init; } = "";
        public int Version { get; init; }
        public string Content { get; init; } = "";
        public string Reason { get; init; } = "";
        public DateTime MadeAt { get; init; }
        public long? Delivery { get; init; }
        public string State { get; init; } = "";
        public string? Code { get; init; }
        public string? Text { get; init; }
        public bool Distributed { get; init; }
        public string Markets { get; init; } = "";
    }
}
