using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Capture;

/// <summary>How much waits to be processed; read from the partial index of open captures only.</summary>
public sealed class CaptureDepth(GatewayDatabase database)
{
    public async Task<(long Open, TimeSpan Oldest)> ReadAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Actor.System("telemetry"), ct);
        return await work.Connection.QuerySingleAsync<(long, TimeSpan)>(
            "select count(*), coalesce(gateway_now() - min(created_at), interval '0') from capture where state = 'processing'", transaction: work.Transaction);
    }
}
