using System.Globalization;
using Dapper;
using Gateway.Database;

namespace Gateway.Devices;

/// <summary>What stands against a batch with a device, each as a sentence; null where nothing does.</summary>
/// <param name="Unqualified">It is not as it was qualified.</param>
/// <param name="Unheard">It has not registered, or is offline.</param>
/// <param name="WrongClock">Its clock is too far off, or not known.</param>
public sealed record DeviceReady(int DeviceId, string Name, string Kind, string? Unqualified, string? Unheard, string? WrongClock)
{
    /// <summary>The first of them.</summary>
    public string? Blocks => Unqualified ?? Unheard ?? WrongClock;
}

/// <summary>Whether devices are fit for a batch (LINES.md sections 7 and 12), and have told all of it: for whoever starts and closes one.</summary>
public static class DeviceReadiness
{
    /// <summary>Every device of a line that is in service, as the caller's transaction sees it.</summary>
    public static async Task<IReadOnlyList<DeviceReady>> OfLineAsync(Work work, int lineId) =>
        [.. (await work.Connection.QueryAsync<DeviceRow>($"{DeviceRow.Sql} where d.line_id = @lineId and not d.withdrawn order by d.name", new { lineId }, work.Transaction))
            .Select(d => new DeviceReady(d.DeviceId, d.Name, d.Kind, d.Unqualified, d.Unheard, d.WrongClock))];

    /// <summary>
    /// What devices have not sent of a run, a sentence for each range: noticed during it, or on its line in its time. What was lost with a device's store can
    /// come no more and is left out; its exception stays until somebody settles it.
    /// </summary>
    /// <param name="until">The run's end; null: it goes on.</param>
    public static async Task<IReadOnlyList<string>> MissingAsync(Work work, long runId, int lineId, DateTime? from, DateTime? until) =>
        [.. (await work.Connection.QueryAsync<(string Name, long First, long Last)>("""
            select d.name, g.missing[1], g.missing[cardinality(g.missing)] from device_gap g join device d using (device_id) join device_status s on s.device_id = g.device_id and s.epoch = g.epoch
            where g.closed_at is null and (g.run_id = @runId or g.run_id is null and d.line_id = @lineId and g.noticed_at >= @from and g.noticed_at <= coalesce(@until, gateway_now())) order by d.name, g.gap_id
            """, new { runId, lineId, from, until }, work.Transaction)).Select(g => string.Create(CultureInfo.InvariantCulture, $"Messages {g.First} to {g.Last} of {g.Name} have not come."))];

    /// <summary>Why devices in service are not qualified, a sentence for each; none when all are.</summary>
    public static async Task<IReadOnlyList<string>> UnqualifiedAsync(Work work) =>
        [.. (await work.Connection.QueryAsync<DeviceRow>($"{DeviceRow.Sql} where not d.withdrawn order by d.name", transaction: work.Transaction)).Select(d => d.Unqualified).OfType<string>()];
}
