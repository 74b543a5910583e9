using System.Globalization;
using Gateway.Access;
using Gateway.Http;
using Gateway.Scheduling;
using Gateway.Units;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Lines;

/// <param name="Cause">Of a pause: quality, starved or blocked.</param>
/// <param name="Version">Of the run as it was seen; when it has changed since, nothing is done.</param>
public sealed record RunStepRequest(string? Reason, string? Cause, int? Version);

/// <param name="Reported">As the machine says it.</param>
public sealed record CounterRequest(string? Device, string? Counter, long? Reported);

/// <param name="Kind">warehouse or pallets.</param>
public sealed record CountRequest(string? Kind, long? Counted, string? Note);

/// <summary>Lines and runs over REST. Clearing a line, going on after a quality stop and accepting a difference are signatures, which a key cannot make: they are made in the dashboard.</summary>
public static class LineEndpoints
{
    private const int MaxExceptions = 100;

    private delegate Task<string?> Step(RunSteps steps, Actor actor, Guid id, RunStepRequest request, CancellationToken ct);

    public static IServiceCollection AddLines(this IServiceCollection services)
    {
        services.AddOptions<LineOptions>().BindConfiguration(LineOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        return services.AddSingleton<LineRegister>().AddSingleton<RunBalances>().AddSingleton<RunRecords>().AddSingleton<RunCounts>().AddSingleton<RunSteps>()
            .AddSingleton<ApplyMessages>().AddSingleton<TellByHand>().AddHostedService<LineWorker>()
            .AddChore<CompareRuns>("compare-runs", CompareRuns.Every);
    }

    public static void MapLines(this IEndpointRouteBuilder app)
    {
        var lines = app.MapGroup("/api/lines");
        lines.MapGet("", ListAsync).RequireAuthorization(Permissions.ReadLines);
        lines.MapGet("/{code}", FindAsync).RequireAuthorization(Permissions.ReadLines);
        lines.MapPut("/{code}", PutAsync).RequireAuthorization(Permissions.ManageLines);
        lines.MapGet("/{code}/runs", RunsAsync).RequireAuthorization(Permissions.ReadLines);
        lines.MapPost("/{code}/runs", PlanAsync).RequireAuthorization(Permissions.RunLines);
        lines.MapPost("/{code}/units", TellAsync).RequireAuthorization(Permissions.RunLines);

        var runs = app.MapGroup("/api/runs/{id:guid}");
        runs.MapGet("", RunAsync).RequireAuthorization(Permissions.ReadLines);
        runs.MapGet("/reconciliation", ReconciliationAsync).RequireAuthorization(Permissions.ReadLines);
        runs.MapGet("/serials", SerialsAsync).RequireAuthorization(Permissions.ReadLines);
        Map("ready", (s, actor, id, r, ct) => s.ReadyAsync(actor, id, r.Version, r.Reason, ct));
        Map("start", (s, actor, id, r, ct) => s.StartAsync(actor, id, r.Version, r.Reason, ct));
        Map("pause", (s, actor, id, r, ct) => s.PauseAsync(actor, id, r.Version, r.Reason, r.Cause, ct));
        Map("resume", (s, actor, id, r, ct) => s.ResumeAsync(actor, id, r.Version, r.Reason, ct));
        Map("end", (s, actor, id, r, ct) => s.EndAsync(actor, id, r.Version, r.Reason, ct));
        Map("reconcile", (s, actor, id, r, ct) => s.ReconcileAsync(actor, id, r.Version, r.Reason, ct));
        Map("close", (s, actor, id, r, ct) => s.CloseAsync(actor, id, r.Version, r.Reason, ct), Permissions.DecideLines);
        Map("cancel", (s, actor, id, r, ct) => s.CancelAsync(actor, id, r.Version, r.Reason, ct));
        runs.MapPost("/counters", (HttpContext context, Guid id, CounterRequest? request, RunCounts counts, RunRecords records, CancellationToken ct) =>
            AnswerAsync(context, id, request?.Device is null || request.Counter is null || request.Reported is null ? "device, counter and reported are needed." : null, () => counts.ReportAsync(context.Actor(), id, request!.Device, request.Counter, request.Reported, ct), records, ct)).RequireAuthorization(Permissions.RunLines);
        runs.MapPost("/counts", (HttpContext context, Guid id, CountRequest? request, RunCounts counts, RunRecords records, CancellationToken ct) =>
            AnswerAsync(context, id, request?.Kind is null || request.Counted is null ? "kind and counted are needed." : null, () => counts.CountAsync(context.Actor(), id, request!.Kind, request.Counted, request.Note, ct), records, ct)).RequireAuthorization(Permissions.RunLines);
        app.MapGet("/api/lots/{gtin}/{lot}/reconciliation", LotAsync).RequireAuthorization(Permissions.ReadLines);

        void Map(string verb, Step step, string permission = Permissions.RunLines) =>
            runs.MapPost($"/{verb}", (HttpContext context, Guid id, RunStepRequest? request, RunSteps steps, RunRecords records, CancellationToken ct) =>
                AnswerAsync(context, id, Missing(verb, request), () => step(steps, context.Actor(), id, request ?? new RunStepRequest(null, null, null), ct), records, ct)).RequireAuthorization(permission);
    }

    /// <summary>The wire's view of a balance; the command line prints the same.</summary>
    public static object View(RunBalance b) => new
    {
        b.Unexplained, b.Elsewhere,
        levels = b.Levels.Select(l => new { level = l.Level, l.Gtin, l.HasNumbers, aggregationRequired = l.MustBePacked, terms = l.Counts, l.Orphans, equations = l.Equations, l.Unexplained }),
    };

    /// <summary>The wire's view of a run with everything about it; the command line prints the same.</summary>
    public static object View(RunDetails d) => new
    {
        run = View(d.Run), d.Steps, d.Readiness, d.Clearances, reconciliation = View(d.Balance), d.Counters, d.Counts, d.Differences, d.Accepted, d.Blockers, d.Warnings, exceptions = d.Exceptions.Take(MaxExceptions), openExceptions = d.Exceptions.Count,
    };

    /// <summary>The wire's view of a run.</summary>
    public static object View(RunItem r) => new
    {
        r.Id, r.Party, r.Line, r.OrderNumber, r.Gtin, r.Lot, r.Expiry, r.Quantity, r.State, r.Cause, r.Why, r.PlannedAt, r.StartedAt, r.EndedAt, r.ClosedAt, r.Version,
    };

    // A stop needs its reason, and what kind of stop it is.
    private static string? Missing(string verb, RunStepRequest? request) =>
        verb is "pause" or "cancel" && string.IsNullOrWhiteSpace(request?.Reason) ? "reason is missing: why does it stop?"
        : verb == "pause" && (request!.Cause is null || !RunSteps.Causes.Contains(request.Cause)) ? $"cause is one of {string.Join(", ", RunSteps.Causes)}." : null;

    private static async Task<IResult> AnswerAsync(HttpContext context, Guid id, string? missing, Func<Task<string?>> act, RunRecords records, CancellationToken ct)
    {
        if (missing is not null)
        {
            return Problems.Invalid(missing);
        }
        if (await records.FindAsync(context.Actor(), id, ct) is null)
        {
            return Problems.NotFound("such run");
        }
        return await act() is { } refusal ? Problems.RunStepRefused(refusal) : TypedResults.Ok(View((await records.FindAsync(context.Actor(), id, ct))!));
    }

    private static async Task<IResult> ListAsync(HttpContext context, LineRegister lines, CancellationToken ct) =>
        TypedResults.Ok(new { items = (await lines.ListAsync(context.Actor(), ct)).Select(View) });

    private static async Task<IResult> FindAsync(HttpContext context, string code, string? party, LineRegister lines, CancellationToken ct) =>
        await lines.FindAsync(context.Actor(), code, party, ct) is { } line ? TypedResults.Ok(View(line)) : Problems.NotFound("such line");

    private static async Task<IResult> PutAsync(HttpContext context, string code, LineRequest? request, LineRegister lines, CancellationToken ct)
    {
        var (line, refusal, isStale) = await lines.PutAsync(context.Actor(), code, request ?? new LineRequest(null, null, null, null, null, null, null, null, null), ct);
        return line is not null ? TypedResults.Ok(View(line)) : isStale ? Problems.RunStepRefused(refusal!) : Problems.Invalid(refusal!);
    }

    private static async Task<IResult> RunsAsync(HttpContext context, string code, string? party, string? state, int? limit, long? cursor, LineRegister lines, RunRecords records, CancellationToken ct)
    {
        if (limit is < 1 or > 200)
        {
            return Problems.BadParameter("limit is 1 to 200.");
        }
        if (await lines.FindAsync(context.Actor(), code, party, ct) is not { } line)
        {
            return Problems.NotFound("such line");
        }
        var take = limit ?? 50;
        var rows = await records.ListAsync(context.Actor(), line.LineId, state, cursor, take + 1, ct);
        return TypedResults.Ok(new { items = rows.Take(take).Select(View), next = rows.Count > take ? rows[take - 1].RunId.ToString(CultureInfo.InvariantCulture) : null });
    }

    private static async Task<IResult> PlanAsync(HttpContext context, string code, PlanRequest? request, LineRegister lines, RunSteps steps, CancellationToken ct)
    {
        if (await lines.FindAsync(context.Actor(), code, request?.Party, ct) is not { } line)
        {
            return Problems.NotFound("such line");
        }
        var (run, refusal) = await steps.PlanAsync(context.Actor(), line, request ?? new PlanRequest(null, null, null, null, null, null), ct);
        return run is null ? Problems.Invalid(refusal!) : TypedResults.Created($"/api/runs/{run.Id}", View(run));
    }

    private static async Task<IResult> TellAsync(HttpContext context, string code, HandRequest? request, LineRegister lines, TellByHand hand, CancellationToken ct)
    {
        if (await lines.FindAsync(context.Actor(), code, request?.Party, ct) is not { } line)
        {
            return Problems.NotFound("such line");
        }
        var (capture, refusal) = await hand.RunAsync(context.Actor(), line, request ?? new HandRequest(null, null, null, null, null), ct);
        return capture is null ? Problems.Invalid(refusal!) : TypedResults.Accepted($"/capture/{capture}");
    }

    private static async Task<IResult> RunAsync(HttpContext context, Guid id, RunRecords records, CancellationToken ct) =>
        await records.DetailsAsync(context.Actor(), id, ct) is { } details ? TypedResults.Ok(View(details)) : Problems.NotFound("such run");

    private static async Task<IResult> ReconciliationAsync(HttpContext context, Guid id, RunRecords records, RunBalances balances, CancellationToken ct) =>
        await records.FindAsync(context.Actor(), id, ct) is { } run ? TypedResults.Ok(View(await balances.OfRunAsync(context.Actor(), run, ct))) : Problems.NotFound("such run");

    private static async Task<IResult> SerialsAsync(HttpContext context, Guid id, string? term, string? level, int? limit, string? cursor, RunRecords records, RunBalances balances, CancellationToken ct)
    {
        if (term is null || !RunBalance.Terms.Contains(term))
        {
            return Problems.BadParameter($"term is one of {string.Join(", ", RunBalance.Terms)}.");
        }
        if (limit is < 1 or > 1000)
        {
            return Problems.BadParameter("limit is 1 to 1000.");
        }
        if (await records.FindAsync(context.Actor(), id, ct) is not { } run)
        {
            return Problems.NotFound("such run");
        }
        var take = limit ?? 50;
        var rows = await balances.SerialsAsync(context.Actor(), run, LevelOf(level, run), term, cursor, take + 1, ct);
        return TypedResults.Ok(new
        {
            items = rows.Take(take).Select(s => new { s.Epc, s.State, s.Parent, s.Holds, s.LastAt }), next = rows.Count > take ? rows[take - 1].Cursor : null,
        });
    }

    /// <summary>A level as addresses name it; null stands for the run's packs.</summary>
    public static string LevelOf(string? level, RunItem run) => level is null ? run.Gtin : level == RunBalance.LogisticUnits ? level : LotEndpoints.KeyOf(level);

    private static async Task<IResult> LotAsync(HttpContext context, string gtin, string lot, RunRecords records, RunBalances balances, CancellationToken ct)
    {
        var (key, number) = (LotEndpoints.KeyOf(gtin), LotEndpoints.NumberOf(lot));
        var runs = await records.OfLotAsync(context.Actor(), key, number, ct);
        return runs.Count == 0 ? Problems.NotFound("run of this lot")
            : TypedResults.Ok(new { gtin = key, lot = number, runs = runs.Select(View), reconciliation = View(await balances.OfLotAsync(context.Actor(), key, number, runs, ct)) });
    }

    private static object View(LineItem l) => new { l.Code, l.Party, l.Name, l.Site, l.ReadPoint, l.TimeZone, l.Speed, l.Withdrawn, l.Version };
}
