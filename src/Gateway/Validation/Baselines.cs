using System.Globalization;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Npgsql;

namespace Gateway.Validation;

/// <param name="Changes">Numbers of the change records that explain it.</param>
[method: ExplicitConstructor] // an array has no column type that Dapper could match
public sealed record BaselineItem(
    int BaselineId, string Title, string Reason, string Fingerprint, string State, string DraftedBy, string DraftedByName, DateTime DraftedAt,
    string? ReviewedBy, string? ReviewedByName, DateTime? ReviewedAt, string? ApprovedByName, DateTime? ApprovedAt, string? EffectiveByName, DateTime? EffectiveAt, string? EndedByName, DateTime? EndedAt, string[] Changes)
{
    /// <summary>As it is named in texts.</summary>
    public string Name => string.Create(CultureInfo.InvariantCulture, $"baseline {BaselineId}");
}

/// <param name="Differences">From the effective baseline.</param>
/// <param name="Unexplained">Those of them that no approved change record named by the draft concerns: it cannot be approved with them.</param>
public sealed record BaselineDetails(BaselineItem Baseline, IReadOnlyList<Difference> Differences, IReadOnlyList<string> Unexplained);

/// <param name="Fingerprint">Of what: as a node that runs has it; null: what all nodes that run have.</param>
/// <param name="Changes">Numbers of change records that explain how it differs from the effective baseline.</param>
public sealed record BaselineRequest(string? Title, string? Reason, string? Fingerprint, IReadOnlyList<string>? Changes);

/// <summary>
/// The validated states: drafted from what runs, reviewed and approved under signature by two people who are not its author, then put
/// into effect. The steps that are allowed are the database's.
/// </summary>
public sealed class Baselines(GatewayDatabase database)
{
    /// <summary>The type of record that a signature names.</summary>
    public const string RecordType = "baseline";

    /// <summary>Of a baseline there is one: its content never changes.</summary>
    public const int Version = 1;

    private const string NotAllowed = "GW040", Unexplained = "GW041", AppendOnly = "GW002";

    private const string Columns = """
        baseline_id as BaselineId, title as Title, reason as Reason, fingerprint as Fingerprint, state as State, drafted_by as DraftedBy, drafted_by_name as DraftedByName, drafted_at as DraftedAt,
        reviewed_by as ReviewedBy, reviewed_by_name as ReviewedByName, reviewed_at as ReviewedAt, approved_by_name as ApprovedByName, approved_at as ApprovedAt,
        effective_by_name as EffectiveByName, effective_at as EffectiveAt, ended_by_name as EndedByName, ended_at as EndedAt,
        array(select number from validation_baseline_change x join validation_change using (change_id) where x.baseline_id = b.baseline_id order by 1) as Changes
        """;

    /// <param name="before">The id that ended the page before; null: from the newest.</param>
    public async Task<IReadOnlyList<BaselineItem>> ListAsync(Actor reader, int? before, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<BaselineItem>(new CommandDefinition($"select {Columns} from validation_baseline b where @before::int is null or baseline_id < @before order by baseline_id desc limit @limit", new { before, limit }, work.Transaction, cancellationToken: ct))).AsList();
    }

    public async Task<BaselineDetails?> FindAsync(Actor reader, int id, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        if (await work.Connection.QuerySingleOrDefaultAsync<BaselineItem>(new CommandDefinition($"select {Columns} from validation_baseline b where baseline_id = @id", new { id }, work.Transaction, cancellationToken: ct)) is not { } found)
        {
            return null;
        }
        var effective = await work.Connection.ExecuteScalarAsync<string?>("select fingerprint from validation_baseline where state = 'effective' and baseline_id <> @id", new { id }, work.Transaction);
        return new BaselineDetails(found, effective is null ? [] : await WatchValidation.DifferencesAsync(work, effective, found.Fingerprint),
            [.. await work.Connection.QueryAsync<string>("select validation_unexplained(@id)", new { id }, work.Transaction)]);
    }

    /// <returns>Its number, or the refusal as a sentence.</returns>
    public async Task<(int? Id, string? Refusal)> DraftAsync(Actor author, BaselineRequest request, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(request.Title))
        {
            return (null, "title is missing.");
        }
        if (string.IsNullOrWhiteSpace(request.Reason))
        {
            return (null, "reason is missing: say what was validated, and where that is written.");
        }
        if ((Texts.Refusal("title", request.Title, Texts.MaxReason) ?? Texts.Refusal("reason", request.Reason, Texts.MaxReason)
            ?? (request.Changes ?? []).Select(c => Texts.Refusal("One of the changes", c, Texts.MaxReason)).FirstOrDefault(r => r is not null)) is { } unfit)
        {
            return (null, unfit);
        }
        await using var work = await database.BeginAsync(author with { Reason = request.Reason.Trim() }, ct);
        var running = (await work.Connection.QueryAsync<string>("select distinct fingerprint from validation_live()", transaction: work.Transaction)).AsList();
        var fingerprint = request.Fingerprint ?? (running.Count == 1 ? running[0] : null);
        if (fingerprint is null || !running.Contains(fingerprint))
        {
            return (null, request.Fingerprint is not null ? "No node that runs has this fingerprint: a baseline is drafted from what runs."
                : running.Count == 0 ? "No node runs: start one, and draft the baseline from it." : "The nodes that run differ among themselves: name the fingerprint of the one that is meant.");
        }
        var changes = (request.Changes ?? []).Select(c => (c ?? "").Trim()).Where(c => c.Length > 0).Distinct().ToArray();
        var known = (await work.Connection.QueryAsync<(int Id, string Number, string State)>("select change_id, number, state from validation_change where number = any(@changes)", new { changes }, work.Transaction)).AsList();
        if (changes.Except(known.Select(k => k.Number)).FirstOrDefault() is { } unknown)
        {
            return (null, $"There is no change record {unknown}.");
        }
        if (known.FirstOrDefault(k => k.State is not ("approved" or "done")) is { Number: { } unapproved })
        {
            return (null, $"The change record {unapproved} is not approved.");
        }
        var id = await work.Connection.ExecuteScalarAsync<int>("""
            insert into validation_baseline (title, reason, fingerprint, drafted_by, drafted_by_name, drafted_at) values (@title, @reason, @fingerprint, @Id, @Name, gateway_now()) returning baseline_id
            """, new { title = request.Title.Trim(), reason = request.Reason.Trim(), fingerprint, author.Id, author.Name }, work.Transaction);
        await work.Connection.ExecuteAsync("insert into validation_baseline_change (baseline_id, change_id) select @id, unnest(@ids)", new { id, ids = known.Select(k => k.Id).ToArray() }, work.Transaction);
        await work.CommitAsync();
        return (id, null);
    }

    /// <summary>As it is signed; null when there is none of that number.</summary>
    public async Task<SignableRecord?> SignableAsync(Actor reader, int id, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        var row = await work.Connection.QuerySingleOrDefaultAsync<(string Title, string DraftedBy, byte[] Content)?>(new CommandDefinition(
            "select title, drafted_by, content_sha256(validation_baseline_content(baseline_id)) from validation_baseline where baseline_id = @id", new { id }, work.Transaction, cancellationToken: ct));
        return row is { } found ? new SignableRecord(RecordType, id.ToString(CultureInfo.InvariantCulture), Version, $"Baseline {id.ToString(CultureInfo.InvariantCulture)}: {found.Title}", found.Content, [found.DraftedBy]) : null;
    }

    /// <summary>What the signature of a review does, in its transaction.</summary>
    public static Task<string?> ReviewedAsync(Work work, Signature signature) => SignedAsync(work, signature, "draft", """
        update validation_baseline set state = 'reviewed', reviewed_by = @Signer, reviewed_by_name = @SignerName, reviewed_at = @SignedAt, review_signature = @SignatureId
        where baseline_id::text = @RecordId and state = 'draft'
        """);

    /// <summary>What the signature of an approval does, in its transaction.</summary>
    public static Task<string?> ApprovedAsync(Work work, Signature signature) => SignedAsync(work, signature, "reviewed", """
        update validation_baseline set state = 'approved', approved_by = @Signer, approved_by_name = @SignerName, approved_at = @SignedAt, approval_signature = @SignatureId
        where baseline_id::text = @RecordId and state = 'reviewed'
        """);

    // Its content never changes, and the database compares it with what was signed.
    private static Task<string?> SignedAsync(Work work, Signature signature, string from, string sql) => RefusalAsync(async () =>
        await work.Connection.ExecuteAsync(sql, signature, work.Transaction) == 1 ? null : $"The baseline is no longer {from}: look at it again.");

    /// <summary>From here on what runs is compared with it; the one before ends in the same moment.</summary>
    public async Task<string?> TakeEffectAsync(Actor actor, int id, string reason, CancellationToken ct)
    {
        if (Texts.Refusal("reason", reason, Texts.MaxReason) is { } unfit)
        {
            return unfit;
        }
        await using var work = await database.BeginAsync(actor with { Reason = reason }, ct);
        return await StepAsync(work, id, "take effect", async () =>
        {
            await work.Connection.ExecuteAsync("update validation_baseline set state = 'superseded', ended_by_name = @Name, ended_at = gateway_now() where state = 'effective' and exists (select from validation_baseline where baseline_id = @id and state = 'approved')", new { id, actor.Name }, work.Transaction);
            if (await work.Connection.ExecuteAsync("update validation_baseline set state = 'effective', effective_by_name = @Name, effective_at = gateway_now() where baseline_id = @id", new { id, actor.Name }, work.Transaction) == 0)
            {
                return $"There is no baseline {id}.";
            }
            await work.CommitAsync();
            return null;
        });
    }

    /// <summary>One that has not taken effect, and will not.</summary>
    public async Task<string?> WithdrawAsync(Actor actor, int id, string reason, CancellationToken ct)
    {
        if (Texts.Refusal("reason", reason, Texts.MaxReason) is { } unfit)
        {
            return unfit;
        }
        await using var work = await database.BeginAsync(actor with { Reason = reason }, ct);
        return await StepAsync(work, id, "withdraw", async () =>
        {
            if (await work.Connection.ExecuteAsync("update validation_baseline set state = 'withdrawn', ended_by_name = @Name, ended_at = gateway_now() where baseline_id = @id", new { id, actor.Name }, work.Transaction) == 0)
            {
                return $"There is no baseline {id}.";
            }
            await work.CommitAsync();
            return null;
        });
    }

    private static async Task<string?> StepAsync(Work work, int id, string step, Func<Task<string?>> change) => await RefusalAsync(change) is { } refusal
        ? await work.RefuseAsync(new RefusedStep("validation_baseline", id.ToString(CultureInfo.InvariantCulture), step, refusal, "select state, null::int from validation_baseline where baseline_id = @key::int"))
        : null;

    /// <summary>Runs a step; what the database does not allow is told as a sentence.</summary>
    internal static async Task<string?> RefusalAsync(Func<Task<string?>> step)
    {
        try
        {
            return await step();
        }
        catch (PostgresException e) when (e.SqlState is NotAllowed or Unexplained or AppendOnly)
        {
            return e.MessageText;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.CheckViolation)
        {
            return "Its author, its reviewer and its approver are three people.";
        }
        catch (PostgresException e) when (e.ConstraintName == "validation_one_effective")
        {
            return "Another baseline has taken effect meanwhile: look again.";
        }
    }
}
