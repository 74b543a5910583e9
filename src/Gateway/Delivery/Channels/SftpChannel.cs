using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Gateway.Database;
using Gateway.Http;
using Gateway.Partners;
using Microsoft.Extensions.Options;

namespace Gateway.Delivery.Channels;

/// <summary>
/// A folder on the partner's SFTP server. A document is put under a hidden name and then renamed, so a file under its final name is
/// whole. After an attempt whose end is not known the folder is listed before anything is put again.
/// </summary>
public sealed partial class SftpChannel(GatewayDatabase database, PartnerSecrets secrets, IOptions<DeliveryOptions> options, TimeProvider time) : IChannel
{
    private const long MaxResponseBytes = OutgoingHttp.MaxResponseBytes;
    private readonly DeliveryOptions _options = options.Value;

    public string Kind => "sftp";

    public bool OneAtATime => true;

    public Task<ChannelAnswer> SendAsync(ClaimedDelivery delivery, CancellationToken ct)
    {
        var settings = ChannelSettings.Read(delivery.Settings);
        var name = NameOf(delivery, settings);
        return FileNames.IsSafe(name)
            ? AttemptAsync(delivery, settings, (session, address, token) => PutAsync(session, address.Folder, delivery, settings, name, token), ct)
            : Task.FromResult(new ChannelAnswer(AnswerMeaning.Refused, Verdict.Ours, "file-name", Response: "The partner's rule gives no name that a file can have."));
    }

    public Task<ChannelAnswer> QueryReceiptAsync(ClaimedDelivery delivery, CancellationToken ct)
    {
        var settings = ChannelSettings.Read(delivery.Settings);
        return settings.ResponseFolder is { } folder
            ? AttemptAsync(delivery, settings, (session, _, token) => LookForAnswerAsync(session, folder, settings, delivery.ReceiptRef!, token), ct)
            : Task.FromResult(new ChannelAnswer(AnswerMeaning.Pending, Verdict.Ok, "no-response-folder")); // it was taken away while the answer was awaited
    }

    internal static string NameOf(ClaimedDelivery delivery, ChannelSettings settings) =>
        FileNames.Of(settings.FileName ?? "{message}", delivery.MessageId, delivery.DocumentId, delivery.ReceivedAt, delivery.MediaType, delivery.ContentEncoding);

    private async Task<ChannelAnswer> AttemptAsync(ClaimedDelivery delivery, ChannelSettings settings, Func<SftpSession, SftpAddress, CancellationToken, Task<ChannelAnswer>> ask, CancellationToken ct)
    {
        if (SftpAddress.Refuse(delivery.Url, out var address) is { } refusal)
        {
            return new ChannelAnswer(AnswerMeaning.Refused, Verdict.Ours, "address", Response: refusal);
        }
        if (secrets.Open(delivery.PartyId, delivery.Secret) is not { } key || settings.HostKey is not { } hostKey)
        {
            return new ChannelAnswer(AnswerMeaning.Credential, Verdict.Ours, "no-key", Response: "The partner's setup has no private key, or no host key.");
        }
        try
        {
            await using var session = await SftpSession.OpenAsync(database, new SftpLogin(delivery.PartnerId, address, delivery.PrivateRanges, hostKey, key), _options, ct);
            // Waiting for one's turn is no part of the attempt.
            using var timeout = new CancellationTokenSource(_options.AttemptTimeout, time);
            using var end = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, ct);
            return await ask(session, address, end.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new ChannelAnswer(AnswerMeaning.Retry, Verdict.Network, "timeout");
        }
        catch (ForbiddenAddressException e)
        {
            return new ChannelAnswer(AnswerMeaning.Retry, Verdict.Ours, e.Code);
        }
        catch (SocketException)
        {
            return new ChannelAnswer(AnswerMeaning.Retry, Verdict.Network, "dns");
        }
        catch (SftpBusyException)
        {
            return new ChannelAnswer(AnswerMeaning.Retry, Verdict.Ours, "busy");
        }
        catch (NoSftpProgramException e)
        {
            return new ChannelAnswer(AnswerMeaning.Retry, Verdict.Ours, "no-sftp-program", Response: e.Message);
        }
        catch (CorruptDocumentException)
        {
            return new ChannelAnswer(AnswerMeaning.Retry, Verdict.Ours, "corrupt-document");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new ChannelAnswer(AnswerMeaning.Retry, Verdict.Ours, "spool", Response: KeptAnswer.Of(e.Message));
        }
    }

    private async Task<ChannelAnswer> PutAsync(SftpSession session, string folder, ClaimedDelivery delivery, ChannelSettings settings, string name, CancellationToken ct)
    {
        var trigger = settings.TriggerFile is { } pattern ? FileNames.Beside(pattern, name) : null;
        List<string> commands = [$"cd {SftpSession.Quoted(folder)}"];
        var (stands, part) = (false, (string?)null);
        var old = (Answer: (RemoteFile?)null, IsNo: false);
        if (delivery.SentBefore)
        {
            if (settings.ResponseFolder is { } responses)
            {
                var (looked, answers) = await session.ListAsync(responses, ct);
                if (looked.ExitCode != 0)
                {
                    return Judge(looked);
                }
                old = AnswerIn(answers, settings, name);
            }
            var (listing, files) = await session.ListAsync(folder, ct);
            if (listing.ExitCode != 0)
            {
                return Judge(listing);
            }
            var there = files.FirstOrDefault(f => f.Name == name);
            // What was rejected is not what the partner has, though it may still lie there.
            stands = there?.Length == delivery.Length && !old.IsNo;
            if (there is not null && !stands && !settings.ReplaceByRename)
            {
                return new ChannelAnswer(AnswerMeaning.Refused, Verdict.Ours, "name-taken", Response: old.IsNo
                    ? $"{name} is still there, and was rejected: the partner takes it away first."
                    : $"{name} is there with another size: {there.Length} instead of {delivery.Length} bytes.");
            }
            // An attempt that died may have put all and not renamed it; what it put in part is of no use. Its program may still be at it, so no two attempts share a name.
            var parts = files.Where(f => f.Name.StartsWith($".{name}.", StringComparison.Ordinal) && PartEnd().IsMatch(f.Name[(name.Length + 2)..])).ToList();
            part = stands ? null : parts.FirstOrDefault(f => f.Length == delivery.Length)?.Name;
            commands.AddRange(parts.Where(f => f.Name != part).Select(f => $"-rm {SftpSession.Quoted(f.Name)}"));
            if (stands && (trigger is null || files.Any(f => f.Name == trigger)))
            {
                return Sent(settings, name, null, $"{name} stood there already.");
            }
        }
        if (!stands)
        {
            if (part is null)
            {
                part = $".{name}.{Guid.NewGuid().ToString("N")[..8]}.part";
                var document = Path.Combine(session.Folder, "document");
                await SpooledDocument.WriteAsync(database, delivery, document, ct);
                commands.Add($"put -f {SftpSession.Quoted(document)} {SftpSession.Quoted(part)}");
            }
            // -l is the older rename, which replaces nothing.
            commands.Add($"rename {(settings.ReplaceByRename ? "" : "-l ")}{SftpSession.Quoted(part)} {SftpSession.Quoted(name)}");
        }
        if (trigger is not null)
        {
            var empty = Path.Combine(session.Folder, "empty");
            await File.WriteAllBytesAsync(empty, [], ct);
            commands.Add($"put {SftpSession.Quoted(empty)} {SftpSession.Quoted(trigger)}");
        }
        var run = await session.RunAsync(commands, ct);
        return run.ExitCode == 0 ? Sent(settings, name, stands ? null : old.Answer, name) : Judge(run);
    }

    // An answer that lay there before this was put answers something else, and is known by what the listing says of it.
    private static ChannelAnswer Sent(ChannelSettings settings, string name, RemoteFile? old, string response) => settings.ResponseFolder is null
        ? new ChannelAnswer(AnswerMeaning.Accepted, Verdict.Ok, "ok", Response: response)
        : new ChannelAnswer(AnswerMeaning.Pending, Verdict.Ok, "ok", Response: response, ReceiptRef: old is null ? name : $"{name}\n{Mark(old)}");

    private static string Mark(RemoteFile file) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{file.Name} {file.Length} {file.Changed}");

    /// <summary>The partner's answer, and whether it rejects; who says both says no: somebody has to look.</summary>
    private static (RemoteFile? Answer, bool IsNo) AnswerIn(IReadOnlyList<RemoteFile> files, ChannelSettings settings, string name)
    {
        var no = files.FirstOrDefault(f => f.Name == FileNames.Beside(settings.RejectPattern ?? "{name}.err", name));
        return (no ?? files.FirstOrDefault(f => f.Name == FileNames.Beside(settings.AcceptPattern ?? "{name}.ack", name)), no is not null);
    }

    private static async Task<ChannelAnswer> LookForAnswerAsync(SftpSession session, string folder, ChannelSettings settings, string receiptRef, CancellationToken ct)
    {
        var (name, old) = receiptRef.Split('\n') is [var sent, var mark] ? (sent, mark) : (receiptRef, null);
        var (listing, files) = await session.ListAsync(folder, ct);
        if (listing.ExitCode != 0)
        {
            return Judge(listing);
        }
        var (said, isNo) = AnswerIn([.. files.Where(f => Mark(f) != old)], settings, name);
        if (said is not { } answer)
        {
            return new ChannelAnswer(AnswerMeaning.Pending, Verdict.Ok, "waiting");
        }
        var text = $"{answer.Name} of {answer.Length} bytes";
        byte[]? sha256 = null;
        if (answer.Length is > 0 and <= MaxResponseBytes)
        {
            var got = Path.Combine(session.Folder, "answer");
            var run = await session.RunAsync([$"cd {SftpSession.Quoted(folder)}", $"get {SftpSession.Quoted(answer.Name)} {SftpSession.Quoted(got)}"], ct);
            if (run.ExitCode != 0)
            {
                return Judge(run);
            }
            await using var file = File.OpenRead(got);
            var bytes = new byte[Math.Min(file.Length, MaxResponseBytes)];
            await file.ReadExactlyAsync(bytes, ct);
            sha256 = SHA256.HashData(bytes);
            text = $"{answer.Name}: {System.Text.Encoding.UTF8.GetString(bytes)}";
        }
        return (!isNo
            ? new ChannelAnswer(AnswerMeaning.Accepted, Verdict.Ok, "ok", Response: KeptAnswer.Of(text))
            : new ChannelAnswer(AnswerMeaning.Negative, Verdict.Ours, "negative", Response: KeptAnswer.Of(text))) with { Sha256 = sha256 };
    }

    /// <summary>What a run that did not end well means. The code says what kind of failure it is; the text tells failures of one kind apart.</summary>
    internal static ChannelAnswer Judge(SftpRun run)
    {
        var (meaning, verdict, code) = run.ExitCode switch
        {
            1 when Says("No such file") || Says("not found") => (AnswerMeaning.Retry, Verdict.Theirs, "no-such-file"),
            1 when Says("quota") || Says("No space") || Says("write remote") => (AnswerMeaning.Retry, Verdict.Theirs, "no-room"),
            1 => (AnswerMeaning.Refused, Verdict.Ours, "sftp-refused"),
            255 when Says("Host key verification failed") || Says("host key is known") => (AnswerMeaning.Credential, Verdict.Ours, "host-key"),
            255 when Says("Permission denied") || Says("Too many authentication failures") => (AnswerMeaning.Credential, Verdict.Ours, "permission-denied"),
            255 when Says("timed out") => (AnswerMeaning.Retry, Verdict.Network, "timeout"),
            255 when Says("connect to host") => (AnswerMeaning.Retry, Verdict.Network, "connect"),
            _ => (AnswerMeaning.Retry, Verdict.Network, "reset"),
        };
        return new ChannelAnswer(meaning, verdict, code, Response: run.Error);

        bool Says(string words) => run.Error.Contains(words, StringComparison.OrdinalIgnoreCase);
    }

    [GeneratedRegex(@"^[0-9a-f]{8}\.part$")]
    private static partial Regex PartEnd();
}
