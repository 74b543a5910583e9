using System.Security.Cryptography;
using Gateway.Database;
using Gateway.Partners;
using Microsoft.Extensions.Options;

namespace Gateway.Delivery.Channels;

/// <summary>
/// A folder of this machine that the partner, or something of the operator's, takes files from. A file stands whole or not at all: it
/// is written under a hidden name and then renamed. The same file again counts as delivered.
/// </summary>
public sealed class FolderChannel(GatewayDatabase database, IOptions<DeliveryOptions> options) : IChannel
{
    public string Kind => "folder";

    public async Task<ChannelAnswer> SendAsync(ClaimedDelivery delivery, CancellationToken ct)
    {
        if (AllowedFolders.Refuse(delivery.Url, options.Value.Folders, out var folder) is { } refusal)
        {
            return new ChannelAnswer(AnswerMeaning.Refused, Verdict.Ours, "folder-not-allowed", Response: refusal);
        }
        if (!Directory.Exists(folder))
        {
            return new ChannelAnswer(AnswerMeaning.Retry, Verdict.Ours, "no-folder", Response: $"There is no folder {folder}.");
        }
        var settings = ChannelSettings.Read(delivery.Settings);
        var name = SftpChannel.NameOf(delivery, settings);
        if (!FileNames.IsSafe(name))
        {
            return new ChannelAnswer(AnswerMeaning.Refused, Verdict.Ours, "file-name", Response: "The partner's rule gives no name that a file can have.");
        }
        try
        {
            return await WriteAsync(delivery, folder, name, settings.TriggerFile, ct);
        }
        catch (Exception e) when (e is (IOException or UnauthorizedAccessException) and not CorruptDocumentException)
        {
            return new ChannelAnswer(AnswerMeaning.Retry, Verdict.Ours, "folder-io", Response: KeptAnswer.Of(e.Message));
        }
        catch (CorruptDocumentException)
        {
            return new ChannelAnswer(AnswerMeaning.Retry, Verdict.Ours, "corrupt-document");
        }
    }

    public Task<ChannelAnswer> QueryReceiptAsync(ClaimedDelivery delivery, CancellationToken ct) =>
        throw new InvalidOperationException("A folder has no receipt.");

    private async Task<ChannelAnswer> WriteAsync(ClaimedDelivery delivery, string folder, string name, string? trigger, CancellationToken ct)
    {
        foreach (var left in Directory.GetFiles(folder, $".{name}.*.part"))
        {
            File.Delete(left); // of an attempt that died
        }
        var (final, part) = (Path.Combine(folder, name), Path.Combine(folder, $".{name}.{Guid.NewGuid():N}.part"));
        await SpooledDocument.WriteAsync(database, delivery, part, ct);
        try
        {
            if (File.Exists(final) || Directory.Exists(final))
            {
                return await AreSameAsync(part, final, ct)
                    ? Written()
                    : new ChannelAnswer(AnswerMeaning.Refused, Verdict.Ours, "name-taken", Response: $"{final} is there with other content.");
            }
            File.Move(part, final, overwrite: false); // who came between is not overwritten, and found at the next attempt
            return Written();
        }
        finally
        {
            File.Delete(part);
        }

        ChannelAnswer Written()
        {
            if (trigger is not null)
            {
                File.Create(Path.Combine(folder, FileNames.Beside(trigger, name))).Dispose();
            }
            return new ChannelAnswer(AnswerMeaning.Accepted, Verdict.Ok, "ok", Response: name);
        }
    }

    private static async Task<bool> AreSameAsync(string one, string other, CancellationToken ct)
    {
        var there = new FileInfo(other);
        if (!there.Exists || there.LinkTarget is not null || there.Length != new FileInfo(one).Length)
        {
            return false;
        }
        await using var a = File.OpenRead(one);
        await using var b = File.OpenRead(other);
        var (hashA, hashB) = (await SHA256.HashDataAsync(a, ct), await SHA256.HashDataAsync(b, ct));
        return hashA.AsSpan().SequenceEqual(hashB);
    }
}
