using System.Globalization;
using Gateway.Access;
using Gateway.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Gateway.Validation;

/// <param name="Reason">Kept in the audit trail.</param>
public sealed record ValidationStepRequest(string? Reason);

/// <summary>The validated state over REST. Reviewing and approving are signatures, which a key cannot make: they are made in the dashboard.</summary>
public static class ValidationEndpoints
{
    public static void MapValidation(this IEndpointRouteBuilder app)
    {
        var validation = app.MapGroup("/api/validation");
        validation.MapGet("", StateAsync).RequireAuthorization(Permissions.ReadValidation);
        validation.MapGet("/baselines", BaselinesAsync).RequireAuthorization(Permissions.ReadValidation);
        validation.MapGet("/baselines/{id:int}", BaselineAsync).RequireAuthorization(Permissions.ReadValidation);
        validation.MapPost("/baselines", DraftAsync).RequireAuthorization(Permissions.ManageValidation);
        validation.MapPost("/baselines/{id:int}/effect", (HttpContext context, int id, ValidationStepRequest? request, Baselines baselines, CancellationToken ct) =>
            StepAsync(request, reason => baselines.TakeEffectAsync(context.Actor(), id, reason, ct), async () => await baselines.FindAsync(context.Actor(), id, ct))).RequireAuthorization(Permissions.ManageValidation);
        validation.MapPost("/baselines/{id:int}/withdraw", (HttpContext context, int id, ValidationStepRequest? request, Baselines baselines, CancellationToken ct) =>
            StepAsync(request, reason => baselines.WithdrawAsync(context.Actor(), id, reason, ct), async () => await baselines.FindAsync(context.Actor(), id, ct))).RequireAuthorization(Permissions.ManageValidation);
        validation.MapGet("/changes", ChangesAsync).RequireAuthorization(Permissions.ReadValidation);
        validation.MapGet("/changes/{number}", ChangeAsync).RequireAuthorization(Permissions.ReadValidation);
        validation.MapPost("/changes", DraftChangeAsync).RequireAuthorization(Permissions.ManageValidation);
        validation.MapPost("/changes/{number}/done", (HttpContext context, string number, ValidationStepRequest? request, ChangeRecords changes, CancellationToken ct) =>
            StepAsync(request, reason => changes.DoneAsync(context.Actor(), number, reason, ct), async () => await changes.FindAsync(context.Actor(), number, ct))).RequireAuthorization(Permissions.ManageValidation);
        validation.MapPost("/changes/{number}/withdraw", (HttpContext context, string number, ValidationStepRequest? request, ChangeRecords changes, CancellationToken ct) =>
            StepAsync(request, reason => changes.WithdrawAsync(context.Actor(), number, reason, ct), async () => await changes.FindAsync(context.Actor(), number, ct))).RequireAuthorization(Permissions.ManageValidation);
    }

    private static async Task<IResult> StateAsync(HttpContext context, ReadValidation validation, CancellationToken ct) => TypedResults.Ok(await validation.ReadAsync(context.Actor(), ct));

    private static Task<IResult> BaselinesAsync(HttpContext context, Baselines baselines, int? cursor, int? limit, CancellationToken ct) =>
        ListAsync(limit, take => baselines.ListAsync(context.Actor(), cursor, take, ct), b => b.BaselineId);

    private static async Task<IResult> ListAsync<T>(int? limit, Func<int, Task<IReadOnlyList<T>>> read, Func<T, int> cursor)
    {
        if (limit is < 1 or > 200)
        {
            return Problems.BadParameter("limit is 1 to 200.");
        }
        var take = limit ?? 50;
        var rows = await read(take + 1);
        return TypedResults.Ok(new { items = rows.Take(take), next = rows.Count > take ? cursor(rows[take - 1]).ToString(CultureInfo.InvariantCulture) : null });
    }

    private static async Task<IResult> BaselineAsync(HttpContext context, int id, Baselines baselines, CancellationToken ct) =>
        await baselines.FindAsync(context.Actor(), id, ct) is { } found ? TypedResults.Ok(found) : Problems.NotFound("such baseline");

    private static async Task<IResult> DraftAsync(HttpContext context, BaselineRequest? request, Baselines baselines, CancellationToken ct)
    {
        var (id, refusal) = await baselines.DraftAsync(context.Actor(), request ?? new BaselineRequest(null, null, null, null), ct);
        return refusal is null ? TypedResults.Created($"/api/validation/baselines/{id}", await baselines.FindAsync(context.Actor(), id!.Value, ct)) : Problems.Invalid(refusal);
    }

    private static Task<IResult> ChangesAsync(HttpContext context, ChangeRecords changes, int? cursor, int? limit, CancellationToken ct) =>
        ListAsync(limit, take => changes.ListAsync(context.Actor(), cursor, take, ct), c => c.ChangeId);

    private static async Task<IResult> ChangeAsync(HttpContext context, string number, ChangeRecords changes, CancellationToken ct) =>
        await changes.FindAsync(context.Actor(), number, ct) is { } found ? TypedResults.Ok(found) : Problems.NotFound("such change record");

    private static async Task<IResult> DraftChangeAsync(HttpContext context, ChangeRequest? request, ChangeRecords changes, CancellationToken ct)
    {
        var (number, refusal) = await changes.DraftAsync(context.Actor(), request ?? new ChangeRequest(null, null, null, null, null, null), ct);
        return refusal is null ? TypedResults.Created($"/api/validation/changes/{number}", await changes.FindAsync(context.Actor(), number!, ct)) : Problems.Invalid(refusal);
    }

    private static async Task<IResult> StepAsync(ValidationStepRequest? request, Func<string, Task<string?>> step, Func<Task<object?>> find)
    {
        if (string.IsNullOrWhiteSpace(request?.Reason))
        {
            return Problems.ReasonMissing();
        }
        if (Texts.Refusal("reason", request.Reason, Texts.MaxReason) is { } unfit)
        {
            return Problems.Invalid(unfit);
        }
        if (await find() is null)
        {
            return Problems.NotFound("such record");
        }
        return await step(request.Reason.Trim()) is { } refusal ? Problems.ValidationStepRefused(refusal) : TypedResults.Ok(await find());
    }
}
