using System.Net.Http.Json;
using System.Text.Json;
using Gateway.TestSupport;

namespace Gateway.Journeys.Devices;

/// <summary>The device by which the check of devices is tested speaks to the gateway itself: what passes there is understood here.</summary>
public sealed class TestedDeviceJourneys
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("stream")]
    [InlineData("poll")]
    [InlineData("socket")]
    public async Task A_device_that_passes_the_check_is_understood_by_the_gateway(string way)
    {
        await using var gateway = await TestGateway.StartAsync();
        await gateway.Database.ExecuteAsync("""
            select set_config('app.actor', 'test', false);
            insert into line (party_id, code, name, site, read_point, time_zone) select party_id, 'L1', 'Line 1', '9521234000013', 'urn:epc:id:sgln:9521234.00001.L1', 'UTC' from party where kind = 'organisation'
            """);
        using var device = new TestedDevice(gateway.Url, gateway.Keys["operator"], "L1", DeviceFlaw.None, way);
        using var off = new CancellationTokenSource();
        var running = device.RunAsync(off.Token);
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<bool>("select exists (select from device_status where last_seq > 50)"));
        using var operators = gateway.Client("operator");
        foreach (var (type, state) in (IEnumerable<(string, string)>)[("identify", "Idle"), ("start", "Execute"), ("pause", "Held"), ("resume", "Execute")])
        {
            using var issued = await operators.PostAsJsonAsync("api/lines/L1/commands", new { device = device.Name, type, reason = "test", reasonClass = "operator" }, Ct);
            var id = (await issued.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty("cmdId").GetGuid();
            await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<bool>($"select state = 'done' and tries = 1 and machine_state = '{state}' from device_command where public_id = '{id}'"));
        }
        await off.CancelAsync();
        await running;
        Assert.Equal("proved", await gateway.Database.ScalarAsync<string>("select proof from device_command where type = 'pause'"));
        Assert.True(await gateway.Database.ScalarAsync<bool>("select count(*) = max(seq) and min(seq) = 1 and max(epoch) = 1 and bool_and(seq <= 50 or abs(extract(epoch from corrected_at - received_at)) < 2) from device_message"));
        Assert.Equal(0L, await gateway.Database.ScalarAsync<long>("select (select count(*) from device_gap) + (select count(*) from exception where source_kind = 'device' and state = 'open')"));
    }
}
