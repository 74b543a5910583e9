using Gateway.Access;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;

namespace Gateway.Host.Dashboard;

static class SignInEndpoints
{
    // So long before the end an open page warns.
    private static readonly TimeSpan WarnFor = TimeSpan.FromMinutes(1);

    public static void MapSignIn(this IEndpointRouteBuilder app)
    {
        app.MapPost("/sign-in", SignInAsync).AllowAnonymous().RequireRateLimiting(Http.RateLimits.SignIn);
        app.MapPost("/sign-out", SignOutAsync).AllowAnonymous();
        app.MapGet("/session", EndOfSessionAsync).AllowAnonymous();
        app.MapPost("/session", StayAsync).AllowAnonymous();
    }

    // Two forms: name and password of a person, or a key.
    private static async Task<IResult> SignInAsync(HttpContext context, [FromForm] string? user, [FromForm] string? password, [FromForm] string? code, [FromForm] string? key, [FromForm] string? returnUrl,
        SignInPerson signIn, ApiKeys keys, Sessions sessions, CancellationToken ct)
    {
        var target = IsLocal(returnUrl) ? returnUrl! : "/";
        var origin = Origin(context);
        var answer = key is null
            ? await signIn.TryAsync(user ?? "", password ?? "", code, origin, ct)
            : new SignInAnswer(await keys.FindAsync(key.Trim(), ct) is { } holder ? await sessions.StartAsync(holder, origin, ct) : null);
        if (answer.Secret is not { } secret)
        {
            return Results.LocalRedirect($"/sign-in?failed={(answer.IsExpired ? "expired" : key is null ? "person" : "key")}&returnUrl={Uri.EscapeDataString(target)}");
        }
        await EndAsync(context, sessions, "signed in anew", ct);
        SessionAuthentication.SetCookie(context, secret);
        return Results.LocalRedirect(target);
    }

    // The form's binding parameter makes the framework check the antiforgery token.
    private static async Task<IResult> SignOutAsync(HttpContext context, [FromForm] IFormCollection form, Sessions sessions, CancellationToken ct)
    {
        _ = form;
        await EndAsync(context, sessions, "signed out", ct);
        SessionAuthentication.RemoveCookie(context);
        return Results.LocalRedirect("/sign-in");
    }

    // An open page asks when its session ends, which is no activity, so nobody is signed in for it.
    private static async Task<IResult> EndOfSessionAsync(HttpContext context, Sessions sessions, IOptions<SignInOptions> options, CancellationToken ct)
    {
        context.Response.Headers.CacheControl = "no-store";
        return SessionAuthentication.Secret(context) is { } secret && await sessions.EndOfAsync(secret, ct) is { } end
            ? Results.Ok(new { end.Seconds, end.CanStay, warnSeconds = Math.Min(WarnFor.TotalSeconds, options.Value.Idle.TotalSeconds / 4) })
            : Results.NoContent();
    }

    // The person says that he is there.
    private static async Task<IResult> StayAsync(HttpContext context, [FromForm] IFormCollection form, Sessions sessions, CancellationToken ct)
    {
        _ = form;
        if (SessionAuthentication.Secret(context) is { } secret)
        {
            await sessions.FindAsync(secret, ct);
        }
        return Results.NoContent();
    }

    private static async Task EndAsync(HttpContext context, Sessions sessions, string why, CancellationToken ct)
    {
        if (SessionAuthentication.Secret(context) is { } secret && await sessions.FindAsync(secret, ct) is { } holder)
        {
            await sessions.EndAsync(secret, why, holder.ToPrincipal(SessionAuthentication.SchemeName).ToActor(Origin(context)), ct);
        }
    }

    private static string Origin(HttpContext context) => context.Connection.RemoteIpAddress?.ToString() ?? "unknown";

    private static bool IsLocal(string? url) => url is ['/', ..] && !url.StartsWith("//", StringComparison.Ordinal) && !url.StartsWith("/\\", StringComparison.Ordinal) && !url.Any(char.IsControl);
}
