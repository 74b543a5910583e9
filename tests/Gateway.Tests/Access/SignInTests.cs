using System.Text.RegularExpressions;
using Gateway.Access;
using Gateway.Database;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Gateway.Tests.Access;

/// <summary>Signing in, locking, the second factor, and what ends a session.</summary>
public sealed class SignInTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_person_signs_in_with_the_rights_of_his_roles_and_loses_them_when_they_are_revoked()
    {
        await using var database = await TestDatabase.CreateAsync();
        var accounts = new AccountsOf(database.Gateway);
        await accounts.AddAsync("anna", "officer");
        Assert.Null(await accounts.SignInAsync("anna", "wrong"));
        var secret = await accounts.SignInAsync(" ANNA");

        var user = (await accounts.HolderAsync(secret))!.ToPrincipal("test");
        Assert.True(user.Has(Permissions.Decide));
        Assert.False(user.Has(Permissions.ManagePeople));
        Assert.Equal(("person:anna", "officer", "password", "*"), user.ToActor("x") is var a ? (a.Id, a.Role, a.Method, a.Sees) : default);

        Assert.Null((await accounts.People.RevokeAsync(AccountsOf.Admin, "anna", "officer", "moved", Ct)).Refusal);
        Assert.False((await accounts.HolderAsync(secret))!.ToPrincipal("test").Has(Permissions.Decide));
    }

    [Fact]
    [Requirement("P11-35")]
    public async Task A_temporary_password_opens_nothing_until_it_is_changed()
    {
        await using var database = await TestDatabase.CreateAsync();
        var accounts = new AccountsOf(database.Gateway);
        var temporary = await accounts.AddTemporaryAsync("anna", "officer");
        var secret = await accounts.SignInAsync("anna", temporary);
        var holder = await accounts.HolderAsync(secret);
        Assert.True(holder!.MustChange);
        Assert.DoesNotContain(Permissions.All, holder.ToPrincipal("test").Has);

        Assert.Contains("common", await accounts.Own.ChangePasswordAsync(AccountsOf.Admin, "anna", holder.SessionId, temporary, "Password2026!", Ct), StringComparison.Ordinal);
        Assert.Equal("The current password is wrong.", await accounts.Own.ChangePasswordAsync(AccountsOf.Admin, "anna", holder.SessionId, "wrong", AccountsOf.Good, Ct));
        Assert.Null(await accounts.Own.ChangePasswordAsync(AccountsOf.Admin, "anna", holder.SessionId, temporary, AccountsOf.Good, Ct));
        Assert.True((await accounts.HolderAsync(secret))!.ToPrincipal("test").Has(Permissions.Decide));
        Assert.Null(await accounts.SignInAsync("anna", temporary));
    }

    [Fact]
    public async Task A_temporary_password_is_good_for_a_while_and_only_who_knows_it_is_told_that_it_has_expired()
    {
        await using var database = await TestDatabase.CreateAsync();
        var accounts = new AccountsOf(database.Gateway);
        var temporary = await accounts.AddTemporaryAsync("anna", "officer");
        await database.AdvanceAsync(TimeSpan.FromHours(71));
        Assert.NotNull(await accounts.SignInAsync("anna", temporary));
        await database.AdvanceAsync(TimeSpan.FromHours(1));
        Assert.Equal(new SignInAnswer(null, IsExpired: true), await accounts.SignIn.TryAsync("anna", temporary, null, "192.0.2.1", Ct));
        Assert.Equal(0, await database.ScalarAsync<int>("select failed_count from person"));
        Assert.Equal(new SignInAnswer(null), await accounts.SignIn.TryAsync("anna", "wrong", null, "192.0.2.1", Ct));
        Assert.Contains("sign_in_with_expired_password sign_in anna", await AccountsOf.TrailAsync(database), StringComparison.Ordinal);

        // Another one counts from when it is given out; one's own does not expire.
        var another = (await accounts.People.ResetPasswordAsync(AccountsOf.Admin, "anna", "came late", Ct)).TemporaryPassword!;
        Assert.NotNull(await accounts.SignInAsync("anna", another));
        Assert.Null(await accounts.Own.ChangePasswordAsync(AccountsOf.Admin, "anna", null, another, AccountsOf.Good, Ct));
        await database.AdvanceAsync(TimeSpan.FromHours(73));
        Assert.NotNull(await accounts.SignInAsync("anna"));
    }

    [Fact]
    [Requirement("P11-38")]
    public async Task Of_twenty_guesses_at_once_on_two_nodes_five_are_weighed_and_then_the_right_password_is_refused_too()
    {
        await using var database = await TestDatabase.CreateAsync();
        var one = new AccountsOf(database.Gateway);
        var other = new AccountsOf(GatewayDatabase.Open(database.AdministratorConnectionString));
        await using var second = other.Database.Source;
        await one.AddAsync("anna");

        await Task.WhenAll(Enumerable.Range(0, 20).Select(n => Task.Run(() => (n % 2 == 0 ? one : other).SignInAsync("anna", $"guess {n}"))));

        Assert.Equal(5, await database.ScalarAsync<int>("select failed_count from person"));
        Assert.Equal(5L, await database.ScalarAsync<long>("select count(*) from audit_entry where action = 'sign_in_failed'"));
        Assert.Equal(1L, await database.ScalarAsync<long>("select count(*) from audit_entry where action = 'locked'"));
        Assert.Equal(15L, await database.ScalarAsync<long>("select count(*) from audit_entry where action = 'sign_in_while_locked'"));
        Assert.Null(await other.SignInAsync("anna"));

        // It ends by itself, and the count begins anew; or an administrator ends it.
        await database.AdvanceAsync(TimeSpan.FromMinutes(16));
        Assert.Null(await one.SignInAsync("anna", "wrong"));
        Assert.NotNull(await one.SignInAsync("anna"));
        for (var n = 0; n < 5; n++)
        {
            await one.SignInAsync("anna", "wrong");
        }
        Assert.Null(await one.SignInAsync("anna"));
        Assert.Null((await one.People.UnlockAsync(AccountsOf.Admin, "anna", "she called", Ct)).Refusal);
        Assert.NotNull(await one.SignInAsync("anna"));
    }

    [Fact]
    [Requirement("P11-14")]
    public async Task Disabled_ended_and_unknown_people_do_not_get_in_and_disabling_ends_what_is_open()
    {
        await using var database = await TestDatabase.CreateAsync();
        var accounts = new AccountsOf(database.Gateway);
        await accounts.AddAsync("anna");
        await accounts.AddAsync("inspector", "inspector", TimeSpan.FromDays(14));
        var (anna, inspector) = (await accounts.SignInAsync("anna"), await accounts.SignInAsync("inspector"));
        Assert.NotNull(await accounts.HolderAsync(anna));
        Assert.Null(await accounts.SignInAsync("nobody"));

        await accounts.People.DisableAsync(AccountsOf.Admin, "anna", "left", Ct);
        Assert.Null(await accounts.HolderAsync(anna));
        Assert.Null(await accounts.SignInAsync("anna"));
        await accounts.People.EnableAsync(AccountsOf.Admin, "anna", "came back", Ct);
        Assert.Null(await accounts.HolderAsync(anna)); // what has ended stays ended
        Assert.NotNull(await accounts.SignInAsync("anna"));

        await database.ExecuteAsync("select set_config('app.actor', 'test', false); update session set seen_at = seen_at + interval '14 days', created_at = created_at + interval '14 days'");
        await database.AdvanceAsync(TimeSpan.FromDays(14) - TimeSpan.FromMinutes(5));
        Assert.NotNull(await accounts.HolderAsync(inspector));
        await database.AdvanceAsync(TimeSpan.FromMinutes(6));
        Assert.Null(await accounts.HolderAsync(inspector));
        Assert.Null(await accounts.SignInAsync("inspector"));
    }

    [Fact]
    [Requirement("P11-37")]
    public async Task What_one_node_revokes_counts_on_another_for_the_next_command()
    {
        await using var database = await TestDatabase.CreateAsync();
        var one = new AccountsOf(database.Gateway);
        var other = new AccountsOf(GatewayDatabase.Open(database.AdministratorConnectionString));
        await using var second = other.Database.Source;
        await one.AddAsync("anna", "officer");
        var session = (await other.HolderAsync(await other.SignInAsync("anna")))!.SessionId!.Value;
        Assert.True((await other.Sessions.FindAsync(session, active: true, Ct))!.ToPrincipal("test").Has(Permissions.Decide));

        // Nothing is kept in a node's memory, so the very next question is answered anew.
        Assert.Null((await one.People.RevokeAsync(AccountsOf.Admin, "anna", "officer", "moved", Ct)).Refusal);
        Assert.False((await other.Sessions.FindAsync(session, active: true, Ct))!.ToPrincipal("test").Has(Permissions.Decide));
        Assert.Null((await one.People.ResetPasswordAsync(AccountsOf.Admin, "anna", "lost", Ct)).Refusal);
        Assert.Null(await other.Sessions.FindAsync(session, active: true, Ct));
    }

    [Fact]
    public async Task A_session_ends_when_idle_and_after_its_longest_time_and_a_merely_open_page_is_idle()
    {
        await using var database = await TestDatabase.CreateAsync();
        var accounts = new AccountsOf(database.Gateway);
        await accounts.AddAsync("anna");
        var secret = await accounts.SignInAsync("anna");
        var id = (await accounts.HolderAsync(secret))!.SessionId!.Value;
        for (var n = 0; n < 3; n++)
        {
            await database.AdvanceAsync(TimeSpan.FromMinutes(10));
            Assert.NotNull(await accounts.HolderAsync(secret));
        }
        await database.AdvanceAsync(TimeSpan.FromMinutes(10));
        Assert.NotNull(await accounts.Sessions.FindAsync(id, active: false, Ct));
        await database.AdvanceAsync(TimeSpan.FromMinutes(6));
        Assert.Null(await accounts.HolderAsync(secret));

        secret = await accounts.SignInAsync("anna");
        await database.ExecuteAsync("select set_config('app.actor', 'test', false); update session set created_at = created_at - interval '12 hours' where ended_at is null");
        Assert.Null(await accounts.HolderAsync(secret));
    }

    [Fact]
    public async Task A_new_password_ends_every_other_session_and_signing_out_everywhere_ends_all()
    {
        await using var database = await TestDatabase.CreateAsync();
        var accounts = new AccountsOf(database.Gateway);
        await accounts.AddAsync("anna");
        var (first, second) = (await accounts.SignInAsync("anna"), await accounts.SignInAsync("anna"));
        var session = (await accounts.HolderAsync(first))!.SessionId;
        Assert.Null(await accounts.Own.ChangePasswordAsync(AccountsOf.Admin, "anna", session, AccountsOf.Good, "eight otters under Lake Ohrid", Ct));
        Assert.NotNull(await accounts.HolderAsync(first));
        Assert.Null(await accounts.HolderAsync(second));

        await accounts.Own.SignOutEverywhereAsync(AccountsOf.Admin, "anna", Ct);
        Assert.Null(await accounts.HolderAsync(first));
    }

    [Fact]
    public async Task With_a_second_factor_each_code_and_each_recovery_code_is_good_once_and_none_is_good_without_the_password()
    {
        await using var database = await TestDatabase.CreateAsync();
        var accounts = new AccountsOf(database.Gateway, new EphemeralDataProtectionProvider());
        await accounts.AddAsync("anna");
        var enrolment = OwnAccount.BeginSecondFactor("anna");
        Assert.Contains($"secret={enrolment.Text.Replace(" ", "", StringComparison.Ordinal)}&", enrolment.Uri, StringComparison.Ordinal);
        Assert.NotNull((await accounts.Own.SetSecondFactorAsync(AccountsOf.Admin, "anna", null, enrolment, AccountsOf.Good, "000", Ct)).Refusal);
        var (codes, refusal) = await accounts.Own.SetSecondFactorAsync(AccountsOf.Admin, "anna", null, enrolment, AccountsOf.Good, await CodeAsync(), Ct);
        Assert.Null(refusal);
        Assert.Equal(10, codes.Distinct().Count());

        Assert.Null(await accounts.SignInAsync("anna"));
        Assert.Null(await accounts.SignInAsync("anna", AccountsOf.Good, await CodeAsync())); // the code of the enrolment is used
        await database.AdvanceAsync(TimeSpan.FromSeconds(60));
        Assert.Null(await accounts.SignInAsync("anna", "wrong", await CodeAsync()));
        var code = await CodeAsync();
        Assert.NotNull(await accounts.SignInAsync("anna", AccountsOf.Good, code));
        Assert.Null(await accounts.SignInAsync("anna", AccountsOf.Good, code));
        Assert.Equal("password and recovery code", (await accounts.HolderAsync(await accounts.SignInAsync("anna", AccountsOf.Good, codes[3].ToLowerInvariant())))!.Method);
        Assert.Null(await accounts.SignInAsync("anna", AccountsOf.Good, codes[3]));

        await accounts.People.ResetSecondFactorAsync(AccountsOf.Admin, "anna", "lost the phone", Ct);
        Assert.NotNull(await accounts.SignInAsync("anna"));

        async Task<string> CodeAsync() => Totp.Code(enrolment.Key, await database.ScalarAsync<DateTime>("select gateway_now()"));
    }

    [Fact]
    [Requirement("P11-38")]
    public async Task Guessing_the_password_on_an_open_page_locks_the_account_and_ends_its_sessions()
    {
        await using var database = await TestDatabase.CreateAsync();
        var accounts = new AccountsOf(database.Gateway);
        await accounts.AddAsync("anna");
        var secret = await accounts.SignInAsync("anna");
        for (var n = 0; n < 5; n++)
        {
            Assert.NotNull(await accounts.HolderAsync(secret));
            Assert.Equal("The current password is wrong.", await accounts.Own.ChangePasswordAsync(AccountsOf.Admin, "anna", null, $"guess {n}", "eight otters under Lake Ohrid", Ct));
        }
        Assert.Null(await accounts.HolderAsync(secret));
        Assert.Null(await accounts.SignInAsync("anna"));
        Assert.Equal(5L, await database.ScalarAsync<long>("select count(*) from audit_entry where action = 'password_refused'"));
    }

    // RFC 6238, appendix B, cut to six digits; RFC 4648, section 10.
    [Theory]
    [InlineData(59, "287082")]
    [InlineData(1111111109, "081804")]
    [InlineData(1111111111, "050471")]
    [InlineData(1234567890, "005924")]
    [InlineData(2000000000, "279037")]
    [InlineData(20000000000, "353130")]
    public void Codes_are_those_of_RFC_6238_good_a_step_early_or_late_and_once(long seconds, string code)
    {
        var (key, at) = ("12345678901234567890"u8.ToArray(), DateTimeOffset.FromUnixTimeSeconds(seconds));
        Assert.Equal(code, Totp.Code(key, at));
        Assert.Equal(seconds / 30, Totp.Accept(key, code, at.AddSeconds(30), 0));
        Assert.Equal(seconds / 30, Totp.Accept(key, code, at.AddSeconds(-30), 0));
        Assert.Null(Totp.Accept(key, code, at.AddSeconds(61), 0));
        Assert.Null(Totp.Accept(key, code, at, seconds / 30));
        Assert.Equal("MZXW6YTBOI", Base32.Encode("foobar"u8));
        Assert.Equal("MZXW6YTB", Base32.Encode("fooba"u8));
    }

    [Fact]
    public async Task A_hash_made_with_fewer_iterations_is_made_anew_at_sign_in()
    {
        await using var database = await TestDatabase.CreateAsync();
        var accounts = new AccountsOf(database.Gateway);
        await accounts.AddAsync("anna");
        var old = new PasswordHasher<object>(Options.Create(new PasswordHasherOptions { IterationCount = 1000 })).HashPassword(new object(), AccountsOf.Good);
        await database.ExecuteAsync($"select set_config('app.actor', 'test', false); update person set password_hash = '{old}'");
        Assert.NotNull(await accounts.SignInAsync("anna"));
        var fresh = Convert.FromBase64String(await database.ScalarAsync<string>("select password_hash from person"));
        Assert.Equal(1, fresh[0]); // V3
        Assert.Equal(2, fresh[4]); // HMAC-SHA512
        Assert.Equal(210_000, System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(fresh.AsSpan(5)));
    }

    [Fact]
    [Requirement("P11-16")]
    public async Task The_trail_tells_every_step_and_no_secret()
    {
        await using var database = await TestDatabase.CreateAsync();
        var accounts = new AccountsOf(database.Gateway);
        var temporary = await accounts.AddTemporaryAsync("anna");
        await accounts.Own.ChangePasswordAsync(AccountsOf.Admin, "anna", null, temporary, AccountsOf.Good, Ct);
        await accounts.SignInAsync("anna", "wrong guess here");
        await accounts.SignInAsync("typed-my-password-here", "x");
        var secret = (await accounts.SignInAsync("anna"))!;
        await accounts.People.GrantAsync(AccountsOf.Admin, "anna", "inspector", "helps the audit", Ct);
        await accounts.People.RevokeAsync(AccountsOf.Admin, "anna", "inspector", "audit over", Ct);
        var enrolment = OwnAccount.BeginSecondFactor("anna");
        var (codes, _) = await accounts.Own.SetSecondFactorAsync(AccountsOf.Admin, "anna", null, enrolment, AccountsOf.Good, Totp.Code(enrolment.Key, DateTimeOffset.UtcNow), Ct);
        await accounts.People.DisableAsync(AccountsOf.Admin, "anna", "left", Ct);

        var trail = await AccountsOf.TrailAsync(database);
        foreach (var step in (string[])["insert person ", "insert person_role ", "password_changed person", "sign_in_failed sign_in anna", "sign_in_failed sign_in unknown name", "person:anna insert session", "helps the audit", "delete person_role", "audit over", "second_factor_set", "\"disabled\"", "update session"])
        {
            Assert.Contains(step, trail, StringComparison.Ordinal);
        }
        var hash = await database.ScalarAsync<string>("select password_hash from person");
        var stored = await database.ScalarAsync<string>("select encode(totp_key, 'hex') || ' ' || encode(recovery_codes[1], 'hex') || ' ' || security_stamp from person");
        var sessionHash = await database.ScalarAsync<string>("select encode(secret_hash, 'hex') from session limit 1");
        foreach (var kept in (IEnumerable<string>)[temporary, AccountsOf.Good, "wrong guess", "typed-my-password", secret, hash, sessionHash, codes[0], enrolment.Text, .. stored.Split(' ')])
        {
            Assert.DoesNotContain(kept, trail, StringComparison.OrdinalIgnoreCase);
        }
        Assert.DoesNotMatch(new Regex("password_hash|secret_hash|totp_key|recovery_codes|security_stamp|\"stamp\""), trail);
    }
}
