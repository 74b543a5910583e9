using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Gateway.TestSupport;

namespace Gateway.Journeys.Faults;

/// <summary>FT-01 for units: hosts are killed while eight senders tell of the same ones, and the ledger is what the stored events make of it.</summary>
public sealed class LedgerKillTests
{
    private const int Seed = 20261122, Senders = 8, Units = 40;

    [Theory]
    [InlineData("0")]      // decided later, each by itself
    [InlineData("262144")] // decided at once, several together
    public async Task Whatever_a_kill_cuts_off_the_ledger_is_what_its_events_make_of_it(string maxBytesAtOnce)
    {
        var ct = TestContext.Current.CancellationToken;
        await using var database = await TestDatabase.CreateAsync();
        var key = (await TestGateway.MakeKeysAsync(database))["cmo"];
        var data = Directory.CreateTempSubdirectory("gateway-child-");
        Task<ChildHost> StartAsync() => ChildHost.StartAsync(database.AdministratorConnectionString, data.FullName,
            ("Capture__MaxBytesAtOnce", maxBytesAtOnce), ("Capture__Lease", "00:00:03"), ("Capture__MaxAttempts", "50"));
        var hosts = new[] { await StartAsync(), await StartAsync() };
        try
        {
            // So many documents for each kill, however fast the machine: what comes late is replayed with all that it meets.
            const int documents = 30;
            var (acknowledged, over) = (0, new CancellationTokenSource());
            using var allowed = new SemaphoreSlim(0);
            var senders = Enumerable.Range(0, Senders).Select(sender => Task.Run(async () =>
            {
                var random = new Random(Seed + sender);
                for (var n = 0; ; n++)
                {
                    await allowed.WaitAsync(over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    if (over.IsCancellationRequested)
                    {
                        return;
                    }
                    var document = Document(random, sender, n);
                    while (!await IsAcknowledgedAsync(hosts[random.Next(hosts.Length)].Url, key, $"{sender}-{n}", document, ct))
                    {
                        await Task.Delay(random.Next(20, 100), ct);
                    }
                    Interlocked.Increment(ref acknowledged);
                }
            }, ct)).ToList();
            var random = new Random(Seed);
            for (var kill = 0; kill < FaultScale.Of(3, 60); kill++)
            {
                allowed.Release(documents);
                var next = Volatile.Read(ref acknowledged) + random.Next(5, 25);
                await Eventually.TrueAsync(() => Task.FromResult(Volatile.Read(ref acknowledged) >= next || senders.Exists(s => s.IsFaulted)), seconds: 120);
                await Task.Delay(random.Next(100), ct);
                var victim = random.Next(hosts.Length);
                await hosts[victim].KillAsync();
                await hosts[victim].StartAgainAsync();
            }
            await over.CancelAsync();
            await Task.WhenAll(senders);
            await Eventually.TrueAsync(async () => await database.ScalarAsync<long>("select count(*) from capture where state = 'processing'") == 0, seconds: 240);
            Assert.Equal($"{acknowledged} accepted", await database.ScalarAsync<string>("select string_agg(n || ' ' || state, ', ' order by state) from (select state, count(*) as n from capture group by state) c"));
            Assert.Equal((long)Units, await database.ScalarAsync<long>("select count(*) from unit where key like '01%'"));
            await database.LedgerHoldsAsync();
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

    /// <summary>Two to five events about a few of the units and cases that all senders know, in any order, mostly impossible.</summary>
    private static byte[] Document(Random random, int sender, int n)
    {
        var events = Enumerable.Range(0, random.Next(2, 6)).Select(place =>
        {
            var time = new DateTime(2026, 9, 1, 0, 0, 0, DateTimeKind.Utc).AddSeconds(random.Next(86_400)).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
            var of = $"\"eventID\":\"urn:uuid:{new Guid(sender, (short)n, (short)place, new byte[8])}\",\"eventTime\":\"{time}\",\"eventTimeZoneOffset\":\"+00:00\"";
            var packs = string.Join(',', Enumerable.Range(0, random.Next(1, 6)).Select(_ => random.Next(Units)).Distinct().Select(u => $"\"urn:epc:id:sgtin:4012345.011111.{u}\""));
            var box = $"urn:epc:id:sscc:4012345.{random.Next(6):D10}";
            return random.Next(6) switch
            {
                0 => $$"""{"type":"AggregationEvent",{{of}},"action":"DELETE","parentID":"{{box}}","childEPCs":[],"bizStep":"unpacking"}""",
                1 or 2 => $$"""{"type":"AggregationEvent",{{of}},"action":"ADD","parentID":"{{box}}","childEPCs":[{{packs}}],"bizStep":"packing"}""",
                3 => $$"""{"type":"ObjectEvent",{{of}},"action":"OBSERVE","epcList":["{{box}}"],"bizStep":"shipping","disposition":"in_transit"}""",
                4 => $$"""{"type":"ObjectEvent",{{of}},"action":"OBSERVE","epcList":[{{packs}}],"bizStep":"holding","disposition":"non_sellable_other"}""",
                _ => $$"""{"type":"ObjectEvent",{{of}},"action":"ADD","epcList":[{{packs}}],"bizStep":"commissioning","disposition":"active","ilmd":{"cbvmda:lotNumber":"L{{random.Next(2)}}" } }""",
            };
        });
        // Each document names all units once, so that any two documents meet.
        var all = string.Join(',', Enumerable.Range(0, Units).Select(u => $"\"urn:epc:id:sgtin:4012345.011111.{u}\""));
        var seen = $$"""{"type":"ObjectEvent","eventID":"urn:uuid:{{new Guid(sender, (short)n, 99, new byte[8])}}","eventTime":"2026-09-02T00:00:00Z","eventTimeZoneOffset":"+00:00","action":"OBSERVE","epcList":[{{all}}],"bizStep":"inspecting"}""";
        return Encoding.UTF8.GetBytes($$"""
            {"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-09-02T00:00:00Z","epcisBody":{"eventList":[{{string.Join(',', events.Append(seen))}}] } }
            """);
    }

    private static async Task<bool> IsAcknowledgedAsync(Uri host, string key, string name, byte[] document, CancellationToken ct)
    {
        using var client = new HttpClient { BaseAddress = host };
        using var request = new HttpRequestMessage(HttpMethod.Post, "capture") { Content = new ByteArrayContent(document) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        request.Headers.Add("Idempotency-Key", name);
        try
        {
            using var answer = await client.SendAsync(request, ct);
            // What may pass says so; anything else is a fault of ours.
            Assert.True(answer.StatusCode == HttpStatusCode.Accepted || answer.Headers.RetryAfter is not null, $"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(ct)}");
            return answer.StatusCode == HttpStatusCode.Accepted;
        }
        catch (Exception e) when (e is HttpRequestException or IOException || e is OperationCanceledException && !ct.IsCancellationRequested)
        {
            return false;
        }
    }
}
