using System.Globalization;
using Gateway.Access;
using Gateway.Http;
using Gateway.Units;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Gateway.Hub;

/// <summary>Alerts of national systems: what the hub pushes of them, and the cases that they make.</summary>
internal static class AlertEndpoints
{
    private const int MaxAlerts = 16 << 20;

    public static void Map(RouteGroupBuilder hub)
    {
        hub.MapGet("/alerts", ListAsync).RequireAuthorization(Permissions.ReadHub);
        hub.MapGet("/alerts/{id:int}", FindAsync).RequireAuthorization(Permissions.ReadHub);
        hub.MapPost("/alerts/{id:int}/decide", DecideAsync).RequireAuthorization(Permissions.ReleaseLots);
        hub.MapPost("/{gln}/alerts", TakeAsync).RequireAuthorization(Permissions.AnswerAsHub);
    }

    private static async Task<IResult> ListAsync(HttpContext context, Hubs hubs, AlertCases cases, string? hub, string? code, string? country, string? state, string? gtin, string? lot, int? limit, int? cursor, CancellationToken ct)
    {
        if (limit is < 1 or > 200)
        {
            return Problems.BadParameter("limit is 1 to 200.");
        }
        if (state is not (null or "open" or "investigating" or "closed" or "unsettled"))
        {
            return Problems.BadParameter("state is open, investigating, closed or unsettled.");
        }
        if (await hubs.OneAsync(context.Actor(), hub, ct) is not { } at)
        {
            return HubEndpoints.NoHub(hub);
        }
        var take = limit ?? 50;
        var rows = await cases.ListAsync(context.Actor(), at.PartnerId, new AlertFilter(code, country, state, gtin is null ? null : LotEndpoints.KeyOf(gtin), lot), cursor, take + 1, ct);
        return TypedResults.Ok(new { items = rows.Take(take), next = rows.Count > take ? rows[take - 1].Id.ToString(CultureInfo.InvariantCulture) : null });
    }

    private static async Task<IResult> FindAsync(HttpContext context, int id, AlertCases cases, CancellationToken ct)
    {
        if (await cases.FindAsync(context.Actor(), id, ct) is not { } found)
        {
            return Problems.NotFound("such case");
        }
        var (alerts, steps) = await cases.StoryAsync(context.Actor(), id, ct);
        return TypedResults.Ok(new { @case = found, alerts, steps });
    }

    private static async Task<IResult> DecideAsync(HttpContext context, int id, AlertDecision? decision, int? version, AlertCases cases, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(decision?.Reason))
        {
            return Problems.ReasonMissing();
        }
        if (decision.Refuse() is { } wrong)
        {
            return Problems.Invalid(wrong);
        }
        if (await cases.FindAsync(context.Actor(), id, ct) is null)
        {
            return Problems.NotFound("such case");
        }
        return await cases.DecideAsync(context.Actor(), id, version, decision, ct) is { } refusal ? Problems.HubRefused(refusal) : TypedResults.Ok(await cases.FindAsync(context.Actor(), id, ct));
    }

    // Only a key of the hub's own party speaks for it, whatever others may see.
    private static async Task<IResult> TakeAsync(HttpContext context, string gln, Hubs hubs, TakeAlerts alerts, CancellationToken ct)
    {
        if (await hubs.OneAsync(context.Actor(), gln, ct) is not { } hub || context.Actor().Sees != hub.PartyId.ToString(CultureInfo.InvariantCulture))
        {
            return Problems.NotFound("such hub");
        }
        if (await HubEndpoints.BodyAsync(context, MaxAlerts, ct) is not { } body)
        {
            return Problems.TooLarge();
        }
        try
        {
            await alerts.TakeAsync(context.Actor(), hub.PartnerId, hubs.Of(hub.Protocol).ReadAlerts(body).Alerts, ct);
            return TypedResults.NoContent();
        }
        catch (HubAnswerException e)
        {
            return Problems.Malformed(e.Message);
        }
    }
}
