using System.Text.Json;

namespace Gateway.Journeys;

/// <summary>From a person's change to a folder that proves it, with the gateway's own verbs.</summary>
public sealed class AuditTrailJourneys
{
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
}
