using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Delivery;

/// <summary>Why a partner got a captured document, or why not.</summary>
/// <param name="DeliveryState">The state of the delivery now, as shown; null when nothing was queued.</param>
public sealed record RoutingRow(string Partner, string Decision, string Code, string Reason, long? DeliveryId, string? DeliveryState);

/// <summary>A decision as the list of a day shows it.</summary>
/// <param name="Cursor">Its place in the list: the next page asks for decisions before it.</param>
public sealed record DayRoutingRow(
    long Cursor, DateTime At, Guid CaptureId, string From, int PartnerId, string Partner, string Decision, string Code, string Reason, long? DeliveryId, string? DeliveryState);

/// <summary>Which decisions a list shows; what is null does not restrict it.</summary>
/// <param name="Day">Of documents received on this day of UTC.</param>
/// <param name="Decision">queued or not sent.</param>
public sealed record RoutingFilter(DateTime? Day = null, string? Decision = null, int? PartnerId = null, string? Code = null);

/// <summary>How often a reason decided.</summary>
public sealed record RoutingReason(string Decision, string Code, string Reason, long Count);

public sealed class RoutingDecisions(GatewayDatabase database)
{
    /// <summary>The decisions about one capture that the reader may see.</summary>
    public async Task<IReadOnlyList<RoutingRow>> OfCaptureAsync(Actor reader, long captureId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<RoutingRow>(new CommandDefinition($"""
            select p.name as Partner, r.decision as Decision, r.code as Code, r.reason as Reason, r.delivery_id as DeliveryId, {DeliveryOverview.ShownState} as DeliveryState
            from (select gateway_now() as at) n, routing_decision r join partner p using (partner_id) left join breaker b using (partner_id) left join delivery d on d.delivery_id = r.delivery_id
            where r.capture_id = @captureId order by p.name
            """, new { captureId }, work.Transaction, cancellationToken: ct))).AsList();
    }

    /// <summary>Why the delivery was made: the decision about its capture; null when there is none, or the reader may not see it.</summary>
    public async Task<RoutingRow?> OfDeliveryAsync(Actor reader, long deliveryId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await work.Connection.QuerySingleOrDefaultAsync<RoutingRow>(new CommandDefinition($"""
            select p.name as Partner, r.decision as Decision, r.code as Code, r.reason as Reason, d.delivery_id as DeliveryId, {DeliveryOverview.ShownState} as DeliveryState
            from (select gateway_now() as at) n, delivery d join partner p using (partner_id) left join breaker b using (partner_id)
            join routing_decision r on r.capture_id = d.capture_id and r.partner_id = d.partner_id
            where d.delivery_id = @deliveryId
            """, new { deliveryId }, work.Transaction, cancellationToken: ct));
    }

    // Partners are few, so capture and partner make one number that orders as both do.
    private const string Cursor = "((r.capture_id << 24) + r.partner_id)";

    // Joined as the figures of the day are: a list holds exactly the rows of its number.
    private const string From = """
        from capture c join routing_decision r using (capture_id)
        where (@Day::timestamptz is null or c.created_at >= @Day and c.created_at < @Day + interval '1 day')
          and (@PartnerId::int is null or r.partner_id = @PartnerId)
        """;

    /// <summary>Newest first.</summary>
    public async Task<IReadOnlyList<DayRoutingRow>> ListAsync(Actor reader, RoutingFilter filter, long? before, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<DayRoutingRow>(new CommandDefinition($"""
            select x.Cursor, x.At, x.CaptureId, y.name as "From", x.PartnerId, p.name as Partner, x.Decision, x.Code, x.Reason, x.DeliveryId, {DeliveryOverview.ShownState} as DeliveryState
            from (select gateway_now() as at) n, (select {Cursor} as Cursor, c.created_at as At, c.public_id as CaptureId, c.party_id, r.partner_id as PartnerId, r.decision as Decision, r.code as Code, r.reason as Reason, r.delivery_id as DeliveryId
                  {From} and (@Decision::text is null or r.decision = @Decision) and (@Code::text is null or r.code = @Code)
                    and (@before::bigint is null or r.capture_id <= @before >> 24 and {Cursor} < @before)
                  order by r.capture_id desc, r.partner_id desc limit @limit) x
            join party y on y.party_id = x.party_id join partner p on p.partner_id = x.PartnerId left join breaker b on b.partner_id = x.PartnerId left join delivery d on d.delivery_id = x.DeliveryId
            order by x.Cursor desc
            """, new { filter.Day, filter.Decision, filter.PartnerId, filter.Code, before, limit }, work.Transaction, cancellationToken: ct))).AsList();
    }

    /// <summary>How often each reason decided, whatever decision and code the filter names; the most frequent first.</summary>
    public async Task<IReadOnlyList<RoutingReason>> ReasonsAsync(Actor reader, RoutingFilter filter, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<RoutingReason>(new CommandDefinition($"""
            select r.decision as Decision, r.code as Code, min(r.reason) as Reason, count(*) as Count {From} group by 1, 2 order by 4 desc
            """, new { filter.Day, filter.PartnerId }, work.Transaction, cancellationToken: ct))).AsList();
    }
}
