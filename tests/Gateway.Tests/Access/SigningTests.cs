using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Microsoft.AspNetCore.DataProtection;
using Npgsql;

namespace Gateway.Tests.Access;

/// <summary>Electronic signatures: what a signature says, what it takes, and what cannot become one.</summary>
[Requirement("P11-32")]
[Requirement("P11-40")]
public sealed class SigningTests
{
    private const string WrongPassword = "The password is wrong: nothing was signed.";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly SignableRecord Record = new("test", "7", 2, "The seventh record", SHA256.HashData("content"u8), ["person:author"]);

    [Fact]
    [Requirement("P11-31")]
    public async Task A_signature_says_who_when_and_what_it_means_and_is_bound_to_one_content_of_one_version()
    {
        await using var database = await TestDatabase.CreateAsync();
        var anna = await SignerAsync(database, "anna");
        var begun = await anna.BeginAsync(Record);
        Assert.Equal((null, true, false, 1, "I approve this version of the record and answer for its use."), (begun.Refusal, begun.NeedsName, begun.NeedsCode, begun.StatementVersion, begun.Sentence));
        Assert.Contains("as my handwritten signature", begun.Statement, StringComparison.Ordinal);
        var answer = await anna.SignAsync(begun, First);
        Assert.Null(answer.Refusal);

        var s = Assert.Single(await anna.Accounts.Signatures.OfAsync(AccountsOf.Admin, "test", "7", Ct));
        Assert.Equal(("person:anna", "Somebody", "officer", "approval", 2, "UTC", "user name and password"), (s.Signer, s.SignerName, s.SignerRole, s.Meaning, s.Version, s.Zone, s.Components));
        using var canonical = JsonDocument.Parse(s.Canonical);
        var said = canonical.RootElement.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.ToString());
        Assert.Equal(said.Keys.Order(StringComparer.Ordinal), said.Keys);
        Assert.Equal(new Dictionary<string, string>
        {
            ["at"] = s.SignedAt.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", System.Globalization.CultureInfo.InvariantCulture),
            ["contentSha256"] = Convert.ToHexStringLower(Record.ContentSha256),
            ["meaning"] = "approval",
            ["name"] = "Somebody",
            ["nonce"] = begun.Nonce.ToString()!,
            ["recordId"] = "7",
            ["recordType"] = "test",
            ["role"] = "officer",
            ["signer"] = "person:anna",
            ["statementVersion"] = "1",
            ["version"] = "2",
            ["zone"] = "UTC",
        }, said);

        // The trail has it whole, so that it is sealed.
        Assert.Equal(Encoding.UTF8.GetString(s.Canonical), await database.ScalarAsync<string>("select convert_from((new->>'canonical')::bytea, 'UTF8') from audit_entry where entity = 'signature' and actor = 'person:anna' and method = 'user name and password'"));
        Assert.Equal("signed v2", Signatures.Status([s], 2, Record.ContentSha256));
        Assert.Equal("signed v2, current v3 unsigned", Signatures.Status([s], 3, SHA256.HashData("changed"u8)));
        Assert.Equal("signed v2; the content of v2 is no longer what was signed", Signatures.Status([s], 2, SHA256.HashData("changed"u8)));
        Assert.Equal("unsigned", Signatures.Status([], 1, Record.ContentSha256));
    }

    [Fact]
    [Requirement("P11-34")]
    public async Task The_first_signature_of_a_session_takes_name_and_password_the_next_the_password_and_after_a_while_both()
    {
        await using var database = await TestDatabase.CreateAsync();
        var anna = await SignerAsync(database, "anna");
        Assert.Equal("User name, password or code is wrong: nothing was signed.", (await anna.SignAsync(await anna.BeginAsync(Record), First with { UserName = null })).Refusal);
        Assert.Equal("User name, password or code is wrong: nothing was signed.", (await anna.SignAsync(await anna.BeginAsync(Record), First with { UserName = "author" })).Refusal);
        Assert.Null((await anna.SignAsync(await anna.BeginAsync(Record), First with { UserName = " ANNA" })).Refusal);

        var second = await anna.BeginAsync(Record with { Version = 3 });
        Assert.Equal((false, null), (second.NeedsName, second.Statement));
        Assert.Equal(WrongPassword, (await anna.SignAsync(second, new SigningSecret(null, "wrong"))).Refusal);
        var answer = await anna.SignAsync(second, new SigningSecret(null, AccountsOf.Good));
        Assert.Equal("password", answer.Signature!.Components);

        // A session that stays in use, without a signature.
        await database.AdvanceAsync(TimeSpan.FromMinutes(8));
        Assert.NotNull(await anna.Accounts.Sessions.FindAsync(anna.Session, active: true, Ct));
        await database.AdvanceAsync(TimeSpan.FromMinutes(7));
        Assert.True((await anna.BeginAsync(Record with { Version = 4 })).NeedsName);
        Assert.Null((await anna.SignAsync(await anna.BeginAsync(Record with { Version = 4 }), First)).Refusal);
        Assert.False((await anna.BeginAsync(Record with { Version = 5 })).NeedsName);
        // Another session, and a lock though the session goes on.
        Assert.True((await (await anna.AgainAsync()).BeginAsync(Record with { Version = 5 })).NeedsName);
        for (var n = 0; n < 5; n++)
        {
            await anna.Accounts.SignInAsync("anna", "wrong");
        }
        Assert.Contains("locked", (await anna.SignAsync(await anna.BeginAsync(Record with { Version = 5 }), First)).Refusal, StringComparison.Ordinal);
        await anna.Accounts.People.UnlockAsync(AccountsOf.Admin, "anna", "she called", Ct);
        Assert.True((await anna.BeginAsync(Record with { Version = 5 })).NeedsName);
    }

    [Fact]
    [Requirement("P11-34")]
    public async Task An_account_with_a_second_factor_signs_first_with_a_code_which_is_good_once()
    {
        await using var database = await TestDatabase.CreateAsync();
        var anna = await SignerAsync(database, "anna");
        var enrolment = OwnAccount.BeginSecondFactor("anna");
        var now = await database.ScalarAsync<DateTime>("select gateway_now()");
        Assert.Null((await anna.Accounts.Own.SetSecondFactorAsync(anna.Actor, "anna", anna.Session, enrolment, AccountsOf.Good, Totp.Code(enrolment.Key, now), Ct)).Refusal);
        Assert.True((await anna.BeginAsync(Record)).NeedsCode);
        Assert.NotNull((await anna.SignAsync(await anna.BeginAsync(Record), First)).Refusal);
        Assert.NotNull((await anna.SignAsync(await anna.BeginAsync(Record), First with { Code = Totp.Code(enrolment.Key, now) })).Refusal);
        await database.AdvanceAsync(TimeSpan.FromSeconds(31));
        Assert.Equal("user name, password and code", (await anna.SignAsync(await anna.BeginAsync(Record), First with { Code = Totp.Code(enrolment.Key, now.AddSeconds(31)) })).Signature?.Components);
        Assert.Equal("password", (await anna.SignAsync(await anna.BeginAsync(Record with { Version = 3 }), new SigningSecret(null, AccountsOf.Good))).Signature?.Components);
    }

    [Fact]
    [Requirement("P11-38")]
    public async Task Five_wrong_secrets_of_any_kind_lock_the_account_end_its_sessions_and_change_nothing_else()
    {
        await using var database = await TestDatabase.CreateAsync();
        var anna = await SignerAsync(database, "anna");
        var begun = await anna.BeginAsync(Record);
        Assert.Null(await anna.Accounts.SignInAsync("anna", "wrong"));
        Assert.NotNull(await anna.Accounts.Own.ChangePasswordAsync(anna.Actor, "anna", anna.Session, "wrong", "eight herons over Lake Ohrid", Ct));
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => anna.SignAsync(begun, First with { Password = "wrong" }))));

        Assert.Equal(5, await database.ScalarAsync<int>("select failed_count from person where user_name = 'anna'"));
        Assert.Equal(3L, await database.ScalarAsync<long>("select count(*) from audit_entry where action = 'signing_failed' and entity = 'sign_in' and entity_key = 'anna'"));
        Assert.Equal(1L, await database.ScalarAsync<long>("select count(*) from audit_entry where action = 'locked' and entity = 'sign_in' and entity_key = 'anna'"));
        Assert.Contains("A component was wrong.", await AccountsOf.TrailAsync(database), StringComparison.Ordinal);
        Assert.Null(await anna.Accounts.SignInAsync("anna"));
        Assert.Equal("The session has ended: sign in again.", (await anna.SignAsync(begun, First)).Refusal);
        Assert.Equal((0L, 0), (await database.ScalarAsync<long>("select count(*) from signature"), anna.Effects));
    }

    [Fact]
    public async Task What_was_begun_is_good_once_for_its_session_its_person_and_two_minutes()
    {
        await using var database = await TestDatabase.CreateAsync();
        var anna = await SignerAsync(database, "anna");
        var ben = await SignerAsync(database, "ben", anna.Accounts);
        var begun = await anna.BeginAsync(Record);
        Assert.Contains("another session", (await (await anna.AgainAsync()).SignAsync(begun, First)).Refusal, StringComparison.Ordinal);
        Assert.Contains("another session", (await ben.SignAsync(begun, First with { UserName = "ben" })).Refusal, StringComparison.Ordinal);
        Assert.Contains("for himself only", (await (ben with { Session = anna.Session }).SignAsync(begun, First)).Refusal, StringComparison.Ordinal);
        Assert.Contains("for himself only", (await (anna with { Actor = ben.Actor }).BeginAsync(Record)).Refusal, StringComparison.Ordinal);
        Assert.Null((await anna.SignAsync(begun, First)).Refusal);
        Assert.Contains("finished already", (await anna.SignAsync(begun, First)).Refusal, StringComparison.Ordinal);
        Assert.Contains("finished already", (await anna.SignAsync(begun with { Nonce = Guid.NewGuid() }, First)).Refusal, StringComparison.Ordinal);
        Assert.Contains("signed this version already (approval)", (await anna.BeginAsync(Record)).Refusal, StringComparison.Ordinal);

        var late = await ben.BeginAsync(Record);
        await database.AdvanceAsync(TimeSpan.FromSeconds(120));
        Assert.Contains("two minutes ago", (await ben.SignAsync(late, First with { UserName = "ben" })).Refusal, StringComparison.Ordinal);

        // Two at once with one nonce: one signature.
        var twice = await ben.BeginAsync(Record);
        var answers = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(() => ben.SignAsync(twice, First with { UserName = "ben" }))));
        Assert.Single(answers, a => a.Refusal is null);
        Assert.Equal(2L, await database.ScalarAsync<long>("select count(*) from signature"));
        Assert.Equal((1, 1), (anna.Effects, ben.Effects));
        Assert.Equal(0, await database.ScalarAsync<int>("select max(failed_count) from person")); // none of these was a guess
        // Each refusal is in the trail with its record.
        Assert.Contains("refused signing test 7 version 2, approval", await AccountsOf.TrailAsync(database), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_signature_and_its_effect_are_one_and_a_record_that_changed_meanwhile_is_not_signed()
    {
        await using var database = await TestDatabase.CreateAsync();
        var anna = await SignerAsync(database, "anna");
        var begun = await anna.BeginAsync(Record);
        var refused = await anna.SignAsync(begun, First, (_, signature) =>
            Task.FromResult(signature.Covers(2, SHA256.HashData("changed"u8)) ? null : "The record has changed: look at it again."));
        Assert.Equal("The record has changed: look at it again.", refused.Refusal);
        await Assert.ThrowsAsync<InvalidOperationException>(() => anna.SignAsync(begun, First, async (work, _) =>
        {
            await work.Connection.ExecuteAsync("update person set display_name = 'Changed'", transaction: work.Transaction);
            throw new InvalidOperationException("The process dies here.");
        }));
        Assert.Equal(0L, await database.ScalarAsync<long>("select count(*) from signature"));
        Assert.Equal("Somebody", await database.ScalarAsync<string>("select display_name from person"));
        Assert.True(await database.ScalarAsync<bool>("select statement_accepted is null from person"));
        Assert.Null((await anna.SignAsync(begun, First)).Refusal);
    }

    [Fact]
    [Requirement("P11-25")]
    public async Task Nobody_approves_what_he_made_or_reviewed_and_the_right_to_edit_is_no_right_to_sign()
    {
        await using var database = await TestDatabase.CreateAsync();
        var anna = await SignerAsync(database, "anna");
        var author = await SignerAsync(database, "author", anna.Accounts);
        Assert.Contains("somebody else must sign it", (await author.BeginAsync(Record)).Refusal, StringComparison.Ordinal);
        Assert.Contains("somebody else must sign it", (await author.BeginAsync(Record, "review")).Refusal, StringComparison.Ordinal);
        Assert.Null((await anna.SignAsync(await anna.BeginAsync(Record, "review"), First)).Refusal);
        Assert.Contains("signed this version already (review)", (await anna.BeginAsync(Record)).Refusal, StringComparison.Ordinal);
        Assert.Null((await author.BeginAsync(Record, "responsibility")).Refusal);

        var begun = await anna.BeginAsync(Record with { Version = 3 });
        Assert.Null((await anna.Accounts.People.RevokeAsync(AccountsOf.Admin, "anna", "officer", "moved", Ct)).Refusal);
        Assert.Contains("needs the permission sign.approve", (await anna.SignAsync(begun, new SigningSecret(null, AccountsOf.Good))).Refusal, StringComparison.Ordinal);
        Assert.Null((await anna.Accounts.Roles.AddAsync(AccountsOf.Admin, "editor", "Edits", Ct)));
        Assert.Null(await anna.Accounts.Roles.PermitAsync(AccountsOf.Admin, "editor", Permissions.ManagePartners, "edits", Ct));
        Assert.Null((await anna.Accounts.People.GrantAsync(AccountsOf.Admin, "anna", "editor", "moved", Ct)).Refusal);
        Assert.Contains("needs the permission sign.approve", (await anna.BeginAsync(Record with { Version = 3 })).Refusal, StringComparison.Ordinal);

        // Who admits people, makes keys or says what a role may never comes to sign.
        foreach (var managing in (string[])[Permissions.ManagePeople, Permissions.ManageKeys, Permissions.ManageRoles])
        {
            foreach (var signing in (string[])[Permissions.SignReview, Permissions.SignApproval])
            {
                var role = $"both-{managing.Split('.')[0]}-{signing.Split('.')[1]}";
                Assert.Null(await anna.Accounts.Roles.AddAsync(AccountsOf.Admin, role, "Both", Ct));
                Assert.Null(await anna.Accounts.Roles.PermitAsync(AccountsOf.Admin, role, managing, "handy", Ct));
                Assert.Contains(" exclude each other: ", await anna.Accounts.Roles.PermitAsync(AccountsOf.Admin, role, signing, "handy", Ct), StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    [Requirement("P11-28")]
    [Requirement("P11-33")]
    [Requirement("P11-35")]
    public async Task Without_a_verified_identity_the_statement_an_own_password_or_an_account_in_force_nothing_is_signed()
    {
        await using var database = await TestDatabase.CreateAsync();
        var accounts = new AccountsOf(database.Gateway);
        await accounts.AddAsync("anna", "officer");
        var anna = await SignedInAsync(database, accounts, "anna");
        Assert.Contains("Nobody has verified your identity", (await anna.BeginAsync(Record)).Refusal, StringComparison.Ordinal);
        Assert.Contains("Nobody manages himself", (await accounts.People.VerifyIdentityAsync(anna.Actor, "anna", "looked into the mirror", Ct)).Refusal, StringComparison.Ordinal);
        await using (var own = await database.Gateway.BeginAsync(AccountsOf.Admin, Ct))
        {
            Assert.Equal(PostgresErrorCodes.CheckViolation, (await Assert.ThrowsAsync<PostgresException>(() => own.Connection.ExecuteAsync(
                "update person set identity_verified_at = gateway_now(), identity_verified_by = 'person:anna', identity_verified_how = 'x'", transaction: own.Transaction))).SqlState);
        }
        Assert.Contains("reason is needed", (await accounts.People.VerifyIdentityAsync(AccountsOf.Admin, "anna", " ", Ct)).Refusal, StringComparison.Ordinal);
        Assert.Null((await accounts.People.VerifyIdentityAsync(AccountsOf.Admin, "anna", "identity card 7", Ct)).Refusal);
        Assert.Contains("identity card 7", await AccountsOf.TrailAsync(database), StringComparison.Ordinal);

        Assert.Equal("Accept the statement about signatures first.", (await anna.SignAsync(await anna.BeginAsync(Record), First with { AcceptedStatement = null })).Refusal);
        Assert.Equal("Accept the statement about signatures first.", (await anna.SignAsync(await anna.BeginAsync(Record), First with { AcceptedStatement = 2 })).Refusal);
        Assert.Null((await anna.SignAsync(await anna.BeginAsync(Record), First)).Refusal);
        // A new version of the statement is accepted anew.
        await database.ExecuteAsync("insert into signing_statement values (2, 'And more.')");
        var begun = await anna.BeginAsync(Record with { Version = 3 });
        Assert.Equal("And more.", begun.Statement);
        Assert.NotNull((await anna.SignAsync(begun, First)).Refusal);
        Assert.Null((await anna.SignAsync(begun, First with { AcceptedStatement = 2 })).Refusal);

        var temporary = (await accounts.People.ResetPasswordAsync(AccountsOf.Admin, "anna", "forgotten", Ct)).TemporaryPassword!;
        var reset = await SignedInAsync(database, accounts, "anna", temporary);
        Assert.Contains("temporary password signs nothing", (await reset.BeginAsync(Record with { Version = 4 })).Refusal, StringComparison.Ordinal);
        Assert.Null(await accounts.Own.ChangePasswordAsync(reset.Actor, "anna", reset.Session, temporary, AccountsOf.Good, Ct));
        begun = await reset.BeginAsync(Record with { Version = 4 });
        Assert.Null(begun.Refusal);
        await accounts.People.DisableAsync(AccountsOf.Admin, "anna", "left", Ct);
        Assert.Equal("The session has ended: sign in again.", (await reset.SignAsync(begun, First)).Refusal);
    }

    [Fact]
    public async Task Attempts_to_sign_are_as_few_a_minute_as_attempts_to_sign_in()
    {
        await using var database = await TestDatabase.CreateAsync();
        var anna = await SignerAsync(database, "anna");
        using var signing = anna.Accounts.Signing;
        var refusals = new List<string?>();
        for (var n = 0; n < 40; n++)
        {
            refusals.Add((await signing.SignAsync(anna.Actor, anna.Session, Guid.NewGuid(), First, (_, _) => Task.FromResult<string?>(null), Ct)).Refusal);
        }
        Assert.Contains("finished already", refusals[0], StringComparison.Ordinal);
        Assert.Contains("Too many attempts: wait a minute. Nothing was signed.", refusals);
    }

    [Fact]
    [Requirement("P11-35")]
    public async Task A_key_signs_nothing_even_one_that_may_do_everything()
    {
        await using var database = await TestDatabase.CreateAsync();
        var accounts = new AccountsOf(database.Gateway);
        await using (var work = await database.Gateway.BeginAsync(AccountsOf.Admin, Ct))
        {
            await ApiKeys.CreateAsync(work, await Parties.EnsureAsync(work, "organisation", "Test Pharma", null), "demonstration", "all", "gwt");
            await work.CommitAsync();
        }
        var key = new Holder(await database.ScalarAsync<string>("select key_id from api_key"), null, "all", 1, "organisation", "key", ["demonstration"], [], true, false, null, [], []);
        var holder = await accounts.HolderAsync(await accounts.Sessions.StartAsync(key, "192.0.2.1", Ct));
        var begun = await accounts.Signing.BeginAsync(holder!.ToPrincipal("test").ToActor("test"), holder.SessionId!.Value, Record, "approval", Ct);
        Assert.Equal((null, "A key signs nothing: sign in with your name and password."), (begun.Nonce, begun.Refusal));
    }

    [Fact]
    public async Task The_applications_own_role_can_neither_make_change_nor_remove_a_signature_by_itself()
    {
        await using var database = await TestDatabase.CreateAsync();
        await Migrator.MigrateAsync(database.AdministratorConnectionString, Ct);
        var anna = await SignerAsync(database, "anna");
        Assert.Null((await anna.SignAsync(await anna.BeginAsync(Record), First)).Refusal);
        var begun = await anna.BeginAsync(Record with { Version = 3 });
        await using var connection = await Database.RowSecurityAttackTests.ConnectAsync(database, "gateway_app");
        var sign = $"select sign_record('{begun.Nonce}', {anna.Session}, 'password')";
        foreach (var (attack, state) in ((string, string)[])
        [
            ("insert into signature overriding system value select * from signature", PostgresErrorCodes.InsufficientPrivilege),
            ("update signature set record_id = '8'", PostgresErrorCodes.InsufficientPrivilege),
            ("delete from signature", PostgresErrorCodes.InsufficientPrivilege),
            ("truncate signature", PostgresErrorCodes.InsufficientPrivilege),
            ("alter table signature disable trigger all", PostgresErrorCodes.InsufficientPrivilege),
            ("update signature_challenge set record_id = '8'", PostgresErrorCodes.InsufficientPrivilege),
            ("update signature_meaning set permission = 'check'", PostgresErrorCodes.InsufficientPrivilege),
            ("insert into signature_meaning values ('any', 'Any.', 'check', false)", PostgresErrorCodes.InsufficientPrivilege),
            ("update signing_statement set text = 'x'", PostgresErrorCodes.InsufficientPrivilege),
            // As somebody else, in another session, or with a session that has ended.
            (sign, "GW014"),
            ($"select set_config('app.actor', 'person:anna', true); {sign.Replace($"{anna.Session}, ", $"{anna.Session + 1}, ", StringComparison.Ordinal)}", "GW014"),
            ($"select set_config('app.actor', 'person:anna', true); update session set ended_at = now(), ended_why = 'x'; {sign}", "GW014"),
        ])
        {
            await using var transaction = await connection.BeginTransactionAsync(Ct);
            await using var command = new NpgsqlCommand("select set_config('app.party', '*', true), set_config('app.actor', 'person:attacker', true); " + attack, connection, transaction);
            var e = await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync(Ct));
            Assert.True(e.SqlState == state, $"{attack}: {e.SqlState} {e.MessageText}");
        }
        // Even the owner of the tables changes none.
        foreach (var attack in (string[])["update signature set record_id = '8'", "delete from signature", "truncate signature cascade"])
        {
            Assert.Equal("GW002", (await Assert.ThrowsAsync<PostgresException>(() => database.ExecuteAsync(attack))).SqlState);
        }
    }

    private static readonly SigningSecret First = new("anna", AccountsOf.Good, null, 1);

    /// <summary>Somebody who may sign, in a session.</summary>
    private sealed record Signer(AccountsOf Accounts, Actor Actor, long Session, TestDatabase Database)
    {
        private readonly int[] _effects = [0];

        public int Effects => _effects[0];

        public Task<SigningChallenge> BeginAsync(SignableRecord record, string meaning = "approval") => Accounts.Signing.BeginAsync(Actor, Session, record, meaning, Ct);

        public Task<SigningAnswer> SignAsync(SigningChallenge begun, SigningSecret secret, Func<Work, Signature, Task<string?>>? effect = null) =>
            Accounts.Signing.SignAsync(Actor, Session, begun.Nonce ?? throw new InvalidOperationException(begun.Refusal), secret, effect ?? ((_, _) =>
            {
                Interlocked.Increment(ref _effects[0]);
                return Task.FromResult<string?>(null);
            }), Ct);

        public Task<Signer> AgainAsync() => SignedInAsync(Database, Accounts, Actor.Id["person:".Length..]);
    }

    private static async Task<Signer> SignerAsync(TestDatabase database, string user, AccountsOf? accounts = null)
    {
        accounts ??= new AccountsOf(database.Gateway, new EphemeralDataProtectionProvider());
        await accounts.AddAsync(user, "officer");
        Assert.Null((await accounts.People.VerifyIdentityAsync(AccountsOf.Admin, user, "identity card", Ct)).Refusal);
        return await SignedInAsync(database, accounts, user);
    }

    private static async Task<Signer> SignedInAsync(TestDatabase database, AccountsOf accounts, string user, string password = AccountsOf.Good)
    {
        var holder = await accounts.HolderAsync(await accounts.SignInAsync(user, password));
        return new Signer(accounts, holder!.ToPrincipal("test").ToActor("dashboard"), holder.SessionId!.Value, database);
    }
}
