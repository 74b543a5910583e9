using Gateway.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Gateway.Access;

/// <param name="Role">The first role; null for none yet.</param>
/// <param name="AccessDays">Ends the access after so many days; null: no end.</param>
public sealed record PersonRequest(string? UserName, string? Name, string? Role, int? AccessDays, string? Reason);

public sealed record PersonDecision(string? Reason);

/// <summary>People who sign in. A temporary password is in the answer that made it and nowhere else.</summary>
public static class PersonEndpoints
{
    public static void MapPeople(this IEndpointRouteBuilder app)
    {
        var people = app.MapGroup("/api/people").RequireAuthorization(Permissions.ManagePeople);
        people.MapGet("", ListAsync);
        people.MapPost("", AddAsync);
        people.MapPost("/{userName}/disable", DisableAsync);
        people.MapPost("/{userName}/enable", EnableAsync);
    }

    private static async Task<IResult> ListAsync(HttpContext context, People people, int? limit, string? cursor, CancellationToken ct)
    {
        if (limit is < 1 or > 200)
        {
            return Problems.BadParameter("limit is 1 to 200.");
        }
        var take = limit ?? 50;
        var rows = await people.ListAsync(context.Actor(), cursor, take + 1, ct);
        return TypedResults.Ok(new
        {
            items = rows.Take(take).Select(p => new { p.UserName, name = p.DisplayName, p.Party, p.State, p.Locked, p.MustChange, p.HasSecondFactor, p.AccessUntil, p.SignedInAt, p.Roles }),
            next = rows.Count > take ? rows[take - 1].UserName : null,
        });
    }

    private static async Task<IResult> AddAsync(HttpContext context, PersonRequest request, People people, CancellationToken ct)
    {
        if (request.AccessDays is < 1 or > 3650)
        {
            return Problems.Invalid("accessDays is 1 to 3650.");
        }
        var actor = context.Actor();
        var answer = await people.AddAsync(actor, actor.PartyId!.Value, request.UserName ?? "", request.Name ?? "", request.Role,
            request.AccessDays is { } days ? TimeSpan.FromDays(days) : null, request.Reason ?? "", ct);
        return answer.Refusal is { } refusal
            ? Problems.Invalid(refusal)
            : TypedResults.Json(new { userName = request.UserName!.Trim(), temporaryPassword = answer.TemporaryPassword }, statusCode: StatusCodes.Status201Created);
    }

    private static Task<IResult> DisableAsync(HttpContext context, string userName, PersonDecision? decision, People people, CancellationToken ct) =>
        DecideAsync(context, userName, decision, people.DisableAsync, ct);

    private static Task<IResult> EnableAsync(HttpContext context, string userName, PersonDecision? decision, People people, CancellationToken ct) =>
        DecideAsync(context, userName, decision, people.EnableAsync, ct);

    private static async Task<IResult> DecideAsync(HttpContext context, string userName, PersonDecision? decision, Func<Actor, string, string, CancellationToken, Task<PersonAnswer>> decide, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(decision?.Reason))
        {
            return Problems.ReasonMissing();
        }
        var answer = await decide(context.Actor(), userName, decision.Reason, ct);
        return answer.Refusal is not { } refusal ? TypedResults.NoContent() : answer.IsUnknown ? Problems.NotFound("such person") : Problems.PersonNotChanged(refusal);
    }
}
