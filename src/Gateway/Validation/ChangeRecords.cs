using Dapper;
using Gateway.Access;
using Gateway.Database;
using Npgsql;

namespace Gateway.Validation;

/// <param name="Number">As <c>CR-0007</c>.</param>
/// <param name="Concerns">Names of components; one that ends with * stands for all that begin so.</param>
[method: ExplicitConstructor] // an array has no column type that Dapper could match
public sealed record ChangeItem(
    int ChangeId, string Number, string Title, string Why, string Impact, string Risk, string Tests, string[] Concerns, string State,
    string DraftedBy, string DraftedByName, DateTime DraftedAt, string? ApprovedByName, DateTime? ApprovedAt, string? EndedByName, DateTime? EndedAt, string? EndedWhy);

/// <param name="Why">What is changed, and what for.</param>
/// <param name="Impact">On what was validated.</param>
/// <param name="Tests">What shows that it works, and that the rest still does.</param>
/// <param name="Concerns">Names of components such as <c>setting Capture:MaxBytes</c>; one that ends with * stands for all that begin so.</param>
public sealed record ChangeRequest(string? Title, string? Why, string? Impact, string? Risk, string? Tests, IReadOnlyList<string>? Concerns);

/// <summary>Why something validated is changed. A record is approved under signature by somebody else than its author, and is not changed after that.</summary>
public sealed class ChangeRecords(GatewayDatabase database)
{
    /// <summary>The type of record that a signature names.</summary>
    public const string RecordType = "change record";

    /// <summary>Of a record there is one: what it says never changes.</summary>
    public const int Version = 1;

    private const int MaxConcerns = 1000;

    private const string Columns = """
        change_id as ChangeId, number as Number, title as Title, why as Why, impact as Impact, risk as Risk, tests as Tests, concerns as Concerns, state as State,
        drafted_by as DraftedBy, drafted_by_name as DraftedByName, drafted_at as DraftedAt, approved_by_name as ApprovedByName, approved_at as ApprovedAt,
        ended_by_name as EndedByName, ended_at as EndedAt, ended_why as EndedWhy
        """;

    /// <param name="before">The id that ended the page before; null: from the newest.</param>
    public async Task<IReadOnlyList<ChangeItem>> ListAsync(Actor reader, int? before, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<ChangeItem>(new CommandDefinition($"select {Columns} from validation_change where @before::int is null or change_id < @before order by change_id desc limit @limit", new { before, limit }, work.Transaction, cancellationToken: ct))).AsList();
    }

    public async Task<ChangeItem?> FindAsync(Actor reader, string number, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await work.Connection.QuerySingleOrDefaultAsync<ChangeItem>(new CommandDefinition($"select {Columns} from validation_change where number = @number", new { number }, work.Transaction, cancellationToken: ct));
    }

    /// <returns>Its number, or the refusal as a sentence.</returns>
    public async Task<(string? Number, string? Refusal)> DraftAsync(Actor author, ChangeRequest request, CancellationToken ct)
    {
        foreach (var (name, text, max) in (IEnumerable<(string, string?, int)>)[("title", request.Title, Texts.MaxReason), ("why", request.Why, Texts.MaxText), ("impact", request.Impact, Texts.MaxText), ("risk", request.Risk, Texts.MaxText), ("tests", request.Tests, Texts.MaxText)])
        {
            if (string.IsNullOrWhiteSpace(text))
            {
                return (null, $"{name} is missing.");
            }
            if (Texts.Refusal(name, text, max) is { } unfit)
            {
                return (null, unfit);
            }
        }
        var concerns = (request.Concerns ?? []).Select(c => (c ?? "").Trim()).Where(c => c.Length > 0).Distinct().ToArray();
        if (concerns.Length > MaxConcerns)
        {
            return (null, $"concerns names more than {MaxConcerns} components: use * for those that begin alike.");
        }
        if (concerns.Select(c => Texts.Refusal("One of the concerns", c, Texts.MaxReason)).FirstOrDefault(r => r is not null) is { } wrong)
        {
            return (null, wrong);
        }
        if (concerns.Length == 0)
        {
            return (null, "concerns is missing: name the components that will differ, such as \"setting Capture:MaxBytes\" or \"program *\".");
        }
        if (concerns.Contains("*"))
        {
            return (null, "concerns is too wide: \"*\" would explain whatever differs. Say which kind, such as \"program *\".");
        }
        await using var work = await database.BeginAsync(author with { Reason = request.Why!.Trim() }, ct);
        var number = await work.Connection.ExecuteScalarAsync<string>("""
            insert into validation_change (title, why, impact, risk, tests, concerns, drafted_by, drafted_by_name, drafted_at)
            values (@title, @why, @impact, @risk, @tests, @concerns, @Id, @Name, gateway_now()) returning number
            """, new { title = request.Title!.Trim(), why = request.Why!.Trim(), impact = request.Impact!.Trim(), risk = request.Risk!.Trim(), tests = request.Tests!.Trim(), concerns, author.Id, author.Name }, work.Transaction);
        await work.CommitAsync();
        return (number, null);
    }

    /// <summary>As it is signed; null when there is none of that number.</summary>
    public async Task<SignableRecord?> SignableAsync(Actor reader, string number, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        var row = await work.Connection.QuerySingleOrDefaultAsync<(string Title, string DraftedBy, byte[] Content)?>(new CommandDefinition(
            "select title, drafted_by, content_sha256(validation_change_content(change_id)) from validation_change where number = @number", new { number }, work.Transaction, cancellationToken: ct));
        return row is { } found ? new SignableRecord(RecordType, number, Version, $"{number}: {found.Title}", found.Content, [found.DraftedBy]) : null;
    }

    /// <summary>What the signature of an approval does, in its transaction.</summary>
    public static Task<string?> ApprovedAsync(Work work, Signature signature) => Baselines.RefusalAsync(async () => await work.Connection.ExecuteAsync("""
        update validation_change set state = 'approved', approved_by = @Signer, approved_by_name = @SignerName, approved_at = @SignedAt, approval_signature = @SignatureId where number = @RecordId and state = 'draft'
        """, signature, work.Transaction) == 1 ? null : "The change record is no longer a draft: look at it again.");

    /// <summary>What was approved has been carried out.</summary>
    public Task<string?> DoneAsync(Actor actor, string number, string reason, CancellationToken ct) => EndAsync(actor, number, "done", reason, ct);

    /// <summary>A draft that will not be carried out.</summary>
    public Task<string?> WithdrawAsync(Actor actor, string number, string reason, CancellationToken ct) => EndAsync(actor, number, "withdrawn", reason, ct);

    private async Task<string?> EndAsync(Actor actor, string number, string state, string reason, CancellationToken ct)
    {
        if (Texts.Refusal("reason", reason, Texts.MaxReason) is { } unfit)
        {
            return unfit;
        }
        await using var work = await database.BeginAsync(actor with { Reason = reason }, ct);
        var refusal = await Baselines.RefusalAsync(async () =>
        {
            if (await work.Connection.ExecuteAsync("update validation_change set state = @state, ended_by_name = @Name, ended_at = gateway_now(), ended_why = @reason where number = @number", new { number, state, actor.Name, reason }, work.Transaction) == 0)
            {
                return $"There is no change record {number}.";
            }
            await work.CommitAsync();
            return null;
        });
        return refusal is null ? null : await work.RefuseAsync(new RefusedStep("validation_change", number, state == "done" ? "done" : "withdraw", refusal, "select state, null::int from validation_change where number = @key"));
    }
}
