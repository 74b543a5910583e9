using System.Globalization;
using System.Text.Json;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.MasterData;
using Gateway.Units;

namespace Gateway.Hub;

/// <summary>What a release, or sending again, came to.</summary>
/// <param name="Refusal">The rule that forbids it, in words; null: it was done.</param>
/// <param name="Units">How many packs are to be reported.</param>
/// <param name="LeftOut">How many of the lot's units are not, by why.</param>
public sealed record Released(string? Refusal, int Round = 0, int Units = 0, IReadOnlyDictionary<string, long>? LeftOut = null)
{
    /// <summary>Of the product's data that the lot belongs to, for ever; 0 where it was not looked for.</summary>
    public int Version { get; init; }

    /// <summary>The markets of that version.</summary>
    public IReadOnlyList<string> Markets { get; init; } = [];

    public DateOnly? Expiry { get; init; }

    public static Released Not(string why) => new(why);
}

/// <summary>
/// Releases a lot to a hub's markets: from then on its good packs are reported, each once. Good is a pack that was commissioned, has its whole path, is neither held nor sampled nor ended, and is packed where its product's pack
/// specification says that it is packed (EU-FMD.md section 9).
/// </summary>
public sealed class ReleaseLot(GatewayDatabase database, Hubs hubs, KnownMasterData masterData)
{
    // What the hub calls temporary the gateway sends again by itself so often, each time later; then a person decides.
    private const int MostTries = 5;

    private const int LongTime = 600; // seconds: a lot may have millions of units

    // What of the lot is new to the hub, in the order in which messages tell it.
    private static readonly string s_counted = $$"""
        with standing as materialized ({{ReleasableUnits.Query}}),
        good as materialized (
            select s.serial, row_number() over (order by s.serial collate "C") - 1 as place from standing s
            where s.why is null and not exists (select from hub_pack p join hub_lot l using (hub_lot_id) where l.partner_id = @PartnerId and l.gtin = @gtin and l.lot = @lot and p.serial = s.serial)),
        counted as (
            select (select count(*)::int from good) as units, coalesce((select jsonb_object_agg(why, n) from (select why, count(*) as n from standing where why is not null group by why) w), '{}') as left_out)
        """;

    private static readonly string s_look = s_counted + " select units, left_out::text, null::int from counted";

    // One statement sees the ledger at one moment: what is counted is what is reported.
    private static readonly string s_add = s_counted + """
        , l as (select hub_lot_id, party_id from hub_lot where partner_id = @PartnerId and gtin = @gtin and lot = @lot),
        r as (
            insert into hub_round (hub_lot_id, round, party_id, kind, units, left_out, reason)
            select l.hub_lot_id, coalesce((select max(round) from hub_round b where b.hub_lot_id = l.hub_lot_id), 0) + 1, l.party_id, 'release', units, left_out, @reason from l cross join counted where units > 0
            returning hub_lot_id, round, party_id, units),
        c as (
            insert into hub_chunk (party_id, hub_lot_id, round, ordinal, units)
            select r.party_id, r.hub_lot_id, r.round, n, least(@MaxSerials, r.units - (n - 1) * @MaxSerials) from r cross join generate_series(1, (r.units + @MaxSerials - 1) / @MaxSerials) n
            returning hub_chunk_id, hub_lot_id, party_id, ordinal),
        p as (insert into hub_pack (hub_lot_id, hub_chunk_id, party_id, serial) select c.hub_lot_id, c.hub_chunk_id, c.party_id, g.serial from good g join c on c.ordinal = g.place / @MaxSerials + 1 order by g.place)
        select units, left_out::text, (select round from r) from counted
        """;

    /// <summary>Counts what a release would report, and changes nothing.</summary>
    public Task<Released> LookAsync(Actor reader, HubPartner hub, string gtin, string lot, CancellationToken ct) => RunAsync(reader, hub, gtin, lot, "", isTrial: true, ct);

    /// <summary>Releases it; or, where it is released, what has become good since.</summary>
    public Task<Released> RunAsync(Actor actor, HubPartner hub, string gtin, string lot, string reason, CancellationToken ct) => RunAsync(actor, hub, gtin, lot, reason, isTrial: false, ct);

    private async Task<Released> RunAsync(Actor actor, HubPartner hub, string gtin, string lot, string reason, bool isTrial, CancellationToken ct)
    {
        var known = await masterData.ReadAsync(ct);
        if (UnitLevels.IsContainer(gtin, known))
        {
            return Released.Not($"{gtin} is a container: packs are reported, never what they are packed in.");
        }
        if (hub.Refuse() is { } closed)
        {
            return Released.Not(closed);
        }
        await using var work = await database.BeginAsync(isTrial ? actor : actor with { Sees = "*", Reason = reason }, ct);
        if (!isTrial)
        {
            await LockAsync(work, hub.PartnerId, gtin, lot);
        }
        var (product, expiry, refusal) = await FactsAsync(work, hub, gtin, lot);
        if (refusal is not null)
        {
            return Released.Not(refusal);
        }
        var (version, markets) = await work.Connection.QuerySingleAsync<(int, string[])>("select version, markets from hub_product where hub_product_id = @product", new { product }, work.Transaction);
        var mustBePacked = MustBePacked(gtin, known);
        var ask = new { hub.PartnerId, gtin, lot, mustBePacked, product, expiry, reason, hubs.Of(hub.Protocol).Traits.MaxSerials };
        if (!isTrial)
        {
            await work.Connection.ExecuteAsync("""
                insert into hub_lot (party_id, partner_id, hub_product_id, gtin, lot, expiry) select party_id, @PartnerId, @product, @gtin, @lot, @expiry from party where kind = 'organisation'
                on conflict (party_id, partner_id, gtin, lot) do nothing
                """, ask, work.Transaction);
        }
        var (units, leftOutText, round) = await work.Connection.QuerySingleAsync<(int, string, int?)>(new CommandDefinition(isTrial ? s_look : s_add, ask, work.Transaction, LongTime, cancellationToken: ct));
        var leftOut = JsonSerializer.Deserialize<Dictionary<string, long>>(leftOutText)!;
        if (units == 0)
        {
            return new Released(leftOut.Count > 0 ? "Nothing more of the lot may be reported now; left out: " + string.Join(", ", leftOut.Select(l => string.Create(CultureInfo.InvariantCulture, $"{l.Value} {l.Key}"))) + "." : "All of the lot is reported already.", LeftOut: leftOut);
        }
        if (!isTrial)
        {
            await work.CommitAsync();
        }
        return new Released(null, round ?? 0, units, leftOut) { Version = version, Markets = markets, Expiry = expiry };
    }

    /// <summary>Sends again what the hub could not store and what may still be reported, and nothing else.</summary>
    public async Task<Released> ResendAsync(Actor actor, HubPartner hub, string gtin, string lot, string reason, CancellationToken ct)
    {
        if (hub.Refuse() is { } closed)
        {
            return Released.Not(closed);
        }
        await using var work = await database.BeginAsync(actor with { Sees = "*", Reason = reason }, ct);
        await LockAsync(work, hub.PartnerId, gtin, lot);
        if (await work.Connection.ExecuteScalarAsync<int?>("select hub_lot_id from hub_lot where partner_id = @PartnerId and gtin = @gtin and lot = @lot", new { hub.PartnerId, gtin, lot }, work.Transaction) is not { } lotId)
        {
            return Released.Not($"The lot {lot} of {gtin} is not released.");
        }
        if (OrderRules.RefuseLot(await OrderRules.LotAsync(work, hub.PartnerId, gtin, lot), gtin, lot, isUndo: false) is { } ended)
        {
            return Released.Not(ended);
        }
        var again = await AgainAsync(work, hub.Protocol, lotId, chunk: null, gtin, lot, reason, TimeSpan.Zero);
        if (again.Units == 0)
        {
            return Released.Not(again.LeftOut is { Count: > 0 } left ? $"What the hub has not stored may not be reported any more: {string.Join(", ", left.Select(l => string.Create(CultureInfo.InvariantCulture, $"{l.Value} {l.Key}")))}." : "Of nothing that was sent the hub has told that it could not store it.");
        }
        await work.CommitAsync();
        return again;
    }

    /// <summary>What of a message failed for a while goes again by itself, later each time, in the caller's transaction.</summary>
    internal Task<Released> RetryAsync(Work work, string protocol, int lotId, int chunk, string gtin, string lot, TimeSpan wait) => AgainAsync(work, protocol, lotId, chunk, gtin, lot, "The hub calls what hindered it temporary.", wait);

    // What has been destroyed, sampled or put on hold since it was released is not told as a good pack again.
    private async Task<Released> AgainAsync(Work work, string protocol, int lotId, int? chunk, string gtin, string lot, string reason, TimeSpan wait)
    {
        var (units, leftOut, round) = await work.Connection.QuerySingleAsync<(int, string, int?)>($$"""
            with standing as materialized ({{ReleasableUnits.Query}}),
            wanted as materialized (
                select p.serial, p.tries, p.stored_in, coalesce(s.why, case when s.serial is null then 'no longer known' end) as why from hub_pack p left join standing s using (serial)
                where p.hub_lot_id = @lotId and p.fault is not null and (select hub_ended(partner_id, l.gtin, l.lot) = '{}' from hub_lot l where l.hub_lot_id = @lotId) and (@chunk::int is null or p.hub_chunk_id = @chunk and p.temporary and p.tries < @MostTries)),
            -- One message is of packs that the same markets lack.
            failed as materialized (select serial, stored_in, (row_number() over (partition by stored_in order by serial) - 1) / @MaxSerials as part, tries from wanted where why is null),
            parts as materialized (select stored_in, part, count(*)::int as units, row_number() over (order by stored_in, part)::int as ordinal from failed group by stored_in, part),
            counted as (select (select count(*)::int from failed) as units, coalesce((select jsonb_object_agg(why, n) from (select why, count(*) as n from wanted where why is not null group by why) w), '{}') as left_out),
            r as (
                insert into hub_round (hub_lot_id, round, party_id, kind, units, left_out, reason)
                select l.hub_lot_id, coalesce((select max(round) from hub_round b where b.hub_lot_id = @lotId), 0) + 1, l.party_id, 'resend', units, left_out, @reason from hub_lot l cross join counted where l.hub_lot_id = @lotId and units > 0
                returning hub_lot_id, round, party_id, units),
            c as (
                insert into hub_chunk (party_id, hub_lot_id, round, ordinal, units, not_before)
                select r.party_id, r.hub_lot_id, r.round, parts.ordinal, parts.units, gateway_now() + @wait * (4 ^ (select min(tries) from failed)) from r cross join parts
                returning hub_chunk_id, ordinal),
            p as (
                update hub_pack p set hub_chunk_id = c.hub_chunk_id, fault = null, temporary = false, tries = case when @chunk::int is null then 0 else p.tries + 1 end
                from failed f join parts using (stored_in, part) join c using (ordinal) where p.hub_lot_id = @lotId and p.serial = f.serial)
            select units, left_out::text, (select round from r) from counted
            """, new { lotId, chunk, gtin, lot, mustBePacked = false, reason, wait, MostTries, hubs.Of(protocol).Traits.MaxSerials }, work.Transaction, LongTime);
        return new Released(null, round ?? 0, units, JsonSerializer.Deserialize<Dictionary<string, long>>(leftOut)!);
    }

    /// <summary>Whether the product's pack specification says that its packs are packed; the law of the EU does not.</summary>
    internal static bool MustBePacked(string gtin, MasterDataSnapshot known) => known.ContainersOf(gtin).Any() || known.Find(gtin)?.PerLogisticUnit is not null;

    // Who releases a lot, sends it again, orders something about it or hears what became of it does so one after the other; and nobody while its product is withdrawn.
    internal static Task LockAsync(Work work, int partnerId, string gtin, string lot) =>
        work.Connection.ExecuteAsync("select pg_advisory_xact_lock_shared(hashtextextended(@product, 61)); select pg_advisory_xact_lock(hashtextextended(@lane, 61))", new { product = $"{partnerId} {gtin}", lane = $"{partnerId} {gtin} {lot}" }, work.Transaction);

    /// <summary>Whatever is done about any lot of the product waits.</summary>
    internal static Task LockProductAsync(Work work, int partnerId, string gtin) =>
        work.Connection.ExecuteAsync("select pg_advisory_xact_lock(hashtextextended(@product, 61))", new { product = $"{partnerId} {gtin}" }, work.Transaction);

    private static async Task<string?> WithdrawnAsync(Work work, HubPartner hub, string gtin, int product, int version) =>
        await work.Connection.ExecuteScalarAsync<string?>("select string_agg(m, ', ') from hub_product p cross join unnest(p.markets) m where p.hub_product_id = @product and m = any(hub_ended(@PartnerId, @gtin, null))", new { product, hub.PartnerId, gtin }, work.Transaction) is { } withdrawn
            ? string.Create(CultureInfo.InvariantCulture, $"The product {gtin} is withdrawn from {withdrawn}, and version {version} of its data names it: tell a version without.") : null;

    // What the lot belongs to: the version that it was released to, or the newest that its markets have.
    private static async Task<(int Product, DateOnly Expiry, string? Refusal)> FactsAsync(Work work, HubPartner hub, string gtin, string lot)
    {
        var expiries = (await work.Connection.QueryAsync<DateOnly?>("select distinct l.expiry from lot l where l.gtin = @gtin and l.lot = @lot and exists (select from unit u where u.lot_id = l.lot_id)", new { gtin, lot }, work.Transaction)).AsList();
        if (expiries is not [{ } expiry])
        {
            return (0, default, expiries.Count switch
            {
                0 => $"Nothing is known of the lot {lot} of {gtin}.",
                1 => $"Nothing tells when the lot {lot} expires, and the hub compares that day.",
                _ => $"The units of the lot {lot} tell different days of expiry: {string.Join(", ", expiries.Select(e => e?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) ?? "none"))}. The hub holds a lot to one.",
            });
        }
        if (await work.Connection.QuerySingleOrDefaultAsync<(int Product, DateOnly Expiry)?>("select hub_product_id, expiry from hub_lot where partner_id = @PartnerId and gtin = @gtin and lot = @lot", new { hub.PartnerId, gtin, lot }, work.Transaction) is { } released)
        {
            return (released.Product, released.Expiry, OrderRules.RefuseLot(await OrderRules.LotAsync(work, hub.PartnerId, gtin, lot), gtin, lot, isUndo: false) is { } ended ? ended : released.Expiry == expiry ? null : $"The lot {lot} was released with another day of expiry, {released.Expiry.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}.");
        }
        if (expiry < DateOnly.FromDateTime(await work.Connection.ExecuteScalarAsync<DateTime>("select gateway_now()", transaction: work.Transaction)))
        {
            return (0, expiry, $"The lot {lot} has expired on {expiry.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}.");
        }
        var versions = (await work.Connection.QueryAsync<(int Product, int Version, bool IsDistributed, bool IsAnswered)>("""
            select p.hub_product_id, p.version, m.delivery_id is null or hub_distributed(m.delivery_id), m.delivery_id is null or m.answered_at is not null from hub_product p left join hub_message m using (hub_product_id) where p.partner_id = @PartnerId and p.gtin = @gtin order by p.version desc
            """, new { hub.PartnerId, gtin }, work.Transaction)).AsList();
        return versions switch
        {
            [] => (0, expiry, $"The hub knows nothing of the product {gtin}: tell its data first."),
            // A lot stays with its version for ever, and somebody has just said that another is right.
            [{ IsAnswered: false } newest, ..] => (0, expiry, string.Create(CultureInfo.InvariantCulture, $"The product's data of version {newest.Version}, the newest, are not in all its markets yet. Packs are reported after them.")),
            _ when versions.FirstOrDefault(v => v.IsDistributed) is { Product: > 0 } found => (found.Product, expiry, await WithdrawnAsync(work, hub, gtin, found.Product, found.Version)),
            _ => (0, expiry, "No version of the product's data is in all its markets: see what the hub says of the newest, and tell it again."),
        };
    }
}
