using System.Globalization;
using System.Security.Claims;
using Gateway.Access;
using Gateway.Database;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server;
using Microsoft.Extensions.Options;

namespace Gateway.Host.Dashboard;

/// <summary>
/// Who an open page belongs to. A circuit outlives the request that was authenticated, so the session is read again every while and
/// before every command: one that has ended ends the page, and changed rights reach it.
/// </summary>
sealed class SessionState(ILoggerFactory loggers, Sessions sessions, IOptions<SignInOptions> options) : RevalidatingServerAuthenticationStateProvider(loggers)
{
    private static readonly ClaimsPrincipal Nobody = new(new ClaimsIdentity());

    protected override TimeSpan RevalidationInterval => options.Value.CheckEvery;

    // A merely open page is idle.
    protected override async Task<bool> ValidateAuthenticationStateAsync(AuthenticationState authenticationState, CancellationToken cancellationToken)
    {
        try
        {
            return (await RefreshAsync(active: false, cancellationToken)).Identity?.IsAuthenticated == true;
        }
        catch (Exception e) when (DatabaseFault.IsOutage(e))
        {
            // Without its database the page can read and change nothing; who it belongs to is asked again in a while.
            return true;
        }
    }

    /// <summary>Whoever it is now, with the rights of now.</summary>
    /// <param name="active">Whether a person did something, which begins the idle time anew.</param>
    public async Task<ClaimsPrincipal> RefreshAsync(bool active, CancellationToken ct)
    {
        var before = (await GetAuthenticationStateAsync()).User;
        var holder = long.TryParse(before.FindFirstValue(Holder.SessionClaim), NumberStyles.None, CultureInfo.InvariantCulture, out var session)
            ? await sessions.FindAsync(session, active, ct)
            : null;
        var now = holder?.ToPrincipal(SessionAuthentication.SchemeName) ?? Nobody;
        if (Holder.Stamp(now) != Holder.Stamp(before))
        {
            SetAuthenticationState(Task.FromResult(new AuthenticationState(now)));
        }
        return now;
    }
}
