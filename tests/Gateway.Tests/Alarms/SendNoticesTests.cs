using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gateway.Alarms;
using Gateway.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Alarms;

/// <summary>Who is told of alarms, over real sockets: at least once, under one identifier, and of nothing that is not for them.</summary>
public sealed class SendNoticesTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly (string, string) Open = ("AllowPrivateAddresses", "true");

    private static (string, string)[] Mail(SmtpServer server, params (string, string)[] more) =>
        [Open, ("SmtpHost", "localhost"), ("SmtpPort", server.Port.ToString(CultureInfo.InvariantCulture)), ("SmtpFrom", "gateway@example.com"), ("DashboardUrl", "https://gateway.example.com/"), .. more];

    [Fact]
    public async Task Mail_tells_of_the_beginning_and_of_the_end_once_each()
    {
        await using var plant = await AlarmPlant.CreateAsync();
        await using var server = new SmtpServer();
        var node = plant.Node(Mail(server, ("SmtpTls", "false")));
        await AlarmPlant.TargetAsync(node, "email", "quality@example.com");
        plant.Wrong["x"] = "Größe 3\r\nBcc: thief@example.com\r\n\r\nare late.";
        await AlarmPlant.LookAsync(node);
        await AlarmPlant.SendAsync(node);
        await AlarmPlant.SendAsync(node);
        plant.Wrong.Clear();
        await plant.LookAsync(node, TimeSpan.FromMinutes(6));
        await AlarmPlant.LookAsync(node);
        await AlarmPlant.SendAsync(node);

        Assert.Equal(2, server.Mails.Count);
        var (raised, cleared) = (server.Mails[0], server.Mails[1]);
        Assert.All(server.Mails, m => Assert.Equal("<quality@example.com>", m.To.Single()["RCPT TO:".Length..]));
        Assert.Null(raised.Header("Bcc"));
        Assert.Equal("auto-generated", raised.Header("Auto-Submitted"));
        Assert.Equal($"<{await plant.Database.ScalarAsync<Guid>("select notice_id from alarm_notice where turn = 'raised'")}@example.com>", raised.Header("Message-ID"));
        Assert.StartsWith("Größe 3", raised.Text, StringComparison.Ordinal);
        Assert.Contains("https://gateway.example.com/partners/1", raised.Text, StringComparison.Ordinal);
        Assert.Contains("is over since", cleared.Text, StringComparison.Ordinal);
        Assert.Equal("raised sent, cleared sent", await plant.NoticesAsync());
    }

    [Fact]
    public async Task Mail_goes_over_TLS_and_not_to_a_server_that_proves_nothing()
    {
        await using var plant = await AlarmPlant.CreateAsync();
        await using var server = new SmtpServer(offersTls: true);
        await using var plain = new SmtpServer();
        plant.Wrong["x"] = "It is wrong.";
        foreach (var (to, code) in ((SmtpServer, string)[])[(server, "tls-untrusted"), (plain, "smtp")])
        {
            var node = plant.Node(Mail(to));
            if (code == "tls-untrusted")
            {
                await AlarmPlant.TargetAsync(node, "email", "quality@example.com");
            }
            await AlarmPlant.LookAsync(node);
            await AlarmPlant.SendAsync(node);
            Assert.Equal("raised due", await plant.NoticesAsync());
            Assert.Matches("^(tls|smtp|failed)", await plant.Database.ScalarAsync<string>("select code from alarm_notice"));
            Assert.Empty(to.Mails);
            await plant.Database.AdvanceAsync(TimeSpan.FromMinutes(1));
        }

        // The same server, by whoever trusts its certificate.
#pragma warning disable SYSLIB0014 // The one place where the framework's SMTP client takes a test's certificate.
        ServicePointManager.ServerCertificateValidationCallback = (_, certificate, _, _) => certificate?.GetCertHashString() == server.Certificate.GetCertHashString();
        try
        {
            var node = plant.Node(Mail(server));
            await AlarmPlant.SendAsync(node);
        }
        finally
        {
            ServicePointManager.ServerCertificateValidationCallback = null;
        }
#pragma warning restore SYSLIB0014
        Assert.True(Assert.Single(server.Mails).IsEncrypted);
    }

    [Theory]
    [InlineData("quality@example.com\r\nBcc: x@example.com")]
    [InlineData("Quality <quality@example.com>")]
    [InlineData("a@example.com,b@example.com")]
    [InlineData("\"a b\"@example.com")]
    [InlineData("nobody")]
    [InlineData("")]
    public async Task An_address_is_an_address_and_nothing_more(string address)
    {
        await using var plant = await AlarmPlant.CreateAsync();
        Assert.NotNull((await plant.Node(Open).GetRequiredService<AlarmTargets>().AddAsync(AlarmPlant.Anna, new("Quality", "email", address, null, "test"), Ct)).Refusal);
    }

    [Fact]
    public async Task A_webhook_is_signed_and_a_kill_between_intent_and_result_is_a_repeat_under_the_same_id()
    {
        await using var plant = await AlarmPlant.CreateAsync();
        var answers = new Queue<int>([0, 503, 200]);
        await using var hook = await HttpsListener.StartAsync(null, _ => Task.FromResult(answers.Dequeue()));
        var node = plant.Node(Open);
        var (_, secret) = await AlarmPlant.TargetAsync(node, "webhook", hook.Url + "/in");
        plant.Wrong["x"] = "It is wrong.";
        await AlarmPlant.LookAsync(node);

        // A node that died after it had committed what it was about to send.
        Assert.NotNull(await node.GetRequiredService<AlarmNotices>().ClaimAsync((await node.GetRequiredService<AlarmTargets>().ListAsync(AlarmPlant.Anna, Ct))[0].TargetId, Ct));
        await AlarmPlant.SendAsync(node);
        Assert.Empty(hook.Calls); // its lease stands
        for (var turn = 0; turn < 3; turn++)
        {
            await plant.Database.AdvanceAsync(TimeSpan.FromMinutes(5));
            await AlarmPlant.SendAsync(node);
        }
        Assert.Equal((3, "raised sent", 4), (hook.Calls.Count, await plant.NoticesAsync(), await plant.Database.ScalarAsync<int>("select attempts from alarm_notice")));
        Assert.Single(hook.Calls.Select(c => c.Headers["webhook-id"]).Distinct());
        Assert.Single(hook.Calls.Select(c => Convert.ToHexString(c.Body)).Distinct());
        Assert.Equal(3, hook.Calls.Select(c => c.Headers["webhook-timestamp"]).Distinct().Count());
        var key = Convert.FromBase64String(secret![AlarmTargets.SecretPrefix.Length..]);
        Assert.All(hook.Calls, call => Assert.Equal("v1," + Convert.ToBase64String(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{call.Headers["webhook-id"]}.{call.Headers["webhook-timestamp"]}.{Encoding.UTF8.GetString(call.Body)}"))),
            call.Headers["webhook-signature"]));
        var told = JsonDocument.Parse(hook.Calls[0].Body).RootElement;
        Assert.Equal(("alarm.raised", AlarmPlant.Kind, "x", "error", "It is wrong."), (told.GetProperty("type").GetString(), told.GetProperty("data").GetProperty("kind").GetString(),
            told.GetProperty("data").GetProperty("subject").GetString(), told.GetProperty("data").GetProperty("severity").GetString(), told.GetProperty("data").GetProperty("sentence").GetString()));
    }

    [Fact]
    public async Task A_webhook_over_TLS_needs_a_certificate_that_proves_it_and_what_it_lacks_is_named()
    {
        var now = DateTimeOffset.UtcNow;
        foreach (var (certificate, code) in ((System.Security.Cryptography.X509Certificates.X509Certificate2, string)[])
            [(HttpsListener.Certificate("localhost", now.AddDays(-1), now.AddDays(1)), "tls-untrusted"), (HttpsListener.Certificate("other.example.com", now.AddDays(-1), now.AddDays(1)), "tls-name")])
        {
            using var own = certificate;
            await using var plant = await AlarmPlant.CreateAsync();
            await using var hook = await HttpsListener.StartAsync(certificate, _ => Task.FromResult(200));
            var node = plant.Node(Open);
            await AlarmPlant.TargetAsync(node, "webhook", hook.Url);
            plant.Wrong["x"] = "It is wrong.";
            await AlarmPlant.LookAsync(node);
            await AlarmPlant.SendAsync(node);
            Assert.Equal(code, await plant.Database.ScalarAsync<string>("select code from alarm_notice"));
            Assert.Empty(hook.Calls);
        }
    }

    [Fact]
    public async Task A_webhook_does_not_reach_into_the_own_network()
    {
        await using var plant = await AlarmPlant.CreateAsync();
        await using var hook = await HttpsListener.StartAsync(null, _ => Task.FromResult(200));
        var targets = plant.Node().GetRequiredService<AlarmTargets>();
        foreach (var address in (string[])[hook.Url, "https://127.0.0.1/in", "https://user@hook.example.com/in", "https://hook.example.com:8443/in", "ftp://hook.example.com"])
        {
            Assert.NotNull((await targets.AddAsync(AlarmPlant.Anna, new("Hook", "webhook", address, null, "test"), Ct)).Refusal);
        }
        // A name that leads inside is refused when it is called.
        var node = plant.Node(("AllowedPorts:0", "443"));
        await AlarmPlant.TargetAsync(node, "webhook", "https://localhost/in");
        plant.Wrong["x"] = "It is wrong.";
        await AlarmPlant.LookAsync(node);
        await AlarmPlant.SendAsync(node);
        Assert.Equal("private-address", await plant.Database.ScalarAsync<string>("select code from alarm_notice"));
    }

    [Fact]
    public async Task A_target_that_cannot_be_told_is_an_alarm_that_nobody_is_told_of()
    {
        await using var plant = await AlarmPlant.CreateAsync();
        await using var good = await HttpsListener.StartAsync(null, _ => Task.FromResult(200));
        await using var bad = await HttpsListener.StartAsync(null, _ => Task.FromResult(500));
        var node = plant.Node(Open);
        await AlarmPlant.TargetAsync(node, "webhook", good.Url);
        var (failing, _) = await AlarmPlant.TargetAsync(node, "webhook", bad.Url + "/bad");
        plant.Wrong["x"] = "It is wrong.";
        for (var turn = 0; turn < 4; turn++)
        {
            await AlarmPlant.LookAsync(node);
            await AlarmPlant.SendAsync(node);
            await plant.Database.AdvanceAsync(TimeSpan.FromMinutes(20));
        }
        var alarm = (await plant.AlarmsAsync(node)).Single(a => a.Kind == AlarmNotices.Unsent);
        Assert.Equal((failing.ToString(), "Messages of alarms cannot be sent to Quality (http-500)."), (alarm.Subject, alarm.Sentence));
        Assert.Single(good.Calls);

        // What stands is told however long it takes; and gone as soon as nobody is to be told there.
        await plant.Database.AdvanceAsync(TimeSpan.FromHours(25));
        await AlarmPlant.SendAsync(node);
        Assert.Equal("due http-500", await plant.Database.ScalarAsync<string>($"select state || ' ' || code from alarm_notice where target_id = '{failing}'"));
        Assert.Null(await node.GetRequiredService<AlarmTargets>().RemoveAsync(AlarmPlant.Anna, failing, null, "gone", Ct));
        await plant.LookAsync(node, TimeSpan.FromMinutes(6));
        await AlarmPlant.LookAsync(node);
        Assert.Equal("cleared", (await plant.AlarmsAsync(node)).Single(a => a.Kind == AlarmNotices.Unsent).State);
    }

    [Fact]
    public async Task A_target_is_told_from_its_severity_on_and_a_preview_tells_what_it_would_have_had()
    {
        await using var plant = await AlarmPlant.CreateAsync();
        await using var hook = await HttpsListener.StartAsync(null, _ => Task.FromResult(200));
        var node = plant.Node(Open);
        var targets = node.GetRequiredService<AlarmTargets>();
        await AlarmPlant.TargetAsync(node, "webhook", hook.Url + "/errors", AlarmSeverity.Error);
        await plant.Database.ExecuteAsync("""
            select set_config('app.actor', 'test', false);
            insert into alarm (kind, subject, severity, raised_as, sentence, link, since, raised_at, last_seen_at, cleared_at)
            select 'alarm.late', s, case s when 'a' then 'warning' else 'error' end, s, s, '', n, n, n, case s when 'b' then n end from unnest(array['a', 'b', 'old']) s, lateral (select gateway_now() - case s when 'old' then interval '8 days' else '1 hour' end as n) n
            """);
        Assert.Equal(["b cleared", "b raised"], (await targets.PreviewAsync(AlarmPlant.Anna, AlarmSeverity.Error, 50, Ct)).Select(p => $"{p.Subject} {p.Turn}").Order());
        Assert.Equal(3, (await targets.PreviewAsync(AlarmPlant.Anna, AlarmSeverity.Warning, 50, Ct)).Count);

        // A test is sent at once, whatever the severity; and one at a time.
        var target = (await targets.ListAsync(AlarmPlant.Anna, Ct))[0];
        Assert.Null(await targets.TestAsync(AlarmPlant.Anna with { Reason = "new" }, target.TargetId, Ct));
        Assert.NotNull(await targets.TestAsync(AlarmPlant.Anna, target.TargetId, Ct));
        await AlarmPlant.SendAsync(node);
        Assert.Equal("alarm.test", JsonDocument.Parse(Assert.Single(hook.Calls).Body).RootElement.GetProperty("type").GetString());

        // Changed under its version; its secret is in no audit entry.
        Assert.NotNull(await targets.ChangeAsync(AlarmPlant.Anna, target, new("Other", null, hook.Url, null, "r", 99), Ct));
        Assert.Null(await targets.ChangeAsync(AlarmPlant.Anna, target, new("Other", null, hook.Url, null, "r", target.Version), Ct));
        Assert.Equal(0, await plant.Database.ScalarAsync<long>("select count(*) from audit_entry where entity = 'alarm_target' and (new ? 'secret' or old ? 'secret')"));
    }
}
