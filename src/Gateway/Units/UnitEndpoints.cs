using System.Globalization;
using Gateway.Access;
using Gateway.Exceptions;
using Gateway.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Units;

/// <summary>
/// Single units over REST: where each is, what it holds, what was told of it. A unit is named in any form. With <c>asOf</c>, an
/// instant with its zone, each is answered as it was at that past moment: see <see cref="UnitPast"/>.
/// </summary>
public static class UnitEndpoints
{
    // A full pallet is answered whole; no answer grows without end.
    private const int MaxContents = 10_000;

    // What a person must settle about one unit is a handful.
    private const int MaxExceptions = 50;

    public static IServiceCollection AddUnits(this IServiceCollection services)
    {
        services.AddOptions<LatenessOptions>().BindConfiguration(LatenessOptions.Section);
        return services.AddSingleton<UnitQueries>().AddSingleton<UnitPast>().AddSingleton<UnitTimeline>().AddSingleton<UnitSearch>();
    }

    public static void MapUnits(this IEndpointRouteBuilder app)
    {
        var units = app.MapGroup("/api/units");
        units.MapGet("", FindAsync).RequireAuthorization(Permissions.ReadUnits);
        units.MapGet("/contents", ContentsAsync).RequireAuthorization(Permissions.ReadUnits);
        units.MapGet("/history", HistoryAsync).RequireAuthorization(Permissions.ReadUnits);
        units.MapGet("/search", SearchAsync).RequireAuthorization(Permissions.ReadUnits);
    }

    private static Task<IResult> FindAsync(HttpContext context, string? epc, string? asOf, UnitQueries units, UnitPast past, CancellationToken ct) => OfAsync(epc, asOf, async (key, at) =>
        at is { } moment ? Answer(await past.FindAsync(context.Actor(), key, moment, ct), then => UnitItem.Of(then.Facts!))
        : await units.FindAsync(context.Actor(), key, ct) is { } unit ? TypedResults.Ok(UnitItem.Of(unit)) : Problems.NotFound("such unit"));

    private static Task<IResult> ContentsAsync(
        HttpContext context, string? epc, string? asOf, int? limit, string? cursor, UnitQueries units, UnitPast past, CancellationToken ct) => OfAsync(epc, asOf, async (key, at) =>
    {
        if (limit is < 1 or > MaxContents)
        {
            return Problems.BadParameter($"limit is 1 to {MaxContents}.");
        }
        if (cursor is not null && !(at is null ? UnitQueries.IsPlace(cursor) : UnitPast.IsPlace(cursor)))
        {
            return Problems.BadParameter("cursor is not one of ours.");
        }
        var take = limit ?? MaxContents;
        return at is { } moment ? Answer(await past.FindAsync(context.Actor(), key, moment, ct), then => Page(then.Contents(cursor, take)))
            : await units.ContentsAsync(context.Actor(), key, cursor, take, ct) is { } contents ? TypedResults.Ok(Page(contents)) : Problems.NotFound("such unit");

        static object Page(UnitContents contents) => new { contents.Epc, contents.Count, items = contents.Items.Select(ContainedUnitItem.Of), contents.Next };
    });

    // What a person must settle is told as it is today: it is about what is known, not about what was.
    private static Task<IResult> HistoryAsync(
        HttpContext context, string? epc, string? asOf, int? limit, string? cursor, UnitQueries units, UnitPast past, UnitTimeline timeline, ExceptionList exceptions, CancellationToken ct) => OfAsync(epc, asOf, async (key, at) =>
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
        if (at is { } moment && await past.WhyNotAsync(unit, moment, ct) is { } refusal)
        {
            return Refused(refusal);
        }
        var telling = timeline.ListAsync(reader, unit, after, take + 1, ct, at);
        var opened = context.User.Has(Permissions.ReadExceptions) ? await exceptions.OfUnitAsync(reader, UnitKey.Spellings(key), MaxExceptions, ct) : [];
        var events = await telling;
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

    private static async Task<IResult> OfAsync(string? epc, string? asOf, Func<string, DateTimeOffset?, Task<IResult>> answer)
    {
        if (UnitIdentifier.Read(epc ?? "", out var wrong) is not { } key)
        {
            return Problems.NoUnit(wrong!);
        }
        if (asOf is null)
        {
            return await answer(key, null);
        }
        return UnitPast.ReadMoment(asOf, out wrong) is { } at ? await answer(key, at) : Problems.BadParameter($"asOf cannot be read. {wrong}");
    }

    private static IResult Answer(UnitThen? then, Func<UnitThen, object> view) =>
        then is null ? Problems.NotFound("such unit") : then.Refusal is { } refusal ? Refused(refusal) : TypedResults.Ok(view(then));

    private static IResult Refused(PastRefusal refusal) => refusal.Gap switch
    {
        PastGap.Future => Problems.BadParameter(refusal.Sentence),
        PastGap.NotYet => Problems.UnitNotYet(refusal.Sentence),
        PastGap.Archived => Problems.PastArchived(refusal.Sentence),
        _ => Problems.PastTooLarge(refusal.Sentence),
    };
}
