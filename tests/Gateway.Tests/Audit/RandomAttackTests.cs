using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Gateway.Audit;

namespace Gateway.Tests.Audit;

/// <summary>
/// A superuser's edits, chosen by a seed, each found in the export by the files, the trusted key and what was kept outside; and exports beside
/// writers, none of which is reported. <c>GATEWAY_ATTACKS=full</c> makes a thousand of each.
/// </summary>
[Requirement("P11-4")]
public sealed class RandomAttackTests
{
    private const string Rehash = "update audit_leaf l set hash = sha256('\\x00'::bytea || canonical) from audit_entry a where a.ord = l.ord";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly int Times = Environment.GetEnvironmentVariable("GATEWAY_ATTACKS") == "full" ? 1_000 : 25;

    // What names a leaf is asked for that leaf; what cannot be one leaf says so.
    private static readonly (string Name, bool NamesLeaf, Func<Random, long, long, string> Sql)[] s_attacks =
    [
        ("a byte of what was sealed", true, (r, ord, _) => $"update audit_entry set canonical = {Changed(r, "canonical", 40)} where ord = {ord}"),
        ("a byte more", true, (_, ord, _) => $"update audit_entry set canonical = canonical || '\\x20' where ord = {ord}"),
        ("who", true, (r, ord, _) => $"update audit_entry set {Any(r, "actor", "actor_name", "actor_role")} = 'person:{r.Next()}' where ord = {ord}"),
        ("how and from where", true, (r, ord, _) => $"update audit_entry set {Any(r, "method", "origin", "action", "entity", "entity_key")} = 'x{r.Next()}' where ord = {ord}"),
        ("why", true, (r, ord, _) => $"update audit_entry set {Any(r, "reason", "correlation")} = {Any(r, "null", "''", "'else'")} where ord = {ord}"),
        ("when", true, (r, ord, _) => $"update audit_entry set recorded_at = recorded_at + interval '{r.Next(1, 1_000_000)} microseconds' where ord = {ord}"),
        ("which version, whose", true, (r, ord, _) => $"update audit_entry set {Any(r, "version = version + 1", "party_id = 4711")} where ord = {ord}"),
        ("a value before or after", true, (r, ord, _) => $"update audit_entry set {Any(r, "old", "new")} = '{{\"a\": {r.Next(1000, 9000)}}}' where ord = {ord}"),
        ("an entry taken out", true, (_, ord, _) => $"delete from audit_entry where ord = {ord}"),
        ("an entry and its leaf taken out", true, (_, ord, _) => $"delete from audit_entry where ord = {ord}; delete from audit_leaf where ord = {ord}"),
        ("an entry put in", false, (_, ord, _) => $"insert into audit_entry (txid, recorded_at, actor, actor_name, actor_role, method, origin, action, entity, entity_key, version, canonical) select txid, recorded_at, actor, actor_name, actor_role, method, origin, action, entity, 'put in', 1, canonical from audit_entry where ord = {ord}"),
        ("an entry of a time to come", false, (_, ord, _) => $"insert into audit_entry (txid, recorded_at, actor, actor_name, actor_role, method, origin, action, entity, entity_key, version, canonical) select '1152921504606846976', recorded_at, actor, actor_name, actor_role, method, origin, action, entity, 'put in', 1, canonical from audit_entry where ord = {ord}"),
        ("a signature put in", false, (_, _, _) => "insert into signature (party_id, person_id, session_id, record_type, record_id, version, title, content_sha256, meaning, sentence, signer, signer_name, signer_role, signed_at, zone, components, statement_version, nonce, canonical) select party_id, person_id, session_id, record_type, '8', version, title, content_sha256, meaning, sentence, signer, signer_name, signer_role, signed_at, zone, components, statement_version, gen_random_uuid(), canonical from signature"),
        ("an entry and a leaf put in", false, (_, ord, leaf) => $"""
            update audit_leaf set leaf = -leaf - 2 where leaf >= {leaf}; update audit_leaf set leaf = -leaf - 1 where leaf < 0;
            insert into audit_entry (ord, txid, recorded_at, actor, actor_name, actor_role, method, origin, action, entity, entity_key, version, canonical) overriding system value select 900000, txid, recorded_at, actor, actor_name, actor_role, method, origin, action, entity, entity_key, version, canonical from audit_entry where ord = {ord};
            insert into audit_leaf select 1, {leaf}, 900000, sha256('\x00'::bytea || canonical) from audit_entry where ord = 900000
            """),
        ("the order of two", false, (_, _, leaf) => $"update audit_leaf l set ord = -o.ord, hash = o.hash from audit_leaf o where l.leaf in ({leaf}, {leaf} + 1) and o.leaf = 2 * {leaf} + 1 - l.leaf; update audit_leaf set ord = -ord where ord < 0"),
        ("the numbers of two", false, (_, ord, _) => $"update audit_entry set ord = -ord where ord in ({ord}, {ord} + 1); update audit_entry set ord = 2 * {ord} + 1 + ord where ord < 0; update audit_leaf l set ord = -(2 * {ord} + 1 - ord) where ord in ({ord}, {ord} + 1); update audit_leaf set ord = -ord where ord < 0"),
        ("another number", true, (r, ord, _) => $"update audit_entry set ord = {800_000 + r.Next(1000)} where ord = {ord}; update audit_leaf set ord = (select max(ord) from audit_entry) where ord = {ord}"),
        ("the end cut off", false, (r, _, _) => $"delete from audit_checkpoint where size > {r.Next(30, 100)}; delete from audit_seal where size > (select coalesce(max(size), 0) from audit_checkpoint); delete from audit_leaf where leaf >= (select max(size) from audit_seal); delete from audit_entry where ord not in (select ord from audit_leaf)"),
        ("an edit with its hashes", false, (_, ord, _) => $"update audit_entry set reason = 'else', canonical = convert_to(canonical_json(convert_from(canonical, 'UTF8')::jsonb || '{{\"reason\":\"else\"}}'), 'UTF8') where ord = {ord}; {Rehash}"),
        ("an original document", false, (r, _, _) => $"update document_chunk set bytes = {Changed(r, "bytes", 8)} where document_id = (select min(document_id) + 2 * {r.Next(3)} from document_chunk)"),
        ("what a signature means", false, (r, _, _) => $"update signature set {Any(r, "meaning = 'approval'", "sentence = 'I have not read this.'", "signer_name = 'Somebody Else'", "record_id = 'other'", "version = version + 1", "signed_at = signed_at - interval '1 day'")}"),
        ("a signature taken away", false, (_, _, _) => "delete from signature"),
        ("an original document taken away", false, (_, _, _) => "delete from document_chunk where document_id = (select max(document_id) from document_chunk)"),
    ];

    [Fact]
    public async Task Each_random_attack_is_found_and_where_one_entry_was_touched_it_is_named()
    {
        await using var trail = await TrailAsync();
        var outside = await File.ReadAllTextAsync(trail.Anchor.Path, Ct);
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var trusted = trail.Key.PublicPem;
        await trail.Database.ExecuteAsync("alter table audit_entry alter column ord set generated by default; create schema kept; " + string.Concat(Tables.Select(t => $"create table kept.{t} as table {t}; ")));
        for (var n = 0; n < Times; n++)
        {
            var (name, namesLeaf, sql) = s_attacks[n % s_attacks.Length];
            var (ord, leaf) = (await trail.ColumnAsync<(long, long)>($"select ord, leaf from audit_leaf join audit_entry using (ord) where entity = 'thing' and leaf < (select max(leaf) from audit_leaf) and ord + 1 in (select ord from audit_entry where entity = 'thing') order by md5(ord || '{random.Next()}') limit 1"))[0];
            await trail.TamperAsync(sql(random, ord, leaf));
            var export = await trail.ExportAsync();
            var verdict = TrailVerifier.Verify(export, [trusted], outside);
            Assert.True(!verdict.IsSound, $"{name}: attack {n} of seed {seed} on entry {ord}, leaf {leaf}");
            Assert.True(!namesLeaf || verdict.Problems[0].Leaf == leaf, $"{name}: attack {n} of seed {seed} on entry {ord}, leaf {leaf}: {verdict.Problems[0]}");
            export.Delete(recursive: true);
            await trail.TamperAsync(string.Concat(Tables.Select(t => $"delete from {t}; insert into {t} {(t is "audit_entry" or "signature" ? "overriding system value" : "")} table kept.{t}; ")));
        }
        Assert.Empty(TrailVerifier.Verify(await trail.ExportAsync(), [trusted], outside).Problems);
    }

    [Fact]
    public async Task A_trail_made_anew_without_the_key_is_found_whoever_signs_it()
    {
        await using var trail = await TrailAsync();
        var (trusted, outside) = (trail.Key.PublicPem, await File.ReadAllTextAsync(trail.Anchor.Path, Ct));
        using var own = SealKey.Open(trail.FilePath("own.pem"));
        await trail.TamperAsync($"update audit_entry set reason = 'else', canonical = convert_to(canonical_json(convert_from(canonical, 'UTF8')::jsonb || '{{\"reason\":\"else\"}}'), 'UTF8') where entity = 'thing' and version = 1 and entity_key = 'k7'; truncate audit_checkpoint, audit_node, audit_leaf, audit_heartbeat; delete from audit_seal where size > 0");
        File.Delete(trail.Anchor.Path);
        File.Copy(own.Path, trail.Key.Path, overwrite: true);
        File.SetLastWriteTimeUtc(trail.Key.Path, DateTime.UtcNow.AddSeconds(2));
        await trail.SealAsync();
        var export = await trail.ExportAsync();
        Assert.NotEmpty(TrailVerifier.Verify(export, [trusted], null).Problems);
        Assert.NotEmpty(TrailVerifier.Verify(export, null, outside).Problems);
    }

    [Fact]
    public async Task A_seal_that_somebody_else_wrote_is_not_signed_unless_it_extends_what_was_signed()
    {
        await using var trail = await TrailAsync();
        var signed = await trail.Database.ScalarAsync<long>("select max(size) from audit_checkpoint");
        await trail.TamperAsync($"update audit_entry set reason = 'else', canonical = convert_to(canonical_json(convert_from(canonical, 'UTF8')::jsonb || '{{\"reason\":\"else\"}}'), 'UTF8') where ord = (select ord from audit_leaf where leaf = 40); {Rehash}");
        await trail.WriteAsync(1);
        await trail.TamperAsync($"insert into audit_leaf select 1, {signed}, ord, sha256('\\x00'::bytea || canonical) from audit_entry where ord = (select max(ord) from audit_entry)");
        var frontier = new MerkleFrontier();
        foreach (var hash in await trail.ColumnAsync<byte[]>("select hash from audit_leaf order by leaf"))
        {
            frontier.Add(hash);
        }
        await trail.TamperAsync($"insert into audit_seal select 1, {frontier.Size}, '\\x{Convert.ToHexStringLower(frontier.Root())}', pg_current_xact_id(), gateway_now()");
        foreach (var attempt in (string[])["with the anchor", "without"])
        {
            await Assert.ThrowsAsync<TrailRewoundException>(() => trail.Signer().RunAsync(Ct));
            File.Delete(trail.Anchor.Path);
        }
        Assert.Equal(signed, await trail.Database.ScalarAsync<long>("select max(size) from audit_checkpoint"));
    }

    [Fact]
    public async Task No_export_beside_writers_is_reported()
    {
        await using var trail = await TrailAsync();
        using var stop = new CancellationTokenSource();
        var sealing = Task.Run(async () =>
        {
            var (seal, sign) = (new SealEntries(trail.Sealer), trail.Signer());
            while (!stop.IsCancellationRequested)
            {
                await seal.RunAsync(Ct);
                await sign.RunAsync(Ct);
            }
        }, Ct);
        var writers = Enumerable.Range(0, 3).Select(writer => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await trail.WriteAsync(1, $"writer{writer}");
                await Task.Delay(100, Ct); // some exports are of all
            }
        }, Ct)).ToList();
        for (var n = 0; n < Times; n++)
        {
            // All of it, or what was written in the last second.
            var export = await trail.ExportAsync(n % 10 == 0 ? null : DateTime.UtcNow.AddSeconds(-1));
            var outside = await File.ReadAllTextAsync(Path.Combine(export.FullName, "anchors.txt"), Ct);
            Assert.Empty(TrailVerifier.Verify(export, [trail.Key.PublicPem], outside).Problems);
            export.Delete(recursive: true);
        }
        await stop.CancelAsync();
        await Task.WhenAll([sealing, .. writers]);
    }

    private static readonly string[] Tables = ["audit_entry", "audit_leaf", "audit_seal", "audit_checkpoint", "document_chunk", "signature"];

    private static string Any(Random random, params string[] of) => of[random.Next(of.Length)];

    private static string Changed(Random random, string column, int length)
    {
        var at = random.Next(length);
        return string.Create(CultureInfo.InvariantCulture, $"set_byte({column}, {at}, (get_byte({column}, {at}) + {random.Next(1, 256)}) % 256)");
    }

    /// <summary>Entries in several seals, and three documents whose entries tell their hashes.</summary>
    private static async Task<SealedTrail> TrailAsync()
    {
        var trail = await SealedTrail.CreateAsync();
        await trail.Database.ExecuteAsync("do $$ begin perform set_config('app.actor', 'test', true); insert into party (kind, name) values ('cmo', 'Sender'); end $$");
        await trail.TamperAsync("""
            insert into signature (party_id, person_id, session_id, record_type, record_id, version, title, content_sha256, meaning, sentence, signer, signer_name, signer_role, signed_at, zone, components, statement_version, nonce, canonical)
            values (1, 1, 1, 'partner', '7', 3, 'Partner', sha256('x'), 'go-live', 'It may be sent to.', 'person:anna', 'Anna', 'officer', gateway_now(), 'UTC', 'password', 1, gen_random_uuid(), 'x')
            """);
        await trail.Database.ExecuteAsync("do $$ begin perform set_config('app.actor', 'person:anna', true), audit_write('insert', 'signature', signature_id::text, null, to_jsonb(s)) from signature s; end $$");
        for (var n = 1; n <= 6; n++)
        {
            if (n % 2 == 0)
            {
                var bytes = Encoding.UTF8.GetBytes($"document {n}");
                var (id, sha256) = (Guid.NewGuid(), Convert.ToHexStringLower(SHA256.HashData(bytes)));
                await trail.Database.ExecuteAsync(string.Create(CultureInfo.InvariantCulture, $$"""
                    do $$ begin
                      perform set_config('app.actor', 'test', true), set_config('app.party', '*', true);
                      insert into document (document_id, party_id, sha256, length, media_type, received_at) overriding system value values ({{n}}, (select max(party_id) from party), '\x{{sha256}}', {{bytes.Length}}, 'text/plain', gateway_now());
                      insert into document_chunk (document_id, party_id, ordinal, bytes) values ({{n}}, (select max(party_id) from party), 0, '\x{{Convert.ToHexStringLower(bytes)}}');
                      insert into capture (public_id, party_id, document_id, submitted_by, error_behaviour, state, answer_status, answer_body, created_at, finished_at) values ('{{id}}', (select max(party_id) from party), {{n}}, 'test', 'rollback', 'accepted', 202, '', gateway_now(), gateway_now());
                      perform audit_write('capture', 'capture', '{{id}}', null, jsonb_build_object('sha256', '{{sha256}}'));
                    end $$
                    """));
            }
            await trail.WriteAsync(25);
            await trail.SealAsync();
        }
        return trail;
    }
}
