using System.Globalization;
using System.Text.RegularExpressions;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Scheduling;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gateway.Capture;

/// <summary>Makes the partitions of next year's events while this year lasts. The database makes them, because the application may not.</summary>
internal sealed partial class MakePartitions(GatewayDatabase database, ILogger<MakePartitions> log) : IChore
{
    public async Task RunAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Actor.System("partitions"), ct);
        var made = await work.Connection.ExecuteScalarAsync<int>("select make_event_partitions(1)", transaction: work.Transaction);
        await work.CommitAsync();
        if (made > 0)
        {
            Made(made);
        }
    }

    [LoggerMessage(1090, LogLevel.Information, "Event partitions of {Years} years were made.")]
    private partial void Made(int years);
}

/// <summary>Tells of documents that were accepted and are not decided after a time in which they should be, whatever the reason.</summary>
internal sealed partial class FindStuckCaptures(GatewayDatabase database, IOptions<CaptureOptions> options, ILogger<FindStuckCaptures> log) : IChore
{
    public async Task RunAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Actor.System("watch"), ct);
        var (count, oldest, attempts) = await work.Connection.QuerySingleAsync<(long, Guid?, int)>("""
            with stuck as (select public_id, created_at, attempts from capture where state = 'processing' and created_at < gateway_now() - @StuckAfter)
            select (select count(*) from stuck), o.public_id, coalesce(o.attempts, 0)
            from (select) as one left join lateral (select * from stuck order by created_at limit 1) o on true
            """, new { options.Value.StuckAfter }, work.Transaction);
        if (oldest is { } captureId)
        {
            Stuck(count, options.Value.StuckAfter.ToString("c", CultureInfo.InvariantCulture), captureId, attempts);
        }
    }

    [LoggerMessage(1091, LogLevel.Error, "{Count} captures are undecided after {After}; the oldest is {CaptureId}, tried {Attempts} times.")]
    private partial void Stuck(long count, string after, Guid captureId, int attempts);
}

/// <summary>Deletes bodies that a node which died left in the temporary folder. The living hold a lock on theirs.</summary>
internal sealed partial class RemoveLeftBodies(TimeProvider time, ILogger<RemoveLeftBodies> log) : IChore
{
    // Between making a file and locking it lies a moment in which it must not be taken for a left one.
    private static readonly TimeSpan Settled = TimeSpan.FromMinutes(10);

    public Task RunAsync(CancellationToken ct)
    {
        var removed = 0;
        var before = time.GetUtcNow().UtcDateTime - Settled;
        foreach (var file in new DirectoryInfo(Path.GetTempPath()).EnumerateFiles("gateway-*").Where(f => BodyName().IsMatch(f.Name) && f.LastWriteTimeUtc < before))
        {
            ct.ThrowIfCancellationRequested();
            try
            {
                using (new FileStream(file.FullName, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.ReadWrite, Share = FileShare.None, Options = FileOptions.DeleteOnClose }))
                {
                    removed++;
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // In use, gone meanwhile, or another account's: not ours to delete.
                Kept(file.Name, e.GetType().Name);
            }
        }
        if (removed > 0)
        {
            Removed(removed);
        }
        return Task.CompletedTask;
    }

    [GeneratedRegex("^gateway-[0-9a-f]{32}$")]
    private static partial Regex BodyName();

    [LoggerMessage(1092, LogLevel.Information, "{Count} temporary files of a node that died were removed.")]
    private partial void Removed(int count);

    [LoggerMessage(1093, LogLevel.Debug, "Temporary file {File} stays: {Reason}.")]
    private partial void Kept(string file, string reason);
}
