using System.Text;
using System.Text.Json;
using Gateway.Access;
using Gateway.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Gateway.Units;

/// <summary>What is recalled: gtin and lot; gtin, from and to; container; or partner. See <see cref="RecallAsk"/>.</summary>
public sealed record RecallRequest(string? Gtin, string? Lot, string? From, string? To, string? Container, string? Partner);

public static class RecallEndpoints
{
    private static readonly string[] Columns =
        ["epc", "gtin", "serial", "lot", "state", "standing", "holderGln", "holder", "holderName", "place", "parent", "top", "lastAt", "captureID"];

    public static void MapRecalls(this IEndpointRouteBuilder app) => app.MapPost("/api/recalls/scope", ScopeAsync).RequireAuthorization(Permissions.ReadUnits);

    /// <summary>The wire's view of an answer; the command line prints the same.</summary>
    public static object View(RecallAnswer a) => new
    {
        recalled = a.Ask.ToString(), a.Units, a.Unplaced, a.Holders, documents = a.Documents.Select(d => new { captureID = d.CaptureId, d.ReceivedAt, d.Units }), a.Phases,
        milliseconds = a.Phases.Sum(p => p.Milliseconds),
    };

    /// <summary>The wire's view of a unit.</summary>
    public static object View(RecallUnit u) => new
    {
        u.Epc, u.Gtin, u.Serial, u.Lot, u.State, u.Standing, holderGln = u.Gln, u.Holder, holderName = u.Name, u.Place, u.Parent, u.Top, u.LastAt, captureID = u.CaptureId,
    };

    /// <summary>Writes the units as CSV, with a heading, or as one JSON array.</summary>
    public static async Task WriteAsync(Stream body, IAsyncEnumerable<RecallUnit> units, bool asJson, CancellationToken ct)
    {
        if (asJson)
        {
            await JsonSerializer.SerializeAsync(body, units.Select(View), JsonSerializerOptions.Web, ct);
            return;
        }
        await using var writer = new StreamWriter(body, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\r\n" };
        await writer.WriteLineAsync(string.Join(',', Columns));
        await foreach (var u in units.WithCancellation(ct))
        {
            await writer.WriteLineAsync(Csv.Row((object?[])[u.Epc, u.Gtin, u.Serial, u.Lot, u.State, u.Standing, u.Gln, u.Holder, u.Name, u.Place, u.Parent, u.Top, u.LastAt, u.CaptureId]));
        }
    }

    private static Task<IResult> ScopeAsync(HttpContext context, RecallRequest? request, string? list, RecallScope scope, CancellationToken ct) => AnswerAsync(context, request, list, scope, ct);

    /// <summary>The sums, or the units as a list.</summary>
    /// <param name="list">csv or json; null: the sums.</param>
    public static async Task<IResult> AnswerAsync(HttpContext context, RecallRequest? request, string? list, RecallScope scope, CancellationToken ct)
    {
        if (list is not (null or "csv" or "json"))
        {
            return Problems.BadParameter("list is csv or json.");
        }
        var ask = RecallAsk.Read(request?.Gtin, request?.Lot, request?.From, request?.To, request?.Container, request?.Partner, out var wrong);
        if (ask is null)
        {
            return Problems.Invalid(wrong!);
        }
        var actor = context.Actor();
        var answer = await scope.RunAsync(actor, ask, ct);
        return list is null ? TypedResults.Ok(View(answer))
            : Results.Stream(body => WriteAsync(body, scope.UnitsAsync(actor, answer, ct), list == "json", ct), list == "json" ? "application/json" : "text/csv; charset=utf-8", $"recall.{list}");
    }
}
