using System.Text.Json;
using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Hub;

/// <summary>A market of a released lot.</summary>
/// <param name="State"><c>distributed</c>: it has all that was sent; <c>failed</c>; else <c>pending</c>.</param>
/// <param name="Confirmed">Packs that it has.</param>
public sealed record LotMarket(string Country, string State, long Confirmed, DateTime? ConfirmedAt);

/// <summary>What was reported of a lot at one moment.</summary>
/// <param name="Kind"><c>release</c> or <c>resend</c>.</param>
/// <param name="LeftOut">How many units were not, by why.</param>
public sealed record LotRound(int Round, string Kind, int Units, IReadOnlyDictionary<string, long> LeftOut, string Reason, string MadeBy, DateTime MadeAt);

/// <summary>One message of a lot.</summary>
/// <param name="State"><c>waiting</c> until it is written, then what the hub has said.</param>
public sealed record LotMessage(int Round, int Ordinal, int Units, long? Delivery, string State, int Failed, string? Code, string? Text);

/// <summary>A lot that was released to a hub.</summary>
/// <param name="Version">Of the product's data that it belongs to.</param>
/// <param name="Units">Packs that are reported.</param>
/// <param name="Failed">Of those, what the hub has not stored and nobody has sent again.</param>
/// <param name="State"><c>distributed</c>: every market has all of it; <c>failed</c>: somebody must look; else <c>uploading</c>.</param>
public sealed record HubLot(int Id, string Gtin, string Lot, DateOnly Expiry, int Version, DateTime ReleasedAt, long Units, long Failed, string State, IReadOnlyList<LotMarket> Markets);

/// <summary>Released lots, by what their markets hold.</summary>
public sealed class HubLots(GatewayDatabase database)
{
    // What was sent again counts in its newest message, so a message holds what it was sent with less what failed in it.
    private const string Listed = """
        with l as materialized (
            select l.*, p.version, p.markets from hub_lot l join hub_product p using (hub_product_id)
            where l.partner_id = @partnerId and (@gtin::text is null or l.gtin = @gtin) and (@lot::text is null or l.lot = @lot) and (@before::int is null or l.hub_lot_id < @before) order by l.hub_lot_id desc limit @limit),
        m as (select l.hub_lot_id, c.units, c.hub_chunk_id, m.delivery_id, m.state, coalesce(m.failed, 0) as failed, m.answered_at from l join hub_chunk c using (hub_lot_id) left join hub_message m using (hub_chunk_id)),
        k as (
            select m.hub_lot_id, t.country, case when bool_or(k.state = 'failed' and m.units > m.failed) then 'failed' when bool_and(coalesce(k.state, '') = 'distributed' or m.units = m.failed) then 'distributed' else 'pending' end as state,
                coalesce(sum(m.units - m.failed) filter (where k.state = 'distributed'), 0) as confirmed, max(k.confirmed_at) as confirmed_at
            from m join l using (hub_lot_id) cross join unnest(l.markets) t (country) left join hub_message_market k on k.delivery_id = m.delivery_id and k.country = t.country group by m.hub_lot_id, t.country)
        select l.hub_lot_id as Id, l.gtin as Gtin, l.lot as Lot, l.expiry as Expiry, l.version as Version, l.released_at as ReleasedAt,
            (select coalesce(sum(r.units) filter (where r.kind = 'release'), 0) from hub_round r where r.hub_lot_id = l.hub_lot_id) as Units,
            (select count(*) from hub_pack f where f.hub_lot_id = l.hub_lot_id and f.fault is not null) as Failed,
            (select json_agg(json_build_object('country', country, 'state', state, 'confirmed', confirmed, 'confirmedAt', confirmed_at) order by country)::text from k where k.hub_lot_id = l.hub_lot_id) as Markets
        from l order by l.hub_lot_id desc
        """;

    /// <summary>Newest first.</summary>
    /// <param name="before">The cursor of the page before.</param>
    public async Task<IReadOnlyList<HubLot>> ListAsync(Actor reader, int partnerId, string? gtin, string? lot, int? before, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        var rows = await work.Connection.QueryAsync<Row>(new CommandDefinition(Listed, new { partnerId, gtin, lot, before, limit }, work.Transaction, cancellationToken: ct));
        return [.. rows.Select(r =>
        {
            var markets = JsonSerializer.Deserialize<List<LotMarket>>(r.Markets, ProductData.Json)!;
            var state = r.Failed > 0 || markets.Any(m => m.State == "failed") ? "failed" : markets.All(m => m.State == "distributed") ? "distributed" : "uploading";
            return new HubLot(r.Id, r.Gtin, r.Lot, r.Expiry, r.Version, r.ReleasedAt, r.Units, r.Failed, state, markets);
        })];
    }

    public async Task<HubLot?> FindAsync(Actor reader, int partnerId, string gtin, string lot, CancellationToken ct) => await ListAsync(reader, partnerId, gtin, lot, null, 1, ct) is [var found] ? found : null;

    /// <summary>What was reported when, and its messages.</summary>
    public async Task<(IReadOnlyList<LotRound> Rounds, IReadOnlyList<LotMessage> Messages)> StoryAsync(Actor reader, int hubLotId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        var rounds = await work.Connection.QueryAsync<(int Round, string Kind, int Units, string LeftOut, string Reason, string MadeBy, DateTime MadeAt)>(new CommandDefinition(
            "select round, kind, units, left_out::text, reason, made_by, made_at from hub_round where hub_lot_id = @hubLotId order by round", new { hubLotId }, work.Transaction, cancellationToken: ct));
        var messages = await work.Connection.QueryAsync<LotMessage>(new CommandDefinition("""
            select c.round as Round, c.ordinal as Ordinal, c.units as Units, m.delivery_id as Delivery, coalesce(m.state, 'waiting') as State, coalesce(m.failed, 0) as Failed, m.code as Code, m.text as Text
            from hub_chunk c left join hub_message m using (hub_chunk_id) where c.hub_lot_id = @hubLotId order by c.round, c.ordinal
            """, new { hubLotId }, work.Transaction, cancellationToken: ct));
        return ([.. rounds.Select(r => new LotRound(r.Round, r.Kind, r.Units, JsonSerializer.Deserialize<Dictionary<string, long>>(r.LeftOut)!, r.Reason, r.MadeBy, r.MadeAt))], messages.AsList());
    }

    private sealed class Row
    {
        public int Id { get; init; }
        public string Gtin { get; init; } = "";
        public string Lot { get; init; } = "";
        public DateOnly Expiry { get; init; }
        public int Version { get; init; }
        public DateTime ReleasedAt { get; init; }
        public long Units { get; init; }
        public long Failed { get; init; }
        public string Markets { get; init; } = "";
    }
}
