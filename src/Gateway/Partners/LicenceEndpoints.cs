using Gateway.Access;
using Gateway.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Gateway.Partners;

/// <param name="Needed">Whether nothing goes to the partner without a licence.</param>
public sealed record LicenceNeedRequest(bool? Needed, string? Reason);

/// <summary>See <see cref="Licence"/>.</summary>
public sealed record LicenceRequest(string? Kind, string? Number, string? Issuer, string? Region, DateOnly? ValidFrom, DateOnly? ValidUntil, string? Evidence, string? Reason);

/// <summary>Licences of partners over REST. An exception is a signature, which a key cannot make: it is made in the dashboard.</summary>
internal static class LicenceEndpoints
{
    public static void Map(RouteGroupBuilder partners)
    {
        partners.MapGet("/{gln}/licences", ListAsync).RequireAuthorization(Permissions.ReadPartners);
        partners.MapPost("/{gln}/licences", AddAsync).RequireAuthorization(Permissions.ManagePartners);
        partners.MapPut("/{gln}/licences/need", NeedAsync).RequireAuthorization(Permissions.ManagePartners);
        Decide("check", (licences, actor, partner, id, reason, ct) => licences.CheckAsync(actor, partner, id, reason, ct));
        Decide("withdraw", (licences, actor, partner, id, reason, ct) => licences.WithdrawAsync(actor, partner, id, reason, ct));

        void Decide(string verb, Func<Licences, Actor, int, int, string, CancellationToken, Task<string?>> decision) =>
            partners.MapPost($"/{{gln}}/licences/{{id:int}}/{verb}", (HttpContext context, string gln, int id, ReasonRequest? request, Licences licences, PartnerDirectory directory, CancellationToken ct) =>
                ChangeAsync(context, gln, request?.Reason, licences, directory, partner => decision(licences, context.Actor(), partner, id, request!.Reason!, ct), ct)).RequireAuthorization(Permissions.ManagePartners);
    }

    private static async Task<IResult> ListAsync(HttpContext context, string gln, Licences licences, PartnerDirectory directory, CancellationToken ct) =>
        await directory.FindAsync(context.Actor(), gln, ct) is { } partner && await licences.FindAsync(context.Actor(), partner.Id, ct) is { } standing
            ? TypedResults.Ok(View(standing))
            : Problems.NotFound("such partner");

    private static Task<IResult> AddAsync(HttpContext context, string gln, LicenceRequest request, Licences licences, PartnerDirectory directory, CancellationToken ct) =>
        ChangeAsync(context, gln, request.Reason, licences, directory, partner => licences.AddAsync(
            context.Actor(), partner, new Licence(request.Kind, request.Number, request.Issuer, request.Region, request.ValidFrom, request.ValidUntil, request.Evidence), request.Reason!, ct), ct);

    private static Task<IResult> NeedAsync(HttpContext context, string gln, LicenceNeedRequest request, Licences licences, PartnerDirectory directory, CancellationToken ct) =>
        ChangeAsync(context, gln, request.Reason, licences, directory, async partner =>
            request.Needed is not { } needed ? "needed is true or false." : await licences.NeedAsync(context.Actor(), partner, needed, request.Reason!, ct), ct);

    private static async Task<IResult> ChangeAsync(HttpContext context, string gln, string? reason, Licences licences, PartnerDirectory directory, Func<int, Task<string?>> change, CancellationToken ct) =>
        string.IsNullOrWhiteSpace(reason) ? Problems.ReasonMissing()
        : await directory.FindAsync(context.Actor(), gln, ct) is not { } partner ? Problems.NotFound("such partner")
        : await change(partner.Id) is { } refusal ? Problems.Invalid(refusal)
        : TypedResults.Ok(View((await licences.FindAsync(context.Actor(), partner.Id, ct))!));

    private static object View(LicenceStanding s) => new { needed = s.IsNeeded, mayBeSentTo = s.MayBeSentTo, s.Until, items = s.Licences, exceptions = s.Exceptions };
}
