using System.Net.Http.Json;
using System.Text;
using Gateway.Capture;
using Gateway.Scheduling;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Journeys;

/// <summary>Documents that parties lay into folders, ours or theirs.</summary>
public sealed class InboundJourneys : IAsyncLifetime
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly byte[] Document = Encoding.UTF8.GetBytes("""
        {"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-09-14T08:00:00Z","epcisBody":{"eventList":[
        {"type":"ObjectEvent","eventTime":"2026-09-14T08:00:00Z","eventTimeZoneOffset":"+00:00","epcList":["urn:epc:id:sgtin:9521321.000001.INBOUND1"],"action":"OBSERVE"}]}}
        """);
    private static readonly byte[] Named = Replaced(Document, "\"epcisBody\"", "\"sender\":\"9521321000018\",\"instanceIdentifier\":\"4711\",\"epcisBody\"");
    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-inbound-").FullName;
    private TestGateway _gateway = null!;

    public async ValueTask InitializeAsync() => _gateway = await TestGateway.StartAsync(new Dictionary<string, string?>
    {
        ["Capture:Inbound:0:Folder"] = _folder, ["Capture:Inbound:0:Party"] = "The organisation", ["Capture:InboundEvery"] = "00:00:00.2",
    });

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_complete_file_is_a_capture_of_its_party_and_what_cannot_be_read_lies_aside_with_the_reason()
    {
        await File.WriteAllBytesAsync(Path.Combine(_folder, "a.json"), Document, Ct);
        await File.WriteAllTextAsync(Path.Combine(_folder, "b.xml"), "no document", Ct);
        await File.WriteAllTextAsync(Path.Combine(_folder, ".hidden"), "x", Ct);
        await File.WriteAllTextAsync(Path.Combine(_folder, "c.xml.part"), "x", Ct);
        var secret = Path.Combine(Path.GetTempPath(), $"secret-{Guid.NewGuid():N}");
        await File.WriteAllTextAsync(secret, "what only the gateway may read", Ct);
        File.CreateSymbolicLink(Path.Combine(_folder, "link.xml"), secret);
        await Eventually.TrueAsync(() => Task.FromResult(In("taken").Length == 1 && In("refused").Length == 4));
        Assert.Matches(@"^a\.[0-9a-f]{8}\.json$", In("taken")[0]);
        Assert.Equal(["b.xml", "b.xml.why.txt", "link.xml", "link.xml.why.txt"], In("refused"));
        Assert.StartsWith("It is a link", await File.ReadAllTextAsync(Path.Combine(_folder, "refused", "link.xml.why.txt"), Ct), StringComparison.Ordinal);
        Assert.Equal([".hidden", "c.xml.part"], In(""));
        Assert.Equal("organisation system:inbound folder", await _gateway.Database.ScalarAsync<string>("select y.kind || ' ' || c.submitted_by from capture c join document d using (document_id) join party y on y.party_id = d.party_id where c.answer_status = 202"));
        File.Delete(secret);

        // The same name again, and the same bytes again: nothing is overwritten, and it is one capture.
        await File.WriteAllTextAsync(Path.Combine(_folder, "b.xml"), "no document either", Ct);
        await File.WriteAllBytesAsync(Path.Combine(_folder, "a.json"), Document, Ct);
        await Eventually.TrueAsync(() => Task.FromResult(In("taken").Length == 2 && In("refused").Length == 6));
        Assert.Equal("no document", await File.ReadAllTextAsync(Path.Combine(_folder, "refused", "b.xml"), Ct));
        Assert.Equal(1, await _gateway.Database.ScalarAsync<long>("select count(*) from capture where answer_status = 202"));
    }

    [Fact]
    public async Task The_same_document_under_another_name_is_one_capture_and_another_under_its_identifier_is_kept_and_refused()
    {
        await File.WriteAllBytesAsync(Path.Combine(_folder, "a.json"), Named, Ct);
        await Eventually.TrueAsync(() => Task.FromResult(In("taken").Length == 1));
        await File.WriteAllBytesAsync(Path.Combine(_folder, "copy of a.json"), Named, Ct);
        await Eventually.TrueAsync(() => Task.FromResult(In("taken").Length == 2));
        Assert.Equal("accepted", await _gateway.Database.ScalarAsync<string>("select string_agg(state, ',') from capture"));

        var other = Replaced(Named, "INBOUND1", "INBOUND2");
        await File.WriteAllBytesAsync(Path.Combine(_folder, "b.json"), other, Ct);
        await Eventually.TrueAsync(() => Task.FromResult(In("taken").Length == 3));
        await Eventually.TrueAsync(async () => await _gateway.Database.ScalarAsync<long>("select count(*) from capture where state = 'refused'") == 1);
        Assert.Equal("GW-CAP-20 open", await _gateway.Database.ScalarAsync<string>("select string_agg(code || ' ' || state, ',') from exception"));
        Assert.Equal(other, await _gateway.Database.ScalarAsync<byte[]>("select bytes from capture join document_chunk using (document_id) where state = 'refused'"));
        Assert.Equal(1, await _gateway.Database.ScalarAsync<long>("select count(*) from event"));
    }

    [Fact]
    public async Task A_file_that_was_committed_and_not_moved_is_moved_later_and_stays_one_capture()
    {
        // Where it would be moved leads a link elsewhere, which is never followed: as after a crash between the commit and the move.
        var elsewhere = Directory.CreateTempSubdirectory("gateway-elsewhere-");
        Directory.CreateSymbolicLink(Path.Combine(_folder, "taken"), elsewhere.FullName);
        await File.WriteAllBytesAsync(Path.Combine(_folder, "z.json"), Document, Ct);
        await Eventually.TrueAsync(async () => await _gateway.Database.ScalarAsync<long>("select count(*) from capture") >= 1);
        Assert.True(File.Exists(Path.Combine(_folder, "z.json")));
        Assert.Empty(elsewhere.GetFiles());
        Directory.Delete(Path.Combine(_folder, "taken"));
        elsewhere.Delete();
        await Eventually.TrueAsync(() => Task.FromResult(Directory.Exists(Path.Combine(_folder, "taken")) && In("taken").Length == 1));
        Assert.Equal(1, await _gateway.Database.ScalarAsync<long>("select count(*) from event"));
    }

    [Fact]
    public async Task A_partners_server_is_fetched_from_and_what_is_taken_in_is_archived_there()
    {
        await using var server = await SftpServer.StartAsync();
        Directory.CreateDirectory(Path.Combine(server.Folder, "archive"));
        using (var chown = System.Diagnostics.Process.Start("chmod", ["-R", "a+rwX", server.Folder]))
        {
            await chown.WaitForExitAsync(Ct);
        }
        using var officer = _gateway.Client("officer");
        using var added = await officer.PostAsJsonAsync("api/partners", new
        {
            gln = "9521321000018", name = "A sender", format = "2.0-json",
            channel = new
            {
                kind = "sftp", url = $"sftp://{server.User}@127.0.0.1:{server.Port}{server.Folder}/ours", hostKey = server.HostKey, privateKey = server.ClientKey,
                inbound = new { folder = server.Folder, archive = Path.Combine(server.Folder, "archive") },
            },
        }, Ct);
        Assert.True(added.IsSuccessStatusCode, await added.Content.ReadAsStringAsync(Ct));
        Assert.DoesNotContain("PRIVATE KEY", await added.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        await File.WriteAllBytesAsync(Path.Combine(server.Folder, "a.json"), Named, Ct);
        await File.WriteAllTextAsync(Path.Combine(server.Folder, "b.xml"), "no document", Ct);
        await File.WriteAllTextAsync(Path.Combine(server.Folder, "c.json.tmp"), "x", Ct);
        var fetch = _gateway.Services.GetRequiredService<FetchInbound>();
        await fetch.RunAsync(Ct);
        Assert.Equal(0, await _gateway.Database.ScalarAsync<long>("select count(*) from capture")); // it may still grow
        await fetch.RunAsync(Ct);
        Assert.Equal("9521321000018 system:inbound sftp", await _gateway.Database.ScalarAsync<string>("select gln || ' ' || submitted_by from capture join document using (document_id) join party p on p.party_id = document.party_id where answer_status = 202"));
        Assert.Matches(@"^a\.[0-9a-f]{8}\.json$", Assert.Single(Directory.GetFiles(Path.Combine(server.Folder, "archive")).Select(Path.GetFileName))!);
        Assert.Equal(["b.xml", "c.json.tmp"], Directory.GetFiles(server.Folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));

        // The same under another name is the same; another under the same identifier is a capture that is refused.
        await File.WriteAllBytesAsync(Path.Combine(server.Folder, "d.json"), Named, Ct);
        await File.WriteAllBytesAsync(Path.Combine(server.Folder, "e.json"), Replaced(Named, "INBOUND1", "INBOUND2"), Ct);
        await fetch.RunAsync(Ct);
        await fetch.RunAsync(Ct);
        Assert.Equal(3, Directory.GetFiles(Path.Combine(server.Folder, "archive")).Length);
        await Eventually.TrueAsync(async () => await _gateway.Database.ScalarAsync<long>("select count(*) from capture where answer_status = 202 and state <> 'processing'") == 2);
        Assert.Equal("accepted,refused", await _gateway.Database.ScalarAsync<string>("select string_agg(state, ',' order by capture_id) from capture where answer_status = 202"));
        Assert.Equal(1, await _gateway.Database.ScalarAsync<long>("select count(*) from exception where code = 'GW-CAP-20'"));
    }

    private static byte[] Replaced(byte[] document, string what, string by) => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(document).Replace(what, by, StringComparison.Ordinal));

    private string[] In(string folder) => Directory.Exists(Path.Combine(_folder, folder))
        ? [.. Directory.GetFiles(Path.Combine(_folder, folder)).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)] : [];
}
