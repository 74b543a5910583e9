using System.Diagnostics;
using System.Globalization;
using System.Text;
using Dapper;
using Gateway.Access;
using Gateway.Audit;
using Gateway.Database;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Tests.Audit;

/// <summary>What somebody who rules the database does to a sealed trail, found in its export by the files alone.</summary>
public sealed class TamperedTrailTests : IAsyncLifetime
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private readonly DirectoryInfo _files = Directory.CreateTempSubdirectory("gateway-trail-");
    private TestDatabase _database = null!;
    private SealerDatabase _sealer = null!;
    private SealKey _key = null!;
    private AnchorFile _anchor = null!;
    private int _exports;

    public async ValueTask InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        _sealer = new SealerDatabase(GatewayDatabase.Open(_database.AdministratorConnectionString, "gateway_sealer"));
        _key = SealKey.Open(Path.Combine(_files.FullName, "key.pem"));
        _anchor = new AnchorFile(Path.Combine(_files.FullName, "anchor.txt"));
        var seal = new SealEntries(_sealer);
        for (var round = 0; round < 6; round++)
        {
            for (var n = 0; n < 20; n++)
            {
                await using var work = await _database.Gateway.BeginAsync(Actor.System("test") with { Reason = "Müller said: \"so\"\n", Correlation = "c" }, Ct);
                for (var entry = 0; entry < 3; entry++)
                {
                    await work.Connection.ExecuteAsync("select audit_write('change', 'thing', @key, @old::jsonb, @new::jsonb)", new { key = $"{round}.{n}", old = """{"a":1.50,"b":"ä"}""", @new = """{"b":"u\u0308","a":null}""" }, work.Transaction);
                }
                await work.CommitAsync();
            }
            await Eventually.TrueAsync(async () =>
            {
                await seal.RunAsync(Ct);
                return await _database.ScalarAsync<long>("select (select count(*) from audit_entry) - (select count(*) from audit_leaf)") == 0;
            });
            // Another each time, as after a start: one by itself writes outside every few seconds only.
            await new SignSeals(_sealer, _key, _anchor, Options.Create(new AuditOptions()), TimeProvider.System).RunAsync(Ct);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _key.Dispose();
        await _sealer.Database.Source.DisposeAsync();
        await _database.DisposeAsync();
        _files.Delete(recursive: true);
    }

    [Fact]
    public async Task What_nobody_touched_is_sound_whole_and_in_part()
    {
        var verdict = Verify(await ExportAsync());
        Assert.Empty(verdict.Problems);
        Assert.Equal((await _database.ScalarAsync<long>("select count(*) from audit_leaf"), await _database.ScalarAsync<long>("select count(*) from audit_checkpoint")), (verdict.Entries, verdict.Checkpoints));
        Assert.Equal([_key.Id], verdict.Keys);
        // Any period, whose first and last leaves stand anywhere in the tree.
        var times = await TimesAsync();
        foreach (var (from, to) in ((int, int)[])[(0, 1), (1, 2), (7, 200), (100, 101), (128, 256), (255, times.Count - 1), (times.Count - 1, times.Count - 1)])
        {
            var part = Verify(await ExportAsync(times[from], times[to]));
            Assert.Empty(part.Problems);
            Assert.InRange(part.Entries, times.Count(t => t >= times[from] && t < times[to]), times.Count);
            Assert.True(part.Epochs[0].From <= from && part.Epochs[0].To >= to);
        }
        Assert.Equal("sound\n", await BySecondHandAsync(await ExportAsync()));
        Assert.Equal("sound\n", await BySecondHandAsync(await ExportAsync(times[100], times[200])));
    }

    // One trail for all of them: each leaves it as it was.
    private static readonly (string Attack, string Found)[] s_edits =
    [
        ("update audit_entry set canonical = overlay(canonical placing '\\x58'::bytea from 40 for 1) where ord = {0}", "bytes"),
        ("update audit_entry set canonical = canonical || '\\xff'::bytea where ord = {0}", "bytes"),
        ("update audit_entry set canonical = ''::bytea where ord = {0}", "bytes"),
        ("update audit_entry set actor_name = 'Somebody else' where ord = {0}", "columns"),
        ("update audit_entry set reason = null where ord = {0}", "columns"),
        ("update audit_entry set reason = reason || ' ' where ord = {0}", "columns"),
        ("update audit_entry set new = '{{\"a\":2}}' where ord = {0}", "columns"),
        ("update audit_entry set recorded_at = recorded_at - interval '1 microsecond' where ord = {0}", "columns"),
        ("update audit_entry set version = version + 1 where ord = {0}", "columns"),
        ("update audit_entry set party_id = 7 where ord = {0}", "columns"),
        ("delete from audit_entry where ord = {0}", "gone"),
        ("update audit_leaf set ord = 1000000 where ord = {0}", "gone"),
        ("delete from audit_leaf where ord = {0}", "missing"),
        ("delete from audit_leaf where ord = {0}; delete from audit_entry where ord = {0}", "missing"),
        ("update audit_leaf set hash = sha256('x') where ord = {0}", "bytes"),
    ];

    [Fact]
    public async Task An_edit_of_one_entry_is_found_and_named()
    {
        foreach (var (attack, found) in s_edits)
        {
            // Whichever it is: two of several hundred for each.
            foreach (var isAskedTwice in (bool[])[true, false])
            {
                var ord = await _database.ScalarAsync<long>("select ord from audit_entry where entity = 'thing' order by random() limit 1");
                var leaf = await _database.ScalarAsync<long>($"select leaf from audit_leaf where ord = {ord}");
                var export = await TamperedAsync(string.Format(CultureInfo.InvariantCulture, attack, ord));
                var problem = Verify(export).Problems[0];
                Assert.True(leaf == problem.Leaf && problem.Message.Contains(found, StringComparison.Ordinal), $"{attack}\nentry {ord}, leaf {leaf}: {problem}");
                // The other does not believe the kept hash either, and so does not ask it.
                Assert.True(!isAskedTwice || attack.Contains("set hash", StringComparison.Ordinal) || await BySecondHandAsync(export) != "sound\n", attack);
            }
        }
    }

    [Fact]
    public async Task Who_makes_hashes_anew_but_has_no_key_is_found()
    {
        // The entry, its columns and its leaf agree; the signed root does not.
        var verdict = Verify(await TamperedAsync("""
            update audit_entry set reason = 'another', canonical = convert_to(canonical_json((convert_from(canonical, 'UTF8')::jsonb || '{"reason":"another"}')), 'UTF8') where ord = (select ord from audit_leaf where leaf = 130);
            update audit_leaf l set hash = sha256('\x00'::bytea || canonical) from audit_entry a where a.ord = l.ord
            """));
        var problem = Assert.Single(verdict.Problems.Take(1));
        Assert.Contains("do not have the root", problem.Message, StringComparison.Ordinal);
        Assert.InRange(problem.Leaf!.Value, 0, 130);
    }

    [Fact]
    public async Task Two_entries_that_change_places_are_found()
    {
        var problem = Verify(await TamperedAsync("""
            update audit_leaf l set ord = -o.ord, hash = o.hash from audit_leaf o where l.leaf in (50, 51) and o.leaf = 101 - l.leaf;
            update audit_leaf set ord = -ord where ord < 0
            """)).Problems[0];
        Assert.Contains("do not have the root", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_entry_that_was_put_in_is_named()
    {
        var problem = Assert.Single(Verify(await TamperedAsync("""
            insert into audit_entry (txid, recorded_at, actor, actor_name, actor_role, method, origin, action, entity, entity_key, version, canonical)
            select txid, recorded_at, actor, actor_name, actor_role, method, origin, action, entity, entity_key, 99, canonical from audit_entry order by ord limit 1
            """)).Problems);
        Assert.Equal(await _database.ScalarAsync<long>("select max(ord) from audit_entry"), problem.Ord - 1);
        Assert.Contains("put in", problem.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("delete from audit_checkpoint where size > 200; delete from audit_seal where size > 200; delete from audit_leaf where leaf >= (select max(size) from audit_seal); delete from audit_entry where ord not in (select ord from audit_leaf)", "that the export does not have")]
    [InlineData("update audit_checkpoint set text = replace(text, 'size ', 'size 1') where size = (select max(size) from audit_checkpoint)", "not to be believed")]
    [InlineData("delete from audit_checkpoint where size = (select size from audit_checkpoint order by size offset 3 limit 1)", "does not name the one before it")]
    public async Task What_was_cut_or_bent_of_the_checkpoints_is_found(string attack, string found) =>
        Assert.Contains(Verify(await TamperedAsync(attack)).Problems, p => p.Message.Contains(found, StringComparison.Ordinal));

    [Fact]
    public async Task A_trail_that_was_made_anew_with_another_key_is_found_by_who_knows_the_key_or_keeps_checkpoints()
    {
        using var other = SealKey.Open(Path.Combine(_files.FullName, "other.pem"));
        var anchors = await File.ReadAllTextAsync(_anchor.Path, Ct);
        await TamperAsync("update audit_entry set reason = 'another', canonical = convert_to(canonical_json((convert_from(canonical, 'UTF8')::jsonb || '{\"reason\":\"another\"}')), 'UTF8') where ord = (select ord from audit_leaf where leaf = 130)");
        await TamperAsync("truncate audit_checkpoint, audit_node, audit_leaf; delete from audit_seal where size > 0");
        File.Delete(_anchor.Path);
        await Eventually.TrueAsync(async () =>
        {
            await new SealEntries(_sealer).RunAsync(Ct);
            return await _database.ScalarAsync<long>("select (select count(*) from audit_entry) - (select count(*) from audit_leaf)") == 0;
        });
        await new SignSeals(_sealer, other, _anchor, Options.Create(new AuditOptions()), TimeProvider.System).RunAsync(Ct);
        var export = Export();
        await new TrailExport(_sealer, _database.Gateway, other, _anchor).WriteAsync(null, null, export, Ct);
        Assert.Empty(TrailVerifier.Verify(export, null, null).Problems); // whoever believes the folder believes it
        Assert.NotEmpty(TrailVerifier.Verify(export, [_key.PublicPem], null).Problems);
        Assert.NotEmpty(TrailVerifier.Verify(export, [_key.PublicPem, other.PublicPem], anchors).Problems);
        Assert.NotEmpty(TrailVerifier.Verify(export, null, anchors).Problems);
        Assert.NotEmpty(TrailVerifier.Verify(export, null, anchors.ReplaceLineEndings("\r\n")).Problems);
        Assert.NotEmpty(TrailVerifier.Verify(export, null, "").Problems);
    }

    [Fact]
    public async Task Checkpoints_kept_elsewhere_agree_with_what_nobody_touched()
    {
        var anchors = await File.ReadAllTextAsync(_anchor.Path, Ct);
        Assert.Empty(TrailVerifier.Verify(await ExportAsync(), null, anchors.ReplaceLineEndings("\r\n")).Problems);
    }

    [Fact]
    public async Task Entries_beyond_what_is_signed_are_not_believed_whatever_the_head_says()
    {
        var export = await ExportAsync();
        var (head, entries) = (Path.Combine(export.FullName, "export.json"), Path.Combine(export.FullName, "entries.jsonl"));
        var (said, lines) = (await File.ReadAllTextAsync(head, Ct), await File.ReadAllLinesAsync(entries, Ct));
        var size = lines.Length;
        var invented = lines.Concat(Enumerable.Range(size, 10).Select(n => lines[0].Replace("\"leaf\" : 0", $"\"leaf\" : {n}", StringComparison.Ordinal)));
        await File.WriteAllLinesAsync(entries, invented, Ct);
        foreach (var forged in (string[])
        [
            said.Replace($"\"to\":{size}", $"\"to\":{size + 10}", StringComparison.Ordinal), said.Replace($"\"to\":{size},\"size\":{size}", $"\"to\":{size + 10},\"size\":{size + 10}", StringComparison.Ordinal),
            said.Replace($"\"to\":{size},\"size\":{size}", $"\"to\":{size + 10},\"size\":0", StringComparison.Ordinal), said.Replace("\"epochs\":[{", "\"epochs\":[],\"was\":[{", StringComparison.Ordinal),
            said.Replace("\"epochs\":[", "\"epochs\":[" + said[(said.IndexOf("[{", StringComparison.Ordinal) + 1)..said.LastIndexOf(']')] + ",", StringComparison.Ordinal),
            said.Replace("\"left\":[]", "\"left\":null", StringComparison.Ordinal), said.Replace("\"from\":0", "\"from\":-1", StringComparison.Ordinal), said,
        ])
        {
            await File.WriteAllTextAsync(head, forged, Ct);
            Assert.True(IsRefused(export), forged);
        }
    }

    [Theory]
    [InlineData("delete from audit_entry where ord in (select ord from audit_leaf where leaf between {0} and {0} + 2)")]
    [InlineData("delete from audit_entry where ord in (select ord from audit_leaf where leaf >= {0})")]
    [InlineData("update audit_entry set recorded_at = recorded_at - interval '1 year' where ord in (select ord from audit_leaf where leaf >= {0})")]
    public async Task What_is_taken_from_the_edge_of_a_period_is_missed(string attack)
    {
        var times = await TimesAsync();
        await _database.ExecuteAsync("create schema if not exists kept");
        await TamperAsync(string.Format(CultureInfo.InvariantCulture, attack, 200));
        Assert.NotEmpty(Verify(await ExportAsync(times[200], null)).Problems);
        Assert.NotEmpty(Verify(await ExportAsync(times[200], times[^1].AddHours(1))).Problems);
    }

    [Fact]
    public async Task A_file_of_the_export_that_was_changed_cut_or_taken_away_is_found()
    {
        var sound = await ExportAsync();
        foreach (var file in sound.GetFiles("*", SearchOption.AllDirectories).Where(f => f.Length > 0))
        {
            var bytes = await File.ReadAllBytesAsync(file.FullName, Ct);
            foreach (var bent in (byte[][])[[], bytes[..(bytes.Length / 2)], [.. bytes[..(bytes.Length / 2)], (byte)(bytes[bytes.Length / 2] ^ 1), .. bytes[(bytes.Length / 2 + 1)..]]])
            {
                await File.WriteAllBytesAsync(file.FullName, bent, Ct);
                // A whole checkpoint less of those outside is less to compare with, and no lie.
                Assert.True(file.Name == "anchors.txt" || IsRefused(sound), $"{file.Name}, {bent.Length} of {bytes.Length} bytes");
            }
            file.Delete();
            Assert.True(file.Name == "anchors.txt" || IsRefused(sound), $"{file.Name} taken away");
            await File.WriteAllBytesAsync(file.FullName, bytes, Ct);
        }
        Assert.False(IsRefused(sound));
    }

    [Fact]
    public async Task Whatever_is_done_to_the_files_ends_in_a_sentence_and_is_not_sound()
    {
        var sound = await ExportAsync();
        var files = sound.GetFiles("*", SearchOption.AllDirectories).Where(f => f.Length > 0 && f.Name != "anchors.txt").ToDictionary(f => f.FullName, f => File.ReadAllBytes(f.FullName));
        string[] lines = ["[{\"ord\":5}]", "{\"ord\":\"x\"}", "{\"ord\":1.5}", "null", "{}", "[]", "\"", "{\"entity\":\"capture\",\"ord\":1}"];
        var random = new Random(20261122);
        for (var n = 0; n < 300; n++)
        {
            var (path, whole) = files.ElementAt(random.Next(files.Count));
            byte[] bent = [.. whole];
            switch (random.Next(4))
            {
                case 0:
                    bent[random.Next(bent.Length)] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bent = bent[..random.Next(bent.Length)];
                    break;
                case 2:
                    var at = random.Next(bent.Length);
                    bent = [.. bent[..at], .. Encoding.UTF8.GetBytes("\n" + lines[random.Next(lines.Length)] + "\n"), .. bent[at..]];
                    break;
                default:
                    // Columns that agree with bytes that are no entry.
                    var said = lines[random.Next(lines.Length)];
                    bent = Encoding.UTF8.GetBytes($"{{\"epoch\":1,\"leaf\":0,\"ord\":1,\"hash\":\"{Convert.ToBase64String(MerkleTree.LeafHash(Encoding.UTF8.GetBytes(said)))}\",\"canonical\":\"{Convert.ToBase64String(Encoding.UTF8.GetBytes(said))}\",\"columns\":{said}}}\n");
                    break;
            }
            // A blank or a line end more may say the same.
            await File.WriteAllBytesAsync(path, bent, Ct);
            var isSame = bent.AsSpan().SequenceEqual(whole) || path.EndsWith(".pem", StringComparison.Ordinal) || path.EndsWith("export.json", StringComparison.Ordinal) || path.EndsWith("documents.jsonl", StringComparison.Ordinal);
            Assert.True(IsRefused(sound) || isSame, $"{n}: {path}");
            await File.WriteAllBytesAsync(path, whole, Ct);
        }
        Assert.False(IsRefused(sound));
    }

    [Fact]
    public async Task Exports_that_are_written_while_others_write_are_sound()
    {
        using var stop = new CancellationTokenSource();
        var sign = new SignSeals(_sealer, _key, _anchor, Options.Create(new AuditOptions()), TimeProvider.System);
        var seal = new SealEntries(_sealer);
        var sealing = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await seal.RunAsync(Ct);
                await sign.RunAsync(Ct);
            }
        }, Ct);
        var writers = Enumerable.Range(0, 4).Select(writer => Task.Run(async () =>
        {
            for (var n = 0; !stop.IsCancellationRequested; n++)
            {
                await using var work = await _database.Gateway.BeginAsync(Actor.System("writer"), Ct);
                await work.AuditAsync("test", "thing", $"{writer}.{n}");
                await work.CommitAsync();
                await Task.Delay(10, Ct); // each export is of all, so writers without a pause would outrun it
            }
        }, Ct)).ToList();
        for (var n = 0; n < 10; n++)
        {
            var export = await ExportAsync();
            Assert.Empty(Verify(export).Problems);
            export.Delete(recursive: true);
        }
        await stop.CancelAsync();
        await Task.WhenAll([sealing, .. writers]);
    }

    private static bool IsRefused(DirectoryInfo export)
    {
        try
        {
            return !TrailVerifier.Verify(export, null, null).IsSound;
        }
        catch (NoExportException)
        {
            return true;
        }
    }

    private TrailVerdict Verify(DirectoryInfo export) => TrailVerifier.Verify(export, [_key.PublicPem], null);

    /// <summary>What the other implementation says: it shares no line with this one.</summary>
    private async Task<string> BySecondHandAsync(DirectoryInfo export)
    {
        var key = Path.Combine(_files.FullName, "public.pem");
        await File.WriteAllTextAsync(key, _key.PublicPem, Ct);
        using var node = Process.Start(new ProcessStartInfo("node", [Repository.File("tests", "Gateway.Tests", "Audit", "verify-trail.mjs"), export.FullName, key]) { RedirectStandardOutput = true })!;
        return await node.StandardOutput.ReadToEndAsync(Ct);
    }

    private DirectoryInfo Export() => new(Path.Combine(_files.FullName, $"export{++_exports}"));

    private async Task<DirectoryInfo> ExportAsync(DateTime? from = null, DateTime? to = null)
    {
        var export = Export();
        await new TrailExport(_sealer, _database.Gateway, _key, _anchor).WriteAsync(from, to, export, Ct);
        return export;
    }

    /// <summary>An export of what an attack leaves; then all is as it was.</summary>
    private async Task<DirectoryInfo> TamperedAsync(string attack)
    {
        await _database.ExecuteAsync("create schema if not exists kept; drop table if exists kept.e, kept.l, kept.s, kept.c; create table kept.e as table audit_entry; create table kept.l as table audit_leaf; create table kept.s as table audit_seal; create table kept.c as table audit_checkpoint");
        await TamperAsync(attack);
        var export = await ExportAsync();
        await TamperAsync("""
            truncate audit_checkpoint, audit_leaf, audit_entry; delete from audit_seal;
            insert into audit_entry overriding system value table kept.e; insert into audit_leaf table kept.l; insert into audit_seal table kept.s; insert into audit_checkpoint table kept.c
            """);
        return export;
    }

    // As a superuser does it, past every trigger.
    private Task TamperAsync(string attack) => _database.ExecuteAsync($"set session_replication_role = replica; {attack}");

    private async Task<List<DateTime>> TimesAsync()
    {
        await using var connection = new NpgsqlConnection(_database.AdministratorConnectionString);
        return [.. await connection.QueryAsync<DateTime>("select recorded_at from audit_leaf join audit_entry using (ord) order by leaf")];
    }
}
