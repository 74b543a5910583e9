using System.Globalization;
using Gateway.Access;
using Gateway.Http;
using Gateway.Units;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Gateway.Hub;

/// <param name="State">Exported, Sample, FreeSample, Locked, CheckedOut, Destroyed or Stolen; with <paramref name="Undo"/>: that is undone.</param>
/// <param name="Location">GLN of where it is done.</param>
/// <param name="Hub">The hub's GLN; may be left out where there is only one.</param>
public sealed record StateRequest(string? Gtin, string? Lot, IReadOnlyList<string>? Serials, string? State, bool? Undo, string? Location, string? Reason, bool? DryRun = null, string? Hub = null);

/// <param name="Markets">Left out: all.</param>
/// <param name="Confirm">The lot number, or for a withdrawal the GTIN, typed once more.</param>
/// <param name="Hub">The hub's GLN; may be left out where there is only one.</param>
public sealed record EndRequest(IReadOnlyList<string>? Markets, string? Confirm, string? Reason, bool? DryRun = null, string? Hub = null);

public sealed record OrderReason(string? Reason);

/// <summary>States of packs, recalls and withdrawals over REST. What can never be taken back is signed, which a key cannot do: that is done in the dashboard.</summary>
public static class OrderEndpoints
{
    public static void MapHubOrders(this IEndpointRouteBuilder app)
    {
        var hub = app.MapGroup("/api/hub");
        hub.MapGet("/orders", ListAsync).RequireAuthorization(Permissions.ReadHub);
        hub.MapGet("/orders/{order:int}", FindAsync).RequireAuthorization(Permissions.ReadHub);
        hub.MapGet("/orders/{order:int}/packs", PacksAsync).RequireAuthorization(Permissions.ReadHub);
        hub.MapGet("/orders/{order:int}/notices", NoticesAsync).RequireAuthorization(Permissions.ReadHub);
        hub.MapPost("/orders", ChangeAsync).RequireAuthorization(Permissions.OrderHub);
        hub.MapPost("/orders/{order:int}/decline", (HttpContext c, int order, OrderReason? r, PlaceOrders orders, CancellationToken ct) => DecideAsync(c, order, r, orders.DeclineAsync, ct)).RequireAuthorization(Permissions.OrderHub);
        hub.MapPost("/orders/{order:int}/again", (HttpContext c, int order, OrderReason? r, PlaceOrders orders, CancellationToken ct) => DecideAsync(c, order, r, orders.AgainAsync, ct)).RequireAuthorization(Permissions.OrderHub);
        hub.MapPost("/lots/{gtin}/{lot}/recall", RecallAsync).RequireAuthorization(Permissions.OrderHub);
        hub.MapPost("/products/{gtin}/withdraw", WithdrawAsync).RequireAuthorization(Permissions.OrderHub);
    }

    /// <summary>The wire's view of an order; the command line prints the same.</summary>
    public static object View(HubOrder o) => new
    {
        o.Id, o.Kind, o.Gtin, o.Lot, o.State, o.Location, o.Units, o.Status, o.EndedWhy, o.Reason, o.MadeBy, o.MadeAt, signatures = new { needed = o.Needs, by = o.Signers }, o.ConfirmedAt, o.ToldAt, o.UndoUntil, o.Failed, o.Delivery, o.Markets,
    };

    private static async Task<IResult> ListAsync(HttpContext context, Hubs hubs, HubOrders orders, string? hub, string? gtin, string? lot, string? kind, string? status, bool? open, bool? undoable, int? limit, int? cursor, CancellationToken ct)
    {
        if (limit is < 1 or > 200)
        {
            return Problems.BadParameter("limit is 1 to 200.");
        }
        if (await hubs.OneAsync(context.Actor(), hub, ct) is not { } at)
        {
            return HubEndpoints.NoHub(hub);
        }
        var take = limit ?? 50;
        var filter = new OrderFilter(gtin is null ? null : LotEndpoints.KeyOf(gtin), lot, kind, status, open is true, undoable is true);
        var rows = await orders.ListAsync(context.Actor(), at.PartnerId, filter, cursor, take + 1, ct);
        return TypedResults.Ok(new { items = rows.Take(take).Select(View), next = rows.Count > take && !filter.Undoable ? rows[take - 1].Id.ToString(CultureInfo.InvariantCulture) : null });
    }

    private static async Task<IResult> FindAsync(HttpContext context, int order, HubOrders orders, CancellationToken ct) =>
        await orders.FindAsync(context.Actor(), order, ct) is { } found ? TypedResults.Ok(View(found)) : Problems.NotFound("such order");

    private static async Task<IResult> NoticesAsync(HttpContext context, int order, HubOrders orders, CancellationToken ct) =>
        await orders.FindAsync(context.Actor(), order, ct) is { } found ? TypedResults.Ok(new { found.ToldAt, items = await orders.NoticesAsync(context.Actor(), order, ct) }) : Problems.NotFound("such order");

    private static async Task<IResult> PacksAsync(HttpContext context, int order, HubOrders orders, int? limit, string? cursor, CancellationToken ct)
    {
        if (limit is < 1 or > 1_000)
        {
            return Problems.BadParameter("limit is 1 to 1000.");
        }
        if (await orders.FindAsync(context.Actor(), order, ct) is null)
        {
            return Problems.NotFound("such order");
        }
        var take = limit ?? 200;
        var rows = await orders.PacksAsync(context.Actor(), order, cursor, take + 1, ct);
        return TypedResults.Ok(new { items = rows.Take(take), next = rows.Count > take ? rows[take - 1].Serial : null });
    }

    private static async Task<IResult> ChangeAsync(HttpContext context, StateRequest? request, Hubs hubs, PlaceOrders orders, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(request?.Reason))
        {
            return Problems.ReasonMissing();
        }
        if ((request switch { { Gtin: null } => "gtin", { Lot: null } => "lot", { State: null } => "state", { Location: null } => "location", { Serials: null } => "serials", _ => null }) is { } missing)
        {
            return Problems.Invalid($"{missing} is missing.");
        }
        if (await hubs.OneAsync(context.Actor(), request.Hub, ct) is not { } hub)
        {
            return HubEndpoints.NoHub(request.Hub);
        }
        return Answer(await orders.ChangeAsync(context.Actor(), hub, new StateAsk(LotEndpoints.KeyOf(request.Gtin!), request.Lot!, request.Serials!, request.State!, request.Undo is true, request.Location!), request.Reason, request.DryRun is true, ct));
    }

    private static async Task<IResult> RecallAsync(HttpContext context, string gtin, string lot, EndRequest? request, Hubs hubs, PlaceOrders orders, CancellationToken ct) =>
        string.IsNullOrWhiteSpace(request?.Reason) ? Problems.ReasonMissing()
        : await hubs.OneAsync(context.Actor(), request.Hub, ct) is not { } hub ? HubEndpoints.NoHub(request.Hub)
        : Answer(await orders.RecallAsync(context.Actor(), hub, LotEndpoints.KeyOf(gtin), LotEndpoints.NumberOf(lot), request.Markets, request.Confirm, request.Reason, request.DryRun is true, ct));

    private static async Task<IResult> WithdrawAsync(HttpContext context, string gtin, EndRequest? request, Hubs hubs, PlaceOrders orders, CancellationToken ct) =>
        string.IsNullOrWhiteSpace(request?.Reason) ? Problems.ReasonMissing()
        : await hubs.OneAsync(context.Actor(), request.Hub, ct) is not { } hub ? HubEndpoints.NoHub(request.Hub)
        : Answer(await orders.WithdrawAsync(context.Actor(), hub, LotEndpoints.KeyOf(gtin), request.Markets, request.Confirm, request.Reason, request.DryRun is true, ct));

    private static IResult Answer(Placed placed) => placed switch
    {
        { Refusal: { } refusal } => Problems.HubRefused(refusal),
        { Order: null } => TypedResults.Ok(new { placed.Units, placed.Needs, placed.Markets }),
        _ => TypedResults.Accepted(string.Create(CultureInfo.InvariantCulture, $"/api/hub/orders/{placed.Order}"), new { id = placed.Order, placed.Units, placed.Needs, placed.Markets }),
    };

    private static async Task<IResult> DecideAsync(HttpContext context, int order, OrderReason? request, Func<Actor, int, string, CancellationToken, Task<string?>> decide, CancellationToken ct) =>
        string.IsNullOrWhiteSpace(request?.Reason) ? Problems.ReasonMissing()
        : await decide(context.Actor(), order, request.Reason, ct) is { } refusal ? refusal == "There is no such order." ? Problems.NotFound("such order") : Problems.HubRefused(refusal)
        : TypedResults.NoContent();
}
