using System.Globalization;
using Epcis.Identifiers;
using Gateway.Access;
using Gateway.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Units;

public static class LotEndpoints
{
    public static IServiceCollection AddLots(this IServiceCollection services) => services.AddSingleton<LotQueries>().AddSingleton<RecallScope>();

    public static void MapLots(this IEndpointRouteBuilder app)
    {
        var lots = app.MapGroup("/api/lots");
        lots.MapGet("", ListAsync).RequireAuthorization(Permissions.ReadUnits);
        lots.MapGet("/{gtin}/{lot}", FindAsync).RequireAuthorization(Permissions.ReadUnits);
        lots.MapGet("/{gtin}/{lot}/units", UnitsAsync).RequireAuthorization(Permissions.ReadUnits);
    }

    /// <summary>The wire's view of a lot; the command line prints the same.</summary>
    public static object View(Lot l) => new
    {
        l.Gtin, lot = l.Number, l.Product, l.Expiry, l.Expiries, complete = l.IsComplete, l.Percent, l.Commissioned, l.Settled, l.Balance, l.Levels, l.Orphans, l.Short, l.Waiting, l.Held, l.Unexplained,
    };

    /// <summary>The wire's view of a unit of a lot.</summary>
    public static object View(LotUnit u) => new { u.Epc, u.Gtin, u.State, u.Parent, u.Top, u.Holds, u.Children, u.Capacity, u.Holder, u.Place, u.LastAt };

    /// <summary>A GTIN of any length by its 14 digits; what is none finds nothing.</summary>
    public static string KeyOf(string gtin) => Gtin.Parse(gtin).Value?.Value ?? gtin;

    /// <summary>A lot number as a path has it: a slash in it comes as it was sent.</summary>
    public static string NumberOf(string lot) => lot.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);

    /// <summary>What an address or a command line says of the units wanted.</summary>
    /// <param name="wrong">A sentence when a value cannot be.</param>
    public static LotUnitFilter Read(string? kind, string? level, string? state, out string? wrong)
    {
        var stated = UnitState.Pool;
        wrong = kind is not null && !LotUnitFilter.Kinds.Contains(kind) ? $"kind is one of {string.Join(", ", LotUnitFilter.Kinds)}."
            : level is not (null or LotUnitFilter.LogisticUnits) && Gtin.Parse(level).Value is null ? $"level is a GTIN, or {LotUnitFilter.LogisticUnits}."
            : state is not null && (!Enum.TryParse(state, ignoreCase: true, out stated) || !state.All(char.IsAsciiLetter)) ? "state is a word such as COMMISSIONED."
            : null;
        return wrong is null ? new LotUnitFilter(kind, level is null or LotUnitFilter.LogisticUnits ? level : KeyOf(level), state is null ? null : stated) : new LotUnitFilter();
    }

    private static async Task<IResult> ListAsync(HttpContext context, LotQueries queries, string? gtin, string? lot, string? state, int? limit, int? cursor, CancellationToken ct)
    {
        if (Refuse(limit) is { } refusal)
        {
            return refusal;
        }
        if (state is not (null or "complete" or "incomplete"))
        {
            return Problems.BadParameter("state is complete or incomplete.");
        }
        var page = await queries.ListAsync(context.Actor(), new LotFilter(gtin is null ? null : KeyOf(gtin), lot, state is null ? null : state == "complete", cursor), limit ?? 50, ct);
        return TypedResults.Ok(new { items = page.Lots.Select(View), next = page.Next?.ToString(CultureInfo.InvariantCulture) });
    }

    private static async Task<IResult> FindAsync(HttpContext context, string gtin, string lot, LotQueries queries, CancellationToken ct) =>
        await queries.FindAsync(context.Actor(), KeyOf(gtin), NumberOf(lot), ct) is { } found ? TypedResults.Ok(View(found)) : Problems.NotFound("such lot");

    private static async Task<IResult> UnitsAsync(HttpContext context, string gtin, string lot, LotQueries queries, string? kind, string? level, string? state, int? limit, long? cursor, CancellationToken ct)
    {
        var filter = Read(kind, level, state, out var wrong);
        if (Refuse(limit) is { } refusal)
        {
            return refusal;
        }
        if (wrong is not null)
        {
            return Problems.BadParameter(wrong);
        }
        var take = limit ?? 50;
        return await queries.UnitsAsync(context.Actor(), KeyOf(gtin), NumberOf(lot), filter, cursor ?? 0, take + 1, ct) is not { } rows ? Problems.NotFound("such lot")
            : TypedResults.Ok(new { items = rows.Take(take).Select(View), next = rows.Count > take ? rows[take - 1].Cursor.ToString(CultureInfo.InvariantCulture) : null });
    }

    private static IResult? Refuse(int? limit) => limit is < 1 or > 200 ? Problems.BadParameter("limit is 1 to 200.") : null;
}
