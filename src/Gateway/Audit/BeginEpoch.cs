using System.Globalization;
using System.Text.Json;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Npgsql;

namespace Gateway.Audit;

/// <summary>What a new epoch says of the one before it.</summary>
/// <param name="PreviousSize">How many leaves of it the database has.</param>
/// <param name="OutsideSize">How many the anchor file knows; null when it has no checkpoint.</param>
/// <param name="Sealed">How many entries that were in no leaf are the first of the new epoch.</param>
public sealed record BegunEpoch(int Epoch, long PreviousSize, long? OutsideSize, long Sealed);

/// <summary>
/// A person's decision that a restored database is to be sealed on, though it lacks what was sealed before: a tree of its own begins,
/// whose record says what the database has, what is known outside, who decided and why. Nothing that was lost is passed over in silence.
/// </summary>
/// <param name="owner">The login that owns the database: no role of the application may begin an epoch.</param>
public sealed class BeginEpoch(string owner, SealKey key, AnchorFile anchor)
{
    private const int AtOnce = 50_000;

    /// <param name="reason">Not empty; it stands in the record.</param>
    public async Task<BegunEpoch> RunAsync(Actor actor, string reason, CancellationToken ct)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(reason);
        var outside = await anchor.LastAsync(ct) is { } note ? Checkpoint.Parse(note) : null;
        await using var source = NpgsqlDataSource.Create(owner);
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using var work = new Work(connection, transaction);
        await work.ActAsAsync(actor with { Reason = reason }, ct);
        // The sealers wait until this has ended.
        await connection.ExecuteAsync("select pg_advisory_xact_lock(@LockSpace, 0)", new { SealEntries.LockSpace }, transaction);
        await connection.ExecuteAsync("select pg_advisory_xact_lock(@LockSpace, 1)", new { SealEntries.LockSpace }, transaction);
        var last = await SealEntries.LastAsync(work, ct);
        // What the old tree has beyond its last checkpoint would be in no export.
        var newest = await SignSeals.NewestAsync(work, ct);
        if (newest is null || (newest.Epoch, newest.Size) != (last.Epoch, last.Size))
        {
            await SignSeals.SignAsync(work, key, last, newest, SignSeals.NewCheckpoint);
        }
        var epoch = last.Epoch + 1;
        // Whatever of transactions from here on is not there yet comes by the sealer's ordinary turns.
        var horizon = await connection.ExecuteScalarAsync<string>("select pg_snapshot_xmin(pg_current_snapshot())::text", transaction: transaction) ?? "";
        await connection.ExecuteAsync("""
            insert into audit_epoch (epoch, began_at, horizon, actor, reason, previous_size, previous_root, outside_size, outside_root)
            values (@epoch, gateway_now(), @horizon::text::xid8, @Id, @reason, @Size, @Root, @outsideSize, @outsideRoot)
            """, new { epoch, horizon, actor.Id, reason, last.Size, last.Root, outsideSize = outside?.Size, outsideRoot = outside?.Root }, transaction);
        await connection.ExecuteAsync("select audit_write('begin', 'audit_epoch', @key, null, @record::jsonb)", new
        {
            key = epoch.ToString(CultureInfo.InvariantCulture),
            record = JsonSerializer.Serialize(new { epoch, previousEpoch = last.Epoch, previousSize = last.Size, previousRoot = last.Root, outsideEpoch = outside?.Epoch, outsideSize = outside?.Size, outsideRoot = outside?.Root }, JsonSerializerOptions.Web),
        }, transaction);
        await connection.ExecuteAsync("insert into audit_seal (epoch, size, root, horizon, sealed_at) values (@epoch, 0, @root, @horizon::text::xid8, gateway_now())", new { epoch, root = MerkleTree.EmptyRoot, horizon }, transaction);
        var count = await SealRestAsync(work, epoch, horizon, ct);
        await work.CommitAsync();
        return new BegunEpoch(epoch, last.Size, outside?.Size, count);
    }

    /// <summary>The record of the epoch first, then what is in no leaf, in the order of its numbers: another server may have given the transactions theirs.</summary>
    private static async Task<long> SealRestAsync(Work work, int epoch, string horizon, CancellationToken ct)
    {
        var frontier = new MerkleFrontier();
        await AddAsync("entity = 'audit_epoch' and txid = pg_current_xact_id()", 0);
        for (long after = 0, added = 1; added > 0;)
        {
            (after, added) = await AddAsync("ord > @after", after);
        }
        await work.Connection.ExecuteAsync("insert into audit_seal (epoch, size, root, horizon, sealed_at) values (@epoch, @Size, @root, @horizon::text::xid8, gateway_now())",
            new { epoch, frontier.Size, root = frontier.Root(), horizon }, work.Transaction);
        return frontier.Size;

        async Task<(long Last, long Count)> AddAsync(string which, long after)
        {
            var entries = (await work.Connection.QueryAsync<(long Ord, byte[] Canonical)>(new CommandDefinition(
                $"select ord, canonical from audit_entry where {which} and not exists (select from audit_leaf l where l.ord = audit_entry.ord) order by ord limit @AtOnce", new { after, AtOnce }, work.Transaction, 0, cancellationToken: ct))).AsList();
            await SealEntries.AddAsync(work, epoch, frontier, [.. entries.Select(e => (e.Ord, MerkleTree.LeafHash(e.Canonical)))], ct);
            return entries.Count == 0 ? (after, 0) : (entries[^1].Ord, entries.Count);
        }
    }
}
