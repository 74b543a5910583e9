using Gateway.Audit;

namespace Gateway.Tests.Audit;

/// <summary>Exports that earlier releases have written are verified by this one.</summary>
[Requirement("P11-11")]
public sealed class ReleasedExportTests
{
    private static readonly DirectoryInfo s_first = new(Repository.File("tests", "Gateway.Tests", "Audit", "released-export-v1"));

    // From before the numbers of entries were sealed, documents were read, and keys could be replaced.
    [Fact]
    public void The_first_released_form_is_verified()
    {
        var verdict = TrailVerifier.Verify(s_first, [File.ReadAllText(Path.Combine(s_first.FullName, "keys", "06651c65d35cbdea.pem"))], null);
        Assert.Empty(verdict.Problems);
        Assert.Equal((18, 2), (verdict.Entries, verdict.Checkpoints));
        Assert.Contains(verdict.Notices, n => n.Contains("documents were not read", StringComparison.Ordinal));
    }

    [Fact]
    public void A_form_that_no_release_had_is_refused()
    {
        var folder = Directory.CreateTempSubdirectory("gateway-export-");
        try
        {
            File.WriteAllText(Path.Combine(folder.FullName, "export.json"), File.ReadAllText(Path.Combine(s_first.FullName, "export.json")).Replace("export v1", "export v9", StringComparison.Ordinal));
            Assert.Throws<NoExportException>(() => TrailVerifier.Verify(folder, null, null));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
