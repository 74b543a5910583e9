using Dapper;
using Gateway.Access;
using Gateway.Database;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gateway.Capture;

/// <summary>
/// Takes in what partners and contract manufacturers lay into folders that the operator offers them, such as those of a chrooted SFTP
/// account. When a file is committed it goes to <c>taken</c>, or to <c>refused</c> with the reason beside it. The same bytes again are
/// one capture, so a crash between the commit and the move does nothing twice.
/// </summary>
internal sealed partial class WatchInbound(GatewayDatabase database, TakeFile take, IOptions<CaptureOptions> options, ILogger<WatchInbound> log) : BackgroundService
{
    // What is left over is taken at the next look.
    private const int MostFiles = 1000;
    private readonly FolderFiles _files = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (options.Value.Inbound.Length > 0 && !stoppingToken.IsCancellationRequested)
        {
            foreach (var inbound in options.Value.Inbound)
            {
                try
                {
                    await LookAsync(inbound, stoppingToken);
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException or Npgsql.NpgsqlException or CommitUnknownException)
                {
                    Interrupted(e, inbound.Folder); // the files are there at the next look
                }
            }
            await Task.Delay(options.Value.InboundEvery, stoppingToken);
        }
    }

    private async Task LookAsync(InboundFolder inbound, CancellationToken ct)
    {
        if (await PartyAsync(inbound.Party, ct) is not { } partyId)
        {
            NobodysFolder(inbound.Folder, inbound.Party);
            return;
        }
        var folder = Path.TrimEndingDirectorySeparator(inbound.Folder);
        var files = new DirectoryInfo(folder).GetFiles().Where(f => !FolderFiles.IsUnfinished(f.Name)).OrderBy(f => f.Name, StringComparer.Ordinal).Take(MostFiles).ToList();
        _files.Forget(folder + Path.DirectorySeparatorChar, files.Select(f => f.FullName).ToHashSet(StringComparer.Ordinal));
        foreach (var file in files)
        {
            try
            {
                if (_files.StandsStill(file.FullName, file.Length, file.LastWriteTimeUtc.Ticks.ToString(System.Globalization.CultureInfo.InvariantCulture)))
                {
                    await TakeAsync(file, inbound, partyId, ct);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                NotRead(e, file.Name, inbound.Party); // the others are taken all the same
            }
        }
    }

    private async Task TakeAsync(FileInfo file, InboundFolder inbound, int partyId, CancellationToken ct)
    {
        // Others were taken since the folder was read.
        if (!FolderFiles.IsAsSeen(file))
        {
            return;
        }
        var outcome = await OutcomeAsync(file, partyId, ct);
        if (outcome.CaptureId is { } captureId)
        {
            FolderFiles.Move(file, "taken", captureId.ToString("N")[..8]);
            Taken(file.Name, inbound.Party, captureId);
        }
        else if (outcome.Refusal is { } why)
        {
            FolderFiles.Refuse(file, why);
            Refused(file.Name, inbound.Party, why);
        }
    }

    // Whoever may write here could lay a link to what only the gateway may read. What was opened must be the file itself, whatever stood there when it was looked at.
    private async Task<FileOutcome> OutcomeAsync(FileInfo file, int partyId, CancellationToken ct)
    {
        if (file.LinkTarget is null)
        {
            await using var bytes = file.OpenRead();
            var opened = new FileInfo($"/proc/self/fd/{bytes.SafeFileHandle.DangerousGetHandle()}").LinkTarget;
            if (opened == file.FullName)
            {
                return await take.TakeAsync(bytes, partyId, "inbound folder", ct);
            }
            if (opened == file.FullName + " (deleted)")
            {
                return FileOutcome.Later; // another has just taken its place
            }
        }
        return new FileOutcome(null, "It is a link, or the folder is set up by a path with a link in it.");
    }

    // A name may be two parties'; then nobody can say whose the files are.
    private async Task<int?> PartyAsync(string party, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Actor.System("inbound folder"), ct);
        var found = (await work.Connection.QueryAsync<int>("select party_id from party where gln = @party or name = @party limit 2", new { party }, work.Transaction)).AsList();
        return found.Count == 1 ? found[0] : null;
    }

    [LoggerMessage(1040, LogLevel.Information, "File {File} of {Party} is taken in as capture {CaptureId}.")]
    private partial void Taken(string file, string party, Guid captureId);

    [LoggerMessage(1041, LogLevel.Warning, "File {File} of {Party} is refused: {Why}")]
    private partial void Refused(string file, string party, string why);

    [LoggerMessage(1042, LogLevel.Warning, "File {File} of {Party} could not be taken in; it is tried again.")]
    private partial void NotRead(Exception exception, string file, string party);

    [LoggerMessage(1043, LogLevel.Warning, "The inbound folder {Folder} could not be worked through; it is looked at again.")]
    private partial void Interrupted(Exception exception, string folder);

    [LoggerMessage(1044, LogLevel.Error, "The inbound folder {Folder} is of {Party}, and there is not exactly one party with that GLN or name: nothing is taken from it.")]
    private partial void NobodysFolder(string folder, string party);
}
