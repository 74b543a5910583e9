using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using Gateway.Host.Simulate;
using Gateway.TestSupport;

namespace Gateway.Journeys;

/// <summary>A file in, the same bytes at the partner, whatever happens between.</summary>
public sealed class DeliveryJourneys
{
    private static readonly SimulatedParty Shipper = SimulatedParty.AtOneAddress("9521234000105", 7, "Shipper");
    private static readonly SimulatedParty Buyer = SimulatedParty.AtOneAddress("9521234000204", 7, "Buyer");

    [Fact]
    public async Task A_document_reaches_its_partner_unchanged_through_two_refusals_of_service()
    {
        await using var gateway = await TestGateway.StartAsync();
        await gateway.AddPartnerAsync(Buyer.Owner.Gln, "fails-twice/buyer");
        var document = Shipment(1);

        using var answer = await gateway.CaptureAsync(document);

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        var job = await gateway.JobAsync(answer.Headers.Location!);
        Assert.True(job.GetProperty("success").GetBoolean(), job.GetRawText());
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from delivery where state = 'delivered'") == 1);
        var received = gateway.Partner.Received;
        Assert.Equal([503, 503, 200], received.Select(r => r.Status!.Value));
        Assert.All(received, r => Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(document)), r.Sha256));
        Assert.Equal(1, gateway.Partner.EffectsOf(Assert.Single(received.Select(r => r.IdempotencyKey!).Distinct())));
    }

    [Fact]
    public async Task A_small_document_is_answered_with_a_finished_job_whose_delivery_is_queued()
    {
        await using var gateway = await TestGateway.StartAsync(("Capture:MaxBytesAtOnce", "262144"));
        await gateway.AddPartnerAsync(Buyer.Owner.Gln, "well/buyer");
        using var answer = await gateway.CaptureAsync(Shipment(1));
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        var told = await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.Equal((false, true), (told.GetProperty("running").GetBoolean(), told.GetProperty("success").GetBoolean()));
        Assert.Equal(1L, await gateway.Database.ScalarAsync<long>("select count(*) from delivery join capture using (document_id) where capture.state = 'accepted'"));
        await Eventually.TrueAsync(() => Task.FromResult(gateway.Partner.Received.Count == 1));
    }

    [Fact]
    public async Task GS1s_own_DSCSA_example_arrives_at_the_buyer()
    {
        var file = Path.Combine(SharedFolder(), "standards/examples/openepcis-test-resources/1.2/EPCIS/XML/Capture/Documents/GS1_US_Pharma_Example_2_2_1_1.xml");
        Assert.SkipUnless(File.Exists(file), "The shared samples are not beside the repository.");
        await using var gateway = await TestGateway.StartAsync();
        await gateway.AddPartnerAsync("0399999999991", "well/buyer");
        var document = await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);

        using var answer = await gateway.CaptureAsync(document);

        var job = await gateway.JobAsync(answer.Headers.Location!);
        Assert.True(job.GetProperty("success").GetBoolean(), job.GetRawText());
        await Eventually.TrueAsync(() => Task.FromResult(gateway.Partner.Received.Count == 1));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(document)), gateway.Partner.Received[0].Sha256);
    }

    [Fact]
    public async Task A_host_killed_after_its_202_loses_nothing()
    {
        await using var database = await TestDatabase.CreateAsync();
        var keys = await TestGateway.MakeKeysAsync(database);
        var data = Directory.CreateTempSubdirectory("gateway-child-");
        using var big = new MemoryStream();
        CommissioningDocument.Write(big, units: 60_000, perEvent: 500, seed: 7);
        Uri location;
        await using (var first = await ChildHost.StartAsync(database, data.FullName))
        {
            using var client = Client(first.Url, keys["cmo"]);
            using var content = Xml(big.ToArray());
            using var answer = await client.PostAsync("capture", content, TestContext.Current.CancellationToken);
            await first.KillAsync();
            Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
            location = answer.Headers.Location!;
        }
        Assert.Equal("processing", await database.ScalarAsync<string>("select state from capture"));
        await database.AdvanceAsync(TimeSpan.FromMinutes(5)); // the dead host's lease runs out
        await using var second = await ChildHost.StartAsync(database, data.FullName);
        using var officer = Client(second.Url, keys["officer"]);
        var job = await Eventually.AsAsync(async () =>
        {
            var state = await officer.GetFromJsonAsync<JsonElement>(location);
            return state.GetProperty("running").GetBoolean() ? null : (JsonElement?)state;
        });
        Assert.True(job.GetProperty("success").GetBoolean(), job.GetRawText());
        Assert.Equal(60_000L, await database.ScalarAsync<long>("select count(*) from event_epc"));
        Assert.Equal(120L, await database.ScalarAsync<long>("select count(*) from event"));
        data.Delete(recursive: true);
    }

    [Fact]
    public async Task A_host_killed_while_the_partner_has_the_message_sends_the_same_bytes_under_the_same_key_again()
    {
        await using var database = await TestDatabase.CreateAsync();
        var keys = await TestGateway.MakeKeysAsync(database);
        var data = Directory.CreateTempSubdirectory("gateway-child-");
        await using var partner = await PartnerSimulator.StartAsync(TimeProvider.System, TestContext.Current.CancellationToken);
        var document = Shipment(3);
        await using (var first = await ChildHost.StartAsync(database, data.FullName))
        {
            using var officer = Client(first.Url, keys["officer"]);
            using var added = await officer.PostAsJsonAsync("api/partners", new { gln = Buyer.Owner.Gln, name = "Buyer", format = "1.2-xml", channel = new { kind = "https", url = new Uri(partner.BaseAddress, "silent/buyer") } }, TestContext.Current.CancellationToken);
            Assert.True(added.IsSuccessStatusCode);
            using var cmo = Client(first.Url, keys["cmo"]);
            using var content = Xml(document);
            using var answer = await cmo.PostAsync("capture", content, TestContext.Current.CancellationToken);
            await Eventually.TrueAsync(() => Task.FromResult(partner.Received.Count == 1));
            await first.KillAsync(); // the intent is committed, the partner has the bytes, the outcome was never recorded
        }
        Assert.Equal(1L, await database.ScalarAsync<long>("select count(*) from attempt where ended_at is null"));
        await database.AdvanceAsync(TimeSpan.FromMinutes(5));
        await using var second = await ChildHost.StartAsync(database, data.FullName);
        await Eventually.TrueAsync(() => Task.FromResult(partner.Received.Count >= 2));
        Assert.Equal("unknown-outcome", await database.ScalarAsync<string>("select code from attempt where number = 1"));
        Assert.Single(partner.Received.Select(r => (r.IdempotencyKey, r.Sha256)).Distinct());
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(document)), partner.Received[0].Sha256);
        await second.KillAsync();
        data.Delete(recursive: true);
    }

    [Fact]
    public async Task Two_hosts_on_one_database_share_the_work_and_send_each_document_once()
    {
        await using var database = await TestDatabase.CreateAsync();
        var keys = await TestGateway.MakeKeysAsync(database);
        var data = Directory.CreateTempSubdirectory("gateway-child-");
        await using var partner = await PartnerSimulator.StartAsync(TimeProvider.System, TestContext.Current.CancellationToken);
        await using (var one = await ChildHost.StartAsync(database, data.FullName))
        await using (var two = await ChildHost.StartAsync(database, data.FullName))
        {
            using var officer = Client(one.Url, keys["officer"]);
            using var added = await officer.PostAsJsonAsync("api/partners", new { gln = Buyer.Owner.Gln, name = "Buyer", format = "1.2-xml", channel = new { kind = "https", url = new Uri(partner.BaseAddress, "well/buyer") } }, TestContext.Current.CancellationToken);
            Assert.True(added.IsSuccessStatusCode);
            using var first = Client(one.Url, keys["cmo"]);
            using var other = Client(two.Url, keys["cmo"]);
            await Parallel.ForEachAsync(Enumerable.Range(10, 40), async (sequence, ct) =>
            {
                using var content = Xml(Shipment(sequence));
                using var answer = await (sequence % 2 == 0 ? first : other).PostAsync("capture", content, ct);
                Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
            });
            await Eventually.TrueAsync(async () => await database.ScalarAsync<long>("select count(*) from delivery where state = 'delivered'") == 40);
        }
        Assert.Equal(40, partner.Received.Count);
        Assert.Equal(40, partner.Received.Select(r => r.IdempotencyKey).Distinct().Count());
        data.Delete(recursive: true);
    }

    private static byte[] Shipment(long sequence) => new ShipmentGenerator(11).Xml(
        new ShipmentPlan(sequence, Shipper, Buyer, new DateTimeOffset(2026, 11, 1, 8, 0, 0, TimeSpan.Zero), "LOT1", new DateOnly(2029, 1, 31)));

    private static HttpClient Client(Uri url, string key)
    {
        var client = new HttpClient { BaseAddress = url };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    private static ByteArrayContent Xml(byte[] document)
    {
        var content = new ByteArrayContent(document);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/xml");
        return content;
    }

    private static string SharedFolder() => Path.Combine(Path.GetDirectoryName(Repository.Root)!, "shared");
}
