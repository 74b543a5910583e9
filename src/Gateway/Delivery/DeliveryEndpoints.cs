using System.Globalization;
using Gateway.Access;
using Gateway.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Gateway.Delivery;

public sealed record DecisionRequest(string? Reason, int? Version);

/// <param name="Until">A moment at which it is due again by itself; null: when somebody resumes it.</param>
public sealed record HoldRequest(string? Reason, int? Version, string? Until);

public static class DeliveryEndpoints
{
    private const int MaxGroups = 500;

    private delegate Task<Decided> Decision(Actor actor, long id, int? version, string reason, CancellationToken ct);

    public static void MapDeliveries(this IEndpointRouteBuilder app)
    {
        var deliveries = app.MapGroup("/api/deliveries");
        deliveries.MapGet("", ListAsync).RequireAuthorization(Permissions.ReadDeliveries);
        deliveries.MapGet("/groups", GroupsAsync).RequireAuthorization(Permissions.ReadDeliveries);
        deliveries.MapGet("/{id:long}", FindAsync).RequireAuthorization(Permissions.ReadDeliveries);
        deliveries.MapGet("/{id:long}/attempts", AttemptsAsync).RequireAuthorization(Permissions.ReadDeliveries);
        Map("retry", d => d.RetryAsync);
        Map("resume", d => d.ResumeAsync);
        Map("replay", d => d.ReplayAsync);
        Map("close", d => d.CloseAsync);
        Map("reopen", d => d.ReopenAsync);
        deliveries.MapPost("/{id:long}/hold", HoldAsync).RequireAuthorization(Permissions.Decide);

        void Map(string verb, Func<DeliveryDecisions, Decision> decision) =>
            deliveries.MapPost($"/{{id:long}}/{verb}", (HttpContext context, long id, DecisionRequest? request, DeliveryDecisions decisions, DeliveryOverview list, CancellationToken ct) =>
                DecideAsync(context, id, request, decision(decisions), list, ct)).RequireAuthorization(Permissions.Decide);
    }

    private static async Task<IResult> ListAsync(HttpContext context, DeliveryOverview list, int? limit, CancellationToken ct)
    {
        var filter = DeliveryFilter.Read(name => name == "state" ? StateOf(context.Request.Query["state"]) : context.Request.Query[name == "before" ? "cursor" : name], out var wrong);
        if (wrong is not null)
        {
            return Problems.BadParameter(wrong);
        }
        if (limit is < 1 or > 200)
        {
            return Problems.BadParameter("limit is 1 to 200.");
        }
        var take = limit ?? 50;
        var rows = await list.ListAsync(context.Actor(), filter, take + 1, ct);
        var items = rows.Take(take).Select(DeliveryItem.Of).ToList();
        return TypedResults.Ok(new { items, next = rows.Count > take ? items[^1].Id.ToString(CultureInfo.InvariantCulture) : null });
    }

    // What is in trouble, by partner, channel and reason: what mends one of a group mends all.
    private static async Task<IResult> GroupsAsync(HttpContext context, DeliveryOverview list, CancellationToken ct)
    {
        var filter = DeliveryFilter.Read(name => name is "state" or "before" ? null : context.Request.Query[name].ToString(), out var wrong);
        return wrong is not null
            ? Problems.BadParameter(wrong)
            : TypedResults.Ok(new { items = (await list.GroupsAsync(context.Actor(), filter, MaxGroups, ct)).Select(g => new { g.PartnerId, g.Partner, g.Channel, g.State, g.Why, g.Count, g.Late, g.Oldest, g.Newest, g.Next, rows = g.Rows.ToQueryString() }) });
    }

    // The API names states as they are stored, and besides those that only lists have.
    public static string? StateOf(string? stored) => stored switch { "delivered" => "taken", "due" => "open", _ => stored };

    private static async Task<IResult> FindAsync(HttpContext context, long id, DeliveryOverview list, CancellationToken ct) =>
        await list.FindAsync(context.Actor(), id, ct) is { } row
            ? TypedResults.Ok(DeliveryItem.Of(row) with
            {
                Composing = ComposingItem.Of(await list.ComposingAsync(context.Actor(), id, ct)), Acknowledgements = await list.AcknowledgementsAsync(context.Actor(), id, ct),
            })
            : Problems.NotFound("such delivery");

    private static async Task<IResult> AttemptsAsync(HttpContext context, long id, DeliveryOverview list, CancellationToken ct) =>
        await list.FindAsync(context.Actor(), id, ct) is null
            ? Problems.NotFound("such delivery")
            : TypedResults.Ok(new { items = (await list.AttemptsAsync(context.Actor(), id, ct)).Reverse().Select(AttemptItem.Of), next = (string?)null });

    private static async Task<IResult> HoldAsync(HttpContext context, long id, HoldRequest? request, DeliveryDecisions decisions, DeliveryOverview list, CancellationToken ct) =>
        DeliveryHold.TryReadUntil(request?.Until, out var until)
            ? await DecideAsync(context, id, request is null ? null : new DecisionRequest(request.Reason, request.Version),
                (actor, delivery, version, reason, stop) => decisions.HoldAsync(actor, delivery, version, reason, until, stop), list, ct)
            : Problems.Invalid(DeliveryHold.UntilUnknown);

    private static async Task<IResult> DecideAsync(HttpContext context, long id, DecisionRequest? request, Decision decide, DeliveryOverview list, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(request?.Reason))
        {
            return Problems.ReasonMissing();
        }
        if (await list.FindAsync(context.Actor(), id, ct) is null)
        {
            return Problems.NotFound("such delivery");
        }
        var decided = await decide(context.Actor(), id, request.Version, request.Reason, ct);
        return decided.Refusal is { } refusal
            ? Problems.NotDecidable(refusal)
            : TypedResults.Ok(DeliveryItem.Of((await list.FindAsync(context.Actor(), decided.Created ?? id, ct))!));
    }
}
