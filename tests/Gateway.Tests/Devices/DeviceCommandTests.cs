using Gateway.Access;
using Gateway.Database;
using Gateway.Devices;
using Npgsql;

namespace Gateway.Tests.Devices;

/// <summary>LINES.md section 8: what becomes of a command, by its device's answers and by the passing of time.</summary>
public sealed class DeviceCommandTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly TimeSpan AckWithin = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task A_late_resume_cannot_undo_a_newer_pause()
    {
        await using var line = await CommandLine.CreateAsync();
        var resume = await line.IssueAsync("resume");
        var told = Assert.Single(await line.List.TakeAsync(CommandLine.Machine, line.Plc, 0, Ct));
        var pause = await line.IssueAsync("pause", device: "cam1"); // of another device of the line
        Assert.Equal(told.Fence + 1, (await line.RowAsync(pause)).Fence);

        foreach (var answered in new[]
        {
            await line.Answers.AckAsync(CommandLine.Machine, line.Plc, resume, told.Fence, Ct),
            await line.Answers.CompleteAsync(CommandLine.Machine, line.Plc, resume, told.Fence, "done", "Execute", null, Ct),
        })
        {
            Assert.Equal((DeviceCommandAnswers.StaleFence, "superseded", told.Fence + 1), (answered.Code, answered.State, answered.Fence));
        }
        Assert.Equal(("superseded", pause), ((await line.RowAsync(resume)).State, (await line.RowAsync(resume)).SupersededBy));
        Assert.Empty(await line.List.TakeAsync(CommandLine.Machine, line.Plc, 0, Ct)); // nobody is told of it any more
        Assert.Equal(0L, await line.Database.ScalarAsync<long>("select count(*) from device_state")); // nor is what came with it believed
        Assert.Equal(1L, await line.Database.ScalarAsync<long>("select count(*) from audit_entry where action = 'refused' and entity = 'device_command' and new ->> 'step' = 'ack'"));
    }

    [Fact]
    public async Task A_command_that_is_not_acknowledged_is_told_three_times_by_one_id_and_has_failed_then()
    {
        await using var line = await CommandLine.CreateAsync();
        var cmd = await line.IssueAsync("identify");
        long heard = 0;
        for (var tries = 1; tries <= 3; tries++)
        {
            var told = Assert.Single(await line.List.TakeAsync(CommandLine.Machine, line.Plc, heard, Ct));
            Assert.Equal(cmd, told.CmdId);
            Assert.True(told.Number > heard);
            heard = told.Number;
            Assert.Equal(("sent", tries), ((await line.RowAsync(cmd)).State, (await line.RowAsync(cmd)).Tries));
            await line.Expiry.RunAsync(Ct);
            Assert.Empty(await line.List.TakeAsync(CommandLine.Machine, line.Plc, heard, Ct)); // not before its time
            await line.Database.AdvanceAsync(AckWithin);
            await line.Expiry.RunAsync(Ct);
        }
        Assert.Equal(("failed", "Not acknowledged in 3 tries."), ((await line.RowAsync(cmd)).State, (await line.RowAsync(cmd)).Detail));
        Assert.Equal("cmd.unanswered error plc1", await line.ExceptionsAsync());
        var late = await line.Answers.AckAsync(CommandLine.Machine, line.Plc, cmd, 1, Ct);
        Assert.Equal((DeviceCommandAnswers.Ended, "failed"), (late.Code, late.State));
        Assert.Equal(0, await line.Expiry.RunAsync(Ct)); // and nothing more becomes of it
    }

    [Fact]
    public async Task An_acknowledged_command_is_told_no_more_and_ends_as_the_device_says_however_often_it_says_so()
    {
        await using var line = await CommandLine.CreateAsync();
        var cmd = await line.IssueAsync("loadBatch");
        await line.HearAsync();
        await line.Database.AdvanceAsync(TimeSpan.FromSeconds(100));
        Assert.Equal(0, await line.Expiry.RunAsync(Ct));
        Assert.Null((await line.Answers.AckAsync(CommandLine.Machine, line.Plc, cmd, 1, Ct)).Refusal);
        Assert.Equal(DeviceCommandAnswers.StaleFence, (await line.Answers.CompleteAsync(CommandLine.Machine, line.Plc, cmd, 0, "done", null, null, Ct)).Code);
        for (var said = 0; said < 2; said++)
        {
            Assert.Equal("done", (await line.Answers.CompleteAsync(CommandLine.Machine, line.Plc, cmd, 1, "done", "Idle", "42 recipes", Ct)).State);
        }
        var row = await line.RowAsync(cmd);
        Assert.Equal(("done", "Idle", "42 recipes"), (row.State, row.MachineState, row.Detail));
        Assert.Equal(DeviceCommandAnswers.Ended, (await line.Answers.CompleteAsync(CommandLine.Machine, line.Plc, cmd, 1, "failed", null, null, Ct)).Code);
        Assert.Null((await line.Answers.AckAsync(CommandLine.Machine, line.Camera, cmd, 1, Ct)).Code); // another device has no such command
    }

    [Theory]
    [InlineData("resume", 30)]
    [InlineData("start", 60)]
    [InlineData("loadBatch", 120)]
    [InlineData("identify", 30)]
    public async Task A_command_expires_at_the_deadline_of_its_type(string type, int seconds)
    {
        await using var line = await CommandLine.CreateAsync();
        var (heard, unheard) = (await line.IssueAsync(type), await line.IssueAsync(type, device: "cam1"));
        await line.HearAsync();
        await line.Database.AdvanceAsync(TimeSpan.FromSeconds(seconds - 5));
        Assert.Equal(0, await line.Expiry.RunAsync(Ct));
        await line.Database.AdvanceAsync(TimeSpan.FromSeconds(5));
        await line.Expiry.RunAsync(Ct);
        Assert.Equal(("expired", "expired"), ((await line.RowAsync(heard)).State, (await line.RowAsync(unheard)).State));
        Assert.Equal("cmd.expired warning cam1, cmd.expired warning plc1", string.Join(", ", (await line.ExceptionsAsync()).Split(", ").Order(StringComparer.Ordinal)));
        Assert.Empty(await line.List.TakeAsync(CommandLine.Machine, line.Camera, 0, Ct));
    }

    [Fact]
    public async Task A_newer_command_takes_the_place_of_older_ones_that_move_the_machine_and_of_no_others()
    {
        await using var line = await CommandLine.CreateAsync();
        var (identify, start, otherStart, otherPause) = (await line.IssueAsync("identify"), await line.IssueAsync("start"), await line.IssueAsync("start", device: "cam1"), await line.IssueAsync("identify", device: "cam1"));
        await line.HearAsync();
        var end = await line.IssueAsync("end");
        Assert.Equal(["acked", "superseded", "superseded", "queued", "queued"],
            [(await line.RowAsync(identify)).State, (await line.RowAsync(start)).State, (await line.RowAsync(otherStart)).State, (await line.RowAsync(otherPause)).State, (await line.RowAsync(end)).State]);
        var again = await line.IssueAsync("end");
        Assert.Equal(("superseded", "queued"), ((await line.RowAsync(end)).State, (await line.RowAsync(again)).State));
    }

    [Fact]
    public async Task Fences_rise_by_one_whoever_commands_the_line_at_once()
    {
        await using var line = await CommandLine.CreateAsync();
        await Task.WhenAll(Enumerable.Range(0, 24).Select(n => line.IssueAsync(n % 3 == 0 ? "end" : "identify", device: n % 2 == 0 ? "plc1" : "cam1")));
        Assert.Equal(string.Join(',', Enumerable.Range(1, 24)), await line.Database.ScalarAsync<string>("select string_agg(fence::text, ',' order by fence) from device_command"));
        // Who has seen a number has missed none before it.
        Assert.True(await line.Database.ScalarAsync<bool>("select bool_and(fence > before) from (select fence, lag(fence, 1, 0) over (partition by device_id order by number) as before from device_command) o"));
    }

    [Fact]
    public async Task A_pause_is_done_when_the_machine_says_that_it_stands_and_not_when_the_device_says_done()
    {
        await using var line = await CommandLine.CreateAsync();
        var before = await line.NowAsync();
        Assert.Null(await line.Answers.ReportAsync(CommandLine.Machine, line.Plc, "Held", before.AddSeconds(-30), Ct)); // it stood a while ago
        var pause = await line.IssueAsync("pause", "quality");
        await line.HearAsync();
        Assert.Equal("acked", (await line.Answers.CompleteAsync(CommandLine.Machine, line.Plc, pause, 1, "done", null, null, Ct)).State);
        Assert.Equal("acked", (await line.Answers.CompleteAsync(CommandLine.Machine, line.Plc, pause, 1, "done", "Holding", null, Ct)).State);
        Assert.Equal("awaited", (await line.RowAsync(pause)).Proof);
        Assert.Null(await line.Answers.ReportAsync(CommandLine.Machine, line.Plc, "Suspended", await line.NowAsync(), Ct)); // for quality it is to be held
        Assert.Equal("awaited", (await line.RowAsync(pause)).Proof);
        Assert.Null(await line.Answers.ReportAsync(CommandLine.Machine, line.Plc, "Held", await line.NowAsync(), Ct));
        Assert.Equal(("done", "proved", "Held"), ((await line.RowAsync(pause)).State, (await line.RowAsync(pause)).Proof, (await line.RowAsync(pause)).MachineState));
        await line.Database.AdvanceAsync(TimeSpan.FromSeconds(11));
        await line.Expiry.RunAsync(Ct);
        Assert.Equal("", await line.ExceptionsAsync());

        var starved = await line.IssueAsync("pause", "starved");
        await line.HearAsync();
        Assert.Equal("done", (await line.Answers.CompleteAsync(CommandLine.Machine, line.Plc, starved, 2, "done", "Suspended", null, Ct)).State);
        Assert.Equal("Suspended", (await line.List.StateAsync(CommandLine.Operator, "plc1", Ct))!.State);
        Assert.NotNull(await line.Answers.ReportAsync(CommandLine.Machine, line.Plc, "Held", (await line.NowAsync()).AddMinutes(6), Ct));
    }

    [Fact]
    public async Task A_state_from_before_a_pause_that_arrives_after_it_proves_nothing()
    {
        await using var line = await CommandLine.CreateAsync();
        var pause = await line.IssueAsync("pause", "quality");
        await line.HearAsync();
        Assert.Null(await line.Answers.ReportAsync(CommandLine.Machine, line.Plc, "Held", (await line.NowAsync()).AddSeconds(-8), Ct));
        Assert.Equal(("acked", "awaited"), ((await line.RowAsync(pause)).State, (await line.RowAsync(pause)).Proof));
    }

    [Theory]
    [InlineData(5_000)]
    [InlineData(-60_000)]
    [InlineData(400_000)]
    public async Task A_machine_whose_clock_is_wrong_proves_a_pause_neither_too_early_nor_never(int offsetMs)
    {
        await using var line = await CommandLine.CreateAsync();
        await line.Database.ExecuteAsync($"""
            select set_config('app.actor', 'test', false);
            insert into api_key (key_id, party_id, role, name, secret_hash, created_at) values ('0123456789abcdef', 1, 'device', 'test', sha256(''), gateway_now());
            insert into device_status (device_id, party_id, key_id, epoch, firmware, config_hash, offset_ms, measured_at) values ({line.Plc.DeviceId}, 1, '0123456789abcdef', 1, '1', '1', {offsetMs}, gateway_now())
            """);
        var pause = await line.IssueAsync("pause", "quality");
        await line.HearAsync();
        Assert.Null(await line.Answers.ReportAsync(CommandLine.Machine, line.Plc, "Held", (await line.NowAsync()).AddSeconds(-4).AddMilliseconds(offsetMs), Ct)); // it stood before it was asked to
        Assert.Equal(("acked", "awaited"), ((await line.RowAsync(pause)).State, (await line.RowAsync(pause)).Proof));
        Assert.Null(await line.Answers.ReportAsync(CommandLine.Machine, line.Plc, "Held", (await line.NowAsync()).AddMilliseconds(offsetMs), Ct));
        Assert.Equal(("done", "proved"), ((await line.RowAsync(pause)).State, (await line.RowAsync(pause)).Proof));
    }

    [Fact]
    public async Task A_clock_that_was_ahead_makes_nothing_late_that_is_said_after_it()
    {
        await using var line = await CommandLine.CreateAsync();
        Assert.Null(await line.Answers.ReportAsync(CommandLine.Machine, line.Plc, "Execute", (await line.NowAsync()).AddSeconds(30), Ct));
        Assert.Null(await line.Answers.ReportAsync(CommandLine.Machine, line.Plc, "Idle", await line.NowAsync(), Ct));
        Assert.Equal("Idle", (await line.List.StateAsync(CommandLine.Operator, "plc1", Ct))!.State);
    }

    [Theory]
    [InlineData("failed")]
    [InlineData("rejected")]
    public async Task A_pause_that_the_device_could_not_do_is_an_alarm_unless_the_machine_stands_all_the_same(string outcome)
    {
        await using var line = await CommandLine.CreateAsync();
        foreach (var stands in (bool[])[true, false])
        {
            var pause = await line.IssueAsync("pause", "operator");
            await line.HearAsync();
            var fence = (await line.RowAsync(pause)).Fence;
            Assert.Equal(outcome, (await line.Answers.CompleteAsync(CommandLine.Machine, line.Plc, pause, fence, outcome, null, null, Ct)).State);
            if (stands)
            {
                Assert.Null(await line.Answers.ReportAsync(CommandLine.Machine, line.Plc, "Held", await line.NowAsync(), Ct));
            }
            await line.Database.AdvanceAsync(TimeSpan.FromSeconds(10));
            await line.Expiry.RunAsync(Ct);
            Assert.Equal((outcome, stands ? "proved" : "unproved"), ((await line.RowAsync(pause)).State, (await line.RowAsync(pause)).Proof));
            Assert.Equal(stands ? "" : "pause.unproved error plc1", await line.ExceptionsAsync());
        }
    }

    [Fact]
    public async Task A_pause_that_was_replaced_by_another_still_has_to_be_proved_and_one_that_was_to_go_on_has_not()
    {
        await using var line = await CommandLine.CreateAsync();
        var (first, second) = (await line.IssueAsync("pause", "quality"), await line.IssueAsync("pause", "operator"));
        Assert.Equal(("superseded", "awaited"), ((await line.RowAsync(first)).State, (await line.RowAsync(first)).Proof));
        await line.Database.AdvanceAsync(TimeSpan.FromSeconds(10));
        await line.Expiry.RunAsync(Ct);
        Assert.Equal(("unproved", "unproved"), ((await line.RowAsync(first)).Proof, (await line.RowAsync(second)).Proof));
        Assert.Equal(2L, await line.Database.ScalarAsync<long>("select count(*) from line_hold"));

        await using var other = await CommandLine.CreateAsync();
        var pause = await other.IssueAsync("pause", "operator");
        await other.IssueAsync("resume");
        await other.Database.AdvanceAsync(TimeSpan.FromSeconds(10));
        await other.Expiry.RunAsync(Ct);
        Assert.Equal("moot", (await other.RowAsync(pause)).Proof);
    }

    [Fact]
    public async Task A_step_that_is_not_of_a_command_is_refused_by_the_database()
    {
        await using var line = await CommandLine.CreateAsync();
        var cmd = await line.IssueAsync("identify");
        await using var connection = await Database.RowSecurityAttackTests.ConnectAsync(line.Database, "gateway_app");
        foreach (var set in (string[])["state = 'done', ended_at = now()", "state = 'acked'", "state = 'sent', detail = 'x'", "state = 'queued', tries = 2", "state = 'expired', ended_at = now(), proof = 'proved', machine_state = 'x'"])
        {
            await using var transaction = await connection.BeginTransactionAsync(Ct);
            await using var command = new NpgsqlCommand($"select set_config('app.party', '*', true), set_config('app.actor', 'test', true); update device_command set {set}", connection, transaction);
            Assert.Equal("GW045", (await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync(Ct))).SqlState);
        }
        Assert.Equal("queued", (await line.RowAsync(cmd)).State);
        await line.Database.AdvanceAsync(TimeSpan.FromSeconds(31));
        await line.Expiry.RunAsync(Ct);
        var ended = await Assert.ThrowsAsync<PostgresException>(() => line.Database.ExecuteAsync("select set_config('app.actor', 'test', false); update device_command set state = 'done'"));
        Assert.Equal("GW045", ended.SqlState);
    }

    [Fact]
    public async Task Another_party_sees_no_command_and_speaks_as_no_device_of_ours()
    {
        await using var line = await CommandLine.CreateAsync();
        await line.Database.ExecuteAsync(CommandLine.Lines("They", "cmo", "L2", "plc1"));
        var cmd = await line.IssueAsync("identify");
        var they = new Actor("key:they", "They", "cmo", await line.Database.ScalarAsync<int>("select party_id from party where name = 'They'"), "key", "test") { Sees = await line.Database.ScalarAsync<string>("select party_id::text from party where name = 'They'") };
        Assert.Null(await line.List.FindAsync(they, cmd, Ct));
        Assert.Empty(await line.List.ListAsync(they, "L1", null, null, 10, Ct));
        Assert.Null((await line.Issuing.IssueAsync(they, "L1", CommandLine.Request("end"), Ct)).CmdId);
        var theirs = (await new DeviceAccess(line.Database.Gateway).SpeakerAsync(they, "plc1", Ct))!; // the same name
        Assert.NotEqual(line.Plc.DeviceId, theirs.DeviceId);
        Assert.Null((await line.Answers.AckAsync(they, line.Plc, cmd, 1, Ct)).Code);
        Assert.Empty(await line.List.TakeAsync(they, theirs, 0, Ct));
        Assert.Null(await new DeviceAccess(line.Database.Gateway).SpeakerAsync(they, "cam1", Ct));
        Assert.Null(await new DeviceAccess(line.Database.Gateway).SpeakerAsync(CommandLine.Machine with { PartyId = 99 }, "plc1", Ct));
        await line.Database.ExecuteAsync("select set_config('app.actor', 'test', false); update device set withdrawn = true where device_id = " + line.Plc.DeviceId);
        Assert.Null(await new DeviceAccess(line.Database.Gateway).SpeakerAsync(CommandLine.Machine, "plc1", Ct));
        Assert.Contains("withdrawn", (await line.Issuing.IssueAsync(CommandLine.Operator, "L1", CommandLine.Request("end"), Ct)).Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_command_cannot_be_is_said_in_a_sentence()
    {
        await using var line = await CommandLine.CreateAsync();
        foreach (var (request, part) in new (CommandRequest, string)[]
        {
            (CommandLine.Request("explode"), "type"), (CommandLine.Request("end", "boredom"), "reasonClass"), (CommandLine.Request("end", reason: " "), "reason"), (CommandLine.Request("end", device: ""), "device"),
            (CommandLine.Request("end", since: DateTimeOffset.UtcNow), "triggerAt"), (CommandLine.Request("end", parameters: "[]"), "params"), (CommandLine.Request("end", device: "nobody"), "no device nobody"),
            (CommandLine.Request("end", parameters: """{"a":"\u0000"}"""), "params"),
        })
        {
            Assert.Contains(part, (await line.Issuing.IssueAsync(CommandLine.Operator, "L1", request, Ct)).Refusal, StringComparison.Ordinal);
        }
        Assert.Equal(0L, await line.Database.ScalarAsync<long>("select count(*) from device_command"));
    }
}
