using System.Security.Claims;
using Gateway.Access;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server;
using Microsoft.AspNetCore.Mvc;

namespace Gateway.Host.Dashboard;

static class SignInEndpoints
{
    public static void MapSignIn(this IEndpointRouteBuilder app)
    {
        app.MapPost("/sign-in", SignInAsync).AllowAnonymous().RequireRateLimiting(Http.RateLimits.SignIn);
        app.MapPost("/sign-out", SignOutAsync).AllowAnonymous();
    }

    private static async Task<IResult> SignInAsync(HttpContext context, [FromForm] string? key, [FromForm] string? returnUrl, ApiKeys keys, CancellationToken ct)
    {
        var target = IsLocal(returnUrl) ? returnUrl! : "/";
        if (await keys.FindAsync((key ?? "").Trim(), ct) is not { } holder)
        {
            return Results.LocalRedirect($"/sign-in?failed=true&returnUrl={Uri.EscapeDataString(target)}");
        }
        const string scheme = CookieAuthenticationDefaults.AuthenticationScheme;
        await context.SignInAsync(scheme, KeyAuthentication.Principal(holder, scheme));
        return Results.LocalRedirect(target);
    }

    // The form's binding parameter makes the framework check the antiforgery token.
    private static async Task<IResult> SignOutAsync(HttpContext context, [FromForm] IFormCollection form)
    {
        _ = form;
        await context.SignOutAsync(CookieAuthenticationDefaults.AuthenticationScheme);
        return Results.LocalRedirect("/sign-in");
    }

    private static bool IsLocal(string? url) => url is ['/', ..] && !url.StartsWith("//", StringComparison.Ordinal) && !url.StartsWith("/\\", StringComparison.Ordinal);
}

/// <summary>A page that stays open asks again whether its key still opens anything.</summary>
sealed class KeyRevalidation(ILoggerFactory loggers, ApiKeys keys) : RevalidatingServerAuthenticationStateProvider(loggers)
{
    protected override TimeSpan RevalidationInterval => TimeSpan.FromSeconds(20);

    protected override async Task<bool> ValidateAuthenticationStateAsync(AuthenticationState authenticationState, CancellationToken cancellationToken) =>
        authenticationState.User.FindFirstValue("key") is { } id && await keys.IsActiveAsync(id, cancellationToken);
}
