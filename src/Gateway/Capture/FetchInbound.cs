using Gateway.Database;
using Gateway.Delivery;
using Gateway.Delivery.Channels;
using Gateway.Partners;
using Gateway.Scheduling;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gateway.Capture;

/// <summary>
/// Fetches documents from folders of partners' own SFTP servers. A file is got whole, committed, and only then archived or deleted
/// there: a crash between the two makes it come again, which is the same capture.
/// </summary>
internal sealed partial class FetchInbound(GatewayDatabase database, PartnerDirectory partners, TakeFile take, IOptions<DeliveryOptions> delivery, IOptions<CaptureOptions> options, TimeProvider time, ILogger<FetchInbound> log) : IChore
{
    private readonly FolderFiles _files = new();

    // Refused once: they stay where they are, and are told of once.
    private readonly HashSet<string> _refused = new(StringComparer.Ordinal);

    public async Task RunAsync(CancellationToken ct)
    {
        foreach (var partner in await partners.InboundAsync(ct))
        {
            try
            {
                await FetchAsync(partner, ct);
            }
            catch (SftpBusyException)
            {
                // Documents are sent to it just now; the next run finds the files.
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Net.Sockets.SocketException || e is OperationCanceledException && !ct.IsCancellationRequested)
            {
                NotFetched(e, partner.Gln);
            }
        }
    }

    private async Task FetchAsync(InboundPartner partner, CancellationToken ct)
    {
        var inbound = partner.Settings.Inbound!;
        if (SftpAddress.Refuse(partner.Url, out var address) is not null || partner is not { PrivateKey: { } key, Settings.HostKey: { } hostKey })
        {
            FolderNotRead(partner.Gln, "no-key");
            return;
        }
        await using var session = await SftpSession.OpenAsync(database, new SftpLogin(partner.Id, address, partner.PrivateRanges, hostKey, key), delivery.Value, ct);
        // Deliveries to the same partner wait meanwhile: what does not fit into an attempt's time is fetched the next time.
        using var timeout = new CancellationTokenSource(delivery.Value.AttemptTimeout, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, ct);
        var begun = time.GetTimestamp();
        var (listing, files) = await session.ListAsync(inbound.Folder!, end.Token);
        if (listing.ExitCode != 0)
        {
            FolderNotRead(partner.Gln, SftpChannel.Judge(listing).Code);
            return;
        }
        var prefix = $"{partner.Id}/";
        _files.Forget(prefix, files.Select(f => prefix + f.Name).ToHashSet(StringComparer.Ordinal));
        _refused.RemoveWhere(key => key.StartsWith(prefix, StringComparison.Ordinal) && !files.Any(f => KeyOf(prefix, f) == key));
        foreach (var file in files.Where(f => !FolderFiles.IsUnfinished(f.Name)))
        {
            if (!FileNames.IsSafe(file.Name) || file.Length > options.Value.MaxBytes)
            {
                RefuseOnce(prefix, file, partner.Gln, FileNames.IsSafe(file.Name) ? "It is larger than a document may be." : "Its name is none that can be asked for.");
            }
            else if (_files.StandsStill(prefix + file.Name, file.Length, file.Changed) && !_refused.Contains(KeyOf(prefix, file)) && time.GetElapsedTime(begun) < delivery.Value.AttemptTimeout / 3)
            {
                await TakeAsync(session, partner, prefix, file, end.Token);
            }
        }
    }

    private async Task TakeAsync(SftpSession session, InboundPartner partner, string prefix, RemoteFile file, CancellationToken ct)
    {
        var inbound = partner.Settings.Inbound!;
        var got = Path.Combine(session.Folder, "got");
        File.Delete(got);
        var run = await session.RunAsync([$"cd {SftpSession.Quoted(inbound.Folder!)}", $"get {SftpSession.Quoted(file.Name)} {SftpSession.Quoted(got)}"], ct);
        if (run.ExitCode != 0 || new FileInfo(got).Length != file.Length)
        {
            NotGot(partner.Gln, run.ExitCode == 0 ? "still-growing" : SftpChannel.Judge(run).Code);
            return;
        }
        FileOutcome outcome;
        await using (var bytes = File.OpenRead(got))
        {
            outcome = await take.TakeAsync(bytes, partner.PartyId, "inbound sftp", ct);
        }
        if (outcome.Refusal is { } why)
        {
            RefuseOnce(prefix, file, partner.Gln, why);
        }
        else if (outcome.CaptureId is { } captureId)
        {
            Taken(partner.Gln, captureId);
            // Whatever has taken its place meanwhile is another file, that comes at the next look.
            var (_, now) = await session.ListAsync(inbound.Folder!, ct);
            if (!now.Any(f => KeyOf(prefix, f) == KeyOf(prefix, file)))
            {
                return;
            }
            // In the archive a name holds what it became, so none takes another's place.
            var archived = $"{Path.GetFileNameWithoutExtension(file.Name)}.{captureId.ToString("N")[..8]}{Path.GetExtension(file.Name)}";
            var putAside = inbound.Archive is { } archive ? $"rename {SftpSession.Quoted(file.Name)} {SftpSession.Quoted($"{archive.TrimEnd('/')}/{archived}")}" : $"rm {SftpSession.Quoted(file.Name)}";
            run = await session.RunAsync([$"cd {SftpSession.Quoted(inbound.Folder!)}", putAside], ct);
            if (run.ExitCode != 0)
            {
                NotPutAside(partner.Gln, captureId, SftpChannel.Judge(run).Code);
            }
        }
    }

    private void RefuseOnce(string prefix, RemoteFile file, string gln, string why)
    {
        if (_refused.Add(KeyOf(prefix, file)))
        {
            Refused(gln, why);
        }
    }

    private static string KeyOf(string prefix, RemoteFile file) => $"{prefix}{file.Name} {file.Length} {file.Changed}";

    [LoggerMessage(1050, LogLevel.Information, "A file of {PartnerGln} is fetched as capture {CaptureId}.")]
    private partial void Taken(string partnerGln, Guid captureId);

    [LoggerMessage(1051, LogLevel.Warning, "A file of {PartnerGln} is refused and stays on its server: {Why}")]
    private partial void Refused(string partnerGln, string why);

    [LoggerMessage(1052, LogLevel.Warning, "Nothing could be fetched from {PartnerGln}; it is tried again.")]
    private partial void NotFetched(Exception exception, string partnerGln);

    [LoggerMessage(1053, LogLevel.Warning, "The folder of {PartnerGln} could not be listed: {Code}.")]
    private partial void FolderNotRead(string partnerGln, string code);

    [LoggerMessage(1054, LogLevel.Warning, "A file of {PartnerGln} could not be fetched: {Code}. It is tried again.")]
    private partial void NotGot(string partnerGln, string code);

    [LoggerMessage(1055, LogLevel.Warning, "The file of {PartnerGln} that became capture {CaptureId} could not be put aside on its server: {Code}. It comes again, and is the same capture.")]
    private partial void NotPutAside(string partnerGln, Guid captureId, string code);
}
