using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gateway.Access;

/// <summary>Signs a browser in by its cookie, which names a session and says nothing else.</summary>
public sealed class SessionAuthentication(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, Sessions sessions)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "Session";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Request.Cookies[CookieName(Request)] is not { } secret)
        {
            return AuthenticateResult.NoResult();
        }
        return await sessions.FindAsync(secret, Context.RequestAborted) is { } holder
            ? AuthenticateResult.Success(new AuthenticationTicket(holder.ToPrincipal(SchemeName), SchemeName))
            : AuthenticateResult.Fail("The session has ended.");
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.Redirect($"/sign-in?ReturnUrl={UrlEncoder.Encode(Request.Path + Request.QueryString)}");
        return Task.CompletedTask;
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        Response.Redirect("/not-allowed");
        return Task.CompletedTask;
    }

    public static void SetCookie(HttpContext context, string secret) =>
        context.Response.Cookies.Append(CookieName(context.Request), secret, Cookie(context.Request));

    public static void RemoveCookie(HttpContext context) =>
        context.Response.Cookies.Delete(CookieName(context.Request), Cookie(context.Request));

    public static string? Secret(HttpContext context) => context.Request.Cookies[CookieName(context.Request)];

    // The prefix makes a browser refuse the cookie from any other host or path; it is only allowed over https.
    private static string CookieName(HttpRequest request) => request.IsHttps ? "__Host-gateway" : "gateway";

    private static CookieOptions Cookie(HttpRequest request) =>
        new() { HttpOnly = true, Secure = request.IsHttps, SameSite = SameSiteMode.Strict, Path = "/", IsEssential = true };
}
