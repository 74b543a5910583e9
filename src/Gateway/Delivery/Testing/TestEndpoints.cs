using System.Globalization;
using Gateway.Access;
using Gateway.Http;
using Gateway.Partners;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Gateway.Delivery.Testing;

/// <summary>Testing a partner over REST: the answer comes within a minute, with every step.</summary>
public static class TestEndpoints
{
    public static void MapPartnerTests(this IEndpointRouteBuilder app)
    {
        var partners = app.MapGroup("/api/partners/{gln}");
        partners.MapPost("/test", RunAsync).RequireAuthorization(Permissions.ManagePartners);
        partners.MapGet("/tests", ListAsync).RequireAuthorization(Permissions.ReadPartners);
        partners.MapPost("/tests/{id:long}/confirm", ConfirmAsync).RequireAuthorization(Permissions.ManagePartners);
    }

    private static async Task<IResult> RunAsync(HttpContext context, string gln, TestRequest? request, TestPartner test, PartnerDirectory directory, CancellationToken ct)
    {
        if (await directory.FindAsync(context.Actor(), gln, ct) is not { } partner)
        {
            return Problems.NotFound("such partner");
        }
        var (result, refusal) = await test.RunAsync(context.Actor(), partner.Id, request ?? new TestRequest(null, null), ct);
        return result is null ? Problems.Invalid(refusal!) : TypedResults.Ok(result);
    }

    private static async Task<IResult> ListAsync(HttpContext context, string gln, int? limit, string? cursor, PartnerTests tests, PartnerDirectory directory, CancellationToken ct)
    {
        long before = 0;
        if (limit is < 1 or > 200 || cursor is not null && !long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out before))
        {
            return Problems.BadParameter(limit is < 1 or > 200 ? "limit is 1 to 200." : "cursor is not one of ours.");
        }
        if (await directory.FindAsync(context.Actor(), gln, ct) is not { } partner)
        {
            return Problems.NotFound("such partner");
        }
        var most = limit ?? 50;
        var items = await tests.ListAsync(context.Actor(), partner.Id, cursor is null ? null : before, most + 1, ct);
        return TypedResults.Ok(new { items = items.Take(most), next = items.Count > most ? items[most - 1].TestId.ToString(CultureInfo.InvariantCulture) : null });
    }

    private static async Task<IResult> ConfirmAsync(HttpContext context, string gln, long id, ReasonRequest? request, PartnerTests tests, PartnerDirectory directory, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(request?.Reason))
        {
            return Problems.ReasonMissing();
        }
        return await directory.FindAsync(context.Actor(), gln, ct) is not { } partner ? Problems.NotFound("such partner")
            : await tests.ConfirmAsync(context.Actor(), partner.Id, id, request.Reason, ct) is { } refusal ? Problems.NotDecidable(refusal)
            : TypedResults.Ok(await tests.FindAsync(context.Actor(), partner.Id, id, ct));
    }
}
