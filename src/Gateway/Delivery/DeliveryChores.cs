using System.Globalization;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Delivery.Channels;
using Gateway.Scheduling;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gateway.Delivery;

/// <summary>Tells of documents that a partner has taken without saying in time what became of them: taken is not yet delivered.</summary>
internal sealed partial class FindOverdueReceipts(GatewayDatabase database, IOptions<DeliveryOptions> options, ILogger<FindOverdueReceipts> log) : IChore
{
    public async Task RunAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Actor.System("watch"), ct);
        var overdue = await work.Connection.QueryAsync<(int PartnerId, long Count, long Oldest)>("""
            select partner_id, count(*), min(delivery_id) from delivery
            where state = 'delivered' and receipt = 'pending' and coalesce(receipt_due_at, finished_at + @ReceiptOverdueAfter) < gateway_now() group by partner_id order by partner_id
            """, new { options.Value.ReceiptOverdueAfter }, work.Transaction);
        foreach (var (partnerId, count, oldest) in overdue)
        {
            Overdue(count, partnerId, options.Value.ReceiptOverdueAfter.ToString("c", CultureInfo.InvariantCulture), oldest);
        }
    }

    [LoggerMessage(2090, LogLevel.Warning, "{Count} receipts of partner {PartnerId} are missing after {After}; the oldest is of delivery {DeliveryId}.")]
    private partial void Overdue(long count, int partnerId, string after, long deliveryId);
}

/// <summary>
/// Gives attempts that a dead node left open their end: unknown outcome. A partner's own turn does the same before it claims, but
/// a paused partner has no turns, and its deliveries would look as if they were being sent for ever.
/// </summary>
internal sealed partial class EndAbandonedAttempts(DeliveryQueue queue, ILogger<EndAbandonedAttempts> log) : IChore
{
    public async Task RunAsync(CancellationToken ct)
    {
        var ended = await queue.EndAllAbandonedAsync(ct);
        if (ended > 0)
        {
            Ended(ended);
        }
    }

    [LoggerMessage(2091, LogLevel.Warning, "{Count} deliveries were left by a node that died; they are free again.")]
    private partial void Ended(int count);
}

/// <summary>Deletes what sessions with partners' SFTP servers left in the temporary folder when their process died: a private key is among it.</summary>
internal sealed partial class RemoveLeftSessions(TimeProvider time, ILogger<RemoveLeftSessions> log) : IChore
{
    // Longer than any attempt may last.
    private static readonly TimeSpan Settled = TimeSpan.FromMinutes(10);

    public Task RunAsync(CancellationToken ct)
    {
        var before = time.GetUtcNow().UtcDateTime - Settled;
        foreach (var folder in new DirectoryInfo(Path.GetTempPath()).EnumerateDirectories(SftpSession.FolderPrefix + "*").Where(f => f.LastWriteTimeUtc < before && f.LinkTarget is null))
        {
            ct.ThrowIfCancellationRequested();
            try
            {
                folder.Delete(recursive: true);
                Removed();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Gone meanwhile, or another account's: not ours to delete.
            }
        }
        return Task.CompletedTask;
    }

    [LoggerMessage(2092, LogLevel.Information, "What a node that died had in the temporary folder to speak with a partner's server was removed.")]
    private partial void Removed();
}
