using System.Globalization;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Audit;

/// <summary>The database as the sealer sees it, who reads every entry, adds to the tree, and changes nothing.</summary>
public sealed record SealerDatabase(GatewayDatabase Database);

/// <summary>The trail is not what it was when it was sealed last, so nothing is sealed until a person has begun a new epoch.</summary>
public sealed class TrailRewoundException(string message) : Exception(message);

/// <summary>One root of the tree.</summary>
/// <param name="Horizon">Every entry of a transaction below it is a leaf.</param>
internal sealed record Seal(int Epoch, long Size, byte[] Root, ulong Horizon);

/// <summary>
/// One turn of sealing: what was committed since the last becomes leaves, in the order of transactions. Numbers of entries are not
/// given in the order of commits, so a turn takes whole transactions below the snapshot horizon: whatever has a smaller number than
/// the horizon has ended, and nothing is added below it any more.
/// </summary>
public sealed class SealEntries(SealerDatabase sealer)
{
    internal const int LockSpace = 0x47_57_53_45;

    // In memory at once; a transaction that wrote more is read whole.
    private const int MaxAtOnce = 50_000;

    private static readonly Actor Sealer = Actor.System("sealer");
    private MerkleFrontier _frontier = new();
    private int _epoch;

    /// <returns>How many entries were sealed; null when another node is sealing.</returns>
    /// <exception cref="TrailRewoundException">The database is older than its last seal.</exception>
    public async Task<int?> RunAsync(CancellationToken ct)
    {
        await using var work = await sealer.Database.BeginAsync(Sealer, ct);
        if (!await work.Connection.ExecuteScalarAsync<bool>("select pg_try_advisory_xact_lock(@LockSpace, 0)", new { LockSpace }, work.Transaction))
        {
            return null;
        }
        // What somebody prepares for later commit would hold the horizon for ever; what is open for long, for as long.
        var last = await LastAsync(work, ct);
        var horizon = ulong.Parse(await work.Connection.ExecuteScalarAsync<string>("select pg_snapshot_xmin(pg_current_snapshot())::text", transaction: work.Transaction) ?? "", CultureInfo.InvariantCulture);
        // Below the horizon all is sealed, so whatever came since has a larger transaction: otherwise another server numbers them.
        if (horizon < last.Horizon || await work.Connection.ExecuteScalarAsync<bool>(new CommandDefinition(
            // By the number, and of a bounded count: asked otherwise, the whole trail would be read for an answer that is always no.
            "select exists (select from (select txid from audit_entry where ord > (select coalesce(max(ord), 0) from audit_leaf) order by ord limit @MaxAtOnce) n where txid < @from::text::xid8)",
            new { MaxAtOnce, from = last.Horizon.ToString(CultureInfo.InvariantCulture) }, work.Transaction, cancellationToken: ct)))
        {
            throw new TrailRewoundException($"The database gives transaction numbers anew: up to {last.Horizon} they are sealed, and there are entries with smaller ones. It was restored into another server.");
        }
        var (entries, to) = await EntriesAsync(work, last.Epoch, last.Horizon, horizon, ct);
        if (entries.Count == 0)
        {
            return 0;
        }
        if (_epoch != last.Epoch || _frontier.Size != last.Size)
        {
            (_frontier, _epoch) = (await new AuditTree(work, last.Epoch, ct).FrontierAsync(last.Size), last.Epoch);
        }
        if (!_frontier.Root().AsSpan().SequenceEqual(last.Root))
        {
            throw new TrailRewoundException($"The stored tree of epoch {last.Epoch} does not have the root that was sealed at {last.Size} leaves.");
        }
        try
        {
            await AddAsync(work, last.Epoch, _frontier, [.. entries.Select(e => (e.Ord, e.Hash))], ct);
            await work.Connection.ExecuteAsync("insert into audit_seal (epoch, size, root, horizon, sealed_at) values (@Epoch, @size, @root, @to::text::xid8, gateway_now())",
                new { last.Epoch, size = _frontier.Size, root = _frontier.Root(), to = to.ToString(CultureInfo.InvariantCulture) }, work.Transaction);
            await work.CommitAsync();
        }
        catch
        {
            _epoch = 0; // what was added here may not be stored
            throw;
        }
        return entries.Count;
    }

    internal static async Task<Seal> LastAsync(Work work, CancellationToken ct)
    {
        var (epoch, size, root, horizon) = await work.Connection.QuerySingleAsync<(int, long, byte[], string)>(new CommandDefinition(
            "select epoch, size, root, horizon::text from audit_seal order by epoch desc, size desc limit 1", transaction: work.Transaction, cancellationToken: ct));
        return new Seal(epoch, size, root, ulong.Parse(horizon, CultureInfo.InvariantCulture));
    }

    /// <summary>Entries of whole transactions from one horizon on, with the horizon that they reach.</summary>
    private static async Task<(IReadOnlyList<Entry> Entries, ulong To)> EntriesAsync(Work work, int epoch, ulong from, ulong to, CancellationToken ct)
    {
        var entries = await ReadAsync(work, epoch, from, to, MaxAtOnce + 1, ct);
        if (entries.Count <= MaxAtOnce)
        {
            return (entries, to);
        }
        var cut = entries[^1].Txid;
        var whole = entries.TakeWhile(e => e.Txid != cut).ToList();
        return whole.Count > 0 ? (whole, cut) : (await ReadAsync(work, epoch, cut, cut + 1, null, ct), cut + 1);
    }

    private static async Task<List<Entry>> ReadAsync(Work work, int epoch, ulong from, ulong to, int? limit, CancellationToken ct)
    {
        // A later epoch began with whatever was there, under the numbers that another server may have given.
        var isNew = epoch == 1 ? "" : "and not exists (select from audit_leaf l where l.ord = audit_entry.ord)";
        await using var select = new NpgsqlCommand($"select ord, txid, canonical from audit_entry where txid >= $1 and txid < $2 {isNew} order by txid, ord limit $3", work.Connection, work.Transaction)
        {
            Parameters =
            {
                new() { Value = from, NpgsqlDbType = NpgsqlDbType.Xid8 }, new() { Value = to, NpgsqlDbType = NpgsqlDbType.Xid8 }, new() { Value = (object?)limit ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Integer },
            },
            CommandTimeout = 300,
        };
        var entries = new List<Entry>();
        await using var rows = await select.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
        {
            entries.Add(new Entry(rows.GetInt64(0), rows.GetFieldValue<ulong>(1), MerkleTree.LeafHash(rows.GetFieldValue<byte[]>(2))));
        }
        return entries;
    }

    /// <param name="Hash">Of its leaf.</param>
    private readonly record struct Entry(long Ord, ulong Txid, byte[] Hash);

    /// <summary>Adds leaves to the stored tree, and to its right edge.</summary>
    internal static async Task AddAsync(Work work, int epoch, MerkleFrontier frontier, IReadOnlyList<(long Ord, byte[] Hash)> entries, CancellationToken ct)
    {
        var nodes = new List<(int Height, long Place, byte[] Hash)>();
        var leaf = frontier.Size;
        await using (var leaves = await work.Connection.BeginBinaryImportAsync("copy audit_leaf (epoch, leaf, ord, hash) from stdin (format binary)", ct))
        {
            foreach (var (ord, hash) in entries)
            {
                await leaves.StartRowAsync(ct);
                await leaves.WriteAsync(epoch, ct);
                await leaves.WriteAsync(leaf++, ct);
                await leaves.WriteAsync(ord, ct);
                await leaves.WriteAsync(hash, ct);
                frontier.Add(hash, (height, place, root) =>
                {
                    if (height > 0 && height % AuditTree.Step == 0)
                    {
                        nodes.Add((height, place, root));
                    }
                });
            }
            await leaves.CompleteAsync(ct);
        }
        await work.Connection.ExecuteAsync(new CommandDefinition("insert into audit_node (epoch, height, place, hash) select @epoch, * from unnest(@heights, @places, @hashes)",
            new { epoch, heights = nodes.Select(n => (short)n.Height).ToArray(), places = nodes.Select(n => n.Place).ToArray(), hashes = nodes.Select(n => n.Hash).ToArray() }, work.Transaction, cancellationToken: ct));
    }
}
