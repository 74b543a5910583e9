using System.Net.Http.Headers;
using System.Net.Http.Json;
using Gateway.Access;
using Gateway.Capture;
using Gateway.Devices;
using Gateway.Host;
using Gateway.Host.Simulate;
using Gateway.Intake;
using Gateway.Lines;
using Gateway.Shipments;
using Gateway.TestSupport;
using Gateway.Validation;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Journeys.Dashboard;

/// <summary>One host for the tests of a class, with the demonstration's partners, a day of their past and a group that needs a decision.</summary>
public sealed class FilledGateway : IAsyncLifetime
{
    public const int Held = 12, Dead = 5;

    public TestGateway Gateway { get; private set; } = default!;

    public async ValueTask InitializeAsync() => Gateway = await StartAsync(new HistorySize(1, 150, Held));

    public ValueTask DisposeAsync() => Gateway.DisposeAsync();

    public static async Task<TestGateway> StartAsync(HistorySize size)
    {
        var gateway = await TestGateway.StartAsync(("Operations:CheckEvery", "00:00:00.1"));
        await new DemonstrationPlant(gateway.Database.Gateway, gateway.Url, gateway.Keys["administrator"], gateway.Keys["cmo"]).PreparePartnersAsync(gateway.Partner, TestGateway.Folders, CancellationToken.None);
        await DemonstrationMasterData.SeedAsync(gateway.Database.Gateway, TimeSpan.FromDays(size.Days), CancellationToken.None);
        await DemonstrationSerials.SeedAsync(gateway.Database.Gateway, "The cmo", CancellationToken.None);
        await new DemonstrationHistory(
            gateway.Database.Gateway, gateway.Services.GetRequiredService<CaptureHistory>(), [new(1, "one"), new(2, "two"), new(1, "line")], gateway.Partner.BaseAddress, size, DemonstrationPlant.Seed).WriteAsync(CancellationToken.None);
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from validation_live()") > 0);
        var author = Actor.System("test");
        await gateway.Services.GetRequiredService<Baselines>().DraftAsync(author, new BaselineRequest("First", "tested", null, null), CancellationToken.None);
        await gateway.Services.GetRequiredService<ChangeRecords>().DraftAsync(author, new ChangeRequest("Larger documents", "A CMO sends whole batches.", "Capture only.", "Low.", "These.", ["setting Capture:MaxBytes"]), CancellationToken.None);
        await gateway.Database.ExecuteAsync("""
            select set_config('app.actor', 'test', false);
            insert into line (party_id, code, name, site, read_point, time_zone) select party_id, 'PL01', 'Line 1', '9521234000105', 'urn:epc:id:sgln:9521234.00010.1', 'UTC' from party where kind = 'organisation'
            """);
        var (camera, _, _) = await gateway.Services.GetRequiredService<RegisterDevice>().RegisterAsync(author, new RegistrationRequest("cam-1", "camera", "Acme", "C9", "1", "1.0", "c0ffee", "PL01", "printing", ["read"], null), CancellationToken.None);
        using (var device = new HttpClient { BaseAddress = gateway.Url })
        {
            device.DefaultRequestHeaders.Authorization = new("Bearer", camera!.Token);
            using var beat = await device.PostAsJsonAsync("api/devices/cam-1/heartbeat", new { ep = 1, t0 = DateTimeOffset.UtcNow.AddMilliseconds(700), firmware = "1.0", configHash = "c0ffee", state = "Execute", lastSeq = 3, buffered = 2 });
            using var said = await device.PostAsync("api/devices/cam-1/messages", new StringContent("""{"messages":[{"dev":"cam-1","ep":1,"seq":1,"ts":"2026-03-01T10:00:00Z","mono":1,"typ":"x"},{"dev":"cam-1","ep":1,"seq":3,"ts":"2026-03-01T10:00:01Z","mono":2,"typ":"x"}]}"""));
            said.EnsureSuccessStatusCode();
            beat.EnsureSuccessStatusCode();
        }
        // It stays online, and its gap young: no exception comes while a test counts them.
        await gateway.Database.ExecuteAsync("""
            select set_config('app.actor', 'test', false);
            update device_status set heard_at = heard_at + interval '1 hour';
            update device_gap set noticed_at = noticed_at + interval '1 hour'
            """);
        // A run goes on, whose line has sent a file: a number that commissioned a pack, and one that cannot be.
        var lines = gateway.Services.GetRequiredService<LineRegister>();
        var (run, _) = await gateway.Services.GetRequiredService<RunSteps>().PlanAsync(
            author, (await lines.FindAsync(author, "PL01", null, CancellationToken.None))!, new PlanRequest("09521234001010", "L26B101", new DateOnly(2028, 8, 31), 1000, "4711", null), CancellationToken.None);
        await gateway.Database.ExecuteAsync("set session_replication_role = replica; update run set state = 'running', started_at = gateway_now()");
        await gateway.Services.GetRequiredService<Mappings>().ApproveAsync(author, "f1-unit-csv", "tested", CancellationToken.None);
        using (var line = gateway.Client("operator"))
        using (var taken = await line.PostAsync($"api/intake/f1-unit-csv?run={run!.Id}", new StringContent("""
            #EXPORT;UNITLIST;3
            #SITE;9521234000013
            #LINE;PL01
            #ORDER;4711
            #GTIN;09521234001010
            #LOT;L26B101
            #EXP;31.08.2028
            #TZ;Europe/Berlin
            #COUNT;2
            Nr;Seriennummer;Status;Zeit;Station;Grund;Güte
            1;95XE4C44Z2;OK;14.09.2026 08:02:11,120;VIS-01;;A
            2;VS4J9K3AX4;LOST;14.09.2026 08:02:11,287;VIS-01;;A

            """, new MediaTypeHeaderValue("text/csv"))))
        {
            await gateway.JobAsync(taken.Headers.Location!);
        }
        using var unreadable = await gateway.CaptureAsync("This is no XML."u8.ToArray());
        await gateway.JobAsync(unreadable.Headers.Location!);
        // Nothing moves by itself while a test looks: the partner left alone stays so, and those that refuse seldom have refused; one refused document is of days ago.
        await gateway.Database.ExecuteAsync($"""
            update breaker set open_until = gateway_now() + interval '1 day';
            update capture set created_at = created_at - interval '3 days' where capture_id in (select min(capture_id) from capture where state = 'refused');
            update delivery set state = 'closed' where state = 'dead';
            update delivery set state = 'dead', dead_reason = 'refused', code = 'http-422', finished_at = null
            where delivery_id in (select delivery_id from delivery join partner p using (partner_id) where p.name = 'Western Wholesale' and delivery.state in ('delivered', 'closed') order by delivery_id desc limit {Dead})
            """);
        // What is found out by the clock of these is found now, so that no exception comes while a test counts them.
        await gateway.Services.GetRequiredService<FollowShipments>().RunAsync(CancellationToken.None);
        await gateway.Services.GetRequiredService<ReconcileDeliveries>().RunAsync(CancellationToken.None);
        return gateway;
    }
}
