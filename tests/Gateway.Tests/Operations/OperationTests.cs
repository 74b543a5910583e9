using Gateway.Access;
using Gateway.Delivery;
using Gateway.Operations;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Gateway.Tests.Operations;

/// <summary>Operations on many deliveries: what is frozen, who works on it, and what of it is done how often.</summary>
public sealed class OperationTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly Actor Person = new("key:0123", "Olga", "officer", 1, "key", "192.0.2.1") { Sees = "*" };
    private static readonly DeliveryFilter Dead = new("dead", PartnerId: 1);

    [Fact]
    public async Task What_arrives_after_the_set_is_frozen_is_not_touched()
    {
        await using var outbox = await DeadAsync(26);
        var node = outbox.Node();
        await outbox.Database.ExecuteAsync("update delivery set state = 'due' where delivery_id > 5");
        var id = await BeginAsync(node, "close");
        await outbox.Database.ExecuteAsync("update delivery set state = 'dead' where delivery_id > 5");
        await ToTheEndAsync(node, id);
        Assert.Equal(5, await outbox.CountAsync("state = 'closed' and delivery_id <= 5"));
        Assert.Equal(21, await outbox.CountAsync("state = 'dead' and delivery_id > 5"));
    }

    [Fact]
    public async Task The_same_request_asked_many_times_is_one_operation_and_another_with_its_key_is_refused()
    {
        await using var outbox = await DeadAsync(5);
        var begin = outbox.Node().GetRequiredService<BeginOperation>();
        var request = new OperationRequest("key one", "close", Dead, "Agreed with the partner.");
        var all = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => begin.RunAsync(Person, request, Ct))));
        Assert.Single(all, b => b.IsNew);
        Assert.Single(all.Select(b => b.OperationId).Distinct());
        Assert.Equal(1, await outbox.Database.ScalarAsync<long>("select count(*) from operation"));
        Assert.Equal(5, await outbox.Database.ScalarAsync<long>("select count(*) from operation_item"));
        Assert.Equal(Refused.KeyReused, (await begin.RunAsync(Person, request with { Reason = "Another." }, Ct)).Refused);
        Assert.Equal(Refused.KeyReused, (await begin.RunAsync(Person, request with { Filter = Dead with { Code = "http-400" } }, Ct)).Refused);
    }

    [Theory]
    [InlineData("merge", 1, null, Refused.KindUnknown)]
    [InlineData("close", null, null, Refused.NoPartner)]
    [InlineData("close", 99, null, Refused.NoPartner)]
    [InlineData("replay", 1, null, Refused.Nothing)]
    [InlineData("close", 1, null, Refused.NotConfirmed)]
    [InlineData("close", 1, "partner 1", Refused.NotConfirmed)]
    [InlineData("close", 1, "Partner 1", Refused.NotSigned)] // by a key or the command line never
    [InlineData("retry", 1, "Partner 1", Refused.None)]
    public async Task More_than_a_thousand_want_the_partners_name_and_nothing_impossible_is_begun(string kind, int? partner, string? confirm, Refused expected)
    {
        await using var outbox = await DeadAsync(1001);
        var begun = await outbox.Node().GetRequiredService<BeginOperation>().RunAsync(Person, new OperationRequest("k", kind, Dead with { PartnerId = partner }, "Why", Confirm: confirm), Ct);
        Assert.Equal(expected, begun.Refused);
        Assert.Equal(expected == Refused.None ? 1001 : 0, await outbox.Database.ScalarAsync<long>("select count(*) from operation_item"));
    }

    [Fact]
    public async Task Two_nodes_working_at_once_decide_each_delivery_once_in_the_name_of_who_asked()
    {
        await using var outbox = await DeadAsync(100);
        var (one, two) = (outbox.Node(), outbox.Node());
        var id = await BeginAsync(one, "close");
        await Task.WhenAll(ToTheEndAsync(one, id), ToTheEndAsync(two, id), ToTheEndAsync(two, id));
        Assert.Equal(100, await outbox.CountAsync("state = 'closed' and version = 2"));
        Assert.Equal(100, await outbox.Database.ScalarAsync<long>("select count(*) from delivery_decision where action = 'close' and reason = 'Agreed with the partner.' and actor = 'key:0123'"));
        // One entry each, and who looks at one finds the operation.
        Assert.Equal(100, await outbox.Database.ScalarAsync<long>($"select count(*) from audit_entry where entity = 'delivery_decision' and actor_name = 'Olga' and correlation = 'operation:{id}' and reason = 'Agreed with the partner.'"));
        Assert.Equal("running finished", await outbox.Database.ScalarAsync<string>("select string_agg(distinct new ->> 'state', ' ' order by new ->> 'state' desc) from audit_entry where entity = 'operation'"));
    }

    [Fact]
    public async Task A_node_killed_between_the_decision_and_its_outcome_has_done_neither_and_another_does_both_once()
    {
        await using var outbox = await DeadAsync(3);
        var (one, two) = (outbox.Node(), outbox.Node());
        var id = await BeginAsync(one, "close");
        // The backend dies when the outcome is written: the decision stands before it in the same transaction.
        await outbox.Database.ExecuteAsync("""
            create function die() returns trigger language plpgsql security definer as $$ begin perform pg_terminate_backend(pg_backend_pid()); return new; end $$;
            create trigger die before update on operation_item for each row when (new.ordinal = 2 and new.outcome <> 'pending') execute function die();
            """);
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => ToTheEndAsync(one, id));
        Assert.Equal(1, await outbox.CountAsync("state = 'closed'"));
        Assert.Equal(1, await outbox.Database.ScalarAsync<long>("select count(*) from delivery_decision"));
        Assert.Equal(2, await outbox.Database.ScalarAsync<long>("select count(*) from operation_item where outcome = 'pending'"));
        await outbox.Database.ExecuteAsync("drop trigger die on operation_item");
        await ToTheEndAsync(two, id);
        Assert.Equal(3, await outbox.CountAsync("state = 'closed' and version = 2"));
        Assert.Equal(3, await outbox.Database.ScalarAsync<long>("select count(*) from delivery_decision"));
    }

    [Fact]
    public async Task What_a_dead_node_held_is_gone_on_with_when_its_lease_has_run_out()
    {
        await using var outbox = await DeadAsync(30);
        var node = outbox.Node();
        var run = node.GetRequiredService<RunOperation>();
        var id = await BeginAsync(node, "close", rate: 5);
        Assert.Equal(1, await run.RunAsync(id, Ct));
        await outbox.Database.ExecuteAsync("update operation set lease_token = gen_random_uuid(), lease_until = gateway_now() + interval '30 s'");
        Assert.Empty(await run.RunnableAsync(Ct));
        Assert.Equal(0, await run.RunAsync(id, Ct));
        await outbox.Database.AdvanceAsync(TimeSpan.FromSeconds(31));
        Assert.Equal([id], await run.RunnableAsync(Ct));
        await ToTheEndAsync(node, id);
        Assert.Equal(30, await outbox.CountAsync("state = 'closed' and version = 2"));
    }

    [Fact]
    public async Task A_stage_waits_for_the_outcomes_of_the_one_before()
    {
        await using var outbox = await DeadAsync(130);
        var node = outbox.Node();
        var run = node.GetRequiredService<RunOperation>();
        var id = await BeginAsync(node, "retry");
        foreach (var done in (int[])[1, 11, 111, 130])
        {
            Assert.True(await run.RunAsync(id, Ct) > 0);
            Assert.Equal(done, await outbox.CountAsync("state = 'due'") + await outbox.CountAsync("state = 'delivered'"));
            if (done < 130)
            {
                Assert.Equal(0, await run.RunAsync(id, Ct)); // not a second one before the partner has answered the first
            }
            await outbox.Database.ExecuteAsync("update delivery set state = 'delivered', finished_at = gateway_now() where state = 'due'");
        }
        await ToTheEndAsync(node, id);
        Assert.Equal("finished", await StateAsync(outbox));
        var stages = await node.GetRequiredService<OperationOverview>().StagesAsync(Person, id, Ct);
        Assert.Equal([1L, 10L, 100L, 19L], stages.Select(s => s.Delivered));
    }

    [Fact]
    public async Task When_more_than_half_of_a_stage_fails_again_it_pauses_itself_with_the_reason_until_a_person_resumes()
    {
        await using var outbox = await DeadAsync(30);
        var node = outbox.Node();
        var run = node.GetRequiredService<RunOperation>();
        var id = await BeginAsync(node, "retry");
        await run.RunAsync(id, Ct);
        await outbox.Database.ExecuteAsync("update delivery set state = 'delivered', finished_at = gateway_now() where state = 'due'");
        await run.RunAsync(id, Ct);
        // Of ten, five are refused for good and one waits for its next attempt after a failure: six of ten.
        await outbox.Database.ExecuteAsync("""
            insert into attempt (delivery_id, number, party_id, started_at, ended_at, request_hash, code, verdict) select delivery_id, 9, party_id, gateway_now(), gateway_now(), '', 'http-503', 'theirs' from delivery where delivery_id = 7;
            update delivery set state = 'dead', dead_reason = 'refused', code = 'http-400' where delivery_id between 2 and 6;
            update delivery set state = 'delivered', finished_at = gateway_now() where delivery_id between 8 and 11;
            """);
        Assert.Equal(0, await run.RunAsync(id, Ct));
        Assert.Equal("paused", await StateAsync(outbox));
        Assert.Equal("6 of 10 deliveries of stage 2 failed again.", await outbox.Database.ScalarAsync<string>("select pause_reason from operation"));
        Assert.Equal(19, await outbox.CountAsync("state = 'dead' and delivery_id > 11"));

        Assert.True(await node.GetRequiredService<OperationControl>().ResumeAsync(Person, id, "The partner says it is mended.", Ct));
        await ToTheEndAsync(node, id);
        Assert.Equal(0, await outbox.CountAsync("state = 'dead' and delivery_id > 11"));
    }

    [Fact]
    public async Task Half_of_a_stage_is_not_more_than_half()
    {
        await using var outbox = await DeadAsync(12);
        var node = outbox.Node();
        var run = node.GetRequiredService<RunOperation>();
        var id = await BeginAsync(node, "retry");
        await run.RunAsync(id, Ct);
        await outbox.Database.ExecuteAsync("update delivery set state = 'delivered' where state = 'due'");
        await run.RunAsync(id, Ct);
        await outbox.Database.ExecuteAsync("update delivery set state = case when delivery_id <= 6 then 'dead' else 'delivered' end, dead_reason = 'refused' where state = 'due'");
        Assert.Equal(1, await run.RunAsync(id, Ct));
    }

    [Fact]
    public async Task A_stage_without_an_outcome_for_too_long_pauses_the_operation()
    {
        await using var outbox = await DeadAsync(3);
        var node = outbox.Node();
        var run = node.GetRequiredService<RunOperation>();
        var id = await BeginAsync(node, "retry");
        await run.RunAsync(id, Ct);
        await run.RunAsync(id, Ct);
        await outbox.Database.AdvanceAsync(TimeSpan.FromMinutes(14));
        await run.RunAsync(id, Ct);
        Assert.Equal("running", await StateAsync(outbox));
        await outbox.Database.AdvanceAsync(TimeSpan.FromMinutes(2));
        await run.RunAsync(id, Ct);
        Assert.Equal("paused", await StateAsync(outbox));
    }

    [Fact]
    public async Task Pause_and_cancel_leave_the_rest_as_it_is_and_what_is_over_stays_over()
    {
        await using var outbox = await DeadAsync(20);
        var node = outbox.Node();
        var (run, control) = (node.GetRequiredService<RunOperation>(), node.GetRequiredService<OperationControl>());
        var id = await BeginAsync(node, "close");
        await run.RunAsync(id, Ct);
        Assert.True(await control.PauseAsync(Person, id, "Wait for the partner.", Ct));
        Assert.Equal(0, await run.RunAsync(id, Ct));
        Assert.False(await control.PauseAsync(Person, id, "Again.", Ct));
        Assert.True(await control.CancelAsync(Person, id, "Not needed.", Ct));
        Assert.False(await control.ResumeAsync(Person, id, "Go on.", Ct));
        Assert.Equal(0, await run.RunAsync(id, Ct));
        Assert.Equal(1, await outbox.CountAsync("state = 'closed'"));
        Assert.Equal(19, await outbox.CountAsync("state = 'dead' and version = 1"));
        Assert.Equal(19, await outbox.Database.ScalarAsync<long>("select count(*) from operation_item where outcome = 'cancelled'"));
        Assert.Equal("Wait for the partner. Not needed.", await outbox.Database.ScalarAsync<string>("select string_agg(reason, ' ' order by ord) from audit_entry where entity = 'operation' and action = 'update' and actor_name = 'Olga'"));
    }

    [Fact]
    public async Task A_delivery_that_changed_since_is_refused_and_the_others_go_on()
    {
        await using var outbox = await DeadAsync(4);
        var node = outbox.Node();
        var id = await BeginAsync(node, "retry");
        var decisions = node.GetRequiredService<DeliveryDecisions>();
        Assert.Null((await decisions.CloseAsync(Person, 1, 1, "Somebody was faster.", Ct)).Refusal);
        // Closed and opened again: dead as before, and yet not what was seen.
        Assert.Null((await decisions.CloseAsync(Person, 3, 1, "Somebody was faster.", Ct)).Refusal);
        Assert.Null((await decisions.ReopenAsync(Person, 3, 2, "And thought again.", Ct)).Refusal);
        await ToTheEndAsync(node, id, settle: outbox);
        Assert.Equal("refused done refused done", await outbox.Database.ScalarAsync<string>("select string_agg(outcome, ' ' order by ordinal) from operation_item"));
        Assert.Equal(2, await outbox.Database.ScalarAsync<long>("select count(*) from operation_item where detail is not null"));
        Assert.Equal("closed delivered dead delivered", await outbox.Database.ScalarAsync<string>("select string_agg(state, ' ' order by delivery_id) from delivery"));
    }

    [Fact]
    public async Task One_that_cannot_be_done_is_refused_and_does_not_keep_the_others_from_it()
    {
        await using var outbox = await DeadAsync(4);
        var node = outbox.Node();
        var id = await BeginAsync(node, "close");
        await outbox.Database.ExecuteAsync("alter table delivery add constraint stubborn check (delivery_id <> 2 or state = 'dead')");
        await ToTheEndAsync(node, id);
        Assert.Equal("done refused done done", await outbox.Database.ScalarAsync<string>("select string_agg(outcome, ' ' order by ordinal) from operation_item"));
        Assert.Equal(3, await outbox.Database.ScalarAsync<long>("select count(*) from delivery_decision"));
    }

    [Fact]
    public async Task What_was_delivered_in_a_window_is_sent_again_and_nothing_else()
    {
        await using var outbox = await DeadAsync(6);
        await outbox.Database.ExecuteAsync("update delivery set state = 'delivered', dead_reason = null, code = null, finished_at = timestamptz '2026-11-20 10:00+00' + delivery_id * interval '1 hour'");
        var node = outbox.Node();
        var window = new DeliveryFilter("taken", PartnerId: 1, From: At(12), To: At(15));
        var begun = await node.GetRequiredService<BeginOperation>().RunAsync(Person, new OperationRequest("k", "replay", window, "The partner lost three hours.", Rate: 1000), Ct);
        await ToTheEndAsync(node, begun.OperationId, settle: outbox);
        Assert.Equal("2 3 4", await outbox.Database.ScalarAsync<string>("select string_agg(replay_of::text, ' ' order by replay_of) from delivery where replay_of is not null"));
        Assert.Equal(3, await outbox.Database.ScalarAsync<long>("select count(*) from operation_item i join delivery d on d.delivery_id = i.created and d.replay_of = i.delivery_id"));

        static DateTime At(int hour) => new(2026, 11, 20, hour, 0, 0, DateTimeKind.Utc);
    }

    private static async Task<Outbox> DeadAsync(int count)
    {
        var outbox = await Outbox.CreateAsync();
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.org"), count, 1);
        await outbox.Database.ExecuteAsync("update delivery set state = 'dead', dead_reason = 'refused', code = 'http-400', attempts = 3");
        return outbox;
    }

    private static async Task<long> BeginAsync(ServiceProvider node, string kind, int rate = 1000)
    {
        var begun = await node.GetRequiredService<BeginOperation>().RunAsync(Person, new OperationRequest(Guid.NewGuid().ToString(), kind, Dead, "Agreed with the partner.", rate), Ct);
        Assert.Equal(Refused.None, begun.Refused);
        return begun.OperationId;
    }

    // Turns until nothing is running any more, as the worker takes them.
    private static async Task ToTheEndAsync(ServiceProvider node, long id, Outbox? settle = null)
    {
        var (run, overview) = (node.GetRequiredService<RunOperation>(), node.GetRequiredService<OperationOverview>());
        for (var turn = 0; turn < 10_000 && (await overview.FindAsync(Person, id, Ct))!.State == "running"; turn++)
        {
            await run.RunAsync(id, Ct);
            if (settle is not null)
            {
                await settle.Database.ExecuteAsync("update delivery set state = 'delivered', finished_at = gateway_now() where state = 'due'");
            }
        }
    }

    private static Task<string> StateAsync(Outbox outbox) => outbox.Database.ScalarAsync<string>("select state from operation");
}
