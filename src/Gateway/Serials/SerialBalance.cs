using Dapper;
using Gateway.Database;

namespace Gateway.Serials;

/// <summary>
/// What became of the numbers that a run was given, of one level (LINES.md section 5): <c>Allocated = Unused + Voided + Encoded + Open</c>, exactly.
/// </summary>
/// <param name="Level">A GTIN, or SSCC.</param>
/// <param name="Allocated">All that was granted for the run.</param>
/// <param name="Unused">What was returned, and what was told to be unused.</param>
/// <param name="Encoded">What was printed or commissioned.</param>
/// <param name="Open">What nobody has told of yet.</param>
/// <param name="Unacknowledged">How many of <paramref name="Allocated"/> are of grants that nobody has acknowledged.</param>
/// <param name="Unreturned">How many of <paramref name="Unused"/> are neither returned nor voided, as they must be at the run's end.</param>
public sealed record SerialBalance(string Level, long Allocated, long Unused, long Voided, long Encoded, long Open, long Unacknowledged, long Unreturned)
{
    /// <summary>The figures that <see cref="NumbersAsync"/> knows the numbers behind.</summary>
    public static IReadOnlyList<string> Figures { get; } = ["allocated", "unused", "voided", "encoded", "open", "unreturned"];

    /// <summary>
    /// For who balances runs with more than numbers: each number of each grant of some runs (<c>@runs</c>) as <c>named</c>, with what became of it there (5: it was returned,
    /// and may be another's by now), what the ledger calls it (<c>unit</c>), and whether the grant is its newest there, which is the one that a unit in the ledger is of.
    /// </summary>
    internal const string Numbers = """
        granted as (select g.grant_id, g.quantity, g.state as grant_state, coalesce(p.gtin, 'SSCC') as level from serial_grant g join serial_pool p using (pool_id) where g.run_id = any(@runs)),
        number as (
            select level, n.grant_id, grant_state, n.serial, n.state from granted join serial_number n using (grant_id)
            union all
            select level, n.grant_id, grant_state, n.serial, 5 from granted join serial_change_number n using (grant_id) join serial_change c using (change_id) where c.kind = 'return'),
        named as (
            select *, case level when 'SSCC' then '00' || serial else '01' || level || '21' || serial end as unit, row_number() over (partition by level, serial order by grant_id desc) = 1 as is_newest from number)
        """;

    /// <summary>One balance for each product and, where there were any, the logistic units of a run.</summary>
    public static async Task<IReadOnlyList<SerialBalance>> OfRunAsync(Work work, long runId, CancellationToken ct = default) =>
        (await work.Connection.QueryAsync<SerialBalance>(new CommandDefinition($"""
            with {Numbers}, became as (
                select level, count(*) filter (where state in (2, 5)) as unused, count(*) filter (where state = 3) as voided, count(*) filter (where state = 4) as encoded,
                       count(*) filter (where state = 1) as open, count(*) filter (where state = 2) as unreturned from named group by level)
            select g.level as Level, sum(g.quantity)::bigint as Allocated, coalesce(min(b.unused), 0) as Unused, coalesce(min(b.voided), 0) as Voided, coalesce(min(b.encoded), 0) as Encoded, coalesce(min(b.open), 0) as Open,
                   coalesce(sum(g.quantity) filter (where g.grant_state = 'open'), 0)::bigint as Unacknowledged, coalesce(min(b.unreturned), 0) as Unreturned
            from granted g left join became b using (level) group by g.level order by g.level
            """, new { runs = new[] { runId } }, work.Transaction, cancellationToken: ct))).AsList();

    /// <summary>How many numbers of its product a run has: of acknowledged grants, and neither back, unused nor voided.</summary>
    /// <returns>Null when no pool of its party gives out numbers of that product.</returns>
    public static Task<long?> LoadedAsync(Work work, long runId, CancellationToken ct = default) => work.Connection.ExecuteScalarAsync<long?>(new CommandDefinition($"""
        with {Numbers}
        select (select count(*) from named n where n.level = r.gtin and n.grant_state = 'acknowledged' and n.state in (1, 4)) from run r
        where r.run_id = any(@runs) and exists (select from serial_pool p where p.party_id = r.party_id and p.gtin = r.gtin and p.state = 'active')
        """, new { runs = new[] { runId } }, work.Transaction, cancellationToken: ct));

    /// <summary>The numbers behind a figure, in the order of their characters.</summary>
    /// <param name="figure">One of <see cref="Figures"/>.</param>
    /// <param name="after">The last number already known; null for the first.</param>
    public static async Task<IReadOnlyList<string>> NumbersAsync(Work work, long runId, string level, string figure, string? after, int limit, CancellationToken ct = default)
    {
        short[] states = figure switch { "allocated" => [1, 2, 3, 4, 5], "unused" => [2, 5], "voided" => [3], "encoded" => [4], "open" => [1], "unreturned" => [2], _ => throw new ArgumentOutOfRangeException(nameof(figure), figure, null) };
        return (await work.Connection.QueryAsync<string>(new CommandDefinition($"""
            with {Numbers} select distinct serial from named where level = @level and state = any(@states) and (@after::text is null or serial > @after collate "C") order by serial limit @limit
            """, new { runs = new[] { runId }, level, states, after, limit }, work.Transaction, cancellationToken: ct))).AsList();
    }
}
