using System.Diagnostics;
using Dapper;
using Gateway.Access;
using Gateway.Audit;
using Gateway.Database;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Tests.Audit;

public sealed class SealingTests : IAsyncLifetime
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private readonly DirectoryInfo _files = Directory.CreateTempSubdirectory("gateway-seal-");
    private TestDatabase _database = null!;
    private SealerDatabase _sealer = null!;
    private SealKey _key = null!;

    private AnchorFile Anchor => new(Path.Combine(_files.FullName, "anchor.txt"));

    private SealEntries Seal => new(_sealer);

    private SignSeals Sign => new(_sealer, _key, Anchor, Options.Create(new AuditOptions()), TimeProvider.System);

    public async ValueTask InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        _sealer = new SealerDatabase(GatewayDatabase.Open(_database.AdministratorConnectionString, "gateway_sealer"));
        _key = SealKey.Open(Path.Combine(_files.FullName, "key.pem"));
    }

    public async ValueTask DisposeAsync()
    {
        _key.Dispose();
        await _sealer.Database.Source.DisposeAsync();
        await _database.DisposeAsync();
        _files.Delete(recursive: true);
    }

    [Fact]
    public async Task Entries_become_leaves_in_the_order_of_their_transactions_and_each_is_proved()
    {
        await NoteAsync(600);
        await SealAllAsync();
        Assert.Equal(0, await Seal.RunAsync(Ct));
        await NoteAsync(700);
        await SealAllAsync();

        // By the definition, from the bytes of the entries alone.
        var contents = await ContentsAsync();
        var frontier = new MerkleFrontier();
        contents.ForEach(c => frontier.Add(MerkleTree.LeafHash(c)));
        Assert.Equal(frontier.Root(), await _database.ScalarAsync<byte[]>("select root from audit_seal order by size desc limit 1"));
        await using var work = await _sealer.Database.BeginAsync(Actor.System("test"), Ct);
        foreach (var leaf in (int[])[0, 1, 255, 256, 599, 700, contents.Count - 1])
        {
            var tree = new AuditTree(work, 1, Ct);
            Assert.True(MerkleProof.Includes(leaf, MerkleTree.LeafHash(contents[leaf]), contents.Count, frontier.Root(), await MerkleProof.OfLeafAsync(leaf, contents.Count, tree.SubtreeAsync)));
        }
        var first = await _database.ScalarAsync<byte[]>("select root from audit_seal where size > 0 order by size limit 1");
        var size = await _database.ScalarAsync<long>("select size from audit_seal where size > 0 order by size limit 1");
        Assert.True(MerkleProof.Extends(size, first, contents.Count, frontier.Root(), await MerkleProof.OfExtensionAsync(size, contents.Count, new AuditTree(work, 1, Ct).SubtreeAsync)));
    }

    [Fact]
    public async Task What_commits_late_is_sealed_later_and_nothing_is_left_out()
    {
        await SealAllAsync();
        await using var late = await _database.Gateway.BeginAsync(Actor.System("late"), Ct);
        await late.AuditAsync("test", "thing", "late");
        await NoteAsync(5);
        Assert.Equal(0, await Seal.RunAsync(Ct)); // the open transaction holds the horizon
        await late.CommitAsync();
        await SealAllAsync();
        Assert.Equal("late", await _database.ScalarAsync<string>("select entity_key from audit_leaf join audit_entry using (ord) where entity = 'thing' order by leaf limit 1"));
    }

    [Fact]
    public async Task Writers_and_several_sealers_at_once_leave_no_gap_and_no_entry_out()
    {
        using var stop = new CancellationTokenSource();
        var sealers = Enumerable.Range(0, 3).Select(async _ =>
        {
            var seal = Seal;
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    await seal.RunAsync(Ct);
                }
                catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
                {
                    // Another was first.
                }
            }
        }).ToList();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async writer =>
        {
            for (var n = 0; n < 60; n++)
            {
                await using var work = await _database.Gateway.BeginAsync(Actor.System("writer"), Ct);
                for (var entry = 0; entry <= n % 4; entry++)
                {
                    await work.AuditAsync("test", "thing", $"{writer}.{n}.{entry}");
                }
                if (n % 7 != 0)
                {
                    await work.CommitAsync();
                }
            }
        }));
        await stop.CancelAsync();
        await Task.WhenAll(sealers);
        await SealAllAsync();
        Assert.Equal(0L, await _database.ScalarAsync<long>("select count(*) from (select leaf, row_number() over (order by leaf) - 1 as place from audit_leaf) l where leaf <> place"));
        var frontier = new MerkleFrontier();
        (await ContentsAsync()).ForEach(c => frontier.Add(MerkleTree.LeafHash(c)));
        Assert.Equal(frontier.Root(), await _database.ScalarAsync<byte[]>("select root from audit_seal order by size desc limit 1"));
    }

    [Fact]
    public async Task A_checkpoint_is_signed_so_that_OpenSSL_agrees_and_is_written_outside()
    {
        await NoteAsync(3);
        await SealAllAsync();
        var sign = Sign;
        var note = await sign.RunAsync(Ct);
        Assert.NotNull(note);
        Assert.Null(await sign.RunAsync(Ct));
        Assert.Equal(note, await _database.ScalarAsync<string>("select text from audit_checkpoint where size > 0"));
        Assert.Equal(note, await Anchor.LastAsync(Ct));
        using var key = SealKey.ReadPublic(_key.PublicPem);
        var checkpoint = Checkpoint.Read(note, id => id == _key.Id ? key : null, out var wrong);
        Assert.Null(wrong);
        Assert.Equal((1, await CountAsync("audit_leaf")), (checkpoint!.Epoch, checkpoint.Size));
        Assert.Equal(await _database.ScalarAsync<Guid>("select id from installation"), checkpoint.Origin);

        var end = note.IndexOf("\n\n", StringComparison.Ordinal) + 2;
        await File.WriteAllTextAsync(Path.Combine(_files.FullName, "body"), note[..end], Ct);
        await File.WriteAllBytesAsync(Path.Combine(_files.FullName, "signature"), Convert.FromBase64String(note[end..].Trim().Split(' ')[2]), Ct);
        await File.WriteAllTextAsync(Path.Combine(_files.FullName, "public.pem"), _key.PublicPem, Ct);
        using var openssl = Process.Start(new ProcessStartInfo("openssl", ["dgst", "-sha256", "-verify", "public.pem", "-signature", "signature", "body"]) { WorkingDirectory = _files.FullName, RedirectStandardOutput = true })!;
        Assert.Equal("Verified OK\n", await openssl.StandardOutput.ReadToEndAsync(Ct));

        foreach (var bent in (string[])[note.Replace("size ", "size 1", StringComparison.Ordinal), note.Replace("epoch 1", "epoch 2", StringComparison.Ordinal), note.Replace("\norigin", "\n\norigin", StringComparison.Ordinal), note + "\n", note[..^3] + "\n", "", note.Replace(_key.Id, new string('0', 16), StringComparison.Ordinal)])
        {
            Assert.Null(Checkpoint.Read(bent, id => id == _key.Id ? key : null, out wrong));
            Assert.NotNull(wrong);
        }
    }

    [Fact]
    public async Task What_a_crash_left_unsigned_or_not_outside_is_made_up_for()
    {
        await NoteAsync(1);
        await SealAllAsync();
        // Sealed and not signed: another process goes on.
        Assert.NotNull(await Sign.RunAsync(Ct));
        // Signed and not outside.
        File.Delete(Anchor.Path);
        await Sign.RunAsync(Ct);
        Assert.Equal(await _database.ScalarAsync<byte[]>("select root from audit_seal order by size desc limit 1"), Checkpoint.Parse((await Anchor.LastAsync(Ct))!)!.Root);
        // Half a note at the end is no checkpoint, and the next stands on lines of its own.
        await File.AppendAllTextAsync(Anchor.Path, "\ngateway audit checkpoint v1\norigin ", Ct);
        await NoteAsync(1);
        await SealAllAsync();
        var note = await Sign.RunAsync(Ct);
        Assert.Equal(note, await Anchor.LastAsync(Ct));
    }

    [Fact]
    public async Task Two_who_sign_at_once_name_each_other_in_one_row()
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            var (seal, sign) = (Seal, Sign);
            for (var n = 0; n < 15; n++)
            {
                await NoteAsync(1);
                try
                {
                    await seal.RunAsync(Ct);
                }
                catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
                {
                    // Another was first.
                }
                await sign.RunAsync(Ct);
            }
        }));
        await SealAllAsync();
        await Sign.RunAsync(Ct);
        Assert.Empty(await ProblemsAsync());
    }

    [Fact]
    public async Task A_key_that_did_not_sign_what_is_there_signs_nothing()
    {
        await SealAllAsync();
        await Sign.RunAsync(Ct);
        using var other = SealKey.Open(Path.Combine(_files.FullName, "other.pem"));
        Assert.Contains("restore the key", (await Assert.ThrowsAsync<TrailRewoundException>(() => new SignSeals(_sealer, other, Anchor, Options.Create(new AuditOptions()), TimeProvider.System).RunAsync(Ct))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_server_that_numbers_transactions_anew_is_found_and_goes_on_with_a_new_epoch()
    {
        await SealAllAsync();
        await Sign.RunAsync(Ct);
        // As a dump restored elsewhere: what is sealed had larger numbers than transactions have now.
        await OwnerAsync("set session_replication_role = replica; update audit_seal set horizon = '900000000' where size > 0; update audit_entry set txid = '899999999'");
        await NoteAsync(3);
        await Assert.ThrowsAsync<TrailRewoundException>(() => Seal.RunAsync(Ct));
        await new BeginEpoch(_database.AdministratorConnectionString, _key, Anchor).RunAsync(Actor.System("test"), "Moved to another server.", Ct);
        await NoteAsync(3);
        await SealAllAsync();
        await Sign.RunAsync(Ct);
        Assert.Empty(await ProblemsAsync());
    }

    [Theory]
    [InlineData("a\n\u0303")]
    [InlineData("\r\u0301\t\u030c\\\u0338\"\u0308")]
    [InlineData("u\u0308 \u212b e\u0323\u0307")]
    public async Task Whatever_a_person_writes_is_sealed_as_JSON(string reason)
    {
        await using (var work = await _database.Gateway.BeginAsync(Actor.System("test") with { Reason = reason }, Ct))
        {
            await work.AuditAsync("test", "thing", "1" + reason);
            await work.CommitAsync();
        }
        await SealAllAsync();
        await Sign.RunAsync(Ct);
        Assert.Empty(await ProblemsAsync());
        var canonical = await _database.ScalarAsync<byte[]>("select canonical from audit_entry where entity = 'thing'");
        Assert.Equal(await _database.ScalarAsync<string>("select normalize(reason, NFC) from audit_entry where entity = 'thing'"), System.Text.Json.JsonDocument.Parse(canonical).RootElement.GetProperty("reason").GetString());
    }

    [Fact]
    public async Task A_heartbeat_signs_the_same_root_anew_when_nothing_happened_for_long()
    {
        await SealAllAsync();
        var note = await Sign.RunAsync(Ct);
        await _database.AdvanceAsync(TimeSpan.FromSeconds(11));
        var beat = await Sign.RunAsync(Ct);
        var (first, second) = (Checkpoint.Parse(note!)!, Checkpoint.Parse(beat!)!);
        Assert.Equal((first.Size, Convert.ToHexString(first.Root)), (second.Size, Convert.ToHexString(second.Root)));
        Assert.True(second.Time > first.Time.AddSeconds(10));
        Assert.Null(await Sign.RunAsync(Ct));
        Assert.Single(AnchorFile.Notes(await File.ReadAllTextAsync(Anchor.Path, Ct)));
    }

    [Fact]
    [Requirement("P11-10")]
    public async Task A_database_that_was_restored_from_before_is_not_sealed_on()
    {
        await NoteAsync(2);
        await SealAllAsync();
        await Sign.RunAsync(Ct);
        var before = await File.ReadAllTextAsync(Anchor.Path, Ct);
        await NoteAsync(2);
        await SealAllAsync();
        await Sign.RunAsync(Ct);
        var after = await File.ReadAllTextAsync(Anchor.Path, Ct);
        // As if it had been restored: what the file has last is gone.
        await OwnerAsync("set session_replication_role = replica; delete from audit_checkpoint where size = (select max(size) from audit_seal); delete from audit_entry where ord in (select ord from audit_leaf where leaf >= (select size from audit_seal order by size desc offset 1 limit 1)); delete from audit_leaf where leaf >= (select size from audit_seal order by size desc offset 1 limit 1); delete from audit_seal where size = (select max(size) from audit_seal)");
        Assert.Contains("restored from before", (await Assert.ThrowsAsync<TrailRewoundException>(() => Sign.RunAsync(Ct))).Message, StringComparison.Ordinal);
        // And has gone on with something else.
        await NoteAsync(7);
        await SealAllAsync();
        await Assert.ThrowsAsync<TrailRewoundException>(() => Sign.RunAsync(Ct));
        Assert.Equal(after, await File.ReadAllTextAsync(Anchor.Path, Ct));
        Assert.StartsWith(before, after, StringComparison.Ordinal);

        // Until a person says so: what was lost is told, and all that is there is sealed.
        var begun = await new BeginEpoch(_database.AdministratorConnectionString, _key, Anchor).RunAsync(Actor.System("test"), "The disk broke; the backup is of noon.", Ct);
        Assert.Equal((2, Checkpoint.Parse(AnchorFile.Notes(after).Last())!.Size), (begun.Epoch, begun.OutsideSize));
        await NoteAsync(30);
        await SealAllAsync();
        await Sign.RunAsync(Ct);
        var export = new DirectoryInfo(Path.Combine(_files.FullName, "export"));
        await new TrailExport(_sealer, _database.Gateway, _key, Anchor).WriteAsync(null, null, export, Ct);
        var verdict = TrailVerifier.Verify(export, [_key.PublicPem], null);
        Assert.Empty(verdict.Problems);
        Assert.Contains("The disk broke", Assert.Single(verdict.Notices), StringComparison.Ordinal);
        Assert.Equal(await CountAsync("audit_entry"), verdict.Entries);
    }

    [Theory]
    [Requirement("P11-20")]
    [InlineData("audit_leaf")]
    [InlineData("audit_node")]
    [InlineData("audit_seal")]
    [InlineData("audit_checkpoint")]
    [InlineData("audit_epoch")]
    public async Task No_role_changes_what_is_sealed(string table)
    {
        await NoteAsync(300);
        await SealAllAsync();
        await Sign.RunAsync(Ct);
        foreach (var role in (string[])["gateway_app", "gateway_sealer", "gateway_reader", "postgres"])
        {
            foreach (var attack in (string[])[$"update {table} set epoch = 7", $"delete from {table}", $"truncate {table} cascade"])
            {
                await using var connection = new NpgsqlConnection(_database.AdministratorConnectionString);
                await connection.OpenAsync(Ct);
                await connection.ExecuteAsync($"set role {role}");
                var refused = await Assert.ThrowsAsync<PostgresException>(() => connection.ExecuteAsync(attack));
                Assert.Equal(role == "postgres" ? "GW002" : PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
            }
        }
    }

    private async Task<IReadOnlyList<TrailProblem>> ProblemsAsync()
    {
        var export = new DirectoryInfo(Path.Combine(_files.FullName, Guid.NewGuid().ToString("N")));
        await new TrailExport(_sealer, _database.Gateway, _key, Anchor).WriteAsync(null, null, export, Ct);
        return TrailVerifier.Verify(export, [_key.PublicPem], null).Problems;
    }

    // Transactions of other databases of the server hold the horizon too.
    private Task SealAllAsync()
    {
        var seal = Seal;
        return Eventually.TrueAsync(async () =>
        {
            await seal.RunAsync(Ct);
            return await CountAsync("audit_entry") == await CountAsync("audit_leaf");
        });
    }

    private async Task NoteAsync(int count)
    {
        for (var n = 0; n < count;)
        {
            await using var work = await _database.Gateway.BeginAsync(Actor.System("test"), Ct);
            for (var entry = 0; entry < 10 && n < count; entry++, n++)
            {
                await work.AuditAsync("test", "thing", $"{n}");
            }
            await work.CommitAsync();
        }
    }

    private async Task<List<byte[]>> ContentsAsync()
    {
        await using var connection = new NpgsqlConnection(_database.AdministratorConnectionString);
        return [.. await connection.QueryAsync<byte[]>("select canonical from audit_entry order by txid, ord")];
    }

    private Task<long> CountAsync(string rows) => _database.ScalarAsync<long>($"select count(*) from {rows}");

    private Task OwnerAsync(string sql) => _database.ExecuteAsync(sql);
}
