using System.Text;
using System.Text.Json;
using Dapper;
using Gateway.Access;
using Gateway.Audit;
using Gateway.Database;
using Gateway.Delivery;
using Microsoft.AspNetCore.Authorization;

namespace Gateway.Host.Dashboard.Deliveries;

/// <summary>The rows of a filtered list as a file. That somebody took them is in the trail before the first byte is.</summary>
static class DeliveryExport
{
    private const int PageSize = 1000;

    private static readonly string[] Columns =
        ["id", "state", "partner", "partnerName", "attempts", "reason", "code", "ordering", "document", "messageId", "receipt", "replayOf", "createdAt", "dueAt", "finishedAt", "heldBy", "heldWhy", "heldUntil", "why", "side", "needBy", "late"];

    public static void MapDeliveryExport(this IEndpointRouteBuilder app) =>
        // A browser's download does not ask for text/html, by which pages are told from the API: so the cookie is named.
        app.MapGet("/deliveries/export", ExportAsync).RequireAuthorization(new AuthorizeAttribute(Permissions.ReadDeliveries)
        {
            AuthenticationSchemes = $"{SessionAuthentication.SchemeName},{KeyAuthentication.SchemeName}",
        }).WithMetadata(new RecordsItself());

    private static async Task<IResult> ExportAsync(HttpContext context, string? format, DeliveryOverview list, GatewayDatabase database, CancellationToken ct)
    {
        var filter = DeliveryFilter.Read(name => name == "before" ? null : context.Request.Query[name].ToString(), out var wrong);
        if (wrong is not null || format is not (null or "csv" or "json"))
        {
            return Http.Problems.BadParameter(wrong ?? "format is csv or json.");
        }
        var reader = context.Actor();
        await using (var work = await database.BeginAsync(reader, ct))
        {
            await work.Connection.ExecuteAsync("select audit_write('export', 'delivery', @filter, null, jsonb_build_object('format', @format::text))",
                new { filter = filter.ToQueryString(), format = format ?? "csv" }, work.Transaction);
            await work.CommitAsync();
        }
        return format == "json"
            ? Results.Stream(body => WriteJsonAsync(body, RowsAsync(list, reader, filter, ct), ct), "application/json", "deliveries.json")
            : Results.Stream(body => WriteCsvAsync(body, RowsAsync(list, reader, filter, ct), ct), "text/csv; charset=utf-8", "deliveries.csv");
    }

    private static async IAsyncEnumerable<DeliveryItem> RowsAsync(DeliveryOverview list, Actor reader, DeliveryFilter filter, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        while (true)
        {
            var rows = await list.ListAsync(reader, filter, PageSize, ct);
            foreach (var row in rows)
            {
                yield return DeliveryItem.Of(row);
            }
            if (rows.Count < PageSize)
            {
                yield break;
            }
            filter = filter with { Before = rows[^1].DeliveryId };
        }
    }

    private static Task WriteJsonAsync(Stream body, IAsyncEnumerable<DeliveryItem> rows, CancellationToken ct) =>
        JsonSerializer.SerializeAsync(body, rows, JsonSerializerOptions.Web, ct);

    private static async Task WriteCsvAsync(Stream body, IAsyncEnumerable<DeliveryItem> rows, CancellationToken ct)
    {
        await using var writer = new StreamWriter(body, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\r\n" };
        await writer.WriteLineAsync(string.Join(',', Columns));
        await foreach (var d in rows.WithCancellation(ct))
        {
            await writer.WriteLineAsync(Http.Csv.Row((object?[])
                [d.Id, d.Shown, d.Partner, d.PartnerName, d.Attempts, d.Reason, d.Code, d.Ordering, d.Document, d.MessageId, d.Receipt, d.ReplayOf, d.CreatedAt, d.DueAt, d.FinishedAt, d.HeldBy, d.HeldWhy, d.HeldUntil, d.Why?.Code, d.Why?.Side, d.NeedBy, d.Late]));
        }
    }
}
