using System.Net;
using Dapper;
using Gateway.Access;
using Gateway.Audit;

namespace Gateway.Tests.Audit;

/// <summary>P11-7: an export is read by a person in any browser, and its pages are proved by the same folder.</summary>
[Requirement("P11-7")]
public sealed class ReadableExportTests : IAsyncLifetime
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private SealedTrail _trail = null!;

    public async ValueTask InitializeAsync() => _trail = await SealedTrail.CreateAsync();

    public ValueTask DisposeAsync() => _trail.DisposeAsync();

    [Fact]
    public async Task The_pages_say_who_did_what_when_and_why_what_it_was_before_and_who_signed()
    {
        await _trail.WriteAsync(ReadableExport.EntriesAtOnce);
        await using (var work = await _trail.Database.Gateway.BeginAsync(Actor.System("test") with { Name = "Zoë <script>", Reason = "a & b" }, Ct))
        {
            await work.Connection.ExecuteAsync("""
                select audit_write('update', 'partner', '7', '{"name":"Old \u003cb\u003e","days":3}', '{"name":"New","days":3,"note":"Müller"}');
                select audit_write('insert', 'signature', '1', null, '{"signer":"person:qa","signer_name":"Q. A.","signer_role":"officer","signed_at":"2026-01-31T08:00:00+00:00","zone":"UTC","meaning":"approval","sentence":"I approve.","record_type":"baseline","record_id":"4","title":"First","version":2,"content_sha256":"\\x00ff"}')
                """, transaction: work.Transaction);
            await work.CommitAsync();
        }
        await _trail.SealAsync();
        var export = await ExportAsync();

        var index = await PageAsync(export, "index.html");
        Assert.Contains("entries-000001.html", index, StringComparison.Ordinal);
        Assert.Contains(_trail.Key.Id, index, StringComparison.Ordinal);
        var entries = await PageAsync(export, "entries-000001.html") + await PageAsync(export, "entries-000002.html");
        foreach (var (ord, reason) in await _trail.ColumnAsync<(long, string?)>("select ord, reason from audit_entry"))
        {
            Assert.Single(System.Text.RegularExpressions.Regex.Matches(entries, $"<tr id=\"e{ord}\">"));
            Assert.Contains(WebUtility.HtmlEncode(reason ?? "").Replace("&#252;", "ü", StringComparison.Ordinal).Replace("\n", "&#xA;", StringComparison.Ordinal), entries, StringComparison.Ordinal);
        }
        Assert.Contains("<tr><td>name</td><td>Old &lt;b&gt;</td><td>New</td></tr><tr><td>note</td><td></td><td>Müller</td></tr>", entries, StringComparison.Ordinal);
        Assert.DoesNotContain("<td>days</td>", entries, StringComparison.Ordinal);
        Assert.Contains("Zoë &lt;script&gt;<br>system:test", entries, StringComparison.Ordinal);
        Assert.Contains("update partner <b>7</b>, version 1", entries, StringComparison.Ordinal);
        Assert.Contains("<td>Q. A.<br>person:qa</td><td>officer</td><td class=\"at\">2026-01-31 08:00:00.000000 UTC</td><td>approval<br>I approve.</td><td>baseline 4<br>First</td><td class=\"num\">2</td>", await PageAsync(export, "signatures.html"), StringComparison.Ordinal);
        // The signature was put into the trail only: that is all there is to say.
        Assert.Equal("The signature is gone.", Assert.Single(TrailVerifier.Verify(export, null, null).Problems).Message);
    }

    [Fact]
    public async Task A_page_that_is_not_as_it_was_written_is_named()
    {
        await _trail.WriteAsync(3);
        await _trail.SealAsync();
        var export = await ExportAsync();
        Assert.Empty(Problems(export));
        string Of(string page) => Path.Combine(export.FullName, "readable", page);

        var (right, none) = (await File.ReadAllTextAsync(Of("entries-000001.html"), Ct), await File.ReadAllTextAsync(Of("signatures.html"), Ct));
        await File.WriteAllTextAsync(Of("entries-000001.html"), right.Replace("change thing", "delete thing", StringComparison.Ordinal), Ct);
        Assert.Equal(["The readable page entries-000001.html is not as it was written."], Problems(export));
        File.Delete(Of("entries-000001.html"));
        Assert.Equal(["The readable page entries-000001.html is missing."], Problems(export));
        await File.WriteAllTextAsync(Of("entries-000001.html"), right, Ct);
        await File.WriteAllTextAsync(Of("entries-000002.html"), right, Ct);
        Assert.Equal(["readable/entries-000002.html is no page that was written with this export."], Problems(export));
        File.Delete(Of("entries-000002.html"));
        File.Delete(Of("signatures.html"));
        Directory.CreateDirectory(Of("signatures.html"));
        Assert.Equal(["The readable page signatures.html is not as it was written."], Problems(export));
        Directory.Delete(Of("signatures.html"));
        await File.WriteAllTextAsync(Of("signatures.html"), none, Ct);
        Assert.Empty(Problems(export));

        var list = await File.ReadAllTextAsync(Of("pages.txt"), Ct);
        await File.WriteAllTextAsync(Of("pages.txt"), list.Replace(" signatures.html", " another.html", StringComparison.Ordinal), Ct);
        Assert.Contains("The signature of the key", Assert.Single(Problems(export)), StringComparison.Ordinal);
        File.Delete(Of("pages.txt"));
        Assert.Contains("is missing", Assert.Single(Problems(export)), StringComparison.Ordinal);
        using var other = SealKey.Open(_trail.FilePath("other.pem"));
        await File.WriteAllTextAsync(Of("pages.txt"), SignedNote.Sign(SignedNote.BodyOf(list), other), Ct);
        Assert.Contains("not among those that are trusted", Assert.Single(Problems(export)), StringComparison.Ordinal);
        // Nor when the folder vouches for that key.
        var foreign = Path.Combine(export.FullName, "keys", other.Id + ".pem");
        await File.WriteAllTextAsync(foreign, other.PublicPem, Ct);
        Assert.Contains("did not sign the newest checkpoint", Assert.Single(Problems(export)), StringComparison.Ordinal);
        File.Delete(foreign);
        await File.WriteAllTextAsync(Of("pages.txt"), list, Ct);
        Assert.Empty(Problems(export));

        // Pages of another export, signed as they are.
        await _trail.WriteAsync(1);
        await _trail.SealAsync();
        var later = await ExportAsync();
        Directory.Delete(Path.Combine(export.FullName, "readable"), recursive: true);
        Assert.Contains("is missing", Assert.Single(Problems(export)), StringComparison.Ordinal);
        Directory.Move(Path.Combine(later.FullName, "readable"), Path.Combine(export.FullName, "readable"));
        Assert.Equal(["The readable pages are not those of this export."], Problems(export));
    }

    [Fact]
    public async Task An_entry_that_was_bent_before_the_export_does_not_stop_the_pages()
    {
        await _trail.WriteAsync(4);
        await _trail.SealAsync();
        await _trail.TamperAsync("""
            delete from audit_entry where entity_key = 'k1';
            update audit_entry set canonical = '' where entity_key = 'k2';
            update audit_entry set canonical = '{"at":"yesterday"}' where entity_key = 'k3'
            """);
        var page = await PageAsync(await ExportAsync(), "entries-000001.html");
        Assert.Equal((1, 2), (page.Split("The entry is gone.").Length - 1, page.Split("The entry is not as the gateway writes entries.").Length - 1));
        Assert.Contains("thing <b>k4</b>", page, StringComparison.Ordinal);
    }

    private static string[] Problems(DirectoryInfo export) => [.. TrailVerifier.Verify(export, null, null).Problems.Select(p => p.Message)];

    private static Task<string> PageAsync(DirectoryInfo export, string page) => File.ReadAllTextAsync(Path.Combine(export.FullName, "readable", page), Ct);

    private Task<DirectoryInfo> ExportAsync() => _trail.ExportAsync(readable: true);
}
