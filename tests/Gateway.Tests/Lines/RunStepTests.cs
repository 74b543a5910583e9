using Gateway.Access;
using Gateway.Lines;
using Gateway.Tests.Access;
using Gateway.Tests.Units;
using Gateway.Units;

namespace Gateway.Tests.Lines;

/// <summary>A run from planned to closed: what must be so before each step, who signs, and what is refused.</summary>
public sealed class RunStepTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_run_goes_from_planned_to_closed_and_each_step_says_who_when_and_why()
    {
        await using var line = await TestLine.StartAsync(people: [("olga", "operator")]);
        var olga = await line.PersonAsync("olga");
        Assert.Equal("Nobody has signed the line clearance.", await line.TakeAsync(olga, "ready"));
        Assert.StartsWith("The line is not clear", await line.ClearAsync(olga, isInOrder: false), StringComparison.Ordinal);
        Assert.Null(await line.ClearAsync(olga));
        var checks = (await line.DetailsAsync()).Readiness;
        Assert.Equal(["clearance", "devices", "clocks", "numbers", "line"], checks.Select(c => c.Name));
        Assert.All(checks, c => Assert.True(c.IsMet && c.Says.EndsWith('.'), c.Says));
        await line.WalkAsync("ready", "start", "pause", "resume");
        await line.PackWholeAsync(palletHolds: 4);
        await line.WalkAsync("end", "reconcile", "close");
        var details = await line.DetailsAsync();
        Assert.Equal("plan planned, ready ready, start running, pause paused, resume running, end ended, reconcile reconciled, close closed", string.Join(", ", details.Steps.Select(s => $"{s.Step} {s.To}")));
        Assert.All(details.Steps.Skip(1), s => Assert.Equal(("because", "Gateway test"), (s.Why, s.ActorName)));
        Assert.True(details.Run is { StartedAt: not null, EndedAt: not null, ClosedAt: not null, State: "closed", Version: 8 });
        Assert.Equal(20, await line.Database.ScalarAsync<long>("select (balance -> 0 -> 'counts' ->> 'activePacked')::bigint from run_step where step = 'close'"));
        // Closed is for good, whatever is asked.
        foreach (var step in RunSteps.Steps)
        {
            Assert.NotNull(await line.TakeAsync(TestLine.Somebody, step));
        }
        Assert.Equal("closed", await line.StateAsync());
    }

    [Fact]
    public async Task A_run_that_stands_blocked_may_be_stopped_for_quality_and_not_the_other_way_round()
    {
        await using var line = await TestLine.StartAsync(people: [("olga", "operator")]);
        Assert.Null(await line.ClearAsync(await line.PersonAsync("olga")));
        await line.WalkAsync("ready", "start");
        Assert.Null(await line.TakeAsync(TestLine.Somebody, "pause", cause: "blocked"));
        Assert.Equal("The run is paused: pause follows on running.", await line.TakeAsync(TestLine.Somebody, "pause", cause: "starved"));
        Assert.Null(await line.TakeAsync(TestLine.Somebody, "pause", cause: "quality"));
        Assert.Equal(("paused", "quality"), ((await line.DetailsAsync()).Run.State, (await line.DetailsAsync()).Run.Cause));
        Assert.Equal("The run is paused: pause follows on running.", await line.TakeAsync(TestLine.Somebody, "pause", cause: "blocked"));
        Assert.StartsWith("After a quality stop", await line.TakeAsync(TestLine.Somebody, "resume"), StringComparison.Ordinal);
        Assert.Equal("The run is paused: pause is not what comes next.", (await Assert.ThrowsAsync<Npgsql.PostgresException>(() => line.Database.ExecuteAsync("""
            select set_config('app.actor', 'test', false), set_config('app.party', '*', false);
            insert into run_step (run_id, party_id, step, to_state, cause, why, actor, actor_name, actor_role, at) select run_id, party_id, 'pause', '', 'blocked', 'why', 'test', 'test', 'test', now() from run
            """))).MessageText);
    }

    [Fact]
    public async Task Devices_of_which_nothing_is_known_another_lot_and_a_withdrawn_line_keep_a_run_from_being_ready()
    {
        await using var line = await TestLine.StartAsync(people: [("olga", "operator")]);
        var olga = await line.PersonAsync("olga");
        Assert.Null(await line.ClearAsync(olga));
        await line.Database.ExecuteAsync("select set_config('app.actor', 'test', false); insert into device (party_id, name, line_id, kind, registered_at) select party_id, 'CAM1', line_id, 'camera', now() from line");
        var refusal = await line.TakeAsync(olga, "ready");
        Assert.Equal("CAM1 is not qualified. CAM1 has not registered. CAM1 has sent no heartbeat yet, so its clock is not known.", refusal);
        Assert.Equal(refusal, await line.Database.ScalarAsync<string>("select new ->> 'refusal' from audit_entry where action = 'refused' order by ord desc limit 1"));
        await line.Database.ExecuteAsync("select set_config('app.actor', 'test', false); update device set withdrawn = true");

        var second = (await line.PlanAsync(lot: "L2")).Id;
        Assert.Null(await line.ClearAsync(olga, run: second));
        await line.WalkAsync("ready", "start");
        Assert.Equal("Lot L1 is still on the line: end it first.", await line.TakeAsync(olga, "ready", run: second));
        await line.WalkAsync("end");
        // What the other lot left on the line, nobody has looked for.
        Assert.Equal("Lot L1 was on the line since it was cleared: clear it anew.", await line.TakeAsync(olga, "ready", run: second));
        Assert.Null(await line.ClearAsync(olga, run: second));
        Assert.Null(await line.TakeAsync(olga, "ready", run: second));
        await line.Lines.PutAsync(TestLine.Somebody, "PL01", new LineRequest("Line", "9521234000013", Said.Line, "Europe/Berlin", null, true, null, "sold", null), Ct);
        Assert.Equal("The line is withdrawn.", await line.TakeAsync(olga, "start", run: second));
    }

    [Fact]
    public async Task Devices_that_are_qualified_online_and_on_time_make_a_run_ready_and_each_hindrance_is_its_sentence()
    {
        await using var line = await TestLine.StartAsync(people: [("olga", "operator")]);
        Assert.Null(await line.ClearAsync(await line.PersonAsync("olga")));
        await line.AddDeviceAsync("CAM1");
        await line.AddDeviceAsync("PRT1");
        foreach (var (sql, name, sentence) in ((string, string, string)[])
            [
                ("update device_qualification set valid_until = '2020-01-31' where device_id = 1", "devices", "The qualification of CAM1 ended on 2020-01-31."),
                ("update device_qualification set valid_until = '2050-01-31' where device_id = 1; update device_status set firmware = '2.0' where device_id = 2", "devices", "PRT1 runs firmware 2.0 and is qualified with 1.0."),
                ("update device_status set firmware = '1.0', offline_since = gateway_now() where device_id = 2", "devices", "PRT1 is offline."),
                ("update device_status set offline_since = null, offset_ms = -61000 where device_id = 2", "clocks", "The clock of PRT1 is 61 s behind the gateway's."),
                ("update device_status set measured_at = null where device_id = 2", "clocks", "PRT1 has sent no heartbeat yet, so its clock is not known."),
                ("""
                 update device_status set measured_at = gateway_now(), offset_ms = 400;
                 insert into device_command (party_id, line_id, device_id, type, reason, reason_class, trigger_at, fence, issued_by, issued_by_name, issued_at, deadline, proof)
                 select party_id, line_id, device_id, 'pause', 'rejects', 'quality', now(), 1, 'test', 'test', now(), now(), 'proved' from device where device_id = 2
                 """, "line", "A quality pause stands on the line: its resume is signed first, by who may decide."),
            ])
        {
            await line.PastRulesAsync(sql);
            Assert.Equal((name, sentence), Assert.Single((await line.DetailsAsync()).Readiness, c => !c.IsMet) is var check ? (check.Name, check.Says) : default);
            Assert.Equal(sentence, await line.TakeAsync(TestLine.Somebody, "ready"));
        }
        await line.PastRulesAsync("update device_command set lifted_by = command_id");
        await line.WalkAsync("ready", "start");
        // Who looks at a line that runs is told what it waits for.
        Assert.Empty((await line.DetailsAsync()).Warnings);
        await line.PastRulesAsync("update device_status set offline_since = gateway_now() where device_id = 2");
        Assert.Equal(["PRT1 is offline."], (await line.DetailsAsync()).Warnings);
    }

    [Fact]
    public async Task After_a_quality_stop_only_who_may_decide_lets_the_line_run_and_signs_for_it()
    {
        await using var line = await TestLine.StartAsync(people: [("olga", "operator"), ("anna", "officer")]);
        var (olga, anna) = (await line.PersonAsync("olga"), await line.PersonAsync("anna"));
        Assert.Null(await line.ClearAsync(olga));
        await line.WalkAsync("ready", "start");
        Assert.Null(await line.TakeAsync(olga, "pause", "five rejects of one reason", cause: "quality"));
        Assert.StartsWith("After a quality stop", await line.TakeAsync(anna, "resume"), StringComparison.Ordinal);
        const string Why = "lamp changed, challenge set passed";
        Task<string?> ResumeAsync(Actor who, string signed, string done) => line.Steps.QualityResumeAsync(who, line.Run, signed, Ct) is var record ? SignAsync(who, record, done) : null!;
        async Task<string?> SignAsync(Actor who, Task<SignableRecord?> record, string done) => await line.SignAsync(who, RunSteps.QualityResume, (await record)!, RunSteps.QualityResumed(done));
        Assert.Contains("lines.decide", await ResumeAsync(olga, Why, Why), StringComparison.Ordinal);
        Assert.Equal("After a quality stop the line runs again by a signature.", await ResumeAsync(anna, Why, "something else"));
        Assert.Equal("paused", await line.StateAsync());
        Assert.Null(await ResumeAsync(anna, Why, Why));
        Assert.Equal("running", await line.StateAsync());
        var step = (await line.DetailsAsync()).Steps[^1];
        Assert.Equal(("resume", Why, "person:anna", true), (step.Step, step.Why, step.Actor, step.SignatureId is not null));
        Assert.NotNull(await ResumeAsync(anna, Why, Why));
        // A stop that is none of quality needs nobody who decides.
        await line.WalkAsync("pause", "resume");
    }

    [Fact]
    public async Task The_database_moves_a_run_by_steps_alone()
    {
        await using var line = await TestLine.StartAsync();
        foreach (var (sql, code) in ((string, string)[])
            [("update run set state = 'closed'", "42501"), ("insert into run (party_id, line_id, gtin, lot, expiry, quantity, planned_at, state) select party_id, line_id, gtin, lot, expiry, 1, planned_at, 'closed' from run", "42501"),
             ("insert into run_step (run_id, party_id, step, to_state, actor, actor_name, actor_role, at) select run_id, party_id, 'close', 'closed', 'x', 'x', 'x', now() from run", "GW046"),
             ("insert into run_step (run_id, party_id, step, to_state, actor, actor_name, actor_role, at) select run_id, party_id, 'plan', 'planned', 'x', 'x', 'x', now() from run", "GW046"),
             ("insert into run_clearance (run_id, party_id, items, signature_id, cleared_by, cleared_at) select run_id, party_id, '[1]', 1, 'x', now() from run", "GW046"),
             ("insert into run_difference (run_id, party_id, subject, amount, why, signature_id, accepted_by, accepted_at) select run_id, party_id, 'x', 1, 'x', 1, 'x', now() from run", "GW046"),
             ("update run_step set why = 'x'", "42501"), ("delete from run_step", "42501")])
        {
            await using var work = await line.Database.Gateway.BeginAsync(TestLine.Somebody, Ct);
            var refused = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => Dapper.SqlMapper.ExecuteAsync(work.Connection, sql, transaction: work.Transaction));
            Assert.Equal((sql, code), (sql, refused.SqlState));
        }
        Assert.Equal("planned", await line.StateAsync());
    }

    [Fact]
    public async Task A_CMO_sees_and_steps_its_own_runs_only()
    {
        await using var line = await TestLine.StartAsync();
        var theirs = await line.PlanAsync(await line.AddLineAsync("PL01", "First CMO"), "L9");
        var party = await line.Database.ScalarAsync<int>("select party_id from party where name = 'First CMO'");
        var cmo = TestLine.Somebody with { Id = "key:cmo", Sees = party.ToString(System.Globalization.CultureInfo.InvariantCulture), PartyId = party };
        Assert.Equal("First CMO", Assert.Single(await line.Lines.ListAsync(cmo, Ct)).Party);
        Assert.Equal("First CMO", (await line.Lines.FindAsync(cmo, "PL01", null, Ct))!.Party);
        Assert.Equal("Test Pharma", (await line.Lines.FindAsync(TestLine.Somebody, "PL01", null, Ct))!.Party);
        Assert.Equal(theirs.Id, Assert.Single(await line.Records.ListAsync(cmo, null, null, null, 10, Ct)).Id);
        Assert.Null(await line.Records.DetailsAsync(cmo, line.Run, Ct));
        Assert.Null(await line.Steps.ClearanceAsync(cmo, line.Run, [new("x", true)], Ct));
        Assert.Empty(await line.Records.OfLotAsync(cmo, TestLine.Gtin, TestLine.Lot, Ct));
        Assert.Equal("There is no such run.", await line.TakeAsync(cmo, "cancel"));
        Assert.Equal("There is no such run.", await line.Counts.ReportAsync(cmo, line.Run, "CAM1", "good", 1, Ct));
        Assert.Null(await line.TakeAsync(cmo, "cancel", run: theirs.Id));
        Assert.Equal("planned", await line.StateAsync());
    }

    [Fact]
    public async Task A_process_that_dies_within_a_step_leaves_neither_the_step_nor_the_state()
    {
        await using var line = await TestLine.StartAsync();
        // Planning is two writes, and so is a step: the row and what it moves.
        foreach (var sql in (string[])["cancel", "plan"])
        {
            await using var work = await line.Database.Gateway.BeginAsync(TestLine.Somebody, Ct);
            await Dapper.SqlMapper.ExecuteAsync(work.Connection, sql == "cancel"
                ? "insert into run_step (run_id, party_id, step, to_state, why, actor, actor_name, actor_role, at) select run_id, party_id, 'cancel', '', 'x', 'x', 'x', 'x', now() from run"
                : "insert into run (party_id, line_id, gtin, lot, expiry, quantity, planned_at) select party_id, line_id, gtin, 'L7', expiry, 1, planned_at from run", transaction: work.Transaction);
            await line.Database.ExecuteAsync($"select pg_terminate_backend({work.Connection.ProcessID})");
            await Assert.ThrowsAnyAsync<Exception>(() => work.CommitAsync());
        }
        Assert.Equal(("planned", 1L, 1L), (await line.StateAsync(), await line.Database.ScalarAsync<long>("select count(*) from run"), await line.Database.ScalarAsync<long>("select count(*) from run_step")));
        Assert.Equal(0, await line.Database.ScalarAsync<long>("select count(*) from run where not exists (select from run_step s where s.run_id = run.run_id)"));
    }

    [Fact]
    public async Task Of_two_who_start_at_once_one_has_started_it()
    {
        await using var line = await TestLine.StartAsync(people: [("olga", "operator")]);
        Assert.Null(await line.ClearAsync(await line.PersonAsync("olga")));
        await line.WalkAsync("ready");
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => line.TakeAsync(TestLine.Somebody, "start")));
        Assert.Single(answers, a => a is null);
        Assert.Equal(1, await line.Database.ScalarAsync<long>("select count(*) from run_step where step = 'start'"));
    }
}
