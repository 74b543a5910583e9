using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Gateway.Database;
using Gateway.Host.Simulate;
using Npgsql;

namespace Gateway.Journeys.Faults;

/// <summary>FT-18: a full disk, of the database and of the temporary folder, is told and never half stored, and passes by itself.</summary>
public sealed class FullDiskTests
{
    [Fact]
    public async Task A_full_disk_of_the_database_is_507_or_503_and_the_same_requests_succeed_when_there_is_room_again()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var disk = await SmallDisk.MountAsync(megabytes: 400);
        // No checkpoint of its own accord while the disk is full: what is tested is a statement without room.
        await using var server = await FaultServer.StartAsync(Path.Combine(disk.Path, "server"), ct, "checkpoint_timeout=1h", "autovacuum=off", "min_wal_size=80MB", "max_wal_size=160MB");
        await using var host = await ChildHost.StartAsync(server.Administrator, Directory.CreateDirectory(Path.Combine(disk.Path, "host")).FullName,
            ("Capture__Sweep", "00:00:01"), ("Capture__Lease", "00:00:05"), ("TMPDIR", Path.GetTempPath()), ("DOTNET_EnableDiagnostics", "0"));
        using var client = await ClientAsync(server.Administrator, host.Url);
        Assert.Equal(HttpStatusCode.Accepted, (await PostAsync(client, Small(1), ct)).Status);

        // The log of writes has its segments already: what runs out is the room for data.
        for (var segment = 0; segment < 5; segment++)
        {
            await ScalarAsync(server.Administrator, "select count(pg_switch_wal())");
            await ScalarAsync(server.Administrator, "checkpoint; select 1::bigint");
        }
        disk.Fill(leaveMegabytes: 3);
        var large = Large(6);
        var (status, body) = await PostAsync(client, large, ct);
        Assert.True(status is HttpStatusCode.InsufficientStorage or HttpStatusCode.ServiceUnavailable, $"{status} {body}");
        Assert.Contains(JsonDocument.Parse(body).RootElement.GetProperty("code").GetString(), (string?[])["GW-HTTP-12", "GW-HTTP-04", "GW-HTTP-05"]);
        disk.Fill(leaveMegabytes: 0);
        var acknowledged = 1;
        var refused = new List<byte[]> { large };
        for (var seed = 2; seed < 30; seed++)
        {
            var document = Small(seed);
            (status, body) = await PostAsync(client, document, ct);
            if (status == HttpStatusCode.Accepted)
            {
                acknowledged++; // pages that were there already had room
                continue;
            }
            Assert.True(status is HttpStatusCode.InsufficientStorage or HttpStatusCode.ServiceUnavailable, $"{status} {body}");
            refused.Add(document);
        }
        Assert.Equal(acknowledged, await ScalarAsync(server.Administrator, "select count(*) from capture"));
        Assert.Equal(acknowledged, await ScalarAsync(server.Administrator, "select count(*) from document"));

        disk.Clear();
        foreach (var document in refused)
        {
            await Eventually.TrueAsync(async () => (await PostAsync(client, document, ct)).Status == HttpStatusCode.Accepted);
        }
        var all = acknowledged + refused.Count;
        await Eventually.TrueAsync(async () => await ScalarAsync(server.Administrator, "select count(*) from capture where state = 'accepted'") == all, seconds: 90);
        Assert.Equal(all, await ScalarAsync(server.Administrator, "select count(*) from event"));
        Assert.Equal(all, await ScalarAsync(server.Administrator, "select count(*) from audit_entry where entity = 'capture' and action = 'capture'"));
    }

    [Fact]
    public async Task A_full_temporary_folder_turns_large_documents_away_and_leaves_nothing()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var disk = await SmallDisk.MountAsync(megabytes: 8);
        var directory = Path.Combine(Path.GetTempPath(), $"gateway-full-{Guid.NewGuid():N}");
        await using (var server = await FaultServer.StartAsync(directory, ct))
        {
            await using var host = await ChildHost.StartAsync(server.Administrator, directory, ("TMPDIR", disk.Path), ("DOTNET_EnableDiagnostics", "0"));
            using var client = await ClientAsync(server.Administrator, host.Url);
            disk.Fill(leaveMegabytes: 2);
            for (var again = 0; again < 3; again++)
            {
                var (status, body) = await PostAsync(client, Large(5), ct);
                Assert.Equal((HttpStatusCode.InsufficientStorage, "GW-CAP-13"), (status, JsonDocument.Parse(body).RootElement.GetProperty("code").GetString()));
            }
            Assert.Equal(HttpStatusCode.Accepted, (await PostAsync(client, Small(1), ct)).Status);
            Assert.Equal(1, await ScalarAsync(server.Administrator, "select count(*) from document"));
            disk.Clear();
            Assert.Equal(HttpStatusCode.Accepted, (await PostAsync(client, Large(5), ct)).Status);
            Assert.Empty(Directory.GetFiles(disk.Path, "gateway-*"));
        }
        Directory.Delete(directory, recursive: true);
    }

    private static async Task<HttpClient> ClientAsync(string administrator, Uri url)
    {
        var database = GatewayDatabase.Open(administrator);
        await using var source = database.Source;
        var client = new HttpClient { BaseAddress = url };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (await TestGateway.MakeKeysAsync(database))["cmo"]);
        return client;
    }

    private static async Task<(HttpStatusCode Status, string Body)> PostAsync(HttpClient client, byte[] document, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "capture") { Content = new ByteArrayContent(document) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/xml");
        request.Headers.Add("Idempotency-Key", Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(document)));
        using var answer = await client.SendAsync(request, ct);
        Assert.Equal(answer.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.InsufficientStorage, answer.Headers.RetryAfter is not null);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(ct));
    }

    private static async Task<long> ScalarAsync(string administrator, string sql)
    {
        await using var connection = new NpgsqlConnection(administrator + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private static byte[] Large(int megabytes)
    {
        var comment = Encoding.ASCII.GetBytes($"<!--{new string('x', 1016)}-->\n");
        return [.. Small(1000 + megabytes), .. Enumerable.Repeat(comment, megabytes << 10).SelectMany(c => c)];
    }

    private static byte[] Small(int seed)
    {
        using var document = new MemoryStream();
        CommissioningDocument.Write(document, units: 1, perEvent: 1, seed);
        return document.ToArray();
    }

    /// <summary>A disk of its own in memory, so that a full one hurts nobody else.</summary>
    private sealed class SmallDisk : IAsyncDisposable
    {
        private SmallDisk(string path) => Path = path;

        public string Path { get; }

        private string Filler => System.IO.Path.Combine(Path, "filler");

        public static async Task<SmallDisk> MountAsync(int megabytes)
        {
            var path = Directory.CreateTempSubdirectory("gateway-disk-").FullName;
            if (await RunAsync("mount", "-t", "tmpfs", "-o", FormattableString.Invariant($"size={megabytes}m,mode=755"), "gateway", path) != 0)
            {
                Directory.Delete(path);
                Assert.SkipWhen(Environment.GetEnvironmentVariable("CI") is null, "Only root can mount the small disk that this test fills.");
                Assert.Fail("The small disk that this test fills cannot be mounted.");
            }
            return new SmallDisk(path);
        }

        /// <summary>Real bytes, until the system itself says that there is no room.</summary>
        public void Fill(int leaveMegabytes)
        {
            using var filler = new FileStream(Filler, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
            var block = new byte[64 << 10];
            var drive = new DriveInfo(Path);
            while (drive.AvailableFreeSpace > (long)leaveMegabytes << 20)
            {
                try
                {
                    filler.Write(block);
                }
                catch (IOException)
                {
                    return; // it is full
                }
            }
        }

        public void Clear() => File.Delete(Filler);

        public async ValueTask DisposeAsync()
        {
            // Lazily: a process that is just ending may still have a file open.
            Assert.Equal(0, await RunAsync("umount", "-l", Path));
            Directory.Delete(Path);
        }

        private static async Task<int> RunAsync(string program, params string[] arguments)
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            await process.WaitForExitAsync();
            return process.ExitCode;
        }
    }
}
