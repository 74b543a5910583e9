using Gateway.Access;
using Gateway.Delivery;
using Gateway.Partners;
using Microsoft.AspNetCore.Authorization;

namespace Gateway.Host.Dashboard.Partners;

/// <summary>A partner's scorecard as a file, from its page.</summary>
static class ScorecardExport
{
    public static void MapScorecardExport(this IEndpointRouteBuilder app) =>
        // A browser's download does not ask for text/html, by which pages are told from the API: so the cookie is named.
        app.MapGet("/partners/{PartnerId:int}/scorecard", ExportAsync).RequireAuthorization(new AuthorizeAttribute(Permissions.ReadPartners)
        {
            AuthenticationSchemes = $"{SessionAuthentication.SchemeName},{KeyAuthentication.SchemeName}",
        });

    private static async Task<IResult> ExportAsync(HttpContext context, int partnerId, string? from, string? until, Scorecards scorecards, DeliveryFigures figures, TimeProvider time, CancellationToken ct)
    {
        if (Scorecards.Read(from, until, DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime), out var first, out var last) is { } refusal)
        {
            return Http.Problems.BadParameter(refusal);
        }
        return await figures.PartnerAsync(context.Actor(), partnerId, ct) is { } found
            ? Results.File(System.Text.Encoding.UTF8.GetBytes(ScorecardEndpoints.Csv(found.Gln, found.Name, await scorecards.FindAsync(context.Actor(), partnerId, first, last, ct))), "text/csv; charset=utf-8", "scorecard.csv")
            : Http.Problems.NotFound("such partner");
    }
}
