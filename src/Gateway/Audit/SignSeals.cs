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
public sealed class SignSeals(SealerDatabase sealer, SealKey key, AnchorFile anchor, IOptions<AuditOptions> options)
{
    private static readonly Actor Sealer = Actor.System("sealer");
    private Checkpoint? _outside;

    /// <returns>The checkpoint that was signed; null when there was nothing to sign.</returns>
    /// <exception cref="TrailRewoundException">More is known outside than the database has, or something else.</exception>
    public async Task<string?> RunAsync(CancellationToken ct)
    {
        var outside = _outside ?? await OutsideAsync(ct);
        await using var work = await sealer.Database.BeginAsync(Sealer, ct);
        var seal = await SealEntries.LastAsync(work, ct);
        await CheckAsync(work, outside, seal, ct);
        var newest = await NewestAsync(work, ct);
        string? signed = null;
        if (newest is null || (newest.Epoch, newest.Size) != (seal.Epoch, seal.Size))
        {
            signed = await SignAsync(work, seal, newest, "insert into audit_checkpoint (epoch, size, signed_at, text) values (@Epoch, @Size, @at, @note) on conflict do nothing");
        }
        else if (await work.Connection.ExecuteScalarAsync<bool>("select gateway_now() >= greatest(@SignedAt, (select max(signed_at) from audit_heartbeat)) + @Heartbeat", new { newest.SignedAt, options.Value.Heartbeat }, work.Transaction))
        {
            signed = await SignAsync(work, seal, await BeforeAsync(work, newest), "insert into audit_heartbeat (signed_at, text) values (@at, @note) on conflict (only_row) do update set signed_at = excluded.signed_at, text = excluded.text");
        }
        await work.CommitAsync();
        if ((outside?.Epoch, outside?.Size) != (seal.Epoch, seal.Size) && (signed ?? newest?.Text) is { } note)
        {
            await anchor.AppendAsync(note, ct);
            _outside = Checkpoint.Parse(note);
        }
        return signed;
    }

    private async Task<string?> SignAsync(Work work, Seal seal, Newest? previous, string insert)
    {
        var (origin, at) = await work.Connection.QuerySingleAsync<(Guid, DateTime)>("select id, gateway_now() from installation", transaction: work.Transaction);
        var before = previous is null || previous.Epoch != seal.Epoch ? null : SHA256.HashData(Encoding.UTF8.GetBytes(previous.Text));
        var note = new Checkpoint(origin, seal.Epoch, seal.Size, seal.Root, at, before, Baseline: null).Sign(key);
        // Of two nodes that sign the same seal, one is first.
        return await work.Connection.ExecuteAsync(insert, new { seal.Epoch, seal.Size, at, note }, work.Transaction) == 1 ? note : null;
    }

    private static Task<Newest?> NewestAsync(Work work, CancellationToken ct) => work.Connection.QuerySingleOrDefaultAsync<Newest>(new CommandDefinition(
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
        var root = await work.Connection.ExecuteScalarAsync<byte[]>(new CommandDefinition("select root from audit_seal where epoch = @Epoch and size = @Size", new { outside.Epoch, outside.Size }, work.Transaction, cancellationToken: ct));
        if (root?.AsSpan().SequenceEqual(outside.Root) != true)
        {
            throw new TrailRewoundException($"{anchor.Path} ends with a checkpoint of epoch {outside.Epoch} with {outside.Size} leaves that the database does not know: it was restored from before and has gone on, or it is not the database of that file.");
        }
    }

    private sealed record Newest(int Epoch, long Size, DateTime SignedAt, string Text);
}
