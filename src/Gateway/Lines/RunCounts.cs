using System.Globalization;
using Dapper;
using Epcis;
using Gateway.Access;
using Gateway.Database;
using Gateway.Exceptions;

namespace Gateway.Lines;

/// <summary>What machines and people counted of a run, compared with the ledger. Counters and counts are never truth: a difference is <c>recon.mismatch</c>.</summary>
public sealed class RunCounts(GatewayDatabase database, RunBalances balances)
{
    /// <summary>The counters that can be compared.</summary>
    public static IReadOnlyList<string> Counters { get; } = ["printed", "good", "bad", "sampled", "cases", "pallets"];

    /// <summary>warehouse: packs that came out of the run, wherever they are now; pallets: logistic units that hold something of it.</summary>
    public static IReadOnlyList<string> Kinds { get; } = ["warehouse", "pallets"];

    /// <returns>Null, or the refusal as a sentence.</returns>
    public async Task<string?> ReportAsync(Actor actor, Guid id, string? device, string? counter, long? reported, CancellationToken ct) =>
        string.IsNullOrWhiteSpace(device) || device.Length > 60 ? "device is missing, or longer than 60 characters."
        : counter is null || !Counters.Contains(counter) ? $"counter is one of {string.Join(", ", Counters)}."
        : reported is null or < 0 ? "reported is a number from 0."
        : await AddAsync(actor, id, "report a counter", "insert into run_counter (run_id, party_id, device, counter, reported, reported_by, reported_at) select run_id, party_id, @device, @counter, @reported, @Name, gateway_now() from run where run_id = @run",
            new { device = device.Trim(), counter, reported, actor.Name }, ct);

    /// <returns>Null, or the refusal as a sentence.</returns>
    public async Task<string?> CountAsync(Actor actor, Guid id, string? kind, long? counted, string? note, CancellationToken ct) =>
        kind is null || !Kinds.Contains(kind) ? $"kind is one of {string.Join(", ", Kinds)}."
        : counted is null or < 0 ? "counted is a number from 0."
        : Texts.Refusal("note", note, Texts.MaxReason) is { } unfit ? unfit
        : await AddAsync(actor, id, "count", "insert into run_count (run_id, party_id, kind, counted, note, counted_by, counted_at) select run_id, party_id, @kind, @counted, @note, @Name, gateway_now() from run where run_id = @run",
            new { kind, counted, note = note?.Trim() ?? "", actor.Name }, ct);

    /// <summary>Compares a run that has ended and is not closed, and opens an exception for each difference that none tells of yet and nobody answers for; when none is left, those that are open are settled.</summary>
    /// <returns>How many differ.</returns>
    public async Task<int> CompareAsync(Guid id, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Actor.System("reconciliation"), ct);
        // Two comparisons at once would tell of one difference twice.
        await work.Connection.ExecuteAsync("select pg_advisory_xact_lock(hashtextextended(@id::text, 46))", new { id }, work.Transaction);
        if (await RunRecords.FindAsync(work, id) is not { State: "ended" or "reconciled" } run)
        {
            return 0;
        }
        var balance = await balances.OfAsync(work, [run.RunId], run.Gtin, ct);
        var found = (await CountersAsync(work, run, balance)).Select(c => (Table: "run_counter", Subject: $"counter {c.Device} {c.Counter}", Key: "device = @device and counter = @word", Device: (string?)c.Device, Word: c.Counter, c.Difference, Says: Says(c)))
            .Concat((await CountsAsync(work, run, balance)).Select(c => (Table: "run_count", Subject: $"count {c.Kind}", Key: "kind = @word", Device: (string?)null, Word: c.Kind, c.Difference, Says: Says(c)))).ToList();
        var accepted = await RunRecords.AcceptedAsync(work, run);
        var source = new ExceptionSource("run", id.ToString(), await work.Connection.ExecuteScalarAsync<int>("select party_id from run where run_id = @RunId", run, work.Transaction), null);
        var left = found.Where(f => f.Difference != 0 && !accepted.Any(a => a.Subject == f.Subject && a.Amount == f.Difference)).ToList();
        foreach (var f in found)
        {
            var isNew = await work.Connection.ExecuteAsync($"update {f.Table} set told = @Difference where run_id = @RunId and told <> @Difference and {f.Key} and {(f.Device is null ? "count_id" : "counter_id")} = (select max({(f.Device is null ? "count_id" : "counter_id")}) from {f.Table} where run_id = @RunId and {f.Key})",
                new { f.Difference, run.RunId, device = f.Device, word = f.Word }, work.Transaction) > 0;
            if (isNew && left.Contains(f))
            {
                await ExceptionRecords.OpenAsync(work, new ExceptionFacts("recon.mismatch", Severity.Error, f.Says) { Gtin = run.Gtin, Lot = run.Lot }, source, []);
            }
        }
        if (left.Count == 0 && found.Count > 0)
        {
            await ExceptionRecords.ResolveAsync(work, "recon.mismatch", source, "What was counted agrees by now, or somebody answers for the difference under signature.");
        }
        await work.CommitAsync();
        return found.Count(f => f.Difference != 0);
    }

    /// <summary>The newest of each counter.</summary>
    internal static async Task<IReadOnlyList<CounterItem>> CountersAsync(Work work, RunItem run, RunBalance balance) =>
        [.. (await work.Connection.QueryAsync<(string Device, string Counter, long Reported, string By, DateTime At, bool IsMechanical)>("""
            select distinct on (c.device, c.counter) c.device, c.counter, c.reported, c.reported_by, c.reported_at, coalesce(d.kind in ('counter', 'plc'), false)
            from run_counter c left join device d on d.party_id = c.party_id and d.name = c.device where c.run_id = @RunId order by c.device, c.counter, c.counter_id desc
            """, run, work.Transaction)).Select(c => Derived(balance, c.Counter) is var derived ? new CounterItem(c.Device, c.Counter, c.Reported, derived, c.IsMechanical ? Tolerance(derived) : 0, c.By, c.At) : null!)];

    /// <summary>The newest of each count.</summary>
    internal static async Task<IReadOnlyList<CountItem>> CountsAsync(Work work, RunItem run, RunBalance balance) =>
        [.. (await work.Connection.QueryAsync<(string Kind, long Counted, string Note, string By, DateTime At)>("""
            select distinct on (kind) kind, counted, note, counted_by, counted_at from run_count where run_id = @RunId order by kind, count_id desc
            """, run, work.Transaction)).Select(c => new CountItem(c.Kind, c.Counted, c.Kind == "pallets" ? Derived(balance, "pallets") : Left(balance.Packs), c.Note, c.By, c.At))];

    /// <summary>All that does not agree, with who answers for it.</summary>
    internal static IReadOnlyList<RunDifference> Differences(RunBalance balance, IReadOnlyList<CounterItem> counters, IReadOnlyList<CountItem> counts, IReadOnlyList<AcceptedDifference> accepted) =>
    [
        .. from level in balance.Levels
           from e in level.Equations
           where e.Unexplained != 0
           select Of($"{level.Key} {e.Name}", Says(level, e), e.Unexplained, accepted),
        .. counters.Where(c => c.Difference != 0).Select(c => Of($"counter {c.Device} {c.Counter}", Says(c), c.Difference, accepted)),
        .. counts.Where(c => c.Difference != 0).Select(c => Of($"count {c.Kind}", Says(c), c.Difference, accepted)),
    ];

    // Of another amount it is another difference.
    private static RunDifference Of(string subject, string says, long amount, IReadOnlyList<AcceptedDifference> accepted) =>
        new(subject, says, amount, accepted.LastOrDefault(a => a.Subject == subject && a.Amount == amount));

    private static long Derived(RunBalance balance, string counter) => counter switch
    {
        "printed" => balance.Packs["printed"],
        "good" => balance.Packs["everCommissioned"],
        "bad" => balance.Packs["scrapped"] + balance.Packs["rejectedNeverCommissioned"],
        "sampled" => balance.Packs["sampled"],
        "cases" => balance.Levels.Where(l => l.Level == "case").Sum(l => l["full"] + l["partial"]),
        _ => balance.Levels.Where(l => l.Level == "pallet").Sum(l => l["containers"]),
    };

    // What left the line as good, wherever it is now.
    private static long Left(LevelBalance packs) => packs["activePacked"] + packs["activeLoose"] + packs["shipped"] + packs["returned"];

    private static long Tolerance(long derived) => Math.Max(3, derived / 1000);

    private static string Says(LevelBalance level, Equation e) => e.Name switch
    {
        "packed" => $"The containers count {Number(e.Left)} {level.Level}s as theirs, and {Number(e.Right)} name a container.",
        "containers" => $"{Number(e.Left)} {level.Level}s hold something, and {Number(e.Right)} are full or marked as partial.",
        _ => $"Of {Number(e.Left)} {level.Level}s {Words(e.Name)}, {Number(e.Right)} are accounted for.",
    };

    private static string Words(string equation) => equation == "everCommissioned" ? "ever commissioned" : equation;

    private static string Says(CounterItem c) => $"{c.Device} counted {Number(c.Reported)} {c.Counter}, and the serials say {Number(c.Derived)}.";

    private static string Says(CountItem c) => c.Kind == "pallets" ? $"{Number(c.Counted)} pallets were counted, and the serials say {Number(c.Derived)}." : $"The warehouse counted {Number(c.Counted)} packs, and the serials say {Number(c.Derived)}.";

    private static string Number(long n) => n.ToString("N0", CultureInfo.InvariantCulture);

    private async Task<string?> AddAsync(Actor actor, Guid id, string step, string sql, object values, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor, ct);
        if (await work.Connection.QuerySingleOrDefaultAsync<(long RunId, string State)?>("select run_id, state from run where public_id = @id for share", new { id }, work.Transaction) is not { } run)
        {
            return "There is no such run.";
        }
        if (run.State is not ("running" or "paused" or "ended" or "reconciled"))
        {
            return await work.RefuseAsync(RunSteps.Refused(id, step, $"The run is {run.State}: what runs, or has ended and is not closed, is counted.", null));
        }
        var all = new DynamicParameters(values);
        all.Add("run", run.RunId);
        await work.Connection.ExecuteAsync(sql, all, work.Transaction);
        await work.CommitAsync();
        await CompareAsync(id, ct);
        return null;
    }
}
