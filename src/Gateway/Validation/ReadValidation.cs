using System.Text.Json;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Devices;

namespace Gateway.Validation;

/// <summary>A node that runs, compared with the effective baseline.</summary>
/// <param name="ChangeReference">The change record that its configuration names; empty: none.</param>
/// <param name="ChangeState">Of that record; null when there is none of that number.</param>
public sealed record NodeItem(string Node, string Machine, string Build, string Fingerprint, string State, int DifferenceCount, IReadOnlyList<Difference> Differences, string ChangeReference, string? ChangeState, DateTime StartedAt, DateTime SeenAt);

/// <param name="Baseline">The number of the effective one; null when none is.</param>
/// <param name="UnqualifiedDevices">Why devices in service are not qualified, a sentence for each. They keep their lines from starting, and leave the state as it is.</param>
public sealed record ValidationOverview(string State, DateTime Since, int? Baseline, IReadOnlyList<NodeItem> Nodes, IReadOnlyList<string> UnqualifiedDevices);

/// <summary>What the installation is, against what was validated.</summary>
public sealed class ReadValidation(GatewayDatabase database)
{
    private sealed record Row(string Node, string Machine, string Build, string Fingerprint, string State, int DifferenceCount, string Differences, string ChangeReference, string? ChangeState, DateTime StartedAt, DateTime SeenAt);

    public async Task<ValidationOverview> ReadAsync(Actor reader, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        var (state, since, baseline) = await work.Connection.QuerySingleAsync<(string, DateTime, int?)>(new CommandDefinition(
            "select validation_now(), since, (select baseline_id from validation_baseline where state = 'effective') from validation_state", transaction: work.Transaction, cancellationToken: ct));
        var rows = await work.Connection.QueryAsync<Row>(new CommandDefinition("""
            select node as Node, machine as Machine, build as Build, fingerprint as Fingerprint, n.state as State, difference_count as DifferenceCount, differences::text as Differences,
                   change_reference as ChangeReference, c.state as ChangeState, started_at as StartedAt, seen_at as SeenAt
            from validation_live() n left join validation_change c on c.number = n.change_reference order by node
            """, transaction: work.Transaction, cancellationToken: ct));
        return new ValidationOverview(state, since, baseline, [.. rows.Select(r => new NodeItem(r.Node, r.Machine, r.Build, r.Fingerprint, r.State, r.DifferenceCount,
            JsonSerializer.Deserialize<List<Difference>>(r.Differences, JsonSerializerOptions.Web)!, r.ChangeReference, r.ChangeState, r.StartedAt, r.SeenAt))],
            await DeviceReadiness.UnqualifiedAsync(work));
    }

    /// <summary>What of this program and database is not as the effective baseline has it; null when none is effective.</summary>
    public async Task<IReadOnlyList<Difference>?> CompareAsync(Actor reader, IReadOnlyDictionary<string, string> components, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        var json = await work.Connection.QuerySingleOrDefaultAsync<string>(new CommandDefinition(
            "select components::text from validation_content join validation_baseline using (fingerprint) where state = 'effective'", transaction: work.Transaction, cancellationToken: ct));
        return json is null ? null : Fingerprint.Compare(JsonSerializer.Deserialize<Dictionary<string, string>>(json)!, components);
    }
}
