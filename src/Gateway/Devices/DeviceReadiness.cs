using Dapper;
using Gateway.Database;

namespace Gateway.Devices;

/// <param name="Blocks">Why no batch starts with it, as a sentence; null when it blocks none.</param>
public sealed record DeviceReady(int DeviceId, string Name, string Kind, string? Blocks);

/// <summary>Whether devices are fit for a batch (LINES.md sections 7 and 12), for whoever starts one.</summary>
public static class DeviceReadiness
{
    /// <summary>Every device of a line that is in service, as the caller's transaction sees it.</summary>
    public static async Task<IReadOnlyList<DeviceReady>> OfLineAsync(Work work, int lineId) =>
        [.. (await work.Connection.QueryAsync<DeviceRow>($"{DeviceRow.Sql} where d.line_id = @lineId and not d.withdrawn order by d.name", new { lineId }, work.Transaction))
            .Select(d => new DeviceReady(d.DeviceId, d.Name, d.Kind, d.Blocks))];

    /// <summary>Why devices in service are not qualified, a sentence for each; none when all are.</summary>
    public static async Task<IReadOnlyList<string>> UnqualifiedAsync(Work work) =>
        [.. (await work.Connection.QueryAsync<DeviceRow>($"{DeviceRow.Sql} where not d.withdrawn order by d.name", transaction: work.Transaction)).Select(d => d.Unqualified).OfType<string>()];
}
