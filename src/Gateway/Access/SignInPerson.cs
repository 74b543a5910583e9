using Dapper;
using Gateway.Database;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gateway.Access;

/// <param name="Secret">For the cookie; null when nobody is signed in.</param>
/// <param name="IsExpired">All was right, but the password is temporary and too old. Told only to who knows it.</param>
public sealed record SignInAnswer(string? Secret, bool IsExpired = false);

/// <summary>
/// Signs people in by name, password and, where set up, a second factor. Whatever is wrong, the answer and the work are the same.
/// Guesses at one name wait for its row, so none is left uncounted, however many come at once and on however many nodes; Identity's
/// user manager reads, compares and counts in three steps, between which parallel guesses slip.
/// </summary>
public sealed partial class SignInPerson(GatewayDatabase database, PersonSecrets secrets, IOptions<SignInOptions> options, ILogger<SignInPerson> logger) : IDisposable
{
    // A flood of guesses must take neither all connections nor all processors.
    private readonly SemaphoreSlim _atOnce = new(4, 4);

    private sealed record Candidate(int PersonId, int PartyId, string UserName, string DisplayName, string PasswordHash, byte[]? TotpKey, long TotpStep, int FailedCount, DateTime? LockedUntil, bool MayEnter, bool IsExpired, string Roles, DateTime Now);

    /// <param name="code">The second factor: six digits, or a recovery code.</param>
    public async Task<SignInAnswer> TryAsync(string userName, string password, string? code, string origin, CancellationToken ct)
    {
        await _atOnce.WaitAsync(ct);
        try
        {
            // Once begun it is counted: a guesser who hangs up early gains nothing.
            return await DecideAsync(userName, password, code?.Trim() ?? "", origin);
        }
        finally
        {
            _atOnce.Release();
        }
    }

    public void Dispose() => _atOnce.Dispose();

    private async Task<SignInAnswer> DecideAsync(string userName, string password, string code, string origin)
    {
        await using var work = await database.BeginAsync(Actor.System("sign-in") with { Origin = origin }, CancellationToken.None);
        var person = userName.Length is 0 or > 200 || userName.Contains('\0', StringComparison.Ordinal) ? null : await work.Connection.QuerySingleOrDefaultAsync<Candidate>("""
            select person_id as PersonId, party_id as PartyId, user_name as UserName, display_name as DisplayName, password_hash as PasswordHash,
                   totp_key as TotpKey, totp_step as TotpStep, failed_count as FailedCount, locked_until as LockedUntil,
                   state = 'active' and (access_until is null or access_until > gateway_now()) as MayEnter,
                   must_change and temporary_since < gateway_now() - @TemporaryPasswordLifetime as IsExpired,
                   array_to_string(array(select role from person_role r where r.person_id = person.person_id order by 1), ', ') as Roles, gateway_now() as Now
            from person where folded_name = fold_name(@userName) for update
            """, new { userName, options.Value.TemporaryPasswordLifetime }, work.Transaction);
        var (right, outdated) = Passwords.Verify(person?.PasswordHash ?? Passwords.OfNobody, password.Length > PasswordRules.MaxLength * 2 ? "" : password);
        if (person is null)
        {
            // The name is not kept: people type passwords there.
            await AuditAsync(work, "sign_in_failed", "unknown name");
            await work.CommitAsync();
            UnknownName(origin);
            return new SignInAnswer(null);
        }
        if (person.LockedUntil > person.Now)
        {
            await AuditAsync(work, "sign_in_while_locked", person.UserName);
            await work.CommitAsync();
            return new SignInAnswer(null);
        }
        var factor = right && person.MayEnter ? await SecondFactorAsync(work, person, code) : null;
        if (factor is null)
        {
            await FailAsync(work, person, origin);
            return new SignInAnswer(null);
        }
        if (person.IsExpired)
        {
            // No guess, so it does not count towards a lock.
            await AuditAsync(work, "sign_in_with_expired_password", person.UserName);
            await work.CommitAsync();
            return new SignInAnswer(null, IsExpired: true);
        }
        await work.Connection.ExecuteAsync("update person set failed_count = 0, locked_until = null, signed_in_at = gateway_now(), password_hash = @hash where person_id = @PersonId",
            new { person.PersonId, hash = outdated ? Passwords.Hash(password) : person.PasswordHash }, work.Transaction);
        await work.ActAsAsync(new Actor($"person:{person.UserName}", person.DisplayName, person.Roles, person.PartyId, factor, origin) { Sees = "*" });
        var secret = await Sessions.StartAsync(work, person.PersonId, factor, origin);
        await work.CommitAsync();
        return new SignInAnswer(secret);
    }

    private async Task FailAsync(Work work, Candidate person, string origin)
    {
        // A lock that has run out begins a new count.
        var failures = (person.LockedUntil is null ? person.FailedCount : 0) + 1;
        var locks = failures >= options.Value.MaxFailures;
        await work.Connection.ExecuteAsync("update person set failed_count = @failures, locked_until = case when @locks then gateway_now() + @LockFor end where person_id = @PersonId",
            new { person.PersonId, failures, locks, options.Value.LockFor }, work.Transaction);
        await AuditAsync(work, "sign_in_failed", person.UserName);
        if (locks)
        {
            await AuditAsync(work, "locked", person.UserName);
        }
        await work.CommitAsync();
        Failed(person.UserName, origin, failures);
        if (locks)
        {
            Locked(person.UserName, origin, options.Value.LockFor);
        }
    }

    /// <returns>How the person was authenticated; null when the second factor is wrong, used or missing.</returns>
    private async Task<string?> SecondFactorAsync(Work work, Candidate person, string code)
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

    private static Task AuditAsync(Work work, string action, string userName) => work.AuditAsync(action, "sign_in", userName);

    [LoggerMessage(1301, LogLevel.Warning, "Sign-in of {UserName} from {Origin} failed, {Failures} in a row.")]
    private partial void Failed(string userName, string origin, int failures);

    [LoggerMessage(1302, LogLevel.Error, "The account {UserName} is locked for {LockFor} after too many failures, the last from {Origin}.")]
    private partial void Locked(string userName, string origin, TimeSpan lockFor);

    [LoggerMessage(1303, LogLevel.Warning, "Sign-in from {Origin} failed: nobody has that name.")]
    private partial void UnknownName(string origin);
}
