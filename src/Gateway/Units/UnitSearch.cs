using Dapper;
using Epcis.Identifiers;
using Gateway.Access;
using Gateway.Database;
using Gateway.MasterData;

namespace Gateway.Units;

/// <summary>A unit that was found.</summary>
/// <param name="Why">What of it was found: identifier, serial number, SSCC, lot or document number.</param>
/// <param name="IsHeld">It, something in it or something around it is held.</param>
public sealed record FoundUnit(string Why, string Epc, string Level, string? Gtin, string? Serial, string? Lot, DateOnly? Expiry, UnitState State, bool IsHeld);

/// <summary>A lot that was found.</summary>
/// <param name="Why">lot or GTIN.</param>
public sealed record FoundLot(string Why, string Gtin, string Lot, DateOnly? Expiry);

/// <param name="More">There are more than are told: more of a number finds fewer.</param>
public sealed record FoundUnits(IReadOnlyList<FoundUnit> Units, IReadOnlyList<FoundLot> Lots, bool More);

/// <summary>
/// Finds units and lots by whatever a person has at hand: any form of identifier, the beginning of a serial number or SSCC, a lot, a
/// GTIN, the number of a purchase order or despatch advice.
/// </summary>
public sealed class UnitSearch(GatewayDatabase database, KnownMasterData masterData)
{
    public const int MaxLength = 200;

    // A serial number is found by asking with each product in front of it.
    private const int MaxProducts = 2_000;

    // Of the documents that name a number, the newest.
    private const int MaxDocuments = 20;

    /// <summary>At most so many units, and so many lots.</summary>
    public async Task<FoundUnits> FindAsync(Actor reader, string text, int limit, CancellationToken ct)
    {
        var wanted = text.Trim();
        if (wanted.Length is 0 or > MaxLength || wanted.Contains('\0', StringComparison.Ordinal))
        {
            return new FoundUnits([], [], false);
        }
        var known = await masterData.ReadAsync(ct);
        await using var work = await database.BeginAsync(reader, ct);
        var gtin = Gtin.Parse(wanted).Value?.Value;
        var lots = (await work.Connection.QueryAsync<LotRow>(new CommandDefinition("""
            select distinct on (gtin, lot, expiry) gtin as Gtin, lot as Lot, expiry as Expiry from lot where gtin <> '' and lot <> '' and (lot = @wanted or gtin = @gtin) order by gtin, lot, expiry limit @limit + 1
            """, new { wanted, gtin, limit }, work.Transaction, cancellationToken: ct))).AsList();
        var named = await NamedByDocumentAsync(work, wanted, limit, ct);
        var beginnings = await BeginningsAsync(work, wanted, ct);
        string[] keys = [.. new[] { UnitIdentifier.Read(wanted, out _) }.OfType<string>(), .. named];
        // One look by its index for each beginning and each lot, whatever the planner thinks of how many units there are.
        var units = (await work.Connection.QueryAsync<UnitRow>(new CommandDefinition("""
            with recursive found (unit_id, rank) as (
                (select u.unit_id, k.rank from unnest(@keys, @keyHeads, @keyHashes, @ranks) as k (key, head, hash, rank) cross join lateral (select unit_id from unit where head = k.head and hash = k.hash and key = k.key limit 1) u)
                union all (select u.unit_id, case when u.key like '00%' then 3 else 2 end from unnest(@heads, @froms, @tos) as b (head, starts, ends)
                    cross join lateral (select unit_id, key from unit where head = b.head and key >= b.starts and key < b.ends limit @limit + 1) u limit @limit + 1)
                union all (select u.unit_id, 4 from lot l cross join lateral (select unit_id from unit where lot_id = l.lot_id limit @limit + 1) u where l.lot = @wanted limit @limit + 1)),
            hit as (select unit_id, min(rank) as rank from found group by unit_id order by min(rank), unit_id limit @limit + 1),
            up (hit_id, parent_id, state, held, height) as (
                select u.unit_id, u.parent_id, u.state, u.holds is not null or u.held_below > 0, 0 from hit join unit u using (unit_id)
                union all
                select up.hit_id, p.parent_id, p.state, coalesce(up.held, false) or p.holds is not null, up.height + 1 from up join unit p on p.unit_id = up.parent_id where up.height < @MaxHeight),
            top as (select distinct on (hit_id) hit_id, state, coalesce(held, false) as held from up order by hit_id, height desc)
            select hit.rank as Rank, u.key as Key, u.prefix_length as PrefixLength, u.level as Level, top.state as State, top.held as IsHeld, nullif(l.lot, '') as Lot, l.expiry as Expiry
            from hit join unit u using (unit_id) join top on top.hit_id = u.unit_id left join lot l using (lot_id) order by hit.rank, u.key
            """, new
        {
            keys,
            keyHeads = keys.Select(k => UnitKey.Head(k)).ToArray(),
            keyHashes = keys.Select(UnitKey.Hash).ToArray(),
            ranks = keys.Select((_, i) => i < keys.Length - named.Length ? 1 : 5).ToArray(),
            heads = beginnings.Select(b => UnitKey.Head(b)).ToArray(),
            froms = beginnings.ToArray(),
            tos = beginnings.Select(b => b[..^1] + (char)(b[^1] + 1)).ToArray(),
            wanted,
            limit,
            UnitQueries.MaxHeight,
        }, work.Transaction, cancellationToken: ct))).AsList();
        return new FoundUnits(
            [.. units.Take(limit).Select(u => u.ToFound(known))], [.. lots.Take(limit).Select(l => new FoundLot(l.Lot == wanted ? "lot" : "GTIN", l.Gtin, l.Lot, l.Expiry))], units.Count > limit || lots.Count > limit);
    }

    /// <summary>Keys begin so that name a serial number or SSCC which begins with the text.</summary>
    private static async Task<IReadOnlyList<string>> BeginningsAsync(Work work, string text, CancellationToken ct)
    {
        var beginnings = new List<string>();
        if (text.Length is >= UnitKey.SsccHead and <= 18 && text.All(char.IsAsciiDigit))
        {
            beginnings.Add("00" + text);
        }
        if (text.Length is >= UnitKey.SerialHead and <= 20 && text.All(c => c is > (char)32 and < (char)127))
        {
            var gtins = await work.Connection.QueryAsync<string>(new CommandDefinition("select distinct gtin from lot where gtin <> '' order by gtin limit @MaxProducts", new { MaxProducts }, work.Transaction, cancellationToken: ct));
            beginnings.AddRange(gtins.Select(g => $"01{g}21{text}"));
        }
        return beginnings;
    }

    /// <summary>The keys of what the shipments of documents with this number name.</summary>
    private static async Task<string[]> NamedByDocumentAsync(Work work, string number, int limit, CancellationToken ct) =>
        [.. (await work.Connection.QueryAsync<string>(new CommandDefinition("""
            select x.epc from (select capture_id from capture_term where kind = 'document' and term = @number order by capture_id desc limit @MaxDocuments) c
            join event e on e.event_id >= c.capture_id << 20 and e.event_id < (c.capture_id + 1) << 20 and e.biz_step = 'shipping'
            cross join lateral event_things(e.body, e.keys) x where x.role = 1 limit @limit + 1
            """, new { number, MaxDocuments, limit }, work.Transaction, cancellationToken: ct))).Select(UnitKey.Of).OfType<string>().Distinct()];

    private sealed record LotRow
    {
        public string Gtin { get; init; } = "";
        public string Lot { get; init; } = "";
        public DateOnly? Expiry { get; init; }
    }

    private sealed record UnitRow
    {
        private static readonly string[] s_why = ["identifier", "serial number", "SSCC", "lot", "document number"];

        public int Rank { get; init; }
        public string Key { get; init; } = "";
        public short PrefixLength { get; init; }
        public short Level { get; init; }
        public short State { get; init; }
        public bool IsHeld { get; init; }
        public string? Lot { get; init; }
        public DateOnly? Expiry { get; init; }

        public FoundUnit ToFound(MasterDataSnapshot known) => new(
            s_why[Rank - 1], UnitKey.ToEpc(Key, PrefixLength), UnitLevels.WordOf(Key, Level, known), Text(UnitKey.GtinOf(Key)), Text(UnitKey.SerialOf(Key)), Lot, Expiry, (UnitState)State, IsHeld);

        private static string? Text(ReadOnlySpan<char> text) => text.IsEmpty ? null : text.ToString();
    }
}
