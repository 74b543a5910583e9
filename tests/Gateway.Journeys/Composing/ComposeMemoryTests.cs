using Epcis.Events;
using Gateway.Composing;
using Microsoft.Extensions.DependencyInjection;
using static Gateway.Journeys.Composing.ShipmentStory;

namespace Gateway.Journeys.Composing;

/// <summary>Memory is the whole process's, so what measures it runs beside nothing else.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

[Collection(nameof(Alone))]
public sealed class ComposeMemoryTests(ITestOutputHelper output)
{
    private const int Pallets = 10, Cases = 100, Units = 100;

    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_shipment_of_a_hundred_thousand_units_composes_in_flat_memory()
    {
        // The host's own worker is left out of it, so that nothing else is measured.
        await using var gateway = await TestGateway.StartAsync(("Delivery:CheckEvery", "00:01:00"));
        var story = new ShipmentStory(gateway);
        await story.KnowAsync(Units);
        await story.PartnerAsync(Warehouse);
        await gateway.Database.ExecuteAsync("select set_config('app.party', '*', false), set_config('app.actor', 'test', false); update partner set state = 'paused', pause_reason = 'test'");
        for (var p = 0; p < Pallets; p++)
        {
            string U(int c, int n) => Unit($"P{p}C{c}U{n}");
            string C(int c) => Case($"P{p}C{c}");
            var cases = Enumerable.Range(0, Cases).ToList();
            await story.CaptureAsync([
                .. cases.Chunk(10).Select(some => story.Commission(Plant, [.. some.SelectMany(c => Enumerable.Range(0, Units).Select(n => U(c, n)))])),
                story.Commission(Plant, [.. cases.Select(C)]), .. cases.Select(c => story.Pack(Plant, C(c), [.. Enumerable.Range(0, Units).Select(n => U(c, n))])),
                story.Commission(Plant, Pallet(p)), story.Pack(Plant, Pallet(p), [.. cases.Select(C)])]);
        }
        await gateway.Database.ExecuteAsync("""
            create function kept() returns trigger language plpgsql as $$ begin new.lease_token := gen_random_uuid(); new.lease_until := gateway_now() + interval '1 hour'; return new; end $$;
            create trigger kept before insert on delivery for each row execute function kept()
            """);
        await story.CaptureAsync(story.Ship("1", Mah, Plant, Mah, Warehouse, [.. Enumerable.Range(0, Pallets).Select(Pallet)]));
        await gateway.Database.ExecuteAsync("analyze; update delivery set lease_token = null, lease_until = null");

        var before = GC.GetTotalMemory(forceFullCollection: true);
        var (most, started) = (0L, TimeProvider.System.GetTimestamp());
        using var done = new CancellationTokenSource();
        var watching = Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true) - before);
                await Task.Delay(200);
            }
        }, Ct);
        Assert.True(await gateway.Services.GetRequiredService<ComposeOne>().RunAsync(Ct));
        var took = TimeProvider.System.GetElapsedTime(started);
        await done.CancelAsync();
        await watching;

        var content = await gateway.Database.ScalarAsync<string>("select coalesce(composed::text, compose_findings::text) from delivery");
        Assert.Contains($"\"units\": {Pallets * Cases * Units + Pallets * Cases + Pallets}", content, StringComparison.Ordinal);
        output.WriteLine(FormattableString.Invariant($"At most {most / 1e6:0.0} MB more than before, in {took.TotalSeconds:0.0} s. {content}"));
        Assert.InRange(most, 0, 48L << 20);
    }
}
