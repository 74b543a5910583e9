using System.Security.Claims;
using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Audit;

/// <summary>What an inspector, or whoever else only reads, looked at: recorded before it is shown, in a transaction of its own, so that no view is without its entry.</summary>
public sealed class PageViews(GatewayDatabase database)
{
    private const int MaxLength = 500;

    /// <summary>Whose views are recorded: those who look and do nothing else, which their permissions say, not the name of a role.</summary>
    public static bool Concern(ClaimsPrincipal user) => user.OnlyReads();

    /// <param name="address">Path and query as the browser shows them.</param>
    /// <exception cref="CommitUnknownException">The entry is not confirmed: the page must not be shown.</exception>
    public async Task RecordAsync(Actor viewer, string address, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(viewer, ct);
        await work.Connection.ExecuteAsync(new CommandDefinition("select audit_write('view', 'page', @address, null, null)",
            new { address = address.Length <= MaxLength ? address : address[..MaxLength] }, work.Transaction, cancellationToken: ct));
        await work.CommitAsync();
    }
}
