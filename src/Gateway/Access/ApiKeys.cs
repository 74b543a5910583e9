using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Dapper;
using Gateway.Database;
using Npgsql;

namespace Gateway.Access;

/// <summary>A key as it is listed; its secret is nowhere.</summary>
/// <param name="State">active, expired or revoked.</param>
/// <param name="LastUsedAt">To the minute.</param>
/// <param name="Prefixes">GS1 company prefixes of what it may send; none: any.</param>
/// <param name="Sites">GLNs of where that may be; none: anywhere.</param>
[method: ExplicitConstructor] // an array has no column type that Dapper could match
public sealed record KeyItem(string Id, string Name, string Role, string Party, string? Gln, string State, DateTime CreatedAt, DateTime? ExpiresAt, DateTime? RevokedAt, DateTime? LastUsedAt, string[] Prefixes, string[] Sites);

public enum KeyChange
{
    Done,
    Unknown,

    /// <summary>Revoked or expired already.</summary>
    Ended,

    /// <summary>It may more than whoever asks, who would see the new key.</summary>
    BeyondMaker,
}

/// <summary>
/// Bearer keys <c>PREFIX_ID.SECRET</c>. The secret has 256 random bits, is shown once and stored as SHA-256: a fast hash is right for
/// a secret nobody can guess.
/// </summary>
public sealed class ApiKeys
{
    // Each request asks, and is answered from what is read after it has asked.
    private const int LooksAtOnce = 2;
    private const int MaxOfALook = 256;
    private readonly GatewayDatabase _database;
    private readonly Gathering<Look> _looks;

    private static readonly SearchValues<char> s_idCharacters = SearchValues.Create("0123456789abcdef");

    public ApiKeys(GatewayDatabase database)
    {
        _database = database;
        _looks = new Gathering<Look>(LooksAtOnce, waiting => [.. waiting.Take(MaxOfALook)], LookAsync);
    }

    /// <summary>Creates a key in the caller's transaction and returns its text, which exists nowhere else.</summary>
    /// <param name="prefix"><c>gwl</c>, or <c>gwt</c> in the demonstration.</param>
    /// <param name="lifetime">Null: until it is revoked.</param>
    /// <param name="scope">Null: it may send anything.</param>
    public static async Task<string> CreateAsync(Work work, int partyId, string role, string name, string prefix, TimeSpan? lifetime = null, KeyScope? scope = null)
    {
        var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        var secret = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        await work.Connection.ExecuteAsync("""
            insert into api_key (key_id, party_id, role, name, secret_hash, created_at, expires_at, prefixes, sites)
            values (@id, @partyId, @role, @name, @hash, gateway_now(), gateway_now() + @lifetime, @prefixes, @sites)
            """, new { id, partyId, role, name, hash = Hash(secret), lifetime, prefixes = scope?.Prefixes ?? [], sites = scope?.Sites ?? [] }, work.Transaction);
        return $"{prefix}_{id}.{secret}";
    }

    /// <summary>A second key for the same holder. The first works on for the overlap, so that its holder can change over without a gap.</summary>
    public async Task<(KeyChange Change, string? Token)> RotateAsync(Actor actor, string keyId, TimeSpan overlap, CancellationToken ct)
    {
        await using var work = await _database.BeginAsync(actor, ct);
        var row = await work.Connection.QuerySingleOrDefaultAsync<(int PartyId, string Role, string Name, TimeSpan? Lifetime, bool Active, string[] Prefixes, string[] Sites)?>("""
            select party_id, role, name, expires_at - created_at, revoked_at is null and (expires_at is null or expires_at > gateway_now()), prefixes, sites
            from api_key where key_id = @keyId for update
            """, new { keyId }, work.Transaction);
        if (row is not { } old)
        {
            return (KeyChange.Unknown, null);
        }
        if (!old.Active)
        {
            await work.RefuseAsync(Ended(keyId, "rotate"));
            return (KeyChange.Ended, null);
        }
        string token;
        try
        {
            token = await CreateAsync(work, old.PartyId, old.Role, old.Name, "gwl", old.Lifetime, KeyScope.Of(old.Prefixes, old.Sites));
        }
        catch (PostgresException e) when (Roles.IsBeyondMaker(e))
        {
            return (KeyChange.BeyondMaker, null);
        }
        await work.Connection.ExecuteAsync("update api_key set expires_at = least(expires_at, gateway_now() + @overlap) where key_id = @keyId", new { keyId, overlap }, work.Transaction);
        await work.CommitAsync();
        return (KeyChange.Done, token);
    }

    /// <summary>From the next request on the key opens nothing; sessions signed in with it end.</summary>
    public async Task<KeyChange> RevokeAsync(Actor actor, string keyId, CancellationToken ct)
    {
        await using var work = await _database.BeginAsync(actor, ct);
        if (await work.Connection.ExecuteAsync("update api_key set revoked_at = gateway_now() where key_id = @keyId and revoked_at is null", new { keyId }, work.Transaction) == 0)
        {
            if (!await work.Connection.ExecuteScalarAsync<bool>("select exists (select from api_key where key_id = @keyId)", new { keyId }, work.Transaction))
            {
                return KeyChange.Unknown;
            }
            await work.RefuseAsync(Ended(keyId, "revoke"));
            return KeyChange.Ended;
        }
        await work.CommitAsync();
        return KeyChange.Done;
    }

    private static RefusedStep Ended(string keyId, string step) => new("api_key", keyId, step, "The key has been revoked or has expired already.",
        "select case when revoked_at is not null then 'revoked' when expires_at <= gateway_now() then 'expired' else 'active' end, null::int from api_key where key_id = @key");

    /// <summary>Keys by the name of their holders.</summary>
    /// <param name="ended">Only those that have ended, or only those that have not; null for both.</param>
    /// <param name="after">The id that ended the page before.</param>
    public async Task<IReadOnlyList<KeyItem>> ListAsync(Actor reader, bool? ended, string? after, int limit, CancellationToken ct)
    {
        await using var work = await _database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<KeyItem>(new CommandDefinition("""
            select k.key_id as Id, k.name as Name, k.role as Role, p.name as Party, p.gln as Gln,
                   case when k.revoked_at is not null then 'revoked' when k.expires_at <= gateway_now() then 'expired' else 'active' end as State,
                   k.created_at as CreatedAt, k.expires_at as ExpiresAt, k.revoked_at as RevokedAt, k.last_used_at as LastUsedAt,
                   k.prefixes as Prefixes, k.sites as Sites
            from api_key k join party p using (party_id)
            where (@ended::boolean is null or @ended = (k.revoked_at is not null or coalesce(k.expires_at <= gateway_now(), false)))
              and (@after::text is null or (k.name, k.key_id) > (select a.name, a.key_id from api_key a where a.key_id = @after))
            order by k.name, k.key_id limit @limit
            """, new { ended, after, limit }, work.Transaction, cancellationToken: ct))).AsList();
    }

    public async Task<long> CountActiveAsync(Actor reader, CancellationToken ct)
    {
        await using var work = await _database.BeginAsync(reader, ct);
        return await work.Connection.ExecuteScalarAsync<long>("select count(*) from api_key where revoked_at is null and (expires_at is null or expires_at > gateway_now())", transaction: work.Transaction);
    }

    /// <returns>The holder, or null for a key that is unknown, wrong, expired or revoked; which of these is not told.</returns>
    public async Task<Holder?> FindAsync(string token, CancellationToken ct)
    {
        if (IdOf(token) is not { } id)
        {
            return null;
        }
        var look = new Look(id);
        _looks.Add(look);
        var row = await look.Outcome.Task.WaitAsync(ct);
        // An unknown id is compared all the same, so that time does not tell it from a wrong secret.
        var right = CryptographicOperations.FixedTimeEquals(row?.SecretHash ?? new byte[32], Hash(token[(token.IndexOf('.', StringComparison.Ordinal) + 1)..]));
        if (!right || row is null)
        {
            return null;
        }
        if (row.Unnoted)
        {
            await NoteUseAsync(row.KeyId, ct);
        }
        return new Holder(row.KeyId, null, row.Name, row.PartyId, row.PartyKind, "key", [row.Role], row.Permissions, row.Everything, MustChange: false, SessionId: null, row.Prefixes, row.Sites);
    }

    private async Task LookAsync(List<Look> looks)
    {
        try
        {
            var found = (await _database.ReadAsync<KeyRow>(Actor.System("access"), """
                select k.key_id as KeyId, k.name as Name, k.role as Role, k.party_id as PartyId, p.kind as PartyKind, k.secret_hash as SecretHash,
                       coalesce(k.last_used_at < now - interval '1 minute', true) as Unnoted, r.everything as Everything, k.prefixes as Prefixes, k.sites as Sites,
                       array(select permission from role_permission rp where rp.role = k.role) as Permissions
                from (select gateway_now() as now) t cross join api_key k join party p using (party_id) join role r using (role)
                where k.key_id = any(@ids) and k.revoked_at is null and (k.expires_at is null or k.expires_at > now)
                """, new { ids = looks.Select(l => l.KeyId).Distinct().ToArray() }, CancellationToken.None)).ToDictionary(k => k.KeyId);
            looks.ForEach(l => l.Outcome.SetResult(found.GetValueOrDefault(l.KeyId)));
        }
        catch (Exception e)
        {
            looks.ForEach(l => l.Outcome.SetException(e));
        }
    }

    /// <summary>The id that a key names, whether or not there is such a key; null for what is no key.</summary>
    internal static string? IdOf(string token)
    {
        var dot = token.IndexOf('.', StringComparison.Ordinal);
        return dot < 5 || token.Length > 200 || token[..4] is not ("gwl_" or "gwt_") || token.AsSpan(4, dot - 4).ContainsAnyExcept(s_idCharacters) ? null : token[4..dot];
    }

    // Once a minute for each key, by whichever request is first; it waits for no disk and no standby, because nothing depends on it.
    private async Task NoteUseAsync(string keyId, CancellationToken ct)
    {
        await using var work = await _database.BeginAsync(Actor.System("access"), ct);
        await work.Connection.ExecuteAsync("""
            set local synchronous_commit = off;
            update api_key set last_used_at = gateway_now() where key_id in (select key_id from api_key where key_id = @keyId for update skip locked)
            """, new { keyId }, work.Transaction);
        await work.CommitAsync();
    }

    private static byte[] Hash(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));

    private sealed class Look(string keyId)
    {
        public string KeyId { get; } = keyId;
        public TaskCompletionSource<KeyRow?> Outcome { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed record KeyRow
    {
        public string KeyId { get; init; } = "";
        public string Name { get; init; } = "";
        public string Role { get; init; } = "";
        public int PartyId { get; init; }
        public string PartyKind { get; init; } = "";
        public byte[] SecretHash { get; init; } = [];
        public bool Unnoted { get; init; }
        public bool Everything { get; init; }
        public string[] Permissions { get; init; } = [];
        public string[] Prefixes { get; init; } = [];
        public string[] Sites { get; init; } = [];
    }
}
