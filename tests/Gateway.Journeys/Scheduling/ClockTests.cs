using System.Net;
using Gateway.Scheduling;
using Gateway.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Journeys.Scheduling;

/// <summary>Quartz may fire twice, not at all, or hang on to a trigger; nothing but time is lost, and it is told.</summary>
public sealed class ClockTests
{
    private const string NextYear = "(extract(year from gateway_now() at time zone 'UTC')::int + 1)";

    // Ticks of 100 ns since the year 1, ten minutes ago.
    private const string TenMinutesAgo = "((extract(epoch from clock_timestamp()) - 600) * 1e7)::bigint + 621355968000000000";

    [Fact]
    public async Task The_clock_fires_every_chore_of_the_gateway_by_itself()
    {
        await using var gateway = await TestGateway.StartAsync(new Dictionary<string, string?> { ["Scheduling:StartDelay"] = "00:00:00" });
        var chores = gateway.Services.GetServices<ChoreRegistration>().Where(c => !c.OnEveryNode).Select(c => c.Name).ToList();
        Assert.Contains("make-partitions", chores);
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from quartz.qrtz_triggers where prev_fire_time > 0 and trigger_state in ('WAITING', 'ACQUIRED')") == chores.Count);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(2, 4)]
    public async Task However_often_and_wherever_chores_are_fired_they_leave_what_one_firing_leaves(int nodes, int times)
    {
        await using var gateway = await TestGateway.StartAsync(new Dictionary<string, string?> { ["Scheduling:StartDelay"] = "00:10:00" });
        await using var other = await gateway.AnotherNodeAsync(new Dictionary<string, string?> { ["Scheduling:StartDelay"] = "00:10:00" });
        await LeaveWorkAsync(gateway);
        var all = new[] { gateway.Services, other.Services }.Take(nodes).Select(s => s.GetRequiredService<RunChore>()).ToList();

        foreach (var chore in gateway.Services.GetServices<ChoreRegistration>())
        {
            await Task.WhenAll(Enumerable.Range(0, times).SelectMany(_ => all).Select(node => Task.Run(() => node.RunAsync(chore.Name, TestContext.Current.CancellationToken))));
        }

        Assert.Equal("3 partitions, 3 grants, due without lease after 1 crash, 1 unknown outcome", await gateway.Database.ScalarAsync<string>($"""
            select (select count(*) from pg_class where relname in ('event_y' || {NextYear}, 'event_epc_y' || {NextYear}, 'event_class_y' || {NextYear})) || ' partitions, '
                || (select count(*) from pg_class where relname in ('event_y' || {NextYear}, 'event_epc_y' || {NextYear}, 'event_class_y' || {NextYear}) and has_table_privilege('gateway_app', oid, 'insert')) || ' grants, '
                || (select state || case when lease_token is null then ' without lease' else ' leased' end || ' after ' || crashes || ' crash' from delivery) || ', '
                || (select count(*) from attempt where code = 'unknown-outcome' and ended_at is not null) || ' unknown outcome'
            """));
    }

    [Fact]
    public async Task Only_one_node_at_a_time_runs_a_chore_of_the_installation()
    {
        await using var database = await TestDatabase.CreateAsync();
        var chore = new LongChore();
        await using var node = await ClockNode.StartAsync(database, chore, TimeSpan.FromHours(1));
        await chore.Began.Task.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        var second = new CountedChore();
        await using var other = await ClockNode.StartAsync(database, second, TimeSpan.FromHours(1));
        Assert.False(await other.RunAsync("test"));
        Assert.Equal(0, second.Runs);
        await node.StopAsync();
        Assert.True(await other.RunAsync("test"));
        Assert.Equal(1, second.Runs);
    }

    [Fact]
    public async Task A_trigger_acquired_by_a_node_that_died_is_fired_by_another()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using (var first = await ClockNode.StartAsync(database, new CountedChore(), TimeSpan.FromHours(1)))
        {
            await Eventually.TrueAsync(async () => await database.ScalarAsync<long>("select count(*) from quartz.qrtz_triggers where prev_fire_time > 0 and trigger_state = 'WAITING'") == 1);
        }
        // What a node leaves that is killed between acquiring and firing.
        await database.ExecuteAsync($"""
            update quartz.qrtz_triggers set trigger_state = 'ACQUIRED', next_fire_time = {TenMinutesAgo};
            insert into quartz.qrtz_scheduler_state (sched_name, instance_name, last_checkin_time, checkin_interval) values ('gateway', 'dead', {TenMinutesAgo}, 1000);
            insert into quartz.qrtz_fired_triggers (sched_name, entry_id, instance_name, trigger_name, trigger_group, fired_time, sched_time, priority, state, is_nonconcurrent, requests_recovery)
                select sched_name, 'dead1', 'dead', trigger_name, trigger_group, {TenMinutesAgo}, {TenMinutesAgo}, 5, 'ACQUIRED', false, false from quartz.qrtz_triggers
            """);
        var chore = new CountedChore();
        await using var second = await ClockNode.StartAsync(database, chore, TimeSpan.FromHours(1));
        await Eventually.TrueAsync(() => Task.FromResult(chore.Runs > 0));
        await Eventually.TrueAsync(async () => await database.ScalarAsync<long>("select count(*) from quartz.qrtz_fired_triggers") == 0);
    }

    [Fact]
    public async Task A_firing_lost_while_no_node_lived_is_made_up_for_once()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using (var first = await ClockNode.StartAsync(database, new CountedChore(), TimeSpan.FromMinutes(1)))
        {
            await Eventually.TrueAsync(async () => await database.ScalarAsync<long>("select count(*) from quartz.qrtz_triggers where prev_fire_time > 0 and trigger_state = 'WAITING'") == 1);
        }
        await database.ExecuteAsync($"update quartz.qrtz_triggers set next_fire_time = {TenMinutesAgo}");
        var chore = new CountedChore();
        await using var second = await ClockNode.StartAsync(database, chore, TimeSpan.FromMinutes(1));
        await Eventually.TrueAsync(() => Task.FromResult(chore.Runs > 0));
        await second.StopAsync();
        Assert.Equal(1, chore.Runs); // of ten missed
    }

    [Fact]
    public async Task An_overdue_trigger_is_told_by_the_readiness_of_every_node_until_it_is_mended()
    {
        await using var gateway = await TestGateway.StartAsync(new Dictionary<string, string?> { ["Scheduling:StartDelay"] = "00:00:00" });
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from quartz.qrtz_triggers where prev_fire_time > 0 and trigger_state = 'WAITING' and trigger_name = 'make-partitions'") == 1);
        await gateway.Database.ExecuteAsync($"update quartz.qrtz_triggers set trigger_state = 'BLOCKED', next_fire_time = {TenMinutesAgo} where trigger_name = 'make-partitions'");

        await gateway.Services.GetRequiredService<RunChore>().RunAsync("watch-clock", TestContext.Current.CancellationToken);

        Assert.Equal((HttpStatusCode.OK, "ready; overdue: make-partitions"), await ReadyAsync(gateway)); // capture does not need the clock
        await gateway.Database.ExecuteAsync("update quartz.qrtz_triggers set trigger_state = 'WAITING', next_fire_time = next_fire_time + 864000000000 where trigger_name = 'make-partitions'");
        await gateway.Services.GetRequiredService<RunChore>().RunAsync("watch-clock", TestContext.Current.CancellationToken);
        Assert.Equal((HttpStatusCode.OK, "ready"), await ReadyAsync(gateway));
    }

    [Fact]
    public async Task A_database_that_confirms_what_it_has_not_flushed_makes_the_node_not_ready()
    {
        await using var gateway = await TestGateway.StartAsync();
        var run = gateway.Services.GetRequiredService<RunChore>();
        await run.RunAsync("watch-durability", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, (await ReadyAsync(gateway)).Status);

        await gateway.Database.ExecuteAsync($"alter database {gateway.Database.Name} set synchronous_commit = off");
        await run.RunAsync("watch-durability", TestContext.Current.CancellationToken);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "not ready; commits are not durable: synchronous_commit = off"), await ReadyAsync(gateway));

        await gateway.Database.ExecuteAsync($"alter database {gateway.Database.Name} reset synchronous_commit");
        await run.RunAsync("watch-durability", TestContext.Current.CancellationToken);
        Assert.Equal((HttpStatusCode.OK, "ready"), await ReadyAsync(gateway));
    }

    [Fact]
    public async Task Stopping_ends_a_running_chore_and_waits_for_it()
    {
        await using var database = await TestDatabase.CreateAsync();
        var chore = new LongChore();
        await using var node = await ClockNode.StartAsync(database, chore, TimeSpan.FromHours(1));
        await chore.Began.Task.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        await node.StopAsync();
        Assert.True(chore.HasEnded);
    }

    private static async Task<(HttpStatusCode Status, string Text)> ReadyAsync(TestGateway gateway)
    {
        using var client = new HttpClient { BaseAddress = gateway.Url };
        using var answer = await client.GetAsync("health/ready", TestContext.Current.CancellationToken);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    // Next year's partitions missing, and an attempt at a paused partner that a dead node left open.
    private static async Task LeaveWorkAsync(TestGateway gateway)
    {
        await gateway.AddPartnerAsync("9521234000204", "well/buyer");
        await gateway.Database.ExecuteAsync($"""
            select set_config('app.actor', 'system:test', false), set_config('app.actor_name', 'Test', false), set_config('app.actor_role', 'system', false);
            do $$ begin execute format('drop table event_y%s, event_epc_y%s, event_class_y%s', {NextYear}, {NextYear}, {NextYear}); end $$;
            update partner set state = 'paused';
            with d as (insert into document (party_id, sha256, length, media_type, received_at) select party_id, sha256('x'), 1, 'application/xml', gateway_now() from partner returning *),
            o as (insert into delivery (party_id, document_id, partner_id, message_id, ordering, state, due_at, created_at, give_up_at, attempts, lease_token, lease_until)
                select p.party_id, d.document_id, p.partner_id, gen_random_uuid(), 'x', 'due', gateway_now(), gateway_now(), gateway_now() + interval '1 day', 1, gen_random_uuid(), gateway_now() - interval '1 minute' from d, partner p
                returning *)
            insert into attempt (delivery_id, number, party_id, started_at, request_hash) select delivery_id, 1, party_id, gateway_now() - interval '2 minutes', sha256('x') from o
            """);
    }
}
