using Gateway.Access;
using Gateway.Devices;
using Gateway.Tests.Access;

namespace Gateway.Tests.Devices;

/// <summary>LINES.md section 8: resume is never automatic after a quality pause: person, role, reason, signature.</summary>
public sealed class QualityPauseTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("resume")]
    [InlineData("start")]
    public async Task A_line_goes_on_after_a_quality_pause_when_an_authorised_person_has_signed(string type)
    {
        await using var line = await CommandLine.CreateAsync();
        var accounts = new AccountsOf(line.Database.Gateway);
        var pause = await line.IssueAsync("pause", "quality", "cam1");
        await line.IssueAsync("pause", "operator"); // a later one of another kind changes nothing
        var request = CommandLine.Request(type, "quality", reason: "The lens was cleaned; the challenge set passed.");

        var refused = await line.Issuing.IssueAsync(CommandLine.Operator, "L1", request, Ct);
        Assert.True(refused.NeedsSignature);
        Assert.Equal(1L, await line.Database.ScalarAsync<long>($"select count(*) from audit_entry where action = 'refused' and entity = 'line' and new ->> 'step' = '{type}'"));
        Assert.True(await line.List.StandsForQualityAsync(CommandLine.Operator, "L1", Ct));

        // An operator may run lines and not decide about them.
        Assert.Contains("lines.decide", (await SignAsync(line, accounts, "otto", "operator", request, request)).Refusal, StringComparison.Ordinal);
        // What was signed is what is done, and nothing else.
        Assert.Contains("signed", (await SignAsync(line, accounts, "anna", "officer", request, request with { Reason = "Nothing was wrong." })).Refusal, StringComparison.Ordinal);
        Assert.Equal(0L, await line.Database.ScalarAsync<long>("select count(*) from signature"));

        var signed = await SignAsync(line, accounts, "anna", null, request, request);
        Assert.Null(signed.Refusal);
        var cmd = await line.RowAsync(Guid.Parse(signed.Signature!.RecordId));
        Assert.Equal((type, "queued", true, "person:anna"), (cmd.Type, cmd.State, cmd.IsSigned, cmd.IssuedBy));
        Assert.Equal(cmd.CommandId, await line.Database.ScalarAsync<long>($"select lifted_by from device_command where public_id = '{pause}'"));
        Assert.False(await line.List.StandsForQualityAsync(CommandLine.Operator, "L1", Ct));
        await line.IssueAsync("resume", device: "cam1"); // the other devices of the line go on without another signature

        // And it is good for that pause only.
        await line.IssueAsync("pause", "quality");
        Assert.True((await line.Issuing.IssueAsync(CommandLine.Operator, "L1", request, Ct)).NeedsSignature);
    }

    [Fact]
    public async Task A_pause_between_showing_and_signing_makes_the_signature_void()
    {
        await using var line = await CommandLine.CreateAsync();
        var accounts = new AccountsOf(line.Database.Gateway);
        await line.IssueAsync("pause", "quality");
        var request = CommandLine.Request("resume", "quality");
        var refused = await SignAsync(line, accounts, "anna", "officer", request, request, () => line.IssueAsync("pause", "quality"));
        Assert.Contains("signed", refused.Refusal, StringComparison.Ordinal);
        Assert.Equal(0L, await line.Database.ScalarAsync<long>("select count(*) from device_command where type = 'resume'"));
    }

    [Fact]
    public async Task A_quality_pause_of_a_run_stands_no_longer_than_the_run()
    {
        await using var line = await CommandLine.CreateAsync();
        await line.Database.ExecuteAsync("""
            select set_config('app.actor', 'test', false);
            insert into run (party_id, line_id, gtin, lot, expiry, quantity, state, planned_at, started_at) values (1, 1, '09521321000018', 'A', '2029-01-31', 10, 'running', now(), now())
            """);
        await line.IssueAsync("pause", "quality");
        Assert.True((await line.Issuing.IssueAsync(CommandLine.Operator, "L1", CommandLine.Request("start"), Ct)).NeedsSignature);
        await line.Database.ExecuteAsync("select set_config('app.actor', 'test', false); update run set state = 'ended', ended_at = now()");
        await line.IssueAsync("start");
    }

    private static async Task<SigningAnswer> SignAsync(CommandLine line, AccountsOf accounts, string user, string? role, CommandRequest shown, CommandRequest done, Func<Task>? meanwhile = null)
    {
        if (role is not null)
        {
            await accounts.AddAsync(user, role);
            Assert.Null((await accounts.People.VerifyIdentityAsync(AccountsOf.Admin, user, "identity card", Ct)).Refusal);
        }
        var holder = (await accounts.HolderAsync(await accounts.SignInAsync(user)))!;
        var (actor, session) = (holder.ToPrincipal("test").ToActor("dashboard"), holder.SessionId!.Value);
        using var signing = accounts.Signing;
        var record = (await line.Issuing.SignableAsync(actor, "L1", shown, Guid.NewGuid(), Ct))!;
        var begun = await signing.BeginAsync(actor, session, record, DeviceCommandIssuing.ResumeMeaning, Ct);
        if (begun.Refusal is not null)
        {
            return new SigningAnswer(begun.Refusal, null);
        }
        await (meanwhile?.Invoke() ?? Task.CompletedTask);
        return await signing.SignAsync(actor, session, begun.Nonce!.Value, new SigningSecret(user, AccountsOf.Good, null, 1), (work, signature) => line.Issuing.SignedAsync(work, signature, actor, "L1", done), Ct);
    }
}
