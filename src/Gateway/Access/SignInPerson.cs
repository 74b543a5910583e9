using Dapper;
using Gateway.Database;
using Microsoft.Extensions.Logging;

namespace Gateway.Access;

/// <param name="Secret">For the cookie; null when nobody is signed in.</param>
/// <param name="IsExpired">All was right, but the password is temporary and too old. Told only to who knows it.</param>
public sealed record SignInAnswer(string? Secret, bool IsExpired = false);

/// <summary>Signs people in by name, password and, where set up, a second factor. Whatever is wrong, the answer and the work are the same.</summary>
public sealed partial class SignInPerson(GatewayDatabase database, ProvePerson prove, ILogger<SignInPerson> logger) : IDisposable
{
    // A flood of guesses must take neither all connections nor all processors.
    private readonly SemaphoreSlim _atOnce = new(4, 4);

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
        var person = await prove.HoldAsync(work, userName);
        var (right, outdated) = ProvePerson.Password(person, password);
        if (person is null)
        {
            // The name is not kept: people type passwords there.
            await AuditAsync(work, "sign_in_failed", "unknown name");
            await work.CommitAsync();
            UnknownName(origin);
            return new SignInAnswer(null);
        }
        if (person.IsLocked)
        {
            await AuditAsync(work, "sign_in_while_locked", person.UserName);
            await work.CommitAsync();
            return new SignInAnswer(null);
        }
        var factor = right && person.MayEnter ? await prove.SecondFactorAsync(work, person, code) : null;
        if (factor is null)
        {
            await prove.FailAsync(work, person, "sign_in_failed", "sign_in", person.UserName, origin, endsSessions: false);
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

    private static Task AuditAsync(Work work, string action, string userName) => work.AuditAsync(action, "sign_in", userName);

    [LoggerMessage(1303, LogLevel.Warning, "Sign-in from {Origin} failed: nobody has that name.")]
    private partial void UnknownName(string origin);
}
