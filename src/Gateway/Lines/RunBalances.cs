using System.Data;
using System.Globalization;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.MasterData;
using Gateway.Units;

namespace Gateway.Lines;

/// <summary>
/// Balances runs: each is one statement over sets. A unit is of the run of the document that first named it; of the units around it only
/// where they stand is asked.
/// </summary>
public sealed class RunBalances(GatewayDatabase database, KnownMasterData masterData)
{
    // Before a number out of a pool, in a cursor; before a unit there is nothing.
    private const char NumberCursor = '~';

    // Units of a run are found by the documents that stored them first and by the lot; what was told first by somebody else's document
    // is around them. 1 of the flags is commissioned once, 32 partial, 128 closed; state 7 is COMMISSIONED.
    internal static readonly string Stood = $"""
        with recursive told as materialized (
            select capture_id from capture where run_id = any(@runs)),
        specified as materialized (
            select * from unnest(@gtins::text[], @capacities::int[], @logistic::int[]) p (gtin, capacity, per_logistic_unit)),
        found as (
            select u.unit_id from told t cross join lateral (select unit_id from unit where unit_id >= t.capture_id << 24 and unit_id < (t.capture_id + 1) << 24) u
            union
            select u.unit_id from (select distinct gtin, lot from run where run_id = any(@runs)) r join lot l using (gtin, lot) join unit u on u.lot_id = l.lot_id),
        up (unit_id, parent_id, first_event, state, flags, children, holds, gtin) as (
            select u.unit_id, u.parent_id, u.first_event, u.state, u.flags, u.children, u.holds, {Gtin("u")} from found f join unit u using (unit_id)
            union
            select p.* from (select distinct parent_id from up where parent_id is not null) c cross join lateral (
                select p.unit_id, p.parent_id, p.first_event, p.state, p.flags, p.children, p.holds, {Gtin("p")} from unit p where p.unit_id = c.parent_id offset 0) p),
        around as materialized (
            select up.*, t.capture_id is not null as is_own from up left join told t on t.capture_id = up.first_event >> 20),
        world (unit_id, state) as (
            select unit_id, state from around where parent_id is null
            union all
            select a.unit_id, w.state from world w join around a on a.parent_id = w.unit_id),
        inside as materialized (
            select parent_id, count(*) as units, count(*) filter (where is_own) as own, max(gtin) filter (where is_own) as gtin from around where parent_id is not null group by parent_id),
        stood as materialized (
            select a.unit_id, a.gtin, a.is_own, a.parent_id, coalesce(w.state, a.state) as state, a.flags & 1 <> 0 as is_ever, a.holds is not null and coalesce(w.state, a.state) not in (3, 6, 9, 10) as is_held,
                   coalesce(a.children, 0) as declared, i.own as own_inside, i.gtin as inside,
                   -- What else it holds, of other runs, is asked only where the run's own do not make up its number.
                   case when coalesce(i.units, 0) = coalesce(a.children, 0) then coalesce(i.units, 0) else (select count(*) from unit c where c.parent_id = a.unit_id) end as seen,
                   case when w.unit_id is null then 'unexplained'
                        when a.flags & 1 = 0 then case a.state when 2 then 'openAtDevice' when 101 then 'unused' when 3 then 'voided' when 4 then 'encodedOpen' when 6 then 'scrapped'
                            when 102 then 'rejectedNeverCommissioned' else 'unexplained' end
                        else case w.state when 7 then case when a.parent_id is null then 'activeLoose' else 'activePacked' end
                            when 8 then 'sampled' when 9 then 'decommissionedOrDestroyed' when 10 then 'decommissionedOrDestroyed' when 11 then 'shipped'
                            when 102 then 'rejectedAfterCommission' when 103 then 'returned' else 'unexplained' end
                   end as place,
                   case when coalesce(a.children, 0) = 0 and i.units is null then null
                        when a.flags & 32 <> 0 then 'partial'
                        when coalesce(a.children < case when a.gtin = '' then content.per_logistic_unit else own.capacity end, false)
                            and (a.holds like '%{UnitCodes.ShortNotFlagged}%' or a.flags & 128 = 0) then 'short'
                        else 'full' end as kind
            from around a left join world w using (unit_id) left join inside i on i.parent_id = a.unit_id
            left join specified own on own.gtin = a.gtin left join specified content on content.gtin = i.gtin)
        """;

    private static readonly string Counted = $"""
        {Stood}
        select gtin as Gtin, {string.Join(", ", RunBalance.Rows.Values.Select((rows, n) => $"count(*) filter (where {rows}) as c{n}"))}
        from stood where is_own group by gtin
        """;

    // What the containers around the packs of a level count as theirs, and by how much each counts wrongly.
    private static readonly string Contained = $"""
        {Stood}
        select gtin as Gtin, sum(declared)::bigint as Declared, sum(wrong)::bigint as Wrong from (
            select c.gtin, count(*) as declared, 0 as wrong from stood c join stood p on p.unit_id = c.parent_id where c.is_own and p.state = 7 group by c.gtin
            union all
            -- What a container counts too many or too few is of the kind that it mostly holds.
            select inside, coalesce(sum(declared - seen) filter (where state = 7), 0), sum(abs(declared - seen)) from stood where own_inside > 0 group by inside) c
        group by gtin
        """;

    /// <summary>The balance of a run.</summary>
    public async Task<RunBalance> OfRunAsync(Actor reader, RunItem run, CancellationToken ct)
    {
        // Its statements are of one moment.
        await using var work = await database.BeginAsync(reader, ct, IsolationLevel.RepeatableRead);
        return await OfAsync(work, [run.RunId], run.Gtin, ct);
    }

    /// <summary>The balance of several runs of one lot together.</summary>
    public async Task<RunBalance> OfLotAsync(Actor reader, string gtin, string lot, IReadOnlyList<RunItem> runs, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct, IsolationLevel.RepeatableRead);
        return await OfAsync(work, [.. runs.Select(r => r.RunId)], gtin, ct) with
        {
            Elsewhere = await work.Connection.ExecuteScalarAsync<long>(new CommandDefinition("""
                select count(*) from lot l join unit u using (lot_id) left join capture c on c.capture_id = u.first_event >> 20 where l.gtin = @gtin and l.lot = @lot and c.run_id is null
                """, new { gtin, lot }, work.Transaction, cancellationToken: ct)),
        };
    }

    /// <summary>The serials behind a term: those of the ledger in the order in which they were first told, then the numbers of the pools that nobody has printed.</summary>
    /// <param name="level">A GTIN, or <see cref="RunBalance.LogisticUnits"/>.</param>
    /// <param name="after">The cursor of the last one already known; null for the first.</param>
    public async Task<IReadOnlyList<RunSerial>> SerialsAsync(Actor reader, RunItem run, string level, string term, string? after, int limit, CancellationToken ct)
    {
        var known = await masterData.ReadAsync(ct);
        await using var work = await database.BeginAsync(reader, ct);
        var found = new List<RunSerial>();
        var isNumber = after?.StartsWith(NumberCursor) == true;
        if (!isNumber)
        {
            var values = Values(known, [run.RunId], run.Gtin);
            values.AddDynamicParams(new { level = level == RunBalance.LogisticUnits ? "" : level, after = long.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out var last) ? last : 0, limit });
            found.AddRange((await work.Connection.QueryAsync<Listed>(new CommandDefinition($"""
                {Stood},
                page as (select unit_id, state from stood where is_own and gtin = @level and ({RunBalance.Rows[term]}) and unit_id > @after order by unit_id limit @limit)
                select s.unit_id as Cursor, s.state as State, u.key as Key, u.prefix_length as PrefixLength, p.key as ParentKey, p.prefix_length as ParentPrefix, u.holds as Holds, u.last_at as LastAt
                from page s join unit u using (unit_id) left join unit p on p.unit_id = u.parent_id order by s.unit_id
                """, values, work.Transaction, cancellationToken: ct))).Select(l => new RunSerial(
                    l.Cursor.ToString(CultureInfo.InvariantCulture), UnitKey.ToEpc(l.Key, l.PrefixLength), Lifecycle.Word((UnitState)l.State), l.ParentKey is null ? null : UnitKey.ToEpc(l.ParentKey, l.ParentPrefix!.Value), l.Holds?.Split(' ') ?? [], l.LastAt)));
        }
        if (found.Count < limit && RunNumbers.Has(term))
        {
            var numbers = await RunNumbers.ListAsync(work, term, level, isNumber ? after![1..] : "", limit - found.Count, Values(known, [run.RunId], run.Gtin), ct);
            var state = Lifecycle.Word(term switch { "unused" => UnitState.Unused, "voided" => UnitState.Voided, _ => UnitState.Allocated });
            found.AddRange(numbers.Select(n => new RunSerial(NumberCursor + n, UnitKey.ToEpc(n, PrefixLengthOf(n, known)), state, null, [], null)));
        }
        return found;
    }

    // Where nobody has told of a unit, master data say where its company prefix ends; or nobody does, and it is written as a Digital Link.
    private static int PrefixLengthOf(string key, MasterDataSnapshot known) => UnitKey.GtinOf(key) is { Length: > 0 } gtin ? known.Find(gtin.ToString())?.CompanyPrefixLength ?? 0 : 0;

    /// <summary>Whose units these are: the spellings of those that are of the run.</summary>
    internal static async Task<IReadOnlyList<string>> OwnAsync(Work work, long run, IReadOnlyCollection<string> epcs)
    {
        var keys = epcs.Select(e => (Epc: e, Key: UnitKey.Of(e))).Where(k => k.Key is not null).ToList();
        return (await work.Connection.QueryAsync<string>("""
            select k.epc from unnest(@epcs::text[], @keys::text[], @heads::int[], @hashes::bigint[]) k (epc, key, head, hash)
            join unit u on u.head = k.head and u.hash = k.hash and u.key = k.key join capture c on c.capture_id = u.first_event >> 20 where c.run_id = @run
            """, new
        {
            run, epcs = keys.Select(k => k.Epc).ToArray(), keys = keys.Select(k => k.Key).ToArray(), heads = keys.Select(k => UnitKey.Head(k.Key)).ToArray(), hashes = keys.Select(k => UnitKey.Hash(k.Key!)).ToArray(),
        }, work.Transaction)).AsList();
    }

    internal async Task<RunBalance> OfAsync(Work work, long[] runs, string gtin, CancellationToken ct)
    {
        var known = await masterData.ReadAsync(ct);
        var values = Values(known, runs, gtin);
        var counted = (await work.Connection.QueryAsync(new CommandDefinition(Counted, values, work.Transaction, cancellationToken: ct))).Cast<IDictionary<string, object>>().ToDictionary(c => (string)c["gtin"]);
        var contained = (await work.Connection.QueryAsync<(string Gtin, long Declared, long Wrong)>(new CommandDefinition(Contained, values, work.Transaction, cancellationToken: ct))).ToDictionary(c => c.Gtin);
        var numbers = (await RunNumbers.OfAsync(work, runs, values, ct)).ToDictionary(n => n.Gtin);
        var gtins = counted.Keys.Concat(numbers.Keys).Append(gtin).Distinct().OrderBy(g => g == gtin ? 0 : g.Length > 0 ? 1 : 2).ThenBy(g => g, StringComparer.Ordinal);
        return new RunBalance([.. gtins.Select(g => LevelOf(g, known, counted.GetValueOrDefault(g), contained.GetValueOrDefault(g), numbers.GetValueOrDefault(g)))], 0);
    }

    private static LevelBalance LevelOf(string gtin, MasterDataSnapshot known, IDictionary<string, object>? counted, (string Gtin, long Declared, long Wrong) contained, LevelNumbers? numbers)
    {
        var counts = RunBalance.Rows.Keys.Select((term, n) => (term, count: counted is null ? 0 : (long)counted[$"c{n}"])).ToDictionary(c => c.term, c => c.count);
        counts["unused"] += numbers?.Unused ?? 0;
        counts["voided"] += numbers?.Voided ?? 0;
        counts["openAtDevice"] += numbers?.Open ?? 0;
        counts["allocated"] = numbers?.Allocated ?? counts["serialsSeen"];
        return new LevelBalance(gtin.Length == 0 ? null : gtin, UnitLevels.Word(gtin, known), gtin.Length > 0 && (known.ContainersOf(gtin).Any() || known.Find(gtin)?.PerLogisticUnit is not null), numbers is not null, counts,
        [
            Sum("allocated", "unused", "voided", "printed", "openAtDevice"),
            Sum("printed", "scrapped", "rejectedNeverCommissioned", "encodedOpen", "everCommissioned"),
            Sum("everCommissioned", "activePacked", "activeLoose", "sampled", "rejectedAfterCommission", "decommissionedOrDestroyed", "shipped", "returned"),
            new Equation("packed", contained.Declared, counts["activePacked"], Math.Max(contained.Wrong, Math.Abs(contained.Declared - counts["activePacked"]))),
            Sum("containers", "full", "partial"),
        ]);

        Equation Sum(string whole, params string[] parts)
        {
            var right = parts.Sum(p => counts[p]);
            return new Equation(whole, counts[whole], right, Math.Abs(counts[whole] - right));
        }
    }

    private static DynamicParameters Values(MasterDataSnapshot known, long[] runs, string gtin)
    {
        var specified = new Dictionary<string, Product>();
        Specify(gtin);
        return new DynamicParameters(new
        {
            runs, gtins = specified.Keys.ToArray(), capacities = specified.Values.Select(p => p.Quantity).ToArray(), logistic = specified.Values.Select(p => p.PerLogisticUnit).ToArray(),
        });

        // The product, and whatever holds it at any depth.
        void Specify(string product)
        {
            if (known.Find(product) is { } found && specified.TryAdd(product, found))
            {
                foreach (var container in known.ContainersOf(product))
                {
                    Specify(container.Gtin);
                }
            }
        }
    }

    // The GTIN of a row of the ledger; empty for a logistic unit.
    private static string Gtin(string unit) => $"case when {unit}.key like '01%' then substr({unit}.key, 3, 14) else '' end";

    private sealed record Listed(long Cursor, short State, string Key, short PrefixLength, string? ParentKey, short? ParentPrefix, string? Holds, DateTime LastAt);
}
