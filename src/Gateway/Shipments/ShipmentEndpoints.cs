using Gateway.Alarms;
using System.Text;
using Epcis.Identifiers;
using Gateway.Access;
using Gateway.Http;
using Gateway.Scheduling;
using Gateway.Units;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Shipments;

public static class ShipmentEndpoints
{
    private const int Page = 1_000;

    public static IServiceCollection AddShipments(this IServiceCollection services) => services
        .AddSingleton<FindShippedUnits>().AddSingleton<HearNews>().AddSingleton<JudgeAnswers>().AddSingleton<AnswerDeadlines>()
        .AddSingleton<Reconciliation>().AddSingleton<UnreportedSerials>().AddSingleton<CustodyReport>()
        .AddChore<FollowShipments>("follow-shipments", TimeSpan.FromMinutes(1))
        .AddChore<ReconcileDeliveries>("reconcile-deliveries", TimeSpan.FromMinutes(10))
        .AddAlarm(ShipmentAlarms.Owed).AddAlarm(ShipmentAlarms.Uneven);

    public static void MapShipments(this IEndpointRouteBuilder app)
    {
        app.MapGet("/api/reconciliation", ReconciliationAsync).RequireAuthorization(Permissions.ReadPartners);
        app.MapGet("/api/unreported-serials", UnreportedAsync).RequireAuthorization(Permissions.ReadPartners);
        app.MapGet("/api/units/custody", CustodyAsync).RequireAuthorization(Permissions.ReadUnits);
    }

    /// <summary>Reads what an address or a command line says.</summary>
    /// <param name="wrong">A sentence when a value cannot be.</param>
    public static ReconciliationFilter Read(string? partner, string? gtin, string? lot, string? gaps, out string? wrong)
    {
        var product = string.IsNullOrWhiteSpace(gtin) ? null : Gtin.Parse(gtin).Value?.Value;
        var gln = string.IsNullOrWhiteSpace(partner) ? null : Gln.TryFromAny(partner, out var known) ? known : null;
        wrong = !string.IsNullOrWhiteSpace(gtin) && product is null ? "gtin is a GTIN with its check digit."
            : !string.IsNullOrWhiteSpace(partner) && gln is null ? "partner is a GLN with its check digit."
            : lot?.Length > 200 || lot?.Contains('\0', StringComparison.Ordinal) == true ? "lot is shorter."
            : gaps is not (null or "" or "true" or "false") ? "gaps is true or false." : null;
        return new ReconciliationFilter(gln, product, string.IsNullOrWhiteSpace(lot) ? null : lot.Trim(), gaps == "true");
    }

    private static async Task<IResult> ReconciliationAsync(HttpContext context, Reconciliation reconciliation, string? partner, string? gtin, string? lot, string? gaps, string? format, int? limit, string? cursor, CancellationToken ct)
    {
        var filter = Read(partner, gtin, lot, gaps, out var wrong);
        var after = cursor is null ? null : ReconciliationCursor.Read(cursor);
        wrong ??= format is not (null or "csv" or "json") ? "format is csv or json." : limit is < 1 or > 200 ? "limit is 1 to 200." : cursor is not null && after is null || cursor?.Contains('\0', StringComparison.Ordinal) == true ? "cursor is not one of ours." : null;
        if (wrong is not null)
        {
            return Problems.BadParameter(wrong);
        }
        if (format == "csv")
        {
            return Results.Stream(body => WriteAsync(body, reconciliation, context.Actor(), filter, ct), "text/csv; charset=utf-8", "reconciliation.csv");
        }
        var take = limit ?? 50;
        var rows = await reconciliation.ListAsync(context.Actor(), filter, after, take + 1, ct);
        return TypedResults.Ok(new { items = rows.Take(take), next = rows.Count > take ? ReconciliationCursor.After(rows[take - 1]) : null });
    }

    // All of it, page by page.
    private static async Task WriteAsync(Stream body, Reconciliation reconciliation, Actor reader, ReconciliationFilter filter, CancellationToken ct)
    {
        await using var writer = new StreamWriter(body, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\r\n" };
        await writer.WriteLineAsync(ReconciliationCsv.Header);
        for (IReadOnlyList<ReconciledLot> page = await reconciliation.ListAsync(reader, filter, null, Page, ct); page.Count > 0; page = page.Count < Page ? [] : await reconciliation.ListAsync(reader, filter, ReconciliationCursor.Of(page[^1]), Page, ct))
        {
            foreach (var lot in page)
            {
                await writer.WriteLineAsync(ReconciliationCsv.Row(lot));
            }
        }
    }

    private static async Task<IResult> CustodyAsync(HttpContext context, string? epc, CustodyReport custody, CancellationToken ct) =>
        UnitIdentifier.Read(epc ?? "", out var wrong) is not { } key ? Problems.NoUnit(wrong!)
        : await custody.OfAsync(context.Actor(), key, context.User.Has(Permissions.ReadDeliveries), ct) is { } report ? TypedResults.Ok(report)
        : Problems.NotFound("such unit");

    private static async Task<IResult> UnreportedAsync(HttpContext context, UnreportedSerials serials, int? limit, string? cursor, CancellationToken ct)
    {
        if (limit is < 1 or > 200)
        {
            return Problems.BadParameter("limit is 1 to 200.");
        }
        return await serials.ListAsync(context.Actor(), cursor, limit ?? 50, ct) is { } page
            ? TypedResults.Ok(new { items = page.Items, next = page.Next })
            : Problems.BadParameter("cursor is not one of ours.");
    }
}
