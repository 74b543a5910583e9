using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Audit;

/// <summary>That an entry is in a signed tree: RFC 9162, section 2.1.3.</summary>
/// <param name="Hash">Of the leaf.</param>
/// <param name="Path">The hashes that lead from the leaf to the root, from below.</param>
/// <param name="Checkpoint">The signed note with the root.</param>
public sealed record LeafProof(int Epoch, long Leaf, long Ord, byte[] Hash, long Size, IReadOnlyList<byte[]> Path, string Checkpoint);

/// <summary>That one tree is an older one with leaves added: RFC 9162, section 2.1.4.</summary>
public sealed record ExtensionProof(int Epoch, long From, long To, IReadOnlyList<byte[]> Path);

/// <summary>Checkpoints and proofs, which say nothing of what they prove; whoever kept a root can ask whether the trail only grew since.</summary>
public sealed class TrailProofs(GatewayDatabase database)
{
    private const string NewestNote = "select text from (select signed_at, text from audit_checkpoint where (epoch, size) = (select epoch, size from audit_checkpoint order by epoch desc, size desc limit 1) union all select signed_at, text from audit_heartbeat) n order by signed_at desc limit 1";

    /// <summary>The checkpoint signed last; null before the first.</summary>
    public async Task<string?> NewestAsync(Actor reader, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await work.Connection.ExecuteScalarAsync<string>(new CommandDefinition(NewestNote, transaction: work.Transaction, cancellationToken: ct));
    }

    /// <returns>Null when there is no such entry, or it is in no signed tree yet.</returns>
    public async Task<LeafProof?> OfEntryAsync(Actor reader, long ord, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct, System.Data.IsolationLevel.RepeatableRead);
        return await OfEntryAsync(work, ord, ct);
    }

    /// <param name="isFirst">In the first signed tree that has it, instead of the newest.</param>
    internal static async Task<LeafProof?> OfEntryAsync(Work work, long ord, CancellationToken ct, bool isFirst = false)
    {
        var found = await work.Connection.QuerySingleOrDefaultAsync<(int Epoch, long Leaf, byte[] Hash, long Size, string Text)?>(new CommandDefinition($"""
            select l.epoch, l.leaf, l.hash, c.size, c.text from audit_leaf l
            cross join lateral (select size, text from audit_checkpoint where epoch = l.epoch and size > l.leaf order by size {(isFirst ? "" : "desc")} limit 1) c
            where l.ord = @ord
            """, new { ord }, work.Transaction, cancellationToken: ct));
        return found is not { } leaf ? null : new LeafProof(leaf.Epoch, leaf.Leaf, ord, leaf.Hash, leaf.Size, await MerkleProof.OfLeafAsync(leaf.Leaf, leaf.Size, new AuditTree(work, leaf.Epoch, ct).SubtreeAsync), leaf.Text);
    }

    /// <returns>Null when no sealed tree of this epoch has so many leaves.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The first is larger than the second, or negative.</exception>
    public async Task<ExtensionProof?> OfExtensionAsync(Actor reader, int epoch, long from, long to, CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(from, to);
        await using var work = await database.BeginAsync(reader, ct, System.Data.IsolationLevel.RepeatableRead);
        var size = await work.Connection.ExecuteScalarAsync<long?>(new CommandDefinition("select max(size) from audit_seal where epoch = @epoch", new { epoch }, work.Transaction, cancellationToken: ct));
        return size is null || to > size ? null : new ExtensionProof(epoch, from, to, await MerkleProof.OfExtensionAsync(from, to, new AuditTree(work, epoch, ct).SubtreeAsync));
    }

    /// <summary>For each key that has replaced another the leaf that announced it, in the first tree that the other signed; the oldest first.</summary>
    public async Task<IReadOnlyList<KeyReplacement>> ReplacementsAsync(Actor reader, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader with { Sees = "*" }, ct, System.Data.IsolationLevel.RepeatableRead);
        return await ReplacementsAsync(work, ct);
    }

    internal static async Task<IReadOnlyList<KeyReplacement>> ReplacementsAsync(Work work, CancellationToken ct)
    {
        var replacements = new List<KeyReplacement>();
        foreach (var (ord, canonical) in (await work.Connection.QueryAsync<(long, byte[])>(new CommandDefinition("""
            select a.ord, a.canonical from audit_key k join audit_entry a on a.entity = 'audit_key' and a.entity_key = k.key_id and a.version = 1 where k.replaces is not null order by a.ord
            """, transaction: work.Transaction, cancellationToken: ct))).AsList())
        {
            if (await OfEntryAsync(work, ord, ct, isFirst: true) is { } proof)
            {
                replacements.Add(new KeyReplacement(canonical, proof));
            }
        }
        return replacements;
    }

    /// <summary>The public keys that have signed checkpoints, the newest first, as PEM.</summary>
    public async Task<IReadOnlyList<string>> KeysAsync(Actor reader, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return [.. await work.Connection.QueryAsync<string>(new CommandDefinition("select public_pem from audit_key order by made_at desc, replaces nulls last", transaction: work.Transaction, cancellationToken: ct))];
    }
}
