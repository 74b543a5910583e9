using System.Text.Json;
using Dapper;
using Gateway.Access;
using Gateway.Audit;

namespace Gateway.Tests.Audit;

/// <summary>A key that signs takes over from another only by a leaf that the other has signed; whoever trusts the first can follow.</summary>
[Requirement("P11-4")]
public sealed class KeyReplacementTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly Actor Officer = Actor.System("test");

    [Fact]
    public async Task Who_trusts_the_first_key_follows_to_the_third_in_whole_exports_and_in_periods()
    {
        await using var trail = await SealedTrail.CreateAsync();
        await trail.WriteAsync(20);
        await trail.SealAsync();
        var first = trail.Key.PublicPem;
        var ids = new List<string> { trail.Key.Id };
        foreach (var reason in (string[])["yearly", "lost laptop"])
        {
            var (now, old) = await trail.Replacer().RunAsync(Officer, reason, Ct);
            Assert.Equal((now, old), (trail.Key.Id, ids[^1]));
            ids.Add(now);
            await trail.WriteAsync(20);
            await trail.SealAsync();
        }
        var verdict = TrailVerifier.Verify(await trail.ExportAsync(), [first], null);
        Assert.Empty(verdict.Problems);
        Assert.Equal(ids.Order(StringComparer.Ordinal), verdict.Keys.Order(StringComparer.Ordinal));
        var last = (await trail.ColumnAsync<DateTime>("select max(recorded_at) from audit_entry"))[0];
        Assert.Empty(TrailVerifier.Verify(await trail.ExportAsync(last, null), [first], null).Problems);
        Assert.Contains("\"reason\":\"lost laptop\"", string.Join('\n', await trail.ColumnAsync<string>("select convert_from(canonical, 'UTF8') from audit_entry where entity = 'audit_key' order by ord")), StringComparison.Ordinal);
        // Who trusts another key follows to none.
        using var other = SealKey.Open(trail.FilePath("other.pem"));
        Assert.NotEmpty(TrailVerifier.Verify(await trail.ExportAsync(), [other.PublicPem], null).Problems);
    }

    [Fact]
    public async Task A_proof_of_a_replacement_that_was_bent_is_believed_by_nobody()
    {
        await using var trail = await SealedTrail.CreateAsync();
        await trail.WriteAsync(5);
        await trail.SealAsync();
        var first = trail.Key.PublicPem;
        await trail.Replacer().RunAsync(Officer, "yearly", Ct);
        await trail.WriteAsync(5);
        await trail.SealAsync();
        var file = Path.Combine((await trail.ExportAsync()).FullName, "replaced-keys.jsonl");
        var sound = JsonSerializer.Deserialize<KeyReplacement>((await File.ReadAllTextAsync(file, Ct)).Trim(), JsonSerializerOptions.Web)!;
        Assert.True(IsFollowed(sound));
        foreach (var bent in (KeyReplacement?[])
        [
            null, sound with { Canonical = [.. sound.Canonical[..^1], (byte)' '] }, sound with { Proof = sound.Proof with { Leaf = sound.Proof.Leaf - 1 } }, sound with { Proof = sound.Proof with { Path = [.. sound.Proof.Path.Skip(1)] } },
            sound with { Proof = sound.Proof with { Checkpoint = sound.Proof.Checkpoint.Replace("size ", "size 1", StringComparison.Ordinal) } }, sound with { Proof = sound.Proof with { Epoch = 2 } },
            sound with { Canonical = Announcing(trail.FilePath("evil.pem"), sound) }, sound with { Canonical = "{}"u8.ToArray() }, sound with { Canonical = "[1]"u8.ToArray() },
        ])
        {
            Assert.False(IsFollowed(bent));
        }

        bool IsFollowed(KeyReplacement? said)
        {
            var keys = new TrustedKeys();
            Assert.True(keys.Add(first));
            return keys.Follow(said) && keys.Find(trail.Key.Id) is not null;
        }

        static byte[] Announcing(string path, KeyReplacement sound)
        {
            using var evil = SealKey.Open(path);
            var text = System.Text.Encoding.UTF8.GetString(sound.Canonical);
            using var said = JsonDocument.Parse(text);
            var announced = said.RootElement.GetProperty("new");
            return System.Text.Encoding.UTF8.GetBytes(text.Replace(announced.GetProperty("key_id").GetString()!, evil.Id, StringComparison.Ordinal)
                .Replace(JsonSerializer.Serialize(announced.GetProperty("public_pem").GetString()), JsonSerializer.Serialize(evil.PublicPem), StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Who_writes_entries_cannot_announce_a_key_of_his_own()
    {
        await using var trail = await SealedTrail.CreateAsync();
        await trail.WriteAsync(5);
        await trail.SealAsync();
        using var evil = SealKey.Open(trail.FilePath("evil.pem"));
        var origin = (await trail.ColumnAsync<Guid>("select id from installation"))[0];
        foreach (var announcement in (string?[])[null, "", new KeyAnnouncement(origin, evil.Id, evil.PublicPem).Sign(evil)])
        {
            await using var work = await trail.Database.Gateway.BeginAsync(Officer, Ct);
            await work.Connection.ExecuteAsync("select audit_write('insert', 'audit_key', @key, null, @said::jsonb)", new { key = evil.Id, said = JsonSerializer.Serialize(new Dictionary<string, string?> { ["key_id"] = evil.Id, ["public_pem"] = evil.PublicPem, ["replaces"] = trail.Key.Id, ["announcement"] = announcement }) }, work.Transaction);
            await work.CommitAsync();
        }
        await trail.SealAsync();
        foreach (var (ord, canonical) in await trail.ColumnAsync<(long, byte[])>("select ord, canonical from audit_entry where entity = 'audit_key'"))
        {
            var keys = new TrustedKeys();
            Assert.True(keys.Add(trail.Key.PublicPem));
            Assert.False(keys.Follow(new KeyReplacement(canonical, (await new TrailProofs(trail.Database.Gateway).OfEntryAsync(Officer, ord, Ct))!)));
            Assert.Null(keys.Find(evil.Id));
        }
    }

    [Fact]
    public async Task A_replacement_that_ended_after_any_step_is_finished_by_the_next()
    {
        await using var trail = await SealedTrail.CreateAsync();
        await trail.WriteAsync(5);
        await trail.SealAsync();
        var (first, pem) = (trail.Key.Id, trail.Key.PublicPem);
        // The process ended after the new key was made,
        string next;
        using (var made = SealKey.Open(trail.Key.Path + ".next"))
        {
            next = made.Id;
            await trail.SealAsync(); // and signing goes on with the old one,
            Assert.Equal(first, await SignerAsync(trail));
            // after it was announced,
            await trail.Replacer().AnnounceAsync(Officer with { Reason = "yearly" }, made, Ct);
            await trail.WriteAsync(1);
            await trail.SealAsync();
            Assert.Equal(first, await SignerAsync(trail));
        }
        // and after the announcement was signed, which it is now: only the move is left.
        Assert.Equal((next, first), await trail.Replacer().RunAsync(Officer, "yearly", Ct));
        await trail.WriteAsync(1);
        await trail.SealAsync();
        Assert.Equal(next, await SignerAsync(trail));
        Assert.False(File.Exists(trail.Key.Path + ".next"));
        Assert.Equal(1, await trail.Database.ScalarAsync<long>($"select count(*) from audit_entry where entity = 'audit_key' and entity_key = '{next}'"));
        Assert.Empty(TrailVerifier.Verify(await trail.ExportAsync(), [pem], null).Problems);
    }

    [Fact]
    public async Task A_key_that_nobody_announced_and_one_that_was_replaced_sign_nothing()
    {
        await using var trail = await SealedTrail.CreateAsync();
        await trail.WriteAsync(5);
        await trail.SealAsync();
        var old = await File.ReadAllTextAsync(trail.Key.Path, Ct);
        using (var other = SealKey.Open(trail.FilePath("other.pem")))
        {
            File.Copy(other.Path, trail.Key.Path, overwrite: true);
        }
        await trail.WriteAsync(1);
        await Assert.ThrowsAsync<TrailRewoundException>(trail.SealAsync);
        await WriteKeyAsync(old);
        await trail.SealAsync();
        await trail.Replacer().RunAsync(Officer, "yearly", Ct);
        await trail.WriteAsync(1);
        await trail.SealAsync();
        await WriteKeyAsync(old);
        await trail.WriteAsync(1);
        var refused = await Assert.ThrowsAsync<TrailRewoundException>(trail.SealAsync);
        Assert.Contains("has not replaced", refused.Message, StringComparison.Ordinal);

        async Task WriteKeyAsync(string pem)
        {
            await File.WriteAllTextAsync(trail.Key.Path, pem, Ct);
            File.SetLastWriteTimeUtc(trail.Key.Path, DateTime.UtcNow.AddSeconds(1));
        }
    }

    private static async Task<string> SignerAsync(SealedTrail trail) => SignedNote.NamedSigner((await trail.ColumnAsync<string>("select text from audit_checkpoint order by epoch desc, size desc limit 1"))[0]);
}
