using System.Globalization;
using Dapper;
using Gateway.Database;
using Gateway.Devices;
using Gateway.Serials;

namespace Gateway.Lines;

/// <summary>What must be so before a run is ready and starts (LINES.md section 5): the line cleared under signature, devices qualified, clocks right, numbers loaded, and nothing else on the line.</summary>
internal static class RunReadiness
{
    public static async Task<IReadOnlyList<ReadinessCheck>> CheckAsync(Work work, RunItem run, IReadOnlyList<ClearanceRecord> clearances)
    {
        var devices = await DeviceReadiness.OfLineAsync(work, run.LineId);
        string unfit = string.Join(' ', devices.SelectMany(d => new[] { d.Unqualified, d.Unheard }).OfType<string>()), wrongClocks = string.Join(' ', devices.Select(d => d.WrongClock).OfType<string>());
        var loaded = await SerialBalance.LoadedAsync(work, run.RunId);
        var other = await work.Connection.QuerySingleOrDefaultAsync<string?>("select lot from run where line_id = @LineId and state in ('running', 'paused') and run_id <> @RunId", run, work.Transaction);
        var later = await work.Connection.QueryFirstOrDefaultAsync<string?>("select lot from run where line_id = @LineId and run_id <> @RunId and ended_at > @cleared order by ended_at desc",
            new { run.LineId, run.RunId, cleared = clearances.Count == 0 ? (DateTime?)null : clearances[^1].ClearedAt }, work.Transaction);
        var isWithdrawn = await work.Connection.ExecuteScalarAsync<bool>("select withdrawn from line where line_id = @LineId", run, work.Transaction);
        var isStopped = await work.Connection.ExecuteScalarAsync<bool>("select exists (select from standing_quality_pause(@LineId))", run, work.Transaction);
        return
        [
            clearances.Count == 0 ? new("clearance", false, "Nobody has signed the line clearance.")
                : later is not null ? new("clearance", false, $"Lot {later} was on the line since it was cleared: clear it anew.")
                : new("clearance", true, string.Create(CultureInfo.InvariantCulture, $"{clearances[^1].ClearedBy} has signed the line clearance at {clearances[^1].ClearedAt:yyyy-MM-dd HH:mm} UTC.")),
            devices.Count == 0 ? new("devices", true, "No device is registered on the line.")
                : unfit.Length > 0 ? new("devices", false, unfit) : new("devices", true, "Every device on the line is qualified and online."),
            devices.Count == 0 ? new("clocks", true, "No device on the line has a clock to compare.")
                : wrongClocks.Length > 0 ? new("clocks", false, wrongClocks) : new("clocks", true, "The clock of every device is right."),
            loaded is null ? new("numbers", true, "No pool has numbers for this run: the line brings its own.")
                : loaded < run.Quantity ? new("numbers", false, string.Create(CultureInfo.InvariantCulture, $"{run.Quantity - loaded:N0} of {run.Quantity:N0} numbers are missing: those count that were granted for the run and acknowledged."))
                : new("numbers", true, string.Create(CultureInfo.InvariantCulture, $"{loaded:N0} numbers are loaded.")),
            isWithdrawn ? new("line", false, "The line is withdrawn.")
                : isStopped ? new("line", false, "A quality pause stands on the line: its resume is signed first, by who may decide.") : other is not null ? new("line", false, $"Lot {other} is still on the line: end it first.") : new("line", true, "No other lot is on the line."),
        ];
    }
}
