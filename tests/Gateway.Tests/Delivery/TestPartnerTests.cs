using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Epcis.Formats;
using Gateway.Access;
using Gateway.Delivery;
using Gateway.Delivery.Testing;
using Gateway.Partners;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Delivery;

/// <summary>A test of a partner goes the whole way and says at which step it ends, and whose side that is on; against real sockets.</summary>
[Requirement("P11-39")]
public sealed class TestPartnerTests : IAsyncLifetime
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly Actor Anna = Actor.System("anna");
    private Outbox _outbox = null!;

    public async ValueTask InitializeAsync() => _outbox = await Outbox.CreateAsync();

    public ValueTask DisposeAsync() => _outbox.DisposeAsync();

    [Fact]
    public async Task A_partner_that_takes_the_sample_passes_and_nothing_of_it_is_a_delivery()
    {
        await using var partner = await ScriptedPartner.StartAsync((_, _) => Task.FromResult(200));
        var test = await TestAsync(partner.Url + "/in");
        Assert.Equal("dns passed, tcp passed, tls not applicable, authentication not applicable, sample passed, receipt passed", Words(test));
        Assert.True(test is { Passed: true, Accepted: true, Version: 1 });
        var sample = Assert.Single(partner.Arrivals);
        Assert.Equal(test.MessageId.ToString(), sample.Key);
        Assert.Contains($"TEST-{test.MessageId}", sample.Body, StringComparison.Ordinal);
        Assert.Contains("testDocument>true<", sample.Body, StringComparison.Ordinal);
        Assert.Equal(0, await _outbox.CountAsync("true"));
        Assert.Equal("insert system:anna", await _outbox.Database.ScalarAsync<string>("select action || ' ' || actor from audit_entry where entity = 'partner_test'"));
    }

    [Theory]
    [InlineData("1.2-xml", DocumentForm.Xml12)]
    [InlineData("2.0-xml", DocumentForm.Xml20)]
    [InlineData("2.0-json", DocumentForm.JsonLd20)]
    public async Task The_sample_is_a_right_document_in_the_partners_format(string format, DocumentForm form)
    {
        var bytes = await SampleDocument.BytesAsync(Guid.NewGuid(), format, "9521321000005", "9521321000012", new DateTime(2026, 11, 23, 5, 0, 0, DateTimeKind.Utc), Ct);
        using var reader = EpcisDocument.Open(new MemoryStream(bytes), ReaderLimits.Default);
        var events = 0;
        while (reader.Read())
        {
            events++;
            Assert.Equal("testDocument", Assert.Single(reader.Current.Extensions).Name);
        }
        Assert.Equal("", string.Join("; ", reader.Findings.All.Select(f => f.Message)));
        Assert.Equal((form, 1), (reader.Form, events));
    }

    [Theory]
    [InlineData(401, "dns passed, tcp passed, tls not applicable, authentication failed, sample not reached, receipt not reached", "http-401 ours")]
    [InlineData(500, "dns passed, tcp passed, tls not applicable, authentication not applicable, sample failed, receipt not reached", "http-500 theirs")]
    [InlineData(422, "dns passed, tcp passed, tls not applicable, authentication not applicable, sample failed, receipt not reached", "http-422 ours")]
    [InlineData(0, "dns passed, tcp passed, tls not applicable, authentication not reached, sample failed, receipt not reached", "reset network")]
    public async Task What_the_partner_answers_says_which_step_failed(int status, string expected, string whose)
    {
        await using var partner = await ScriptedPartner.StartAsync((_, _) => Task.FromResult(status));
        var test = await TestAsync(partner.Url + "/in");
        Assert.Equal(expected, Words(test));
        Assert.Equal(whose, Whose(test));
    }

    [Fact]
    public async Task A_name_that_is_not_known_is_said_and_nothing_further_is_tried()
    {
        var test = await TestAsync("https://no-such-host.invalid/in");
        Assert.Equal("dns failed, tcp not reached, tls not reached, authentication not reached, sample not reached, receipt not reached", Words(test));
        Assert.Equal("dns network", Whose(test));
        Assert.Null(test.MessageId);
    }

    [Fact]
    public async Task A_private_address_is_named_and_not_called()
    {
        await using var partner = await ScriptedPartner.StartAsync((_, _) => Task.FromResult(200));
        var test = await TestAsync(partner.Url, settings: ("AllowPrivateAddresses", "false"));
        Assert.Equal("private-address ours", Whose(test));
        Assert.Contains("127.0.0.1 (private, not allowed)", test.Failure!.Seen, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_on_which_nobody_listens_is_said()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        var test = await TestAsync($"https://127.0.0.1:{port}/in");
        Assert.Equal("dns passed, tcp failed, tls not reached, authentication not reached, sample not reached, receipt not reached", Words(test));
        Assert.Equal("connect network", Whose(test));
    }

    [Theory]
    [InlineData("localhost", -30, -1, "certificate-expired theirs", "expired on ")]
    [InlineData("localhost", 1, 30, "certificate-not-yet-valid theirs", "valid only from ")]
    [InlineData("other.example", -1, 30, "certificate-name theirs", "for other names than localhost: other.example")]
    [InlineData("localhost", -1, 30, "certificate-untrusted theirs", "which is not trusted here")]
    public async Task What_is_wrong_with_a_certificate_is_said_and_no_document_is_sent(string name, int from, int until, string whose, string sentence)
    {
        await using var partner = await ScriptedPartner.StartAsync((_, _) => Task.FromResult(200), Certificate(name, from, until));
        var url = $"https://localhost:{new Uri(partner.Url).Port}/in";
        var test = await TestAsync(url);
        Assert.Equal("dns passed, tcp passed, tls failed, authentication not reached, sample not reached, receipt not reached", Words(test));
        Assert.Equal(whose, Whose(test));
        Assert.Contains(sentence, test.Failure!.Seen, StringComparison.Ordinal);

        // A delivery says the same.
        await _outbox.AddAsync(1, 1, 1);
        await _outbox.Database.ExecuteAsync("select set_config('app.actor', 'test', false); update partner set state = 'active'");
        await Outbox.TurnAsync(_outbox.Node());
        Assert.Equal(whose, await _outbox.Database.ScalarAsync<string>("select concat_ws(' ', code, verdict) from attempt"));
        Assert.Contains(sentence, await _outbox.Database.ScalarAsync<string>("select response from attempt"), StringComparison.Ordinal);
        Assert.Empty(partner.Arrivals);
    }

    [Fact]
    public async Task A_server_without_TLS_behind_an_https_address_is_said()
    {
        await using var partner = await ScriptedPartner.StartAsync((_, _) => Task.FromResult(200));
        Assert.Equal("tls theirs", Whose(await TestAsync(partner.Url.Replace("http:", "https:", StringComparison.Ordinal))));
    }

    [Theory]
    [InlineData("""{"running":false,"success":true}""", "receipt passed", true)]
    [InlineData("""{"running":false,"success":false,"errors":["unknown product"]}""", "receipt failed", false)]
    public async Task The_result_of_the_partners_own_job_is_asked_for(string job, string receipt, bool accepted)
    {
        await using var partner = await ScriptedPartner.StartAsync(async (context, _) =>
        {
            if (context.Request.Method == "POST")
            {
                context.Response.Headers.Location = "/capture/1";
                return 202;
            }
            await context.Response.WriteAsync(job);
            return 200;
        });
        var test = await TestAsync(partner.Url + "/capture", "epcis");
        Assert.EndsWith(receipt, Words(test), StringComparison.Ordinal);
        Assert.Equal(accepted, test.Accepted);
        Assert.Equal(accepted, test.Passed);
    }

    [Fact]
    public async Task A_live_partner_gets_a_sample_only_when_somebody_says_so_and_why()
    {
        await using var partner = await ScriptedPartner.StartAsync((_, _) => Task.FromResult(200));
        var node = _outbox.Node();
        var (id, test) = (await _outbox.AddPartnerAsync(partner.Url), node.GetRequiredService<TestPartner>());
        var (without, _) = await test.RunAsync(Anna, id, new TestRequest(null, null), Ct);
        Assert.Equal("dns passed, tcp passed, tls not applicable, authentication not applicable, sample not applicable, receipt not applicable", Words(without!));
        Assert.Equal(TestPartner.NeedsReason, (await test.RunAsync(Anna, id, new TestRequest(true, " "), Ct)).Refusal);
        Assert.Empty(partner.Arrivals);
        var (with, _) = await test.RunAsync(Anna, id, new TestRequest(true, "their new server, agreed with Ms Miller"), Ct);
        Assert.True(with!.Accepted);
        Assert.Single(partner.Arrivals);
        Assert.Equal("their new server, agreed with Ms Miller", await _outbox.Database.ScalarAsync<string>("select reason from audit_entry where entity = 'partner_test' and reason is not null"));
    }

    [Fact]
    public async Task No_secret_is_in_what_is_kept()
    {
        await using var partner = await ScriptedPartner.StartAsync(async (context, _) =>
        {
            await context.Response.WriteAsync("you sent " + context.Request.Headers.Authorization);
            return 200;
        });
        var node = _outbox.Node();
        var id = await _outbox.AddPartnerAsync(partner.Url);
        await SetAsync($"secret = '\\x{Convert.ToHexString(node.GetRequiredService<PartnerSecrets>().Seal(2, "t0p-secret-token")!)}'");
        var (test, _) = await node.GetRequiredService<TestPartner>().RunAsync(Anna, id, new TestRequest(true, "why"), Ct);
        Assert.Contains("authentication passed", Words(test!), StringComparison.Ordinal);
        Assert.DoesNotContain("t0p-secret-token", await _outbox.Database.ScalarAsync<string>("select string_agg(steps::text, '') || (select string_agg(a::text, '') from audit_entry a) from partner_test"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_sftp_server_is_known_by_its_key_and_takes_ours_and_the_folder_is_there()
    {
        await using var server = await SftpServer.StartAsync();
        Assert.Equal("dns passed, tcp passed, host-key passed, authentication passed, sample passed, receipt not applicable", Words(await SftpAsync(server, new ChannelSettings { HostKey = server.HostKey })));

        var other = (await server.MakeKeyAsync("other")).Public;
        var test = await SftpAsync(server, new ChannelSettings { HostKey = other });
        Assert.Equal("host-key ours", Whose(test));
        Assert.Contains(SshKeys.Fingerprint(other), test.Failure!.Seen, StringComparison.Ordinal);
        Assert.Contains(SshKeys.Fingerprint(server.HostKey), test.Failure!.Seen, StringComparison.Ordinal);

        test = await SftpAsync(server, new ChannelSettings { HostKey = server.HostKey }, key: (await server.MakeKeyAsync("strange")).Private);
        Assert.Equal("dns passed, tcp passed, host-key passed, authentication failed, sample not reached, receipt not reached", Words(test));
        Assert.Equal("permission-denied ours", Whose(test));

        test = await SftpAsync(server, new ChannelSettings { HostKey = server.HostKey }, folder: "/~/nowhere");
        Assert.Equal("dns passed, tcp passed, host-key passed, authentication passed, sample failed, receipt not reached", Words(test));
        Assert.Equal("no-such-file theirs", Whose(test));
    }

    [Fact]
    public async Task An_answer_that_the_partner_lays_into_a_folder_is_the_receipt()
    {
        await using var server = await SftpServer.StartAsync();
        using var stop = new CancellationTokenSource();
        var answering = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                foreach (var file in Directory.GetFiles(server.Folder, "*.xml").Where(f => !Path.GetFileName(f).StartsWith('.')))
                {
                    await File.WriteAllTextAsync(file + ".ack", "thanks", Ct);
                }
                await Task.Delay(100, Ct);
            }
        }, Ct);
        var test = await SftpAsync(server, new ChannelSettings { HostKey = server.HostKey, ResponseFolder = server.Folder });
        await stop.CancelAsync();
        await answering;
        Assert.EndsWith("sample passed, receipt passed", Words(test), StringComparison.Ordinal);
        Assert.True(test.Accepted);
    }

    [Fact]
    public async Task A_folder_that_is_missing_is_said_and_who_was_told_of_a_sample_confirms_it_once()
    {
        var root = Directory.CreateTempSubdirectory("gateway-test-").FullName;
        try
        {
            Assert.Equal("no-folder ours", Whose(await TestAsync($"file://{root}/acme", "folder", ("Folders:0", root))));
            Directory.CreateDirectory(Path.Combine(root, "acme"));
            var node = _outbox.Node(("Folders:0", root));
            var (test, _) = await node.GetRequiredService<TestPartner>().RunAsync(Anna, 1, new TestRequest(null, null), Ct);
            Assert.EndsWith("authentication passed, sample passed, receipt not applicable", Words(test!), StringComparison.Ordinal);
            Assert.Contains("TEST-", await File.ReadAllTextAsync(Assert.Single(Directory.GetFiles(Path.Combine(root, "acme"))), Ct), StringComparison.Ordinal);
            var tests = node.GetRequiredService<PartnerTests>();
            Assert.False(test!.HasSample);
            Assert.Null(await tests.ConfirmAsync(Anna, 1, test.TestId, "Ms Miller wrote so on 23 November", Ct));
            Assert.True((await tests.FindAsync(Anna, 1, test.TestId, Ct))!.HasSample);
            Assert.NotNull(await tests.ConfirmAsync(Anna, 1, test.TestId, "again", Ct));
            Assert.NotNull(await tests.ConfirmAsync(Anna, 1, 1, "the one that failed", Ct));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private async Task<PartnerTest> TestAsync(string url, string channel = "https", params (string Name, string Value)[] settings)
    {
        var node = _outbox.Node(settings);
        var id = await _outbox.AddPartnerAsync(url, channel);
        await SetAsync("state = 'practice'");
        var (test, refusal) = await node.GetRequiredService<TestPartner>().RunAsync(Anna, id, new TestRequest(null, null), Ct);
        Assert.Null(refusal);
        return test!;
    }

    private async Task<PartnerTest> SftpAsync(SftpServer server, ChannelSettings settings, string? key = null, string? folder = null)
    {
        var node = _outbox.Node();
        var id = await _outbox.AddPartnerAsync($"sftp://{server.User}@127.0.0.1:{server.Port}{folder ?? server.Folder}", "sftp");
        await _outbox.Database.ExecuteAsync($"select set_config('app.actor', 'test', false); update partner set state = 'practice', channel_settings = '{settings.ToJson()}', secret = '\\x{Convert.ToHexString(node.GetRequiredService<PartnerSecrets>().Seal(await PartyAsync(id), key ?? server.ClientKey)!)}' where partner_id = {id}");
        return (await node.GetRequiredService<TestPartner>().RunAsync(Anna, id, new TestRequest(null, null), Ct)).Test!;
    }

    private Task<int> PartyAsync(int partner) => _outbox.Database.ScalarAsync<int>($"select party_id from partner where partner_id = {partner}");

    private Task SetAsync(string change) => _outbox.Database.ExecuteAsync($"select set_config('app.actor', 'test', false); update partner set {change}");

    private static X509Certificate2 Certificate(string name, int from, int until)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(from), DateTimeOffset.UtcNow.AddDays(until));
    }

    private static string Words(PartnerTest test) => string.Join(", ", test.Steps.Select(s => $"{s.Step} {s.State}"));

    private static string Whose(PartnerTest test)
    {
        Assert.False(string.IsNullOrWhiteSpace(test.Failure?.Next));
        return $"{test.Failure!.Code} {test.Failure.Verdict}";
    }
}
