using System.Globalization;
using Dapper;
using Gateway.Database;

namespace Gateway.Access;

/// <param name="Open">Lines nobody has decided about yet.</param>
/// <param name="Signed">Whether the version of now was signed.</param>
public sealed record AccessReviewRow(int ReviewId, int Version, string Reason, DateTime BeganAt, string BeganByName, long Lines, long Open, long Withdrawn, long Unused, bool Signed, byte[] ContentSha256)
{
    public string Id => ReviewId.ToString(CultureInfo.InvariantCulture);
}

/// <param name="Owner">The actor who does not decide about it: the person himself, or the key's maker.</param>
[method: ExplicitConstructor]
public sealed record AccessReviewLine(long LineId, string Kind, string Subject, string? Owner, string Name, string Party, string[] Roles, string[] Permissions, string[] GrantedBy, DateTime? LastUsedAt, bool Unused, string? Decision, string? Note, string? DecidedByName);

/// <summary>
/// Reviews of who may do what (21 CFR 11.300(b)): a frozen copy of everybody's and every key's rights, a decision for each line by
/// somebody else, and signatures. What a review wants withdrawn is withdrawn by those who manage people and keys.
/// </summary>
public sealed class AccessReviews(GatewayDatabase database)
{
    public const string RecordType = "access review";
    public const string Meaning = "access review";

    /// <summary>What was not used for so long is flagged.</summary>
    public static readonly TimeSpan UnusedAfter = TimeSpan.FromDays(90);

    private const string Rows = """
        select r.review_id as ReviewId, r.version as Version, r.reason as Reason, r.began_at as BeganAt, r.began_by_name as BeganByName, count(*) as Lines,
               count(*) filter (where l.decision is null) as Open, count(*) filter (where l.decision = 'withdraw') as Withdrawn, count(*) filter (where l.unused) as Unused,
               exists (select from signature s where s.record_type = 'access review' and s.record_id = r.review_id::text and s.version = r.version) as Signed,
               content_sha256(access_review_content(r.review_id)) as ContentSha256
        from access_review r join access_review_line l using (review_id)
        """;

    /// <summary>The newest first.</summary>
    public async Task<IReadOnlyList<AccessReviewRow>> ListAsync(Actor reader, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return [.. await work.Connection.QueryAsync<AccessReviewRow>($"{Rows} group by r.review_id order by r.review_id desc limit @limit", new { limit }, work.Transaction)];
    }

    public async Task<AccessReviewRow?> FindAsync(Actor reader, int review, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await FindAsync(work, review);
    }

    public async Task<IReadOnlyList<AccessReviewLine>> LinesAsync(Actor reader, int review, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return [.. await work.Connection.QueryAsync<AccessReviewLine>("""
            select line_id as LineId, kind as Kind, subject as Subject, owner as Owner, name as Name, party as Party, roles as Roles, permissions as Permissions, granted_by as GrantedBy,
                   last_used_at as LastUsedAt, unused as Unused, decision as Decision, note as Note, decided_by_name as DecidedByName
            from access_review_line where review_id = @review order by line_id
            """, new { review }, work.Transaction)];
    }

    /// <summary>Freezes what everybody and every key may do now.</summary>
    public async Task<int> BeginAsync(Actor actor, string reason, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor with { Reason = reason }, ct);
        var review = await work.Connection.ExecuteScalarAsync<int>("""
            insert into access_review (party_id, reason, began_at, began_by, began_by_name)
            select party_id, @reason, gateway_now(), @Id, @Name from party where kind = 'organisation' returning review_id
            """, new { reason, actor.Id, actor.Name }, work.Transaction);
        await work.Connection.ExecuteAsync("""
            insert into access_review_line (review_id, party_id, kind, subject, owner, name, party, roles, permissions, granted_by, last_used_at, unused)
            select r.review_id, r.party_id, a.kind, a.subject, a.owner, a.name, y.name, a.roles,
                   case when exists (select from role where role = any(a.roles) and everything) then '{everything}'
                        else array(select distinct permission from role_permission where role = any(a.roles) order by 1) end,
                   a.granted_by, a.last_used_at, coalesce(a.last_used_at, a.created_at) < gateway_now() - @UnusedAfter
            from access_review r,
                 (select 'person' as kind, user_name as subject, 'person:' || user_name as owner, display_name as name, party_id, signed_in_at as last_used_at, created_at,
                         array(select role from person_role g where g.person_id = h.person_id order by 1) as roles,
                         array(select role || ': ' || granted_by from person_role g where g.person_id = h.person_id order by role) as granted_by
                  from person h where state = 'active' and (access_until is null or access_until > gateway_now())
                  union all
                  select 'key', key_id, made_by, name, party_id, last_used_at, created_at, array[role], array[role || ': ' || coalesce(made_by, 'command line')]
                  from api_key where revoked_at is null and (expires_at is null or expires_at > gateway_now())) a join party y on y.party_id = a.party_id
            where r.review_id = @review order by a.kind desc, a.subject
            """, new { review, UnusedAfter }, work.Transaction);
        await work.CommitAsync();
        return review;
    }

    /// <summary>Says of a line whether its rights stay. What a signature covers is not said anew.</summary>
    /// <param name="note">Needed where something is to be withdrawn: what, and why.</param>
    /// <returns>Null, or the refusal as a sentence.</returns>
    public async Task<string?> DecideAsync(Actor actor, int review, long line, bool keep, string? note, CancellationToken ct)
    {
        note = string.IsNullOrWhiteSpace(note) ? null : note.Trim();
        if (!keep && note is null)
        {
            return "Say what is to be withdrawn, and why.";
        }
        if (Texts.Refusal("The note", note, Texts.MaxReason) is { } unfit)
        {
            return unfit;
        }
        await using var work = await database.BeginAsync(actor with { Reason = note }, ct);
        // Held until the commit: who signs meanwhile waits, and then sees this. A statement of its own, for the one that waits sees what was before it.
        await work.Connection.ExecuteAsync("select from access_review where review_id = @review for update", new { review }, work.Transaction);
        var signed = await work.Connection.QuerySingleOrDefaultAsync<bool?>("""
            select exists (select from signature s where s.record_type = @RecordType and s.record_id = r.review_id::text and s.version = r.version) from access_review r where review_id = @review
            """, new { review, RecordType }, work.Transaction);
        var found = await work.Connection.QuerySingleOrDefaultAsync<(string? Owner, string? Decision)?>("select owner, decision from access_review_line where line_id = @line and review_id = @review", new { line, review }, work.Transaction);
        if (signed is null || found is not { } now)
        {
            return "There is no such line.";
        }
        if (now.Owner == actor.Id)
        {
            return "This line is about yourself: another reviewer decides it.";
        }
        var anySigned = await work.Connection.ExecuteScalarAsync<bool>("select exists (select from signature where record_type = @RecordType and record_id = @id)", new { RecordType, id = review.ToString(CultureInfo.InvariantCulture) }, work.Transaction);
        if (now.Decision is not null && anySigned)
        {
            return await work.RefuseAsync(new RefusedStep("access_review_line", line.ToString(CultureInfo.InvariantCulture), "decide", "This line was signed as it is: begin a new review.",
                "select l.decision || ', signed', r.version from access_review_line l join access_review r using (review_id) where l.line_id = @key::bigint"));
        }
        await work.Connection.ExecuteAsync("""
            update access_review_line set decision = @decision, note = @note, decided_by = @Id, decided_by_name = @Name, decided_at = gateway_now() where line_id = @line
            """, new { decision = keep ? "keep" : "withdraw", note, actor.Id, actor.Name, line }, work.Transaction);
        if (signed == true)
        {
            await work.Connection.ExecuteAsync("update access_review set version = version + 1 where review_id = @review", new { review }, work.Transaction);
        }
        await work.CommitAsync();
        return null;
    }

    /// <summary>The review as it is signed now.</summary>
    public async Task<SignableRecord?> RecordAsync(Actor signer, int review, CancellationToken ct) =>
        await FindAsync(signer, review, ct) is { } r ? new SignableRecord(RecordType, r.Id, r.Version, $"Access review {r.Id} of {r.BeganAt.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}: {r.Reason}", r.ContentSha256, []) : null;

    /// <summary>What signing a review does: it makes sure that the review is still what was seen, and complete but for the signer's own lines.</summary>
    public static async Task<string?> SignedAsync(Work work, Signature signature)
    {
        var review = int.Parse(signature.RecordId, CultureInfo.InvariantCulture);
        await work.Connection.ExecuteAsync("select from access_review where review_id = @review for update", new { review }, work.Transaction);
        var now = await FindAsync(work, review);
        if (now is null || !signature.Covers(now.Version, now.ContentSha256))
        {
            return "The review has changed: look at it again.";
        }
        var open = await work.Connection.ExecuteScalarAsync<long>("select count(*) from access_review_line where review_id = @review and decision is null and owner is distinct from @Signer", new { review, signature.Signer }, work.Transaction);
        return open == 0 ? null : $"{open} lines are not decided yet.";
    }

    private static async Task<AccessReviewRow?> FindAsync(Work work, int review) =>
        await work.Connection.QuerySingleOrDefaultAsync<AccessReviewRow>($"{Rows} where r.review_id = @review group by r.review_id", new { review }, work.Transaction);
}
