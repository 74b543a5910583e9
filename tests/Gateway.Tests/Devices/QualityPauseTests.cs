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
    public async Task The_end_of_a_run_makes_its_quality_pause_no_less_in_need_of_proof_and_signature()
    {
        await using var line = await CommandLine.CreateAsync();
        await line.Database.ExecuteAsync("""
            select set_config('app.actor', 'test', false);
            insert into run (party_id, line_id, gtin, lot, expiry, quantity, state, planned_at, started_at) values (1, 1, '09521321000018', 'A', '2029-01-31', 10, 'running', now(), now())
            """);
        var pause = await line.IssueAsync("pause", "quality");
        await line.Database.ExecuteAsync("select set_config('app.actor', 'test', false); update run set state = 'ended', ended_at = now()");
        Assert.True((await line.Issuing.IssueAsync(CommandLine.Operator, "L1", CommandLine.Request("start"), Ct)).NeedsSignature);
        await line.Database.AdvanceAsync(TimeSpan.FromSeconds(10));
        await line.Expiry.RunAsync(Ct);
        Assert.Equal("unproved", (await line.RowAsync(pause)).Proof);
        Assert.Equal(1L, await line.Database.ScalarAsync<long>("select count(*) from line_hold where until_at is null"));
        Assert.True((await line.Issuing.IssueAsync(CommandLine.Operator, "L1", CommandLine.Request("resume", device: "cam1"), Ct)).NeedsSignature);
    }

    [Theory]
    [InlineData("expired")]
    [InlineData("failed")]
    [InlineData("rejected")]
    [InlineData("superseded")]
    public async Task A_quality_pause_stands_again_when_nothing_came_of_the_signed_resume(string ending)
    {
        await using var line = await CommandLine.CreateAsync();
        var accounts = new AccountsOf(line.Database.Gateway);
        var unproved = await line.IssueAsync("pause", "quality");
        await line.Database.AdvanceAsync(TimeSpan.FromSeconds(10));
        await line.Expiry.RunAsync(Ct);
        var awaited = await line.IssueAsync("pause", "quality");
        var request = CommandLine.Request("resume", "quality");
        var resume = Guid.Parse((await SignAsync(line, accounts, "anna", "officer", request, request)).Signature!.RecordId);
        Assert.Equal("moot", (await line.RowAsync(awaited)).Proof);
        Assert.Equal(0L, await line.Database.ScalarAsync<long>("select count(*) from line_hold where until_at is null"));

        await line.HearAsync();
        if (ending is "failed" or "rejected")
        {
            await line.Answers.CompleteAsync(CommandLine.Machine, line.Plc, resume, (await line.RowAsync(resume)).Fence, ending, "Execute", null, Ct);
        }
        else if (ending == "superseded")
        {
            await line.IssueAsync("end");
        }
        await line.Database.AdvanceAsync(TimeSpan.FromSeconds(31));
        await line.Expiry.RunAsync(Ct);
        Assert.Equal(ending, (await line.RowAsync(resume)).State);
        Assert.True(await line.List.StandsForQualityAsync(CommandLine.Operator, "L1", Ct));
        Assert.True((await line.Issuing.IssueAsync(CommandLine.Operator, "L1", request, Ct)).NeedsSignature);
        await line.Expiry.RunAsync(Ct);
        Assert.Equal(("unproved", "unproved"), ((await line.RowAsync(unproved)).Proof, (await line.RowAsync(awaited)).Proof));
        Assert.Equal(2L, await line.Database.ScalarAsync<long>("select count(*) from line_hold where until_at is null"));

        // Another signature lifts them all, and stays when the machine has gone on.
        var again = Guid.Parse((await SignAsync(line, accounts, "anna", null, request, request)).Signature!.RecordId);
        await line.HearAsync();
        Assert.Equal("done", (await line.Answers.CompleteAsync(CommandLine.Machine, line.Plc, again, (await line.RowAsync(again)).Fence, "done", "Execute", null, Ct)).State);
        Assert.False(await line.List.StandsForQualityAsync(CommandLine.Operator, "L1", Ct));
    }

    [Fact]
    public async Task Another_resume_in_the_place_of_the_signed_one_goes_on_with_its_signature()
    {
        await using var line = await CommandLine.CreateAsync();
        await line.IssueAsync("pause", "quality");
        var request = CommandLine.Request("resume", "quality");
        Assert.Null((await SignAsync(line, new AccountsOf(line.Database.Gateway), "anna", "officer", request, request)).Refusal);
        var second = await line.IssueAsync("resume");
        Assert.False(await line.List.StandsForQualityAsync(CommandLine.Operator, "L1", Ct));
        // Until nothing comes of that either.
        await line.HearAsync();
        await line.Answers.CompleteAsync(CommandLine.Machine, line.Plc, second, (await line.RowAsync(second)).Fence, "rejected", "Held", null, Ct);
        Assert.True(await line.List.StandsForQualityAsync(CommandLine.Operator, "L1", Ct));
        Assert.True((await line.Issuing.IssueAsync(CommandLine.Operator, "L1", CommandLine.Request("resume"), Ct)).NeedsSignature);
    }

    [Fact]
    public async Task A_pause_for_less_that_takes_the_place_of_one_for_quality_is_for_quality_and_one_for_quality_is_never_proved_by_less()
    {
        await using var line = await CommandLine.CreateAsync();
        var blocked = await line.IssueAsync("pause", "blocked");
        await line.HearAsync();
        Assert.Null(await line.Answers.ReportAsync(CommandLine.Machine, line.Plc, "Suspended", await line.NowAsync(), Ct));
        Assert.Equal("proved", (await line.RowAsync(blocked)).Proof);
        var quality = await line.IssueAsync("pause", "quality");
        var later = await line.IssueAsync("pause", "blocked");
        Assert.Equal(("superseded", "quality"), ((await line.RowAsync(quality)).State, (await line.RowAsync(later)).ReasonClass));
        await line.HearAsync();
        Assert.Null(await line.Answers.ReportAsync(CommandLine.Machine, line.Plc, "Suspended", await line.NowAsync(), Ct));
        Assert.Equal(("awaited", "awaited"), ((await line.RowAsync(quality)).Proof, (await line.RowAsync(later)).Proof));
        Assert.Null(await line.Answers.ReportAsync(CommandLine.Machine, line.Plc, "Held", await line.NowAsync(), Ct));
        Assert.Equal(("proved", "proved", "done"), ((await line.RowAsync(quality)).Proof, (await line.RowAsync(later)).Proof, (await line.RowAsync(later)).State));
    }

    [Theory]
    [InlineData("identify")]
    [InlineData("pause")]
    [InlineData("resume")]
    public async Task A_command_that_needs_no_signature_has_none(string type)
    {
        await using var line = await CommandLine.CreateAsync();
        var pause = await line.IssueAsync("pause", "quality");
        var request = CommandLine.Request("resume", "quality");
        var accounts = new AccountsOf(line.Database.Gateway);
        if (type != "resume")
        {
            Assert.Contains("signed", (await SignAsync(line, accounts, "anna", "officer", request, request with { Type = type })).Refusal, StringComparison.Ordinal);
            Assert.Equal(1L, await line.Database.ScalarAsync<long>("select count(*) from device_command"));
        }
        else
        {
            Assert.Null((await SignAsync(line, accounts, "anna", "officer", request, request)).Refusal);
        }
        // Nor is what was signed once the signature of something else.
        var refused = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => line.Database.ExecuteAsync($"""
            select set_config('app.actor', 'test', false), set_config('app.party', '*', false);
            update line_fence set fence = fence + 1;
            insert into device_command (party_id, line_id, device_id, type, reason, reason_class, trigger_at, fence, issued_by, issued_by_name, issued_at, deadline, proof, signature_id)
            select party_id, line_id, device_id, '{type}', 'why', 'operator', case '{type}' when 'pause' then now() end, (select fence from line_fence), 'person:anna', 'anna', now(), now(), case '{type}' when 'pause' then 'awaited' end,
                   coalesce((select max(signature_id) from signature), 1)
            from device_command where public_id = '{pause}'
            """));
        Assert.Equal("GW046", refused.SqlState);
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
