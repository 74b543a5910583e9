using Epcis;
using Gateway.Exceptions;
using Gateway.Lines;
using Gateway.Tests.Units;
using Gateway.Units;

namespace Gateway.Tests.Lines;

/// <summary>A run is not closed while anything is unexplained, each thing by itself; and a difference that somebody answers for stays one.</summary>
[Requirement("P11-50")]
public sealed class RunClosingTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    public static TheoryData<string, string> Blockers => new()
    {
        { "openAtDevice", "1 number is still at a device: return or void them (unit)." },
        { "encodedOpen", "1 serial is printed and neither commissioned nor scrapped (unit)." },
        { "rejectedNeverCommissioned", "1 serial was rejected before commissioning and never scrapped (unit)." },
        { "rejectedAfterCommission", "1 unit is rejected and without a disposition: rework, sample, decommission or destroy each (unit)." },
        { "activeLoose", "1 good unit is in no container: pack or decommission each (unit)." },
        { "held", "1 unit is held: release or destroy each (unit)." },
        { "pool", "Of 21 units allocated, 20 are accounted for. Explain it, or let somebody accept it under signature." },
        { "processing", "1 document of the run is not processed yet: wait." },
        { "of the run", "1 exception is open: recon.mismatch. Settle each." },
        { "of its document", "1 exception is open: agg.level. Settle each." },
        { "of a device", "1 exception is open: seq.gap. Settle each." },
        { "set aside", "2 messages of the line's devices are set aside for a time that cannot be: somebody decides on the device's page." },
        { "gap", "Messages 5 to 8 of CAM1 have not come." },
        { "gap of the run's time", "Messages 5 to 8 of CAM1 have not come." },
        { "of a unit", "1 exception is open: unit.packed. Settle each." },
        { "counter", "CAM1 counted 19 good, and the serials say 20. Explain it, or let somebody accept it under signature. 1 exception is open: recon.mismatch. Settle each." },
    };

    [Theory]
    [MemberData(nameof(Blockers))]
    public async Task Nothing_unexplained_is_closed(string what, string refusal)
    {
        await using var line = await TestLine.StartAsync();
        await line.PackWholeAsync(palletHolds: 4);
        await line.PutAsync("reconciled");
        switch (what)
        {
            case "openAtDevice": await line.AddAsync(Said.Pack(99), UnitState.Allocated, everCommissioned: false); break;
            case "encodedOpen": await line.AddAsync(Said.Pack(99), UnitState.Encoded, everCommissioned: false); break;
            case "rejectedNeverCommissioned": await line.AddAsync(Said.Pack(99), UnitState.Rejected, everCommissioned: false); break;
            case "rejectedAfterCommission": await line.AddAsync(Said.Pack(99), UnitState.Rejected); break;
            case "activeLoose": await line.AddAsync(Said.Pack(99)); break;
            case "held": await line.AddAsync(Said.Pack(99), UnitState.Sampled, holds: "unit.packed"); break;
            case "pool": await line.AddAsync(Said.Pack(99), UnitState.Pool, everCommissioned: false); break;
            case "processing": await line.TellAsync(line.Run, "processing"); break;
            case "of the run": await OpenAsync(line, "recon.mismatch", "run", line.Run.ToString()); break;
            case "of its document": await OpenAsync(line, "agg.level", "capture", await line.Database.ScalarAsync<string>("select public_id::text from capture where run_id is not null")); break;
            case "of a device":
                await line.Database.ExecuteAsync("select set_config('app.actor', 'test', false); insert into device (party_id, name, line_id, kind, registered_at) select party_id, 'CAM1', line_id, 'camera', now() from line");
                await OpenAsync(line, "seq.gap", "device", "CAM1");
                break;
            case "set aside":
                await line.AddDeviceAsync("CAM1");
                await line.PastRulesAsync("""
                    insert into device_message (device_id, epoch, seq, party_id, line_id, sha256, body, typ, ts, mono, offset_ms, corrected_at, received_at, state)
                    select d.device_id, 1, n + 1, d.party_id, d.line_id, sha256('x'), '{}', 'encode', gateway_now() + interval '1 day', 1, 0, gateway_now() + interval '1 day', r.started_at + (n - 1) * interval '1 ms', 'quarantined' from device d cross join run r, generate_series(0, 2) n
                    """); // the first came before the run
                break;
            case "gap" or "gap of the run's time":
                await line.AddDeviceAsync("CAM1");
                await line.PastRulesAsync($"""
                    insert into device_gap (device_id, party_id, epoch, first_seq, last_seq, missing, run_id, noticed_at) select device_id, party_id, epoch, 4, 8, '{"{5,8}"}'::bigint[], {(what == "gap" ? "(select run_id from run)" : "null")}, gateway_now() from device_status
                    union all select device_id, party_id, epoch - 1, 4, 8, '{"{5,8}"}', (select run_id from run), gateway_now() from device_status -- its store was lost: nothing of it can come
                    union all select device_id, party_id, epoch, 1, 2, '{"{1,1}"}', null, gateway_now() - interval '1 day' from device_status
                    """);
                break;
            case "of a unit": await OpenAsync(line, "unit.packed", "capture", "of somebody else", Said.Pack(3)); break;
            default:
                Assert.Null(await line.Counts.ReportAsync(TestLine.Somebody, line.Run, "CAM1", "good", 19, Ct));
                break;
        }
        var refused = await line.TakeAsync(TestLine.Somebody, "close");
        Assert.Equal(refusal, refused);
        Assert.Equal(refusal, string.Join(' ', (await line.DetailsAsync()).Blockers));
        Assert.Equal($"refused run {line.Run} close {refusal}", await line.Database.ScalarAsync<string>("select concat_ws(' ', action, entity, entity_key, new ->> 'step', new ->> 'refusal') from audit_entry order by ord desc limit 1"));
        Assert.Equal("reconciled", await line.StateAsync());
    }

    [Fact]
    public async Task Of_somebody_else_nothing_keeps_a_run_open()
    {
        await using var line = await TestLine.StartAsync();
        await line.PackWholeAsync(palletHolds: 4);
        await line.PutAsync("reconciled");
        await OpenAsync(line, "agg.level", "capture", "another", Said.Pack(500));
        await OpenAsync(line, "recon.mismatch", "run", Guid.NewGuid().ToString());
        await OpenAsync(line, "seq.gap", "device", "of another line");
        Assert.Null(await line.TakeAsync(TestLine.Somebody, "close"));
    }

    [Fact]
    public async Task A_difference_is_accepted_with_reason_and_signature_and_stays_visible()
    {
        await using var line = await TestLine.StartAsync(people: [("olga", "operator"), ("anna", "officer")]);
        var (olga, anna) = (await line.PersonAsync("olga"), await line.PersonAsync("anna"));
        await line.PackWholeAsync(palletHolds: 4);
        await line.AddAsync(Said.Pack(99), UnitState.Pool, everCommissioned: false);
        await line.PutAsync("ended");
        var difference = Assert.Single((await line.DetailsAsync()).Differences);
        Assert.Equal(("09521234001010 allocated", 1L), (difference.Subject, difference.Amount));
        const string Why = "the sensor counted a splice";
        async Task<string?> AcceptAsync(Gateway.Access.Actor who, string signed) => await line.SignAsync(who, RunSteps.Acceptance, (await line.Steps.AcceptanceAsync(who, line.Run, difference, signed, Ct))!, RunSteps.Accepted(difference, Why));
        Assert.Contains("lines.decide", await AcceptAsync(olga, Why), StringComparison.Ordinal);
        Assert.Equal("A difference is accepted by signing it.", await AcceptAsync(anna, "another reason"));
        await line.WalkAsync("reconcile");
        Assert.NotNull(await line.TakeAsync(anna, "close"));
        Assert.Null(await AcceptAsync(anna, Why));
        var details = await line.DetailsAsync();
        Assert.Equal((1L, Why), (details.Balance.Unexplained, Assert.Single(details.Differences).Accepted!.Why));
        Assert.Equal("difference accepted", await line.Database.ScalarAsync<string>("select meaning from signature join run_difference using (signature_id)"));
        // It is another one when it is larger.
        await line.AddAsync(Said.Pack(98), UnitState.Pool, everCommissioned: false);
        Assert.NotNull(await line.TakeAsync(anna, "close"));
        await line.Database.ExecuteAsync($"delete from unit_row where key like '%{"U000098"}'");
        Assert.Null(await line.TakeAsync(anna, "close"));
        Assert.Equal(1, (await line.DetailsAsync()).Differences.Count(d => d.Accepted is not null));
    }

    [Fact]
    public async Task Counters_are_compared_within_their_tolerance_and_each_difference_is_told_once()
    {
        await using var line = await TestLine.StartAsync();
        await line.PackWholeAsync(palletHolds: 4);
        await line.Database.ExecuteAsync("select set_config('app.actor', 'test', false); insert into device (party_id, name, line_id, kind, registered_at) select party_id, v.n, line_id, v.k, now() from line, (values ('PLC1', 'plc'), ('CAM1', 'camera')) v (n, k)");
        await line.PutAsync("running");
        foreach (var (device, counter, reported) in ((string, string, long)[])[("PLC1", "printed", 23), ("CAM1", "good", 20), ("AGG1", "cases", 4), ("AGG1", "pallets", 1)])
        {
            Assert.Null(await line.Counts.ReportAsync(TestLine.Somebody, line.Run, device, counter, reported, Ct));
        }
        Assert.Equal("counter is one of printed, good, bad, sampled, cases, pallets.", await line.Counts.ReportAsync(TestLine.Somebody, line.Run, "CAM1", "beans", 1, Ct));
        await line.PutAsync("ended");
        var chore = new CompareRuns(line.Database.Gateway, line.Counts);
        await chore.RunAsync(Ct);
        Assert.Empty((await line.DetailsAsync()).Differences);
        Assert.Equal(0, await OpenAsync());

        Assert.Null(await line.Counts.ReportAsync(TestLine.Somebody, line.Run, "PLC1", "printed", 24, Ct));
        Assert.Null(await line.Counts.CountAsync(TestLine.Somebody, line.Run, "warehouse", 19, "gate 4", Ct));
        Assert.Null(await line.Counts.CountAsync(TestLine.Somebody, line.Run, "pallets", 1, null, Ct));
        await chore.RunAsync(Ct);
        await chore.RunAsync(Ct);
        Assert.Equal([("counter PLC1 printed", 4L), ("count warehouse", -1L)], (await line.DetailsAsync()).Differences.Select(d => (d.Subject, d.Amount)));
        Assert.Equal("recon.mismatch run 2 PLC1 counted 24 printed, and the serials say 20.", await line.Database.ScalarAsync<string>("select string_agg(concat_ws(' ', code, source_kind, occurrences, message), ',') from exception"));
        // Counted again, it is right.
        Assert.Null(await line.Counts.CountAsync(TestLine.Somebody, line.Run, "warehouse", 20, "gate 4", Ct));
        Assert.Equal(["counter PLC1 printed"], (await line.DetailsAsync()).Differences.Select(d => d.Subject));
        // The tolerance is a thousandth where that is more.
        await line.PutAsync("closed");
        Assert.NotNull(await line.Counts.CountAsync(TestLine.Somebody, line.Run, "warehouse", 20, null, Ct));

        Task<long> OpenAsync() => line.Database.ScalarAsync<long>("select count(*) from exception");
    }

    private static async Task OpenAsync(TestLine line, string code, string kind, string id, params string[] epcs)
    {
        await using var work = await line.Database.Gateway.BeginAsync(TestLine.Somebody, Ct);
        await ExceptionRecords.OpenAsync(work, new ExceptionFacts(code, Severity.Error, "Found."), new ExceptionSource(kind, id, 1, null), epcs);
        await work.CommitAsync();
    }
}
