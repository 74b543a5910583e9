using System.Globalization;
using System.Text.Json;
using Gateway.Access;
using Gateway.Devices;

namespace Gateway.Tests.Devices;

/// <summary>LINES.md sections 6, 7 and 12: heartbeats, clocks, and who is not heard.</summary>
[Requirement("P11-18")]
public sealed class DeviceClockTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly DateTime T1 = new(2026, 3, 1, 10, 0, 0, DateTimeKind.Utc);

    [Theory]
    [InlineData(1000, 20, 20, 1000)]     // ahead: positive
    [InlineData(-1500, 20, 20, -1500)]   // behind: negative
    [InlineData(0, 100, 100, 0)]
    [InlineData(0, 300, 100, -100)]      // slower on the way there than back: half of the difference cannot be told from an offset
    public void The_offset_is_device_minus_gateway_by_both_ways_of_an_exchange(double offset, double there, double back, double expected)
    {
        // A device whose clock is off by that sends, and the gateway answers 5 ms after it has received.
        var t1 = new DateTimeOffset(T1);
        var t0 = t1.AddMilliseconds(-there + offset);
        var t2 = t1.AddMilliseconds(5);
        var t3 = t2.AddMilliseconds(back + offset);
        var beat = new HeartbeatRequest(1, t0.AddSeconds(5), new ClockExchange(t0, t1, t2, t3), "1", "1", "Idle", 0, 0, null);
        Assert.Equal(expected, DeviceHeartbeats.Offset(beat, T1.AddSeconds(5)), 3);
        // Without an exchange, or with one that cannot have been: the time of travel is taken for nothing.
        Assert.Equal(offset + 7, DeviceHeartbeats.Offset(beat with { T0 = t1.AddMilliseconds(offset + 7), Previous = null }, T1), 3);
        Assert.Equal(42, DeviceHeartbeats.Offset(beat with { T0 = t1.AddMilliseconds(42), Previous = new ClockExchange(t0, t1, t2, t0.AddSeconds(-1)) }, T1), 3);
        Assert.Equal(42, DeviceHeartbeats.Offset(beat with { T0 = t1.AddHours(1).AddMilliseconds(42), Previous = beat.Previous }, T1.AddHours(1)), 3);
    }

    [Fact]
    public async Task A_heartbeat_tells_its_moments_the_offset_and_what_is_asked_for()
    {
        await using var gateway = await DeviceGateway.StartAsync();
        var device = await gateway.RegisterAsync();
        await device.SendAsync(1, 3);
        var (status, answer) = await device.BeatAsync(DateTimeOffset.UtcNow.AddMilliseconds(-1_200));
        Assert.Equal(200, status);
        var (t1, t2) = (answer.GetProperty("t1").GetDateTimeOffset(), answer.GetProperty("t2").GetDateTimeOffset());
        Assert.InRange(DateTimeOffset.UtcNow - t1, TimeSpan.FromMilliseconds(-200), TimeSpan.FromSeconds(5));
        Assert.True(t2 >= t1);
        Assert.InRange(answer.GetProperty("offsetMs").GetDouble(), -5_000, -1_100);
        Assert.Equal("1 [[2,2]] 0", $"{answer.GetProperty("ackedThrough")} {answer.GetProperty("missing")} {answer.GetProperty("commandsWaiting")}");
        // In force for what comes from here on, and only for that.
        await device.SendAsync(4);
        Assert.Equal("0, 0, -1", await gateway.Database.ScalarAsync<string>("select string_agg(sign(offset_ms)::text, ', ' order by seq) from device_message"));
        Assert.True(await gateway.Database.ScalarAsync<bool>("select bool_and(abs(extract(epoch from ts - corrected_at) * 1000 - offset_ms) < 0.01) from device_message"));
        Assert.Equal(1L, await gateway.Database.ScalarAsync<long>("select count(*) from device_clock"));
        Assert.Equal("Execute 5 {\"good\": 7}", await gateway.Database.ScalarAsync<string>("select machine_state || ' ' || reported_seq || ' ' || counters from device_status"));
        Assert.Equal("422 GW-HTTP-06", TestDevice.Told(await device.BeatAsync(DateTimeOffset.UtcNow, state: "Dancing")));
        Assert.Equal("409 epoch.unknown", TestDevice.Told(await device.BeatAsync(DateTimeOffset.UtcNow, epoch: 2)));
        Assert.Equal("403 GW-DEV-01", TestDevice.Told(await (device with { Token = gateway.OperatorKey }).BeatAsync(DateTimeOffset.UtcNow)));
    }

    [Fact]
    public async Task A_clock_that_is_two_seconds_off_is_told_once_and_closes_by_itself_and_a_minute_blocks_a_batch()
    {
        await using var gateway = await DeviceGateway.StartAsync();
        var device = await gateway.RegisterAsync();
        await device.BeatAsync(DateTimeOffset.UtcNow.AddSeconds(1.5));
        Assert.Equal("warning", (await RowAsync(gateway)).Clock);
        Assert.Equal("", await gateway.ExceptionsAsync());
        await device.BeatAsync(DateTimeOffset.UtcNow.AddSeconds(30));
        await device.BeatAsync(DateTimeOffset.UtcNow.AddSeconds(31));
        Assert.Equal("alarm", (await RowAsync(gateway)).Clock);
        Assert.Equal("clock.offset open 1", await gateway.ExceptionsAsync());
        Assert.Contains(" ahead of the gateway's.", await gateway.Database.ScalarAsync<string>("select message from exception"), StringComparison.Ordinal);
        await device.BeatAsync(DateTimeOffset.UtcNow.AddSeconds(-90));
        await gateway.Database.ExecuteAsync("set session_replication_role = replica; insert into device_qualification (device_id, party_id, number, kind, serial, line_id, station, iq_reference, oq_reference, pq_reference, firmware, config_hash, challenge_interval, valid_until, change_reference, reason, qualified_by, qualified_by_name, qualified_at, signature) select device_id, party_id, 1, kind, serial, line_id, station, 'a', 'b', 'c', '1.0', 'c0ffee', '1 day', '2199-01-01', '', 'x', 'x', 'x', now(), 1 from device");
        Assert.Matches("^The clock of cam-1 is (89|90|91) s behind the gateway's\\.$", (await RowAsync(gateway)).Blocks!);
        await device.BeatAsync(DateTimeOffset.UtcNow.AddSeconds(40));
        Assert.Null((await RowAsync(gateway)).Blocks);
        await device.BeatAsync(DateTimeOffset.UtcNow.AddMilliseconds(100));
        Assert.Equal("ok", (await RowAsync(gateway)).Clock);
        Assert.Equal("clock.offset resolved 1", await gateway.ExceptionsAsync());
    }

    [Fact]
    public async Task A_device_that_misses_three_heartbeats_is_offline_until_it_is_heard_again()
    {
        await using var gateway = await DeviceGateway.StartAsync();
        var device = await gateway.RegisterAsync();
        await device.BeatAsync(DateTimeOffset.UtcNow);
        await gateway.WatchAsync(TimeSpan.FromSeconds(13));
        Assert.Equal("", await gateway.ExceptionsAsync());
        await gateway.WatchAsync(TimeSpan.FromSeconds(3));
        await gateway.WatchAsync(TimeSpan.FromSeconds(30));
        Assert.Equal("device.offline open 1", await gateway.ExceptionsAsync());
        await device.BeatAsync(DateTimeOffset.UtcNow.AddSeconds(46));
        Assert.Equal("device.offline resolved 1", await gateway.ExceptionsAsync());
        Assert.Null((await RowAsync(gateway)).OfflineSince);
    }

    [Fact]
    public async Task Firmware_that_is_not_the_qualified_one_is_for_a_person_while_a_run_is_on()
    {
        await using var gateway = await DeviceGateway.StartAsync();
        var device = await gateway.RegisterAsync();
        await device.BeatAsync(DateTimeOffset.UtcNow, firmware: "1.1");
        Assert.Equal("", await gateway.ExceptionsAsync());
        await gateway.RunAsync();
        await device.BeatAsync(DateTimeOffset.UtcNow, firmware: "1.2");
        await device.BeatAsync(DateTimeOffset.UtcNow, firmware: "1.2");
        Assert.Equal("device.unqualified open 1", await gateway.ExceptionsAsync());
        // Also when it registers so.
        await gateway.RegisterAsync(firmware: "1.3");
        Assert.Equal("device.unqualified open 2", await gateway.ExceptionsAsync());
    }

    private static async Task<DeviceRow> RowAsync(DeviceGateway gateway) => (await gateway.Get<DeviceList>().FindAsync(Actor.System("test"), "cam-1", null, Ct))!;
}
