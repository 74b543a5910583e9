using Gateway.Access;
using Gateway.Capture;
using Gateway.Http;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Gateway.Host.Dashboard.Captures;

/// <summary>The forms of the captures page: plain posts, answered where the person is.</summary>
static class UploadEndpoints
{
    public static void MapUpload(this IEndpointRouteBuilder app)
    {
        app.MapPost("/captures/upload", UploadAsync).RequireAuthorization(InBrowser(Permissions.Capture));
        app.MapPost("/captures/check", CheckAsync).RequireAuthorization(InBrowser(Permissions.Check));
        app.MapGet("/captures/check", (HttpContext context, TimeProvider time) => Page(context, time, "Check only", [])).RequireAuthorization(InBrowser(Permissions.Check));
    }

    // A browser's download or script does not ask for text/html, by which pages are told from the API: so the cookie is named.
    public static AuthorizeAttribute InBrowser(string permission) => new(permission)
    {
        AuthenticationSchemes = $"{SessionAuthentication.SchemeName},{KeyAuthentication.SchemeName}",
    };

    private static async Task<IResult> UploadAsync(HttpContext context, UploadFiles upload, TimeProvider time, CancellationToken ct)
    {
        var (files, problem) = await upload.CaptureAsync(context, ct);
        return files is [{ CaptureId: { } id }] && context.User.Has(Permissions.ReadCaptures)
            ? Results.LocalRedirect($"/captures/{id}")
            : Page(context, time, "Upload", files, problem);
    }

    private static async Task<IResult> CheckAsync(HttpContext context, UploadFiles upload, TimeProvider time, CancellationToken ct)
    {
        var (files, problem) = await upload.CheckAsync(context, ct);
        return Page(context, time, "Check only", files, problem);
    }

    private static RazorComponentResult<UploadResult> Page(HttpContext context, TimeProvider time, string title, IReadOnlyList<UploadedFile> files, ProblemHttpResult? problem = null)
    {
        var status = problem?.StatusCode ?? (files is [{ Problem: { } only }] ? only.Status : null) ?? StatusCodes.Status200OK;
        if (status is 409 or 503 or 507)
        {
            FailureAnswers.AskToRetry(context.Response);
        }
        return new RazorComponentResult<UploadResult>(new Dictionary<string, object?>
        {
            [nameof(UploadResult.Title)] = title,
            [nameof(UploadResult.Files)] = files,
            [nameof(UploadResult.Problem)] = problem?.ProblemDetails,
            [nameof(UploadResult.At)] = time.GetUtcNow().UtcDateTime,
            [nameof(UploadResult.MayCapture)] = context.User.Has(Permissions.Capture),
            [nameof(UploadResult.MayReadCaptures)] = context.User.Has(Permissions.ReadCaptures),
        })
        { StatusCode = status, PreventStreamingRendering = true };
    }
}
