using Dapper;
using Gateway.Database;

namespace Gateway.Access;

public sealed record OwnAccountRow(string UserName, string DisplayName, bool MustChange, bool HasSecondFactor, int RecoveryCodesLeft, DateTime? AccessUntil, DateTime? SignedInAt, DateTime? IdentityVerifiedAt, DateTime? StatementAcceptedAt);

/// <summary>A key for an authenticator app, not in force until a code of it was typed.</summary>
public sealed record Enrolment(byte[] Key, string Text, string Uri);

/// <summary>What people do to their own account. Each asks for the password again: an open page is not its owner.</summary>
public sealed class OwnAccount(GatewayDatabase database, PasswordRules rules, PersonSecrets secrets, ProvePerson prove)
{
    public async Task<OwnAccountRow?> FindAsync(Actor reader, string userName, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await work.Connection.QuerySingleOrDefaultAsync<OwnAccountRow>("""
            select user_name as UserName, display_name as DisplayName, must_change as MustChange, totp_key is not null as HasSecondFactor,
                   cardinality(recovery_codes) as RecoveryCodesLeft, access_until as AccessUntil, signed_in_at as SignedInAt,
                   identity_verified_at as IdentityVerifiedAt, statement_accepted_at as StatementAcceptedAt
            from person where user_name = @userName
            """, new { userName }, work.Transaction);
    }

    /// <summary>Sets a new password and ends every other session.</summary>
    /// <returns>Null, or the refusal as a sentence.</returns>
    public async Task<string?> ChangePasswordAsync(Actor owner, string userName, long? session, string current, string next, CancellationToken ct)
    {
        if (next == current)
        {
            return "The new password is the old one.";
        }
        await using var work = await BeginAsync(owner, ct);
        var person = await LockAsync(work, userName, current, owner.Origin);
        if (person.Refusal is { } refusal || (refusal = rules.Refusal(next, userName, person.DisplayName)) is not null)
        {
            return refusal;
        }
        await work.Connection.ExecuteAsync("update person set password_hash = @hash, must_change = false, temporary_since = null where person_id = @PersonId", new { hash = Passwords.Hash(next), person.PersonId }, work.Transaction);
        await Sessions.EndAllAsync(work, person.PersonId, "password changed", except: session);
        await work.AuditAsync("password_changed", "person", People.Key(person.PersonId));
        await work.CommitAsync();
        return null;
    }

    public static Enrolment BeginSecondFactor(string userName)
    {
        var key = Totp.NewKey();
        return new Enrolment(key, string.Join(' ', Base32.Encode(key).Chunk(4).Select(c => new string(c))), Totp.Uri(key, userName));
    }

    /// <summary>Puts the enrolled key in force, proved by a code of it; ends every other session.</summary>
    /// <returns>The recovery codes, which exist nowhere else, or the refusal as a sentence.</returns>
    public async Task<(IReadOnlyList<string> RecoveryCodes, string? Refusal)> SetSecondFactorAsync(Actor owner, string userName, long? session, Enrolment enrolment, string current, string code, CancellationToken ct)
    {
        await using var work = await BeginAsync(owner, ct);
        var person = await LockAsync(work, userName, current, owner.Origin);
        if (person.Refusal is { } refusal)
        {
            return ([], refusal);
        }
        if (Totp.Accept(enrolment.Key, code.Replace(" ", "", StringComparison.Ordinal), person.Now, lastStep: 0) is not { } step)
        {
            return ([], "This is not the code of that key now. Check that the clock of the device is right.");
        }
        var codes = PersonSecrets.NewRecoveryCodes();
        await work.Connection.ExecuteAsync("update person set totp_key = @key, totp_step = @step, recovery_codes = @codes where person_id = @PersonId",
            new { key = secrets.Seal(person.PersonId, enrolment.Key), step, codes = codes.Select(PersonSecrets.HashRecoveryCode).ToArray(), person.PersonId }, work.Transaction);
        await Sessions.EndAllAsync(work, person.PersonId, "second factor set", except: session);
        await work.AuditAsync("second_factor_set", "person", People.Key(person.PersonId));
        await work.CommitAsync();
        return (codes, null);
    }

    /// <summary>Ends every session of the person, this one too.</summary>
    public async Task SignOutEverywhereAsync(Actor owner, string userName, CancellationToken ct)
    {
        await using var work = await BeginAsync(owner, ct);
        await Sessions.EndAllAsync(work, await work.Connection.ExecuteScalarAsync<int>("select person_id from person where user_name = @userName", new { userName }, work.Transaction), "signed out everywhere");
        await work.CommitAsync();
    }

    // People of a partner too may change their own account, which row security leaves to the organisation.
    private Task<Work> BeginAsync(Actor owner, CancellationToken ct) => database.BeginAsync(owner with { Sees = "*" }, ct);

    // Who guesses here is counted like who guesses at the door, and put out when the account is locked.
    private async Task<(int PersonId, string DisplayName, DateTime Now, string? Refusal)> LockAsync(Work work, string userName, string password, string origin)
    {
        var person = await prove.HoldAsync(work, userName) ?? throw new InvalidOperationException($"There is nobody named {userName}.");
        var refusal = person.IsLocked ? "The account is locked after too many failures: try again later." : null;
        if (refusal is null && !ProvePerson.Password(person, password).Right)
        {
            await prove.FailAsync(work, person, "password_refused", "person", People.Key(person.PersonId), origin, endsSessions: true);
            refusal = "The current password is wrong.";
        }
        return (person.PersonId, person.DisplayName, person.Now, refusal);
    }
}
