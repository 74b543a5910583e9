using System.Globalization;
using System.Text;
using Gateway.Access;
using Gateway.Audit;
using Gateway.Database;
using Gateway.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;

namespace Gateway.Capture;

public static class CaptureEndpoints
{
    public static void MapCapture(this IEndpointRouteBuilder app)
    {
        app.MapPost("/capture", PostAsync).RequireAuthorization(Permissions.Capture);
        app.MapGet("/capture", ListAsync).RequireAuthorization(Permissions.ReadCaptures);
        app.MapGet("/capture/{id:guid}", JobAsync).RequireAuthorization(Permissions.ReadCaptures);
        app.MapMethods("/capture", ["OPTIONS"], Options).RequireAuthorization(Permissions.ReadCaptures);
        app.MapMethods("/capture/{id:guid}", ["OPTIONS"], (HttpContext context) => EpcisHeaders.Discovery(context.Response, "GET, OPTIONS")).RequireAuthorization(Permissions.ReadCaptures);
        app.MapGet("/api/captures/{id:guid}", DetailsAsync).RequireAuthorization(Permissions.ReadCaptures);
        app.MapGet("/api/captures/{id:guid}/receipt", ReceiptAsync).RequireAuthorization(Permissions.ReadCaptures);
        app.MapGet("/api/captures/{id:guid}/source", SourceAsync).RequireAuthorization(Permissions.ReadCaptures).WithMetadata(new TakenAlong());
        app.MapPost("/api/check", CheckAsync).RequireAuthorization(Permissions.Check);
    }

    private static IResult Options(HttpContext context, IOptions<CaptureOptions> options)
    {
        Limits(context.Response, options.Value);
        context.Response.Headers["GS1-Capture-Error-Behaviour"] = "rollback, proceed";
        return EpcisHeaders.Discovery(context.Response, "GET, POST, OPTIONS");
    }

    private static void Limits(HttpResponse response, CaptureOptions options)
    {
        response.Headers["GS1-EPCIS-Capture-Limit"] = options.MaxEvents.ToString(CultureInfo.InvariantCulture);
        response.Headers["GS1-EPCIS-Capture-File-Size-Limit"] = options.MaxBytes.ToString(CultureInfo.InvariantCulture);
    }

    private static async Task<IResult> PostAsync(HttpContext context, AcceptCapture accept, UploadLimit uploads, [FromServices] CaptureReceipts? receipts, IOptions<CaptureOptions> options, CancellationToken ct)
    {
        EpcisHeaders.Write(context.Response);
        var key = context.Request.Headers.TryGetValue("Idempotency-Key", out var keys) ? keys.ToString() : null;
        if (key is not null && (key.Length is < 1 or > 255 || key.Any(c => c is < ' ' or > '~')))
        {
            return Problems.BadKey();
        }
        var behaviour = context.Request.Headers.TryGetValue("GS1-Capture-Error-Behaviour", out var wanted) ? wanted.ToString() : "rollback";
        if (behaviour is not ("rollback" or "proceed"))
        {
            return Problems.BadParameter("GS1-Capture-Error-Behaviour is rollback or proceed.");
        }
        try
        {
            await using var body = await ReceivedBody.ReceiveAsync(context.Request, uploads, options.Value, ct);
            var (answer, problem) = await accept.AcceptAsync(body, key, behaviour, context.Actor(), ct);
            if (answer is null)
            {
                return Refuse(context, problem!);
            }
            if (answer.IsReplay)
            {
                context.Response.Headers["Idempotency-Replayed"] = "true";
            }
            context.Response.Headers.Location = $"/capture/{answer.PublicId}";
            if (receipts?.Of(answer.PublicId, body.Sha256, body.Length, answer.ReceivedAt) is { } receipt)
            {
                context.Response.Headers[CaptureReceipts.Header] = Convert.ToBase64String(Encoding.UTF8.GetBytes(receipt));
            }
            return TypedResults.Text(answer.Body, answer.Status == 202 ? "application/json" : "application/problem+json", statusCode: answer.Status);
        }
        catch (BodyRefusedException refused)
        {
            if (refused.Answer is ProblemHttpResult { StatusCode: StatusCodes.Status413PayloadTooLarge })
            {
                Limits(context.Response, options.Value);
            }
            return Refuse(context, refused.Answer);
        }
    }

    private static IResult Refuse(HttpContext context, IResult answer)
    {
        if (answer is ProblemHttpResult { StatusCode: 409 or 503 or 507 })
        {
            FailureAnswers.AskToRetry(context.Response);
        }
        return answer;
    }

    private static async Task<IResult> ListAsync(HttpContext context, CaptureReading captures, CancellationToken ct)
    {
        EpcisHeaders.Write(context.Response);
        var query = context.Request.Query;
        if (query.Keys.FirstOrDefault(k => k is not ("perPage" or "limit" or "nextPageToken")) is { } unknown)
        {
            return Problems.BadParameter($"There is no parameter {unknown}.");
        }
        if (!Paging.TryRead(query, out var page))
        {
            return Problems.BadParameter(Paging.Rule);
        }
        var (jobs, next) = await captures.JobsAsync(context.Actor(), page, ct);
        Paging.WriteNext(context, next);
        return TypedResults.Json(jobs, CaptureJob.Json);
    }

    private static async Task<IResult> JobAsync(HttpContext context, Guid id, CaptureReading captures, CancellationToken ct)
    {
        EpcisHeaders.Write(context.Response);
        return await captures.JobAsync(context.Actor(), id, ct) is { } job ? TypedResults.Json(job, CaptureJob.Json) : Problems.NotFound("capture job with this id");
    }

    private static async Task<IResult> DetailsAsync(HttpContext context, Guid id, CaptureReading captures, CancellationToken ct) =>
        await captures.DetailsAsync(context.Actor(), id, ct) is { } details ? TypedResults.Json(details, CaptureJob.Json) : Problems.NotFound("capture with this id");

    private static async Task<IResult> ReceiptAsync(HttpContext context, Guid id, CaptureReading captures, [FromServices] CaptureReceipts? receipts, CancellationToken ct)
    {
        if (await captures.DetailsAsync(context.Actor(), id, ct) is not { } details)
        {
            return Problems.NotFound("capture with this id");
        }
        return receipts?.Of(details.Id, Convert.FromHexString(details.Sha256), details.Length, details.CreatedAt.UtcDateTime) is { } receipt
            ? TypedResults.Ok(new { receipt, proof = await captures.ProofAsync(context.Actor(), id, ct) })
            : Problems.NotFound("checkpoint yet");
    }

    private static async Task<IResult> SourceAsync(HttpContext context, Guid id, CaptureReading captures, CancellationToken ct)
    {
        if (await captures.SourceAsync(context.Actor(), id, ct) is not { } source)
        {
            return Problems.NotFound("capture with this id");
        }
        // As it came, and never shown by a browser as a page of ours. The encoding is told apart: the bytes are the evidence.
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"{id}{source.Extension}\"";
        context.Response.Headers["Digest"] = "sha-256=" + Convert.ToBase64String(source.Sha256);
        return TypedResults.Stream(new ChunkStream(captures.Database, context.Actor(), source.DocumentId), source.ContentEncoding is null ? source.MediaType : "application/gzip");
    }

    private static async Task<IResult> CheckAsync(HttpContext context, UploadLimit uploads, CheckDocument check, IOptions<CaptureOptions> options, CancellationToken ct)
    {
        try
        {
            await using var body = await ReceivedBody.ReceiveAsync(context.Request, uploads, options.Value, ct);
            return TypedResults.Json(await check.CheckAsync(body, context.Actor(), ct), CaptureJob.Json);
        }
        catch (BodyRefusedException refused)
        {
            return Refuse(context, refused.Answer);
        }
    }
}
