using System.Globalization;
using System.Security.Cryptography;
using Gateway.Database;
using Gateway.Delivery;
using Gateway.Delivery.Channels;
using Gateway.Partners;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Delivery;

/// <summary>Documents by SFTP, to OpenSSH's own server: whole or not at all, once, and with what fails told apart.</summary>
public sealed class SftpChannelTests : IAsyncLifetime
{
    private const string Last = "select concat_ws(' ', code, verdict) from attempt order by delivery_id desc, number desc limit 1";
    private Outbox _outbox = null!;
    private SftpServer _server = null!;
    private Relay _relay = null!;

    public async ValueTask InitializeAsync()
    {
        _outbox = await Outbox.CreateAsync();
        _server = await SftpServer.StartAsync();
        _relay = new Relay(_server.Port);
    }

    public async ValueTask DisposeAsync()
    {
        await _relay.DisposeAsync();
        await _server.DisposeAsync();
        await _outbox.DisposeAsync();
    }

    [Fact]
    public async Task A_document_stands_whole_under_its_name_and_nothing_else_is_left()
    {
        var node = await NodeAsync(new ChannelSettings { FileName = "gw-{date}-{document}", TriggerFile = "{stem}.done" });
        await _outbox.AddAsync(1, 1, 1);
        await Outbox.TurnAsync(node);
        Assert.Equal("ok ok", await _outbox.Database.ScalarAsync<string>(Last));
        Assert.Equal("delivered none", await _outbox.Database.ScalarAsync<string>("select state || ' ' || receipt from delivery"));
        var name = await _outbox.Database.ScalarAsync<string>("select 'gw-' || to_char(received_at at time zone 'UTC', 'YYYYMMDD') || '-1' from document");
        Assert.Equal([name + ".done", name + ".xml"], Files());
        Assert.Equal("p1 1:1", await File.ReadAllTextAsync(Path.Combine(_server.Folder, name + ".xml")));
        Assert.DoesNotContain(Directory.GetDirectories(Path.GetTempPath(), "gateway-sftp-*"), d => File.Exists(Path.Combine(d, "key")) && File.ReadAllText(Path.Combine(d, "key")) == _server.ClientKey);
    }

    [Fact]
    public async Task A_server_with_another_key_is_told_nothing_and_no_attempt_is_burned()
    {
        var (_, other) = await _server.MakeKeyAsync("other");
        var node = await NodeAsync(new ChannelSettings(), hostKey: other);
        await _outbox.AddAsync(1, 1, 1);
        await Outbox.TurnAsync(node);
        Assert.Equal("host-key ours", await _outbox.Database.ScalarAsync<string>(Last));
        Assert.Equal("host-key", await _outbox.Database.ScalarAsync<string>("select reason from breaker where open_until > gateway_now()"));
        Assert.Empty(Files());
    }

    [Fact]
    public async Task A_key_that_the_server_does_not_take_is_a_credential_and_a_probe_that_succeeds_closes_the_breaker()
    {
        var (strange, _) = await _server.MakeKeyAsync("strange");
        var node = await NodeAsync(new ChannelSettings(), privateKey: strange);
        await _outbox.AddAsync(1, 1, 1);
        await Outbox.TurnAsync(node);
        Assert.Equal("permission-denied ours", await _outbox.Database.ScalarAsync<string>(Last));
        Assert.DoesNotContain("PRIVATE KEY", await _outbox.Database.ScalarAsync<string>("select string_agg(to_jsonb(attempt)::text, '') from attempt"), StringComparison.Ordinal);
        await SetAsync(node, new ChannelSettings());
        await _outbox.Database.AdvanceAsync(TimeSpan.FromHours(1));
        await Outbox.TurnAsync(node);
        Assert.Equal("ok ok", await _outbox.Database.ScalarAsync<string>(Last));
        Assert.Equal(0, await _outbox.Database.ScalarAsync<int>("select opened from breaker"));
    }

    [Fact]
    public async Task A_server_that_dies_within_an_upload_has_one_whole_file_in_the_end_and_never_a_part_of_it()
    {
        var node = await NodeAsync(new ChannelSettings());
        var bytes = await AddLargeAsync();
        _relay.StallAfter = bytes.Length / 2;
        var turn = Outbox.TurnAsync(node);
        await _relay.Stalled;
        Assert.StartsWith(".", Assert.Single(Files()), StringComparison.Ordinal);
        await _server.KillAsync();
        await turn;
        Assert.Equal("reset network", await _outbox.Database.ScalarAsync<string>(Last));
        Assert.StartsWith(".", Assert.Single(Files()), StringComparison.Ordinal);

        _relay.StallAfter = long.MaxValue;
        await _server.BeginAsync();
        await _outbox.Database.AdvanceAsync(TimeSpan.FromHours(1));
        await Outbox.TurnAsync(node);
        Assert.Equal("ok ok", await _outbox.Database.ScalarAsync<string>(Last));
        Assert.Equal(bytes, await File.ReadAllBytesAsync(Path.Combine(_server.Folder, Assert.Single(Files()))));
    }

    [Fact]
    public async Task An_upload_that_could_not_be_renamed_is_only_renamed_the_next_time()
    {
        var node = await NodeAsync(new ChannelSettings());
        await RestartAsync("-P rename,posix-rename");
        await _outbox.AddAsync(1, 1, 1);
        await Outbox.TurnAsync(node);
        Assert.Equal("sftp-refused ours", await _outbox.Database.ScalarAsync<string>(Last));
        var part = Assert.Single(Files());
        // Nothing can be put now, so what is renamed is what was put before.
        await RestartAsync("-P write");
        await _outbox.Database.AdvanceAsync(TimeSpan.FromHours(1));
        await Outbox.TurnAsync(node);
        Assert.Equal("ok ok", await _outbox.Database.ScalarAsync<string>(Last));
        Assert.StartsWith("." + Assert.Single(Files()) + ".", part, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_stands_already_is_not_sent_again_and_only_its_trigger_is_made_good()
    {
        var node = await NodeAsync(new ChannelSettings { TriggerFile = "{name}.done" });
        await _outbox.AddAsync(1, 1, 1);
        await Outbox.TurnAsync(node);
        var document = Path.Combine(_server.Folder, Files().Single(f => f.EndsWith(".xml", StringComparison.Ordinal)));
        File.Delete(document + ".done");
        var written = File.GetLastWriteTimeUtc(document);
        await _outbox.Database.ExecuteAsync("update delivery set state = 'due', finished_at = null, due_at = gateway_now()"); // as after a crash between the upload and its record
        await Outbox.TurnAsync(node);
        Assert.True(File.Exists(document + ".done"));
        Assert.Equal(written, File.GetLastWriteTimeUtc(document));
        Assert.Equal("delivered", await _outbox.Database.ScalarAsync<string>("select state from delivery"));

        await File.WriteAllTextAsync(document, "something else");
        await _outbox.Database.ExecuteAsync("update delivery set state = 'due', finished_at = null, due_at = gateway_now()");
        await Outbox.TurnAsync(node);
        Assert.Equal("name-taken ours", await _outbox.Database.ScalarAsync<string>(Last));
        await SetAsync(node, new ChannelSettings { ReplaceByRename = true });
        await _outbox.Database.AdvanceAsync(TimeSpan.FromHours(1));
        await Outbox.TurnAsync(node);
        Assert.Equal("p1 1:1", await File.ReadAllTextAsync(document));
    }

    [Fact]
    public async Task A_folder_that_is_missing_and_a_disk_that_is_full_are_the_partners_to_mend()
    {
        var node = await NodeAsync(new ChannelSettings(), folder: "/not-there");
        await _outbox.AddAsync(1, 1, 1);
        await Outbox.TurnAsync(node);
        Assert.Equal("no-such-file theirs", await _outbox.Database.ScalarAsync<string>(Last));
        await SetAsync(node, new ChannelSettings());
        await _server.KillAsync();
        await _server.BeginAsync(mostBlocks: 100);
        await AddLargeAsync();
        await _outbox.Database.ExecuteAsync("update delivery set state = 'closed', dead_reason = 'refused' where delivery_id = 1");
        await Outbox.TurnAsync(node);
        Assert.Equal("no-room theirs", await _outbox.Database.ScalarAsync<string>(Last));
        Assert.DoesNotContain(Files(), f => !f.StartsWith('.'));
    }

    [Theory]
    [InlineData("ack", "received delivered")]
    [InlineData("err", "negative dead")]
    [InlineData("other", "pending delivered")]
    public async Task What_the_partner_lays_into_its_folder_of_answers_is_the_receipt(string ending, string expected)
    {
        var answers = Path.Combine(_server.Folder, "out");
        Directory.CreateDirectory(answers);
        var node = await NodeAsync(new ChannelSettings { ResponseFolder = answers });
        await _outbox.AddAsync(1, 1, 1);
        await Outbox.TurnAsync(node);
        Assert.Equal("pending delivered", await StateAsync());
        await File.WriteAllTextAsync(Path.Combine(answers, $"{Path.GetFileName(Directory.GetFiles(_server.Folder).Single())}.{ending}"), "It was looked at on Monday.");
        await _outbox.Database.AdvanceAsync(TimeSpan.FromMinutes(1));
        await Outbox.TurnAsync(node);
        Assert.Equal(expected, await StateAsync());
        Assert.Equal(ending != "other", (await _outbox.Database.ScalarAsync<string>("select response from attempt")).EndsWith($".{ending}: It was looked at on Monday.", StringComparison.Ordinal));

        Task<string> StateAsync() => _outbox.Database.ScalarAsync<string>("select receipt || ' ' || state from delivery");
    }

    [Fact]
    public async Task What_was_answered_before_is_no_answer_to_what_is_sent_anew()
    {
        var answers = Path.Combine(_server.Folder, "out");
        Directory.CreateDirectory(answers);
        var node = await NodeAsync(new ChannelSettings { ResponseFolder = answers });
        await _outbox.AddAsync(1, 1, 1);
        await Outbox.TurnAsync(node);
        var sent = Directory.GetFiles(_server.Folder).Single();
        var rejection = Path.Combine(answers, Path.GetFileName(sent) + ".err");
        await File.WriteAllTextAsync(rejection, "The lot is not known.");
        await NextAsync("dead negative");

        // Rejected, and still there: it is not what the partner has.
        await _outbox.Database.ExecuteAsync("update delivery set state = 'due', dead_reason = null, receipt = 'none', equal_refusals = 2, code = 'name-taken', due_at = gateway_now()");
        await NextAsync("dead none");
        Assert.Contains("was rejected", await _outbox.Database.ScalarAsync<string>("select response from attempt order by number desc limit 1"), StringComparison.Ordinal);

        File.Delete(sent);
        await _outbox.Database.ExecuteAsync("update delivery set state = 'due', dead_reason = null, receipt = 'none', equal_refusals = 0, due_at = gateway_now()");
        await NextAsync("delivered pending");
        await NextAsync("delivered pending");
        File.Delete(rejection);
        await File.WriteAllTextAsync(Path.Combine(answers, Path.GetFileName(sent) + ".ack"), "Now it is.");
        await NextAsync("delivered received");

        async Task NextAsync(string expected)
        {
            await _outbox.Database.AdvanceAsync(TimeSpan.FromMinutes(6));
            await Outbox.TurnAsync(node);
            Assert.Equal(expected, await _outbox.Database.ScalarAsync<string>("select state || ' ' || receipt from delivery"));
        }
    }

    [Fact]
    public async Task An_answer_of_any_size_is_an_answer_and_no_more_than_the_bound_is_got()
    {
        var node = await NodeAsync(new ChannelSettings { ResponseFolder = _server.Folder });
        await _outbox.AddAsync(1, 1, 1);
        await Outbox.TurnAsync(node);
        await File.WriteAllBytesAsync(Path.Combine(_server.Folder, Files().Single() + ".ack"), new byte[300_000]);
        await _outbox.Database.AdvanceAsync(TimeSpan.FromMinutes(1));
        await Outbox.TurnAsync(node);
        Assert.EndsWith(".ack of 300000 bytes", await _outbox.Database.ScalarAsync<string>("select a.response from attempt a join delivery using (delivery_id) where receipt = 'received'"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_attempt_that_takes_too_long_leaves_no_process_and_shows_no_secret_to_those_who_look_at_processes()
    {
        var node = await NodeAsync(new ChannelSettings(), settings: ("AttemptTimeout", "00:00:04"));
        await AddLargeAsync();
        _relay.StallAfter = 100_000;
        var turn = Outbox.TurnAsync(node);
        await _relay.Stalled;
        var seen = Processes();
        Assert.Equal(2, seen.Count); // sftp and its ssh
        var secret = _server.ClientKey.Split('\n')[1];
        Assert.All(seen, p => Assert.DoesNotContain(secret, p.Text, StringComparison.Ordinal));
        await turn;
        Assert.Equal("timeout network", await _outbox.Database.ScalarAsync<string>(Last));
        await Eventually.TrueAsync(() => Task.FromResult(Processes().Count == 0));
        Assert.DoesNotContain(secret, await _outbox.Database.ScalarAsync<string>("select string_agg(to_jsonb(attempt)::text, '') from attempt"), StringComparison.Ordinal);

        // By the port that they call, which is this test's own.
        List<(string Pid, string Text)> Processes() => [.. Directory.GetDirectories("/proc").Where(d => int.TryParse(Path.GetFileName(d), out _)).Select(d => (d, Text(d)))
            .Where(p => p.Item2.Contains($" {_relay.Port} ", StringComparison.Ordinal))];

        static string Text(string process)
        {
            try
            {
                return $"{File.ReadAllText($"{process}/cmdline").Replace('\0', ' ')} {File.ReadAllText($"{process}/environ")}";
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return "";
            }
        }
    }

    [Fact]
    public async Task Two_deliveries_never_connect_at_once_not_even_from_two_nodes()
    {
        var node = await NodeAsync(new ChannelSettings(), settings: ("AttemptTimeout", "00:00:06"));
        await _outbox.AddAsync(1, 6, 1);
        await Outbox.TurnAsync(node);
        Assert.Equal(6, await _outbox.CountAsync("state = 'delivered'"));
        Assert.Equal((6, 1), (_relay.Connections, _relay.MostAtOnce));

        // As another node that speaks with the partner.
        var other = _outbox.Node().GetRequiredService<GatewayDatabase>();
        Assert.Null(SftpAddress.Refuse(Url(_server.Folder), out var address));
        await using (await SftpSession.OpenAsync(other, new SftpLogin(1, address, "", _server.HostKey, _server.ClientKey), new DeliveryOptions { AllowPrivateAddresses = true }, CancellationToken.None))
        {
            await AddLargeAsync();
            await Outbox.TurnAsync(node);
        }
        Assert.Equal("busy ours", await _outbox.Database.ScalarAsync<string>(Last));
        Assert.Equal(6, _relay.Connections);
    }

    [Fact]
    public async Task A_private_address_is_not_called()
    {
        var node = await NodeAsync(new ChannelSettings(), settings: [("AllowPrivateAddresses", "false"), ("AllowedPorts:0", _relay.Port.ToString(CultureInfo.InvariantCulture))]);
        await _outbox.AddAsync(1, 1, 1);
        await Outbox.TurnAsync(node);
        Assert.Equal("private-address ours", await _outbox.Database.ScalarAsync<string>(Last));
        Assert.Equal(0, _relay.Connections);
    }

    [Fact]
    public async Task A_key_that_a_dead_process_left_is_deleted_and_one_in_use_is_not()
    {
        var (left, used) = (Directory.CreateTempSubdirectory(SftpSession.FolderPrefix), Directory.CreateTempSubdirectory(SftpSession.FolderPrefix));
        await File.WriteAllTextAsync(Path.Combine(left.FullName, "key"), "x");
        left.LastWriteTimeUtc = DateTime.UtcNow.AddMinutes(-11);
        await _outbox.Node().GetRequiredService<RemoveLeftSessions>().RunAsync(CancellationToken.None);
        Assert.Equal((false, true), (Directory.Exists(left.FullName), Directory.Exists(used.FullName)));
        used.Delete();
    }

    private string Url(string folder) => $"sftp://{_server.User}@127.0.0.1:{_relay.Port}{folder}";

    private async Task RestartAsync(string options)
    {
        await _server.KillAsync();
        await _server.BeginAsync(options);
    }

    private async Task<ServiceProvider> NodeAsync(ChannelSettings channel, string? hostKey = null, string? privateKey = null, string? folder = null, params (string Name, string Value)[] settings)
    {
        var node = _outbox.Node(settings);
        await _outbox.AddPartnerAsync(Url(folder ?? _server.Folder), "sftp");
        await SetAsync(node, channel, hostKey, privateKey, folder);
        return node;
    }

    private Task SetAsync(ServiceProvider node, ChannelSettings channel, string? hostKey = null, string? privateKey = null, string? folder = null)
    {
        var party = 2; // the first is ours
        var secret = node.GetRequiredService<PartnerSecrets>().Seal(party, privateKey ?? _server.ClientKey)!;
        return _outbox.Database.ExecuteAsync($"""
            do $$ begin perform set_config('app.actor', 'test', false); end $$;
            update partner set url = '{Url(folder ?? _server.Folder)}', secret = '\x{Convert.ToHexString(secret)}', channel_settings = '{(channel with { HostKey = hostKey ?? _server.HostKey }).ToJson()}' where party_id = {party}
            """);
    }

    private async Task<byte[]> AddLargeAsync()
    {
        var bytes = RandomNumberGenerator.GetBytes(4 << 20);
        await _outbox.Database.ExecuteAsync($"""
            with d as (insert into document (party_id, sha256, length, media_type, received_at) values (1, '\x{Convert.ToHexString(SHA256.HashData(bytes))}', {bytes.Length}, 'application/xml', gateway_now()) returning document_id),
                 c as (insert into document_chunk select document_id, 1, n, substr('\x{Convert.ToHexString(bytes)}'::bytea, n * 1048576 + 1, 1048576) from d cross join generate_series(0, 3) n)
            insert into delivery (party_id, document_id, partner_id, message_id, ordering, state, due_at, created_at, give_up_at)
            select 2, document_id, 1, gen_random_uuid(), 'large', 'due', gateway_now(), gateway_now(), gateway_now() + interval '7 days' from d
            """);
        return bytes;
    }

    private IEnumerable<string> Files() => new DirectoryInfo(_server.Folder).GetFiles().Select(f => f.Name).Order(StringComparer.Ordinal);
}
