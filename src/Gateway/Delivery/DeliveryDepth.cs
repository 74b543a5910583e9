using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Delivery;

/// <summary>
/// How much waits to be delivered or for a person: the states whose partial indexes stay as small as the queue. What is
/// delivered or closed only grows, and counting it would cost more with every day; the attempts tell of it.
/// </summary>
public sealed class DeliveryDepth(GatewayDatabase database)
{
    public async Task<(IReadOnlyDictionary<string, long> ByState, TimeSpan Oldest)> ReadAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Actor.System("telemetry"), ct);
        var rows = await work.Connection.QueryAsync<(string State, long Count, TimeSpan Oldest)>($"""
            select state, count(*), coalesce(max(gateway_now() - due_at) filter (where state = 'due' and due_at <= gateway_now() and not {DeliveryHold.Stands}), interval '0')
            from delivery where state in ('due', 'dead') group by state
            """, transaction: work.Transaction);
        var counts = new Dictionary<string, long> { ["due"] = 0, ["dead"] = 0 };
        var oldest = TimeSpan.Zero;
        foreach (var row in rows)
        {
            counts[row.State] = row.Count;
            oldest = row.Oldest > oldest ? row.Oldest : oldest;
        }
        return (counts, oldest);
    }
}
