using System.Security.Cryptography;
using System.Text;
using Dapper;
using Gateway.Database;
using Microsoft.Extensions.Options;

namespace Gateway.Access;

public sealed record SessionRow(long SessionId, string Method, string Origin, DateTime CreatedAt, DateTime SeenAt);

/// <param name="Seconds">Until it ends, unless somebody does something.</param>
/// <param name="CanStay">Whether doing something prolongs it; not when its longest time is nearly over.</param>
public sealed record SessionEnd(double Seconds, bool CanStay);

/// <summary>
/// Signed-in browsers. A cookie holds 256 random bits, stored as their SHA-256; who it is and what he may is read again each time, so a
/// disabled person, a revoked key or a changed role counts from the next request on, on every node.
/// </summary>
public sealed class Sessions(GatewayDatabase database, IOptions<SignInOptions> options)
{
    private const string Holding = $"""
        select k.key_id as KeyId, h.user_name as UserName, coalesce(h.display_name, k.name) as Name, s.party_id as PartyId, party.kind as PartyKind, s.method as Method,
               held.roles as Roles, array(select distinct permission from role_permission where role = any(held.roles) order by 1) as Permissions,
               exists (select from role where role = any(held.roles) and everything) as Everything, coalesce(h.must_change, false) as MustChange, s.session_id as SessionId,
               coalesce(k.prefixes, array[]::text[]) as Prefixes, coalesce(k.sites, array[]::text[]) as Sites
        {Good}
        """;

    // Session, person or key, and party must all be good now. A person's sessions end with the stamp they started under.
    private const string Good = """
        from session s join party using (party_id)
        left join person h on h.person_id = s.person_id
        left join api_key k on k.key_id = s.key_id
        cross join lateral (select array(select role from person_role p where p.person_id = s.person_id union select k.role where k.role is not null order by 1) as roles) held
        where s.ended_at is null and s.created_at > gateway_now() - @absolute and s.seen_at > gateway_now() - @idle
          and (h.person_id is null or h.state = 'active' and h.security_stamp = s.stamp and (h.access_until is null or h.access_until > gateway_now()))
          and (k.key_id is null or k.revoked_at is null and (k.expires_at is null or k.expires_at > gateway_now()))
        """;

    /// <summary>Starts a session of a key and returns the secret for the cookie.</summary>
    public async Task<string> StartAsync(Holder key, string origin, CancellationToken ct)
    {
        var actor = Holder.ActorOf(key.ToPrincipal("key"), origin) with { Sees = "*" };
        await using var work = await database.BeginAsync(actor, ct);
        var secret = NewSecret();
        await work.Connection.ExecuteAsync("""
            insert into session (party_id, key_id, secret_hash, method, origin, created_at, seen_at)
            values (@PartyId, @KeyId, @hash, 'key', @origin, gateway_now(), gateway_now())
            """, new { key.PartyId, key.KeyId, hash = Hash(secret), origin }, work.Transaction);
        await work.CommitAsync();
        return secret;
    }

    /// <summary>Starts a person's session in the transaction that signs him in.</summary>
    internal static async Task<string> StartAsync(Work work, int personId, string method, string origin)
    {
        var secret = NewSecret();
        await work.Connection.ExecuteAsync("""
            insert into session (party_id, person_id, stamp, secret_hash, method, origin, created_at, seen_at)
            select party_id, person_id, security_stamp, @hash, @method, @origin, gateway_now(), gateway_now() from person where person_id = @personId
            """, new { personId, hash = Hash(secret), method, origin }, work.Transaction);
        return secret;
    }

    /// <summary>Who the cookie's secret stands for now. This is activity: the idle time begins anew.</summary>
    public Task<Holder?> FindAsync(string secret, CancellationToken ct) =>
        secret.Length is 0 or > 100 ? Task.FromResult<Holder?>(null) : ReadAsync("secret_hash = @hash", new { hash = Hash(secret) }, active: true, ct);

    /// <param name="active">Whether somebody did something; a page that merely stays open is idle.</param>
    public Task<Holder?> FindAsync(long sessionId, bool active, CancellationToken ct) =>
        ReadAsync("session_id = @sessionId", new { sessionId }, active, ct);

    /// <summary>When the session ends. Asking is no activity.</summary>
    public async Task<SessionEnd?> EndOfAsync(string secret, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Actor.System("access"), ct);
        return await work.Connection.QuerySingleOrDefaultAsync<SessionEnd>($"""
            select extract(epoch from least(s.seen_at + @Idle, s.created_at + @Absolute) - gateway_now())::float8 as Seconds, s.seen_at + @Idle <= s.created_at + @Absolute as CanStay
            {Good} and s.secret_hash = @hash
            """, new { hash = Hash(secret), options.Value.Absolute, options.Value.Idle }, work.Transaction);
    }

    public async Task<IReadOnlyList<SessionRow>> OfPersonAsync(Actor reader, string userName, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return [.. await work.Connection.QueryAsync<SessionRow>("""
            select session_id as SessionId, method as Method, s.origin as Origin, s.created_at as CreatedAt, s.seen_at as SeenAt from session s join person h using (person_id)
            where h.user_name = @userName and s.ended_at is null and s.stamp = h.security_stamp
              and s.created_at > gateway_now() - @Absolute and s.seen_at > gateway_now() - @Idle
            order by session_id desc
            """, new { userName, options.Value.Absolute, options.Value.Idle }, work.Transaction)];
    }

    public async Task EndAsync(string secret, string why, Actor actor, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor with { Sees = "*" }, ct);
        await work.Connection.ExecuteAsync("update session set ended_at = gateway_now(), ended_why = @why where secret_hash = @hash and ended_at is null", new { hash = Hash(secret), why }, work.Transaction);
        await work.CommitAsync();
    }

    /// <summary>Ends every session of a person, in the caller's transaction; also one that is being started at this moment, by the new stamp.</summary>
    /// <param name="except">The session that lives on: the one in which its person asked for this.</param>
    internal static async Task EndAllAsync(Work work, int personId, string why, long? except = null)
    {
        await work.Connection.ExecuteAsync("""
            with stamped as (update person set security_stamp = gen_random_uuid() where person_id = @personId returning security_stamp),
                 kept as (update session set stamp = (select security_stamp from stamped) where session_id = @except and person_id = @personId)
            update session set ended_at = gateway_now(), ended_why = @why
            where person_id = @personId and ended_at is null and session_id is distinct from @except
            """, new { personId, why, except }, work.Transaction);
    }

    private async Task<Holder?> ReadAsync(string which, object key, bool active, CancellationToken ct)
    {
        var parameters = new DynamicParameters(key);
        parameters.AddDynamicParams(new { options.Value.Absolute, options.Value.Idle });
        await using var work = await database.BeginAsync(Actor.System("access"), ct);
        var holder = await work.Connection.QuerySingleOrDefaultAsync<Holder>($"{Holding} and s.{which}", parameters, work.Transaction);
        if (holder is not null && active)
        {
            // To the minute: looking at a page is not a write each time.
            var touched = await work.Connection.ExecuteAsync($"update session set seen_at = gateway_now() where {which} and seen_at < gateway_now() - least(interval '1 minute', @Idle / 4)", parameters, work.Transaction);
            if (touched > 0)
            {
                await work.CommitAsync();
            }
        }
        return holder;
    }

    private static string NewSecret() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));

    private static byte[] Hash(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));
}
