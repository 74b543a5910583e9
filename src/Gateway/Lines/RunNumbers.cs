using Dapper;
using Gateway.Database;
using Gateway.Serials;

namespace Gateway.Lines;

/// <summary>The numbers that were given out for runs, and what became of those of which the ledger tells nothing.</summary>
/// <param name="Gtin">Empty for logistic units (SSCC).</param>
/// <param name="Allocated">All of them, whatever became of them.</param>
/// <param name="Open">Neither printed, returned nor voided: still at a device.</param>
public sealed record LevelNumbers(string Gtin, long Allocated, long Unused, long Voided, long Open);

/// <summary>
/// What the pools say of runs: the one place where pools and runs meet. What both the pool and the ledger know is counted where the ledger has it; what
/// was returned and granted again is of its older grant unused, whatever became of it since. What is printed although it was voided or returned counts as
/// both, so that somebody has to explain it.
/// </summary>
public static class RunNumbers
{
    // States of a number by the terms of a balance; 5: returned.
    private static readonly IReadOnlyDictionary<string, short[]> s_states = new Dictionary<string, short[]> { ["unused"] = [2, 5], ["voided"] = [3], ["openAtDevice"] = [1] };

    private static readonly string Untold = $"""
        {RunBalances.Stood},
        own as materialized (select u.key, s.is_printed from (select unit_id, {RunBalance.Rows["printed"]} as is_printed from stood where is_own) s join unit u using (unit_id)),
        {SerialBalance.Numbers},
        untold as (select n.* from named n left join own o on o.key = n.unit and n.is_newest and not (o.is_printed and n.state in (3, 5)) where o.key is null)
        """;

    /// <summary>Whether numbers may be in a term.</summary>
    internal static bool Has(string term) => s_states.ContainsKey(term);

    /// <param name="values">Of the balance.</param>
    internal static async Task<IReadOnlyList<LevelNumbers>> OfAsync(Work work, long[] runs, DynamicParameters values, CancellationToken ct) =>
        !await work.Connection.ExecuteScalarAsync<bool>(new CommandDefinition("select exists (select from serial_grant where run_id = any(@runs))", new { runs }, work.Transaction, cancellationToken: ct)) ? [] :
        (await work.Connection.QueryAsync<LevelNumbers>(new CommandDefinition($"""
            {Untold},
            became as (select level, count(*) filter (where state in (2, 5)) as unused, count(*) filter (where state = 3) as voided, count(*) filter (where state = 1) as open from untold group by level)
            select case g.level when 'SSCC' then '' else g.level end as Gtin, sum(g.quantity)::bigint as Allocated, coalesce(min(b.unused), 0) as Unused, coalesce(min(b.voided), 0) as Voided, coalesce(min(b.open), 0) as Open
            from granted g left join became b using (level) group by g.level
            """, values, work.Transaction, cancellationToken: ct))).AsList();

    /// <summary>The numbers behind a term of which the ledger tells nothing, as units are called, in the order of their characters.</summary>
    /// <param name="after">The last one already known; empty for the first.</param>
    internal static async Task<IReadOnlyList<string>> ListAsync(Work work, string term, string level, string after, int limit, DynamicParameters values, CancellationToken ct)
    {
        values.AddDynamicParams(new { states = s_states[term], level = level == RunBalance.LogisticUnits ? "SSCC" : level, known = after, limit });
        return (await work.Connection.QueryAsync<string>(new CommandDefinition($"""
            {Untold} select distinct unit from untold where level = @level and state = any(@states) and unit > @known collate "C" order by unit limit @limit
            """, values, work.Transaction, cancellationToken: ct))).AsList();
    }
}
