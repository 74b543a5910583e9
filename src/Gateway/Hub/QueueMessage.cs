using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Gateway.Database;
using Gateway.Delivery;
using Npgsql;

namespace Gateway.Hub;

/// <summary>How every message to a hub comes into the outbox: written to a file, stored and queued, in the caller's transaction.</summary>
internal static class QueueMessage
{
    /// <param name="write">Writes the message.</param>
    /// <param name="lane">What is told one after the other.</param>
    /// <param name="until">After that it must not be sent any more; null: as long as every delivery is tried.</param>
    /// <returns>The delivery's number.</returns>
    public static async Task<long> RunAsync(Work work, Func<Stream, Task> write, int partnerId, Guid correlationId, string lane, DeliveryOptions options, CancellationToken ct, DateTime? until = null)
    {
        await using var spool = SpoolFile.Open();
        await write(spool);
        await spool.FlushAsync(ct);
        spool.Position = 0;
        var sha256 = await SHA256.HashDataAsync(spool, ct);
        spool.Position = 0;
        var (documentId, _) = await OutgoingDocument.StoreAsync(work, spool, sha256, "application/xml", ct);
        return await OutgoingDocument.QueueAsync(work, documentId, partnerId, correlationId, lane, options, ct, until);
    }

    /// <summary>The serial numbers of a message as they come from the database, so that a million of them takes no memory.</summary>
    /// <param name="sql">Selects them in order for $1.</param>
    /// <param name="of">Whose they are.</param>
    /// <param name="count">How many there must be.</param>
    public static async IAsyncEnumerable<string> SerialsAsync(Work work, string sql, int of, int count, [EnumeratorCancellation] CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, work.Connection, work.Transaction) { Parameters = { new() { Value = of } } };
        await using var reader = await command.ExecuteReaderAsync(ct);
        var told = 0;
        while (await reader.ReadAsync(ct))
        {
            told++;
            yield return reader.GetString(0);
        }
        if (told != count)
        {
            throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"The message of {of} is to tell {count} packs, and {told} belong to it."));
        }
    }
}
