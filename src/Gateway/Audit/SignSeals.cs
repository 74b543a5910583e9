using System.Security.Cryptography;
using System.Text;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Microsoft.Extensions.Options;

namespace Gateway.Audit;

/// <summary>
/// Signs what was sealed, after it is committed, and writes it outside the database after that. Whatever of this a crash leaves
/// undone is done in the next turn: the newest seal is signed, and the newest checkpoint is outside.
/// </summary>
public sealed class SignSeals(SealerDatabase sealer, SealKey key, AnchorFile anchor, IOptions<AuditOptions> options, TimeProvider time, NewestCheckpoint? told = null)
{
    internal const string NewCheckpoint = "insert into audit_checkpoint (epoch, size, signed_at, text) values (@Epoch, @Size, @at, @note)";

    private static readonly Actor Sealer = Actor.System("sealer");

    // A tenth of the time in which what is sealed must be outside.
    private static readonly TimeSpan s_anchorEvery = TimeSpan.FromSeconds(6);

    private Checkpoint? _outside, _last; // the farthest outside, and what was signed last
    private long _anchoredAt;

    /// <summary>What is outside is read anew in the next turn: the database may have been restored meanwhile.</summary>
    public void Forget() => _outside = null;

    /// <returns>The checkpoint that was signed; null when there was nothing to sign.</returns>
    /// <exception cref="TrailRewoundException">More is known outside than the database has, or something else, or it was sealed with another key.</exception>
    public async Task<string?> RunAsync(CancellationToken ct)
    {
        var outside = _outside ?? await OutsideAsync(ct);
        await using var work = await sealer.Database.BeginAsync(Sealer, ct);
        // One after the other, so that each names the one before it; held until the commit has ended, however late it does.
        await work.Connection.ExecuteAsync(new CommandDefinition("select pg_advisory_xact_lock(@LockSpace, 1)", new { SealEntries.LockSpace }, work.Transaction, cancellationToken: ct));
        key.Refresh(); // who had the turn before may have signed with another
        var seal = await SealEntries.LastAsync(work, ct);
        await CheckAsync(work, outside, seal, ct);
        var newest = await NewestAsync(work, ct);
        if (newest is not null && !await MaySignAfterAsync(work, newest, ct))
        {
            throw new TrailRewoundException($"The newest checkpoint was signed with the key {SignedNote.NamedSigner(newest.Text)}, which the key that is here, {key.Id}, has not replaced: restore the key that Audit:SealKey is to name, or replace it by \"gateway audit key\".");
        }
        if (newest is null && outside?.Epoch == seal.Epoch && outside.Size > 0)
        {
            throw new TrailRewoundException($"{anchor.Path} has checkpoints of epoch {outside.Epoch}, and the database has none: they were taken away.");
        }
        var isOutside = (outside?.Epoch, outside?.Size) == (seal.Epoch, seal.Size);
        var isAnchorDue = !isOutside && (_anchoredAt == 0 || time.GetElapsedTime(_anchoredAt) >= s_anchorEvery);
        string? signed = null;
        if (newest is null || (newest.Epoch, newest.Size) != (seal.Epoch, seal.Size))
        {
            foreach (var before in (Checkpoint?[])[_last, newest is null ? null : Checkpoint.Parse(newest.Text), outside])
            {
                await ExtendsAsync(work, before, seal, ct);
            }
            signed = await SignAsync(work, key, seal, newest, NewCheckpoint);
        }
        else if (isAnchorDue || await work.Connection.ExecuteScalarAsync<bool>("select gateway_now() >= greatest(@SignedAt, (select max(signed_at) from audit_heartbeat)) + @Heartbeat", new { newest.SignedAt, options.Value.Heartbeat }, work.Transaction))
        {
            // Before something goes outside, this proves as well that what it rests on is committed.
            signed = await SignAsync(work, key, seal, await BeforeAsync(work, newest), "insert into audit_heartbeat (signed_at, text) values (@at, @note) on conflict (only_row) do update set signed_at = excluded.signed_at, text = excluded.text");
        }
        await work.CommitAsync();
        if (isAnchorDue && signed is not null)
        {
            await anchor.AppendAsync(signed, ct);
            (_outside, _anchoredAt) = (Checkpoint.Parse(signed), time.GetTimestamp());
        }
        else
        {
            _outside ??= outside;
        }
        _last = Checkpoint.Parse(signed ?? newest!.Text);
        told?.Tell(signed ?? newest!.Text);
        return signed;
    }

    // Whoever rules the database can write a seal of his own, and nothing is signed that does not extend what was signed before.
    private static async Task ExtendsAsync(Work work, Checkpoint? before, Seal seal, CancellationToken ct)
    {
        if (before is null || before.Epoch != seal.Epoch || before.Size == 0)
        {
            return;
        }
        if (before.Size > seal.Size || !MerkleProof.Extends(before.Size, before.Root, seal.Size, seal.Root, await MerkleProof.OfExtensionAsync(before.Size, seal.Size, new AuditTree(work, seal.Epoch, ct).SubtreeAsync)))
        {
            throw new TrailRewoundException($"The tree of {seal.Size} leaves is not that of {before.Size} with leaves added, which was signed at {before.Time:O}: something in it was changed.");
        }
    }

    /// <summary>Whether the key at hand has signed this checkpoint, or has replaced the one that did by a leaf in it.</summary>
    private async Task<bool> MaySignAfterAsync(Work work, Newest newest, CancellationToken ct)
    {
        if (SignedNote.NamedSigner(newest.Text) == key.Id)
        {
            return Checkpoint.Read(newest.Text, _ => key.Public, out _) is not null;
        }
        var replaced = await work.Connection.QuerySingleOrDefaultAsync<string>(new CommandDefinition("""
            select old.public_pem from audit_key k join audit_key old on old.key_id = k.replaces
            where k.key_id = @Id and exists (select from audit_entry e join audit_leaf l using (ord) where e.entity = 'audit_key' and e.entity_key = k.key_id and (l.epoch, l.leaf) < (@Epoch, @Size))
            """, new { key.Id, newest.Epoch, newest.Size }, work.Transaction, cancellationToken: ct));
        return replaced is not null && SealKey.ReadPublic(replaced) is { } old && Checkpoint.Read(newest.Text, id => id == SealKey.IdOf(old) ? old : null, out _) is not null;
    }

    internal static async Task<string> SignAsync(Work work, SealKey key, Seal seal, Newest? previous, string insert)
    {
        var (origin, at, baseline) = await work.Connection.QuerySingleAsync<(Guid, DateTime, string?)>(
            "select id, gateway_now(), (select baseline_id || ' ' || fingerprint from validation_baseline where state = 'effective') from installation", transaction: work.Transaction);
        var before = previous is null || previous.Epoch != seal.Epoch ? null : SHA256.HashData(Encoding.UTF8.GetBytes(previous.Text));
        var note = new Checkpoint(origin, seal.Epoch, seal.Size, seal.Root, at, before, baseline).Sign(key);
        await work.Connection.ExecuteAsync(insert, new { seal.Epoch, seal.Size, at, note }, work.Transaction);
        return note;
    }

    internal static Task<Newest?> NewestAsync(Work work, CancellationToken ct) => work.Connection.QuerySingleOrDefaultAsync<Newest>(new CommandDefinition(
        "select epoch as Epoch, size as Size, signed_at as SignedAt, text as Text from audit_checkpoint order by epoch desc, size desc limit 1", transaction: work.Transaction, cancellationToken: ct));

    private static Task<Newest?> BeforeAsync(Work work, Newest newest) => work.Connection.QuerySingleOrDefaultAsync<Newest>(
        "select epoch as Epoch, size as Size, signed_at as SignedAt, text as Text from audit_checkpoint where epoch = @Epoch and size < @Size order by size desc limit 1", new { newest.Epoch, newest.Size }, work.Transaction);

    // Whose signature is on it, is for those to ask who trust nobody here; to the gateway the file is its own.
    private async Task<Checkpoint?> OutsideAsync(CancellationToken ct) => await anchor.LastAsync(ct) is { } note ? Checkpoint.Parse(note) : null;

    private async Task CheckAsync(Work work, Checkpoint? outside, Seal seal, CancellationToken ct)
    {
        if (outside is null)
        {
            return;
        }
        if (outside.Epoch > seal.Epoch || outside.Epoch == seal.Epoch && outside.Size > seal.Size)
        {
            throw new TrailRewoundException($"{anchor.Path} ends with a checkpoint of epoch {outside.Epoch} with {outside.Size} leaves, and the database with epoch {seal.Epoch} and {seal.Size}: it was restored from before.");
        }
        // What was lost stands in the record of the epoch that began after it.
        var isKnown = await work.Connection.ExecuteScalarAsync<bool>(new CommandDefinition("""
            select exists (select from audit_seal where epoch = @Epoch and size = @Size and root = @Root)
                or exists (select from audit_epoch where epoch = @Epoch + 1 and outside_size = @Size and outside_root = @Root)
            """, new { outside.Epoch, outside.Size, outside.Root }, work.Transaction, cancellationToken: ct));
        if (!isKnown)
        {
            throw new TrailRewoundException($"{anchor.Path} ends with a checkpoint of epoch {outside.Epoch} with {outside.Size} leaves that the database does not know: it was restored from before and has gone on, or it is not the database of that file.");
        }
    }

    internal sealed record Newest(int Epoch, long Size, DateTime SignedAt, string Text);
}
