using Dapper;
using Gateway.Access;
using Gateway.Database;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Audit;

/// <summary>
/// Replaces the key that signs checkpoints. The new key is made beside the old one, announced by a leaf of the trail in a note that the old one
/// has signed, covered by a checkpoint of the old one, and only then put in its place: whoever trusts the old key can follow. Each step is done or not done
/// when it is begun again, so a crash between two is mended by running it once more.
/// </summary>
/// <param name="owner">The login that owns the database: no role of the application writes the table of keys.</param>
public sealed class ReplaceKey(string owner, SealerDatabase sealer, SealKey key, AnchorFile anchor)
{
    private const string Announce = "insert into audit_key (key_id, public_pem, replaces, announcement, made_at) values (@Id, @PublicPem, @replaces, @announcement, gateway_now()) on conflict (key_id) do nothing";

    /// <returns>The number of the new key, and of the old one.</returns>
    /// <exception cref="TrailRewoundException">The trail is not sealed, so nothing can be announced in it.</exception>
    /// <exception cref="SealKeyException">The new key cannot be made beside the old one.</exception>
    public async Task<(string New, string Old)> RunAsync(Actor actor, string reason, CancellationToken ct)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(reason);
        var beside = key.Path + ".next";
        using var next = SealKey.Open(beside);
        var old = key.Id;
        await AnnounceAsync(actor with { Reason = reason }, next, ct);
        var (seal, sign) = (new SealEntries(sealer), new SignSeals(sealer, key, anchor, Options.Create(new AuditOptions()), TimeProvider.System));
        while (!await IsSignedAsync(next.Id, ct))
        {
            // Another node may have the turn; what has not ended holds the horizon for as long.
            await seal.RunAsync(ct);
            await sign.RunAsync(ct);
            await Task.Delay(TimeSpan.FromMilliseconds(100), ct);
        }
        File.Move(beside, key.Path, overwrite: true);
        key.Refresh();
        return (next.Id, old);
    }

    internal async Task AnnounceAsync(Actor actor, SealKey next, CancellationToken ct)
    {
        await using var source = NpgsqlDataSource.Create(owner);
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using var work = new Work(connection, transaction);
        await work.ActAsAsync(actor, ct);
        var origin = await connection.ExecuteScalarAsync<Guid>("select id from installation", transaction: transaction);
        // The first of an installation has replaced nothing.
        await connection.ExecuteAsync(Announce, new { key.Id, key.PublicPem, replaces = (string?)null, announcement = (string?)null }, transaction);
        await connection.ExecuteAsync(Announce, new { next.Id, next.PublicPem, replaces = key.Id, announcement = new KeyAnnouncement(origin, next.Id, next.PublicPem).Sign(key) }, transaction);
        await work.CommitAsync();
    }

    private async Task<bool> IsSignedAsync(string id, CancellationToken ct)
    {
        await using var work = await sealer.Database.BeginAsync(Actor.System("sealer"), ct);
        return await work.Connection.ExecuteScalarAsync<bool>(new CommandDefinition("""
            select exists (select from audit_entry e join audit_leaf l using (ord) join audit_checkpoint c on c.epoch = l.epoch and c.size > l.leaf where e.entity = 'audit_key' and e.entity_key = @id)
            """, new { id }, work.Transaction, cancellationToken: ct));
    }
}
