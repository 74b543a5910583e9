using System.Globalization;
using System.Text;
using Dapper;
using Epcis.Formats.JsonLd;
using Epcis.Identifiers;
using Gateway.Access;
using Gateway.Database;
using Gateway.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;
using Npgsql;

namespace Gateway.Query;

/// <summary>Events as an EPCISQueryDocument, streamed as they were rendered at capture; row security leaves callers their own.</summary>
public static class QueryEndpoints
{
    // The parts of MATCH_epc (EPCIS 2.0, SimpleEventQuery): epcList and childEPCs. MATCH_anyEPC looks everywhere.
    private static readonly short[] EpcRoles = [1, 3];
    private static readonly short[] AnyRoles = [1, 2, 3, 4, 5];

    public static void MapQuery(this IEndpointRouteBuilder app)
    {
        app.MapGet("/events", EventsAsync).RequireAuthorization(Permissions.ReadEvents);
        app.MapGet("/events/{eventId}", EventAsync).RequireAuthorization(Permissions.ReadEvents);
    }

    private static async Task<IResult> EventsAsync(HttpContext context, GatewayDatabase database, CancellationToken ct)
    {
        EpcisHeaders.Write(context.Response);
        if (!AcceptsJson(context.Request))
        {
            return Problems.NotAcceptable("Events are answered as application/json or application/ld+json.");
        }
        if (!Paging.TryRead(context.Request.Query, out var page))
        {
            return Problems.BadParameter(Paging.Rule);
        }
        var (where, values, wrong) = Filter(context.Request.Query);
        if (wrong is not null)
        {
            return Problems.BadParameter(wrong);
        }
        values.Add("beyond", page.Beyond ?? -1);
        values.Add("limit", page.Size + 1);
        await using var work = await database.BeginAsync(context.Actor(), ct);
        var ids = (await work.Connection.QueryAsync<long>($"select e.event_id from event e where e.event_id > @beyond{where} order by e.event_id limit @limit", values, work.Transaction)).AsList();
        Paging.WriteNext(context, ids.Count > page.Size ? ids[page.Size - 1] : null);
        await WriteAsync(context.Response, work, [.. ids.Take(page.Size)], ct);
        return Results.Empty;
    }

    /// <summary>The event and the declarations that retract it.</summary>
    private static async Task<IResult> EventAsync(HttpContext context, string eventId, GatewayDatabase database, CancellationToken ct)
    {
        EpcisHeaders.Write(context.Response);
        if (!AcceptsJson(context.Request))
        {
            return Problems.NotAcceptable("Events are answered as application/json or application/ld+json.");
        }
        // Routing leaves %2F in a segment as it was, because it would part it.
        var id = eventId.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
        await using var work = await database.BeginAsync(context.Actor(), ct);
        var ids = (await work.Connection.QueryAsync<long>("select event_id from event where event_uri = @id order by event_id limit 1000", new { id }, work.Transaction)).AsList();
        if (ids.Count == 0)
        {
            return Problems.NotFound("event with this eventID");
        }
        await WriteAsync(context.Response, work, [.. ids], ct);
        return Results.Empty;
    }

    private static (string Where, DynamicParameters Values, string? Wrong) Filter(IQueryCollection query)
    {
        var where = new StringBuilder();
        var values = new DynamicParameters();
        foreach (var (name, given) in query)
        {
            var text = given.ToString();
            switch (name)
            {
                case "perPage" or "limit" or "nextPageToken":
                    break;
                case "eventType":
                    where.Append(" and e.event_type = any(@types)");
                    values.Add("types", text.Split('|'));
                    break;
                case "MATCH_epc" or "MATCH_anyEPC":
                    if (text.Contains("urn:epc:idpat:", StringComparison.OrdinalIgnoreCase))
                    {
                        return ("", values, $"{name} takes EPCs here, no patterns.");
                    }
                    where.Append(CultureInfo.InvariantCulture, $" and e.event_id in (select x.event_id from event_epc x where x.epc = any(@{name}) and x.role = any(@{name}_roles))");
                    values.Add(name, text.Split('|').Select(v => EpcKey.Normalise(v)).ToArray());
                    values.Add(name + "_roles", name == "MATCH_epc" ? EpcRoles : AnyRoles);
                    break;
                case "GE_eventTime" or "LT_eventTime":
                    if (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
                    {
                        return ("", values, $"{name} is a time such as 2026-01-31T12:00:00Z.");
                    }
                    where.Append(CultureInfo.InvariantCulture, $" and e.event_time {(name[0] == 'G' ? ">=" : "<")} @{name}");
                    values.Add(name, time.UtcDateTime);
                    break;
                default:
                    return ("", values, $"There is no parameter {name}.");
            }
        }
        return (where.ToString(), values, null);
    }

    private static async Task WriteAsync(HttpResponse response, Work work, long[] ids, CancellationToken ct)
    {
        response.ContentType = "application/json";
        var now = await work.Connection.ExecuteScalarAsync<DateTime>("select gateway_now()", transaction: work.Transaction);
        await using var document = new JsonQueryDocumentWriter(response.Body);
        document.Begin("SimpleEventQuery", now);
        await using (var select = new NpgsqlCommand("select body, record_time from event where event_id = any($1) order by event_id", work.Connection, work.Transaction) { Parameters = { new() { Value = ids } } })
        await using (var rows = await select.ExecuteReaderAsync(ct))
        {
            while (await rows.ReadAsync(ct))
            {
                await document.EventAsync(WithRecordTime(rows.GetString(0), rows.GetDateTime(1)), ct);
            }
        }
        await document.EndAsync(ct);
    }

    // The rendering is stored without recordTime, which is known only when it is stored; it begins with '{' and is not empty.
    private static byte[] WithRecordTime(string body, DateTime recordTime) =>
        Encoding.UTF8.GetBytes(string.Concat("{\"recordTime\":\"", recordTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture), "\",", body.AsSpan(1)));

    private static bool AcceptsJson(HttpRequest request)
    {
        if (!MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var accepted) || accepted.Count == 0)
        {
            return true;
        }
        return accepted.Any(a => a.Quality is not 0 && a.MediaType.Value?.ToLowerInvariant() is "*/*" or "application/*" or "application/json" or "application/ld+json");
    }
}
