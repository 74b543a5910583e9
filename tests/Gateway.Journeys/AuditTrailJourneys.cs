using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Gateway.Audit;
using Gateway.Host.Simulate;
using Gateway.Scheduling;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Journeys;

/// <summary>From a person's change to a folder that proves it, with the gateway's own verbs.</summary>
public sealed class AuditTrailJourneys
{
    [Fact]
    [Requirement("P11-7")]
    [Requirement("P11-8")]
    public async Task A_sender_keeps_a_receipt_that_proves_what_he_sent_and_a_changed_original_is_found()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var gateway = await TestGateway.StartAsync();
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from audit_checkpoint") > 0);
        using var cmo = gateway.Client("cmo");
        var document = Shipment(1);
        var captured = await Eventually.AsAsync(async () =>
        {
            // The node tells it once it knows the first checkpoint, which is at most a second after that.
            var answer = await gateway.CaptureAsync(document, Guid.NewGuid().ToString());
            return answer.Headers.Contains("Gateway-Receipt") ? ((string, Uri, string)?)(answer.Headers.GetValues("Gateway-Receipt").Single(), answer.Headers.Location!, answer.Headers.GetValues("Gateway-Audit-Checkpoint").Single()) : null;
        });
        var (header, location, checkpoint) = captured;
        Assert.Matches("^epoch=1; size=[0-9]+; root=:[A-Za-z0-9+/=]+:$", checkpoint);
        await gateway.JobAsync(location);
        var keys = new TrustedKeys();
        Assert.True(keys.Add((await cmo.GetFromJsonAsync<JsonElement>("api/audit/keys", ct)).GetProperty("items")[0].GetString()!));
        var note = Encoding.UTF8.GetString(Convert.FromBase64String(header));
        var receipt = CaptureReceipt.Read(note, keys.Find, out var wrong);
        Assert.Null(wrong);
        Assert.Equal(System.Security.Cryptography.SHA256.HashData(document), receipt!.Sha256);
        Assert.Null(CaptureReceipt.Read(note.Replace("length ", "length 1", StringComparison.Ordinal), keys.Find, out _));

        // Later, with the proof that its entry is in the trail.
        var later = await Eventually.AsAsync(async () => await cmo.GetFromJsonAsync<JsonElement>($"api/captures/{receipt.Capture}/receipt", ct) is var said && said.GetProperty("proof").ValueKind == JsonValueKind.Object ? (JsonElement?)said : null);
        var proof = later.GetProperty("proof").Deserialize<LeafProof>(JsonSerializerOptions.Web)!;
        var signed = Checkpoint.Read(proof.Checkpoint, keys.Find, out _)!;
        Assert.True(MerkleProof.Includes(proof.Leaf, proof.Hash, signed.Size, signed.Root, proof.Path));

        var folder = Directory.CreateTempSubdirectory("gateway-trail-");
        try
        {
            var sound = Path.Combine(folder.FullName, "sound");
            Assert.Equal(0, (await gateway.VerbAsync("audit", "export", sound, "--originals")).Exit);
            var original = Path.Combine(sound, "originals", receipt.Capture.ToString());
            Assert.Equal(document, await File.ReadAllBytesAsync(original, ct));
            Assert.Contains(receipt.Capture.ToString(), await File.ReadAllTextAsync(Path.Combine(sound, "readable", "entries-000001.html"), ct), StringComparison.Ordinal);
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "receipt.txt"), note, ct);
            var verified = await gateway.VerbAsync("verify", sound, "--receipt", Path.Combine(folder.FullName, "receipt.txt"));
            Assert.True(verified.Exit == 0, verified.Said + verified.Wrong);
            Assert.DoesNotContain("say nothing", verified.Said, StringComparison.Ordinal);
            // The documents in the folder are proved with it.
            await File.WriteAllBytesAsync(original, [.. document, (byte)' '], ct);
            Assert.Contains($"The file originals/{receipt.Capture} is not the document that was received.", (await gateway.VerbAsync("verify", sound)).Said, StringComparison.Ordinal);
            File.Move(original, $"{original}-2");
            var missing = (await gateway.VerbAsync("verify", sound)).Said;
            Assert.Contains("The original document is not in the export.", missing, StringComparison.Ordinal);
            Assert.Contains("There are files in originals that no entry tells of.", missing, StringComparison.Ordinal);

            await gateway.Database.ExecuteAsync("set session_replication_role = replica; update document_chunk set bytes = overlay(bytes placing '\\x20'::bytea from 100 for 1)");
            var bent = Path.Combine(folder.FullName, "bent");
            Assert.Equal(0, (await gateway.VerbAsync("audit", "export", bent)).Exit);
            var found = await gateway.VerbAsync("verify", bent);
            Assert.Equal(1, found.Exit);
            Assert.Contains("The original document is not the one that was received", found.Said, StringComparison.Ordinal);
            // The gateway's own daily look finds it too.
            await gateway.Services.GetRequiredService<RunChore>().RunAsync("verify-trail", ct);
            Assert.Contains(gateway.Services.GetRequiredService<NodeFaults>().All, f => f.Detail.Contains($"The original document of capture {receipt.Capture}", StringComparison.Ordinal));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    [Requirement("P11-21")]
    public async Task A_witness_signs_what_only_grew_follows_a_replaced_key_and_refuses_what_went_back()
    {
        var ct = TestContext.Current.CancellationToken;
        var folder = Directory.CreateTempSubdirectory("gateway-witness-");
        await using var gateway = await TestGateway.StartAsync(("Audit:SealKey", Path.Combine(folder.FullName, "seal", "key.pem")));
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from audit_checkpoint") > 0);
        Task<(int Exit, string Said, string Wrong)> LookAsync() => gateway.VerbAsync("witness", folder.FullName, "--url", gateway.Url.ToString(), "--key", gateway.Keys["witness"], "--once");
        try
        {
            var unknown = await gateway.VerbAsync("witness", folder.FullName, "--url", gateway.Url.ToString(), "--key", "gwt_none.none", "--once");
            Assert.Equal(1, unknown.Exit);
            Assert.Contains("it needs the role witness", unknown.Wrong, StringComparison.Ordinal);
            var first = await LookAsync();
            Assert.True(first.Exit == 0, first.Said + first.Wrong);
            Assert.Contains("compare the number", first.Said, StringComparison.Ordinal);
            await gateway.AddPartnerAsync("9521234000013", "/in");
            await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from audit_entry where ord not in (select ord from audit_leaf)") == 0);
            var replaced = await gateway.VerbAsync("audit", "key", "--reason", "yearly");
            Assert.True(replaced.Exit == 0, replaced.Wrong);
            // The gateway goes on with the new key without being started anew.
            var id = replaced.Said.Split(' ')[7];
            await gateway.AddPartnerAsync("9521234000020", "/in2");
            await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>($"select count(*) from audit_checkpoint where text like '%— {id} %'") > 0);
            var second = await LookAsync();
            Assert.True(second.Exit == 0, second.Said + second.Wrong);

            var export = Path.Combine(folder.FullName, "trail");
            Assert.Equal(0, (await gateway.VerbAsync("audit", "export", export)).Exit);
            var verified = await gateway.VerbAsync("verify", export, "--anchors", Path.Combine(folder.FullName, "witnessed.txt"), "--key", Path.Combine(folder.FullName, "gateway-key.pem"));
            Assert.True(verified.Exit == 0, verified.Said + verified.Wrong);

            // Somebody brings the database back to what it was, as far as the witness can see.
            await gateway.Database.ExecuteAsync("set session_replication_role = replica; delete from audit_heartbeat; update audit_checkpoint set text = 'x' where false; delete from audit_checkpoint where size > (select min(size) from audit_checkpoint)");
            var back = await LookAsync();
            Assert.Equal(1, back.Exit);
            Assert.Contains("went back", back.Wrong, StringComparison.Ordinal);
            using var nobody = gateway.Client("cmo");
            Assert.Equal(HttpStatusCode.Forbidden, (await nobody.GetAsync("api/audit/entries", ct)).StatusCode);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_trail_is_sealed_exported_and_verified_by_its_files_and_what_was_bent_is_named()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var gateway = await TestGateway.StartAsync();
        await gateway.AddPartnerAsync("9521234000013", "/in");
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from audit_entry where entity = 'partner' and ord in (select ord from audit_leaf) and exists (select from audit_checkpoint c, audit_leaf l where l.ord = audit_entry.ord and c.size > l.leaf)") > 0);

        var folder = Directory.CreateTempSubdirectory("gateway-trail-");
        try
        {
            var export = Path.Combine(folder.FullName, "trail");
            var written = await gateway.VerbAsync("audit", "export", export);
            Assert.True(written.Exit == 0, written.Wrong);
            var again = await gateway.VerbAsync("audit", "export", export);
            Assert.Equal(2, again.Exit);
            Assert.Contains("is not empty", again.Wrong, StringComparison.Ordinal);

            var sound = await gateway.VerbAsync("verify", export);
            Assert.True(sound.Exit == 0, sound.Said + sound.Wrong);
            Assert.StartsWith("sound: ", sound.Said, StringComparison.Ordinal);
            var key = Directory.GetFiles(Path.Combine(export, "keys")).Single();
            Assert.Equal(0, (await gateway.VerbAsync("verify", export, "--key", key)).Exit);

            // Somebody makes the partner's change somebody else's.
            var file = Path.Combine(export, "entries.jsonl");
            var lines = await File.ReadAllLinesAsync(file, ct);
            var at = Array.FindIndex(lines, l => l.Contains("\"actorName\":\"officer\"", StringComparison.Ordinal));
            lines[at] = lines[at].Replace("\"actorName\":\"officer\"", "\"actorName\":\"nobody\"", StringComparison.Ordinal);
            await File.WriteAllLinesAsync(file, lines, ct);
            var bent = await gateway.VerbAsync("verify", export, "--json");
            Assert.Equal(1, bent.Exit);
            using var verdict = JsonDocument.Parse(bent.Said);
            Assert.False(verdict.RootElement.GetProperty("sound").GetBoolean());
            Assert.Equal(at, verdict.RootElement.GetProperty("problems")[0].GetProperty("leaf").GetInt64());

            Assert.Equal(2, (await gateway.VerbAsync("verify", folder.FullName)).Exit);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static byte[] Shipment(long sequence) => new ShipmentGenerator(11).Xml(
        new ShipmentPlan(sequence, SimulatedParty.AtOneAddress("9521234000105", 7, "Shipper"), SimulatedParty.AtOneAddress("9521234000013", 7, "Buyer"), new DateTimeOffset(2026, 11, 1, 8, 0, 0, TimeSpan.Zero), "LOT1", new DateOnly(2029, 1, 31)));
}
