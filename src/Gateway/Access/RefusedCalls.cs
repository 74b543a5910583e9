using Dapper;
using Gateway.Database;
using Gateway.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Gateway.Access;

/// <summary>
/// Calls of the API that were refused, in the audit trail: each caller, address and code once in a <see cref="Window"/>, however often
/// and on how many nodes. The address is its template, which the caller cannot invent, and a caller is one that exists, so keys times
/// addresses bound the entries. They are written when the answer is out: its time does not tell whether a key is known.
/// </summary>
public sealed class RefusedCalls(GatewayDatabase database)
{
    /// <summary>A second refusal of the same within it is no entry of its own.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromHours(1);

    /// <summary>A signed-in caller asked for what he may not.</summary>
    public void NoteForbidden(HttpContext context, ProblemHttpResult problem)
    {
        var actor = context.Actor() with { Sees = "*" };
        Note(context, actor, actor.Id, problem, keyId: null);
    }

    /// <summary>A key was named and not proved, or opens nothing any more. A key that does not exist is nobody's, and leaves no entry.</summary>
    public void NoteUnauthorized(HttpContext context, string token, ProblemHttpResult problem)
    {
        if (ApiKeys.IdOf(token) is { } keyId)
        {
            // Not the key's doing: nobody has proved to be its holder.
            var actor = Actor.System("sign-in") with { Origin = context.Connection.RemoteIpAddress?.ToString() ?? "unknown", Correlation = context.TraceIdentifier };
            Note(context, actor, $"key:{keyId}", problem, keyId);
        }
    }

    private void Note(HttpContext context, Actor actor, string caller, ProblemHttpResult problem, string? keyId)
    {
        var address = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText?.Trim('/');
        var what = $"{caller} /{address ?? "(no such address)"} {Problems.CodeOf(problem)}";
        context.Response.OnCompleted(() => RecordAsync(actor, what, keyId));
    }

    private async Task RecordAsync(Actor actor, string what, string? keyId)
    {
        await using var work = await database.BeginAsync(actor, CancellationToken.None);
        if (await IsDueAsync())
        {
            // Of several at once on several nodes the first writes, and the others look again.
            await work.Connection.ExecuteAsync("select pg_advisory_xact_lock(hashtextextended(@what, 25))", new { what }, work.Transaction);
            if (await IsDueAsync())
            {
                await work.AuditAsync("refused", "refused_call", what);
                await work.CommitAsync();
            }
        }

        Task<bool> IsDueAsync() => work.Connection.ExecuteScalarAsync<bool>("""
            select (@keyId::text is null or exists (select from api_key where key_id = @keyId))
                and coalesce((select recorded_at from audit_entry where entity = 'refused_call' and entity_key = @what order by ord desc limit 1) <= gateway_now() - @Window, true)
            """, new { keyId, what, Window }, work.Transaction);
    }
}
