using Gateway.Access;
using Gateway.Database;
using Gateway.Tests.Access;
using Gateway.Validation;
using Microsoft.AspNetCore.DataProtection;
using Npgsql;

namespace Gateway.Tests.Validation;

/// <summary>P11-2 and P11-3: who may make something the validated state, in which order, and with which explanation.</summary>
[Requirement("P11-2")]
public sealed class BaselineTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly ChangeRequest Larger = new("Larger documents", "A CMO sends whole batches.", "Capture only.", "Low: more memory for each document.", "LargeDocumentTests", ["setting Capture:MaxBytes"]);

    [Fact]
    public async Task A_baseline_is_reviewed_and_approved_by_two_people_who_are_not_its_author_and_in_that_order()
    {
        await using var database = await TestDatabase.CreateAsync();
        var (anna, ben, cleo) = await PeopleAsync(database);
        await RunsAsync(database, ("setting Capture:MaxBytes", "1"));
        var id = await DraftAsync(database, anna.Actor);

        Assert.Equal("You made or changed this record, so somebody else must sign it.", await anna.ReviewAsync(id));
        Assert.Equal("You made or changed this record, so somebody else must sign it.", await anna.ApproveAsync(id));
        Assert.Equal("The baseline is no longer reviewed: look at it again.", await ben.ApproveAsync(id)); // nobody has reviewed it
        Assert.Equal($"Baseline {id} is draft: it is not changed that way.", await new Baselines(database.Gateway).TakeEffectAsync(ben.Actor, id, "now", Ct));
        Assert.Null(await ben.ReviewAsync(id));
        Assert.Equal("You have signed this version already (baseline reviewed).", await ben.ApproveAsync(id));
        Assert.Null(await cleo.ApproveAsync(id));
        Assert.Null(await new Baselines(database.Gateway).TakeEffectAsync(anna.Actor, id, "now", Ct));
        Assert.Equal("validated", await StateAsync(database));
        // Whatever was refused left its entry, and no signature.
        Assert.Equal(2, await database.ScalarAsync<long>("select count(*) from signature"));
        Assert.Equal("draft, reviewed, approved, effective", await database.ScalarAsync<string>("select string_agg(new->>'state', ', ' order by ord) from audit_entry where entity = 'validation_baseline'"));
    }

    [Fact]
    [Requirement("P11-3")]
    public async Task What_differs_from_the_effective_baseline_must_be_explained_by_change_records_that_another_has_approved()
    {
        await using var database = await TestDatabase.CreateAsync();
        var (anna, ben, cleo) = await PeopleAsync(database);
        var (baselines, changes) = (new Baselines(database.Gateway), new ChangeRecords(database.Gateway));
        await RunsAsync(database, ("setting Capture:MaxBytes", "1"), ("program Gateway.dll", "a"));
        var first = await EffectiveAsync(database, anna, ben, cleo);
        await RunsAsync(database, ("setting Capture:MaxBytes", "2"), ("program Gateway.dll", "a"));
        Assert.Equal("not validated", await StateAsync(database));

        var unexplained = await DraftAsync(database, anna.Actor);
        Assert.Null(await ben.ReviewAsync(unexplained));
        Assert.Equal("No approved change record explains setting Capture:MaxBytes.", await cleo.ApproveAsync(unexplained));

        var (number, _) = await changes.DraftAsync(anna.Actor, Larger, Ct);
        Assert.Equal((null, $"The change record {number} is not approved."), await baselines.DraftAsync(anna.Actor, new BaselineRequest("Next", "tested", null, [number!]), Ct));
        Assert.Equal("You made or changed this record, so somebody else must sign it.", await anna.ApproveChangeAsync(number!));
        Assert.Null(await ben.ApproveChangeAsync(number!));
        Assert.Equal("Change record CR-0001 is approved: it is not changed that way.", await changes.WithdrawAsync(anna.Actor, number!, "no", Ct));
        var (second, _) = await baselines.DraftAsync(anna.Actor, new BaselineRequest("Next", "tested", null, [number!]), Ct);
        Assert.Empty((await baselines.FindAsync(anna.Actor, second!.Value, Ct))!.Unexplained);
        Assert.Null(await ben.ReviewAsync(second.Value));
        Assert.Null(await cleo.ApproveAsync(second.Value));
        Assert.Null(await baselines.TakeEffectAsync(anna.Actor, second.Value, "now", Ct));
        Assert.Equal("validated", await StateAsync(database));
        Assert.Equal("superseded", (await baselines.FindAsync(anna.Actor, first, Ct))!.Baseline.State);
        Assert.Null(await changes.DoneAsync(anna.Actor, number!, "in effect", Ct));

        // Another file that the record does not concern.
        await RunsAsync(database, ("setting Capture:MaxBytes", "2"), ("program Gateway.dll", "b"));
        var (third, _) = await baselines.DraftAsync(anna.Actor, new BaselineRequest("Third", "tested", null, [number!]), Ct);
        Assert.Equal(["program Gateway.dll"], (await baselines.FindAsync(anna.Actor, third!.Value, Ct))!.Unexplained);
        Assert.Equal((null, "There is no change record CR-9999."), await baselines.DraftAsync(anna.Actor, new BaselineRequest("Third", "tested", null, ["CR-9999"]), Ct));
        Assert.Contains("too wide", (await changes.DraftAsync(anna.Actor, Larger with { Concerns = ["*"] }, Ct)).Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_statement_of_the_application_changes_what_is_in_effect_skips_a_step_or_signs_by_another_row()
    {
        await using var database = await TestDatabase.CreateAsync();
        var (anna, ben, cleo) = await PeopleAsync(database);
        await RunsAsync(database, ("setting Capture:MaxBytes", "1"));
        var effective = await EffectiveAsync(database, anna, ben, cleo);
        var draft = await DraftAsync(database, anna.Actor);
        await using var connection = await Tests.Database.RowSecurityAttackTests.ConnectAsync(database, "gateway_app");
        var wrong = new List<string>();
        foreach (var (attack, state) in ((string, string)[])
        [
            ($"update validation_baseline set fingerprint = 'x' where baseline_id = {effective}", PostgresErrorCodes.InsufficientPrivilege),
            ($"update validation_baseline set title = 'x' where baseline_id = {effective}", PostgresErrorCodes.InsufficientPrivilege),
            ($"update validation_baseline set approved_by_name = 'x' where baseline_id = {effective}", "GW040"),
            ($"update validation_baseline set state = 'draft' where baseline_id = {effective}", "GW040"),
            ($"update validation_baseline set state = 'superseded', ended_at = now() where baseline_id = {effective}; set constraints all immediate", "GW040"),
            ($"update validation_baseline set state = 'effective', effective_at = now() where baseline_id = {draft}", "GW040"),
            // The right person and a signature of the right meaning, of another record.
            ($"update validation_baseline set (state, reviewed_by, reviewed_at, review_signature) = (select 'reviewed', signer, now(), signature_id from signature where meaning = 'baseline reviewed') where baseline_id = {draft}", "GW040"),
            ($"update validation_baseline set state = 'reviewed', reviewed_by = 'person:ben', reviewed_at = now() where baseline_id = {draft}", "GW040"),
            ("insert into validation_baseline (title, reason, fingerprint, state, drafted_by, drafted_by_name, drafted_at) select 'x', 'x', fingerprint, 'effective', 'x', 'x', now() from validation_content limit 1", "GW040"),
            ($"delete from validation_baseline where baseline_id = {effective}", PostgresErrorCodes.InsufficientPrivilege),
            ("update validation_content set components = '{}'", PostgresErrorCodes.InsufficientPrivilege),
            ("insert into validation_content (fingerprint, components) values (repeat('0', 64), '{}')", PostgresErrorCodes.CheckViolation),
            ("truncate validation_baseline cascade", PostgresErrorCodes.InsufficientPrivilege),
        ])
        {
            await using var transaction = await connection.BeginTransactionAsync(Ct);
            try
            {
                await using var command = new NpgsqlCommand("select set_config('app.party', '*', true), set_config('app.actor', 'person:ben', true); " + attack, connection, transaction);
                await command.ExecuteNonQueryAsync(Ct);
                wrong.Add(attack);
            }
            catch (PostgresException e)
            {
                if (e.SqlState != state)
                {
                    wrong.Add($"{attack}: {e.SqlState} {e.MessageText}");
                }
            }
        }
        Assert.Equal("", string.Join("\n", wrong));
        // Not even the owner, in an ordinary transaction.
        var refused = await Assert.ThrowsAsync<PostgresException>(() => database.ExecuteAsync($"update validation_baseline set title = 'x' where baseline_id = {effective}"));
        Assert.Equal("GW040", refused.SqlState);
    }

    [Fact]
    public async Task Texts_that_are_too_long_or_cannot_be_stored_are_refused_with_a_sentence()
    {
        await using var database = await TestDatabase.CreateAsync();
        await RunsAsync(database, ("setting Capture:MaxBytes", "1"));
        var (baselines, changes, actor) = (new Baselines(database.Gateway), new ChangeRecords(database.Gateway), AccountsOf.Admin);
        var (number, _) = await changes.DraftAsync(actor, Larger with { Tests = new string('x', 20_000) }, Ct);
        Assert.Equal("CR-0001", number);
        var id = await DraftAsync(database, actor);
        var (reason, text, nul) = (new string('x', 2001), new string('x', 20_001), "a\0b");
        string?[] refusals =
        [
            (await changes.DraftAsync(actor, Larger with { Tests = text }, Ct)).Refusal, (await changes.DraftAsync(actor, Larger with { Why = nul }, Ct)).Refusal,
            (await changes.DraftAsync(actor, Larger with { Title = reason }, Ct)).Refusal, (await changes.DraftAsync(actor, Larger with { Concerns = [nul] }, Ct)).Refusal,
            (await changes.DraftAsync(actor, Larger with { Concerns = [reason] }, Ct)).Refusal,
            await changes.WithdrawAsync(actor, number!, reason, Ct), await changes.DoneAsync(actor, number!, nul, Ct),
            (await baselines.DraftAsync(actor, new BaselineRequest("t", nul, null, null), Ct)).Refusal, (await baselines.DraftAsync(actor, new BaselineRequest(reason, "r", null, null), Ct)).Refusal,
            (await baselines.DraftAsync(actor, new BaselineRequest("t", "r", null, [nul]), Ct)).Refusal,
            await baselines.TakeEffectAsync(actor, id, reason, Ct), await baselines.WithdrawAsync(actor, id, nul, Ct),
        ];
        Assert.All(refusals, r => Assert.Matches(@"characters: write at most (2,000|20,000)|U\+0000, which cannot be stored", r));
    }

    // What a node says that has these components.
    private static async Task RunsAsync(TestDatabase database, params (string Name, string Value)[] components)
    {
        await using var work = await database.Gateway.BeginAsync(AccountsOf.Admin, Ct);
        var found = components.ToDictionary(c => c.Name, c => c.Value);
        var hash = await Fingerprint.OfAsync(work, found, Ct);
        await Fingerprint.KeepAsync(work, hash, found, Ct);
        await work.CommitAsync();
        await database.ExecuteAsync($"delete from validation_node; insert into validation_node (node, machine, build, fingerprint, state, difference_count, differences, change_reference, every, seen_at) values ('n', 'm', 'b', '{hash}', 'no baseline', 0, '[]', '', '1 h', clock_timestamp())");
    }

    private static Task<string> StateAsync(TestDatabase database) => database.ScalarAsync<string>("select validation_now()");

    private static async Task<int> DraftAsync(TestDatabase database, Actor author) => (await new Baselines(database.Gateway).DraftAsync(author, new BaselineRequest("First", "tested", null, null), Ct)).Id!.Value;

    private static async Task<int> EffectiveAsync(TestDatabase database, Person author, Person reviewer, Person approver)
    {
        var id = await DraftAsync(database, author.Actor);
        Assert.Null(await reviewer.ReviewAsync(id));
        Assert.Null(await approver.ApproveAsync(id));
        Assert.Null(await new Baselines(database.Gateway).TakeEffectAsync(author.Actor, id, "now", Ct));
        return id;
    }

    private static async Task<(Person Anna, Person Ben, Person Cleo)> PeopleAsync(TestDatabase database)
    {
        var accounts = new AccountsOf(database.Gateway, new EphemeralDataProtectionProvider());
        return (await PersonAsync("anna"), await PersonAsync("ben"), await PersonAsync("cleo"));

        async Task<Person> PersonAsync(string user)
        {
            await accounts.AddAsync(user, "officer");
            Assert.Null((await accounts.People.VerifyIdentityAsync(AccountsOf.Admin, user, "identity card", Ct)).Refusal);
            var holder = await accounts.HolderAsync(await accounts.SignInAsync(user));
            return new Person(accounts, user, holder!.ToPrincipal("test").ToActor("dashboard"), holder.SessionId!.Value);
        }
    }

    /// <summary>An officer in a session, who signs.</summary>
    private sealed record Person(AccountsOf Accounts, string User, Actor Actor, long Session)
    {
        public async Task<string?> ReviewAsync(int id) => await SignAsync((await new Baselines(Accounts.Database).SignableAsync(Actor, id, Ct))!, "baseline reviewed", Baselines.ReviewedAsync);

        public async Task<string?> ApproveAsync(int id) => await SignAsync((await new Baselines(Accounts.Database).SignableAsync(Actor, id, Ct))!, "baseline approved", Baselines.ApprovedAsync);

        public async Task<string?> ApproveChangeAsync(string number) => await SignAsync((await new ChangeRecords(Accounts.Database).SignableAsync(Actor, number, Ct))!, "change approved", ChangeRecords.ApprovedAsync);

        private async Task<string?> SignAsync(SignableRecord record, string meaning, Func<Work, Signature, Task<string?>> effect)
        {
            using var signing = Accounts.Signing;
            var begun = await signing.BeginAsync(Actor, Session, record, meaning, Ct);
            return begun.Refusal ?? (await signing.SignAsync(Actor, Session, begun.Nonce!.Value, new SigningSecret(User, AccountsOf.Good, null, 1), effect, Ct)).Refusal;
        }
    }
}
