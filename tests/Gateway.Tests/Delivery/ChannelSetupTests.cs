using Gateway.Delivery.Channels;
using Gateway.Partners;

namespace Gateway.Tests.Delivery;

/// <summary>What a channel of files may be set up as: nothing that a command, a path or a terminal could understand otherwise.</summary>
public sealed class ChannelSetupTests
{
    private const string HostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3vTl8jCVcQCzGkkGUIJ0EuYAv9L5P4xRQwFPYg7Yyw";
    private static readonly PartnerOptions Options = new() { AllowPrivateAddresses = true };

    [Theory]
    [InlineData("a.xml", true)]
    [InlineData("Lieferung 7 ä.xml", true)]
    [InlineData("", false)]
    [InlineData("-a", false)]
    [InlineData(".hidden", false)]
    [InlineData("a/b", false)]
    [InlineData("a\\b", false)]
    [InlineData("a\"b", false)]
    [InlineData("a'b", false)]
    [InlineData("a`b", false)]
    [InlineData("a\nb", false)]
    [InlineData("a\u001bb", false)]
    [InlineData("a\u202eb", false)]
    [InlineData("*.xml", false)]
    [InlineData(" a", false)]
    public void A_name_of_a_file_is_plain(string name, bool safe) => Assert.Equal(safe, FileNames.IsSafe(name));

    [Theory]
    [InlineData("/", true)]
    [InlineData("/in/epcis", true)]
    [InlineData("in", true)]
    [InlineData("/in/../out", false)]
    [InlineData("/in//out", false)]
    [InlineData("/in/-r", false)]
    [InlineData("/in\n!sh", false)]
    [InlineData("/in\" \"", false)]
    public void A_folder_of_the_partners_leads_nowhere_else(string folder, bool safe) => Assert.Equal(safe, FileNames.IsSafeFolder(folder));

    [Theory]
    [InlineData("sftp://gw@example.org/in", "gw example.org 22 /in")]
    [InlineData("sftp://gw@example.org:2222", "gw example.org 2222 /")]
    [InlineData("sftp://gw@example.org/~/in/new/", "gw example.org 22 in/new")]
    [InlineData("sftp://gw@[2001:db8::1]/in", "gw 2001:db8::1 22 /in")]
    [InlineData("sftp://gw:secret@example.org/in", null)]
    [InlineData("sftp://example.org/in", null)]
    [InlineData("sftp://-oProxyCommand=x@example.org/in", null)]
    [InlineData("sftp://gw@example.org/in%0Arm", null)]
    [InlineData("sftp://gw@example.org/in?x", null)]
    [InlineData("https://gw@example.org/in", null)]
    public void An_address_is_a_user_a_host_and_a_folder(string url, string? expected) =>
        Assert.Equal(expected, SftpAddress.Refuse(url, out var a) is null ? $"{a.User} {a.Host} {a.Port} {a.Folder}" : null);

    [Theory]
    [InlineData("{message}", null)]
    [InlineData("ACME_{date}_{document}", null)]
    [InlineData("ACME", "holds {message} or {document}")]
    [InlineData("{message}{gtin}", "nothing in braces")]
    [InlineData("../{message}", "plain name")]
    [InlineData("-{message}", "plain name")]
    public void A_rule_gives_each_document_a_name_of_its_own(string rule, string? expected) => Refused(expected, Sftp() with { FileName = rule });

    [Fact]
    public void A_name_is_the_same_whenever_it_is_made()
    {
        var message = Guid.Parse("0b6f6a4c-8a4e-4d38-9d0e-0123456789ab");
        Assert.Equal("a-20261123-7-0b6f6a4c-8a4e-4d38-9d0e-0123456789ab.xml.gz", FileNames.Of("a-{date}-{document}-{message}", message, 7, new DateTime(2026, 11, 23, 23, 59, 0, DateTimeKind.Utc), "application/xml", "gzip"));
        Assert.Equal("7.json", FileNames.Of("{document}", message, 7, default, "application/ld+json", null));
        Assert.Equal("a.ack", FileNames.Beside("{stem}.ack", "a.xml.gz"));
    }

    [Fact]
    public void What_a_channel_cannot_be_is_said_in_a_sentence()
    {
        Refused(null, Sftp());
        Refused("as2 is not available yet", new ChannelRequest("as2", "https://example.org"));
        Refused("hostKey is one line", Sftp() with { HostKey = null });
        Refused("hostKey is one line", Sftp() with { HostKey = $"example.org {HostKey}" });
        Refused("cut off or damaged", Sftp() with { HostKey = HostKey[..30] });
        Refused("cut off or damaged", Sftp() with { HostKey = "ssh-rsa " + HostKey.Split(' ')[1] });
        Refused("privateKey is a private key", Sftp() with { PrivateKey = null });
        Refused("privateKey is a private key", Sftp() with { PrivateKey = "ssh-ed25519 AAAA" });
        Refused("passphrase", Sftp() with { PrivateKey = Pem("openssh-key-v1\0\0\0\0\naes256-ctr") });
        Refused("is damaged", Sftp() with { PrivateKey = Pem("something else") });
        Refused("token is nothing that the channel sftp knows", Sftp() with { Token = "x" });
        Refused("hostKey is nothing that the channel https knows", new ChannelRequest("https", "https://example.org", HostKey: HostKey));
        Refused("need channel.responseFolder", Sftp() with { AcceptPattern = "{name}.ok" });
        Refused("different names", Sftp() with { ResponseFolder = "/out", AcceptPattern = "{name}.err" });
        Refused("triggerFile holds {name} or {stem}", Sftp() with { TriggerFile = ".done" });
        Refused("triggerFile is the plain name", Sftp() with { TriggerFile = "{name}" });
        Refused("channel.inbound has a folder", Sftp() with { Inbound = new InboundSettings("/x", "/x") });
        Refused("operator allows no folder", new ChannelRequest("folder", "file:///tmp"));
        Assert.Null(ChannelSetup.Refuse(Sftp() with { PrivateKey = null }, Options, hasKey: true, out var kept));
        Assert.Null(kept.Secret);
        Assert.Equal("""{"hostKey":""" + $"\"{HostKey}\"}}", kept.Settings.ToJson().Replace("\\u002B", "+", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(1, "remote rename \"/a\" to \"/b\": Failure", "sftp-refused ours Refused")]
    [InlineData(1, "stat remote: No such file or directory", "no-such-file theirs Retry")]
    [InlineData(1, "write remote \"/a\": quota exceeded", "no-room theirs Retry")]
    [InlineData(1, "dest open \"/a\": Permission denied", "sftp-refused ours Refused")]
    [InlineData(255, "Host key verification failed.\nConnection closed", "host-key ours Credential")]
    [InlineData(255, "gw@192.0.2.1: Permission denied (publickey).", "permission-denied ours Credential")]
    [InlineData(255, "ssh: connect to host 192.0.2.1 port 22: Connection refused", "connect network Retry")]
    [InlineData(255, "ssh: connect to host 192.0.2.1 port 22: Connection timed out", "timeout network Retry")]
    [InlineData(255, "Connection closed", "reset network Retry")]
    [InlineData(137, "", "reset network Retry")]
    public void The_exit_code_says_what_failed_and_the_text_whose_it_is(int exitCode, string text, string expected)
    {
        var answer = SftpChannel.Judge(new SftpRun(exitCode, "", text));
        Assert.Equal(expected, $"{answer.Code} {answer.Verdict} {answer.Meaning}");
        Assert.Equal(text, answer.Response);
    }

    private static ChannelRequest Sftp() => new("sftp", "sftp://gw@example.org/in", HostKey: HostKey, PrivateKey: Pem("openssh-key-v1\0\0\0\0\u0004none and more"));

    private static string Pem(string body) => $"-----BEGIN OPENSSH PRIVATE KEY-----\r\n{Convert.ToBase64String(System.Text.Encoding.Latin1.GetBytes(body))}\r\n-----END OPENSSH PRIVATE KEY-----\r\n";

    private static void Refused(string? expected, ChannelRequest request)
    {
        var refusal = ChannelSetup.Refuse(request, Options, hasKey: false, out _);
        Assert.True(expected is null ? refusal is null : refusal?.Contains(expected, StringComparison.Ordinal) == true, refusal ?? "It is not refused.");
    }
}
