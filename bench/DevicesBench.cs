using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Dapper;
using Npgsql;

namespace Gateway.Bench;

/// <summary>
/// Devices that each post what they have said every half second over real sockets, at a rate (0: as fast as they can, 500 a post), and heartbeats beside it; beside
/// a bare loop that inserts the same bodies with one prepared statement and a durable commit for as many as a post has. Of each two devices one says that it has
/// printed a pack and the other that it has verified it, so that the ledger takes half as many units as there are messages, while more come and then until all are applied.
/// </summary>
internal static class DevicesBench
{
    private const double WarmUpSeconds = 5;
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(0.5);

    public static async Task RunAsync(int devices, int rate, double seconds)
    {
        await using var gateway = await GatewayProcess.StartAsync();
        await using var connection = new NpgsqlConnection(gateway.Administrator);
        await connection.OpenAsync();
        await connection.ExecuteAsync("""
            select set_config('app.actor', 'bench', false), set_config('app.party', '*', false);
            insert into line (party_id, code, name, site, read_point, time_zone) select party_id, 'PL' || n, 'Line', '9521234000105', 'urn:epc:id:sgln:9521234.00010.1', 'UTC' from party, generate_series(1, 40) n where kind = 'organisation'
            """);
        var tokens = new List<(string Name, string Token)>();
        for (var n = 0; n < devices; n++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"device-{n}");
            using var answer = await gateway.Http.PostAsJsonAsync("api/devices/register", new { deviceId = name, kind = "camera", firmware = "1", configHash = "1", line = string.Create(CultureInfo.InvariantCulture, $"PL{1 + (n % 40)}") });
            answer.EnsureSuccessStatusCode();
            tokens.Add((name, (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("token").GetString()!));
        }
        // As an officer has approved it, and as the organisation has told its product.
        using (var read = await gateway.Officer.PostAsJsonAsync("api/intake/mappings/device-messages/approve", new { reason = "bench" }))
        {
            read.EnsureSuccessStatusCode();
        }
        using (var product = await gateway.Officer.PutAsJsonAsync($"api/products/{Gtin}", new { name = "Bench", level = "unit", companyPrefixLength = 7, reason = "bench" }))
        {
            product.EnsureSuccessStatusCode();
        }
        var perPost = rate == 0 ? 500 : Math.Clamp((int)Math.Round(rate * Every.TotalSeconds / devices), 1, 500);
        var every = rate == 0 ? TimeSpan.Zero : TimeSpan.FromSeconds((double)perPost * devices / rate);
        var times = new ConcurrentBag<double>();
        var (sent, refused) = (0L, 0L);
        var start = Stopwatch.GetTimestamp();
        using var watched = new CancellationTokenSource();
        var watching = WatchAsync(gateway, start, watched.Token);
        await Task.WhenAll(tokens.Select((device, n) => Task.Run(async () =>
        {
            using var http = new HttpClient { BaseAddress = gateway.Http.BaseAddress };
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", device.Token);
            await Task.Delay(every * ((double)n / devices)); // lines do not beat together
            var (seq, posts) = (0L, 0);
            while (Stopwatch.GetElapsedTime(start).TotalSeconds < WarmUpSeconds + seconds)
            {
                var body = Post(device.Name, n, seq, perPost);
                var began = Stopwatch.GetTimestamp();
                using var content = new ByteArrayContent(body);
                using var answer = await http.PostAsync($"api/devices/{device.Name}/messages", content);
                if ((int)answer.StatusCode == 429)
                {
                    Interlocked.Increment(ref refused);
                    await Task.Delay(TimeSpan.FromSeconds(1));
                    continue;
                }
                answer.EnsureSuccessStatusCode();
                seq += perPost;
                Interlocked.Add(ref sent, perPost);
                if (Stopwatch.GetElapsedTime(start, began).TotalSeconds >= WarmUpSeconds)
                {
                    times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
                }
                if (every > TimeSpan.Zero && ++posts % Math.Max(1, (int)(5 / every.TotalSeconds)) == 0)
                {
                    using var beat = await http.PostAsJsonAsync($"api/devices/{device.Name}/heartbeat", new { ep = 1, t0 = DateTimeOffset.UtcNow, firmware = "1", configHash = "1", state = "Execute", lastSeq = seq, buffered = 0 });
                    beat.EnsureSuccessStatusCode();
                }
                var wait = (every * (posts + ((double)n / devices))) - Stopwatch.GetElapsedTime(start);
                if (wait > TimeSpan.Zero)
                {
                    await Task.Delay(wait);
                }
            }
        })));
        var took = Stopwatch.GetElapsedTime(start).TotalSeconds - WarmUpSeconds;
        var stopped = Stopwatch.GetTimestamp();
        while (await connection.ExecuteScalarAsync<bool>("select exists (select from device_message where state <> 'applied') or exists (select from capture where state = 'processing')"))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(250));
        }
        var drained = Stopwatch.GetElapsedTime(stopped).TotalSeconds;
        await watched.CancelAsync();
        await watching;
        var (units, commissioned) = await connection.QuerySingleAsync<(long, long)>("select count(*), count(*) filter (where state = 7) from unit");
        var (stored, different) = await connection.QuerySingleAsync<(long, long)>("select count(*), count(distinct (device_id, epoch, seq)) from device_message");
        var bare = await BareAsync(gateway.Floor, perPost, Math.Min(seconds, 10));
        var sorted = times.Order().ToArray();
        Console.WriteLine(FormattableString.Invariant($"{devices} devices, {perPost} messages a post, {took:0.0} s: {sorted.Length * (long)perPost / took:0} messages/s, {sorted.Length / took:0} posts/s, p50 {sorted[sorted.Length / 2]:0.0} ms, p99 {sorted[sorted.Length * 99 / 100]:0.0} ms, {refused} posts asked to wait"));
        Console.WriteLine(FormattableString.Invariant($"lost {sent - stored}, doubled {stored - different}; all applied {drained:0.0} s after the last post: {units} units, {commissioned} commissioned"));
        Console.WriteLine(FormattableString.Invariant($"bare insert loop, {perPost} a commit, one connection: {bare:0} messages/s; devices / bare loop {sorted.Length * (long)perPost / took / bare:0.00}"));
    }

    private const string Gtin = "09521234001010";

    /// <summary>Prints each minute, and once more at the end, what is not applied yet, and the most memory since.</summary>
    private static async Task WatchAsync(GatewayProcess gateway, long start, CancellationToken ct)
    {
        await using var connection = new NpgsqlConnection(gateway.Administrator);
        await connection.OpenAsync(CancellationToken.None);
        while (!ct.IsCancellationRequested)
        {
            gateway.ForgetPeak();
            try
            {
                await Task.Delay(TimeSpan.FromMinutes(1), ct);
            }
            catch (OperationCanceledException)
            {
                // The last line.
            }
            var (waiting, oldest) = await connection.QuerySingleAsync<(long, double)>("select count(*), coalesce(extract(epoch from gateway_now() - min(received_at)), 0)::float8 from device_message where state <> 'applied'");
            Console.WriteLine(FormattableString.Invariant($"after {Stopwatch.GetElapsedTime(start).TotalSeconds,5:0} s: {waiting,7} messages not applied, the oldest for {oldest:0.0} s; peak memory {gateway.PeakMiB():0} MiB"));
        }
    }

    private static byte[] Post(string device, int number, long after, int count)
    {
        var post = new StringBuilder("{\"messages\":[");
        for (var seq = after + 1; seq <= after + count; seq++)
        {
            post.Append(seq == after + 1 ? "" : ",").Append(Message(device, number, seq));
        }
        return Encoding.UTF8.GetBytes(post.Append("]}").ToString());
    }

    // Some 400 bytes, as LINES.md section 6 has it.
    private static string Message(string device, int number, long seq) => string.Create(CultureInfo.InvariantCulture,
        $$"""{"dev":"{{device}}","ep":1,"seq":{{seq}},"ts":"{{DateTime.UtcNow:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}}","mono":{{Environment.TickCount64}},"typ":"{{(number % 80 < 40 ? "encode" : "verify")}}","pass":true,"id":"01{{Gtin}}21{{number % 40:00}}{{number / 80:00}}{{seq:00000000}}","lot":"LOT4711","expiry":"2029-01-31","station":"printing","grade":3.4,"image":"{{new string('a', 160)}}"}""");

    private static async Task<double> BareAsync(string connectionString, int perCommit, double seconds)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await connection.ExecuteAsync("create table bare (device_id int, epoch int, seq bigint, body text, primary key (device_id, epoch, seq))");
        await using var insert = new NpgsqlCommand("insert into bare values (1, 1, $1, $2)", connection) { Parameters = { new NpgsqlParameter<long>(), new NpgsqlParameter<string>() } };
        await insert.PrepareAsync();
        var (start, seq) = (Stopwatch.GetTimestamp(), 0L);
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds)
        {
            await using var transaction = await connection.BeginTransactionAsync();
            for (var n = 0; n < perCommit; n++)
            {
                ((NpgsqlParameter<long>)insert.Parameters[0]).TypedValue = ++seq;
                ((NpgsqlParameter<string>)insert.Parameters[1]).TypedValue = Message("device-0", 0, seq);
                await insert.ExecuteNonQueryAsync();
            }
            await transaction.CommitAsync();
        }
        return seq / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
