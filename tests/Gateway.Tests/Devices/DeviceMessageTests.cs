using Gateway.Access;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Gateway.Devices;

namespace Gateway.Tests.Devices;

/// <summary>LINES.md section 6: what a device says is stored once, in its own bytes, before it is acknowledged.</summary>
[Requirement("P11-47")]
public sealed class DeviceMessageTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_message_is_kept_in_the_bytes_it_came_in_and_the_same_again_is_a_duplicate()
    {
        await using var gateway = await DeviceGateway.StartAsync();
        var device = await gateway.RegisterAsync();
        var message = device.Message(1);
        Assert.Equal("1 []  0", TestDevice.Told(await device.PostAsync(message)));
        Assert.Equal("2 []  1", TestDevice.Told(await device.PostAsync(message, device.Message(2))));
        Assert.Equal("2 []  1", TestDevice.Told(await device.PostAsync(message)));
        Assert.Equal(message, await gateway.Database.ScalarAsync<string>("select body from device_message where seq = 1"));
        Assert.Equal(SHA256.HashData(Encoding.UTF8.GetBytes(message)), await gateway.Database.ScalarAsync<byte[]>("select sha256 from device_message where seq = 1"));
        Assert.Equal("ready 2", await gateway.StatesAsync());
        Assert.Equal("", await gateway.ExceptionsAsync());
    }

    // The machine goes on; its messages stay in its own store, and are sent when somebody answers again.
    [Fact]
    public async Task What_a_device_kept_while_the_link_was_cut_arrives_in_order_and_nothing_is_lost()
    {
        await using var gateway = await DeviceGateway.StartAsync();
        var device = await gateway.RegisterAsync();
        await gateway.RunAsync();
        var start = DateTimeOffset.UtcNow.AddHours(-2);
        string[] kept = [.. Enumerable.Range(1, 3_000).Select(n => device.Message(n, at: start.AddSeconds(n)))];
        Assert.Equal("100 []  0", TestDevice.Told(await device.PostAsync(kept[..100])));
        // The link is cut while a post is under way: what became of it the device does not know.
        await device.PostAsync(kept[100..300]);
        await gateway.WatchAsync(TimeSpan.FromHours(1));
        // It begins behind what was acknowledged to it; and once more the link is cut, and a post in between never arrives.
        var acked = 100L;
        for (var posts = 0; acked < kept.Length; posts++)
        {
            var from = posts == 3 ? (int)acked + 500 : (int)acked;
            var answer = await device.PostAsync(kept[from..Math.Min(from + 500, kept.Length)]);
            acked = answer.Body.GetProperty("ackedThrough").GetInt64();
            Assert.InRange(posts, 0, 8);
        }
        Assert.Equal("ready 3000", await gateway.StatesAsync());
        Assert.Equal(string.Join('\n', kept), await gateway.Database.ScalarAsync<string>("select string_agg(body, e'\\n' order by seq) from device_message"));
        Assert.Equal(0, await gateway.Database.ScalarAsync<long>("select count(*) from (select corrected_at < lag(corrected_at) over (order by seq) as back from device_message) m where back"));
        Assert.Equal(0, await gateway.Database.ScalarAsync<long>("select count(*) from device_gap where closed_at is null"));
    }

    [Fact]
    public async Task Another_content_of_a_number_is_refused_the_first_stands_and_a_person_is_told()
    {
        await using var gateway = await DeviceGateway.StartAsync();
        var device = await gateway.RegisterAsync();
        await device.PostAsync(device.Message(1, "one"));
        // Alone it is a conflict; among others it is one of what was rejected, and counts as dealt with.
        var alone = await device.PostAsync(device.Message(1, "other"));
        Assert.Equal("409 seq.conflict", TestDevice.Told(alone));
        Assert.Equal(1, alone.Body.GetProperty("ackedThrough").GetInt64());
        Assert.Equal("3 [] 1:seq.conflict 0", TestDevice.Told(await device.PostAsync(device.Message(1, "third"), device.Message(2), device.Message(3))));
        // Also within one post.
        Assert.Equal("4 [] 4:seq.conflict 1", TestDevice.Told(await device.PostAsync(device.Message(4, "first", DateTimeOffset.UnixEpoch.AddYears(56)), device.Message(4, "second"), device.Message(4, "first", DateTimeOffset.UnixEpoch.AddYears(56)))));
        Assert.Equal("one, read, read, first", await gateway.Database.ScalarAsync<string>("select string_agg(typ, ', ' order by seq) from device_message"));
        Assert.Equal("seq.conflict open 3", await gateway.ExceptionsAsync());
        Assert.Equal("device cam-1", await gateway.Database.ScalarAsync<string>("select source_kind || ' ' || source_id from exception"));
    }

    [Fact]
    public async Task What_comes_after_a_gap_waits_for_it_and_is_ready_in_order_when_it_comes()
    {
        await using var gateway = await DeviceGateway.StartAsync();
        var device = await gateway.RegisterAsync();
        await gateway.RunAsync();
        Assert.Equal("2 [[3,4],[6,6]]  0", TestDevice.Told(await device.SendAsync(1, 2, 5, 7)));
        Assert.Equal("ready 2, waiting 2", await gateway.StatesAsync());
        // Not given up within five seconds, nor by a thousand messages that come meanwhile: it is asked for in each answer.
        await gateway.WatchAsync(TimeSpan.FromSeconds(6));
        for (var n = 0; n < 3; n++)
        {
            Assert.Equal("2 [[3,4],[6,6]]  0", TestDevice.Told(await device.SendAsync([.. Enumerable.Range(8 + (n * 500), 500).Select(s => (long)s)])));
        }
        Assert.Equal("ready 2, waiting 1502", await gateway.StatesAsync());
        Assert.Equal("3 [[4,4],[6,6]]  0", TestDevice.Told(await device.SendAsync(3)));
        Assert.Equal("5 [[6,6]]  0", TestDevice.Told(await device.SendAsync(4)));
        Assert.Equal("ready 5, waiting 1501", await gateway.StatesAsync());
        Assert.Equal("1507 []  0", TestDevice.Told(await device.SendAsync(6)));
        Assert.Equal("ready 1507", await gateway.StatesAsync());
        Assert.Equal("3-4 closed, 6-6 closed", await gateway.Database.ScalarAsync<string>("select string_agg(first_seq || '-' || last_seq || case when closed_at is null then ' open' else ' closed' end, ', ' order by gap_id) from device_gap where run_id is not null"));
        Assert.Equal("", await gateway.ExceptionsAsync());
    }

    [Fact]
    public async Task After_a_minute_the_rest_is_ready_a_person_is_told_and_a_late_arrival_closes_it_by_itself()
    {
        await using var gateway = await DeviceGateway.StartAsync();
        var device = await gateway.RegisterAsync();
        await device.SendAsync(1, 4);
        await gateway.WatchAsync(TimeSpan.FromSeconds(55));
        await device.SendAsync(7);
        Assert.Equal("ready 1, waiting 2", await gateway.StatesAsync());
        await gateway.WatchAsync(TimeSpan.FromSeconds(6));
        // What is behind the second gap still waits for that.
        Assert.Equal("ready 2, waiting 1", await gateway.StatesAsync());
        Assert.Equal("device.offline open 1, seq.gap open 1", await gateway.ExceptionsAsync()); // it sends no heartbeats
        Assert.Equal("cam-1 has not sent messages 2 to 3 of epoch 1.", await gateway.Database.ScalarAsync<string>("select message from exception where code = 'seq.gap'"));
        await gateway.WatchAsync(TimeSpan.FromSeconds(60));
        Assert.Equal("ready 3", await gateway.StatesAsync());
        // Given up, it is asked for all the same; what is new is ready, and nothing before the gap is deleted by the device.
        Assert.Equal("1 [[2,3],[5,6]]  0", TestDevice.Told(await device.SendAsync(8)));
        Assert.Equal("4 [[5,6]]  0", TestDevice.Told(await device.SendAsync(2, 3)));
        Assert.Contains("seq.gap open 2", await gateway.ExceptionsAsync(), StringComparison.Ordinal);
        Assert.Equal("8 []  0", TestDevice.Told(await device.SendAsync(5, 6)));
        Assert.Contains("seq.gap resolved 2", await gateway.ExceptionsAsync(), StringComparison.Ordinal);
        Assert.Equal("Gateway devices resolve", await gateway.Database.ScalarAsync<string>("select n.actor_name || ' ' || n.action from exception_note n join exception using (exception_id) where code = 'seq.gap'"));
        Assert.Equal("ready 8", await gateway.StatesAsync());
    }

    [Fact]
    public async Task Who_has_lost_the_store_begins_the_next_epoch_at_one_and_the_one_before_is_not_taken_any_more()
    {
        await using var gateway = await DeviceGateway.StartAsync();
        var first = await gateway.RegisterAsync();
        await first.SendAsync(1, 3);
        var again = await gateway.RegisterAsync();
        Assert.Equal((1, 1L), (again.Epoch, again.AckedThrough));
        var second = await gateway.RegisterAsync(epochLost: true);
        Assert.Equal((2, 0L), (second.Epoch, second.AckedThrough));
        Assert.Equal("ready 2", await gateway.StatesAsync());
        Assert.Equal("seq.gap open 1", await gateway.ExceptionsAsync());
        Assert.Equal("1 []  0", TestDevice.Told(await second.SendAsync(1)));
        Assert.Equal("409 epoch.stale", TestDevice.Told(await second.PostAsync(second.Message(2, epoch: 1))));
        Assert.Equal("409 epoch.unknown", TestDevice.Told(await second.PostAsync(second.Message(1, epoch: 3))));
        Assert.Equal("1.1, 1.3, 2.1", await gateway.Database.ScalarAsync<string>("select string_agg(epoch || '.' || seq, ', ' order by epoch, seq) from device_message"));
    }

    [Fact]
    public async Task A_token_opens_its_own_device_only_and_none_once_the_device_has_registered_again()
    {
        await using var gateway = await DeviceGateway.StartAsync();
        var (one, two, foreign) = (await gateway.RegisterAsync("cam-1"), await gateway.RegisterAsync("cam-2"), await gateway.RegisterAsync("cam-1", "C1"));
        Assert.Equal("403 GW-DEV-01", TestDevice.Told(await one.PostBodyAsync($"{{\"messages\":[{two.Message(1)}]}}", "cam-2")));
        Assert.Equal("403 GW-DEV-01", TestDevice.Told(await (one with { Token = gateway.OperatorKey }).SendAsync(1)));
        // Two parties' devices of one name are two devices.
        Assert.Equal("1 []  0", TestDevice.Told(await foreign.SendAsync(1)));
        Assert.Equal("First CMO", await gateway.Database.ScalarAsync<string>("select p.name from device_message join party p using (party_id)"));
        var again = await gateway.RegisterAsync("cam-1");
        Assert.Equal("401 GW-ACC-01", TestDevice.Told(await one.SendAsync(1)));
        Assert.Equal("1 []  0", TestDevice.Told(await again.SendAsync(1)));
        // Nothing but speaking.
        using var device = gateway.Client(again.Token);
        foreach (var path in (string[])["api/devices", "api/devices/cam-1", "api/devices/cam-1/messages"])
        {
            using var answer = await device.GetAsync(path, Ct);
            Assert.Equal(403, (int)answer.StatusCode);
        }
        using var cmo = gateway.Client(gateway.CmoKey);
        Assert.DoesNotContain("cam-2", await cmo.GetStringAsync("api/devices", Ct), StringComparison.Ordinal);
        Assert.Contains("C1", await cmo.GetStringAsync("api/devices/cam-1", Ct), StringComparison.Ordinal);
        using var hidden = await cmo.GetAsync("api/devices/cam-2/gaps", Ct);
        Assert.Equal(404, (int)hidden.StatusCode);
    }

    [Fact]
    public async Task A_person_decides_what_becomes_of_messages_with_a_time_that_cannot_be()
    {
        await using var gateway = await DeviceGateway.StartAsync();
        var device = await gateway.RegisterAsync();
        var ahead = DateTimeOffset.UtcNow.AddMinutes(20);
        await device.PostAsync(device.Message(1, at: ahead), device.Message(2, at: ahead), device.Message(3, at: ahead), device.Message(5, at: ahead));
        Assert.Equal("quarantined 4", await gateway.StatesAsync());
        var (quarantine, officer) = (gateway.Get<DeviceQuarantine>(), new Actor("person:anna", "Anna", "officer", 1, "password", "test") { Sees = "*" });
        Assert.StartsWith("They go up to ", await quarantine.SettleAsync(officer, 1, new("told", "why", 1, 1), Ct), StringComparison.Ordinal);
        Assert.Equal("No such message of cam-1 is set aside.", await quarantine.SettleAsync(officer, 1, new("discard", "why", 4, 4), Ct));
        Assert.Equal(1L, await gateway.Database.ScalarAsync<long>("select count(*) from audit_entry where action = 'refused' and new ->> 'step' = 'settle'"));
        Assert.Equal("A reason is needed, of at most 2,000 characters.", await quarantine.SettleAsync(officer, 1, new("discard", " ", null, null), Ct));

        Assert.Equal("4 messages are set aside by now, and 3 were looked at: look again.", await quarantine.SettleAsync(officer, 1, new("discard", "why", null, null, Count: 3), Ct));
        Assert.Equal("No such message of cam-1 is set aside.", await quarantine.SettleAsync(officer, 1, new("discard", "why", null, null, Epoch: 2), Ct));
        Assert.Null(await quarantine.SettleAsync(officer, 1, new("received", "The clock was 20 minutes ahead.", null, 1), Ct));
        Assert.Equal("ready True True", await gateway.Database.ScalarAsync<string>("select state || ' ' || initcap((corrected_at = received_at)::text) || ' ' || initcap((abs(extract(epoch from ts) * 1000 - offset_ms - extract(epoch from received_at) * 1000) < 1)::text) from device_message where seq = 1"));
        Assert.Null(await quarantine.SettleAsync(officer, 1, new("discard", "A test of the maker.", 2, 2), Ct));
        Assert.Equal("time.future open 4", (await gateway.ExceptionsAsync()).Replace("acknowledged", "open", StringComparison.Ordinal)); // two are left
        await gateway.Database.AdvanceAsync(TimeSpan.FromMinutes(20));
        Assert.Null(await quarantine.SettleAsync(officer, 1, new("told", "It was so.", null, null), Ct));
        Assert.Equal("discarded 1, ready 2, waiting 1", await gateway.StatesAsync()); // 4 is waited for
        Assert.Equal("time.future resolved 4", await gateway.ExceptionsAsync());
        Assert.Equal("person:anna received 1, person:anna discard 1, person:anna told 2", await gateway.Database.ScalarAsync<string>(
            "select string_agg(concat_ws(' ', actor, new ->> 'decision', new ->> 'messages'), ', ' order by ord) from audit_entry where entity = 'device_message_decision'"));
        foreach (var attack in (string[])["state = 'ready' where state = 'discarded'", "corrected_at = now() where state = 'ready'", "state = 'discarded' where state = 'ready'"])
        {
            Assert.Equal("GW002", (await Assert.ThrowsAsync<Npgsql.PostgresException>(() => gateway.Database.ExecuteAsync($"update device_message set {attack}"))).SqlState);
        }
    }

    [Fact]
    public async Task What_came_in_one_post_and_is_taken_with_the_time_it_came_keeps_the_devices_order()
    {
        await using var gateway = await DeviceGateway.StartAsync();
        var device = await gateway.RegisterAsync();
        var ahead = DateTimeOffset.UtcNow.AddMinutes(20);
        await device.PostAsync(device.Message(1, at: ahead), device.Message(2, at: ahead.AddYears(3)), device.Message(3, at: ahead));
        Assert.Null(await gateway.Get<DeviceQuarantine>().SettleAsync(new Actor("person:anna", "Anna", "officer", 1, "password", "test") { Sees = "*" }, 1, new("received", "The clock was wrong.", null, null, Count: 3), Ct));
        Assert.Equal("1 -2, 2 -1, 3 0", await gateway.Database.ScalarAsync<string>(
            "select string_agg(seq || ' ' || round(extract(epoch from corrected_at - received_at) * 1000), ', ' order by corrected_at) from device_message where state = 'ready'"));
    }

    [Fact]
    public async Task Under_pressure_a_device_is_told_when_to_come_again_and_nothing_is_stored()
    {
        await using var gateway = await DeviceGateway.StartAsync(("Devices:MaxBacklog", "3"));
        var device = await gateway.RegisterAsync();
        await device.SendAsync(1, 2, 3);
        await gateway.Get<DeviceBacklog>().RunAsync(Ct);
        using var client = gateway.Client(device.Token);
        using var refused = await client.PostAsync("api/devices/cam-1/messages", new StringContent($"{{\"messages\":[{device.Message(4)}]}}"), Ct);
        Assert.Equal((429, "5"), ((int)refused.StatusCode, refused.Headers.GetValues("Retry-After").Single()));
        Assert.Equal("ready 3", await gateway.StatesAsync());
        await gateway.Database.ExecuteAsync("set session_replication_role = replica; update device_message set state = 'quarantined'");
        await gateway.Get<DeviceBacklog>().RunAsync(Ct);
        Assert.Equal("4 []  0", TestDevice.Told(await device.SendAsync(4)));

        // In memory: what others have there leaves no room, and gives it back.
        var store = gateway.Get<DeviceMessages>();
        foreach (var (messages, bytes) in ((int, long)[])[(49_999, 0), (1, (64 << 20) - 10)]) // many, or large ones
        {
            Assert.True(store.TryReserve(messages, bytes));
            Assert.Equal("429 GW-DEV-04", TestDevice.Told(await device.SendAsync(5)));
            store.Release(messages, bytes);
        }
        Assert.Equal("5 []  0", TestDevice.Told(await device.SendAsync(5)));
        Assert.Equal("422 GW-DEV-03", TestDevice.Told(await device.PostBodyAsync("{}")));
        Assert.True(store.TryReserve(50_000, 64 << 20));
    }

    [Theory]
    [InlineData("""{"messages":[]}""", "messages is empty.")]
    [InlineData("""[]""", "The body is an object")]
    [InlineData("""{"messages":[{"dev":"cam-1"}]}""", "messages[0].ep is missing.")]
    [InlineData("""{"messages":[OK,{"dev":"cam-2","ep":1,"seq":2,"ts":"2026-03-01T10:00:00Z","mono":1,"typ":"x"}]}""", "messages[1].dev is another device")]
    [InlineData("""{"messages":[OK,{"dev":"cam-1","ep":2,"seq":2,"ts":"2026-03-01T10:00:00Z","mono":1,"typ":"x"}]}""", "messages[1].ep is another")]
    [InlineData("""{"messages":[{"dev":"cam-1","ep":1,"seq":0,"ts":"2026-03-01T10:00:00Z","mono":1,"typ":"x"}]}""", "messages[0].seq is a whole number")]
    [InlineData("""{"messages":[{"dev":"cam-1","ep":1,"seq":1,"ts":"2026-03-01T10:00:00","mono":1,"typ":"x"}]}""", "messages[0].ts is a moment")]
    [InlineData("""{"messages":[{"dev":"cam-1","ep":1,"seq":1,"seq":2,"ts":"2026-03-01T10:00:00Z","mono":1,"typ":"x"}]}""", "messages[0].seq stands twice")]
    [InlineData("""{"messages":[{"dev":"cam-1","ep":1,"seq":1,"ts":"2026-03-01T10:00:00Z","mono":1,"typ":"a b"}]}""", "messages[0].typ is a word")]
    [InlineData("""{"messages":[OK],"more":1}""", "something besides messages")]
    [InlineData("""{"messages":[OK""", "The body is not JSON at line 1")]
    public async Task A_post_that_cannot_be_read_names_the_place_and_stores_nothing(string body, string sentence)
    {
        await using var gateway = await DeviceGateway.StartAsync();
        var device = await gateway.RegisterAsync();
        var (status, answer) = await device.PostBodyAsync(body.Replace("OK", device.Message(1), StringComparison.Ordinal));
        Assert.Equal((422, "GW-DEV-03"), (status, answer.GetProperty("code").GetString()));
        Assert.Contains(sentence, answer.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal("", await gateway.StatesAsync());
    }

    [Fact]
    public async Task More_than_500_messages_or_a_megabyte_is_too_much_and_500_are_not()
    {
        await using var gateway = await DeviceGateway.StartAsync();
        var device = await gateway.RegisterAsync();
        Assert.Equal("413 GW-DEV-02", TestDevice.Told(await device.SendAsync([.. Enumerable.Range(1, 501).Select(n => (long)n)])));
        Assert.Equal("413 GW-DEV-02", TestDevice.Told(await device.PostBodyAsync(device.Message(1) + new string(' ', 1 << 20))));
        Assert.Equal("500 []  0", TestDevice.Told(await device.SendAsync([.. Enumerable.Range(1, 500).Select(n => (long)n)])));
    }

    [Fact]
    public async Task Numbers_that_are_scattered_without_end_are_not_kept_account_of()
    {
        await using var gateway = await DeviceGateway.StartAsync();
        var device = await gateway.RegisterAsync();
        await device.SendAsync([.. Enumerable.Range(1, 500).Select(n => 2L * n)]);
        await device.SendAsync([.. Enumerable.Range(501, 500).Select(n => 2L * n)]);
        Assert.Equal("409 GW-DEV-05", TestDevice.Told(await device.SendAsync(2_002, 2_004)));
        Assert.Equal("409 GW-DEV-05", TestDevice.Told(await device.SendAsync(2_000 + DeviceLimits.MaxAhead + 1)));
        Assert.Equal("waiting 1000", await gateway.StatesAsync());
    }

    [Fact]
    public async Task Posts_that_come_at_once_and_repeat_each_other_store_each_message_once()
    {
        await using var gateway = await DeviceGateway.StartAsync();
        var devices = new List<TestDevice>();
        for (var n = 0; n < 8; n++)
        {
            devices.Add(await gateway.RegisterAsync(string.Create(CultureInfo.InvariantCulture, $"cam-{n}")));
        }
        // Each device sends every block twice, from two connections, in any order.
        var random = new Random(44);
        var posts = devices.SelectMany(d => Enumerable.Range(0, 10).SelectMany(b => Enumerable.Repeat((d, b), 2))).OrderBy(_ => random.Next()).ToList();
        var answers = await Task.WhenAll(posts.Select(p => p.d.SendAsync([.. Enumerable.Range(1 + (p.b * 20), 20).Select(s => (long)s)])));
        Assert.All(answers, a => Assert.Equal(200, a.Status));
        Assert.Equal(1600, answers.Sum(a => a.Body.GetProperty("duplicates").GetInt32()));
        Assert.Equal("ready 1600", await gateway.StatesAsync());
        Assert.Equal(8L, await gateway.Database.ScalarAsync<long>("select count(*) from device_status where last_seq = 200"));
        Assert.Equal(0L, await gateway.Database.ScalarAsync<long>("select count(*) from device_gap where closed_at is null"));
    }

    [Fact]
    public async Task A_message_of_a_time_that_is_still_to_come_is_kept_and_not_applied()
    {
        await using var gateway = await DeviceGateway.StartAsync();
        var device = await gateway.RegisterAsync();
        Assert.Equal("2 []  0", TestDevice.Told(await device.PostAsync(device.Message(1, at: DateTimeOffset.UtcNow.AddSeconds(290)), device.Message(2, at: DateTimeOffset.UtcNow.AddSeconds(310)))));
        Assert.Equal("quarantined 1, ready 1", await gateway.StatesAsync());
        Assert.Equal("time.future open 1", await gateway.ExceptionsAsync());
        // The offset of the clock is taken off first: ten minutes ahead by a clock that is ten minutes ahead is now.
        await device.BeatAsync(DateTimeOffset.UtcNow.AddMinutes(10));
        Assert.Equal("3 []  0", TestDevice.Told(await device.PostAsync(device.Message(3, at: DateTimeOffset.UtcNow.AddMinutes(10)))));
        Assert.Equal("quarantined 1, ready 2", await gateway.StatesAsync());
        Assert.InRange(await gateway.Database.ScalarAsync<double>("select extract(epoch from corrected_at - gateway_now())::float8 from device_message where seq = 3"), -5, 5);
    }

    [Fact]
    public async Task A_device_of_an_unknown_line_is_refused_with_a_sentence()
    {
        await using var gateway = await DeviceGateway.StartAsync();
        foreach (var (key, line) in ((string, string)[])[(gateway.OperatorKey, "PL09"), (gateway.CmoKey, "PL01")])
        {
            using var client = gateway.Client(key);
            using var answer = await System.Net.Http.Json.HttpClientJsonExtensions.PostAsJsonAsync(client, "api/devices/register", DeviceGateway.Registration("cam-1", line), Ct);
            Assert.Equal(422, (int)answer.StatusCode);
            Assert.Contains($"There is no line {line}, or it is not yours", await answer.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        }
        Assert.Equal(0L, await gateway.Database.ScalarAsync<long>("select count(*) from device"));
    }
}
