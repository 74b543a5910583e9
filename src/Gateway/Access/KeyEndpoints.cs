using Gateway.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Gateway.Access;

public sealed record RotateRequest(string? Reason, int? OverlapDays);

public sealed record RevokeRequest(string? Reason);

/// <summary>Keys of machines and people. A key's text is in the answer that made it and nowhere else.</summary>
public static class KeyEndpoints
{
    public static void MapKeys(this IEndpointRouteBuilder app)
    {
        var keys = app.MapGroup("/api/keys").RequireAuthorization(Permissions.ManageKeys);
        keys.MapGet("", ListAsync);
        keys.MapPost("", AddAsync);
        keys.MapPost("/{id}/rotate", RotateAsync);
        keys.MapPost("/{id}/revoke", RevokeAsync);
    }

    private static async Task<IResult> ListAsync(HttpContext context, ApiKeys keys, int? limit, string? cursor, CancellationToken ct)
    {
        if (limit is < 1 or > 200)
        {
            return Problems.BadParameter("limit is 1 to 200.");
        }
        var take = limit ?? 50;
        var rows = await keys.ListAsync(context.Actor(), ended: null, cursor, take + 1, ct);
        return TypedResults.Ok(new { items = rows.Take(take), next = rows.Count > take ? rows[take - 1].Id : null });
    }

    private static async Task<IResult> AddAsync(HttpContext context, KeyRequest request, AddKey add, RefusedCalls refused, CancellationToken ct)
    {
        var (token, refusal) = await add.AddAsync(context.Actor(), request, ct);
        return token is not null ? Shown(token) : refusal!.IsBeyondMaker ? BeyondMaker(context, refused, refusal.Sentence) : Problems.Invalid(refusal.Sentence);
    }

    private static async Task<IResult> RotateAsync(HttpContext context, string id, RotateRequest? request, ApiKeys keys, RefusedCalls refused, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(request?.Reason))
        {
            return Problems.ReasonMissing();
        }
        if (request.OverlapDays is < 0 or > 90)
        {
            return Problems.Invalid("overlapDays is 0 to 90.");
        }
        var (change, token) = await keys.RotateAsync(context.Actor() with { Reason = request.Reason }, id, TimeSpan.FromDays(request.OverlapDays ?? 7), ct);
        return change switch
        {
            KeyChange.Done => Shown(token!),
            KeyChange.BeyondMaker => BeyondMaker(context, refused, "Whoever rotates a key sees the new one, and this one may more than you."),
            _ => Refused(change),
        };
    }

    private static async Task<IResult> RevokeAsync(HttpContext context, string id, RevokeRequest? request, ApiKeys keys, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(request?.Reason))
        {
            return Problems.ReasonMissing();
        }
        var change = await keys.RevokeAsync(context.Actor() with { Reason = request.Reason }, id, ct);
        return change == KeyChange.Done ? TypedResults.NoContent() : Refused(change);
    }

    private static ProblemHttpResult BeyondMaker(HttpContext context, RefusedCalls refused, string detail)
    {
        var problem = Problems.BeyondMaker(detail);
        refused.NoteForbidden(context, problem);
        return problem;
    }

    private static IResult Shown(string token) => TypedResults.Json(new { id = token[4..token.IndexOf('.', StringComparison.Ordinal)], key = token }, statusCode: StatusCodes.Status201Created);

    private static IResult Refused(KeyChange change) => change == KeyChange.Unknown ? Problems.NotFound("such key") : Problems.KeyEnded();
}
