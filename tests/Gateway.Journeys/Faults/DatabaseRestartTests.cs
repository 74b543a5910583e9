using Gateway.Database;
using Gateway.Host.Simulate;

namespace Gateway.Journeys.Faults;

/// <summary>FT-04: the database is cut off and comes back under load; nothing acknowledged is lost and the host recovers by itself.</summary>
public sealed class DatabaseRestartTests
{
    private const int Seed = 20261104;

    [Fact]
    public async Task A_database_that_is_cut_off_again_and_again_loses_and_doubles_nothing()
    {
        var ct = TestContext.Current.CancellationToken;
        var directory = Path.Combine(Path.GetTempPath(), $"gateway-restart-{Guid.NewGuid():N}");
        await using var partner = await PartnerSimulator.StartAsync(TimeProvider.System, ct);
        await using (var server = await FaultServer.StartAsync(directory, ct))
        {
            await using var host = await ChildHost.StartAsync(server.Administrator, directory,
                ("Capture__Lease", "00:00:05"), ("Capture__Sweep", "00:00:01"), ("Delivery__LeaseTime", "00:00:05"));
            var load = new CaptureLoad(server.Administrator, partner, Seed);
            var database = GatewayDatabase.Open(server.Administrator);
            await load.PrepareAsync(database, host.Url, ct);
            await database.Source.DisposeAsync();
            await load.RunAsync(_ => host.Url, async stop =>
            {
                var random = new Random(Seed);
                for (var restart = 0; restart < FaultScale.Of(3, 20); restart++)
                {
                    load.Allow(40);
                    var next = load.Acknowledged + random.Next(5, 20);
                    await Eventually.TrueAsync(() => Task.FromResult(load.Acknowledged >= next), seconds: 120);
                    await Task.Delay(random.Next(100), stop);
                    await server.CrashAsync(stop);
                    await Task.Delay(random.Next(1000), stop);
                    await server.StartAgainAsync(stop);
                }
            }, ct);
            await load.EachTookEffectOnceAsync();
            TestContext.Current.SendDiagnosticMessage($"{load.Acknowledged} documents acknowledged once; in between {load.Failures}.");

            using var client = new HttpClient { BaseAddress = host.Url };
            for (var look = 0; look < 20; look++)
            {
                Assert.Equal("ready", await client.GetStringAsync(new Uri("health/ready", UriKind.Relative), ct));
            }
        }
        Directory.Delete(directory, recursive: true);
    }
}
