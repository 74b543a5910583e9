using System.Text.Json;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Scheduling;
using Microsoft.Extensions.Options;

namespace Gateway.Hub;

/// <summary>What one look found in one market.</summary>
/// <param name="Believed">Packs that we believe it holds.</param>
/// <param name="Held">Packs that it says it holds.</param>
/// <param name="UnderWay">Packs of messages that were not answered; they are no difference.</param>
/// <param name="State">Packs that it has in another state than we believe.</param>
public sealed record ReconciledMarket(string Country, int Believed, int Held, int UnderWay, int Missing, int Unexpected, int State)
{
    /// <summary>Every difference that was found, also those that are not written down.</summary>
    public int Differences => Missing + Unexpected + State;
}

/// <summary>A look at what all markets of a lot hold.</summary>
/// <param name="Cause"><c>asked</c> by somebody, or by the <c>schedule</c>.</param>
/// <param name="State"><c>waiting</c>, <c>done</c> or <c>failed</c>.</param>
/// <param name="Code">Why it failed, as of an attempt; the text says it in words.</param>
/// <param name="Stored">Differences that are written down to the serial number; there may be more.</param>
public sealed record LotReconciliation(int Id, string Cause, string State, string MadeBy, DateTime MadeAt, DateTime? BegunAt, DateTime? EndedAt, string? Code, string? Text, int Stored, IReadOnlyList<ReconciledMarket> Markets);

/// <summary>A difference that stands.</summary>
/// <param name="Kind"><c>missing</c>, <c>unexpected</c> or <c>state</c>.</param>
/// <param name="FoundAt">When a look first found it.</param>
public sealed record HubDifference(long Id, string Country, string Serial, string Kind, string? Believed, string? Held, DateTime? HeldAt, DateTime FoundAt, DateTime SeenAt);

/// <summary>Looks at what markets hold, as people ask for them and read them.</summary>
public sealed class HubReconciliations(GatewayDatabase database)
{
    /// <summary>Asks for a look; the gateway takes it as soon as no other is under way. Asked twice before it has begun, it is one.</summary>
    /// <returns>Why not, or null.</returns>
    public async Task<string?> AskAsync(Actor actor, HubPartner hub, HubTraits traits, string gtin, string lot, CancellationToken ct)
    {
        if ((hub.Refuse() ?? (traits.TellsHolding ? null : $"{hub.Name} does not tell what its markets hold.")) is { } closed)
        {
            return closed;
        }
        await using var work = await database.BeginAsync(actor with { Sees = "*" }, ct);
        if (await work.Connection.ExecuteScalarAsync<int?>(new CommandDefinition("select hub_lot_id from hub_lot where partner_id = @PartnerId and gtin = @gtin and lot = @lot", new { hub.PartnerId, gtin, lot }, work.Transaction, cancellationToken: ct)) is not { } lotId)
        {
            return $"The lot {lot} of {gtin} is not released.";
        }
        await work.Connection.ExecuteAsync(new CommandDefinition("""
            insert into hub_reconciliation (party_id, hub_lot_id, cause) select party_id, hub_lot_id, 'asked' from hub_lot where hub_lot_id = @lotId on conflict (hub_lot_id, party_id) where state = 'waiting' and begun_at is null do nothing
            """, new { lotId }, work.Transaction, cancellationToken: ct));
        await work.CommitAsync();
        return null;
    }

    /// <summary>The newest look, and the newest that was done; null: there is none.</summary>
    public async Task<(LotReconciliation? Newest, LotReconciliation? Done)> OfLotAsync(Actor reader, int hubLotId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        var rows = (await work.Connection.QueryAsync<Row>(new CommandDefinition("""
            select r.hub_reconciliation_id as Id, r.cause as Cause, r.state as State, r.made_by as MadeBy, r.made_at as MadeAt, r.begun_at as BegunAt, r.ended_at as EndedAt, r.code as Code, r.text as Text, r.stored as Stored,
                (select coalesce(json_agg(json_build_object('country', country, 'believed', believed, 'held', held, 'underWay', under_way, 'missing', missing, 'unexpected', unexpected, 'state', m.state) order by country), '[]')::text
                 from hub_reconciliation_market m where m.hub_reconciliation_id = r.hub_reconciliation_id) as Markets
            from hub_reconciliation r where r.hub_reconciliation_id in (
                (select max(hub_reconciliation_id) from hub_reconciliation where hub_lot_id = @hubLotId),
                (select max(hub_reconciliation_id) from hub_reconciliation where hub_lot_id = @hubLotId and state = 'done')) order by 1 desc
            """, new { hubLotId }, work.Transaction, cancellationToken: ct))).Select(r => new LotReconciliation(r.Id, r.Cause, r.State, r.MadeBy, r.MadeAt, r.BegunAt, r.EndedAt, r.Code, r.Text, r.Stored,
                JsonSerializer.Deserialize<List<ReconciledMarket>>(r.Markets, ProductData.Json)!)).ToList();
        return (rows.FirstOrDefault(), rows.FirstOrDefault(r => r.State == "done"));
    }

    /// <summary>The differences of a lot that stand, in the order in which they were found.</summary>
    /// <param name="country">Null: of all markets.</param>
    /// <param name="after">The cursor of the page before.</param>
    public async Task<IReadOnlyList<HubDifference>> DifferencesAsync(Actor reader, int hubLotId, string? country, long? after, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<HubDifference>(new CommandDefinition("""
            select d.hub_difference_id as Id, d.country as Country, d.serial as Serial, d.kind as Kind, d.believed as Believed, d.held as Held, d.held_at as HeldAt, f.ended_at as FoundAt, s.ended_at as SeenAt
            from hub_difference d join hub_reconciliation f on f.hub_reconciliation_id = d.first_run join hub_reconciliation s on s.hub_reconciliation_id = d.last_run
            where d.hub_lot_id = @hubLotId and d.closed_at is null and (@country::text is null or d.country = @country) and (@after::bigint is null or d.hub_difference_id > @after) order by d.hub_difference_id limit @limit
            """, new { hubLotId, country, after, limit }, work.Transaction, cancellationToken: ct))).AsList();
    }

    /// <summary>The lots of a hub of which some market holds something else than we believe.</summary>
    /// <param name="limit">How many are named.</param>
    public async Task<(long Count, IReadOnlyList<(string Gtin, string Lot)> First)> DifferingAsync(Actor reader, int partnerId, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        var rows = (await work.Connection.QueryAsync<(string Gtin, string Lot, long Count)>(new CommandDefinition("""
            select l.gtin, l.lot, count(*) over () from hub_lot l where l.partner_id = @partnerId and exists (select from hub_difference d where d.hub_lot_id = l.hub_lot_id and d.closed_at is null) order by l.hub_lot_id desc limit @limit
            """, new { partnerId, limit }, work.Transaction, cancellationToken: ct))).AsList();
        return (rows.Count == 0 ? 0 : rows[0].Count, [.. rows.Select(r => (r.Gtin, r.Lot))]);
    }

    private sealed class Row
    {
        public int Id { get; init; }
        public string Cause { get; init; } = "";
        public string State { get; init; } = "";
        public string MadeBy { get; init; } = "";
        public DateTime MadeAt { get; init; }
        public DateTime? BegunAt { get; init; }
        public DateTime? EndedAt { get; init; }
        public string? Code { get; init; }
        public string? Text { get; init; }
        public int Stored { get; init; }
        public string Markets { get; init; } = "[]";
    }
}

/// <summary>
/// Asks for the looks that are due by themselves: once all that was sent of a lot is answered, and then now and again while it has not expired. What failed is tried again, later each time.
/// </summary>
public sealed class PlanReconciliations(GatewayDatabase database, Hubs hubs, IOptions<ReconciliationOptions> options) : IChore
{
    private const int AtOnce = 20;

    public async Task RunAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Actor.System("hub"), ct);
        await work.Connection.ExecuteAsync(new CommandDefinition("""
            insert into hub_reconciliation (party_id, hub_lot_id, cause)
            select l.party_id, l.hub_lot_id, 'schedule' from (select gateway_now() as at) n cross join hub_lot l join partner t using (partner_id)
            left join lateral (select r.state, r.ended_at, r.hub_reconciliation_id as id from hub_reconciliation r where r.hub_lot_id = l.hub_lot_id order by r.hub_reconciliation_id desc limit 1) r on true
            left join lateral (select b.begun_at, b.hub_reconciliation_id as id from hub_reconciliation b where b.hub_lot_id = l.hub_lot_id and b.state = 'done' order by b.hub_reconciliation_id desc limit 1) b on true
            where t.state = 'active' and t.channel_settings ->> 'protocol' = any(@protocols) and l.expiry >= n.at::date and r.state is distinct from 'waiting'
                and case
                    when r.state = 'failed' then r.ended_at + least(interval '1 hour' * 2 ^ least((select count(*) - 1 from hub_reconciliation f where f.hub_lot_id = l.hub_lot_id and f.hub_reconciliation_id > coalesce(b.id, 0)), 10), interval '1 day') <= n.at
                    when b.begun_at + @Every * (0.75 + (hashint4(l.hub_lot_id) & 1023) / 4096.0) <= n.at then true
                    else exists (select from hub_chunk c where c.hub_lot_id = l.hub_lot_id)
                        and not exists (select from hub_chunk c left join hub_message m using (hub_chunk_id) where c.hub_lot_id = l.hub_lot_id and m.answered_at is null)
                        and (b.begun_at is null or exists (select from hub_chunk c join hub_message m using (hub_chunk_id) where c.hub_lot_id = l.hub_lot_id and m.answered_at > b.begun_at)) end
            order by r.ended_at nulls first, l.hub_lot_id limit @AtOnce
            on conflict (hub_lot_id, party_id) where state = 'waiting' and begun_at is null do nothing
            """, new { protocols = hubs.All.Where(h => h.Traits.TellsHolding).Select(h => h.Protocol).ToArray(), options.Value.Every, AtOnce }, work.Transaction, cancellationToken: ct));
        await work.CommitAsync();
    }
}
