using System.Threading.RateLimiting;
using Dapper;
using Gateway.Database;
using Gateway.Http;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Access;

/// <summary>One version of a record, as it is signed.</summary>
/// <param name="Id">As the record's own address names it.</param>
/// <param name="Title">What it is, for people.</param>
/// <param name="ContentSha256">Of the canonical JSON of the record as the database has it: <c>content_sha256</c>.</param>
/// <param name="Authors">Ids of actors who made or changed it, and so may not approve it.</param>
public sealed record SignableRecord(string Type, string Id, int Version, string Title, byte[] ContentSha256, IReadOnlyCollection<string> Authors);

/// <summary>A signing that was begun: what the signer is shown, and what is asked of him.</summary>
/// <param name="Nonce">Names it; null when it was refused.</param>
/// <param name="Refusal">As a sentence.</param>
/// <param name="Sentence">What the signature will mean.</param>
/// <param name="NeedsName">All components are asked for: the user name, the password and, where set up, the code. Otherwise the password.</param>
/// <param name="Statement">What has to be accepted first; null when it was.</param>
public sealed record SigningChallenge(Guid? Nonce, string? Refusal, SignableRecord Record, string Meaning, string Sentence, bool NeedsName, bool NeedsCode, int StatementVersion, string? Statement, DateTime ExpiresAt);

/// <param name="UserName">Needed where the challenge asks for all components.</param>
/// <param name="AcceptedStatement">The version of the statement that the signer accepts with this.</param>
public sealed record SigningSecret(string? UserName, string Password, string? Code = null, int? AcceptedStatement = null);

/// <param name="Refusal">As a sentence; nothing was changed then.</param>
public sealed record SigningAnswer(string? Refusal, Signature? Signature);

/// <summary>
/// Electronic signatures: a challenge that binds a record's version, content, meaning and session, then the person's own secret, then the
/// signature and its effect in one transaction. The rules that need no secret are the database's (<c>signing_refusal</c>).
/// </summary>
public sealed class Signing(GatewayDatabase database, Sessions sessions, ProvePerson prove, IOptions<RateLimitOptions> limits) : IDisposable
{
    /// <summary>A challenge is good for so long.</summary>
    public static readonly TimeSpan ChallengeLifetime = TimeSpan.FromSeconds(120);

    /// <summary>After so long without a signature all components are asked for again (21 CFR 11.200(a)(1)).</summary>
    public static readonly TimeSpan ContinuousFor = TimeSpan.FromMinutes(15);

    private const string Refused = "GW014";

    // Guesses at a signature are as rare as guesses at the door.
    private readonly PartitionedRateLimiter<string> _attempts = PartitionedRateLimiter.Create<string, string>(signer =>
        RateLimitPartition.GetTokenBucketLimiter(signer, _ => RateLimits.Bucket(limits.Value.SignInPerMinute)));

    private sealed record Asked(string Sentence, bool IsFirst, bool HasCode, int StatementVersion, string? Statement);

    private sealed record Begun(string RecordType, string RecordId, int Version, string Meaning)
    {
        public string Record => $"{RecordType} {RecordId} version {Version}, {Meaning}";
    }

    /// <param name="session">In which the signer sees the record, and will sign it.</param>
    /// <param name="meaning">A row of <c>signature_meaning</c>.</param>
    public async Task<SigningChallenge> BeginAsync(Actor signer, long session, SignableRecord record, string meaning, CancellationToken ct)
    {
        var what = new Begun(record.Type, record.Id, record.Version, meaning);
        var holder = await sessions.FindAsync(session, active: true, ct);
        if (RefusalOf(holder, signer) is { } wrong)
        {
            return await RefuseBeginAsync(wrong);
        }
        await using var work = await database.BeginAsync(signer with { Sees = "*" }, ct);
        var nonce = Guid.NewGuid();
        await work.Connection.ExecuteAsync("delete from signature_challenge where expires_at < gateway_now()", transaction: work.Transaction);
        var expiresAt = await work.Connection.QuerySingleOrDefaultAsync<DateTime?>("""
            insert into signature_challenge (nonce, party_id, person_id, session_id, record_type, record_id, version, title, content_sha256, authors, meaning, expires_at)
            select @nonce, party_id, person_id, @session, @Type, @Id, @Version, @Title, @ContentSha256, @authors, @meaning, gateway_now() + @ChallengeLifetime
            from person where user_name = @UserName and exists (select from signature_meaning where meaning = @meaning)
            returning expires_at
            """, new { nonce, session, record.Type, record.Id, record.Version, record.Title, record.ContentSha256, authors = record.Authors.ToArray(), meaning, ChallengeLifetime, holder!.UserName }, work.Transaction);
        var refusal = expiresAt is null ? $"There is no meaning {meaning}." : await work.Connection.ExecuteScalarAsync<string?>("select signing_refusal(@nonce, @session)", new { nonce, session }, work.Transaction);
        if (refusal is not null)
        {
            await work.DisposeAsync();
            return await RefuseBeginAsync(refusal);
        }
        var asked = await AskedAsync(work, session, holder.UserName!, meaning);
        await work.CommitAsync();
        return new SigningChallenge(nonce, null, record, meaning, asked.Sentence, asked.IsFirst, asked.IsFirst && asked.HasCode, asked.StatementVersion, asked.Statement, expiresAt!.Value);

        async Task<SigningChallenge> RefuseBeginAsync(string refusal)
        {
            await RefuseAsync(signer, what.Record, refusal);
            return new SigningChallenge(null, refusal, record, meaning, "", false, false, 0, null, default);
        }
    }

    /// <param name="effect">
    /// What the signature does, in its transaction: it reads the record again under a lock, and answers with a refusal when its content is no
    /// longer the signed one (<see cref="Signature.ContentSha256"/>). Then nothing is signed.
    /// </param>
    public async Task<SigningAnswer> SignAsync(Actor signer, long session, Guid nonce, SigningSecret secret, Func<Work, Signature, Task<string?>> effect, CancellationToken ct)
    {
        using var lease = _attempts.AttemptAcquire(signer.Id);
        if (!lease.IsAcquired)
        {
            return new SigningAnswer("Too many attempts: wait a minute. Nothing was signed.", null);
        }
        var record = "nothing that was begun";
        var holder = await sessions.FindAsync(session, active: true, ct);
        if (RefusalOf(holder, signer) is { } refusal)
        {
            return await RefuseAsync(signer, record, refusal);
        }
        await using (var work = await database.BeginAsync(signer with { Sees = "*" }, ct))
        {
            var person = (await prove.HoldAsync(work, holder!.UserName!))!;
            var begun = await work.Connection.QuerySingleOrDefaultAsync<Begun>(
                "select record_type as RecordType, record_id as RecordId, version as Version, meaning as Meaning from signature_challenge where nonce = @nonce", new { nonce }, work.Transaction);
            record = begun?.Record ?? record;
            refusal = person.IsLocked
                ? "The account is locked after too many failures: sign in again when the lock has ended."
                : await work.Connection.ExecuteScalarAsync<string?>("select signing_refusal(@nonce, @session)", new { nonce, session }, work.Transaction);
            if (refusal is null)
            {
                // Once begun it is counted: a guesser who hangs up early gains nothing.
                var asked = await AskedAsync(work, session, person.UserName, begun!.Meaning);
                if (await ComponentsAsync(work, person, secret, asked) is not { } components)
                {
                    await AuditRefusalAsync(work, record, "A component was wrong.");
                    await prove.FailAsync(work, person, "signing_failed", "sign_in", person.UserName, signer.Origin, endsSessions: true);
                    return new SigningAnswer(asked.IsFirst ? "User name, password or code is wrong: nothing was signed." : "The password is wrong: nothing was signed.", null);
                }
                await work.ActAsAsync(signer with { Sees = "*", Method = components }, CancellationToken.None);
                (var signature, refusal) = await FinishAsync(work, person, secret, asked, nonce, session, components, effect);
                if (refusal is null)
                {
                    await work.CommitAsync();
                    return new SigningAnswer(null, signature);
                }
            }
        }
        return await RefuseAsync(signer, record, refusal);
    }

    public void Dispose() => _attempts.Dispose();

    private static async Task<(Signature? Signature, string? Refusal)> FinishAsync(Work work, HeldPerson person, SigningSecret secret, Asked asked, Guid nonce, long session, string components, Func<Work, Signature, Task<string?>> effect)
    {
        await work.Connection.ExecuteAsync("update person set failed_count = 0, locked_until = null where person_id = @PersonId", new { person.PersonId }, work.Transaction);
        if (asked.Statement is not null && secret.AcceptedStatement == asked.StatementVersion)
        {
            await work.Connection.ExecuteAsync("update person set statement_accepted = @StatementVersion, statement_accepted_at = gateway_now() where person_id = @PersonId", new { asked.StatementVersion, person.PersonId }, work.Transaction);
        }
        try
        {
            var signature = await work.Connection.QuerySingleAsync<Signature>($"select {Signatures.Columns} from sign_record(@nonce, @session, @components)", new { nonce, session, components }, work.Transaction);
            return await effect(work, signature) is { } refusal ? (null, refusal) : (signature, null);
        }
        catch (PostgresException e) when (e.SqlState == Refused)
        {
            return (null, e.MessageText);
        }
    }

    /// <returns>How the signer was authenticated; null when something was wrong.</returns>
    private async Task<string?> ComponentsAsync(Work work, HeldPerson person, SigningSecret secret, Asked asked)
    {
        var isPassword = ProvePerson.Password(person, secret.Password).Right;
        if (!asked.IsFirst)
        {
            return isPassword ? "password" : null;
        }
        var isName = await work.Connection.ExecuteScalarAsync<bool>("select fold_name(@given) = fold_name(@UserName)", new { given = (secret.UserName ?? "").Replace("\0", "", StringComparison.Ordinal), person.UserName }, work.Transaction);
        var factor = isPassword && isName ? await prove.SecondFactorAsync(work, person, secret.Code?.Trim() ?? "") : null;
        return factor switch
        {
            null => null,
            "password" => "user name and password",
            _ => $"user name, {factor}",
        };
    }

    // All components: for the first signature of a session, after a while without one, and after a lock.
    private static Task<Asked> AskedAsync(Work work, long session, string userName, string meaning) => work.Connection.QuerySingleAsync<Asked>("""
        select m.sentence as Sentence,
               before.at is null or before.at <= gateway_now() - @ContinuousFor
                   or exists (select from audit_entry where entity = 'sign_in' and entity_key = h.user_name and action = 'locked' and recorded_at >= before.at) as IsFirst,
               h.totp_key is not null as HasCode, s.version as StatementVersion, case when h.statement_accepted is distinct from s.version then s.text end as Statement
        from person h, signature_meaning m, (select version, text from signing_statement order by version desc limit 1) s,
             (select max(signed_at) as at from signature where session_id = @session) before
        where h.user_name = @userName and m.meaning = @meaning
        """, new { session, userName, meaning, ContinuousFor }, work.Transaction);

    private static string? RefusalOf(Holder? holder, Actor signer) => holder switch
    {
        null => "The session has ended: sign in again.",
        { UserName: null } => "A key signs nothing: sign in with your name and password.",
        _ when $"person:{holder.UserName}" != signer.Id => "Everybody signs for himself only: begin it again under your own name.",
        _ => null,
    };

    private async Task<SigningAnswer> RefuseAsync(Actor signer, string record, string refusal)
    {
        await using var work = await database.BeginAsync(signer with { Sees = "*" }, CancellationToken.None);
        await AuditRefusalAsync(work, record, refusal);
        await work.CommitAsync();
        return new SigningAnswer(refusal, null);
    }

    private static Task AuditRefusalAsync(Work work, string record, string refusal) =>
        work.Connection.ExecuteAsync("select audit_write('refused', 'signing', @record, null, jsonb_build_object('refusal', @refusal::text))", new { record, refusal }, work.Transaction);
}
