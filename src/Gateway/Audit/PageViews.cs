using System.Security.Claims;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Audit;

/// <summary>Marks an endpoint whose answer is taken along: a document or a list as a file. That somebody took it is recorded, whoever he is.</summary>
public sealed class TakenAlong;

/// <summary>Marks an endpoint that writes its own entry of who looked, with more than the address.</summary>
public sealed class RecordsItself;

/// <summary>What an inspector, or whoever else only reads, looked at: recorded before it is shown, in a transaction of its own, so that no view is without its entry.</summary>
public sealed class PageViews(GatewayDatabase database)
{
    private const int MaxLength = 500;

    /// <summary>Whose views are recorded: those who look and do nothing else, which their permissions say, not the name of a role.</summary>
    public static bool Concern(ClaimsPrincipal user) => user.OnlyReads();

    /// <param name="address">Path and query as the browser shows them.</param>
    /// <exception cref="CommitUnknownException">The entry is not confirmed: the page must not be shown.</exception>
    public Task RecordAsync(Actor viewer, string address, CancellationToken ct) => WriteAsync(viewer, "view", "page", address, ct);

    /// <summary>What somebody takes along.</summary>
    /// <inheritdoc cref="RecordAsync"/>
    public Task RecordTakenAsync(Actor viewer, string address, CancellationToken ct) => WriteAsync(viewer, "export", "download", address, ct);

    private async Task WriteAsync(Actor viewer, string action, string entity, string address, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(viewer, ct);
        await work.AuditAsync(action, entity, address.Length <= MaxLength ? address : address[..MaxLength]);
        await work.CommitAsync();
    }
}
