using System.Text.Json;
using Gateway.Access;
using Gateway.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Gateway.Audit;

/// <param name="Old">The record before; null when there was none, or none is shown.</param>
/// <param name="Changes">The fields that differ.</param>
/// <param name="Leaf">Its place in the sealed tree; null while it is not sealed.</param>
public sealed record AuditItem(long Ord, DateTime RecordedAt, string Actor, string ActorName, string ActorRole, string Method, string Origin, string Action, string Entity, string Key,
    int Version, string? Reason, string? Correlation, JsonElement? Old, JsonElement? New, IReadOnlyList<FieldChange> Changes, int? Epoch, long? Leaf)
{
    public static AuditItem Of(AuditEntry e) => new(e.Ord, e.RecordedAt, e.Actor, e.ActorName, e.ActorRole, e.Method, e.Origin, e.Action, e.Entity, e.EntityKey, e.Version, e.Reason, e.Correlation,
        Json(e.Old), Json(e.New), e.Changes, e.Epoch, e.Leaf);

    private static JsonElement? Json(string? text) => text is null ? null : JsonSerializer.Deserialize<JsonElement>(text);
}

/// <param name="Left">How many entries of the reviewer himself are left to another reviewer.</param>
/// <param name="IsLeft">Whether no other signed review covers those yet.</param>
/// <param name="Filter">What narrows it beside its period.</param>
/// <param name="Root">The sealed root it rests on, with <paramref name="Epoch"/> and <paramref name="Size"/>.</param>
public sealed record AuditReviewItem(int ReviewId, DateTime From, DateTime To, JsonElement Filter, string Reviewer, string ReviewerName, DateTime BeganAt, long Entries, long Left, bool IsLeft, long UpToOrd,
    int Epoch, long Size, byte[] Root, string? Conclusion, string? Findings, DateTime? SignedAt)
{
    public static AuditReviewItem Of(AuditReview r) => new(r.ReviewId, r.From, r.To, JsonSerializer.Deserialize<JsonElement>(r.Selection), r.Reviewer, r.ReviewerName, r.BeganAt, r.Entries, r.OwnEntries, r.IsLeft, r.UpToOrd,
        r.Epoch, r.Size, r.Root, r.Conclusion, r.Findings, r.SignedAt);
}

/// <summary>The trail for reading; its roots and proofs for whoever wants to see that it only grows.</summary>
public static class AuditEndpoints
{
    public static void MapAudit(this IEndpointRouteBuilder app)
    {
        var audit = app.MapGroup("/api/audit");
        audit.MapGet("/entries", ListAsync).RequireAuthorization(Permissions.ReadAudit);
        audit.MapGet("/entries/{ord:long}", EntryAsync).RequireAuthorization(Permissions.ReadAudit);
        audit.MapGet("/entries/{ord:long}/proof", ProofAsync).RequireAuthorization(Permissions.ReadAudit);
        audit.MapGet("/reviews", ReviewsAsync).RequireAuthorization(Permissions.ReadAudit);
        audit.MapGet("/checkpoint", CheckpointAsync).RequireAuthorization(Permissions.ReadProofs);
        audit.MapGet("/consistency", ConsistencyAsync).RequireAuthorization(Permissions.ReadProofs);
        audit.MapGet("/keys", KeysAsync).RequireAuthorization(Permissions.ReadProofs);
    }

    private static async Task<IResult> ListAsync(HttpContext context, AuditSearch search, string? cursor, int? limit, CancellationToken ct)
    {
        var known = AuditFilter.Names.Append("cursor").Append("limit");
        if (context.Request.Query.Keys.FirstOrDefault(k => !known.Contains(k)) is { } unknown)
        {
            return Problems.BadParameter($"There is no parameter {unknown}: there are {string.Join(", ", known)}.");
        }
        var filter = AuditFilter.Read(name => context.Request.Query[name], out var wrong);
        if (wrong is not null)
        {
            return Problems.BadParameter(wrong);
        }
        if (limit is < 1 or > 200)
        {
            return Problems.BadParameter("limit is 1 to 200.");
        }
        if (cursor is not null && AuditSearch.ReadCursor(cursor) is null)
        {
            return Problems.BadParameter("cursor is not one of ours.");
        }
        var take = limit ?? 50;
        var rows = await search.FindAsync(context.Actor(), filter, cursor, take + 1, ct);
        return TypedResults.Ok(new { items = rows.Take(take).Select(AuditItem.Of), next = rows.Count > take ? rows[take - 1].Cursor : null });
    }

    private static async Task<IResult> EntryAsync(HttpContext context, long ord, AuditSearch search, CancellationToken ct) =>
        await search.EntryAsync(context.Actor(), ord, ct) is { } entry ? TypedResults.Ok(AuditItem.Of(entry)) : Problems.NotFound("such entry");

    private static async Task<IResult> ReviewsAsync(HttpContext context, AuditReviews reviews, int? before, int? limit, CancellationToken ct)
    {
        if (context.Request.Query.Keys.FirstOrDefault(k => k is not ("before" or "limit")) is { } unknown)
        {
            return Problems.BadParameter($"There is no parameter {unknown}: there are before, limit.");
        }
        if (limit is < 1 or > 200)
        {
            return Problems.BadParameter("limit is 1 to 200.");
        }
        var take = limit ?? 50;
        var rows = await reviews.ListAsync(context.Actor(), before, take + 1, ct);
        return TypedResults.Ok(new { items = rows.Take(take).Select(AuditReviewItem.Of), next = rows.Count > take ? rows[take - 1].ReviewId : (int?)null, openDays = await reviews.OpenDaysAsync(context.Actor(), ct) });
    }

    private static async Task<IResult> ProofAsync(HttpContext context, long ord, TrailProofs proofs, CancellationToken ct) =>
        await proofs.OfEntryAsync(context.Actor(), ord, ct) is { } proof ? TypedResults.Ok(proof) : Problems.NotFound("such entry that is sealed");

    private static async Task<IResult> CheckpointAsync(HttpContext context, TrailProofs proofs, CancellationToken ct) =>
        await proofs.NewestAsync(context.Actor(), ct) is { } note ? TypedResults.Text(note, "text/plain; charset=utf-8") : Problems.NotFound("checkpoint yet");

    private static async Task<IResult> ConsistencyAsync(HttpContext context, TrailProofs proofs, int? epoch, long? from, long? to, CancellationToken ct)
    {
        if (epoch is null || from is null or < 0 || to is null || from > to)
        {
            return Problems.BadParameter("epoch, from and to are those of two checkpoints: whole numbers, from not larger than to.");
        }
        return await proofs.OfExtensionAsync(context.Actor(), epoch.Value, from.Value, to.Value, ct) is { } proof ? TypedResults.Ok(proof) : Problems.NotFound("sealed tree with so many leaves in this epoch");
    }

    private static async Task<IResult> KeysAsync(HttpContext context, TrailProofs proofs, SealKey key, CancellationToken ct) =>
        TypedResults.Ok(new
        {
            items = (await proofs.KeysAsync(context.Actor(), ct)).Where(pem => pem != key.PublicPem).Prepend(key.PublicPem),
            replacements = await proofs.ReplacementsAsync(context.Actor(), ct),
        });
}
