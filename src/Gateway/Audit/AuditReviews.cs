using System.Globalization;
using System.Text.Json;
using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Audit;

/// <summary>A review of a part of the trail, as it was frozen when it was begun.</summary>
/// <param name="Selection">What narrows it beside its period, as JSON.</param>
/// <param name="UpToOrd">The highest number of an entry in it.</param>
/// <param name="Entries">Of others: what the reviewer reads.</param>
/// <param name="OwnEntries">Of the reviewer: left to another one.</param>
/// <param name="Epoch">With <paramref name="Size"/> and <paramref name="Root"/> the sealed root it rests on: every entry of the review is a leaf under it.</param>
/// <param name="Conclusion"><c>in order</c> or <c>findings</c>; null while it is open.</param>
/// <param name="SignedAt">Null while it is not signed.</param>
/// <param name="IsLeft">The reviewer's own entries wait for another reviewer.</param>
public sealed record AuditReview(int ReviewId, int Version, DateTime From, DateTime To, string Selection, long UpToOrd, long Entries, long OwnEntries, int Epoch, long Size, byte[] Root,
    DateTime BeganAt, string Reviewer, string ReviewerName, string? Conclusion, string? Findings, DateTime? SignedAt, bool IsLeft, byte[] ContentSha256)
{
    public string Id => ReviewId.ToString(CultureInfo.InvariantCulture);

    /// <summary>What narrows it, with its period.</summary>
    public AuditFilter Filter
    {
        get
        {
            var values = JsonSerializer.Deserialize<Dictionary<string, string>>(Selection)!;
            return AuditFilter.Read(name => values.GetValueOrDefault(name), out _) with { From = From, To = To };
        }
    }
}

/// <param name="IsPart">False: it came after the review was begun, from a transaction that was still open.</param>
public sealed record ReviewedEntry(AuditEntry Entry, bool IsPart);

/// <summary>A signed review that covers an entry.</summary>
public sealed record EntryReview(int ReviewId, string ReviewerName, DateTime SignedAt);

/// <summary>
/// Reviews of the audit trail (EU GMP Annex 11, 9): a period that has ended, frozen with the sealed root it rests on, read by somebody who
/// is not the actor of what he reads, concluded and signed.
/// </summary>
public sealed class AuditReviews(GatewayDatabase database)
{
    public const string RecordType = "audit review";
    public const string Meaning = "audit review";
    public const int MaxFindings = 10_000;

    /// <summary>So many days back a day that nobody has reviewed is told.</summary>
    public const int WatchedDays = 14;

    private const string Rows = """
        select r.review_id as ReviewId, r.version as Version, r.from_at as "From", r.to_at as "To", r.filter::text as Selection, r.up_to_ord as UpToOrd, r.entries as Entries, r.own_entries as OwnEntries,
               r.epoch as Epoch, r.size as Size, r.root as Root, r.began_at as BeganAt, r.reviewer as Reviewer, r.reviewer_name as ReviewerName, r.conclusion as Conclusion, r.findings as Findings, s.signed_at as SignedAt,
               r.own_entries > 0 and not exists (select from audit_review o join signature t on t.record_type = 'audit review' and t.record_id = o.review_id::text
                   where o.reviewer <> r.reviewer and o.from_at <= r.from_at and o.to_at >= r.to_at and o.filter in ('{}', r.filter)) as IsLeft,
               content_sha256(audit_review_content(r.review_id)) as ContentSha256
        from audit_review r left join lateral (select signed_at from signature where record_type = 'audit review' and record_id = r.review_id::text and version = r.version order by signature_id limit 1) s on true
        """;

    /// <param name="before">The number of the last review already known; null: from the newest.</param>
    public async Task<IReadOnlyList<AuditReview>> ListAsync(Actor reader, int? before, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<AuditReview>(new CommandDefinition($"{Rows} where @before::int is null or r.review_id < @before order by r.review_id desc limit @limit", new { before, limit }, work.Transaction, cancellationToken: ct))).AsList();
    }

    public async Task<AuditReview?> FindAsync(Actor reader, int review, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await FindAsync(work, review);
    }

    /// <summary>What is to be read, newest first.</summary>
    /// <param name="before">The cursor of the last entry already known.</param>
    public async Task<IReadOnlyList<ReviewedEntry>> EntriesAsync(Actor reader, int review, string? before, int limit, CancellationToken ct)
    {
        var (at, ord) = before is not null && AuditSearch.ReadCursor(before) is { } place ? ((DateTime?)place.At, (long?)place.Ord) : (null, null);
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<AuditEntry, bool, ReviewedEntry>(new CommandDefinition($"""
            select {AuditSearch.Columns}, coalesce((l.epoch, l.leaf) < (r.epoch, r.size), false) as IsPart
            from audit_review r cross join lateral audit_find(audit_review_filter(r), @at, @ord, @limit) e left join audit_leaf l on l.ord = e.ord
            where r.review_id = @review order by e.recorded_at desc, e.ord desc
            """, new { review, at, ord, limit }, work.Transaction, cancellationToken: ct), (entry, isPart) => new ReviewedEntry(entry, isPart), splitOn: "IsPart")).AsList();
    }

    /// <summary>Days of the last <see cref="WatchedDays"/>, in UTC and without today, that have entries and that no signed reviews of everything cover.</summary>
    public async Task<IReadOnlyList<DateOnly>> OpenDaysAsync(Actor reader, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return [.. (await work.Connection.QueryAsync<DateTime>(new CommandDefinition("""
            select (d at time zone 'UTC')::timestamp from (select date_trunc('day', gateway_now(), 'UTC') - n * interval '1 day' as d from generate_series(1, @WatchedDays) n) days
            where exists (select from audit_entry where recorded_at >= d and recorded_at < d + interval '1 day')
              and not coalesce((select range_agg(tstzrange(from_at, to_at)) from audit_review r join signature s on s.record_type = 'audit review' and s.record_id = r.review_id::text
                  where r.filter = '{}' and r.to_at > d and r.from_at < d + interval '1 day') @> tstzrange(d, d + interval '1 day'), false)
            order by 1
            """, new { WatchedDays }, work.Transaction, cancellationToken: ct))).Select(DateOnly.FromDateTime)];
    }

    /// <summary>Who has read an entry and signed that, the first one first. Nobody counts as having read his own.</summary>
    public async Task<IReadOnlyList<EntryReview>> OfEntryAsync(Actor reader, long ord, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<EntryReview>(new CommandDefinition("""
            select r.review_id as ReviewId, r.reviewer_name as ReviewerName, s.signed_at as SignedAt
            from audit_entry e join audit_leaf l using (ord) join audit_review r on e.recorded_at >= r.from_at and e.recorded_at < r.to_at and (l.epoch, l.leaf) < (r.epoch, r.size) and r.reviewer <> e.actor
            join signature s on s.record_type = 'audit review' and s.record_id = r.review_id::text and s.version = r.version
            where e.ord = @ord and exists (select from audit_find(audit_review_filter(r) || jsonb_build_object('ord', e.ord), null, null, 1))
            order by s.signed_at limit 20
            """, new { ord }, work.Transaction, cancellationToken: ct))).AsList();
    }

    /// <summary>Freezes a part of the trail for the actor to read.</summary>
    /// <param name="from">The first moment of the period.</param>
    /// <param name="to">The first moment after it; it has passed.</param>
    /// <param name="filter">What narrows it beside the period.</param>
    /// <returns>The number of the review, or the refusal as a sentence.</returns>
    public async Task<(int? ReviewId, string? Refusal)> BeginAsync(Actor reviewer, DateTime from, DateTime to, AuditFilter filter, CancellationToken ct)
    {
        if (!reviewer.Id.StartsWith("person:", StringComparison.Ordinal))
        {
            return (null, "Only a person reviews: sign in with your name and password.");
        }
        if (from >= to)
        {
            return (null, "The period ends before it begins: its end is the first moment that no longer belongs to it.");
        }
        await using var work = await database.BeginAsync(reviewer, ct);
        if (!await work.Connection.ExecuteScalarAsync<bool>(new CommandDefinition("select @to <= gateway_now()", new { to }, work.Transaction, cancellationToken: ct)))
        {
            return (null, "The period has not ended yet: choose an end that has passed, in UTC.");
        }
        var words = filter with { From = null, To = null };
        var json = words.ToJson();
        var source = words.Query().Any() ? "audit_find(@json::jsonb || jsonb_build_object('from', @from, 'to', @to), null, null, 2147483647)" : "(select ord, actor from audit_entry where recorded_at >= @from and recorded_at < @to)";
        var review = await work.Connection.ExecuteScalarAsync<int?>(new CommandDefinition($"""
            with seal as (select epoch, size, root from audit_seal order by epoch desc, size desc limit 1),
            found as (select count(*) filter (where x.actor <> @Id) as others, count(*) filter (where x.actor = @Id) as own, coalesce(max(x.ord), 0) as up_to,
                             count(*) filter (where l.ord is null or (l.epoch, l.leaf) >= (seal.epoch, seal.size)) as waiting from {source} x left join audit_leaf l on l.ord = x.ord cross join seal)
            insert into audit_review (party_id, from_at, to_at, filter, up_to_ord, entries, own_entries, epoch, size, root, began_at, reviewer, reviewer_name)
            select party_id, @from, @to, @json::jsonb, up_to, others, own, epoch, size, root, gateway_now(), @Id, @Name from party, seal, found where kind = 'organisation' and waiting = 0
            returning review_id
            """, new { from, to, json, reviewer.Id, reviewer.Name }, work.Transaction, cancellationToken: ct));
        if (review is null)
        {
            return (null, "Entries of this period are not sealed yet: begin again in a few seconds. When that does not help, the page Audit says what waits.");
        }
        await work.CommitAsync();
        return (review, null);
    }

    /// <summary>Writes down what the reviewer found; until he signs he may write it anew.</summary>
    /// <returns>Null, or the refusal as a sentence.</returns>
    public async Task<string?> ConcludeAsync(Actor reviewer, int review, bool isInOrder, string? findings, CancellationToken ct)
    {
        findings = string.IsNullOrWhiteSpace(findings) ? null : findings.Replace("\0", "", StringComparison.Ordinal).Trim();
        if (!isInOrder && findings is null)
        {
            return "Write down what you found.";
        }
        if (findings?.Length > MaxFindings)
        {
            return $"Findings have at most {MaxFindings:N0} characters: put what is longer into a document and name it here.";
        }
        await using var work = await database.BeginAsync(reviewer with { Reason = findings ?? "in order" }, ct);
        await work.Connection.ExecuteAsync(new CommandDefinition("select from audit_review where review_id = @review for update", new { review }, work.Transaction, cancellationToken: ct));
        if (await FindAsync(work, review) is not { } now)
        {
            return "There is no such review.";
        }
        if (now.Reviewer != reviewer.Id)
        {
            return "Everybody concludes his own review: begin one yourself.";
        }
        if (now.SignedAt is not null)
        {
            return await work.RefuseAsync(new RefusedStep("audit_review", now.Id, "conclude", "This review is signed: begin a new one.", "select 'signed', version from audit_review where review_id = @key::int"));
        }
        await work.Connection.ExecuteAsync(new CommandDefinition("update audit_review set conclusion = @conclusion, findings = @findings where review_id = @review",
            new { review, conclusion = isInOrder ? "in order" : "findings", findings }, work.Transaction, cancellationToken: ct));
        await work.CommitAsync();
        return null;
    }

    /// <summary>The review as it is signed now.</summary>
    public async Task<SignableRecord?> RecordAsync(Actor signer, int review, CancellationToken ct) =>
        await FindAsync(signer, review, ct) is { } r
            ? new SignableRecord(RecordType, r.Id, r.Version, string.Create(CultureInfo.InvariantCulture, $"Audit review {r.Id} of {r.From:yyyy-MM-dd HH:mm:ss} to {r.To:yyyy-MM-dd HH:mm:ss} UTC: {r.Conclusion ?? "not concluded"}"), r.ContentSha256, [])
            : null;

    /// <summary>What signing a review does: it makes sure that the reviewer himself signs what he concluded, and still may review.</summary>
    public static async Task<string?> SignedAsync(Work work, Signature signature)
    {
        var review = int.Parse(signature.RecordId, CultureInfo.InvariantCulture);
        await work.Connection.ExecuteAsync("select from audit_review where review_id = @review for update", new { review }, work.Transaction);
        var now = await FindAsync(work, review);
        return now is null || !signature.Covers(now.Version, now.ContentSha256) ? "The review has changed: look at it again."
            : now.Reviewer != signature.Signer ? "A review is signed by who has read the entries: begin one yourself."
            : now.Conclusion is null ? "Say first what you found."
            : !await work.Connection.ExecuteScalarAsync<bool>("select @permission in (select held_by(@Signer))", new { permission = Permissions.ReviewAudit, signature.Signer }, work.Transaction) ? "You may not review the trail any more."
            : null;
    }

    private static async Task<AuditReview?> FindAsync(Work work, int review) =>
        await work.Connection.QuerySingleOrDefaultAsync<AuditReview>($"{Rows} where r.review_id = @review", new { review }, work.Transaction);
}
