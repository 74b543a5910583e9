using System.Security.Claims;
using System.Text;
using Gateway.Access;
using Gateway.Audit;
using Gateway.Capture;
using Gateway.Database;
using Gateway.Delivery;
using Gateway.Host.Dashboard.Captures;
using Gateway.Host.Dashboard.Intake;
using Gateway.Host.Dashboard.Deliveries;
using Gateway.Host.Dashboard.Partners;
using Gateway.Host.Dashboard.Units;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Endpoints;
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
        services.AddScoped<Sign.SignDialog>();
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
        app.Use(RecordAsync);
        app.MapSignIn();
        app.MapDeliveryExport();
        app.MapScorecardExport();
        app.MapRecallExport();
        app.MapGet("/", (HttpContext context) => Results.Redirect(FirstPage(context.User))).RequireAuthorization();
        app.MapUpload();
        app.MapIntakeForms();
        app.MapGet("/captures/{captureId:guid}/document", DownloadAsync).RequireAuthorization(UploadEndpoints.InBrowser(Permissions.ReadCaptures)).WithMetadata(new TakenAlong());
        app.MapGet("/captures/{captureId:guid}/report", ReportAsync).RequireAuthorization(UploadEndpoints.InBrowser(Permissions.ReadCaptures)).WithMetadata(new TakenAlong());
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

    // What is taken along is recorded, and so is what is read past the pages by a person who only looks. Pages record themselves.
    private static async Task RecordAsync(HttpContext context, RequestDelegate next)
    {
        if (context.GetEndpoint()?.Metadata is { } endpoint && context.User.Identity is { IsAuthenticated: true } identity && endpoint.GetMetadata<RecordsItself>() is null)
        {
            var (views, address) = (context.RequestServices.GetRequiredService<PageViews>(), context.Request.Path + context.Request.QueryString);
            if (endpoint.GetMetadata<TakenAlong>() is not null)
            {
                await views.RecordTakenAsync(context.Actor(), address, context.RequestAborted);
            }
            else if (PageViews.Concern(context.User) && identity.AuthenticationType == SessionAuthentication.SchemeName
                && endpoint.GetMetadata<ComponentTypeMetadata>() is null && endpoint.GetMetadata<IAuthorizeData>()?.Policy is not null)
            {
                await views.RecordAsync(context.Actor(), address, context.RequestAborted);
            }
        }
        await next(context);
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
