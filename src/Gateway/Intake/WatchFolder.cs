using System.Globalization;
using Dapper;
using Gateway.Access;
using Gateway.Capture;
using Gateway.Database;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gateway.Intake;

/// <summary>
/// Takes in what is laid into a folder: a file in the subfolder of a mapping, once it has stopped growing. When it is committed it goes to
/// <c>taken</c>, or to <c>refused</c> with the reason beside it. The same bytes again are one capture, so a crash between the commit and the move does nothing twice.
/// </summary>
internal sealed partial class WatchFolder(GatewayDatabase database, TakeIn takeIn, UploadLimit uploads, IOptions<IntakeOptions> options, IOptions<CaptureOptions> captures, ILogger<WatchFolder> log) : BackgroundService
{
    private static readonly Actor Gateway = Actor.System("intake folder");
    private readonly FolderFiles _files = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Value.Watch.Length == 0)
        {
            return;
        }
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await RunAsync(stoppingToken);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or Npgsql.NpgsqlException or CommitUnknownException)
            {
                Interrupted(e); // the files are there at the next look
            }
            await Task.Delay(options.Value.WatchEvery, stoppingToken);
        }
    }

    /// <summary>One look at the folder.</summary>
    /// <returns>How many files were taken in or refused.</returns>
    public async Task<int> RunAsync(CancellationToken ct)
    {
        var done = 0;
        var present = new HashSet<string>(StringComparer.Ordinal);
        foreach (var folder in Directory.Exists(options.Value.Watch) ? Directory.GetDirectories(options.Value.Watch) : [])
        {
            foreach (var path in Directory.GetFiles(folder).Where(p => !Path.GetFileName(p).StartsWith('.')).Order(StringComparer.Ordinal))
            {
                present.Add(path);
                var file = new FileInfo(path);
                try
                {
                    if (_files.StandsStill(path, file.Length, file.LastWriteTimeUtc.Ticks.ToString(CultureInfo.InvariantCulture)))
                    {
                        await TakeAsync(Path.GetFileName(folder), file, ct);
                        done++;
                    }
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    NotRead(e, file.Name, Path.GetFileName(folder)); // the others are taken all the same
                }
            }
        }
        _files.Forget("", present);
        return done;
    }

    private async Task TakeAsync(string mapping, FileInfo file, CancellationToken ct)
    {
        // Others were taken since the folder was read.
        if (!FolderFiles.IsAsSeen(file))
        {
            return;
        }
        await using var work = await database.BeginAsync(Gateway, ct);
        var organisation = await work.Connection.ExecuteScalarAsync<int>("select party_id from party where kind = 'organisation'", transaction: work.Transaction);
        await work.DisposeAsync();
        try
        {
            await using var bytes = file.OpenRead();
            await using var body = await ReceivedBody.ReceiveFileAsync(bytes, uploads, captures.Value, ct, ofAnyType: true);
            var (answer, problem) = await takeIn.AcceptAsync(new IntakeRequest(mapping, "file"), body, null, Gateway with { PartyId = organisation }, ct);
            if (answer is not null)
            {
                FolderFiles.Move(file, "taken", answer.PublicId.ToString("N")[..8]);
                Taken(file.Name, mapping, answer.PublicId);
            }
            else if (problem is ProblemHttpResult { StatusCode: 404 or 409 } refusal && refusal.ProblemDetails.Title != "Still running")
            {
                Refuse(file, mapping, refusal.ProblemDetails.Detail ?? "It is refused.");
            }
        }
        catch (BodyRefusedException refused) when (refused.Answer.StatusCode is 400 or 413)
        {
            Refuse(file, mapping, refused.Answer.ProblemDetails.Detail ?? "It is refused.");
        }
    }

    private void Refuse(FileInfo file, string mapping, string why)
    {
        FolderFiles.Refuse(file, why);
        Refused(file.Name, mapping, why);
    }

    [LoggerMessage(1861, LogLevel.Information, "File {File} for mapping {Mapping} is taken in as capture {CaptureId}.")]
    private partial void Taken(string file, string mapping, Guid captureId);

    [LoggerMessage(1862, LogLevel.Warning, "File {File} for mapping {Mapping} is refused: {Why}")]
    private partial void Refused(string file, string mapping, string why);

    [LoggerMessage(1863, LogLevel.Warning, "The watched folder could not be worked through; it is looked at again.")]
    private partial void Interrupted(Exception exception);

    [LoggerMessage(1864, LogLevel.Warning, "File {File} for mapping {Mapping} could not be taken in; it is tried again.")]
    private partial void NotRead(Exception exception, string file, string mapping);
}
