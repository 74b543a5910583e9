using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Http;
using Gateway.Delivery.Channels;
using Gateway.Partners;
using Microsoft.Extensions.Options;

namespace Gateway.Delivery.Testing;

/// <param name="Sample">Whether a marked sample is sent; null: when the partner is not live.</param>
/// <param name="Reason">Needed where a sample is to go to a partner that is live.</param>
public sealed record TestRequest(bool? Sample, string? Reason);

/// <summary>
/// Goes the whole way to a partner with the channel's own code and secrets, and says at which step it ends and whose side that is on: name, connection,
/// TLS or host key, authentication, a marked sample, and what the partner says to it. It lasts less than a minute, and ends though whoever asked has gone.
/// </summary>
public sealed partial class TestPartner(GatewayDatabase database, PartnerTests tests, Certificates certificates, PartnerSecrets secrets, IEnumerable<IChannel> channels, IOptions<DeliveryOptions> options)
{
    private static readonly TimeSpan Whole = TimeSpan.FromSeconds(55), Sending = TimeSpan.FromSeconds(20), Login = TimeSpan.FromSeconds(15), AskEvery = TimeSpan.FromSeconds(1);
    private readonly Dictionary<string, IChannel> _channels = channels.ToDictionary(c => c.Kind, StringComparer.Ordinal);

    /// <summary>A partner whose live system would get a sample is sent one only when somebody says so, and why.</summary>
    public const string NeedsReason = "The partner is live: that a sample is sent there needs a reason.";

    /// <returns>The test, or why there was none.</returns>
    public async Task<(PartnerTest? Test, string? Refusal)> RunAsync(Actor actor, int partnerId, TestRequest request, CancellationToken ct)
    {
        var (partner, begun) = await FindAsync(actor, partnerId, ct);
        if (partner is null)
        {
            return (null, "There is no such partner.");
        }
        var withSample = request.Sample ?? !partner.IsLive;
        if (withSample && partner.IsLive && string.IsNullOrWhiteSpace(request.Reason))
        {
            return (null, NeedsReason);
        }
        using var end = new CancellationTokenSource(Whole);
        var steps = new TestSteps();
        var run = new Run(actor, partner, withSample, steps, end.Token);
        switch (partner.Channel)
        {
            case "https" or "epcis":
                await HttpAsync(run);
                break;
            case "sftp":
                await SftpAsync(run);
                break;
            case "folder":
                await FolderAsync(run);
                break;
            default:
                steps.Add("dns", StepOutcome.Fail("no-channel", Verdict.Ours, $"The channel {partner.Channel} is not available."));
                break;
        }
        var id = await tests.SaveAsync(actor, partner.PartnerId, partner.Version, begun, steps.All, run.Accepted, run.DocumentId, run.MessageId, request.Reason);
        return (await tests.FindAsync(actor, partnerId, id, CancellationToken.None), null);
    }

    /// <summary>One test in the making.</summary>
    private sealed class Run(Actor actor, TestedPartner partner, bool withSample, TestSteps steps, CancellationToken end)
    {
        public Actor Actor => actor;
        public TestedPartner Partner => partner;
        public bool WithSample => withSample;
        public TestSteps Steps => steps;
        public CancellationToken End => end;
        public bool Accepted { get; set; }
        public long? DocumentId { get; set; }
        public Guid? MessageId { get; set; }
    }

    private async Task<(TestedPartner? Partner, DateTime Begun)> FindAsync(Actor actor, int partnerId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor, ct);
        var partner = await work.Connection.QuerySingleOrDefaultAsync<TestedPartner>("""
            select p.partner_id as "PartnerId", p.party_id as "PartyId", coalesce(y.gln, '') as "Gln", p.channel as "Channel", p.url as "Url", p.secret as "Secret", p.private_ranges as "PrivateRanges",
                p.channel_settings::text as "Settings", p.format as "Format", p.version as "Version", p.state in ('active', 'paused') and (p.live_version is not null or p.pause_reason is distinct from @Waiting) as "IsLive"
            from partner p join party y using (party_id) where p.partner_id = @partnerId
            """, new { partnerId, GoLive.Waiting }, work.Transaction);
        return (partner, await work.Connection.ExecuteScalarAsync<DateTime>("select gateway_now()", transaction: work.Transaction));
    }

    private async Task HttpAsync(Run run)
    {
        var url = new Uri(run.Partner.Url);
        await using (var probe = new ServerProbe(options.Value, run.Partner.PrivateRanges))
        {
            await probe.ReachAsync(run.Steps, url.IdnHost, url.Port, 443, run.End);
            await probe.SecureAsync(run.Steps, url, run.End);
            if (probe.Certificate is { } served)
            {
                await certificates.SeenAsync(run.Partner.PartnerId, served);
            }
        }
        if (!run.WithSample && !run.Steps.HaveFailed)
        {
            run.Steps.Add("authentication", StepOutcome.None("Whether the token is taken is only known when a document is sent."));
            WithoutSample(run);
            return;
        }
        var (answer, ms) = await SendAsync(run);
        run.Steps.AddSent("authentication", answer, a => a.Meaning == AnswerMeaning.Credential ? Failed(a)
            : a.Status is null ? StepOutcome.Unknown("No answer came.")
            : run.Partner.Secret is null ? StepOutcome.None("No token is set up, and the partner asked for none.") : StepOutcome.Pass("The token was not refused."));
        run.Steps.AddSent("sample", answer, a => a.Meaning is AnswerMeaning.Accepted or AnswerMeaning.Pending ? StepOutcome.Pass($"Sent as message {run.MessageId}; the answer was HTTP {a.Status}.") : Failed(a), ms);
        await ReceiveAsync(run, answer, "HTTP {0}: with that the partner has it.");
    }

    private async Task SftpAsync(Run run)
    {
        var (steps, partner) = (run.Steps, run.Partner);
        if (SftpAddress.Refuse(partner.Url, out var address) is { } refusal)
        {
            steps.Add("dns", StepOutcome.Fail("address", Verdict.Ours, refusal));
            return;
        }
        await using (var probe = new ServerProbe(options.Value, partner.PrivateRanges))
        {
            await probe.ReachAsync(steps, address.Host, address.Port, SftpAddress.UsualPort, run.End);
        }
        ChannelAnswer? login = null;
        await steps.TakeAsync("host-key", Login, async token =>
        {
            var hostKey = ChannelSettings.Read(partner.Settings).HostKey;
            if (OpenSecret(partner) is not { } key || hostKey is null)
            {
                return StepOutcome.Fail("no-key", Verdict.Ours, "The setup has no private key, or no host key.");
            }
            login = await LogInAsync(new SftpLogin(partner.PartnerId, address, partner.PrivateRanges, hostKey, key), address.Folder, token);
            return login.Code switch
            {
                "host-key" => StepOutcome.Fail("host-key", Verdict.Ours, $"The server shows another key than the pinned one, {SshKeys.Fingerprint(hostKey)}{(FingerprintIn().Match(login.Response ?? "") is { Success: true } shown ? $": {shown.Value}" : "")}."),
                "ok" or "permission-denied" or "no-such-file" or "sftp-refused" or "no-room" => StepOutcome.Pass($"The server shows the pinned key, {SshKeys.Fingerprint(hostKey)}."),
                _ => Failed(login),
            };
        }, run.End);
        steps.AddSent("authentication", login, a => a.Code == "permission-denied" ? Failed(a) : StepOutcome.Pass($"Logged in as {address.User} by our key."));
        if (!run.WithSample && login is not null && !steps.HaveFailed)
        {
            if (login.Code != "ok")
            {
                steps.Add("sample", Failed(login));
                steps.Skip("receipt");
                return;
            }
            steps.Add("sample", StepOutcome.None($"None was sent; the folder {address.Folder} is there."));
            steps.Add("receipt", StepOutcome.None("No sample was sent."));
            return;
        }
        await SendFileAsync(run);
    }

    private async Task<ChannelAnswer> LogInAsync(SftpLogin login, string folder, CancellationToken ct)
    {
        try
        {
            await using var session = await SftpSession.OpenAsync(database, login, options.Value, ct);
            var ran = await session.RunAsync([$"cd {SftpSession.Quoted(folder)}"], ct);
            return ran.ExitCode == 0 ? new ChannelAnswer(AnswerMeaning.Accepted, Verdict.Ok, "ok") : SftpChannel.Judge(ran);
        }
        catch (ForbiddenAddressException e)
        {
            return new ChannelAnswer(AnswerMeaning.Retry, Verdict.Ours, e.Code);
        }
        catch (SftpBusyException e)
        {
            return new ChannelAnswer(AnswerMeaning.Retry, Verdict.Ours, "busy", Response: e.Message);
        }
        catch (NoSftpProgramException e)
        {
            return new ChannelAnswer(AnswerMeaning.Retry, Verdict.Ours, "no-sftp-program", Response: e.Message);
        }
        catch (System.Net.Sockets.SocketException)
        {
            return new ChannelAnswer(AnswerMeaning.Retry, Verdict.Network, "dns");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new ChannelAnswer(AnswerMeaning.Retry, Verdict.Ours, "spool", Response: KeptAnswer.Of(e.Message));
        }
    }

    private async Task FolderAsync(Run run)
    {
        foreach (var step in (string[])["dns", "tcp", "tls"])
        {
            run.Steps.Add(step, StepOutcome.None("A folder of this machine: nothing is called."));
        }
        await run.Steps.TakeAsync("authentication", Login, _ => Task.FromResult(AllowedFolders.Refuse(run.Partner.Url, options.Value.Folders, out var folder) is { } refusal ? StepOutcome.Fail("folder-not-allowed", Verdict.Ours, refusal)
            : Directory.Exists(folder) ? StepOutcome.Pass($"{folder} is there, below a root that the operator allows.") : StepOutcome.Fail("no-folder", Verdict.Ours, $"There is no folder {folder}.")), run.End);
        if (!run.WithSample && !run.Steps.HaveFailed)
        {
            WithoutSample(run);
            return;
        }
        await SendFileAsync(run);
    }

    private async Task SendFileAsync(Run run)
    {
        var (answer, ms) = await SendAsync(run);
        run.Steps.AddSent("sample", answer, a => a.Meaning is AnswerMeaning.Accepted or AnswerMeaning.Pending ? StepOutcome.Pass($"{a.Response} stands there whole.") : Failed(a), ms);
        await ReceiveAsync(run, answer, null);
    }

    private static void WithoutSample(Run run)
    {
        run.Steps.Add("sample", StepOutcome.None(run.Partner.IsLive ? "None was sent: the partner is live, and nobody said that one may go there." : "None was sent: the test was asked to send none."));
        run.Steps.Add("receipt", StepOutcome.None("No sample was sent."));
    }

    /// <summary>Sends the sample as a delivery would be; null when a step before has failed.</summary>
    private async Task<(ChannelAnswer? Answer, long Ms)> SendAsync(Run run)
    {
        if (run.Steps.HaveFailed)
        {
            return (null, 0);
        }
        var messageId = Guid.NewGuid();
        var (documentId, sha256, length, mediaType, at) = await new SampleDocument(database).StoreAsync(run.Actor, messageId, run.Partner.Format, run.Partner.Gln, run.End);
        (run.DocumentId, run.MessageId) = (documentId, messageId);
        var sample = run.Partner.Sample(messageId, documentId, sha256, length, mediaType, at);
        var begun = System.Diagnostics.Stopwatch.GetTimestamp();
        var answer = await AskAsync(run, Sending, (channel, token) => channel.SendAsync(sample, token));
        return (answer, (long)System.Diagnostics.Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
    }

    private async Task<ChannelAnswer> AskAsync(Run run, TimeSpan limit, Func<IChannel, CancellationToken, Task<ChannelAnswer>> ask)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(run.End);
        end.CancelAfter(limit);
        try
        {
            return await ask(_channels[run.Partner.Channel], end.Token);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            return new ChannelAnswer(AnswerMeaning.Retry, Verdict.Network, "timeout", Response: $"No answer came within {limit.TotalSeconds:0} s.");
        }
        catch (CryptographicException)
        {
            return new ChannelAnswer(AnswerMeaning.Credential, Verdict.Ours, "secret", Response: "The token cannot be opened.");
        }
    }

    /// <summary>What the partner says to the sample, asked until it has said something or the time is over.</summary>
    /// <param name="taken">What it means that it was taken at once; null: nothing, for nobody has read it yet.</param>
    private async Task ReceiveAsync(Run run, ChannelAnswer? sent, string? taken)
    {
        if (sent?.Meaning is not (AnswerMeaning.Accepted or AnswerMeaning.Pending))
        {
            run.Steps.Skip("receipt");
            return;
        }
        if (sent.Meaning == AnswerMeaning.Accepted)
        {
            run.Accepted = taken is not null;
            run.Steps.Add("receipt", taken is null ? StepOutcome.None("The channel brings no answer: note on the partner's page when the partner tells that it has the sample.") : StepOutcome.Pass(string.Format(System.Globalization.CultureInfo.InvariantCulture, taken, sent.Status)));
            return;
        }
        var begun = System.Diagnostics.Stopwatch.GetTimestamp();
        var sample = run.Partner.Sample(run.MessageId!.Value, run.DocumentId!.Value, [], 0, "", default) with { ReceiptRef = sent.ReceiptRef, IsReceipt = true };
        ChannelAnswer? said = null;
        while (!run.End.IsCancellationRequested && said?.Meaning is null or AnswerMeaning.Pending or AnswerMeaning.Retry)
        {
            await Task.Delay(AskEvery, run.End).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!run.End.IsCancellationRequested)
            {
                var answer = await AskAsync(run, Sending, (channel, token) => channel.QueryReceiptAsync(sample, token));
                // That the test's own time was over while it asked says nothing of the partner.
                said = run.End.IsCancellationRequested && answer.Code == "timeout" ? said : answer;
            }
        }
        run.Accepted = said?.Meaning == AnswerMeaning.Accepted;
        run.Steps.Add("receipt", said?.Meaning switch
        {
            AnswerMeaning.Accepted => StepOutcome.Pass($"The partner has processed the sample{(said.Response is { Length: > 0 } text ? $": {text}" : ".")}"),
            null or AnswerMeaning.Pending => StepOutcome.Unknown("The partner has taken the sample and not said in time what became of it."),
            _ => Failed(said),
        }, (long)System.Diagnostics.Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
    }

    private string? OpenSecret(TestedPartner partner)
    {
        try
        {
            return secrets.Open(partner.PartyId, partner.Secret);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static StepOutcome Failed(ChannelAnswer a) => StepOutcome.Fail(a.Code, a.Verdict, (a.Status is { } status ? $"HTTP {status}. " : "") + (a.Response is { Length: > 0 } text ? text : $"It failed: {a.Code}."));

    [GeneratedRegex(@"SHA256:[A-Za-z0-9+/]{43}")]
    private static partial Regex FingerprintIn();
}
