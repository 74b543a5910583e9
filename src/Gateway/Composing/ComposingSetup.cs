using Epcis.Identifiers;
using Gateway.Access;
using Gateway.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Composing;

/// <param name="ValidFrom">Null: from now on.</param>
public sealed record StatementAuthorisationRequest(string? Gln, string? LegalNotice, DateTime? ValidFrom, DateTime? ValidTo, string? Reason);

public sealed record EndStatementRequest(string? Reason);

public static class ComposingSetup
{
    public static IServiceCollection AddComposing(this IServiceCollection services) => services
        .AddSingleton<StatementAuthorisations>().AddSingleton<ComposeDocument>().AddSingleton<ComposeOne>().AddHostedService<ComposeWorker>();

    public static void MapComposing(this IEndpointRouteBuilder app)
    {
        var statements = app.MapGroup("/api/statement-authorisations");
        statements.MapGet("", ListAsync).RequireAuthorization(Permissions.ReadPartners);
        statements.MapPost("", AddAsync).RequireAuthorization(Permissions.ManagePartners);
        statements.MapPost("/{id:long}/end", EndAsync).RequireAuthorization(Permissions.ManagePartners);
    }

    private static async Task<IResult> ListAsync(HttpContext context, StatementAuthorisations statements, CancellationToken ct) =>
        TypedResults.Ok(new { items = await statements.ListAsync(context.Actor(), ct), next = (string?)null });

    private static async Task<IResult> AddAsync(HttpContext context, StatementAuthorisationRequest request, StatementAuthorisations statements, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(request.Reason))
        {
            return Problems.ReasonMissing();
        }
        if (!Gln.Parse(request.Gln ?? "").Try(out _, out var error))
        {
            return Problems.Invalid(error);
        }
        if (request.LegalNotice is not { Length: > 0 and <= 2000 } notice || string.IsNullOrWhiteSpace(notice))
        {
            return Problems.Invalid("legalNotice is a text of at most 2000 characters.");
        }
        if (request.ValidTo <= (request.ValidFrom ?? DateTime.MinValue))
        {
            return Problems.Invalid("validTo is later than validFrom.");
        }
        var id = await statements.AddAsync(context.Actor(), request.Gln!, notice, request.ValidFrom?.ToUniversalTime(), request.ValidTo?.ToUniversalTime(), request.Reason, ct);
        return TypedResults.Created("/api/statement-authorisations", new { id });
    }

    private static async Task<IResult> EndAsync(HttpContext context, long id, EndStatementRequest? request, StatementAuthorisations statements, CancellationToken ct) =>
        string.IsNullOrWhiteSpace(request?.Reason) ? Problems.ReasonMissing()
        : await statements.EndAsync(context.Actor(), id, request.Reason, ct) ? TypedResults.Ok(new { id })
        : Problems.NotDecidable("Only an authorisation that is in force can be ended.");
}
