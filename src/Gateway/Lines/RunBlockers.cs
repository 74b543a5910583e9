using System.Globalization;
using Dapper;
using Gateway.Database;
using Gateway.Devices;

namespace Gateway.Lines;

/// <summary>Why a run cannot be closed (LINES.md section 5), a sentence each. None is a matter of judgement: what can be judged is a difference that somebody accepts.</summary>
internal static class RunBlockers
{
    private const int MaxNamed = 3;

    public static async Task<IReadOnlyList<string>> OfAsync(Work work, RunItem run, RunBalance balance, IReadOnlyList<RunDifference> differences, IReadOnlyList<OpenException> open, IReadOnlyList<string> pending)
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
        if (open.Count > 0)
        {
            blockers.Add($"{open.Count.ToString(CultureInfo.InvariantCulture)} {(open.Count == 1 ? "exception is" : "exceptions are")} open: {string.Join(", ", open.Take(MaxNamed).Select(e => e.Code))}{(open.Count > MaxNamed ? ", …" : "")}. Settle each.");
        }
        blockers.AddRange((await DeviceReadiness.MissingAsync(work, run.RunId, run.LineId, run.StartedAt, run.ClosedAt)).Take(MaxNamed));
        blockers.AddRange(pending);
        return blockers;

        void Block(long n, string one, string many, LevelBalance level, string what)
        {
            if (n > 0)
            {
                blockers.Add($"{n.ToString("N0", CultureInfo.InvariantCulture)} {(n == 1 ? one : many)} {what} ({level.Level}).");
            }
        }
    }

    /// <summary>What was said of the run and is not in its balance yet: documents, messages of its line's devices, and what those still keep.</summary>
    public static async Task<IReadOnlyList<string>> PendingAsync(Work work, RunItem run)
    {
        var (documents, messages, aside, kept) = await work.Connection.QuerySingleAsync<(long Documents, long Messages, long Aside, long Kept)>("""
            select (select count(*) from capture where run_id = @RunId and state = 'processing'),
                (select count(*) from device d join device_message m using (device_id) where d.line_id = @LineId and m.state in ('ready', 'waiting')
                    and m.corrected_at >= @StartedAt::timestamptz - interval '10 s' and m.corrected_at <= coalesce(@ClosedAt, gateway_now())),
                (select count(*) from device d join device_message m using (device_id) where d.line_id = @LineId and m.state = 'quarantined'
                    and m.received_at >= @StartedAt::timestamptz and m.received_at <= coalesce(@ClosedAt, gateway_now())),
                (select coalesce(sum(greatest(s.reported_seq - s.last_seq, s.buffered)), 0)::bigint from device d join device_status s using (device_id) where d.line_id = @LineId and not d.withdrawn and s.reported_seq > s.last_seq)
            """, run, work.Transaction);
        var pending = new List<string>();
        Tell(documents, "document of the run is", "documents of the run are", "not processed yet: wait.");
        Tell(messages, "message of the line's devices is", "messages of the line's devices are", "not applied yet: wait.");
        Tell(aside, "message of the line's devices is", "messages of the line's devices are", "set aside for a time that cannot be: somebody decides on the device's page.");
        Tell(kept, "message is", "messages are", "still kept by the line's devices: let them send.");
        return pending;

        void Tell(long n, string one, string many, string what)
        {
            if (n > 0)
            {
                pending.Add($"{n.ToString("N0", CultureInfo.InvariantCulture)} {(n == 1 ? one : many)} {what}");
            }
        }
    }

    /// <summary>While a device is not heard, what the others say waits for it: who looks at the line should know why nothing is counted.</summary>
    public static async Task<IReadOnlyList<string>> WarningsAsync(Work work, RunItem run, IReadOnlyList<string> pending)
    {
        var devices = await DeviceReadiness.OfLineAsync(work, run.LineId);
        List<string> unheard = [.. devices.Select(d => d.Unheard).OfType<string>()];
        return [.. unheard, .. devices.Select(d => d.WrongClock).OfType<string>().Except(unheard), .. unheard.Count > 0 ? pending : []];
    }

    /// <summary>What a person must settle: found in a document of the run, by it, at a device of its line since it started (a gap is one of those), or about one of its units.</summary>
    public static async Task<IReadOnlyList<OpenException>> OpenAsync(Work work, RunItem run)
    {
        var own = (await work.Connection.QueryAsync<(long Id, Guid PublicId, string Code, string Message)>("""
            select e.exception_id, e.public_id, e.code, e.message from exception e where e.state = 'open' and (
                e.source_kind = 'run' and e.source_id = @Id::text
                or e.source_kind = 'capture' and e.source_id in (select public_id::text from capture where run_id = @RunId)
                or e.source_kind = 'device' and e.last_at >= coalesce(@StartedAt, gateway_now()) and e.opened_at <= coalesce(@ClosedAt, gateway_now())
                    and e.source_id in (select name from device where line_id = @LineId union select device_id::text from device where line_id = @LineId))
            order by e.exception_id
            """, run, work.Transaction)).AsList();
        var others = (await work.Connection.QueryAsync<(long Id, Guid PublicId, string Code, string Message, string Epc)>("""
            select e.exception_id, e.public_id, e.code, e.message, u.epc from exception e join exception_unit u using (exception_id) where e.state = 'open' and e.exception_id <> all(@known)
            """, new { known = own.Select(o => o.Id).ToArray() }, work.Transaction)).AsList();
        var units = (await RunBalances.OwnAsync(work, run.RunId, [.. others.Select(o => o.Epc).Distinct()])).ToHashSet(StringComparer.Ordinal);
        return [.. own.Select(o => new OpenException(o.PublicId, o.Code, o.Message)), .. others.Where(o => units.Contains(o.Epc)).DistinctBy(o => o.Id).Select(o => new OpenException(o.PublicId, o.Code, o.Message))];
    }
}
