using System.Globalization;
using System.Net;
using System.Net.Mail;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using Gateway.Http;
using Gateway.Scheduling;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gateway.Alarms;

/// <summary>One attempt to tell one target.</summary>
public interface IAlarmSender
{
    /// <summary>As the target's row spells it.</summary>
    string Channel { get; }

    /// <returns><see cref="AlarmSending.Ok"/>, or why not, in a word.</returns>
    Task<string> SendAsync(ClaimedNotice notice, CancellationToken ct);
}

/// <summary>What senders answer.</summary>
public static class AlarmSending
{
    public const string Ok = "ok";

    /// <returns>A word for what went wrong on the way.</returns>
    internal static string Explain(Exception e) => e switch
    {
        ForbiddenAddressException forbidden => forbidden.Code,
        UntrustedCertificateException untrusted => untrusted.Code,
        AuthenticationException => "tls",
        SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData } => "dns",
        SocketException => "connect",
        SmtpException smtp when smtp.StatusCode != SmtpStatusCode.GeneralFailure => string.Create(CultureInfo.InvariantCulture, $"smtp-{(int)smtp.StatusCode}"),
        { InnerException: { } inner } => Explain(inner),
        IOException => "reset",
        _ => "failed",
    };
}

/// <summary>An address that mail can go to: no name beside it, nothing that could end a header's line.</summary>
internal static class EmailAddress
{
    /// <returns>Null, or the refusal as a sentence.</returns>
    public static string? Refuse(string address) =>
        address.Length <= 254 && !address.Any(c => char.IsControl(c) || char.IsWhiteSpace(c) || c is '<' or '>' or ',' or ';' or '"') && MailAddress.TryCreate(address, out var read) && read.Address == address
            ? null
            : "An e-mail address is one such as quality@example.com.";
}

/// <summary>Seals the secrets of webhooks. The target is part of the purpose, so that one copied to another row opens nothing.</summary>
public sealed class AlarmSecrets(IDataProtectionProvider protection)
{
    public byte[] Seal(Guid targetId, byte[] secret) => Protector(targetId).Protect(secret);

    public byte[] Open(Guid targetId, byte[] sealedSecret) => Protector(targetId).Unprotect(sealedSecret);

    private IDataProtector Protector(Guid targetId) => protection.CreateProtector("alarm-target", targetId.ToString());
}

/// <summary>Mail by SMTP. The server is the operator's, from the configuration; the recipient is a person's choice, and cannot be more than an address.</summary>
public sealed class EmailSender(IOptions<AlarmOptions> options) : IAlarmSender
{
    public string Channel => "email";

    public async Task<string> SendAsync(ClaimedNotice notice, CancellationToken ct)
    {
        var settings = options.Value;
        if (settings.SmtpHost.Length == 0)
        {
            return "no-mail-server";
        }
        using var mail = new MailMessage(settings.SmtpFrom, notice.Address)
        {
            Subject = notice.Message.MailSubject(), SubjectEncoding = Encoding.UTF8, Body = notice.Message.MailText(settings.DashboardUrl), BodyEncoding = Encoding.UTF8, IsBodyHtml = false,
        };
        // The same in every attempt, so that a repeat can be told; and nobody's absence is answered to a machine.
        mail.Headers.Add("Message-ID", $"<{notice.Message.Id}@{settings.SmtpFrom.Split('@')[^1]}>");
        mail.Headers.Add("Auto-Submitted", "auto-generated");
        using var client = new SmtpClient(settings.SmtpHost, settings.SmtpPort) { EnableSsl = settings.SmtpTls, UseDefaultCredentials = false };
        if (settings.SmtpUser.Length > 0)
        {
            client.Credentials = new NetworkCredential(settings.SmtpUser, settings.SmtpPassword);
        }
        await client.SendMailAsync(mail, ct);
        return AlarmSending.Ok;
    }
}

/// <summary>A POST of JSON, signed as Standard Webhooks has it: HMAC-SHA256 over the identifier, the moment and the body.</summary>
public sealed class WebhookSender : IAlarmSender, IDisposable
{
    private const int MaxAnswer = 64 * 1024;

    private readonly AlarmOptions _options;
    private readonly AlarmSecrets _secrets;
    private readonly HttpClient _client;

    public WebhookSender(IOptions<AlarmOptions> options, AlarmSecrets secrets)
    {
        (_options, _secrets) = (options.Value, secrets);
        _client = OutgoingAddress.MakeClient(_options.Outgoing, []);
    }

    public string Channel => "webhook";

    public async Task<string> SendAsync(ClaimedNotice notice, CancellationToken ct)
    {
        var body = notice.Message.ToJson(_options.DashboardUrl);
        var (id, at) = (notice.Message.Id.ToString(), new DateTimeOffset(notice.At).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
        using var request = new HttpRequestMessage(HttpMethod.Post, notice.Address) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new("application/json");
        request.Headers.Add("webhook-id", id);
        request.Headers.Add("webhook-timestamp", at);
        request.Headers.Add("webhook-signature", Sign(_secrets.Open(notice.TargetId, notice.Secret!), id, at, body));
        using var answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        // Read so that the connection can be used again; what it says is nobody's concern, and more than a little is not waited for.
        await using (var stream = await answer.Content.ReadAsStreamAsync(ct))
        {
            await stream.ReadAtLeastAsync(new byte[MaxAnswer], MaxAnswer, throwOnEndOfStream: false, ct);
        }
        return answer.IsSuccessStatusCode ? AlarmSending.Ok : string.Create(CultureInfo.InvariantCulture, $"http-{(int)answer.StatusCode}");
    }

    internal static string Sign(byte[] secret, string id, string at, byte[] body) => "v1," + Convert.ToBase64String(HMACSHA256.HashData(secret, (byte[])[.. Encoding.UTF8.GetBytes($"{id}.{at}."), .. body]));

    public void Dispose() => _client.Dispose();
}

/// <summary>Sends what is due: targets side by side, each in order; one that does not answer ends its own turn.</summary>
public sealed partial class SendNotices(AlarmNotices notices, IEnumerable<IAlarmSender> senders, IOptions<AlarmOptions> options, ILogger<SendNotices> log) : IChore
{
    private readonly Dictionary<string, IAlarmSender> _senders = senders.ToDictionary(s => s.Channel, StringComparer.Ordinal);

    public async Task RunAsync(CancellationToken ct) => await Task.WhenAll((await notices.DueTargetsAsync(ct)).Select(target => TellAsync(target, ct)));

    private async Task TellAsync(Guid targetId, CancellationToken ct)
    {
        for (var sent = 0; sent < AlarmNotices.MostAtOnce && await notices.ClaimAsync(targetId, ct) is { } notice; sent++)
        {
            var code = await TryAsync(notice, ct);
            var state = await notices.CompleteAsync(notice, code);
            if (code != AlarmSending.Ok)
            {
                NotSent(notice.Message.Id, targetId, code, state ?? "another node's");
                return;
            }
        }
    }

    private async Task<string> TryAsync(ClaimedNotice notice, CancellationToken ct)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(ct);
        end.CancelAfter(options.Value.AttemptTimeout);
        try
        {
            return await _senders[notice.Channel].SendAsync(notice, end.Token).WaitAsync(options.Value.AttemptTimeout * 2, ct);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            return ct.IsCancellationRequested ? "unknown-outcome" : "timeout";
        }
        catch (CryptographicException)
        {
            return "secret-unreadable";
        }
        catch (Exception e)
        {
            return AlarmSending.Explain(e);
        }
    }

    [LoggerMessage(3202, LogLevel.Warning, "The alarm notice {NoticeId} was not sent to the target {TargetId}: {Code}; it is {State}.")]
    private partial void NotSent(Guid noticeId, Guid targetId, string code, string state);
}
