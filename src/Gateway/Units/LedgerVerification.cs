using System.Data;
using Gateway.Access;
using Gateway.Database;
using Gateway.MasterData;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Units;

/// <summary>A unit whose row is not what its events make of it.</summary>
/// <param name="Stored">The row as text; <see langword="null"/>: there is none.</param>
/// <param name="Rebuilt">What the events make; <see langword="null"/>: no such unit.</param>
public sealed record LedgerDifference(string Epc, string? Stored, string? Rebuilt);

/// <summary>What a verification found.</summary>
/// <param name="Units">Rows that were compared.</param>
/// <param name="Events">Events that they were rebuilt from.</param>
/// <param name="Archived">Units that could not be rebuilt, because their first events are in the archive.</param>
/// <param name="Difference">The first unit that differs; <see langword="null"/>: the ledger is what the events make of it.</param>
public sealed record LedgerVerified(long Units, long Events, long Archived, LedgerDifference? Difference);

/// <summary>
/// Makes the whole ledger anew from the stored events and compares it with the live one, row by row, as both stand at one moment.
/// Units that never met are compared apart from each other, so it takes the memory of the largest set that did.
/// </summary>
public sealed class LedgerVerification(GatewayDatabase database, UnitLedgers ledgers)
{
    private const int EventsAtOnce = 200;

    /// <param name="progress">Told of the units compared so far.</param>
    public async Task<LedgerVerified> RunAsync(Actor actor, IProgress<long>? progress, CancellationToken ct)
    {
        // One snapshot: captures go on meanwhile and are not seen.
        await using var work = await database.BeginAsync(actor, ct, IsolationLevel.RepeatableRead);
        await using (var wait = new NpgsqlCommand("set local idle_in_transaction_session_timeout = 0", work.Connection, work.Transaction))
        {
            await wait.ExecuteNonQueryAsync(ct);
        }
        var specifications = await ledgers.SpecificationsAsync(ct, await MasterDataRecords.LastVersionAsync(work, ct));
        var rows = new UnitRows(work, new UnitReferences(work));
        var compared = new HashSet<long>();
        long events = 0, archived = 0;
        for (var last = 0L; ;)
        {
            var (keys, next, count) = await KeysOfEventsAsync(work, last, ct);
            if (count == 0)
            {
                break;
            }
            (last, events) = (next, events + count);
            var open = keys.Except((await rows.ReadAsync(keys, ct)).Where(r => compared.Contains(r.Id)).Select(r => r.Key)).ToList();
            if (open.Count == 0)
            {
                continue;
            }
            var stored = new StoredEvents(work);
            await stored.AddAsync(open, ct);
            var live = await rows.ReadAsync(stored.Keys, ct);
            var rebuilt = UnitBook.Replay(stored.All, only: stored.Keys, specificationOf: specifications.Find).Book;
            if (live.Exists(r => !stored.Has(r.FirstEvent)))
            {
                archived += live.Count(r => compared.Add(r.Id));
            }
            else if (await rows.DifferenceAsync(live, rebuilt, ct) is { } difference)
            {
                return new LedgerVerified(compared.Count, events, archived, difference);
            }
            compared.UnionWith(live.Select(r => r.Id));
            progress?.Report(compared.Count);
        }
        // What remains are units that no event names.
        await foreach (var (id, epc, isArchived) in rows.AllAsync(ct))
        {
            if (compared.Contains(id))
            {
                continue;
            }
            if (!isArchived)
            {
                return new LedgerVerified(compared.Count, events, archived, new LedgerDifference(epc, "a row", null));
            }
            archived++;
        }
        return new LedgerVerified(compared.Count - archived, events, archived, null);
    }

    private static async Task<(List<string> Keys, long Last, int Count)> KeysOfEventsAsync(Work work, long after, CancellationToken ct)
    {
        await using var select = new NpgsqlCommand("select event_id, body from event where event_id > $1 order by event_id limit $2", work.Connection, work.Transaction)
        {
            Parameters = { new NpgsqlParameter { Value = after, NpgsqlDbType = NpgsqlDbType.Bigint }, new NpgsqlParameter { Value = EventsAtOnce, NpgsqlDbType = NpgsqlDbType.Integer } },
        };
        var keys = new HashSet<string>(StringComparer.Ordinal);
        var (last, count) = (after, 0);
        await using var rows = await select.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
        {
            (last, count) = (rows.GetInt64(0), count + 1);
            keys.UnionWith(StoredEvents.Parse(rows.GetString(1)).Epcs.Select(x => UnitKey.Of(x.Epc)).OfType<string>());
        }
        return ([.. keys], last, count);
    }
}
