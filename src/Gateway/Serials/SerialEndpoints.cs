using System.Globalization;
using System.Text;
using System.Text.Json;
using Epcis.Identifiers;
using Gateway.Access;
using Gateway.Http;
using Gateway.Scheduling;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Serials;

/// <param name="Version">Of the pool as it was seen; when it has changed since, nothing is done.</param>
public sealed record ClosePoolRequest(string? Reason, int? Version);

public static class SerialEndpoints
{
    public static IServiceCollection AddSerials(this IServiceCollection services) => services
        .AddSingleton<SerialPools>().AddSingleton<GrantNumbers>().AddSingleton<GiveBackNumbers>().AddSingleton<ImportNumbers>().AddSingleton<HearOfNumbers>()
        .AddChore<RefillPools>("refill-serial-pools", TimeSpan.FromMinutes(1));

    public static void MapSerials(this IEndpointRouteBuilder app)
    {
        var serials = app.MapGroup("/api/serials");
        serials.MapGet("/pools", PoolsAsync).RequireAuthorization(Permissions.ReadSerials);
        serials.MapPost("/pools", MakeAsync).RequireAuthorization(Permissions.ManageSerials);
        serials.MapGet("/pools/{id:guid}", PoolAsync).RequireAuthorization(Permissions.ReadSerials);
        serials.MapPost("/pools/{id:guid}/close", CloseAsync).RequireAuthorization(Permissions.ManageSerials);
        serials.MapPost("/pools/{id:guid}/import", ImportAsync).RequireAuthorization(Permissions.ManageSerials);
        serials.MapPost("/requests", RequestAsync).RequireAuthorization(Permissions.RequestSerials);
        serials.MapGet("/grants", GrantsAsync).RequireAuthorization(Permissions.ReadSerials);
        serials.MapGet("/grants/{id:guid}", GrantAsync).RequireAuthorization(Permissions.RequestSerials);
        serials.MapPost("/grants/{id:guid}/acknowledge", AcknowledgeAsync).RequireAuthorization(Permissions.RequestSerials);
        serials.MapPost("/returns", (HttpContext context, GiveBackRequest? request, GiveBackNumbers numbers, CancellationToken ct) => GiveBackAsync(context, request, numbers.ReturnAsync, ct)).RequireAuthorization(Permissions.RequestSerials);
        serials.MapPost("/voids", (HttpContext context, GiveBackRequest? request, GiveBackNumbers numbers, CancellationToken ct) => GiveBackAsync(context, request, numbers.VoidAsync, ct)).RequireAuthorization(Permissions.ManageSerials);
    }

    /// <summary>The wire's view of a grant with its numbers; the command line prints the same.</summary>
    public static object View(GrantedNumbers g) => new
    {
        grant = g.Grant.Id, g.Grant.RequestId, g.Grant.Pool, g.Grant.Party, g.Grant.Gtin, g.Grant.SsccPrefix, g.Grant.Quantity, g.Grant.State, g.Grant.Lot, g.Grant.Run, g.Grant.Line, g.Grant.Device,
        g.Grant.GrantedAt, g.Grant.AcknowledgedAt, g.Guess, g.Numbers,
    };

    private static async Task<IResult> PoolsAsync(HttpContext context, SerialPools pools, string? gtin, int? cursor, int? limit, CancellationToken ct)
    {
        if (limit is < 1 or > 200)
        {
            return Problems.BadParameter("limit is 1 to 200.");
        }
        if (gtin is not null && !Gtin.Parse(gtin).Try(out _, out var wrong))
        {
            return Problems.BadParameter(wrong);
        }
        var take = limit ?? 50;
        var found = await pools.ListAsync(context.Actor(), gtin is null ? null : Gtin.Parse(gtin).Value!.Value, cursor, take + 1, ct);
        return TypedResults.Ok(new { items = found.Take(take), next = found.Count > take ? found[take - 1].PoolId.ToString(CultureInfo.InvariantCulture) : null });
    }

    private static async Task<IResult> PoolAsync(HttpContext context, Guid id, SerialPools pools, CancellationToken ct) =>
        await pools.FindAsync(context.Actor(), id, ct) is { } pool ? TypedResults.Ok(pool) : Problems.NotFound("such pool");

    private static async Task<IResult> MakeAsync(HttpContext context, PoolRequest? request, SerialPools pools, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(request?.Reason))
        {
            return Problems.ReasonMissing();
        }
        var outcome = await pools.MakeAsync(context.Actor(), request, ct);
        return outcome.Pool is { } pool ? TypedResults.Created($"/api/serials/pools/{pool.Id}", pool)
            : outcome.IsGuessable ? Problems.Guessable(outcome.Refusal!)
            : Problems.Invalid(outcome.Refusal!);
    }

    private static async Task<IResult> CloseAsync(HttpContext context, Guid id, ClosePoolRequest? request, SerialPools pools, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(request?.Reason))
        {
            return Problems.ReasonMissing();
        }
        if (await pools.FindAsync(context.Actor(), id, ct) is null)
        {
            return Problems.NotFound("such pool");
        }
        return await pools.CloseAsync(context.Actor(), id, request.Version, request.Reason, ct) is { } refusal ? Problems.SerialsRefused(refusal) : TypedResults.Ok(await pools.FindAsync(context.Actor(), id, ct));
    }

    private static async Task<IResult> ImportAsync(HttpContext context, Guid id, string? reason, ImportNumbers import, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(reason))
        {
            return Problems.ReasonMissing();
        }
        if (await BodyAsync(context, ImportNumbers.MaxBytes, ct) is not { } file)
        {
            return Problems.TooLarge();
        }
        return await import.RunAsync(context.Actor(), id, file, reason, ct) switch
        {
            null => Problems.NotFound("such pool"),
            { Refusal: { } refusal } => Problems.SerialsRefused(refusal),
            { Findings.HasErrors: true } refused => Problems.NumbersNotTaken(refused.Findings.All),
            var taken => Replayed(context, taken.IsReplayed, new { taken.Taken }),
        };
    }

    private static async Task<IResult> RequestAsync(HttpContext context, GrantNumbers grants, CancellationToken ct)
    {
        if (await BodyAsync(context, SerialForms.MaxBytes, ct) is not { } body)
        {
            return Problems.TooLarge();
        }
        var form = FormOf(context.Request.ContentType);
        SerialForms.RangeMessage? message = null;
        string? wrong = null;
        SerialRequest? request;
        switch (form)
        {
            case "json":
                try
                {
                    request = JsonSerializer.Deserialize<SerialRequest>(body, JsonSerializerOptions.Web);
                }
                catch (JsonException e)
                {
                    return Problems.Malformed($"The JSON body cannot be read at {e.Path}, line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}.");
                }
                break;
            case "csv":
                request = SerialForms.ReadCsv(Encoding.UTF8.GetString(body), out wrong);
                break;
            case "xml":
                message = SerialForms.ReadMessage(new MemoryStream(body), out wrong);
                request = message?.Request;
                break;
            default:
                return Problems.NotJson();
        }
        var answer = AnswerForm(context.Request.Headers.Accept.ToString(), form);
        if (request is null || answer is null)
        {
            return answer is null ? Problems.NotAcceptable("Numbers are answered as application/json, text/csv or application/xml.") : Problems.Malformed(wrong ?? "The request needs a JSON object as its body.");
        }
        // Whose form has no place for an id may send it as a header; without any, each message is a request of its own.
        request = request with { RequestId = request.RequestId ?? context.Request.Headers["Idempotency-Key"].FirstOrDefault() ?? (message is null ? null : Guid.NewGuid().ToString()) };
        var outcome = await grants.RunAsync(context.Actor(), request, ct);
        if (outcome.Granted is not { } granted)
        {
            return Refuse(outcome.Refusal, outcome.Sentence!);
        }
        context.Response.Headers.Location = $"/api/serials/grants/{granted.Grant.Id}";
        if (outcome.IsReplayed)
        {
            context.Response.Headers["Idempotency-Replayed"] = "true";
        }
        return Answer(granted, answer, message, outcome.IsReplayed ? StatusCodes.Status200OK : StatusCodes.Status201Created);
    }

    private static async Task<IResult> GrantsAsync(HttpContext context, GrantNumbers grants, Guid? pool, string? state, Guid? cursor, int? limit, CancellationToken ct)
    {
        if (limit is < 1 or > 200 || state is not (null or "open" or "acknowledged"))
        {
            return Problems.BadParameter(limit is < 1 or > 200 ? "limit is 1 to 200." : "state is open or acknowledged.");
        }
        var take = limit ?? 50;
        var found = await grants.ListAsync(context.Actor(), pool, state, cursor, take + 1, ct);
        return TypedResults.Ok(new { items = found.Take(take), next = found.Count > take ? found[take - 1].Id : (Guid?)null });
    }

    private static async Task<IResult> GrantAsync(HttpContext context, Guid id, GrantNumbers grants, CancellationToken ct) =>
        await grants.FindAsync(context.Actor(), id, ct) is not { } granted ? Problems.NotFound("such grant")
            : AnswerForm(context.Request.Headers.Accept.ToString(), "json") is { } form ? Answer(granted, form, null, StatusCodes.Status200OK)
            : Problems.NotAcceptable("Numbers are answered as application/json, text/csv or application/xml.");

    private static async Task<IResult> AcknowledgeAsync(HttpContext context, Guid id, GrantNumbers grants, CancellationToken ct) =>
        await grants.AcknowledgeAsync(context.Actor(), id, ct) is { } grant ? TypedResults.Ok(grant) : Problems.NotFound("such grant");

    private static async Task<IResult> GiveBackAsync(HttpContext context, GiveBackRequest? request, Func<Actor, GiveBackRequest, CancellationToken, Task<GiveBackOutcome>> giveBack, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(request?.Reason))
        {
            return Problems.ReasonMissing();
        }
        var outcome = await giveBack(context.Actor(), request, ct);
        return outcome.Sentence is { } sentence ? Refuse(outcome.Refusal, sentence) : TypedResults.Ok(new { outcome.Quantity });
    }

    private static ProblemHttpResult Refuse(SerialRefusal refusal, string sentence) => refusal switch
    {
        SerialRefusal.NotFound => Problems.NotFound(sentence),
        SerialRefusal.Reused => Problems.RequestReused(sentence),
        SerialRefusal.Dry => Problems.PoolDry(sentence),
        SerialRefusal.State => Problems.SerialsRefused(sentence),
        _ => Problems.Invalid(sentence),
    };

    private static IResult Answer(GrantedNumbers granted, string form, SerialForms.RangeMessage? message, int status) => form switch
    {
        "csv" => Results.Text(SerialForms.WriteCsv(granted), "text/csv; charset=utf-8", Encoding.UTF8, status),
        "xml" => Results.Text(SerialForms.WriteXml(granted, message), "application/xml; charset=utf-8", status),
        _ => TypedResults.Json(View(granted), statusCode: status),
    };

    private static IResult Replayed(HttpContext context, bool isReplayed, object answer)
    {
        if (isReplayed)
        {
            context.Response.Headers["Idempotency-Replayed"] = "true";
        }
        return TypedResults.Ok(answer);
    }

    private static string? FormOf(string? mediaType) => mediaType?.Split(';')[0].Trim().ToLowerInvariant() switch
    {
        "application/json" => "json",
        "text/csv" => "csv",
        "application/xml" or "text/xml" or "application/soap+xml" => "xml",
        _ => null,
    };

    // Who accepts anything is answered as he asked.
    private static string? AnswerForm(string accept, string? asked) =>
        accept.Length == 0 || accept.Contains("*/*", StringComparison.Ordinal) && FormOf(accept.Split(',')[0]) is null ? asked : accept.Split(',').Select(FormOf).FirstOrDefault(f => f is not null);

    private static async Task<byte[]?> BodyAsync(HttpContext context, int maxBytes, CancellationToken ct)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = maxBytes;
        }
        using var body = new MemoryStream();
        var buffer = new byte[81_920];
        int read;
        while ((read = await context.Request.Body.ReadAsync(buffer, ct)) > 0)
        {
            if (body.Length + read > maxBytes)
            {
                return null;
            }
            body.Write(buffer, 0, read);
        }
        return body.ToArray();
    }
}
