using System.Globalization;
using Gateway.Access;
using Gateway.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Exceptions;

/// <param name="Version">Of the exception as it was seen; when it has changed since, nothing is done.</param>
public sealed record ExceptionDecisionRequest(string? Reason, int? Version);

/// <param name="To">A person or a team by name; null: nobody in particular.</param>
public sealed record AssignmentRequest(string? To, string? Reason, int? Version);

/// <param name="Version">Of the exception as it was seen; with it, a note that is sent twice is added once.</param>
public sealed record NoteRequest(string? Text, int? Version);

public static class ExceptionEndpoints
{
    private delegate Task<string?> Decision(Actor actor, Guid id, int? version, string reason, CancellationToken ct);

    public static IServiceCollection AddExceptions(this IServiceCollection services) => services.AddSingleton<ExceptionList>().AddSingleton<ExceptionDecisions>();

    public static void MapExceptions(this IEndpointRouteBuilder app)
    {
        var exceptions = app.MapGroup("/api/exceptions");
        exceptions.MapGet("", ListAsync).RequireAuthorization(Permissions.ReadExceptions);
        exceptions.MapGet("/{id:guid}", FindAsync).RequireAuthorization(Permissions.ReadExceptions);
        Map("resolve", d => d.ResolveAsync);
        Map("dismiss", d => d.DismissAsync);
        Map("reopen", d => d.ReopenAsync);
        exceptions.MapPost("/{id:guid}/assign", AssignAsync).RequireAuthorization(Permissions.DecideExceptions);
        exceptions.MapPost("/{id:guid}/notes", NoteAsync).RequireAuthorization(Permissions.DecideExceptions);

        void Map(string verb, Func<ExceptionDecisions, Decision> decision) =>
            exceptions.MapPost($"/{{id:guid}}/{verb}", (HttpContext context, Guid id, ExceptionDecisionRequest? request, ExceptionDecisions decisions, ExceptionList list, CancellationToken ct) =>
                DecideAsync(context, id, request?.Version, request?.Reason, decision(decisions), list, ct)).RequireAuthorization(Permissions.DecideExceptions);
    }

    private static async Task<IResult> ListAsync(HttpContext context, ExceptionList list, int? limit, CancellationToken ct)
    {
        var filter = ExceptionFilter.Read(name => context.Request.Query[name == "before" ? "cursor" : name], out var wrong);
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
        return TypedResults.Ok(new { items = rows.Take(take).Select(ExceptionItem.Of), next = rows.Count > take ? rows[take - 1].Cursor.ToString(CultureInfo.InvariantCulture) : null });
    }

    private static async Task<IResult> FindAsync(HttpContext context, Guid id, ExceptionList list, string? after, int? limit, CancellationToken ct)
    {
        if (limit is < 1 or > 200)
        {
            return Problems.BadParameter("limit is 1 to 200.");
        }
        return await list.DetailsAsync(context.Actor(), id, after, limit ?? 50, ct) is { } details ? TypedResults.Ok(details) : Problems.NotFound("such exception");
    }

    private static Task<IResult> AssignAsync(HttpContext context, Guid id, AssignmentRequest? request, ExceptionDecisions decisions, ExceptionList list, CancellationToken ct) =>
        DecideAsync(context, id, request?.Version, request?.Reason, (actor, exception, version, reason, stop) => decisions.AssignAsync(actor, exception, version, reason, request!.To, stop), list, ct);

    private static Task<IResult> NoteAsync(HttpContext context, Guid id, NoteRequest? request, ExceptionDecisions decisions, ExceptionList list, CancellationToken ct) =>
        string.IsNullOrWhiteSpace(request?.Text)
            ? Task.FromResult<IResult>(Problems.Invalid("A note needs its text: {\"text\":\"…\"}."))
            : DecideAsync(context, id, request.Version, request.Text, decisions.NoteAsync, list, ct);

    private static async Task<IResult> DecideAsync(HttpContext context, Guid id, int? version, string? reason, Decision decide, ExceptionList list, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(reason))
        {
            return Problems.ReasonMissing();
        }
        if (await list.FindAsync(context.Actor(), id, ct) is null)
        {
            return Problems.NotFound("such exception");
        }
        return await decide(context.Actor(), id, version, reason, ct) is { } refusal
            ? Problems.ExceptionNotDecidable(refusal)
            : TypedResults.Ok(ExceptionItem.Of((await list.FindAsync(context.Actor(), id, ct))!));
    }
}
