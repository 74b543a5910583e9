using Gateway.Access;
using Gateway.Audit;
using Gateway.Units;
using Microsoft.AspNetCore.Authorization;

namespace Gateway.Host.Dashboard.Units;

/// <summary>The units of a recall's scope as a file, for who looks at them in a browser.</summary>
static class RecallExport
{
    public static void MapRecallExport(this IEndpointRouteBuilder app) =>
        // A browser's download does not ask for text/html, by which pages are told from the API: so the cookie is named.
        app.MapGet("/recall/units", ExportAsync).RequireAuthorization(new AuthorizeAttribute(Permissions.ReadUnits)
        {
            AuthenticationSchemes = $"{SessionAuthentication.SchemeName},{KeyAuthentication.SchemeName}",
        }).WithMetadata(new RecordsItself());

    private static Task<IResult> ExportAsync(
        HttpContext context, string? list, string? gtin, string? lot, string? from, string? to, string? container, string? partner, RecallScope scope, CancellationToken ct) =>
        RecallEndpoints.AnswerAsync(context, new RecallRequest(gtin, lot, from, to, container, partner), list ?? "csv", scope, ct);
}
