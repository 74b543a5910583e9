using System.Globalization;
using Gateway.Access;
using Gateway.Devices;
using Gateway.Lines;
using Gateway.Tests.Capture;

namespace Gateway.Tests.Devices;

/// <summary>LINES.md section 8: a pause that no machine proved is an alarm, and holds everything that the line has commissioned since the trigger.</summary>
public sealed class HoldCommissionedTests : IAsyncLifetime
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private CaptureGateway _gateway = default!;
    private Actor _they = default!;
    private SpeakingDevice _plc = default!;
    private DateTime _trigger;

    public async ValueTask InitializeAsync()
    {
        _gateway = await CaptureGateway.StartAsync();
        await Database.ExecuteAsync(CommandLine.Lines("First CMO", "cmo", "L1", "plc1"));
        var party = await Database.ScalarAsync<int>("select party_id from party where name = 'First CMO'");
        _they = new Actor("key:they", "They", "cmo", party, "key", "test") { Sees = party.ToString(CultureInfo.InvariantCulture) };
        _plc = (await new DeviceAccess(Database.Gateway).SpeakerAsync(_they, "plc1", Ct))!;
        _trigger = (await NowAsync()).AddMinutes(-5);
        await CommissionAsync(_trigger.AddSeconds(-90), "L1", "1", "2");
        await CommissionAsync(_trigger.AddSeconds(1), "L1", "3", "4");
        await CommissionAsync(_trigger.AddSeconds(1), "L9", "5");
        Assert.Null((await new DeviceCommandIssuing(Database.Gateway, CommandLine.Options).IssueAsync(_they, "L1", CommandLine.Request("pause", "quality", since: _trigger), Ct)).Refusal);
        await Database.AdvanceAsync(TimeSpan.FromSeconds(10));
    }

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    private TestDatabase Database => _gateway.Database;

    // Its own each time, as another node, or the same after a crash, would have it.
    private HoldCommissioned Hold => new(Database.Gateway, new LineHolds(CommandLine.Options), Microsoft.Extensions.Logging.Abstractions.NullLogger<HoldCommissioned>.Instance);

    [Fact]
    public async Task What_the_line_commissioned_since_the_trigger_is_held_by_an_event_and_nothing_else_is()
    {
        Assert.Equal(0, await Hold.RunAsync(Ct)); // nothing is unproved yet
        await ExpireAsync();
        Assert.Equal("pause.unproved error device plc1", await Database.ScalarAsync<string>("select concat_ws(' ', code, severity, source_kind, source_id) from exception"));
        Assert.Equal(2, await Hold.RunAsync(Ct));
        await ProcessAsync();
        Assert.Equal("3,4", await HeldAsync());
        Assert.Equal("holding non_sellable_other OBSERVE", await Database.ScalarAsync<string>("select concat_ws(' ', biz_step, disposition, action) from event order by event_id desc limit 1"));
        Assert.Contains(await Database.ScalarAsync<string>("select public_id::text from device_command"), await Database.ScalarAsync<string>("select body from event order by event_id desc limit 1"), StringComparison.Ordinal);
        Assert.Equal("system:commands accepted", await Database.ScalarAsync<string>("select submitted_by || ' ' || state from capture order by capture_id desc limit 1"));
    }

    [Fact]
    public async Task A_death_between_alarm_and_hold_or_after_it_holds_each_unit_once()
    {
        await ExpireAsync(); // and the process is gone
        Assert.Equal(0L, await Database.ScalarAsync<long>("select count(*) from line_hold_unit"));
        Assert.Equal(2, (await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() => Hold.RunAsync(Ct))))).Sum());
        await Database.AdvanceAsync(TimeSpan.FromSeconds(3));
        await ExpireAsync();
        Assert.Equal(0, await Hold.RunAsync(Ct));
        Assert.Equal(1L, await Database.ScalarAsync<long>("select count(*) from capture where submitted_by = 'system:commands'"));
        await ProcessAsync();
        Assert.Equal("3,4", await HeldAsync());
    }

    [Fact]
    public async Task What_the_machine_makes_while_it_runs_on_or_tells_late_is_held_too_and_what_a_person_released_stays_released()
    {
        await ExpireAsync();
        await Hold.RunAsync(Ct);
        await ProcessAsync();
        await CommissionAsync(await NowAsync(), "L1", "6");
        await SayAsync(await NowAsync(), "OBSERVE", "inspecting", "active", "", "3");
        Assert.Equal("4", await HeldAsync());
        await Database.AdvanceAsync(TimeSpan.FromSeconds(3));
        Assert.Equal(1, await Hold.RunAsync(Ct));
        await ProcessAsync();
        Assert.Equal("4,6", await HeldAsync());

        Assert.Null(await new DeviceCommandAnswers(Database.Gateway).ReportAsync(_they, _plc, "Held", await NowAsync(), Ct)); // at last
        var stood = await Database.ScalarAsync<DateTime>("select until_at from line_hold");
        await Database.AdvanceAsync(TimeSpan.FromSeconds(61));
        await CommissionAsync(stood.AddSeconds(30), "L1", "7");
        await CommissionAsync(stood.AddSeconds(-1), "L1", "8");
        Assert.Equal(1, await Hold.RunAsync(Ct));
        await ProcessAsync();
        Assert.Equal("4,6,8", await HeldAsync());
        await Database.AdvanceAsync(TimeSpan.FromHours(25));
        await CommissionAsync(stood.AddSeconds(-1), "L1", "9");
        Assert.Equal(0, await Hold.RunAsync(Ct)); // nobody waits for ever
    }

    [Fact]
    public async Task A_look_takes_slices_and_what_was_looked_through_is_not_looked_through_again()
    {
        await ExpireAsync();
        await CommissionAsync(_trigger.AddSeconds(2), "L1", "6", "7", "8");
        var bySlices = new HoldCommissioned(Database.Gateway, new LineHolds(CommandLine.Options), Microsoft.Extensions.Logging.Abstractions.NullLogger<HoldCommissioned>.Instance, slice: 2);
        Assert.Equal(5, await bySlices.RunAsync(Ct));
        await ProcessAsync();
        Assert.Equal("3,4,6,7,8", await HeldAsync());
        Assert.Equal(3L, await Database.ScalarAsync<long>("select count(distinct capture) from line_hold_unit"));

        await Database.ExecuteAsync("set session_replication_role = replica; delete from line_hold_unit"); // so that looking through it all would hold it all once more
        await CommissionAsync(await NowAsync(), "L1", "9");
        await Database.AdvanceAsync(TimeSpan.FromSeconds(3));
        Assert.Equal(1, await bySlices.RunAsync(Ct));
        Assert.Equal("urn:epc:id:sgtin:9521234.001010.9", await Database.ScalarAsync<string>("select string_agg(epc, ',') from line_hold_unit"));
    }

    [Fact]
    public async Task A_hold_that_fails_keeps_no_other_from_being_put_into_effect()
    {
        await Database.ExecuteAsync("""
            select set_config('app.actor', 'test', false);
            insert into line (party_id, code, name, site, read_point, time_zone) select party_id, 'L9', 'Line', '9521234000105', 'urn:epc:id:sgln:9521234.00010.L9', 'Europe/Zurich' from line;
            insert into device (party_id, name, line_id, kind, registered_at) select party_id, 'plc9', line_id, 'plc', gateway_now() from line where code = 'L9';
            create function fails() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;
            create trigger fails before insert on line_hold_unit for each row when (new.line_hold_id = 1) execute function fails();
            """);
        Assert.Null((await new DeviceCommandIssuing(Database.Gateway, CommandLine.Options).IssueAsync(_they, "L9", CommandLine.Request("pause", "quality", "plc9", since: _trigger), Ct)).Refusal);
        await Database.AdvanceAsync(TimeSpan.FromSeconds(10));
        await ExpireAsync();
        Assert.Equal(1, await Hold.RunAsync(Ct));
        Assert.Equal("L9", await Database.ScalarAsync<string>("select string_agg(l.code, ',') from line_hold_unit join line_hold h using (line_hold_id) join line l using (line_id)"));
        await Database.ExecuteAsync("drop trigger fails on line_hold_unit");
        await Database.AdvanceAsync(TimeSpan.FromSeconds(3));
        Assert.Equal(2, await Hold.RunAsync(Ct));
    }

    private Task ExpireAsync() => new DeviceCommandExpiry(Database.Gateway, CommandLine.Options).RunAsync(Ct);

    private Task<DateTime> NowAsync() => Database.ScalarAsync<DateTime>("select gateway_now()");

    private async Task ProcessAsync()
    {
        while (await _gateway.ProcessAsync())
        {
        }
    }

    private Task<string> HeldAsync() => Database.ScalarAsync<string>("select coalesce(string_agg(right(key, 1), ',' order by key), '') from unit where holds <> ''");

    private Task CommissionAsync(DateTime at, string line, params string[] serials) => SayAsync(at, "ADD", "commissioning", "active", line, serials);

    private async Task SayAsync(DateTime at, string action, string step, string disposition, string line, params string[] serials)
    {
        var place = line.Length == 0 ? "" : $$""", "readPoint": {"id": "urn:epc:id:sgln:9521234.00010.{{line}}"}, "ilmd": {"cbvmda:lotNumber": "A", "cbvmda:itemExpirationDate": "2039-01-31"}""";
        using var answer = await _gateway.PostAsync($$"""
            {"@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"], "type": "EPCISDocument", "schemaVersion": "2.0", "creationDate": "2026-01-01T00:00:00Z", "epcisBody": {"eventList": [
            {"type": "ObjectEvent", "eventTime": "{{at:yyyy-MM-dd'T'HH:mm:ss.fff}}Z", "eventTimeZoneOffset": "+00:00", "epcList": [{{string.Join(", ", serials.Select(s => $"\"urn:epc:id:sgtin:9521234.001010.{s}\""))}}],
             "action": "{{action}}", "bizStep": "{{step}}", "disposition": "{{disposition}}"{{place}} } ] } }
            """);
        Assert.Equal(202, (int)answer.StatusCode);
        await ProcessAsync();
        Assert.Equal("accepted", await Database.ScalarAsync<string>("select state || coalesce((select ' ' || string_agg(f.code || f.pointer, ' ') from finding f where f.capture_id = c.capture_id and severity = 'error'), '') from capture c order by capture_id desc limit 1"));
    }
}
