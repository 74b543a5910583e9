using Gateway.Host.Simulate;
using Gateway.TestSupport;

namespace Gateway.Journeys.Faults;

/// <summary>FT-01: hosts are killed at random moments of a capture's life, and every acknowledged document takes effect once.</summary>
public sealed class CaptureKillTests
{
    private const int Seed = 20261101;

    [Theory]
    [InlineData("0")]      // stored, answered, and decided later
    [InlineData("262144")] // stored and decided in one transaction with others, and answered then
    public async Task Killing_either_of_two_hosts_at_any_moment_loses_and_doubles_nothing(string maxBytesAtOnce)
    {
        var ct = TestContext.Current.CancellationToken;
        await using var database = await TestDatabase.CreateAsync();
        await using var partner = await PartnerSimulator.StartAsync(TimeProvider.System, ct);
        var data = Directory.CreateTempSubdirectory("gateway-child-");
        Task<ChildHost> StartAsync() => ChildHost.StartAsync(database.AdministratorConnectionString, data.FullName,
            ("Capture__MaxBytesAtOnce", maxBytesAtOnce), ("Capture__Lease", "00:00:05"), ("Capture__MaxAttempts", "10"), ("Delivery__LeaseTime", "00:00:05"));
        var hosts = new[] { await StartAsync(), await StartAsync() };
        try
        {
            var load = new CaptureLoad(database.AdministratorConnectionString, partner, Seed);
            await load.PrepareAsync(database.Gateway, hosts[0].Url, ct);
            await load.RunAsync(n => hosts[n % hosts.Length].Url, async stop =>
            {
                var random = new Random(Seed);
                for (var kill = 0; kill < FaultScale.Of(3, 50); kill++)
                {
                    load.Allow(40);
                    var next = load.Acknowledged + random.Next(5, 20);
                    await Eventually.TrueAsync(() => Task.FromResult(load.Acknowledged >= next), seconds: 120);
                    await Task.Delay(random.Next(100), stop);
                    var victim = random.Next(hosts.Length);
                    await hosts[victim].KillAsync();
                    await hosts[victim].DisposeAsync();
                    hosts[victim] = await StartAsync();
                }
            }, ct);
            await load.EachTookEffectOnceAsync();
            await database.LedgerHoldsAsync();
            TestContext.Current.SendDiagnosticMessage($"{load.Acknowledged} documents acknowledged once; in between {load.Failures}.");
        }
        finally
        {
            foreach (var host in hosts)
            {
                await host.DisposeAsync();
            }
        }
        data.Delete(recursive: true);
    }
}
