using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dapper;
using Gateway.Access;
using Gateway.Audit;
using Gateway.Database;
using Gateway.Host;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Bench;

/// <summary>
/// The trail under load: how long entries wait until they are sealed while so many come each second, how fast they come with sealing and
/// without, and how fast an export of them is verified on one thread, beside a bare SHA-256 of the same lines.
/// </summary>
internal static class AuditBench
{
    private const int Clients = 4, InOne = 10;

    /// <param name="perSecond">Entries offered each second.</param>
    /// <param name="seconds">For how long.</param>
    /// <param name="entries">How many entries a second, made export has, which is verified like the real one.</param>
    public static async Task RunAsync(int perSecond, double seconds, long entries)
    {
        var data = Directory.CreateTempSubdirectory("gateway-bench-");
        Environment.SetEnvironmentVariable("GATEWAY_DATA", data.FullName);
        File.SetUnixFileMode(data.FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        try
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), CancellationToken.None);
            using var files = SealingFiles.Open(GatewayHost.Configuration(), data.FullName, make: true);
            var sealer = new SealerDatabase(database.Sealer);
            await SealedUnderLoadAsync(database, sealer, files, perSecond, seconds);
            await AlternatingAsync(database, sealer, files);
            await VerifiedAsync(database, sealer, files, entries, data);
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }

    private static async Task SealedUnderLoadAsync(RunningDatabase database, SealerDatabase sealer, SealingFiles files, int perSecond, double seconds)
    {
        using var stop = new CancellationTokenSource();
        var sealing = SealAsync(sealer, files, stop.Token);
        var written = await WriteAsync(database.Gateway, TimeSpan.FromSeconds(seconds), perSecond);
        await Task.Delay(3_000);
        await stop.CancelAsync();
        await sealing;
        // Each entry waits from its own commit at the earliest, which is after it was recorded, until the seal that has it.
        await using var connection = new NpgsqlConnection(database.AdministratorConnectionString);
        var (p50, p99, worst, unsealed) = await connection.QuerySingleAsync<(double, double, double, long)>(new CommandDefinition("""
            select coalesce(percentile_cont(0.5) within group (order by waited), 0), coalesce(percentile_cont(0.99) within group (order by waited), 0), coalesce(max(waited), 0), (select count(*) from audit_entry a where not exists (select from audit_leaf l where l.ord = a.ord))
            from (select extract(epoch from (select sealed_at from audit_seal s where s.epoch = l.epoch and s.size > l.leaf order by size limit 1) - a.recorded_at)::float8 as waited
                  from audit_entry a join audit_leaf l using (ord) where a.entity = 'bench') w
            """, commandTimeout: 0));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{written / seconds,10:N0} entries/s for {seconds:N0} s (offered {perSecond:N0}): sealed after {p50:0.00} s, p99 {p99:0.00} s, at most {worst:0.00} s; {unsealed} of {written:N0} not sealed"));
    }

    private static async Task AlternatingAsync(RunningDatabase database, SealerDatabase sealer, SealingFiles files)
    {
        var (with, without) = (new List<double>(), new List<double>());
        for (var round = 0; round < 5; round++)
        {
            without.Add(await WriteAsync(database.Gateway, TimeSpan.FromSeconds(5), null) / 5.0);
            using var stop = new CancellationTokenSource();
            var sealing = SealAsync(sealer, files, stop.Token);
            await Task.Delay(4_000); // what the round without has left is sealed first
            with.Add(await WriteAsync(database.Gateway, TimeSpan.FromSeconds(5), null) / 5.0);
            await stop.CancelAsync();
            await sealing;
        }
        var (on, off) = (Figures.Median(with), Figures.Median(without));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{off,10:N0} entries/s as fast as they come without sealing, {on:N0} with it: {on / off:0.00}"));
    }

    private static async Task VerifiedAsync(RunningDatabase database, SealerDatabase sealer, SealingFiles files, long entries, DirectoryInfo data)
    {
        var seal = new SealEntries(sealer);
        var started = Stopwatch.GetTimestamp();
        long sealedNow = 0;
        for (int? n; (n = await seal.RunAsync(CancellationToken.None)) is not 0; sealedNow += n ?? 0)
        {
        }
        var took = Stopwatch.GetElapsedTime(started).TotalSeconds;
        await Signer(sealer, files).RunAsync(CancellationToken.None);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{sealedNow / Math.Max(took, 0.001),10:N0} entries/s sealed one after the other ({sealedNow:N0})"));

        var folder = new DirectoryInfo(Path.Combine(data.FullName, "export"));
        started = Stopwatch.GetTimestamp();
        var exported = await new TrailExport(sealer, database.Gateway, files.Key, files.Anchor).WriteAsync(null, null, folder, CancellationToken.None);
        took = Stopwatch.GetElapsedTime(started).TotalSeconds;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{exported / took,10:N0} entries/s exported ({exported:N0})"));

        Verified(folder, files.Key);
        var many = data.CreateSubdirectory("many");
        Multiply(folder, many, entries, files.Key);
        folder.Delete(recursive: true);
        Verified(many, files.Key);
    }

    private static void Verified(DirectoryInfo export, SealKey key)
    {
        var lines = Path.Combine(export.FullName, "entries.jsonl");
        // The floor: the same lines read and hashed once each.
        var started = Stopwatch.GetTimestamp();
        long hashed = 0;
        using (var reading = new StreamReader(lines))
        {
            while (reading.ReadLine() is { } line)
            {
                SHA256.HashData(Encoding.UTF8.GetBytes(line));
                hashed++;
            }
        }
        var floor = Stopwatch.GetElapsedTime(started).TotalSeconds;
        started = Stopwatch.GetTimestamp();
        var verdict = TrailVerifier.Verify(export, [key.PublicPem], null);
        var took = Stopwatch.GetElapsedTime(started).TotalSeconds;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{verdict.Entries / took,10:N0} entries/s verified on one thread ({verdict.Entries:N0}, {new FileInfo(lines).Length / 1e9:0.00} GB), {(verdict.IsSound ? "sound" : "NOT SOUND: " + verdict.Problems[0].Message)}; {hashed / floor:N0} lines/s read and hashed: {floor / took:0.00}; peak memory {Process.GetCurrentProcess().PeakWorkingSet64 / 1e6:N0} MB"));
    }

    /// <summary>An export of as many entries as somebody has in years, each the last of a real one with a number of its own, with a checkpoint every 3,000 leaves.</summary>
    private static void Multiply(DirectoryInfo real, DirectoryInfo made, long entries, SealKey key)
    {
        const int signedEvery = 3_000;
        using var last = JsonDocument.Parse(File.ReadLines(Path.Combine(real.FullName, "entries.jsonl")).Last());
        var ord = last.RootElement.GetProperty("ord").GetInt64();
        var canonical = Encoding.UTF8.GetString(last.RootElement.GetProperty("canonical").GetBytesFromBase64()).Split($"\"ord\":{ord}");
        var head = JsonNode.Parse(File.ReadAllText(Path.Combine(real.FullName, "export.json")))!;
        var (frontier, before, at) = (new MerkleFrontier(), (byte[]?)null, DateTime.UtcNow);
        using (var lines = new StreamWriter(Path.Combine(made.FullName, "entries.jsonl"), append: false, new UTF8Encoding(false), 1 << 16))
        using (var notes = new StreamWriter(Path.Combine(made.FullName, "checkpoints.txt")))
        {
            for (long leaf = 0; leaf < entries; leaf++)
            {
                var text = string.Create(CultureInfo.InvariantCulture, $"{canonical[0]}\"ord\":{leaf + 1}{canonical[1]}");
                var bytes = Encoding.UTF8.GetBytes(text);
                var hash = MerkleTree.LeafHash(bytes);
                frontier.Add(hash);
                lines.Write(string.Create(CultureInfo.InvariantCulture, $"{{\"epoch\" : 1, \"leaf\" : {leaf}, \"ord\" : {leaf + 1}, \"hash\" : \"{Convert.ToBase64String(hash)}\", \"canonical\" : \"{Convert.ToBase64String(bytes)}\", \"columns\" : {text}}}\n"));
                if (frontier.Size % signedEvery == 0 || frontier.Size == entries)
                {
                    var note = new Checkpoint(head["origin"]!.GetValue<Guid>(), 1, frontier.Size, frontier.Root(), at = at.AddSeconds(1), before, null).Sign(key);
                    before = SHA256.HashData(Encoding.UTF8.GetBytes(note));
                    notes.Write(note);
                    notes.Write('\n');
                }
            }
        }
        head["epochs"] = new JsonArray(new JsonObject { ["epoch"] = 1, ["from"] = 0, ["to"] = entries, ["size"] = entries, ["left"] = new JsonArray(), ["right"] = new JsonArray() });
        File.WriteAllText(Path.Combine(made.FullName, "export.json"), head.ToJsonString());
        foreach (var empty in (string[])["documents.jsonl", "signatures.jsonl", "unsealed.jsonl", "replaced-keys.jsonl"])
        {
            File.WriteAllText(Path.Combine(made.FullName, empty), "");
        }
    }

    /// <param name="perSecond">Null: as fast as they go.</param>
    /// <returns>How many were committed.</returns>
    private static async Task<long> WriteAsync(GatewayDatabase database, TimeSpan duration, int? perSecond)
    {
        long written = 0;
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(client => Task.Run(async () =>
        {
            var actor = Actor.System("bench") with { Reason = "because" };
            for (long own = 0; Stopwatch.GetElapsedTime(started) < duration; own += InOne)
            {
                if (perSecond is { } rate && own * Clients / (double)rate - Stopwatch.GetElapsedTime(started).TotalSeconds is > 0 and var early)
                {
                    await Task.Delay(TimeSpan.FromSeconds(early));
                }
                await using var work = await database.BeginAsync(actor, CancellationToken.None);
                await work.Connection.ExecuteAsync("select count(audit_write('update', 'bench', @client::text || '.' || ((@own + n) % 1000)::text, jsonb_build_object('name', 'Shipper', 'state', 'active', 'n', n), jsonb_build_object('name', 'Shipper', 'state', 'paused', 'n', n + 1))) from generate_series(1, 10) n", new { client, own }, work.Transaction);
                await work.CommitAsync();
                Interlocked.Add(ref written, InOne);
            }
        })));
        return written;
    }

    private static SignSeals Signer(SealerDatabase sealer, SealingFiles files) => new(sealer, files.Key, files.Anchor, Options.Create(new AuditOptions()), TimeProvider.System);

    private static async Task SealAsync(SealerDatabase sealer, SealingFiles files, CancellationToken ct)
    {
        var (seal, sign) = (new SealEntries(sealer), Signer(sealer, files));
        for (var turn = 0; !ct.IsCancellationRequested; turn++)
        {
            await seal.RunAsync(CancellationToken.None);
            if (turn % 4 == 0)
            {
                await sign.RunAsync(CancellationToken.None);
            }
            await Task.Delay(250, CancellationToken.None);
        }
    }
}
