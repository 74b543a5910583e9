using Gateway.Access;
using Gateway.Capture;
using Gateway.Host.Dashboard.Captures;
using Gateway.Intake;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;

namespace Gateway.Host.Dashboard.Intake;

/// <summary>The forms of a mapping's page: plain posts, answered where the person is.</summary>
static class IntakeForms
{
    public static void MapIntakeForms(this IEndpointRouteBuilder app)
    {
        app.MapPost("/intake/mappings/{name}/take", TakeAsync).RequireAuthorization(UploadEndpoints.InBrowser(Permissions.Capture));
        app.MapPost("/intake/mappings/{name}/try", TryAsync).RequireAuthorization(UploadEndpoints.InBrowser(Permissions.Check));
    }

    private static async Task<IResult> TakeAsync(HttpContext context, string name, Guid? run, TakeIn takeIn, UploadFiles upload, CancellationToken ct)
    {
        var (files, problem) = await takeIn.UploadAsync(context, upload, name, run, ct);
        return files is [{ CaptureId: { } id }] && context.User.Has(Permissions.ReadCaptures)
            ? Results.LocalRedirect($"/intake/files/{id}")
            : Page("Take in", name, [.. files.Select(f => (f, (IntakeTrial?)null))], problem);
    }

    private static async Task<IResult> TryAsync(HttpContext context, string name, IntakeResults results, UploadFiles upload, TimeProvider clock, IOptions<CaptureOptions> options, CancellationToken ct)
    {
        var (files, problem) = await results.TryAsync(context, upload, name, clock, options.Value, ct);
        return Page("Dry run", name, files, problem);
    }

    private static RazorComponentResult<IntakeFormResult> Page(string title, string mapping, IReadOnlyList<(UploadedFile, IntakeTrial?)> files, ProblemHttpResult? problem) =>
        new(new Dictionary<string, object?>
        {
            [nameof(IntakeFormResult.Title)] = title,
            [nameof(IntakeFormResult.Mapping)] = mapping,
            [nameof(IntakeFormResult.Files)] = files,
            [nameof(IntakeFormResult.Problem)] = problem?.ProblemDetails,
        })
        { StatusCode = problem?.StatusCode ?? (files is [({ Problem: { } only }, _)] ? only.Status : null) ?? StatusCodes.Status200OK, PreventStreamingRendering = true };
}
