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
    private readonly Dictionary<string, (long Length, DateTime At)> _seen = new(StringComparer.Ordinal);

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
                var now = (file.Length, file.LastWriteTimeUtc);
                if (_seen.TryGetValue(path, out var before) && before == now)
                {
                    await TakeAsync(Path.GetFileName(folder), file, ct);
                    done++;
                }
                else
                {
                    _seen[path] = now;
                }
            }
        }
        foreach (var gone in _seen.Keys.Except(present).ToList())
        {
            _seen.Remove(gone);
        }
        return done;
    }

    private async Task TakeAsync(string mapping, FileInfo file, CancellationToken ct)
    {
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
                Move(file, "taken", answer.PublicId.ToString("N")[..8]);
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
        File.WriteAllText(Move(file, "refused", null) + ".why.txt", why + Environment.NewLine);
        Refused(file.Name, mapping, why);
    }

    private static string Move(FileInfo file, string to, string? mark)
    {
        var folder = Directory.CreateDirectory(Path.Combine(file.DirectoryName!, to));
        var target = Path.Combine(folder.FullName, mark is null ? file.Name : $"{Path.GetFileNameWithoutExtension(file.Name)}.{mark}{file.Extension}");
        File.Move(file.FullName, target, overwrite: true); // the same file again is the same capture
        return target;
    }

    [LoggerMessage(1861, LogLevel.Information, "File {File} for mapping {Mapping} is taken in as capture {CaptureId}.")]
    private partial void Taken(string file, string mapping, Guid captureId);

    [LoggerMessage(1862, LogLevel.Warning, "File {File} for mapping {Mapping} is refused: {Why}")]
    private partial void Refused(string file, string mapping, string why);

    [LoggerMessage(1863, LogLevel.Warning, "The watched folder could not be worked through; it is looked at again.")]
    private partial void Interrupted(Exception exception);
}
