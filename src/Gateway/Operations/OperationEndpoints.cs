using System.Globalization;
using Gateway.Access;
using Gateway.Delivery;
using Gateway.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Gateway.Operations;

/// <param name="Filter">The parameters of <c>GET /api/deliveries</c>.</param>
public sealed record NewOperation(string? Kind, Dictionary<string, string>? Filter, string? Reason, int? Rate, string? Confirm);

public sealed record Progress(long Done, long Total);

/// <summary>An operation as the API tells it.</summary>
public sealed record OperationView(
    long Id, string Kind, string State, string? PauseReason, string Partner, string Filter, string Selection, string Reason, string RequestedBy, int Rate,
    Progress Progress, long Applied, long Refused, long Cancelled, DateTime CreatedAt, DateTime? FinishedAt)
{
    public static OperationView Of(OperationRow o) => new(
        o.OperationId, o.Kind, o.State, o.PauseReason, o.PartnerName, o.Filter, o.FilterWords, o.Reason, o.Actor, o.Rate, new Progress(o.Ended, o.Total), o.Done, o.Refused, o.Cancelled, o.CreatedAt, o.FinishedAt);
}

public static class OperationEndpoints
{
    private delegate Task<bool> Change(Actor actor, long operationId, string reason, CancellationToken ct);

    public static void MapOperations(this IEndpointRouteBuilder app)
    {
        var operations = app.MapGroup("/api/operations");
        operations.MapPost("", BeginAsync).RequireAuthorization(Permissions.Decide);
        operations.MapGet("", ListAsync).RequireAuthorization(Permissions.ReadDeliveries);
        operations.MapGet("/{id:long}", FindAsync).RequireAuthorization(Permissions.ReadDeliveries);
        operations.MapGet("/{id:long}/items", ItemsAsync).RequireAuthorization(Permissions.ReadDeliveries);
        Map("pause", c => c.PauseAsync);
        Map("resume", c => c.ResumeAsync);
        Map("cancel", c => c.CancelAsync);

        void Map(string verb, Func<OperationControl, Change> change) =>
            operations.MapPost($"/{{id:long}}/{verb}", (HttpContext context, long id, DecisionRequest? request, OperationControl control, OperationOverview list, CancellationToken ct) =>
                ChangeAsync(context, id, request, change(control), list, ct)).RequireAuthorization(Permissions.Decide);
    }

    private static async Task<IResult> BeginAsync(HttpContext context, NewOperation? request, BeginOperation begin, OperationOverview list, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(request?.Reason))
        {
            return Problems.ReasonMissing();
        }
        if (context.Request.Headers["Idempotency-Key"].ToString() is not { Length: >= 1 and <= 255 } key)
        {
            return Problems.BadKey();
        }
        var filter = DeliveryFilter.Read(name => name == "state" ? DeliveryEndpoints.StateOf(request.Filter?.GetValueOrDefault(name)) : request.Filter?.GetValueOrDefault(name), out var wrong);
        if (wrong is not null)
        {
            return Problems.Invalid(wrong);
        }
        var begun = await begin.RunAsync(context.Actor(), new OperationRequest(key, request.Kind ?? "", filter, request.Reason, request.Rate, request.Confirm), ct);
        switch (begun.Refused)
        {
            case Refused.None:
                break;
            case Refused.KeyReused:
                return Problems.KeyReused();
            case Refused.Nothing:
                return Problems.NothingToDo(begun.Detail!);
            case Refused.TooMany:
                return Problems.TooManyDeliveries(begun.Detail!);
            case Refused.NotSigned:
                return Problems.NotSigned(begun.Detail!);
            case Refused.NotConfirmed:
                return Problems.NotConfirmed(begun.Detail!);
            default:
                return Problems.Invalid(begun.Detail!);
        }
        if (!begun.IsNew)
        {
            context.Response.Headers["Idempotency-Replayed"] = "true";
        }
        return TypedResults.Accepted($"/api/operations/{begun.OperationId.ToString(CultureInfo.InvariantCulture)}", OperationView.Of((await list.FindAsync(context.Actor(), begun.OperationId, ct))!));
    }

    private static async Task<IResult> ListAsync(HttpContext context, OperationOverview list, int? limit, long? cursor, CancellationToken ct)
    {
        if (limit is < 1 or > 200)
        {
            return Problems.BadParameter("limit is 1 to 200.");
        }
        var take = limit ?? 50;
        var rows = await list.ListAsync(context.Actor(), cursor, take + 1, ct);
        var items = rows.Take(take).Select(OperationView.Of).ToList();
        return TypedResults.Ok(new { items, next = rows.Count > take ? items[^1].Id.ToString(CultureInfo.InvariantCulture) : null });
    }

    private static async Task<IResult> FindAsync(HttpContext context, long id, OperationOverview list, CancellationToken ct) =>
        await list.FindAsync(context.Actor(), id, ct) is { } row ? TypedResults.Ok(OperationView.Of(row)) : Problems.NotFound("such operation");

    private static async Task<IResult> ItemsAsync(HttpContext context, long id, OperationOverview list, string? outcome, int? limit, int? cursor, CancellationToken ct)
    {
        if (outcome is not (null or "pending" or "done" or "refused" or "cancelled") || limit is < 1 or > 200)
        {
            return Problems.BadParameter("outcome is pending, done, refused or cancelled; limit is 1 to 200.");
        }
        if (await list.FindAsync(context.Actor(), id, ct) is null)
        {
            return Problems.NotFound("such operation");
        }
        var take = limit ?? 50;
        var rows = await list.ItemsAsync(context.Actor(), id, outcome, cursor ?? 0, take + 1, ct);
        var items = rows.Take(take).Select(i => new { delivery = i.DeliveryId, i.Stage, i.Outcome, i.Detail, i.Created, i.EndedAt }).ToList();
        return TypedResults.Ok(new { items, next = rows.Count > take ? rows[take - 1].Ordinal.ToString(CultureInfo.InvariantCulture) : null });
    }

    private static async Task<IResult> ChangeAsync(HttpContext context, long id, DecisionRequest? request, Change change, OperationOverview list, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(request?.Reason))
        {
            return Problems.ReasonMissing();
        }
        if (await list.FindAsync(context.Actor(), id, ct) is null)
        {
            return Problems.NotFound("such operation");
        }
        return await change(context.Actor(), id, request.Reason, ct)
            ? TypedResults.Ok(OperationView.Of((await list.FindAsync(context.Actor(), id, ct))!))
            : Problems.OperationOver();
    }
}
