using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Http;
using Gateway.MasterData;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;

namespace Gateway.Query;

/// <summary>Events as an EPCISQueryDocument; row security leaves callers their own.</summary>
public static class QueryEndpoints
{
    public static void MapQuery(this IEndpointRouteBuilder app)
    {
        app.MapGet("/events", EventsAsync).RequireAuthorization(Permissions.ReadEvents);
        app.MapGet("/events/{eventId}", EventAsync).RequireAuthorization(Permissions.ReadEvents);
        app.MapMethods("/events", ["OPTIONS"], Options).RequireAuthorization(Permissions.ReadEvents);
        app.MapMethods("/events/{eventId}", ["OPTIONS"], Options).RequireAuthorization(Permissions.ReadEvents);
    }

    private static IResult Options(HttpContext context) => EpcisHeaders.Discovery(context.Response, "GET, OPTIONS");

    private static async Task<IResult> EventsAsync(HttpContext context, GatewayDatabase database, KnownMasterData masterData, ILoggerFactory logs, CancellationToken ct)
    {
        if (AnswerForm.Read(context, out var form) is { } refusal)
        {
            return refusal;
        }
        if (!Paging.TryReadSize(context.Request.Query, out var size))
        {
            return Problems.BadParameter(Paging.Rule);
        }
        if (Position(context.Request) is not { } position)
        {
            return Problems.BadPageToken("The nextPageToken is not one of this server, or the query's parameters are not those it was given for. Follow the Link header as it is.");
        }
        if (EventFilter.Read(QueryHelpers.ParseQuery(position.Query), out var filter) is { } wrong)
        {
            return Problems.BadParameter(wrong);
        }
        if (await PageAsync(database, context.Actor(), filter, position, size, ct) is not { } page)
        {
            return Problems.BadPageToken("The nextPageToken has expired. Ask again from the start.");
        }
        if (page.Next is { } next)
        {
            Paging.WriteNext(context, next.ToToken(), DateTimeOffset.FromUnixTimeSeconds(next.Expires));
        }
        await EventAnswer.WriteAsync(context.Response, database, context.Actor(), page.EventIds, page.Now, form, (await masterData.ReadAsync(ct)).Prefixes, logs.CreateLogger(typeof(EventAnswer)), ct);
        return Results.Empty;
    }

    private static async Task<EventPage?> PageAsync(GatewayDatabase database, Actor actor, EventFilter filter, EventPosition position, int size, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor, ct);
        return await EventPages.ReadAsync(work, filter, position, size);
    }

    /// <summary>The event and the declarations that retract it; of an id that several parties claim, what the caller may see.</summary>
    private static async Task<IResult> EventAsync(HttpContext context, string eventId, GatewayDatabase database, KnownMasterData masterData, ILoggerFactory logs, CancellationToken ct)
    {
        if (AnswerForm.Read(context, out var form) is { } refusal)
        {
            return refusal;
        }
        // Routing leaves %2F in a segment as it was, because it would part it.
        var id = eventId.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
        var (ids, now) = await NamedAsync(database, context.Actor(), id, ct);
        if (ids.Length == 0)
        {
            return Problems.NotFound("event with this eventID");
        }
        await EventAnswer.WriteAsync(context.Response, database, context.Actor(), ids, now, form, (await masterData.ReadAsync(ct)).Prefixes, logs.CreateLogger(typeof(EventAnswer)), ct);
        return Results.Empty;
    }

    private static async Task<(long[] EventIds, DateTime Now)> NamedAsync(GatewayDatabase database, Actor actor, string id, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor, ct);
        var ids = await work.Connection.QueryAsync<long>("select event_id from event where event_uri = @id and not internal order by event_id limit 1000", new { id }, work.Transaction);
        return ([.. ids], await work.Connection.ExecuteScalarAsync<DateTime>("select gateway_now()", transaction: work.Transaction));
    }

    /// <returns>Null when the token is not one of ours, or is not for this query.</returns>
    private static EventPosition? Position(HttpRequest request)
    {
        var query = new QueryBuilder(request.Query.Where(q => !EventFilter.IsOfPaging(q.Key)).OrderBy(q => q.Key, StringComparer.Ordinal)).ToString();
        if (request.Query["nextPageToken"].FirstOrDefault() is not { } token)
        {
            return new EventPosition(query, null, null, 0, long.MaxValue);
        }
        return EventPosition.OfToken(token) is { } position && (query.Length == 0 || query == position.Query) ? position : null;
    }
}
