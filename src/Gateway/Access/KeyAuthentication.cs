using System.Security.Claims;
using System.Text.Encodings.Web;
using Gateway.Http;
using Gateway.Scheduling;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gateway.Access;

/// <summary>Signs a request in by its bearer key.</summary>
public sealed class KeyAuthentication(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, ApiKeys keys, RefusedCalls refused)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "Key";

    private const string Bearer = "Bearer ";

    private string? Token => Request.Headers.Authorization.ToString() is { } header && header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) ? header[Bearer.Length..].Trim() : null;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Token is not { } token)
        {
            return AuthenticateResult.NoResult();
        }
        return await keys.FindAsync(token, Context.RequestAborted) is { } holder
            ? AuthenticateResult.Success(new AuthenticationTicket(holder.ToPrincipal(SchemeName), SchemeName))
            : AuthenticateResult.Fail("The key is not valid.");
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        // RFC 6750, section 3: without a credential no error is named.
        Response.Headers.WWWAuthenticate = Request.Headers.ContainsKey("Authorization") ? "Bearer realm=\"gateway\", error=\"invalid_token\"" : "Bearer realm=\"gateway\"";
        var problem = Problems.Unauthorized();
        if (Token is { } token)
        {
            refused.NoteUnauthorized(Context, token, problem);
        }
        return problem.ExecuteAsync(Context);
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        var problem = Problems.Forbidden();
        refused.NoteForbidden(Context, problem);
        return problem.ExecuteAsync(Context);
    }
}

public static class AccessSetup
{
    /// <summary>Keys for machines, a cookie for the dashboard; everything asks for a permission, nothing is open by default.</summary>
    public static IServiceCollection AddAccess(this IServiceCollection services)
    {
        services.AddOptions<SignInOptions>().BindConfiguration(SignInOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<ApiKeys>();
        services.AddSingleton<AddKey>();
        services.AddSingleton<RefusedCalls>();
        services.AddSingleton<Sessions>();
        services.AddSingleton<Roles>();
        services.AddSingleton<PasswordRules>();
        services.AddSingleton<PersonSecrets>();
        services.AddSingleton<People>();
        services.AddSingleton<ProvePerson>();
        services.AddSingleton<SignInPerson>();
        services.AddSingleton<OwnAccount>();
        services.AddSingleton<Signing>();
        services.AddSingleton<Signatures>();
        services.AddSingleton<AccessReviews>();
        services.AddNodeChore<WatchExpiry>("watch-expiry", TimeSpan.FromHours(1));
        services.AddAuthentication(options => options.DefaultScheme = "KeyOrCookie")
            .AddScheme<AuthenticationSchemeOptions, KeyAuthentication>(KeyAuthentication.SchemeName, null)
            .AddScheme<AuthenticationSchemeOptions, SessionAuthentication>(SessionAuthentication.SchemeName, null)
            .AddPolicyScheme("KeyOrCookie", null, options => options.ForwardDefaultSelector = context =>
                context.Request.Headers.ContainsKey("Authorization") || !IsPage(context) ? KeyAuthentication.SchemeName : SessionAuthentication.SchemeName);
        var authorization = services.AddAuthorizationBuilder();
        foreach (var permission in Permissions.All)
        {
            authorization.AddPolicy(permission, policy => policy.RequireAuthenticatedUser().RequireAssertion(c => c.User.Has(permission)));
        }
        authorization.SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
        return services;
    }

    /// <summary>Asks the claims, which were read from the database when the caller was authenticated.</summary>
    public static bool Has(this ClaimsPrincipal user, string permission) => Holder.Has(user, permission);

    /// <summary>Who looks and does nothing else, whatever the role is called.</summary>
    public static bool OnlyReads(this ClaimsPrincipal user) => Holder.OnlyReads(user);

    /// <summary>The actor of this request, for its transactions.</summary>
    public static Actor Actor(this HttpContext context) =>
        context.User.ToActor(context.Connection.RemoteIpAddress?.ToString() ?? "unknown") with { Correlation = context.TraceIdentifier };

    public static Actor ToActor(this ClaimsPrincipal user, string origin) => Holder.ActorOf(user, origin);

    // A browser asks for pages and Blazor's own channel with the cookie; the API takes keys only, so no form elsewhere can use a cookie.
    private static bool IsPage(HttpContext context)
    {
        var path = context.Request.Path;
        return path.StartsWithSegments("/_blazor") || path.StartsWithSegments("/_framework") || FailureAnswers.AsksForPage(context.Request);
    }
}
