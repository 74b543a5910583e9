using System.Globalization;
using Gateway.Access;
using Gateway.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Gateway.Alarms;

/// <param name="Version">Of the record as it was seen; when it has changed since, nothing is done.</param>
public sealed record AlarmDecisionRequest(string? Reason, int? Version);

public static class AlarmEndpoints
{
    private const int MaxPage = 200;

    public static void MapAlarms(this IEndpointRouteBuilder app)
    {
        var alarms = app.MapGroup("/api/alarms");
        alarms.MapGet("", ListAsync).RequireAuthorization(Permissions.ReadAlarms);
        alarms.MapGet("/{id:long}", FindAsync).RequireAuthorization(Permissions.ReadAlarms);
        alarms.MapPost("/{id:long}/acknowledge", AcknowledgeAsync).RequireAuthorization(Permissions.DecideAlarms);
        alarms.MapGet("/silences", SilencesAsync).RequireAuthorization(Permissions.ReadAlarms);
        alarms.MapPost("/silences", SilenceAsync).RequireAuthorization(Permissions.DecideAlarms);
        alarms.MapPost("/silences/{id:long}/end", EndSilenceAsync).RequireAuthorization(Permissions.DecideAlarms);
        alarms.MapGet("/targets", TargetsAsync).RequireAuthorization(Permissions.ReadAlarms);
        alarms.MapPost("/targets", AddTargetAsync).RequireAuthorization(Permissions.ManageAlarms);
        alarms.MapPut("/targets/{id:guid}", ChangeTargetAsync).RequireAuthorization(Permissions.ManageAlarms);
        alarms.MapPost("/targets/{id:guid}/remove", RemoveTargetAsync).RequireAuthorization(Permissions.ManageAlarms);
        alarms.MapPost("/targets/{id:guid}/test", TestTargetAsync).RequireAuthorization(Permissions.ManageAlarms);
        alarms.MapGet("/preview", PreviewAsync).RequireAuthorization(Permissions.ReadAlarms);
    }

    private static async Task<IResult> ListAsync(HttpContext context, AlarmList list, int? limit, CancellationToken ct)
    {
        var filter = AlarmFilter.Read(name => context.Request.Query[name == "before" ? "cursor" : name], out var wrong);
        if ((wrong ?? RefuseLimit(limit)) is { } refusal)
        {
            return Problems.BadParameter(refusal);
        }
        var take = limit ?? 50;
        var rows = await list.ListAsync(context.Actor(), filter, take + 1, ct);
        return TypedResults.Ok(new { items = rows.Take(take), next = rows.Count > take ? rows[take - 1].AlarmId.ToString(CultureInfo.InvariantCulture) : null });
    }

    private static async Task<IResult> FindAsync(HttpContext context, long id, AlarmList list, CancellationToken ct) =>
        await list.FindAsync(context.Actor(), id, ct) is { } alarm ? TypedResults.Ok(alarm) : Problems.NotFound("such alarm");

    private static async Task<IResult> AcknowledgeAsync(HttpContext context, long id, AlarmDecisionRequest? request, AlarmDecisions decisions, AlarmList list, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(request?.Reason))
        {
            return Problems.ReasonMissing();
        }
        if (await list.FindAsync(context.Actor(), id, ct) is null)
        {
            return Problems.NotFound("such alarm");
        }
        return await decisions.AcknowledgeAsync(context.Actor(), id, request.Version, request.Reason, ct) is { } refusal
            ? Problems.AlarmNotChangeable(refusal)
            : TypedResults.Ok(await list.FindAsync(context.Actor(), id, ct));
    }

    private static async Task<IResult> SilencesAsync(HttpContext context, AlarmSilences silences, int? limit, long? cursor, CancellationToken ct)
    {
        if (RefuseLimit(limit) is { } refusal)
        {
            return Problems.BadParameter(refusal);
        }
        var take = limit ?? 50;
        var rows = await silences.ListAsync(context.Actor(), cursor, take + 1, ct);
        return TypedResults.Ok(new { items = rows.Take(take), next = rows.Count > take ? rows[take - 1].SilenceId.ToString(CultureInfo.InvariantCulture) : null });
    }

    private static async Task<IResult> SilenceAsync(HttpContext context, SilenceRequest? request, AlarmSilences silences, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(request?.Reason))
        {
            return Problems.ReasonMissing();
        }
        var (silenceId, refusal) = await silences.AddAsync(context.Actor(), request, ct);
        return refusal is not null ? Problems.Invalid(refusal) : TypedResults.Created("/api/alarms/silences", (await silences.ListAsync(context.Actor(), silenceId + 1, 1, ct)).Single());
    }

    private static async Task<IResult> EndSilenceAsync(HttpContext context, long id, AlarmDecisionRequest? request, AlarmSilences silences, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(request?.Reason))
        {
            return Problems.ReasonMissing();
        }
        return await silences.EndAsync(context.Actor(), id, request.Reason, ct) is { } refusal ? Problems.AlarmNotChangeable(refusal) : TypedResults.Ok((await silences.ListAsync(context.Actor(), id + 1, 1, ct)).Single());
    }

    private static async Task<IResult> TargetsAsync(HttpContext context, AlarmTargets targets, CancellationToken ct) => TypedResults.Ok(new { items = await targets.ListAsync(context.Actor(), ct) });

    private static async Task<IResult> AddTargetAsync(HttpContext context, AlarmTargetRequest? request, AlarmTargets targets, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(request?.Reason))
        {
            return Problems.ReasonMissing();
        }
        var (targetId, secret, refusal) = await targets.AddAsync(context.Actor(), request, ct);
        return refusal is not null ? Problems.Invalid(refusal) : TypedResults.Created("/api/alarms/targets", new { target = await targets.FindAsync(context.Actor(), targetId!.Value, ct), secret });
    }

    private static Task<IResult> ChangeTargetAsync(HttpContext context, Guid id, AlarmTargetRequest? request, AlarmTargets targets, CancellationToken ct) => OfTargetAsync(context, id, request?.Reason, targets, async target =>
        request!.Version is null ? Problems.Invalid("version is missing: the one that the target had when it was looked at.")
        : await targets.ChangeAsync(context.Actor(), target, request, ct) is { } refusal ? Problems.AlarmNotChangeable(refusal) : TypedResults.Ok(await targets.FindAsync(context.Actor(), id, ct)), ct);

    private static Task<IResult> RemoveTargetAsync(HttpContext context, Guid id, AlarmDecisionRequest? request, AlarmTargets targets, CancellationToken ct) => OfTargetAsync(context, id, request?.Reason, targets, async _ =>
        await targets.RemoveAsync(context.Actor(), id, request!.Version, request.Reason!, ct) is { } refusal ? Problems.AlarmNotChangeable(refusal) : TypedResults.NoContent(), ct);

    private static Task<IResult> TestTargetAsync(HttpContext context, Guid id, AlarmDecisionRequest? request, AlarmTargets targets, CancellationToken ct) => OfTargetAsync(context, id, request?.Reason, targets, async _ =>
        await targets.TestAsync(context.Actor() with { Reason = request!.Reason }, id, ct) is { } refusal ? Problems.AlarmNotChangeable(refusal) : TypedResults.Accepted("/api/alarms/targets"), ct);

    private static async Task<IResult> OfTargetAsync(HttpContext context, Guid id, string? reason, AlarmTargets targets, Func<AlarmTargetItem, Task<IResult>> change, CancellationToken ct) =>
        string.IsNullOrWhiteSpace(reason) ? Problems.ReasonMissing()
        : await targets.FindAsync(context.Actor(), id, ct) is { } target ? await change(target) : Problems.NotFound("such target");

    private static async Task<IResult> PreviewAsync(HttpContext context, AlarmTargets targets, string? least, int? limit, CancellationToken ct)
    {
        if (RefuseLimit(limit) is { } refusal)
        {
            return Problems.BadParameter(refusal);
        }
        return least is null or AlarmSeverity.Warning or AlarmSeverity.Error
            ? TypedResults.Ok(new { items = await targets.PreviewAsync(context.Actor(), least ?? AlarmSeverity.Warning, limit ?? MaxPage, ct) })
            : Problems.BadParameter("least is warning or error.");
    }

    private static string? RefuseLimit(int? limit) => limit is < 1 or > MaxPage ? "limit is 1 to 200." : null;
}
