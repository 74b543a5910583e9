using System.Text.Json;
using Dapper;
using Gateway.Access;
using Gateway.Capture;
using Gateway.Database;
using Gateway.Http;
using Gateway.MasterData;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Gateway.Intake;

/// <summary>Files of lines over REST.</summary>
public static class IntakeEndpoints
{
    /// <summary>Register before <c>AddCapture</c>, whose worker reads the files.</summary>
    public static IServiceCollection AddIntake(this IServiceCollection services)
    {
        services.AddOptions<IntakeOptions>().BindConfiguration(IntakeOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<Mappings>();
        services.AddSingleton(s => new TakeIn(s.GetRequiredService<GatewayDatabase>(), s.GetRequiredService<Mappings>(), s.GetRequiredService<AcceptCapture>(), s.GetRequiredService<KnownMasterData>(), s.GetRequiredService<IOptions<IntakeOptions>>()));
        services.AddSingleton(s => new MappedDocuments((document, ct) => s.GetRequiredService<TakeIn>().OpenerAsync(document, ct)));
        services.AddSingleton<IntakeResults>();
        services.AddSingleton<IntakeList>();
        services.AddHostedService<WatchFolder>();
        return services;
    }

    public static void MapIntake(this IEndpointRouteBuilder app)
    {
        var intake = app.MapGroup("/api/intake");
        intake.MapGet("", ListAsync).RequireAuthorization(Permissions.ReadCaptures);
        intake.MapGet("/methods", MethodsAsync).RequireAuthorization(Permissions.ReadCaptures);
        intake.MapGet("/mappings", MappingsAsync).RequireAuthorization(Permissions.ReadCaptures);
        intake.MapPost("/mappings/{name}/approve", ApproveAsync).RequireAuthorization(Permissions.DecideLines);
        intake.MapPost("/mappings/{name}/{version:int}/withdraw", WithdrawAsync).RequireAuthorization(Permissions.DecideLines);
        intake.MapGet("/{id:guid}/result", ResultAsync).RequireAuthorization(Permissions.ReadCaptures);
        intake.MapPost("/{mapping}", PostAsync).RequireAuthorization(Permissions.Capture);
    }

    /// <summary>What decides a step.</summary>
    public sealed record ReasonRequest(string? Reason);

    private static async Task<IResult> PostAsync(
        HttpContext context, string mapping, bool? dryRun, Guid? run, string? method, TakeIn takeIn, Mappings mappings, IntakeResults results, UploadLimit uploads, IOptions<CaptureOptions> options, TimeProvider clock, CancellationToken ct)
    {
        if (method is not (null or "file" or "manual"))
        {
            return Problems.BadParameter("method is file or manual.");
        }
        var key = context.Request.Headers.TryGetValue("Idempotency-Key", out var keys) ? keys.ToString() : null;
        if (key is not null && (key.Length is < 1 or > 255 || key.Any(c => c is < ' ' or > '~')))
        {
            return Problems.BadKey();
        }
        try
        {
            await using var body = await ReceivedBody.ReceiveAsync(context.Request, uploads, options.Value, ct, ofAnyType: true);
            if (dryRun == true)
            {
                return await TryAsync(context, mapping, mappings, results, body, options.Value, clock, ct);
            }
            long? runId = null;
            if (run is { } named)
            {
                (runId, var refusal) = await takeIn.RunAsync(context.Actor(), named, ct);
                if (refusal is not null)
                {
                    return Problems.BadParameter(refusal);
                }
            }
            var (answer, problem) = await takeIn.AcceptAsync(new IntakeRequest(mapping, method ?? "file", runId), body, key, context.Actor(), ct);
            if (answer is null)
            {
                if (problem is ProblemHttpResult { StatusCode: 409 or 503 or 507 } && problem is not ProblemHttpResult { ProblemDetails.Title: "Mapping not approved" })
                {
                    FailureAnswers.AskToRetry(context.Response);
                }
                return problem!;
            }
            if (answer.IsReplay)
            {
                context.Response.Headers["Idempotency-Replayed"] = "true";
            }
            context.Response.Headers.Location = $"/capture/{answer.PublicId}";
            context.Response.Headers.Append("Link", $"</api/intake/{answer.PublicId}/result>; rel=\"describedby\"");
            return TypedResults.Text(answer.Body, answer.Status == 202 ? "application/json" : "application/problem+json", statusCode: answer.Status);
        }
        catch (BodyRefusedException refused)
        {
            return refused.Answer;
        }
    }

    private static async Task<IResult> TryAsync(HttpContext context, string name, Mappings mappings, IntakeResults results, ReceivedBody body, CaptureOptions options, TimeProvider clock, CancellationToken ct)
    {
        var (mapping, errors) = await mappings.DraftAsync(name, ct);
        if (mapping is null)
        {
            return errors.Count == 0 ? Problems.NotFound("mapping with this name") : Problems.Invalid($"The file of the mapping {name} cannot be used: {string.Join(" ", errors.Take(5))}", "GW-INT-02");
        }
        var (trial, refusal) = await results.TryAsync(mapping, body, name, context.Actor().PartyId!.Value, clock.GetUtcNow(), options, ct);
        return trial is null ? Problems.Invalid(refusal!) : TypedResults.Json(trial, IntakeResult.Json);
    }

    private static async Task<IResult> ResultAsync(HttpContext context, Guid id, IntakeResults results, CancellationToken ct) => await results.OfAsync(context.Actor(), id, ct) switch
    {
        null => Problems.NotFound("file with this id"),
        (null, var refusal) => Problems.NothingYet(refusal!),
        var (result, _) => TypedResults.Json(result, IntakeResult.Json),
    };

    private static async Task<IResult> ListAsync(HttpContext context, IntakeList list, CancellationToken ct)
    {
        var query = context.Request.Query;
        if (query.Keys.FirstOrDefault(k => k is not ("limit" or "cursor" or "mapping" or "state")) is { } unknown)
        {
            return Problems.BadParameter($"There is no parameter {unknown}.");
        }
        var limit = 50;
        if (query["limit"].FirstOrDefault() is { } wanted && (!int.TryParse(wanted, out limit) || limit is < 1 or > 200))
        {
            return Problems.BadParameter("limit is 1 to 200.");
        }
        long? before = null;
        if (query["cursor"].FirstOrDefault() is { } cursor)
        {
            if (!long.TryParse(PageToken.Open(cursor), out var at))
            {
                return Problems.BadParameter("The cursor is none that was given here.");
            }
            before = at;
        }
        var items = await list.ReadAsync(context.Actor(), query["mapping"].FirstOrDefault(), query["state"].FirstOrDefault(), before, limit + 1, ct);
        return TypedResults.Json(new { items = items.Take(limit), next = items.Count > limit ? PageToken.Seal(items[limit - 1].Cursor.ToString(System.Globalization.CultureInfo.InvariantCulture)) : null }, JsonSerializerOptions.Web);
    }

    private static async Task<IResult> MethodsAsync(HttpContext context, IntakeList list, CancellationToken ct) => TypedResults.Ok(new { items = await list.MethodsAsync(context.Actor(), ct) });

    private static async Task<IResult> MappingsAsync(Mappings mappings, CancellationToken ct) =>
        TypedResults.Ok(new { items = (await mappings.ListAsync(ct)).Select(m => new { m.Name, m.Version, m.Title, m.State, m.ApprovedAt, m.ApprovedBy, m.Reason, m.Errors }) });

    private static async Task<IResult> ApproveAsync(HttpContext context, string name, ReasonRequest request, Mappings mappings, CancellationToken ct) =>
        await mappings.ApproveAsync(context.Actor(), name, request.Reason, ct) is { } refusal ? Problems.Invalid(refusal) : TypedResults.NoContent();

    private static async Task<IResult> WithdrawAsync(HttpContext context, string name, int version, ReasonRequest request, Mappings mappings, CancellationToken ct) =>
        await mappings.WithdrawAsync(context.Actor(), name, version, request.Reason, ct) is { } refusal ? Problems.Invalid(refusal) : TypedResults.NoContent();
}
