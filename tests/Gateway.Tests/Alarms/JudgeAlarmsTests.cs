using Gateway.Alarms;
using Gateway.Database;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Alarms;

/// <summary>An alarm is an episode: it comes once, stays while what it tells of stands, and goes when that is gone.</summary>
public sealed class JudgeAlarmsTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_stands_is_one_alarm_however_often_it_is_looked_at_and_clears_when_it_has_been_gone_for_a_while()
    {
        await using var plant = await AlarmPlant.CreateAsync();
        var node = plant.Node();
        await AlarmPlant.TargetAsync(node, "webhook", "https://hook.example.com/a");
        plant.Wrong["x"] = "Three are late.";
        await plant.LookAsync(node, TimeSpan.FromSeconds(30));
        plant.Wrong["x"] = "Four are late.";
        await plant.LookAsync(node, TimeSpan.FromSeconds(30));

        var alarm = Assert.Single(await plant.AlarmsAsync(node));
        Assert.Equal(("raised", "Four are late.", "Three are late.", 1), (alarm.State, alarm.Sentence, alarm.RaisedAs, alarm.TimesSeen));
        Assert.Equal("raised due", await plant.NoticesAsync());

        plant.Wrong.Clear();
        await plant.LookAsync(node, TimeSpan.FromMinutes(4));
        await AlarmPlant.LookAsync(node);
        Assert.Equal("raised", Assert.Single(await plant.AlarmsAsync(node)).State);
        await plant.Database.AdvanceAsync(TimeSpan.FromMinutes(2));
        await AlarmPlant.LookAsync(node);
        Assert.Equal("cleared", Assert.Single(await plant.AlarmsAsync(node)).State);
        Assert.Equal("raised due, cleared due", await plant.NoticesAsync());
        Assert.Equal("insert, update", await plant.Database.ScalarAsync<string>("select string_agg(action, ', ' order by ord) from audit_entry where entity = 'alarm'"));
    }

    [Fact]
    public async Task What_comes_and_goes_is_one_alarm_and_one_message()
    {
        await using var plant = await AlarmPlant.CreateAsync();
        var node = plant.Node();
        await AlarmPlant.TargetAsync(node, "webhook", "https://hook.example.com/a");
        for (var turn = 0; turn < 20; turn++)
        {
            plant.Wrong["x"] = "It is wrong.";
            await plant.LookAsync(node, TimeSpan.FromMinutes(1));
            plant.Wrong.Clear();
            await plant.LookAsync(node, TimeSpan.FromMinutes(3));
        }
        Assert.Equal(20, Assert.Single(await plant.AlarmsAsync(node)).TimesSeen);
        Assert.Equal("raised due", await plant.NoticesAsync());

        // Gone for good, and back: that is another episode.
        await plant.LookAsync(node, TimeSpan.FromMinutes(10));
        await AlarmPlant.LookAsync(node);
        plant.Wrong["x"] = "It is wrong again.";
        await AlarmPlant.LookAsync(node);
        Assert.Equal(["raised", "cleared"], (await plant.AlarmsAsync(node)).Select(a => a.State));
    }

    [Fact]
    public async Task Many_nodes_that_look_at_once_open_one_alarm_and_write_one_message()
    {
        await using var plant = await AlarmPlant.CreateAsync();
        var nodes = Enumerable.Range(0, 4).Select(_ => plant.Node()).ToList();
        await AlarmPlant.TargetAsync(nodes[0], "webhook", "https://hook.example.com/a");
        for (var n = 0; n < 50; n++)
        {
            plant.Wrong[$"subject {n}"] = "It is wrong.";
        }
        for (var round = 0; round < 5; round++)
        {
            await Task.WhenAll(nodes.Select(node => Task.Run(() => AlarmPlant.LookAsync(node), Ct)));
        }
        Assert.Equal("50 50", await plant.Database.ScalarAsync<string>("select (select count(*) from alarm) || ' ' || (select count(*) from alarm_notice)"));
    }

    [Fact]
    public async Task A_condition_that_cannot_be_looked_at_is_an_alarm_and_keeps_what_it_had_raised()
    {
        await using var plant = await AlarmPlant.CreateAsync();
        var node = plant.Node();
        plant.Wrong["x"] = "It is wrong.";
        await plant.LookAsync(node, TimeSpan.FromMinutes(1));
        plant.Fails = new InvalidOperationException("no such table");
        for (var turn = 0; turn < 4; turn++)
        {
            await plant.LookAsync(node, TimeSpan.FromMinutes(5));
        }
        Assert.Equal([(JudgeAlarms.Unjudged, AlarmPlant.Kind), (AlarmPlant.Kind, "x")], (await plant.AlarmsAsync(node)).Where(a => a.State == "raised").Select(a => (a.Kind, a.Subject)));

        plant.Fails = null;
        await plant.LookAsync(node, TimeSpan.FromMinutes(6));
        await AlarmPlant.LookAsync(node);
        Assert.Equal([AlarmPlant.Kind], (await plant.AlarmsAsync(node)).Where(a => a.State == "raised").Select(a => a.Kind));
    }

    [Fact]
    public async Task What_no_condition_looks_for_any_more_goes()
    {
        await using var plant = await AlarmPlant.CreateAsync();
        var node = plant.Node();
        await plant.Database.ExecuteAsync("""
            select set_config('app.actor', 'test', false);
            insert into alarm (kind, subject, severity, raised_as, sentence, link, since, raised_at, last_seen_at) select 'alarm.of_an_older_build', 'x', 'error', 's', 's', '', gateway_now(), gateway_now(), gateway_now()
            """);
        await plant.LookAsync(node, TimeSpan.FromMinutes(6));
        await AlarmPlant.LookAsync(node);
        Assert.Equal("cleared", Assert.Single(await plant.AlarmsAsync(node)).State);
    }

    [Fact]
    public async Task What_another_node_finds_with_itself_stays_as_long_as_that_node_looks()
    {
        await using var plant = await AlarmPlant.CreateAsync();
        var node = plant.Node();
        await plant.Database.ExecuteAsync("""
            select set_config('app.actor', 'test', false);
            insert into alarm (kind, subject, severity, raised_as, sentence, link, since, raised_at, last_seen_at) select 'alarm.of_a_node', 'elsewhere durability', 'error', 's', 's', '', gateway_now(), gateway_now(), gateway_now()
            """);
        plant.OfNode = ["durability"];
        await plant.LookAsync(node, TimeSpan.FromMinutes(9));
        await plant.LookAsync(node, TimeSpan.FromMinutes(2));
        Assert.Equal(["raised 1", "raised 1"], (await plant.AlarmsAsync(node)).Select(a => $"{a.State} {a.TimesSeen}"));
        Assert.Equal([$"{Environment.MachineName}-{Environment.ProcessId} durability", "elsewhere durability"], (await plant.AlarmsAsync(node)).Select(a => a.Subject));
        await plant.LookAsync(node, TimeSpan.FromMinutes(6));
        await AlarmPlant.LookAsync(node);
        Assert.Equal(["raised", "cleared"], (await plant.AlarmsAsync(node)).Select(a => a.State));
    }

    [Fact]
    public async Task Whoever_acknowledges_keeps_others_from_being_told_and_the_alarm_stands()
    {
        await using var plant = await AlarmPlant.CreateAsync();
        var node = plant.Node();
        var decisions = node.GetRequiredService<AlarmDecisions>();
        plant.Wrong["x"] = "It is wrong.";
        await AlarmPlant.LookAsync(node);
        var alarm = Assert.Single(await plant.AlarmsAsync(node));
        Assert.NotNull(await decisions.AcknowledgeAsync(AlarmPlant.Anna, alarm.AlarmId, alarm.Version + 1, "seen", Ct));
        Assert.Null(await decisions.AcknowledgeAsync(AlarmPlant.Anna, alarm.AlarmId, alarm.Version, "seen", Ct));
        Assert.NotNull(await decisions.AcknowledgeAsync(AlarmPlant.Anna, alarm.AlarmId, null, "seen", Ct));
        Assert.Equal("refused update refused", await plant.Database.ScalarAsync<string>("select string_agg(action, ' ' order by ord) from audit_entry where entity = 'alarm' and action <> 'insert'"));

        await AlarmPlant.TargetAsync(node, "webhook", "https://hook.example.com/a");
        await AlarmPlant.LookAsync(node);
        alarm = Assert.Single(await plant.AlarmsAsync(node));
        Assert.Equal(("acknowledged", "Anna", "seen", ""), (alarm.State, alarm.AcknowledgedBy, alarm.AcknowledgedWhy, await plant.NoticesAsync()));
    }

    [Fact]
    public async Task A_silence_keeps_quiet_until_it_ends_and_then_what_stands_is_told()
    {
        await using var plant = await AlarmPlant.CreateAsync();
        var node = plant.Node();
        var silences = node.GetRequiredService<AlarmSilences>();
        await AlarmPlant.TargetAsync(node, "webhook", "https://hook.example.com/a");
        string In(TimeSpan time) => (plant.Database.ScalarAsync<DateTime>("select gateway_now()").GetAwaiter().GetResult() + time).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
        foreach (var wrong in (SilenceRequest[])[new(null, "x*", In(TimeSpan.FromDays(31)), "r"), new(null, "x*", In(TimeSpan.FromMinutes(-1)), "r"), new(null, null, null, "r"), new(null, null, "tomorrow", "r")])
        {
            Assert.NotNull((await silences.AddAsync(AlarmPlant.Anna, wrong, Ct)).Refusal);
        }
        Assert.Null((await silences.AddAsync(AlarmPlant.Anna, new(AlarmPlant.Kind[..8] + "*", "952_*", In(TimeSpan.FromHours(1)), "maintenance"), Ct)).Refusal);
        plant.Wrong["952_1 a"] = "It is wrong."; // an underscore is no wildcard
        plant.Wrong["9521 a"] = "This too.";
        await AlarmPlant.LookAsync(node);
        Assert.Equal(2, (await plant.AlarmsAsync(node)).Count);
        Assert.Equal("9521 a", await plant.Database.ScalarAsync<string>("select string_agg(subject, ', ') from alarm_notice join alarm using (alarm_id)"));
        Assert.NotNull((await plant.AlarmsAsync(node)).Single(a => a.Subject == "952_1 a").SilencedUntil);

        await plant.Database.AdvanceAsync(TimeSpan.FromMinutes(61));
        await AlarmPlant.LookAsync(node);
        Assert.Equal(2, await plant.Database.ScalarAsync<long>("select count(*) from alarm_notice"));

        // And what began and went within a silence was never told.
        var (silence, _) = await silences.AddAsync(AlarmPlant.Anna, new(null, "quiet", In(TimeSpan.FromDays(1)), "maintenance"), Ct);
        plant.Wrong["quiet"] = "It is wrong.";
        await AlarmPlant.LookAsync(node);
        plant.Wrong.Remove("quiet");
        await plant.LookAsync(node, TimeSpan.FromMinutes(6));
        await AlarmPlant.LookAsync(node);
        Assert.Equal(0, await plant.Database.ScalarAsync<long>("select count(*) from alarm_notice join alarm using (alarm_id) where subject = 'quiet'"));
        Assert.Null(await silences.EndAsync(AlarmPlant.Anna, silence!.Value, "done", Ct));
        Assert.NotNull(await silences.EndAsync(AlarmPlant.Anna, silence.Value, "done", Ct));
    }
}
