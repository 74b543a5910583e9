using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.MasterData;

namespace Gateway.Units;

/// <summary>
/// Where the units of a lot that were ever commissioned are now (LINES.md section 5): each is in one of these, so they add up.
/// A packed unit is where its outermost container is.
/// </summary>
/// <param name="Packed">Good, and in a container.</param>
/// <param name="Loose">Good, and in none.</param>
/// <param name="Ended">Decommissioned or destroyed.</param>
/// <param name="Unexplained">In none of the others: a unit without an outermost container, or never told to be commissioned.</param>
public sealed record LotBalance(long Packed, long Loose, long Sampled, long Rejected, long Ended, long Shipped, long Returned, long Unexplained)
{
    /// <summary>All of them.</summary>
    public long Commissioned => Packed + Loose + Sampled + Rejected + Ended + Shipped + Returned + Unexplained;
}

/// <summary>The lot's units of one product, or the containers of one kind around them.</summary>
/// <param name="Gtin">Null for logistic units (SSCC).</param>
/// <param name="Level">unit, bundle, case or pallet.</param>
/// <param name="States">How many are in which state, by the words of LINES.md section 2; that of what is packed is its outermost container's.</param>
/// <param name="Full">Containers that hold what master data say they can.</param>
/// <param name="Partial">Containers that hold less and are flagged so.</param>
/// <param name="Short">Containers that hold less and are not.</param>
/// <param name="Capacity">What those containers hold together when they are full; null when master data do not say it.</param>
/// <param name="Declared">What the containers themselves count as their contents.</param>
/// <param name="Seen">The units that name them as their container.</param>
public sealed record LotLevel(string? Gtin, string Level, long Units, IReadOnlyDictionary<string, long> States, long Full, long Partial, long Short, long? Capacity, long Declared, long Seen);

/// <summary>A lot, as far as events tell of it (LINES.md sections 3 and 5).</summary>
/// <param name="Product">Its name in master data; empty when nothing is known.</param>
/// <param name="Expiry">The first day that somebody told; two days are a fault of the events.</param>
/// <param name="Commissioned">How many units were ever commissioned.</param>
/// <param name="Settled">How many of those are neither orphans nor unexplained, are not held, and are in no container that is short, held or miscounted.</param>
/// <param name="Orphans">Good units in no container, still where they were commissioned, of a product whose pack specification says that it is packed.</param>
/// <param name="Short">Containers that hold less than they could, are not flagged as partial, and were not opened on their way.</param>
/// <param name="Waiting">Units that were told of, together with units of the lot, before how they came to be.</param>
/// <param name="Held">Units and containers that are held themselves.</param>
/// <param name="Unexplained">Numbers that do not add up: <see cref="LotBalance.Unexplained"/>, and containers that count other contents than name them.</param>
public sealed record Lot(
    string Gtin, string Number, string Product, DateOnly? Expiry, IReadOnlyList<DateOnly> Expiries, long Commissioned, long Settled, LotBalance Balance, IReadOnlyList<LotLevel> Levels,
    long Orphans, long Short, long Waiting, long Held, long Unexplained)
{
    /// <summary>Nothing of the lot is left for a person to explain.</summary>
    public bool IsComplete => Orphans + Short + Waiting + Held + Unexplained == 0;

    /// <summary>
    /// Settled units by hundred of those commissioned and those that wait to be; cut, not rounded, to a tenth, so that it is 100
    /// only where the lot is complete.
    /// </summary>
    public decimal Percent => Commissioned + Waiting is var all and > 0 ? Math.Floor(1000m * Settled / all) / 10 : 100;
}

/// <summary>Which lots; what is null does not narrow.</summary>
/// <param name="Gtin">14 digits.</param>
/// <param name="Beginning">What the lot number begins with.</param>
/// <param name="IsComplete">Only those, or only the others.</param>
/// <param name="Before">The cursor of the last page.</param>
public sealed record LotFilter(string? Gtin = null, string? Beginning = null, bool? IsComplete = null, int? Before = null);

/// <param name="Next">Where the next page begins; null at the end. A page that is narrowed to complete or other lots may be short, even empty, and yet not the last.</param>
public sealed record LotsFound(IReadOnlyList<Lot> Lots, int? Next);

/// <summary>Which units and containers of a lot; what is null does not narrow.</summary>
/// <param name="Kind">One of <see cref="Kinds"/>.</param>
/// <param name="Level">A GTIN, or <c>sscc</c> for logistic units.</param>
/// <param name="State">A word of LINES.md section 2.</param>
public sealed record LotUnitFilter(string? Kind = null, string? Level = null, UnitState? State = null)
{
    /// <summary>The level of containers without a GTIN.</summary>
    public const string LogisticUnits = "sscc";

    // What a list is of, and the rows that belong to it.
    private static readonly Dictionary<string, string> s_kinds = new()
    {
        ["packed"] = "is_own and standing = 'packed'",
        ["loose"] = "is_own and standing = 'loose'",
        ["sampled"] = "is_own and standing = 'sampled'",
        ["rejected"] = "is_own and standing = 'rejected'",
        ["ended"] = "is_own and standing = 'ended'",
        ["shipped"] = "is_own and standing = 'shipped'",
        ["returned"] = "is_own and standing = 'returned'",
        ["unexplained"] = "is_wrong",
        ["orphan"] = "is_orphan",
        ["short"] = "is_short",
        ["full"] = "is_full",
        ["partial"] = "is_partial",
        ["held"] = "is_held",
        ["waiting"] = "is_waiting",
        ["units"] = "is_own",
        ["containers"] = "not is_own and not is_waiting",
    };

    /// <summary>What a list may be of.</summary>
    public static IReadOnlyCollection<string> Kinds => s_kinds.Keys;

    internal string Where => (Kind is null ? "not is_waiting" : s_kinds[Kind])
        + (Level is null ? "" : Level == LogisticUnits ? " and gtin = ''" : " and gtin = @level")
        + (State is null ? "" : " and not is_waiting and state = @state");
}

/// <summary>A unit or container of a lot's list.</summary>
/// <param name="Cursor">Its place: the next page asks for those behind it.</param>
/// <param name="Gtin">Null for a logistic unit.</param>
/// <param name="State">As in LINES.md section 2; that of its outermost container.</param>
/// <param name="Parent">The container that it is in.</param>
/// <param name="Top">The outermost container; null when it is in none.</param>
/// <param name="Holds">Why it is held itself.</param>
/// <param name="Children">Of a container: how many units it holds directly; null for other units.</param>
/// <param name="Capacity">Of a container: how many it could hold; null when master data do not say it.</param>
/// <param name="Holder">Who has it in hand, as events say it.</param>
/// <param name="Place">Where it was seen last, as events say it.</param>
public sealed record LotUnit(
    long Cursor, string Epc, string? Gtin, string State, string? Parent, string? Top, IReadOnlyList<string> Holds, long? Children, int? Capacity, string? Holder, string? Place, DateTime LastAt);

/// <summary>
/// Lots and whether they are complete, read from the ledger. Each question is one statement over sets: the units of the lot, the
/// containers around them level by level up, and the outermost containers' states level by level down.
/// </summary>
public sealed class LotQueries(GatewayDatabase database, KnownMasterData masterData)
{
    // A list narrowed to complete lots looks at so many before it answers what it has.
    private const int MostLooked = 200;

    // 7 is COMMISSIONED; of the flags 1 is commissioned once, 4 waiting, 32 partial and 128 closed.
    private static readonly string Judged = $"""
        with recursive wanted as materialized (
            select * from unnest(@lots::int[], @of::int[]) w (lot_id, no)),
        named as materialized (
            select * from unnest(@numbers::int[], @named::text[], @packed::boolean[]) n (no, gtin, is_packed)),
        specified as materialized (
            select * from unnest(@gtins::text[], @capacities::int[], @logistic::int[]) p (gtin, capacity, per_logistic_unit)),
        own as materialized (
            select w.no, u.unit_id, u.parent_id, u.first_event, u.last_event, u.holder_id, u.state, u.flags, u.holds is not null as is_held
            from wanted w join unit u on u.lot_id = w.lot_id),
        around (no, unit_id, parent_id, first_event, last_event, holder_id, state, flags, children, holds, gtin) as (
            select o.no, c.* from (select distinct no, parent_id from own where parent_id is not null) o cross join lateral ({Container("o.parent_id")}) c
            union
            select a.no, c.* from around a cross join lateral ({Container("a.parent_id")}) c),
        inside as materialized (
            select no, parent_id, count(*) as units, max(gtin) as gtin
            from (select no, parent_id, gtin from own join named using (no) union all select no, parent_id, gtin from around) i where parent_id is not null group by no, parent_id),
        born as materialized (
            select e.event_id, {Site("coalesce(e.biz_location, e.read_point)")} as site
            from event e where e.event_id in (
                select o.first_event from own o join named n using (no) where o.parent_id is null and o.state = 7 and n.is_packed
                union select a.first_event from around a where a.flags & 160 = 0)),
        home as materialized (
            select place_id, {Site("uri")} as site from place),
        container as materialized (
            select c.*, declared <> seen as is_wrong, coalesce(seen < capacity and not is_partial and is_unopened, false) as is_short
            from (select a.no, a.unit_id, a.parent_id, a.state, a.gtin, coalesce(a.children, 0) as declared, a.holds is not null as is_held,
                         -- What else it holds, of other lots, is asked only where the lot's own do not make up its number.
                         case when i.units = a.children then i.units else (select count(*) from unit c where c.parent_id = a.unit_id) end as seen,
                         case when a.gtin = '' then content.per_logistic_unit else own.capacity end as capacity,
                         a.flags & 32 <> 0 as is_partial,
                         coalesce(a.holds like '%{UnitCodes.ShortNotFlagged}%', false) or a.flags & 128 = 0 and coalesce(b.site = h.site, true) as is_unopened
                  from around a
                  left join inside i on i.no = a.no and i.parent_id = a.unit_id
                  left join specified own on own.gtin = a.gtin
                  left join specified content on content.gtin = i.gtin
                  left join born b on b.event_id = a.first_event
                  left join home h on h.place_id = a.holder_id) c),
        topped (no, unit_id, top_id, state, is_troubled) as (
            select no, unit_id, unit_id, state, is_short or is_held or is_wrong from container where parent_id is null
            union all
            select c.no, c.unit_id, t.top_id, t.state, t.is_troubled or c.is_short or c.is_held or c.is_wrong from topped t join container c on c.no = t.no and c.parent_id = t.unit_id),
        standing as materialized (
            select o.no, o.unit_id, n.gtin, coalesce(t.state, o.state) as state, t.top_id, o.is_held, coalesce(t.is_troubled, false) as is_troubled,
                   case when o.flags & 1 = 0 or o.parent_id is not null and t.top_id is null then 'unexplained'
                        else case coalesce(t.state, o.state) when 7 then case when o.parent_id is null then 'loose' else 'packed' end
                            when 8 then 'sampled' when 9 then 'ended' when 10 then 'ended' when 11 then 'shipped' when 102 then 'rejected' when 103 then 'returned' else 'unexplained' end
                   end as standing,
                   o.parent_id is null and o.state = 7 and n.is_packed and coalesce(b.site = h.site, true) as is_orphan
            from own o join named n using (no)
            left join topped t on t.no = o.no and t.unit_id = o.parent_id
            left join born b on b.event_id = o.first_event
            left join home h on h.place_id = o.holder_id),
        told as materialized (
            select unit_id, unnest(array[first_event, last_event]) as event_id from unit where flags & 4 <> 0 and lot_id is null),
        waiting as (
            select o.no, t.unit_id from told t join own o on o.first_event = t.event_id
            union select o.no, t.unit_id from told t join own o on o.last_event = t.event_id
            union select a.no, t.unit_id from told t join around a on a.last_event = t.event_id)
        """;

    private static readonly string Counted = $"""
        {Judged}
        select no as No, 'unit' as What, gtin as Gtin, standing as Standing, state as State, count(*) as Units, count(*) filter (where is_held) as Held, count(*) filter (where is_orphan) as Orphans,
               count(*) filter (where standing <> 'unexplained' and not is_orphan and not is_held and not is_troubled) as Settled,
               0::bigint as Wrong, 0::bigint as "Full", 0::bigint as Partial, 0::bigint as Short, null::bigint as Capacity, 0::bigint as Declared, 0::bigint as Seen
        from standing group by no, gtin, standing, state
        union all
        select c.no, 'container', c.gtin, null, coalesce(t.state, c.state), count(*), count(*) filter (where c.is_held), 0, 0, count(*) filter (where c.is_wrong or t.top_id is null),
               count(*) filter (where c.seen >= c.capacity), count(*) filter (where c.is_partial), count(*) filter (where c.is_short),
               case when bool_and(c.capacity is not null) then sum(c.capacity) end, sum(c.declared)::bigint, sum(c.seen)::bigint
        from container c left join topped t using (no, unit_id) group by c.no, c.gtin, coalesce(t.state, c.state)
        union all
        select no, 'waiting', '', null, 0, count(*), 0, 0, 0, 0, 0, 0, 0, null, 0, 0 from waiting group by no
        """;

    /// <summary>Newest first: in the order in which they were first told.</summary>
    /// <param name="limit">At most so many lots.</param>
    public async Task<LotsFound> ListAsync(Actor reader, LotFilter filter, int limit, CancellationToken ct)
    {
        var known = await masterData.ReadAsync(ct);
        await using var work = await database.BeginAsync(reader, ct);
        var gtins = (await work.Connection.QueryAsync<string>(new CommandDefinition(
            "select distinct gtin from lot where gtin <> '' and (@Gtin::text is null or gtin = @Gtin)", filter, work.Transaction, cancellationToken: ct))).Where(g => !UnitLevels.IsContainer(g, known)).ToArray();
        var found = new List<Lot>();
        var before = filter.Before ?? int.MaxValue;
        for (var looked = 0; looked < MostLooked;)
        {
            var rows = (await work.Connection.QueryAsync<LotKey>(new CommandDefinition("""
                select l.lot_id as LotId, l.gtin as Gtin, l.lot as Number from lot l
                where l.gtin = any(@gtins) and l.lot <> '' and l.lot_id < @before and (@Beginning::text is null or starts_with(l.lot, @Beginning))
                  and not exists (select from lot e where e.gtin = l.gtin and e.lot = l.lot and e.lot_id < l.lot_id)
                order by l.lot_id desc limit @many
                """, new { gtins, before, filter.Beginning, many = limit + 1 }, work.Transaction, cancellationToken: ct))).AsList();
            foreach (var (lot, key) in (await ReadAsync(work, known, [.. rows.Take(limit)], ct)).Zip(rows))
            {
                (before, looked) = (key.LotId, looked + 1);
                if (filter.IsComplete is not { } wanted || lot.IsComplete == wanted)
                {
                    found.Add(lot);
                    if (found.Count == limit)
                    {
                        return new LotsFound(found, key == rows[^1] ? null : before);
                    }
                }
            }
            if (rows.Count <= limit)
            {
                return new LotsFound(found, null);
            }
        }
        return new LotsFound(found, before);
    }

    /// <returns>The lot, or null when no unit is known to be of it, or its units are another party's.</returns>
    /// <param name="gtin">14 digits.</param>
    public async Task<Lot?> FindAsync(Actor reader, string gtin, string number, CancellationToken ct)
    {
        var known = await masterData.ReadAsync(ct);
        await using var work = await database.BeginAsync(reader, ct);
        return (await ReadAsync(work, known, [new LotKey(0, gtin, number)], ct)).SingleOrDefault();
    }

    /// <summary>The units and containers behind one of the lot's numbers, in the order in which they were first told.</summary>
    /// <param name="after">The cursor of the last one already known; 0 for the first.</param>
    /// <returns>Null when no unit is known to be of the lot, or its units are another party's.</returns>
    public async Task<IReadOnlyList<LotUnit>?> UnitsAsync(Actor reader, string gtin, string number, LotUnitFilter filter, long after, int limit, CancellationToken ct)
    {
        var known = await masterData.ReadAsync(ct);
        await using var work = await database.BeginAsync(reader, ct);
        var key = new LotKey(0, gtin, number);
        if (await LotRowsAsync(work, [key], ct) is not { Count: > 0 } lots)
        {
            return null;
        }
        var values = Values(known, [key], lots);
        values.AddDynamicParams(new { after, limit, level = filter.Level, state = (short?)filter.State });
        var page = (await work.Connection.QueryAsync<Listed>(new CommandDefinition($"""
            {Judged},
            listed as (
                select unit_id, true as is_own, gtin, standing, state, top_id, is_orphan, false as is_short, false as is_full, false as is_partial, is_held, standing = 'unexplained' as is_wrong,
                       false as is_waiting, null::bigint as seen, null::int as capacity
                from standing
                union all
                select c.unit_id, false, c.gtin, null, coalesce(t.state, c.state), t.top_id, false, c.is_short, coalesce(c.seen >= c.capacity, false), c.is_partial, c.is_held, c.is_wrong or t.top_id is null,
                       false, c.seen, c.capacity
                from container c left join topped t using (no, unit_id)
                union all
                select w.unit_id, false, {Gtin("u")}, null, u.state, null, false, false, false, false, false, false, true, null, null from waiting w join unit u using (unit_id))
            select unit_id as Cursor, state as State, nullif(top_id, unit_id) as TopId, seen as Children, capacity as Capacity from listed where {filter.Where} and unit_id > @after order by unit_id limit @limit
            """, values, work.Transaction, cancellationToken: ct))).AsList();
        var units = (await work.Connection.QueryAsync<Row>(new CommandDefinition("""
            select u.unit_id as UnitId, u.key as Key, u.prefix_length as PrefixLength, p.key as ParentKey, p.prefix_length as ParentPrefixLength, u.holds as Holds, h.uri as Holder, s.uri as Place, u.last_at as LastAt
            from unit u left join unit p on p.unit_id = u.parent_id left join place h on h.place_id = u.holder_id left join place s on s.place_id = u.location_id
            where u.unit_id = any(@ids)
            """, new { ids = page.SelectMany(r => new[] { r.Cursor, r.TopId ?? r.Cursor }).Distinct().ToArray() }, work.Transaction, cancellationToken: ct))).ToDictionary(u => u.UnitId);
        return [.. page.Select(l => UnitOf(l, units[l.Cursor], l.TopId is { } top ? units[top] : null))];
    }

    /// <summary>The digits of a GLN without its check digit, which an EPC URI lacks; the text itself where there is none.</summary>
    internal static string Site(string uri) => $$"""
        coalesce(left(replace(substring({{uri}} from '^urn:epc:id:[sp]gln:([0-9.]+)'), '.', ''), 12), left(substring({{uri}} from '/41[47]/([0-9]{13})'), 12), {{uri}})
        """;

    /// <summary>The GTIN of a row of the ledger; empty for a logistic unit.</summary>
    private static string Gtin(string unit) => $"case when {unit}.key like '01%' then substr({unit}.key, 3, 14) else '' end";

    // Each is one probe of the primary key: left to itself, the planner, which does not know how many there are, reads the whole ledger instead.
    private static string Container(string unitId) => $"""
        select c.unit_id, c.parent_id, c.first_event, c.last_event, c.holder_id, c.state, c.flags, c.children, c.holds, {Gtin("c")} from unit c where c.unit_id = {unitId} offset 0
        """;

    private static async Task<IReadOnlyList<LotRow>> LotRowsAsync(Work work, IReadOnlyList<LotKey> keys, CancellationToken ct) =>
        (await work.Connection.QueryAsync<LotRow>(new CommandDefinition("""
            select n.no as No, l.lot_id as LotId, l.expiry::timestamp as Expiry from unnest(@gtins, @numbers) with ordinality n (gtin, lot, no) join lot l using (gtin, lot) order by l.expiry
            """, new { gtins = keys.Select(k => k.Gtin).ToArray(), numbers = keys.Select(k => k.Number).ToArray() }, work.Transaction, cancellationToken: ct))).AsList();

    private static DynamicParameters Values(MasterDataSnapshot known, IReadOnlyList<LotKey> keys, IReadOnlyList<LotRow> rows)
    {
        var specified = new Dictionary<string, Product>();
        foreach (var key in keys)
        {
            Specify(key.Gtin);
        }
        return new DynamicParameters(new
        {
            lots = rows.Select(r => r.LotId).ToArray(),
            of = rows.Select(r => (int)r.No).ToArray(),
            numbers = Enumerable.Range(1, keys.Count).ToArray(),
            named = keys.Select(k => k.Gtin).ToArray(),
            packed = keys.Select(k => known.ContainersOf(k.Gtin).Any() || known.Find(k.Gtin)?.PerLogisticUnit is not null).ToArray(),
            gtins = specified.Keys.ToArray(),
            capacities = specified.Values.Select(p => p.Quantity).ToArray(),
            logistic = specified.Values.Select(p => p.PerLogisticUnit).ToArray(),
        });

        // The product, and whatever holds it at any depth.
        void Specify(string gtin)
        {
            if (known.Find(gtin) is { } product && specified.TryAdd(gtin, product))
            {
                foreach (var container in known.ContainersOf(gtin))
                {
                    Specify(container.Gtin);
                }
            }
        }
    }

    private static async Task<IReadOnlyList<Lot>> ReadAsync(Work work, MasterDataSnapshot known, IReadOnlyList<LotKey> keys, CancellationToken ct)
    {
        var rows = await LotRowsAsync(work, keys, ct);
        var counts = (await work.Connection.QueryAsync<Count>(new CommandDefinition(Counted, Values(known, keys, rows), work.Transaction, cancellationToken: ct))).ToLookup(c => c.No);
        return [.. keys.Select((key, i) => (key, i)).Where(k => rows.Any(r => r.No == k.i + 1)).Select(k => LotOf(known, k.key, [.. rows.Where(r => r.No == k.i + 1 && r.Expiry is not null).Select(r => DateOnly.FromDateTime(r.Expiry!.Value)).Distinct()], [.. counts[k.i + 1]]))];
    }

    private static Lot LotOf(MasterDataSnapshot known, LotKey key, IReadOnlyList<DateOnly> expiries, IReadOnlyList<Count> counts)
    {
        var balance = new LotBalance(In("packed"), In("loose"), In("sampled"), In("rejected"), In("ended"), In("shipped"), In("returned"), In("unexplained"));
        var levels = counts.Where(c => c.What != "waiting").GroupBy(c => (c.What, c.Gtin)).Select(Level).OrderBy(l => l.Units > 0 && l.Gtin == key.Gtin ? 0 : 1).ThenBy(l => l.Gtin is null).ThenByDescending(l => l.Units).ToList();
        return new Lot(key.Gtin, key.Number, known.Find(key.Gtin)?.Name ?? "", expiries.Count > 0 ? expiries[0] : null, expiries, balance.Commissioned, counts.Sum(c => c.Settled), balance, levels,
            counts.Sum(c => c.Orphans), counts.Sum(c => c.Short), counts.Where(c => c.What == "waiting").Sum(c => c.Units), counts.Sum(c => c.Held), balance.Unexplained + counts.Sum(c => c.Wrong));

        long In(string standing) => counts.Where(c => c.Standing == standing).Sum(c => c.Units);

        LotLevel Level(IGrouping<(string What, string Gtin), Count> of) => new(
            of.Key.Gtin.Length == 0 ? null : of.Key.Gtin, UnitLevels.Word(of.Key.Gtin, known),
            of.Sum(c => c.Units), of.GroupBy(c => (UnitState)c.State).ToDictionary(s => Lifecycle.Word(s.Key), s => s.Sum(c => c.Units)),
            of.Sum(c => c.Full), of.Sum(c => c.Partial), of.Sum(c => c.Short), of.All(c => c.Capacity is not null) ? of.Sum(c => c.Capacity) : null, of.Sum(c => c.Declared), of.Sum(c => c.Seen));
    }

    // Where a packed unit is, its outermost container says.
    private static LotUnit UnitOf(Listed listed, Row unit, Row? top) => new(
        listed.Cursor, UnitKey.ToEpc(unit.Key, unit.PrefixLength), UnitKey.GtinOf(unit.Key) is { Length: > 0 } gtin ? gtin.ToString() : null, Lifecycle.Word((UnitState)listed.State),
        unit.ParentKey is null ? null : UnitKey.ToEpc(unit.ParentKey, unit.ParentPrefixLength!.Value), top is null ? null : UnitKey.ToEpc(top.Key, top.PrefixLength),
        unit.Holds?.Split(' ') ?? [], listed.Children, listed.Capacity, (top ?? unit).Holder, (top ?? unit).Place, unit.LastAt);

    private sealed record LotKey(int LotId, string Gtin, string Number);

    private sealed record LotRow(long No, int LotId, DateTime? Expiry);

    private sealed record Count(
        int No, string What, string Gtin, string? Standing, int State, long Units, long Held, long Orphans, long Settled, long Wrong, long Full, long Partial, long Short, long? Capacity, long Declared, long Seen);

    private sealed record Listed(long Cursor, short State, long? TopId, long? Children, int? Capacity);

    private sealed record Row(long UnitId, string Key, short PrefixLength, string? ParentKey, short? ParentPrefixLength, string? Holds, string? Holder, string? Place, DateTime LastAt);
}
