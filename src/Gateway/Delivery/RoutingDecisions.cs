using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Delivery;

/// <summary>Why a partner got a captured document, or why not.</summary>
/// <param name="DeliveryState">The state of the delivery now; null when nothing was queued.</param>
public sealed record RoutingRow(string Partner, string Decision, string Code, string Reason, long? DeliveryId, string? DeliveryState);

public sealed class RoutingDecisions(GatewayDatabase database)
{
    /// <summary>The decisions about one capture that the reader may see.</summary>
    public async Task<IReadOnlyList<RoutingRow>> OfCaptureAsync(Actor reader, long captureId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<RoutingRow>(new CommandDefinition("""
            select p.name as Partner, r.decision as Decision, r.code as Code, r.reason as Reason, r.delivery_id as DeliveryId, d.state as DeliveryState
            from routing_decision r join partner p using (partner_id) left join delivery d on d.delivery_id = r.delivery_id
            where r.capture_id = @captureId order by p.name
            """, new { captureId }, work.Transaction, cancellationToken: ct))).AsList();
    }
}
