using System.Security.Claims;
using System.Text.Encodings.Web;
using Gateway.Http;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gateway.Access;

/// <summary>Signs a request in by its bearer key; the dashboard's cookie holds the same claims, made from the same key.</summary>
public sealed class KeyAuthentication(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, ApiKeys keys)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "Key";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        const string bearer = "Bearer ";
        var header = Request.Headers.Authorization.ToString();
        if (!header.StartsWith(bearer, StringComparison.OrdinalIgnoreCase))
        {
            return AuthenticateResult.NoResult();
        }
        return await keys.FindAsync(header[bearer.Length..].Trim(), Context.RequestAborted) is { } holder
            ? AuthenticateResult.Success(new AuthenticationTicket(Principal(holder, SchemeName), SchemeName))
            : AuthenticateResult.Fail("The key is not valid.");
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        // RFC 6750, section 3: without a credential no error is named.
        Response.Headers.WWWAuthenticate = Request.Headers.ContainsKey("Authorization") ? "Bearer realm=\"gateway\", error=\"invalid_token\"" : "Bearer realm=\"gateway\"";
        return Problems.Unauthorized().ExecuteAsync(Context);
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) =>
        Problems.Forbidden().ExecuteAsync(Context);

    public static ClaimsPrincipal Principal(KeyHolder holder, string scheme) => new(new ClaimsIdentity(
    [
        new Claim("key", holder.KeyId),
        new Claim(ClaimTypes.Name, holder.Name),
        new Claim(ClaimTypes.Role, holder.Role),
        new Claim("party", holder.PartyId.ToString(System.Globalization.CultureInfo.InvariantCulture)),
        new Claim("party-kind", holder.PartyKind),
    ], scheme));
}

public static class AccessSetup
{
    /// <summary>Keys for machines, a cookie for the dashboard; everything asks for a permission, nothing is open by default.</summary>
    public static IServiceCollection AddAccess(this IServiceCollection services)
    {
        services.AddSingleton<ApiKeys>();
        services.AddSingleton<AddKey>();
        services.AddAuthentication(options => options.DefaultScheme = "KeyOrCookie")
            .AddScheme<AuthenticationSchemeOptions, KeyAuthentication>(KeyAuthentication.SchemeName, null)
            .AddCookie(options =>
            {
                options.Cookie.Name = "gateway";
                options.Cookie.SameSite = SameSiteMode.Strict;
                options.Cookie.HttpOnly = true;
                options.CookieManager = new HostCookies();
                options.LoginPath = "/sign-in";
                options.AccessDeniedPath = "/sign-in";
                options.ExpireTimeSpan = TimeSpan.FromHours(8);
                // A revoked key ends its sessions too.
                options.Events.OnValidatePrincipal = KeyStillValidAsync;
            })
            .AddPolicyScheme("KeyOrCookie", null, options => options.ForwardDefaultSelector = context =>
                context.Request.Headers.ContainsKey("Authorization") || !IsPage(context) ? KeyAuthentication.SchemeName : CookieAuthenticationDefaults.AuthenticationScheme);
        var authorization = services.AddAuthorizationBuilder();
        foreach (var permission in Permissions.All)
        {
            authorization.AddPolicy(permission, policy => policy.RequireAuthenticatedUser().RequireAssertion(c => c.User.Has(permission)));
        }
        authorization.SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
        return services;
    }

    public static bool Has(this ClaimsPrincipal user, string permission) =>
        Roles.PermissionsOf(user.FindFirstValue(ClaimTypes.Role) ?? "").Contains(permission);

    /// <summary>The actor of this request, for its transactions.</summary>
    public static Actor Actor(this HttpContext context) =>
        context.User.ToActor(context.Connection.RemoteIpAddress?.ToString() ?? "unknown") with { Correlation = context.TraceIdentifier };

    public static Actor ToActor(this ClaimsPrincipal user, string origin) => Access.Actor.OfKey(
        user.FindFirstValue("key") ?? throw new InvalidOperationException("The request has no signed-in key."),
        user.FindFirstValue(ClaimTypes.Name)!, user.FindFirstValue(ClaimTypes.Role)!,
        int.Parse(user.FindFirstValue("party")!, System.Globalization.CultureInfo.InvariantCulture),
        user.FindFirstValue("party-kind") == "organisation", origin);

    // A browser asks for pages and Blazor's own channel with the cookie; the API takes keys only, so no form elsewhere can use a cookie.
    private static bool IsPage(HttpContext context)
    {
        var path = context.Request.Path;
        return path.StartsWithSegments("/_blazor") || path.StartsWithSegments("/_framework") || FailureAnswers.AsksForPage(context.Request);
    }

    private static async Task KeyStillValidAsync(CookieValidatePrincipalContext context)
    {
        var keys = context.HttpContext.RequestServices.GetRequiredService<ApiKeys>();
        if (context.Principal?.FindFirstValue("key") is not { } id || !await keys.IsActiveAsync(id, context.HttpContext.RequestAborted))
        {
            context.RejectPrincipal();
        }
    }
}
