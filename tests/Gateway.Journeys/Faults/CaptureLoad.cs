using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using Gateway.Access;
using Gateway.Database;
using Gateway.Host.Simulate;
using Npgsql;

namespace Gateway.Journeys.Faults;

/// <summary>
/// Several senders who repeat each document under its key until it is acknowledged, while something is broken; and the
/// proof afterwards that each document took effect once.
/// </summary>
internal sealed class CaptureLoad(string administrator, PartnerSimulator partner, int seed)
{
    private const int Senders = 6;
    private const int MaxPerSender = 150; // the simulated partner remembers a thousand messages
    private static readonly SimulatedParty Shipper = SimulatedParty.AtOneAddress("9521234000105", 7, "Shipper");
    private static readonly SimulatedParty XmlBuyer = SimulatedParty.AtOneAddress("9521234000204", 7, "Buyer of XML");
    private static readonly SimulatedParty JsonBuyer = SimulatedParty.AtOneAddress("9521234000303", 7, "Buyer of JSON");
    private readonly ConcurrentDictionary<string, Guid> _acknowledged = new(); // by SHA-256
    private readonly ConcurrentDictionary<string, int> _failures = new();
    private readonly SemaphoreSlim _allowed = new(0);
    private string[] _tokens = [];

    public int Acknowledged => _acknowledged.Count;

    /// <summary>What stood between the senders and their answers, for the report of a failing test.</summary>
    public string Failures => string.Join(", ", _failures.Select(f => $"{f.Value} × {f.Key}"));

    public async Task PrepareAsync(GatewayDatabase database, Uri host, CancellationToken ct)
    {
        var keys = await TestGateway.MakeKeysAsync(database);
        await using (var work = await database.BeginAsync(Actor.System("test"), ct))
        {
            var tokens = new List<string>();
            for (var n = 0; n < Senders; n++)
            {
                tokens.Add(await ApiKeys.CreateAsync(work, await Parties.EnsureAsync(work, "cmo", $"CMO {n / 2}", null), "cmo", $"line {n}", "gwl"));
            }
            await work.CommitAsync();
            _tokens = [.. tokens];
        }
        using var officer = Client(host, keys["officer"]);
        foreach (var (buyer, format) in new[] { (XmlBuyer, "1.2-xml"), (JsonBuyer, "2.0-json") })
        {
            using var added = await officer.PostAsJsonAsync("api/partners", new { gln = buyer.Owner.Gln, name = buyer.Owner.Gln, format, channel = new { kind = "https", url = new Uri(partner.BaseAddress, $"well/{format}") } }, ct);
            Assert.True(added.IsSuccessStatusCode, await added.Content.ReadAsStringAsync(ct));
        }
    }

    /// <summary>Lets the senders send so many documents more, so that a slow machine does not make the load long.</summary>
    public void Allow(int documents) => _allowed.Release(documents);

    /// <summary>Sends until the fault is over, and then some more.</summary>
    public async Task RunAsync(Func<int, Uri> host, Func<CancellationToken, Task> fault, CancellationToken ct)
    {
        var breaking = fault(ct);
        await Task.WhenAll(Enumerable.Range(0, Senders).Select(sender => SendAsync(sender, host, breaking, ct)));
        await breaking;
    }

    private async Task SendAsync(int sender, Func<int, Uri> host, Task breaking, CancellationToken ct)
    {
        var random = new Random(seed + sender);
        for (var (n, after) = (0, 0); n < MaxPerSender && after < 3; n++)
        {
            await Task.WhenAny(_allowed.WaitAsync(ct), breaking);
            after += breaking.IsCompleted ? 1 : 0;
            var isJson = random.Next(2) == 1;
            var document = Document(isJson, sender * 1000 + n);
            while (!await IsAcknowledgedAsync(host(random.Next()), sender, n, isJson, document, ct))
            {
                await Task.Delay(random.Next(50, 200), ct);
            }
            await Task.Delay(random.Next(50, 250), ct);
        }
        await breaking.WaitAsync(ct);
    }

    private async Task<bool> IsAcknowledgedAsync(Uri host, int sender, int n, bool isJson, byte[] document, CancellationToken ct)
    {
        using var client = Client(host, _tokens[sender]);
        using var request = new HttpRequestMessage(HttpMethod.Post, "capture") { Content = new ByteArrayContent(document) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(isJson ? "application/json" : "application/xml");
        request.Headers.Add("Idempotency-Key", $"{sender}-{n}");
        try
        {
            using var answer = await client.SendAsync(request, ct);
            if (answer.StatusCode == HttpStatusCode.Accepted)
            {
                _acknowledged[Convert.ToHexStringLower(SHA256.HashData(document))] = Guid.Parse(answer.Headers.Location!.ToString().Split('/')[^1]);
                return true;
            }
            var body = await answer.Content.ReadAsStringAsync(ct);
            // What may pass says so; anything else is a fault of ours.
            Assert.True(answer.StatusCode is HttpStatusCode.Conflict or HttpStatusCode.ServiceUnavailable or HttpStatusCode.InsufficientStorage
                && answer.Headers.RetryAfter is not null && body.Contains("\"code\":\"GW-", StringComparison.Ordinal), $"{(int)answer.StatusCode} {body}");
            Count($"{(int)answer.StatusCode}");
        }
        catch (Exception e) when (e is HttpRequestException or IOException || e is OperationCanceledException && !ct.IsCancellationRequested)
        {
            Count(e.GetType().Name);
        }
        return false;
    }

    private void Count(string failure) => _failures.AddOrUpdate(failure, 1, (_, n) => n + 1);

    /// <summary>Each acknowledged document is stored, its events, audit entry and delivery exactly once, and the partner took it once.</summary>
    public async Task EachTookEffectOnceAsync()
    {
        Assert.True(Acknowledged >= Senders * 4, $"Only {Acknowledged} documents were acknowledged. {Failures}");
        await Eventually.TrueAsync(async () => await ScalarAsync<long>("select count(*) from capture where state = 'processing'") == 0, seconds: 120);
        var stored = (await ScalarAsync<string[]>("select array_agg(encode(d.sha256, 'hex') || ' ' || c.public_id || ' ' || c.state) from document d join capture c using (document_id)")).ToHashSet();
        Assert.Equal(_acknowledged.Select(a => $"{a.Key} {a.Value} accepted").ToHashSet(), stored);
        Assert.Equal(Acknowledged, await ScalarAsync<long>("select count(*) from document"));
        Assert.Equal(Acknowledged, await ScalarAsync<long>("select count(*) from idempotency"));
        Assert.Equal(0L, await ScalarAsync<long>("select count(*) from capture c where event_count = 0 or event_count <> (select count(*) from event e where e.event_id >> 20 = c.capture_id)"));
        Assert.Equal(await ScalarAsync<long>("select count(*) from event"), await ScalarAsync<long>("select count(distinct event_uri) from event"));
        Assert.Equal(Acknowledged, await ScalarAsync<long>("select count(*) from audit_entry where entity = 'capture' and action = 'capture'"));
        Assert.Equal(Acknowledged, await ScalarAsync<long>("select count(distinct entity_key) from audit_entry where entity = 'capture' and action = 'capture'"));
        await Eventually.TrueAsync(async () => await ScalarAsync<long>("select count(*) from delivery where state <> 'delivered'") == 0, seconds: 120);
        var messages = await ScalarAsync<string[]>("select array_agg(d.message_id || ' ' || encode(o.sha256, 'hex')) from delivery d join document o using (document_id)");
        Assert.Equal(Acknowledged, messages.Length);
        Assert.All(messages, m => Assert.Equal(1, partner.EffectsOf(m.Split(' ')[0])));
        Assert.All(partner.Received, r => Assert.Contains($"{r.IdempotencyKey} {r.Sha256}", messages));
    }

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var connection = new NpgsqlConnection(administrator + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    private byte[] Document(bool isJson, long sequence)
    {
        var generator = new ShipmentGenerator(seed);
        var plan = new ShipmentPlan(sequence, Shipper, isJson ? JsonBuyer : XmlBuyer, new DateTimeOffset(2026, 11, 1, 8, 0, 0, TimeSpan.Zero), "LOT1", new DateOnly(2029, 1, 31));
        return isJson ? generator.Json(plan) : generator.Xml(plan);
    }

    private static HttpClient Client(Uri url, string key)
    {
        var client = new HttpClient { BaseAddress = url };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }
}
