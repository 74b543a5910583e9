using Dapper;
using Epcis;
using Gateway.Access;
using Gateway.Database;
using Npgsql;

namespace Gateway.MasterData;

/// <summary>
/// Changes master data: one record or a file of them, in one transaction that adds a version of each record that differs. What is as
/// it is wanted already is left alone, so the same again does nothing. A dry run does the same and takes it back.
/// </summary>
public sealed class ChangeMasterData(GatewayDatabase database)
{
    public const int MaxItems = 1_000;

    private const long Turn = 20290029;

    /// <summary>Reads a file and makes master data what it tells; nothing of a file with an error.</summary>
    /// <param name="actor">With the reason.</param>
    public async Task<MasterDataOutcome> ImportAsync(Actor actor, Stream file, bool dryRun, CancellationToken ct)
    {
        var wanted = await Task.Run(() => MasterDataFile.Read(file), ct);
        return await RunAsync(actor, wanted, dryRun, expected: null, ct);
    }

    /// <param name="actor">With the reason.</param>
    /// <param name="expected">Of a single record: the version that its change was made from, 0 for none; null: whatever it is.</param>
    /// <param name="at">The moment from which it is known, for the past of a demonstration or test; <see langword="null"/>: now.</param>
    public async Task<MasterDataOutcome> RunAsync(Actor actor, WantedMasterData wanted, bool dryRun, int? expected, CancellationToken ct, DateTime? at = null)
    {
        Once(wanted.Products, p => p.Gtin, "gtin", wanted.Findings);
        Once(wanted.Locations, KeyOf, "gln", wanted.Findings);
        if (wanted.Findings.HasErrors)
        {
            return new MasterDataOutcome(dryRun, 0, 0, 0, [], wanted.Findings);
        }
        await using var work = await database.BeginAsync(actor, ct);
        if (at is { } moment)
        {
            await TransactionClock.MoveToAsync(work, moment);
        }
        // One change after the other, so that what one holds another's change cannot take away meanwhile; readers wait for nobody.
        await work.Connection.ExecuteAsync(new CommandDefinition("select pg_advisory_xact_lock(@Turn)", new { Turn }, work.Transaction, cancellationToken: ct));
        var products = await PlanAsync(work, MasterDataRecords.Products, wanted.Products, p => p.Gtin, p => p.InOrder(), p => p.Refuse(), wanted.Findings, ct);
        var locations = await PlanAsync(work, MasterDataRecords.Locations, wanted.Locations, KeyOf, l => l, l => l.Refuse(), wanted.Findings, ct);
        var differing = products.Differing.Count + locations.Differing.Count;
        var present = (products.Present.Count > 0 ? products.Present[0].Version : null as int?) ?? (locations.Present.Count > 0 ? locations.Present[0].Version : 0);
        if (expected is { } version && differing > 0 && version != present)
        {
            if (!dryRun)
            {
                var (entity, key) = wanted.Products.Count > 0 ? ("product", wanted.Products[0].Named.Gtin) : ("location", KeyOf(wanted.Locations[0].Named));
                await work.RefuseAsync(new RefusedStep(entity, key, "change", "The record has changed meanwhile.", $"""
                    select case when withdrawn then 'withdrawn' else 'present' end, version from {entity} where {(entity == "product" ? "gtin" : "gln || case when extension = '' then '' else '.' || extension end")} = @key order by version desc limit 1
                    """, version));
            }
            return new MasterDataOutcome(dryRun, 0, 0, 0, [], wanted.Findings) { PresentVersion = present };
        }
        if (differing > 0 && !wanted.Findings.HasErrors)
        {
            var party = await Parties.EnsureAsync(work, "organisation", "Organisation", null);
            await MasterDataRecords.Products.AddAsync(work, party, [.. products.Differing.Select(d => (d.After, d.Version + 1))], ct);
            await MasterDataRecords.Locations.AddAsync(work, party, [.. locations.Differing.Select(d => (d.After, d.Version + 1))], ct);
            await FindContradictionsAsync(work, wanted, ct);
            if (!dryRun && !wanted.Findings.HasErrors)
            {
                await work.CommitAsync();
            }
        }
        return new MasterDataOutcome(
            dryRun, products.Added + locations.Added, differing - products.Added - locations.Added, wanted.Products.Count + wanted.Locations.Count - differing,
            [.. products.Told("product", p => p.Gtin).Concat(locations.Told("location", KeyOf)).Take(MaxItems)], wanted.Findings);
    }

    internal static string KeyOf(Location location) => location.Extension.Length == 0 ? location.Gln : $"{location.Gln}.{location.Extension}";

    private static void Once<T>(IEnumerable<Wanted<T>> wanted, Func<T, string> key, string member, Findings findings)
    {
        foreach (var again in wanted.GroupBy(w => key(w.Named)).SelectMany(g => g.Skip(1)))
        {
            findings.Add(new Finding("masterdata.row_twice", Severity.Error, $"{key(again.Named)} is told twice, and only one can count.") { Where = again.PlaceOf(member), Got = key(again.Named), Want = "one row for each" });
        }
    }

    private static async Task<Plan<T>> PlanAsync<T>(
        Work work, MasterDataTable<T> table, List<Wanted<T>> wanted, Func<T, string> key, Func<T, T> order, Func<T, (string Member, string Why)?> refuse, Findings findings, CancellationToken ct)
        where T : class
    {
        var present = wanted.Count == 0 ? [] : await table.PresentOfAsync(work, wanted.Select(w => w.Named), ct);
        var known = present.ToDictionary(p => key(p.Record));
        var differing = new List<(T? Before, T After, int Version)>();
        foreach (var w in wanted)
        {
            var before = known.GetValueOrDefault(key(w.Named));
            var after = order(w.Apply(before?.Record ?? w.Named));
            if (refuse(after) is var (member, why))
            {
                var got = MasterDataTable<T>.Differences(null, after).FirstOrDefault(m => m.Member == member)?.To;
                findings.Add(new Finding("masterdata.value_wrong", Severity.Error, $"{member} of {key(after)}: {why}") { Where = w.PlaceOf(member), Got = got });
            }
            else if (!after.Equals(before?.Record))
            {
                differing.Add((before?.Record, after, before?.Version ?? 0));
            }
        }
        return new Plan<T>(present, differing);
    }

    /// <summary>What a container holds is a product of ours, and of a lower level.</summary>
    private static async Task FindContradictionsAsync(Work work, WantedMasterData wanted, CancellationToken ct)
    {
        var rows = await work.Connection.QueryAsync<(string Gtin, string Level, string Holds, string? Held)>(new CommandDefinition($"""
            with p as {MasterDataRecords.Products.Present}
            select a.gtin, a.level, a.holds, case when not b.withdrawn then coalesce(b.level, 'of no level') end
            from p a left join p b on b.gtin = a.holds
            where not a.withdrawn and a.holds is not null and (a.gtin = any(@gtins) or a.holds = any(@gtins))
              and (b.gtin is null or b.withdrawn or coalesce(array_position(@levels, b.level) >= array_position(@levels, a.level), true))
            order by a.gtin limit 1000
            """, new { gtins = wanted.Products.Select(p => p.Named.Gtin).ToArray(), levels = PackLevels.All.ToArray() }, work.Transaction, cancellationToken: ct));
        foreach (var (gtin, level, holds, held) in rows)
        {
            wanted.Findings.Add(new Finding("masterdata.pack_contradiction", Severity.Error, held is null
                ? $"{gtin} is said to hold {holds}, which is no product that is known."
                : $"{gtin}, a {level}, is said to hold {holds}, which is {held}: what is held is of a lower level.")
            {
                Where = wanted.Products.Find(p => p.Named.Gtin == gtin)?.PlaceOf("holds") ?? wanted.Products.Find(p => p.Named.Gtin == holds)?.PlaceOf("level") ?? default,
                Got = holds,
                Want = $"a product below {level}",
            });
        }
    }

    private sealed record Plan<T>(IReadOnlyList<Versioned<T>> Present, IReadOnlyList<(T? Before, T After, int Version)> Differing)
        where T : class
    {
        public int Added => Differing.Count(d => d.Before is null);

        public IEnumerable<RecordChange> Told(string kind, Func<T, string> key) =>
            Differing.Select(d => new RecordChange(kind, key(d.After), d.Before is null ? "added" : "changed", MasterDataTable<T>.Differences(d.Before, d.After)));
    }
}
