using System.Security.Claims;
using System.Text;
using Gateway.Access;
using Gateway.Audit;
using Gateway.Capture;
using Gateway.Database;
using Gateway.Delivery;
using Gateway.Host.Dashboard.Captures;
using Gateway.Host.Dashboard.Deliveries;
using Gateway.Host.Dashboard.Units;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Radzen;

namespace Gateway.Host.Dashboard;

public static class DashboardSetup
{
    public static IServiceCollection AddDashboard(this IServiceCollection services)
    {
        services.AddAntiforgery(o =>
        {
            o.Cookie.Name = "gateway-form";
            o.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            o.SuppressXFrameOptionsHeader = true; // every answer has one
        });
        services.AddRazorComponents().AddInteractiveServerComponents();
        services.AddRadzenComponents();
        services.AddCascadingAuthenticationState();
        services.AddScoped<SessionState>();
        services.AddScoped<AuthenticationStateProvider>(s => s.GetRequiredService<SessionState>());
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<Installation>();
        services.AddSingleton<Scheduling.ClockState>();
        services.AddScoped<LiveUpdates>();
        services.AddSingleton<ChangeFeed>();
        services.AddHostedService(s => s.GetRequiredService<ChangeFeed>());
        services.AddSingleton<CaptureList>();
        services.AddSingleton<CaptureSource>();
        services.AddSingleton<RoutingDecisions>();
        services.AddSingleton<CaptureFigures>();
        services.AddSingleton<DeliveryFigures>();
        services.AddSingleton<AuditTrail>();
        services.AddSingleton<PageViews>();
        services.AddSingleton<Query.Search>();
        services.TryAddSingleton<DeliveryDecisions>();
        return services;
    }

    public static void MapDashboard(this WebApplication app)
    {
        app.Use(SameOriginAsync);
        app.MapSignIn();
        app.MapDeliveryExport();
        app.MapRecallExport();
        app.MapGet("/", (HttpContext context) => Results.Redirect(FirstPage(context.User))).RequireAuthorization();
        app.MapUpload();
        app.MapGet("/captures/{captureId:guid}/document", DownloadAsync).RequireAuthorization(UploadEndpoints.InBrowser(Permissions.ReadCaptures)).AddEndpointFilter(RecordAsync);
        app.MapGet("/captures/{captureId:guid}/report", ReportAsync).RequireAuthorization(UploadEndpoints.InBrowser(Permissions.ReadCaptures)).AddEndpointFilter(RecordAsync);
        // The answer's own policy below says more than the framework's frame-ancestors.
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode(o => o.ContentSecurityFrameAncestorsPolicy = null);
    }

    private static string FirstPage(ClaimsPrincipal user) =>
        user.Has(Permissions.ReadDeliveries) ? "/today" : user.Has(Permissions.ReadCaptures) ? "/captures" : user.Has(Permissions.ManagePeople) ? "/settings/people" : "/account";

    // Browsers let any site open a socket to any other, and tell which site it was.
    private static Task SameOriginAsync(HttpContext context, RequestDelegate next) =>
        context.Request.Path.StartsWithSegments("/_blazor") && context.Request.Headers.Origin.ToString() is { Length: > 0 } origin
            && !(Uri.TryCreate(origin, UriKind.Absolute, out var from) && string.Equals(from.Authority, context.Request.Host.Value, StringComparison.OrdinalIgnoreCase))
            ? Http.Problems.Forbidden().ExecuteAsync(context)
            : next(context);

    // What is taken along is a view too.
    private static async ValueTask<object?> RecordAsync(EndpointFilterInvocationContext call, EndpointFilterDelegate next)
    {
        var context = call.HttpContext;
        if (PageViews.Concern(context.User))
        {
            await context.RequestServices.GetRequiredService<PageViews>().RecordAsync(context.Actor(), context.Request.Path + context.Request.QueryString, context.RequestAborted);
        }
        return await next(call);
    }

    private static async Task<IResult> ReportAsync(Guid captureId, HttpContext context, CaptureList captures, CancellationToken ct)
    {
        var reader = context.Actor();
        if (await captures.FindAsync(reader, captureId, ct) is not { } capture)
        {
            return Http.Problems.NotFound("capture");
        }
        var findings = await captures.FindingsAsync(reader, capture.Cursor, code: null, ct);
        var report = new CaptureReport(
            captureId.ToString(), capture.Sha256, capture.Length, capture.CreatedAt, CaptureReport.ResultOf(capture.State, capture.EventCount), capture.FindingCount, findings);
        return Results.File(Encoding.UTF8.GetBytes(report.ToString()), "text/plain; charset=utf-8", $"{captureId}.txt");
    }

    // Exactly the bytes received, so a compressed document comes compressed; never shown by the browser, which would run what it holds.
    private static async Task<IResult> DownloadAsync(Guid captureId, HttpContext context, CaptureList captures, CaptureSource source, CancellationToken ct)
    {
        var reader = context.Actor();
        if (await captures.FindAsync(reader, captureId, ct) is not { } capture)
        {
            return Http.Problems.NotFound("capture");
        }
        var extension = (capture.MediaType.Contains("json", StringComparison.Ordinal) ? ".json" : ".xml") + (capture.ContentEncoding == "gzip" ? ".gz" : "");
        return Results.Stream(body => source.CopyAsync(reader, captureId, body, ct), "application/octet-stream", $"{captureId}{extension}");
    }
}
