using System.Text.Json;
using System.Data;
using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Lines;

/// <summary>Runs for reading.</summary>
public sealed class RunRecords(GatewayDatabase database, RunBalances balances)
{
    internal const string Rows = """
        select r.run_id as RunId, r.public_id as Id, p.name as Party, r.line_id as LineId, l.code as Line, r.order_number as OrderNumber, r.gtin as Gtin, r.lot as Lot, r.expiry as Expiry, r.quantity as Quantity,
               r.state as State, r.planned_at as PlannedAt, r.started_at as StartedAt, r.ended_at as EndedAt, r.closed_at as ClosedAt, r.version as Version, s.cause as Cause, s.why as Why
        from run r join line l using (line_id) join party p on p.party_id = r.party_id
        left join lateral (select cause, why from run_step where run_id = r.run_id and step = 'pause' and r.state = 'paused' order by step_id desc limit 1) s on true
        """;

    /// <summary>The runs of a line, or of all, the newest first.</summary>
    /// <param name="line">Null: of all.</param>
    /// <param name="state">Null: in whatever state.</param>
    /// <param name="before">The cursor (<see cref="RunItem.RunId"/>) of the last one already known.</param>
    public async Task<IReadOnlyList<RunItem>> ListAsync(Actor reader, int? line, string? state, long? before, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<RunItem>(new CommandDefinition(
            $"{Rows} where (@line::int is null or r.line_id = @line) and (@state::text is null or r.state = @state) and (@before::bigint is null or r.run_id < @before) order by r.run_id desc limit @limit",
            new { line, state, before, limit }, work.Transaction, cancellationToken: ct))).AsList();
    }

    /// <summary>Of each line the run that it is at: the one that runs or stands, else the newest that is not cancelled.</summary>
    public Task<List<RunItem>> CurrentAsync(Actor reader, CancellationToken ct) => database.ReadAsync<RunItem>(reader, $"""
        select distinct on (x.LineId) x.* from ({Rows} where r.state <> 'cancelled') x order by x.LineId, x.State in ('running', 'paused') desc, x.State in ('ready', 'ended', 'reconciled') desc, x.RunId desc
        """, null, ct);

    /// <summary>The runs of a lot, the first one first.</summary>
    public Task<List<RunItem>> OfLotAsync(Actor reader, string gtin, string lot, CancellationToken ct) =>
        database.ReadAsync<RunItem>(reader, $"{Rows} where r.gtin = @gtin and r.lot = @lot and r.state <> 'cancelled' order by r.run_id", new { gtin, lot }, ct);

    /// <returns>Null when there is none, or it is another party's.</returns>
    public async Task<RunItem?> FindAsync(Actor reader, Guid id, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await FindAsync(work, id);
    }

    /// <returns>Null when there is none, or it is another party's.</returns>
    public async Task<RunDetails?> DetailsAsync(Actor reader, Guid id, CancellationToken ct)
    {
        // Of one moment: what is applied between two of its statements would look like a difference.
        await using var work = await database.BeginAsync(reader, ct, IsolationLevel.RepeatableRead);
        return await FindAsync(work, id) is { } run ? await DetailsAsync(work, run, ct) : null;
    }

    /// <summary>A run as the board shows it: its balance, and <see cref="RunDetails.Warnings"/>.</summary>
    public async Task<(RunBalance Balance, IReadOnlyList<string> Warnings)> WatchAsync(Actor reader, RunItem run, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct, IsolationLevel.RepeatableRead);
        var pending = await RunBlockers.PendingAsync(work, run);
        return (await balances.OfAsync(work, [run.RunId], run.Gtin, ct), await RunBlockers.WarningsAsync(work, run, pending));
    }

    /// <summary>Packs a minute of which documents told in the last ten minutes; 0 when none did.</summary>
    public async Task<decimal> SpeedAsync(Actor reader, RunItem run, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await work.Connection.ExecuteScalarAsync<decimal>(new CommandDefinition("""
            select round(count(u.unit_id) / least(10, greatest(1, extract(epoch from gateway_now() - @StartedAt::timestamptz) / 60)), 1) from capture c cross join lateral (
                select unit_id from unit where unit_id >= c.capture_id << 24 and unit_id < (c.capture_id + 1) << 24 and key like '01' || @Gtin || '%') u
            where c.run_id = @RunId and c.created_at > gateway_now() - interval '10 minutes'
            """, run, work.Transaction, cancellationToken: ct));
    }

    internal static Task<RunItem?> FindAsync(Work work, Guid id) => work.Connection.QuerySingleOrDefaultAsync<RunItem?>($"{Rows} where r.public_id = @id", new { id }, work.Transaction);

    /// <summary>What somebody answers for under signature, the first one first.</summary>
    internal static async Task<IReadOnlyList<AcceptedDifference>> AcceptedAsync(Work work, RunItem run) =>
        (await work.Connection.QueryAsync<AcceptedDifference>("""
            select subject as Subject, amount as Amount, why as Why, accepted_by as AcceptedBy, accepted_at as AcceptedAt, signature_id as SignatureId from run_difference where run_id = @RunId order by difference_id
            """, run, work.Transaction)).AsList();

    internal async Task<RunDetails> DetailsAsync(Work work, RunItem run, CancellationToken ct)
    {
        // Asked before the balance: what is applied while that is made must not be missed by both.
        var pending = await RunBlockers.PendingAsync(work, run);
        var balance = await balances.OfAsync(work, [run.RunId], run.Gtin, ct);
        var steps = (await work.Connection.QueryAsync<RunStepItem>("""
            select step as Step, from_state as "From", to_state as "To", cause as Cause, why as Why, actor as Actor, actor_name as ActorName, actor_role as ActorRole, at as At, signature_id as SignatureId
            from run_step where run_id = @RunId order by step_id
            """, run, work.Transaction)).AsList();
        var clearances = (await work.Connection.QueryAsync<(string Items, string By, DateTime At, long Signature)>(
            "select items::text, cleared_by, cleared_at, signature_id from run_clearance where run_id = @RunId order by clearance_id", run, work.Transaction))
            .Select(c => new ClearanceRecord(JsonSerializer.Deserialize<List<ClearanceItem>>(c.Items, JsonSerializerOptions.Web)!, c.By, c.At, c.Signature)).ToList();
        var accepted = await AcceptedAsync(work, run);
        var counters = await RunCounts.CountersAsync(work, run, balance);
        var counts = await RunCounts.CountsAsync(work, run, balance);
        var differences = RunCounts.Differences(balance, counters, counts, accepted);
        var readiness = run.State is "planned" or "ready" ? await RunReadiness.CheckAsync(work, run, clearances) : [];
        var isOpen = run.State is "running" or "paused" or "ended" or "reconciled";
        var exceptions = isOpen ? await RunBlockers.OpenAsync(work, run) : [];
        var blockers = isOpen ? await RunBlockers.OfAsync(work, run, balance, differences, exceptions, pending) : [];
        var warnings = run.State is "running" or "paused" ? await RunBlockers.WarningsAsync(work, run, pending) : [];
        return new RunDetails(run, steps, readiness, clearances, balance, counters, counts, differences, accepted, blockers, warnings, exceptions);
    }
}
