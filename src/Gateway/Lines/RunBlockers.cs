using System.Globalization;
using Dapper;
using Gateway.Database;
using Gateway.Devices;

namespace Gateway.Lines;

/// <summary>Why a run cannot be closed (LINES.md section 5), a sentence each. None is a matter of judgement: what can be judged is a difference that somebody accepts.</summary>
internal static class RunBlockers
{
    private const int MaxNamed = 3;

    public static async Task<IReadOnlyList<string>> OfAsync(Work work, RunItem run, RunBalance balance, IReadOnlyList<RunDifference> differences)
    {
        var blockers = new List<string>();
        foreach (var level in balance.Levels)
        {
            Block(level["openAtDevice"], "number is", "numbers are", level, "still at a device: return or void them");
            Block(level["encodedOpen"], "serial is", "serials are", level, "printed and neither commissioned nor scrapped");
            Block(level["rejectedNeverCommissioned"], "serial was", "serials were", level, "rejected before commissioning and never scrapped");
            Block(level["rejectedAfterCommission"], "unit is", "units are", level, "rejected and without a disposition: rework, sample, decommission or destroy each");
            Block(level.Orphans, "good unit is", "good units are", level, "in no container: pack or decommission each");
            Block(level["held"], "unit is", "units are", level, "held: release or destroy each");
        }
        blockers.AddRange(differences.Where(d => d.Accepted is null).Select(d => $"{d.Says} Explain it, or let somebody accept it under signature."));
        var open = await OpenAsync(work, run);
        if (open.Count > 0)
        {
            blockers.Add($"{open.Count.ToString(CultureInfo.InvariantCulture)} {(open.Count == 1 ? "exception is" : "exceptions are")} open: {string.Join(", ", open.Take(MaxNamed))}{(open.Count > MaxNamed ? ", …" : "")}. Settle each.");
        }
        blockers.AddRange((await DeviceReadiness.MissingAsync(work, run.RunId, run.LineId, run.StartedAt, run.ClosedAt)).Take(MaxNamed));
        if (await work.Connection.ExecuteScalarAsync<long>("select count(*) from capture where run_id = @RunId and state = 'processing'", run, work.Transaction) is var waiting and > 0)
        {
            blockers.Add($"{waiting.ToString(CultureInfo.InvariantCulture)} {(waiting == 1 ? "document of the run is" : "documents of the run are")} not processed yet: wait.");
        }
        return blockers;

        void Block(long n, string one, string many, LevelBalance level, string what)
        {
            if (n > 0)
            {
                blockers.Add($"{n.ToString("N0", CultureInfo.InvariantCulture)} {(n == 1 ? one : many)} {what} ({level.Level}).");
            }
        }
    }

    // Found in a document of the run, by it, at a device of its line since it started (a gap is one of those), or about one of its units.
    private static async Task<IReadOnlyList<string>> OpenAsync(Work work, RunItem run)
    {
        var own = (await work.Connection.QueryAsync<(long Id, string Code)>("""
            select e.exception_id, e.code from exception e where e.state = 'open' and (
                e.source_kind = 'run' and e.source_id = @Id::text
                or e.source_kind = 'capture' and e.source_id in (select public_id::text from capture where run_id = @RunId)
                or e.source_kind = 'device' and e.last_at >= coalesce(@StartedAt, gateway_now()) and e.opened_at <= coalesce(@ClosedAt, gateway_now())
                    and e.source_id in (select name from device where line_id = @LineId union select device_id::text from device where line_id = @LineId))
            order by e.exception_id
            """, run, work.Transaction)).AsList();
        var others = (await work.Connection.QueryAsync<(long Id, string Code, string Epc)>("""
            select e.exception_id, e.code, u.epc from exception e join exception_unit u using (exception_id) where e.state = 'open' and e.exception_id <> all(@known)
            """, new { known = own.Select(o => o.Id).ToArray() }, work.Transaction)).AsList();
        var units = (await RunBalances.OwnAsync(work, run.RunId, [.. others.Select(o => o.Epc).Distinct()])).ToHashSet(StringComparer.Ordinal);
        return [.. own.Select(o => o.Code), .. others.Where(o => units.Contains(o.Epc)).DistinctBy(o => o.Id).Select(o => o.Code)];
    }
}
