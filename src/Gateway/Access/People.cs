using System.Globalization;
using Dapper;
using Gateway.Database;
using Npgsql;

namespace Gateway.Access;

[method: ExplicitConstructor]
public sealed record PersonRow(int PersonId, string UserName, string DisplayName, string Party, string State, bool Locked, bool MustChange, bool HasSecondFactor, DateTime? AccessUntil, DateTime? SignedInAt, DateTime? IdentityVerifiedAt, string? IdentityVerifiedBy, string? IdentityVerifiedHow, DateTime? StatementAcceptedAt, string[] Roles, long Sessions);

public sealed record GrantRow(string Role, DateTime GrantedAt, string GrantedBy, string Reason);

/// <summary>What came of it: a refusal as a sentence, or null and perhaps a temporary password, which exists nowhere else.</summary>
/// <param name="IsUnknown">There is nobody of that name.</param>
public sealed record PersonAnswer(string? Refusal = null, string? TemporaryPassword = null, bool IsUnknown = false);

/// <summary>An account that is locked, or whose secret somebody took away lately.</summary>
/// <param name="What">Of the newest reset; null when there was none lately.</param>
public sealed record AccountAlert(string UserName, string DisplayName, DateTime? LockedUntil, string? What, string? By, DateTime? At);

public sealed record PeopleCounts(long Active, long Locked);

/// <summary>
/// The people of this installation, as those with the permission for it manage them: nobody manages himself. A person is never
/// deleted, and a name never given to another.
/// </summary>
public sealed class People(GatewayDatabase database)
{
    // A reset is told for so long, to its owner and to whoever manages people.
    private static readonly TimeSpan AlertsLast = TimeSpan.FromDays(7);

    private const string Told = "reset_at = gateway_now(), reset_by = @Name, reset_what = @what";

    private const string Rows = """
        select h.person_id as PersonId, user_name as UserName, display_name as DisplayName, party.name as Party, state as State,
               coalesce(locked_until > gateway_now(), false) as Locked, must_change as MustChange,
               totp_key is not null as HasSecondFactor, access_until as AccessUntil, signed_in_at as SignedInAt,
               identity_verified_at as IdentityVerifiedAt, identity_verified_by as IdentityVerifiedBy, identity_verified_how as IdentityVerifiedHow, statement_accepted_at as StatementAcceptedAt,
               array(select role from person_role r where r.person_id = h.person_id order by 1) as Roles,
               (select count(*) from session s where s.person_id = h.person_id and s.ended_at is null and s.stamp = h.security_stamp) as Sessions
        from person h join party using (party_id)
        """;

    /// <param name="after">The user name that ended the page before.</param>
    public async Task<IReadOnlyList<PersonRow>> ListAsync(Actor reader, string? after, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return [.. await work.Connection.QueryAsync<PersonRow>($"{Rows} where @after::text is null or folded_name > fold_name(@after) order by folded_name limit @limit", new { after, limit }, work.Transaction)];
    }

    public async Task<PeopleCounts> CountAsync(Actor reader, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await work.Connection.QuerySingleAsync<PeopleCounts>("select count(*) filter (where state = 'active') as Active, count(*) filter (where locked_until > gateway_now()) as Locked from person", transaction: work.Transaction);
    }

    /// <summary>Accounts locked now, and those with a secret reset in the last days; of everybody, or of one person.</summary>
    /// <param name="userName">Null: everybody's.</param>
    public async Task<IReadOnlyList<AccountAlert>> AlertsAsync(Actor reader, string? userName, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return [.. await work.Connection.QueryAsync<AccountAlert>("""
            select user_name as UserName, display_name as DisplayName, case when locked_until > n.at then locked_until end as LockedUntil,
                   case when reset_at > n.at - @AlertsLast then reset_what end as What, case when reset_at > n.at - @AlertsLast then reset_by end as By, case when reset_at > n.at - @AlertsLast then reset_at end as At
            from person, (select gateway_now() as at) n
            where (locked_until > n.at or reset_at > n.at - @AlertsLast) and (@userName::text is null or user_name = @userName)
            order by greatest(locked_until, reset_at) desc limit @limit
            """, new { userName, AlertsLast, limit }, work.Transaction)];
    }

    public async Task<PersonRow?> FindAsync(Actor reader, string userName, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await work.Connection.QuerySingleOrDefaultAsync<PersonRow>($"{Rows} where folded_name = fold_name(@userName)", new { userName }, work.Transaction);
    }

    public async Task<IReadOnlyList<GrantRow>> GrantsAsync(Actor reader, int personId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return [.. await work.Connection.QueryAsync<GrantRow>("select role as Role, granted_at as GrantedAt, granted_by as GrantedBy, reason as Reason from person_role where person_id = @personId order by role", new { personId }, work.Transaction)];
    }

    /// <summary>Adds a person with a temporary password and, if named, a first role.</summary>
    public async Task<PersonAnswer> AddAsync(Actor actor, int partyId, string userName, string displayName, string? role, TimeSpan? accessFor, string reason, CancellationToken ct)
    {
        userName = userName.Trim();
        if (userName.Length is 0 or > 64 || userName.Any(char.IsControl) || string.IsNullOrWhiteSpace(displayName) || displayName.Length > 200)
        {
            return new PersonAnswer("A user name has 1 to 64 characters, a full name 1 to 200.");
        }
        if (string.IsNullOrWhiteSpace(reason))
        {
            return new PersonAnswer("A reason is needed.");
        }
        var password = Passwords.Temporary();
        await using var work = await database.BeginAsync(actor with { Reason = reason }, ct);
        try
        {
            var personId = await work.Connection.ExecuteScalarAsync<int>("""
                insert into person (party_id, user_name, display_name, password_hash, must_change, temporary_since, access_until, created_at)
                values (@partyId, @userName, @displayName, @hash, true, gateway_now(), gateway_now() + @accessFor::interval, gateway_now()) returning person_id
                """, new { partyId, userName, displayName = displayName.Trim(), hash = Passwords.Hash(password), accessFor }, work.Transaction);
            var refusal = role is null ? null : await Roles.RefusalAsync(() => GrantAsync(work, actor, personId, role, reason));
            if (refusal is not null)
            {
                return new PersonAnswer(refusal);
            }
        }
        catch (PostgresException e) when (e is { SqlState: PostgresErrorCodes.UniqueViolation, ConstraintName: "person_folded_name_key" })
        {
            return new PersonAnswer($"The name {userName} belongs to somebody, or did. A name is one person's for ever, however it is written.");
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.CheckViolation)
        {
            return new PersonAnswer("A user name has at least one character that can be seen.");
        }
        await work.CommitAsync();
        return new PersonAnswer(TemporaryPassword: password);
    }

    public Task<PersonAnswer> GrantAsync(Actor actor, string userName, string role, string reason, CancellationToken ct) =>
        ChangeAsync(actor, userName, $"grant {role}", reason, async (work, personId) =>
            new PersonAnswer(await Roles.RefusalAsync(() => GrantAsync(work, actor, personId, role, reason))), ct);

    public Task<PersonAnswer> RevokeAsync(Actor actor, string userName, string role, string reason, CancellationToken ct) =>
        ChangeAsync(actor, userName, $"revoke {role}", reason, async (work, personId) =>
        {
            var revoked = await work.Connection.ExecuteAsync("delete from person_role where person_id = @personId and role = @role", new { personId, role }, work.Transaction);
            return new PersonAnswer(revoked > 0 ? null : await work.Connection.ExecuteScalarAsync<bool>("select exists (select from role where role = @role)", new { role }, work.Transaction) ? $"{userName} does not have the role {role}." : Roles.Unknown);
        }, ct);

    public Task<PersonAnswer> DisableAsync(Actor actor, string userName, string reason, CancellationToken ct) =>
        ChangeAsync(actor, userName, "disable", reason, async (work, personId) =>
        {
            var disabled = await work.Connection.ExecuteAsync("update person set state = 'disabled' where person_id = @personId and state = 'active'", new { personId }, work.Transaction);
            await Sessions.EndAllAsync(work, personId, "disabled");
            return new PersonAnswer(disabled == 0 ? $"{userName} is disabled already." : null);
        }, ct);

    public Task<PersonAnswer> EnableAsync(Actor actor, string userName, string reason, CancellationToken ct) =>
        ChangeAsync(actor, userName, "enable", reason, async (work, personId) =>
        {
            var enabled = await work.Connection.ExecuteAsync("update person set state = 'active' where person_id = @personId and state = 'disabled'", new { personId }, work.Transaction);
            return new PersonAnswer(enabled == 0 ? $"{userName} is not disabled." : null);
        }, ct);

    public Task<PersonAnswer> UnlockAsync(Actor actor, string userName, string reason, CancellationToken ct) =>
        ChangeAsync(actor, userName, "unlock", reason, async (work, personId) =>
        {
            await work.Connection.ExecuteAsync("update person set failed_count = 0, locked_until = null where person_id = @personId", new { personId }, work.Transaction);
            await work.AuditAsync("unlocked", "person", Key(personId));
            return new PersonAnswer();
        }, ct);

    public Task<PersonAnswer> ResetSecondFactorAsync(Actor actor, string userName, string reason, CancellationToken ct) =>
        ChangeAsync(actor, userName, "reset second factor", reason, async (work, personId) =>
        {
            await work.Connection.ExecuteAsync($"update person set totp_key = null, recovery_codes = '{{}}', {Told} where person_id = @personId", new { personId, actor.Name, what = "second factor" }, work.Transaction);
            await Sessions.EndAllAsync(work, personId, "second factor reset");
            await work.AuditAsync("second_factor_reset", "person", Key(personId));
            return new PersonAnswer();
        }, ct);

    public Task<PersonAnswer> ResetPasswordAsync(Actor actor, string userName, string reason, CancellationToken ct) =>
        ChangeAsync(actor, userName, "reset password", reason, async (work, personId) =>
        {
            var password = Passwords.Temporary();
            await work.Connection.ExecuteAsync($"update person set password_hash = @hash, must_change = true, temporary_since = gateway_now(), failed_count = 0, locked_until = null, {Told} where person_id = @personId",
                new { hash = Passwords.Hash(password), personId, actor.Name, what = "password" }, work.Transaction);
            await Sessions.EndAllAsync(work, personId, "password reset");
            await work.AuditAsync("password_reset", "person", Key(personId));
            return new PersonAnswer(TemporaryPassword: password);
        }, ct);

    /// <summary>Notes that the actor has seen who the person is, so that he may sign (21 CFR 11.100(b)).</summary>
    /// <param name="how">What was seen: an identity card, the file of personnel.</param>
    public Task<PersonAnswer> VerifyIdentityAsync(Actor actor, string userName, string how, CancellationToken ct) =>
        ChangeAsync(actor, userName, "verify identity", how, async (work, personId) =>
        {
            await work.Connection.ExecuteAsync("update person set identity_verified_at = gateway_now(), identity_verified_by = @Id, identity_verified_how = @how where person_id = @personId", new { actor.Id, how, personId }, work.Transaction);
            return new PersonAnswer();
        }, ct);

    public Task<PersonAnswer> EndSessionsAsync(Actor actor, string userName, string reason, CancellationToken ct) =>
        ChangeAsync(actor, userName, "end sessions", reason, async (work, personId) =>
        {
            await Sessions.EndAllAsync(work, personId, "ended by an administrator");
            return new PersonAnswer();
        }, ct);

    private static Task GrantAsync(Work work, Actor actor, int personId, string role, string reason) => work.Connection.ExecuteAsync("""
        insert into person_role (person_id, party_id, role, granted_at, granted_by, reason)
        select person_id, party_id, @role, gateway_now(), @Id, @reason from person where person_id = @personId
        on conflict do nothing
        """, new { personId, role, actor.Id, reason }, work.Transaction);

    // One at a time per person: its row is held until the commit.
    private async Task<PersonAnswer> ChangeAsync(Actor actor, string userName, string step, string reason, Func<Work, int, Task<PersonAnswer>> change, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(reason))
        {
            return new PersonAnswer("A reason is needed.");
        }
        await using var work = await database.BeginAsync(actor with { Reason = reason }, ct);
        var found = await work.Connection.QuerySingleOrDefaultAsync<(int PersonId, string UserName)?>("select person_id, user_name from person where folded_name = fold_name(@userName) for update", new { userName }, work.Transaction);
        if (found is not { } person)
        {
            return new PersonAnswer($"There is nobody named {userName}.", IsUnknown: true);
        }
        if (actor.Id == $"person:{person.UserName}")
        {
            return new PersonAnswer("Nobody manages himself: ask another administrator.");
        }
        var answer = await change(work, person.PersonId);
        if (answer.Refusal is Roles.Unknown)
        {
            return answer; // what is asked for is nothing, whatever the person's state
        }
        if (answer.Refusal is { } refusal)
        {
            await work.RefuseAsync(new RefusedStep("person", Key(person.PersonId), step, refusal, "select state, null::int from person where person_id = @key::int"));
        }
        else
        {
            await work.CommitAsync();
        }
        return answer;
    }

    internal static string Key(int personId) => personId.ToString(CultureInfo.InvariantCulture);
}
