using System.Globalization;
using Gateway.Access;
using Gateway.Exceptions;
using Gateway.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Units;

/// <summary>Single units over REST: where each is, what it holds, what was told of it. A unit is named in any form.</summary>
public static class UnitEndpoints
{
    // A full pallet is answered whole; no answer grows without end.
    private const int MaxContents = 10_000;

    // What a person must settle about one unit is a handful.
    private const int MaxExceptions = 50;

    public static IServiceCollection AddUnits(this IServiceCollection services) => services.AddSingleton<UnitQueries>().AddSingleton<UnitTimeline>().AddSingleton<UnitSearch>();

    public static void MapUnits(this IEndpointRouteBuilder app)
    {
        var units = app.MapGroup("/api/units");
        units.MapGet("", FindAsync).RequireAuthorization(Permissions.ReadUnits);
        units.MapGet("/contents", ContentsAsync).RequireAuthorization(Permissions.ReadUnits);
        units.MapGet("/history", HistoryAsync).RequireAuthorization(Permissions.ReadUnits);
        units.MapGet("/search", SearchAsync).RequireAuthorization(Permissions.ReadUnits);
    }

    private static Task<IResult> FindAsync(HttpContext context, string? epc, UnitQueries units, CancellationToken ct) => OfAsync(epc, async key =>
        await units.FindAsync(context.Actor(), key, ct) is { } unit ? TypedResults.Ok(UnitItem.Of(unit)) : Problems.NotFound("such unit"));

    private static Task<IResult> ContentsAsync(HttpContext context, string? epc, int? limit, string? cursor, UnitQueries units, CancellationToken ct) => OfAsync(epc, async key =>
    {
        if (limit is < 1 or > MaxContents)
        {
            return Problems.BadParameter($"limit is 1 to {MaxContents}.");
        }
        if (cursor is not null && !UnitQueries.IsPlace(cursor))
        {
            return Problems.BadParameter("cursor is not one of ours.");
        }
        return await units.ContentsAsync(context.Actor(), key, cursor, limit ?? MaxContents, ct) is { } contents
            ? TypedResults.Ok(new { contents.Epc, contents.Count, items = contents.Items.Select(ContainedUnitItem.Of), contents.Next })
            : Problems.NotFound("such unit");
    });

    private static Task<IResult> HistoryAsync(HttpContext context, string? epc, int? limit, string? cursor, UnitQueries units, UnitTimeline timeline, ExceptionList exceptions, CancellationToken ct) => OfAsync(epc, async key =>
    {
        if (limit is < 1 or > 200)
        {
            return Problems.BadParameter("limit is 1 to 200.");
        }
        long? after = null;
        if (cursor is not null)
        {
            if (!long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out var last))
            {
                return Problems.BadParameter("cursor is not one of ours.");
            }
            after = last;
        }
        var (reader, take) = (context.Actor(), limit ?? 50);
        if (await units.FindAsync(reader, key, ct) is not { } unit)
        {
            return Problems.NotFound("such unit");
        }
        var events = await timeline.ListAsync(reader, key, after, take + 1, ct);
        var opened = context.User.Has(Permissions.ReadExceptions) ? await exceptions.OfUnitAsync(reader, UnitKey.Spellings(key), MaxExceptions, ct) : [];
        return TypedResults.Ok(new
        {
            unit.Epc,
            items = events.Take(take).Select(UnitEventItem.Of),
            exceptions = opened.Select(ExceptionItem.Of),
            next = events.Count > take ? events[take - 1].Cursor.ToString(CultureInfo.InvariantCulture) : null,
        });
    });

    private static async Task<IResult> SearchAsync(HttpContext context, string? q, int? limit, UnitSearch search, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(q) || q.Length > UnitSearch.MaxLength)
        {
            return Problems.BadParameter($"q is an identifier, a serial number or its beginning, a lot, a GTIN, or a document number, of at most {UnitSearch.MaxLength} characters.");
        }
        if (limit is < 1 or > 200)
        {
            return Problems.BadParameter("limit is 1 to 200.");
        }
        var found = await search.FindAsync(context.Actor(), q, limit ?? 50, ct);
        return TypedResults.Ok(new { items = found.Units.Select(FoundUnitItem.Of), found.Lots, found.More });
    }

    private static async Task<IResult> OfAsync(string? epc, Func<string, Task<IResult>> answer) =>
        UnitIdentifier.Read(epc ?? "", out var wrong) is { } key ? await answer(key) : Problems.NoUnit(wrong!);
}
