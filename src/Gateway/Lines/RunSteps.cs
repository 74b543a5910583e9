using System.Globalization;
using System.Text.Json;
using Dapper;
using Epcis.Identifiers;
using Gateway.Access;
using Gateway.Database;
using Npgsql;

namespace Gateway.Lines;

/// <param name="Party">GLN or name of who runs the line, where several have one of its code.</param>
/// <param name="Expiry">The day, as yyyy-MM-dd.</param>
public sealed record PlanRequest(string? Gtin, string? Lot, DateOnly? Expiry, int? Quantity, string? OrderNumber, string? Party);

/// <summary>
/// What is done with a run, step by step. Which step may follow which the database decides; what must be so besides is decided here. A
/// refused step changes nothing and is an entry of the audit trail.
/// </summary>
public sealed class RunSteps(GatewayDatabase database, RunRecords records, RunCounts counts)
{
    /// <summary>The type of record that a signature names.</summary>
    public const string RecordType = "run";

    /// <summary>What signatures about runs mean.</summary>
    public const string Clearance = "line clearance", QualityResume = "resume after quality stop", Acceptance = "difference accepted";

    private const string NotAllowed = "GW046";

    /// <summary>What is looked at before a line is cleared.</summary>
    public static IReadOnlyList<string> Checklist { get; } =
    [
        "No product, pack or leaflet of another lot is on the line", "Reject bins and sample boxes are empty", "Printed material is of this lot, and its version is right",
        "Lot, expiry and GTIN on the line are those of the order", "Containers and labels of the lot before are gone",
    ];

    /// <summary>Why a line stands: a quality stop, or nothing to work on, or nowhere to put it (PackML Hold; Suspend).</summary>
    public static IReadOnlyList<string> Causes { get; } = ["quality", "starved", "blocked"];

    /// <returns>The run, or the refusal as a sentence.</returns>
    public async Task<(RunItem? Run, string? Refusal)> PlanAsync(Actor actor, LineItem line, PlanRequest request, CancellationToken ct)
    {
        if (request.Gtin is null || Gtin.Parse(request.Gtin).Value is not { } gtin)
        {
            return (null, "gtin is a GTIN with its check digit.");
        }
        if (string.IsNullOrWhiteSpace(request.Lot) || request.Lot.Length > 20 || request.Lot.Any(char.IsControl))
        {
            return (null, "lot is missing, or longer than 20 characters.");
        }
        if (request.Expiry is null || request.Quantity is not (>= 1 and <= 10_000_000) || request.OrderNumber?.Length > 60 || request.OrderNumber?.Any(char.IsControl) == true)
        {
            return (null, request.Expiry is null ? "expiry is missing." : request.OrderNumber?.Length > 60 || request.OrderNumber?.Any(char.IsControl) == true ? "orderNumber has at most 60 characters." : "quantity is 1 to 10,000,000 packs.");
        }
        if (line.Withdrawn)
        {
            return (null, $"Line {line.Code} is withdrawn.");
        }
        await using var work = await database.BeginAsync(actor, ct);
        if (await work.Connection.ExecuteScalarAsync<bool>("select @expiry <= gateway_now()::date", new { expiry = request.Expiry }, work.Transaction))
        {
            return (null, "The lot has expired already.");
        }
        var id = await work.Connection.ExecuteScalarAsync<Guid>("""
            insert into run (party_id, line_id, order_number, gtin, lot, expiry, quantity, planned_at)
            select party_id, line_id, @order, @gtin, @lot, @expiry, @quantity, gateway_now() from line where line_id = @LineId returning public_id
            """, new { line.LineId, order = request.OrderNumber?.Trim() ?? "", gtin = gtin.Value, lot = request.Lot.Trim(), expiry = request.Expiry, quantity = request.Quantity }, work.Transaction);
        var run = (await RunRecords.FindAsync(work, id))!;
        await InsertAsync(work, actor, run, new("plan"));
        await work.CommitAsync();
        return (run, null);
    }

    /// <summary>Everything that a run needs is there; the line clearance is signed already.</summary>
    /// <returns>Null, or the refusal as a sentence; then nothing was changed.</returns>
    public Task<string?> ReadyAsync(Actor actor, Guid id, int? version, string? why, CancellationToken ct) => StepAsync(actor, id, version, new("ready", Why: why), ReadinessAsync, ct);

    /// <returns>Null, or the refusal as a sentence; then nothing was changed.</returns>
    public Task<string?> StartAsync(Actor actor, Guid id, int? version, string? why, CancellationToken ct) => StepAsync(actor, id, version, new("start", Why: why), ReadinessAsync, ct);

    /// <param name="cause">One of <see cref="Causes"/>.</param>
    /// <returns>Null, or the refusal as a sentence; then nothing was changed.</returns>
    public Task<string?> PauseAsync(Actor actor, Guid id, int? version, string? why, string? cause, CancellationToken ct) =>
        cause is null || !Causes.Contains(cause) ? Task.FromResult<string?>($"cause is one of {string.Join(", ", Causes)}.")
        : string.IsNullOrWhiteSpace(why) ? Task.FromResult<string?>("reason is missing.")
        : StepAsync(actor, id, version, new("pause", cause, why), null, ct);

    /// <summary>After a stop that was none of quality; after one of quality somebody signs (<see cref="QualityResumedAsync"/>).</summary>
    /// <returns>Null, or the refusal as a sentence; then nothing was changed.</returns>
    public Task<string?> ResumeAsync(Actor actor, Guid id, int? version, string? why, CancellationToken ct) => StepAsync(actor, id, version, new("resume", Why: why), null, ct);

    /// <returns>Null, or the refusal as a sentence; then nothing was changed.</returns>
    public Task<string?> EndAsync(Actor actor, Guid id, int? version, string? why, CancellationToken ct) => StepAsync(actor, id, version, new("end", Why: why), null, ct);

    /// <summary>Keeps the balance of this moment, and compares counters and counts with it. What is unexplained is found, not refused: closing is.</summary>
    /// <returns>Null, or the refusal as a sentence; then nothing was changed.</returns>
    public async Task<string?> ReconcileAsync(Actor actor, Guid id, int? version, string? why, CancellationToken ct)
    {
        var refusal = await StepAsync(actor, id, version, new("reconcile", Why: why), BalanceAsync, ct);
        if (refusal is null)
        {
            await counts.CompareAsync(id, ct);
        }
        return refusal;
    }

    /// <summary>Nothing is left to explain, or somebody answers for what is.</summary>
    /// <returns>Null, or the refusal as a sentence for each thing that stands against it; then nothing was changed.</returns>
    public Task<string?> CloseAsync(Actor actor, Guid id, int? version, string? why, CancellationToken ct) => StepAsync(actor, id, version, new("close", Why: why), async (work, run) =>
    {
        var details = await records.DetailsAsync(work, run, ct);
        return details.Blockers.Count > 0 ? (string.Join(' ', details.Blockers), null) : (null, details.Balance);
    }, ct);

    /// <summary>It never ran, and never will.</summary>
    /// <returns>Null, or the refusal as a sentence; then nothing was changed.</returns>
    public Task<string?> CancelAsync(Actor actor, Guid id, int? version, string? why, CancellationToken ct) =>
        string.IsNullOrWhiteSpace(why) ? Task.FromResult<string?>("reason is missing.") : StepAsync(actor, id, version, new("cancel", Why: why), null, ct);

    /// <summary>The run with what was looked at, as it is signed before the run is ready; null when there is none.</summary>
    public Task<SignableRecord?> ClearanceAsync(Actor reader, Guid id, IReadOnlyList<ClearanceItem> items, CancellationToken ct) =>
        SignableAsync(reader, id, "line clearance", new { clearance = items }, ct);

    /// <summary>The run with the reason for which it runs again, as it is signed; null when there is none.</summary>
    public Task<SignableRecord?> QualityResumeAsync(Actor reader, Guid id, string why, CancellationToken ct) => SignableAsync(reader, id, "resume after a quality stop", new { step = "resume", why }, ct);

    /// <summary>The run with a difference and its reason, as it is signed; null when there is none.</summary>
    public Task<SignableRecord?> AcceptanceAsync(Actor reader, Guid id, RunDifference difference, string why, CancellationToken ct) =>
        SignableAsync(reader, id, $"difference of {difference.Amount.ToString("N0", CultureInfo.InvariantCulture)} in {difference.Subject}", new { difference = difference.Subject, amount = difference.Amount, why }, ct);

    /// <summary>What the signature of a line clearance does, in its transaction.</summary>
    public static Func<Work, Signature, Task<string?>> Cleared(IReadOnlyList<ClearanceItem> items) => async (work, signature) =>
        items.Count == 0 || items.Any(i => !i.IsInOrder) ? "The line is not clear: each thing on the list must be in order before it is signed."
        : await SignedAsync(work, """
            insert into run_clearance (run_id, party_id, items, signature_id, cleared_by, cleared_at)
            select run_id, party_id, @decided::jsonb, @SignatureId, @SignerName, @SignedAt from run where public_id = @id
            """, signature, items);

    /// <summary>What the signature of a resume does, in its transaction.</summary>
    public static Func<Work, Signature, Task<string?>> QualityResumed(string why) => async (work, signature) =>
        await RefusalAsync(async () =>
        {
            if (await RunRecords.FindAsync(work, Guid.Parse(signature.RecordId)) is not { } run)
            {
                return "There is no such run.";
            }
            if (run is not { State: "paused", Cause: "quality" })
            {
                return $"The run is {run.State}, and no quality stop holds it.";
            }
            await work.Connection.ExecuteAsync("""
                insert into run_step (run_id, party_id, step, to_state, why, actor, actor_name, actor_role, at, signature_id)
                select run_id, party_id, 'resume', '', @why, @Signer, @SignerName, @SignerRole, @SignedAt, @SignatureId from run where run_id = @RunId
                """, new { why, signature.Signer, signature.SignerName, signature.SignerRole, signature.SignedAt, signature.SignatureId, run.RunId }, work.Transaction);
            return null;
        });

    /// <summary>What the signature of an acceptance does, in its transaction.</summary>
    public static Func<Work, Signature, Task<string?>> Accepted(RunDifference difference, string why) => (work, signature) => SignedAsync(work, """
        insert into run_difference (run_id, party_id, subject, amount, why, signature_id, accepted_by, accepted_at)
        select run_id, party_id, @decided::jsonb ->> 'subject', (@decided::jsonb ->> 'amount')::bigint, @decided::jsonb ->> 'why', @SignatureId, @SignerName, @SignedAt from run where public_id = @id
        """, signature, new { subject = difference.Subject, amount = difference.Amount, why });

    internal static RefusedStep Refused(Guid id, string step, string sentence, int? version) =>
        new("run", id.ToString(), step, sentence, "select state, version from run where public_id = @key::uuid", version);

    // The database compares what is written with what was signed.
    private static Task<string?> SignedAsync(Work work, string sql, Signature signature, object decided) => RefusalAsync(async () =>
        await work.Connection.ExecuteAsync(sql, new
        {
            id = Guid.Parse(signature.RecordId), decided = JsonSerializer.Serialize(decided, JsonSerializerOptions.Web), signature.SignatureId, signature.SignerName, signature.SignedAt,
        }, work.Transaction) == 1 ? null : "There is no such run.");

    private async Task<SignableRecord?> SignableAsync(Actor reader, Guid id, string what, object decided, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await RunRecords.FindAsync(work, id) is not { } run ? null : new SignableRecord(RecordType, id.ToString(), run.Version, $"Run of {run.Name}: {what}",
            (await work.Connection.ExecuteScalarAsync<byte[]>("select content_sha256(run_content(@RunId, @decided::jsonb))", new { run.RunId, decided = JsonSerializer.Serialize(decided, JsonSerializerOptions.Web) }, work.Transaction))!, []);
    }

    private async Task<(string? Refusal, RunBalance? Balance)> ReadinessAsync(Work work, RunItem run)
    {
        var unmet = (await records.DetailsAsync(work, run, CancellationToken.None)).Readiness.Where(c => !c.IsMet).Select(c => c.Says).ToList();
        return (unmet.Count > 0 ? string.Join(' ', unmet) : null, null);
    }

    private async Task<(string? Refusal, RunBalance? Balance)> BalanceAsync(Work work, RunItem run) => (null, (await records.DetailsAsync(work, run, CancellationToken.None)).Balance);

    private async Task<string?> StepAsync(Actor actor, Guid id, int? version, Taken taken, Func<Work, RunItem, Task<(string? Refusal, RunBalance? Balance)>>? look, CancellationToken ct)
    {
        if (Texts.Refusal("reason", taken.Why, Texts.MaxReason) is { } unfit)
        {
            return unfit;
        }
        await using var work = await database.BeginAsync(actor with { Reason = taken.Why }, ct);
        // Who comes second sees what the first has done. What cannot be locked is another party's, or nowhere.
        if (await work.Connection.ExecuteScalarAsync<int>("select count(*) from (select from run where public_id = @id for update) r", new { id }, work.Transaction) == 0)
        {
            return "There is no such run.";
        }
        var run = (await RunRecords.FindAsync(work, id))!;
        if (version is not null && version != run.Version)
        {
            return await work.RefuseAsync(Refused(id, taken.Step, "The run has changed since you looked.", version));
        }
        if (Next(run, taken) is { } early)
        {
            return await work.RefuseAsync(Refused(id, taken.Step, early, version));
        }
        var (refusal, balance) = look is null ? (null, null) : await look(work, run);
        refusal ??= await RefusalAsync(async () =>
        {
            await InsertAsync(work, actor, run, taken with { Balance = balance });
            await work.CommitAsync();
            return null;
        });
        return refusal is null ? null : await work.RefuseAsync(Refused(id, taken.Step, refusal, version));
    }

    // What the database would say too, in words for whoever stands at the line.
    private static string? Next(RunItem run, Taken taken) => taken.Step switch
    {
        "pause" when run is { State: "paused", Cause: not "quality" } && taken.Cause == "quality" => null, // the stronger cause wins
        "resume" when run is { State: "paused", Cause: "quality" } => "After a quality stop the line runs again when a person who may decide has signed for it, on the run's page.",
        var step => Allowed.TryGetValue(step, out var from) && !from.Contains(run.State) ? $"The run is {run.State}: {step} follows on {string.Join(" or ", from)}." : null,
    };

    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["ready"] = ["planned"], ["start"] = ["ready"], ["pause"] = ["running"], ["resume"] = ["paused"], ["end"] = ["running", "paused"], ["reconcile"] = ["ended"], ["close"] = ["reconciled"], ["cancel"] = ["planned", "ready"],
    };

    /// <summary>The steps that may be asked for, besides planning.</summary>
    public static IReadOnlyCollection<string> Steps => Allowed.Keys;

    /// <summary>Whether a step may follow on a state.</summary>
    public static bool MayFollow(string step, string state) => Allowed[step].Contains(state);

    private static Task InsertAsync(Work work, Actor actor, RunItem run, Taken taken) => work.Connection.ExecuteAsync("""
        insert into run_step (run_id, party_id, step, to_state, cause, why, actor, actor_name, actor_role, at, balance)
        select run_id, party_id, @Step, '', @Cause, @why, @Id, @Name, @Role, gateway_now(), @balance::jsonb from run where run_id = @RunId
        """, new
    {
        run.RunId, taken.Step, taken.Cause, why = string.IsNullOrWhiteSpace(taken.Why) ? null : taken.Why.Trim(), actor.Id, actor.Name, actor.Role,
        balance = taken.Balance is null ? null : JsonSerializer.Serialize(taken.Balance.Levels, JsonSerializerOptions.Web),
    }, work.Transaction);

    /// <summary>Runs a step; what the database does not allow is told as a sentence.</summary>
    private static async Task<string?> RefusalAsync(Func<Task<string?>> step)
    {
        try
        {
            return await step();
        }
        catch (PostgresException e) when (e.SqlState == NotAllowed)
        {
            return e.MessageText;
        }
        catch (PostgresException e) when (e.ConstraintName == "run_current")
        {
            return "Another lot is on the line: end it first.";
        }
    }

    private sealed record Taken(string Step, string? Cause = null, string? Why = null, RunBalance? Balance = null);
}
