using System.Security.Cryptography;
using System.Text;
using Dapper;
using Gateway.Database;

namespace Gateway.Access;

/// <summary>A key as it was found: who holds it and whose rows it may touch.</summary>
public sealed record KeyHolder(string KeyId, string Name, string Role, int PartyId, string PartyKind);

/// <summary>
/// Bearer keys <c>PREFIX_ID.SECRET</c>. The secret has 256 random bits, is shown once and stored as SHA-256: a fast hash is right for
/// a secret nobody can guess.
/// </summary>
public sealed class ApiKeys(GatewayDatabase database)
{
    /// <summary>Creates a key in the caller's transaction and returns its text, which exists nowhere else.</summary>
    /// <param name="prefix"><c>gwl</c>, or <c>gwt</c> in the demonstration.</param>
    public static async Task<string> CreateAsync(Work work, int partyId, string role, string name, string prefix)
    {
        var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        var secret = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        await work.Connection.ExecuteAsync("""
            insert into api_key (key_id, party_id, role, name, secret_hash, created_at) values (@id, @partyId, @role, @name, @hash, gateway_now())
            """, new { id, partyId, role, name, hash = Hash(secret) }, work.Transaction);
        return $"{prefix}_{id}.{secret}";
    }

    /// <returns>The holder, or null for a key that is unknown, wrong, expired or revoked; which of these is not told.</returns>
    public async Task<KeyHolder?> FindAsync(string token, CancellationToken ct)
    {
        var dot = token.IndexOf('.', StringComparison.Ordinal);
        if (dot < 5 || token.Length > 200 || token[..4] is not ("gwl_" or "gwt_"))
        {
            return null;
        }
        await using var work = await database.BeginAsync(Actor.System("access"), ct);
        var row = await work.Connection.QuerySingleOrDefaultAsync<(string KeyId, string Name, string Role, int PartyId, string PartyKind, byte[] Hash)?>("""
            select k.key_id, k.name, k.role, k.party_id, p.kind, k.secret_hash from api_key k join party p using (party_id)
            where k.key_id = @id and k.revoked_at is null and (k.expires_at is null or k.expires_at > gateway_now())
            """, new { id = token[4..dot] }, work.Transaction);
        // An unknown id is compared all the same, so that time does not tell it from a wrong secret.
        var right = CryptographicOperations.FixedTimeEquals(row?.Hash ?? new byte[32], Hash(token[(dot + 1)..]));
        return right && row is { } r ? new KeyHolder(r.KeyId, r.Name, r.Role, r.PartyId, r.PartyKind) : null;
    }

    /// <summary>Whether the key still opens anything; asked for every request of a signed-in browser.</summary>
    public async Task<bool> IsActiveAsync(string keyId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Actor.System("access"), ct);
        return await work.Connection.ExecuteScalarAsync<bool>("""
            select exists (select from api_key where key_id = @keyId and revoked_at is null and (expires_at is null or expires_at > gateway_now()))
            """, new { keyId }, work.Transaction);
    }

    private static byte[] Hash(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));
}
