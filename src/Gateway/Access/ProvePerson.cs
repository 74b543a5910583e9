using Dapper;
using Gateway.Database;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gateway.Access;

/// <summary>A person whose row is held until the transaction ends.</summary>
/// <param name="IsExpired">The password is temporary and too old.</param>
internal sealed record HeldPerson(int PersonId, int PartyId, string UserName, string DisplayName, string PasswordHash, byte[]? TotpKey, long TotpStep, int FailedCount, DateTime? LockedUntil, bool MayEnter, bool IsExpired, string Roles, DateTime Now)
{
    public bool IsLocked => LockedUntil > Now;
}

/// <summary>
/// Weighs a person's secrets, at the door, at the own account and at a signature alike. Guesses at one name wait for its row, so none is
/// left uncounted, however many come at once and on however many nodes; Identity's user manager reads, compares and counts in three
/// steps, between which parallel guesses slip.
/// </summary>
public sealed partial class ProvePerson(PersonSecrets secrets, IOptions<SignInOptions> options, ILogger<ProvePerson> logger)
{
    /// <returns>Null when nobody has that name.</returns>
    internal async Task<HeldPerson?> HoldAsync(Work work, string userName) =>
        userName.Length is 0 or > 200 || userName.Contains('\0', StringComparison.Ordinal) ? null : await work.Connection.QuerySingleOrDefaultAsync<HeldPerson>("""
            select person_id as PersonId, party_id as PartyId, user_name as UserName, display_name as DisplayName, password_hash as PasswordHash,
                   totp_key as TotpKey, totp_step as TotpStep, failed_count as FailedCount, locked_until as LockedUntil,
                   state = 'active' and (access_until is null or access_until > gateway_now()) as MayEnter,
                   must_change and temporary_since < gateway_now() - @TemporaryPasswordLifetime as IsExpired,
                   array_to_string(array(select role from person_role r where r.person_id = person.person_id order by 1), ', ') as Roles, gateway_now() as Now
            from person where folded_name = fold_name(@userName) for update
            """, new { userName, options.Value.TemporaryPasswordLifetime }, work.Transaction);

    /// <param name="person">Null costs the same, and is never right.</param>
    /// <returns>Whether it is right, and whether its hash was made with other parameters than today's.</returns>
    internal static (bool Right, bool Outdated) Password(HeldPerson? person, string password) =>
        Passwords.Verify(person?.PasswordHash ?? Passwords.OfNobody, password.Length > PasswordRules.MaxLength * 2 ? "" : password);

    /// <returns>How the person was authenticated; null when the second factor is wrong, used or missing.</returns>
    internal async Task<string?> SecondFactorAsync(Work work, HeldPerson person, string code)
    {
        if (person.TotpKey is not { } key)
        {
            return "password";
        }
        if (Totp.Accept(secrets.Open(person.PersonId, key), code.Replace(" ", "", StringComparison.Ordinal), person.Now, person.TotpStep) is { } step)
        {
            await work.Connection.ExecuteAsync("update person set totp_step = @step where person_id = @PersonId", new { step, person.PersonId }, work.Transaction);
            return "password and code";
        }
        var used = await work.Connection.ExecuteAsync("update person set recovery_codes = array_remove(recovery_codes, @hash) where person_id = @PersonId and @hash = any(recovery_codes)",
            new { hash = PersonSecrets.HashRecoveryCode(code), person.PersonId }, work.Transaction);
        return used == 1 ? "password and recovery code" : null;
    }

    /// <summary>Counts a wrong secret, locks the account at the last one allowed, and commits.</summary>
    /// <param name="endsSessions">Whether a lock puts out who is signed in: not at the door, where anybody could do that to anybody.</param>
    internal async Task FailAsync(Work work, HeldPerson person, string action, string entity, string key, string origin, bool endsSessions)
    {
        // A lock that has run out begins a new count.
        var failures = (person.LockedUntil is null ? person.FailedCount : 0) + 1;
        var locks = failures >= options.Value.MaxFailures;
        await work.Connection.ExecuteAsync("update person set failed_count = @failures, locked_until = case when @locks then gateway_now() + @LockFor end where person_id = @PersonId",
            new { person.PersonId, failures, locks, options.Value.LockFor }, work.Transaction);
        await work.AuditAsync(action, entity, key);
        if (locks)
        {
            await work.AuditAsync("locked", "sign_in", person.UserName);
            if (endsSessions)
            {
                await Sessions.EndAllAsync(work, person.PersonId, "locked");
            }
        }
        await work.CommitAsync();
        Failed(person.UserName, origin, failures);
        if (locks)
        {
            Locked(person.UserName, origin, options.Value.LockFor);
        }
    }

    [LoggerMessage(1301, LogLevel.Warning, "A secret of {UserName} was wrong, from {Origin}, {Failures} in a row.")]
    private partial void Failed(string userName, string origin, int failures);

    [LoggerMessage(1302, LogLevel.Error, "The account {UserName} is locked for {LockFor} after too many failures, the last from {Origin}.")]
    private partial void Locked(string userName, string origin, TimeSpan lockFor);
}
