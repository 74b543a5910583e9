using Dapper;
using Gateway.Database;
using Npgsql;

namespace Gateway.Access;

[method: ExplicitConstructor]
public sealed record RoleRow(string Role, string Description, bool Everything, string[] Permissions, long People, long Keys);

/// <summary>Two permissions that nobody holds together, and why.</summary>
public sealed record Separation(string Permission, string Excludes, string Reason);

/// <summary>Roles as the database has them. What they may not combine, the database refuses.</summary>
public sealed class Roles(GatewayDatabase database)
{
    private const string SeparationViolated = "GW010";
    private const string BeyondMaker = "GW013";
    private const string KeysOnly = "GW011";
    internal const string Unknown = "There is no such role.";

    /// <param name="after">The role that ended the page before.</param>
    /// <param name="limit">Null: all there are.</param>
    public async Task<IReadOnlyList<RoleRow>> ListAsync(Actor reader, string? after, int? limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return [.. await work.Connection.QueryAsync<RoleRow>("""
            select role as Role, description as Description, everything as Everything, array(select permission from role_permission p where p.role = r.role order by 1) as Permissions,
                   (select count(*) from person_role p where p.role = r.role) as People,
                   (select count(*) from api_key k where k.role = r.role and k.revoked_at is null) as Keys
            from role r where @after::text is null or role > @after order by role limit @limit
            """, new { after, limit }, work.Transaction)];
    }

    public async Task<long> CountAsync(Actor reader, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await work.Connection.ExecuteScalarAsync<long>("select count(*) from role", transaction: work.Transaction);
    }

    public async Task<IReadOnlyList<Separation>> SeparationsAsync(Actor reader, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return [.. await work.Connection.QueryAsync<Separation>("select permission as Permission, excludes as Excludes, reason as Reason from separation order by 1, 2", transaction: work.Transaction)];
    }

    /// <summary>Whom a key of the role belongs to.</summary>
    public static string PartyKindOf(string role) => role is "cmo" or "partner" ? role : "organisation";

    /// <returns>Null, or the refusal as a sentence.</returns>
    public async Task<string?> AddAsync(Actor actor, string role, string description, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor, ct);
        try
        {
            var added = await work.Connection.ExecuteAsync("insert into role (role, description) values (@role, @description) on conflict do nothing", new { role, description }, work.Transaction);
            if (added == 0)
            {
                return $"There is a role {role} already.";
            }
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.CheckViolation)
        {
            return "A role's name has 2 to 40 small letters, digits and hyphens, and begins with a letter.";
        }
        await work.CommitAsync();
        return null;
    }

    /// <returns>Null, or the refusal as a sentence.</returns>
    public async Task<string?> PermitAsync(Actor actor, string role, string permission, string reason, CancellationToken ct)
    {
        if (!Permissions.All.Contains(permission))
        {
            return $"There is no permission {permission}.";
        }
        await using var work = await database.BeginAsync(actor with { Reason = reason }, ct);
        return await RefusalAsync(async () =>
        {
            await work.Connection.ExecuteAsync("insert into role_permission (role, permission) values (@role, @permission) on conflict do nothing", new { role, permission }, work.Transaction);
            await work.CommitAsync();
        });
    }

    /// <returns>Null, or the refusal as a sentence.</returns>
    public async Task<string?> WithdrawAsync(Actor actor, string role, string permission, string reason, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor with { Reason = reason }, ct);
        var withdrawn = await work.Connection.ExecuteAsync("delete from role_permission where role = @role and permission = @permission", new { role, permission }, work.Transaction);
        await work.CommitAsync();
        return withdrawn == 0 ? $"The role {role} has no permission {permission}." : null;
    }

    /// <summary>Runs an assignment; what the database does not allow is told as a sentence.</summary>
    public static async Task<string?> RefusalAsync(Func<Task> assign)
    {
        try
        {
            await assign();
            return null;
        }
        catch (PostgresException e) when (Refusal(e) is not null)
        {
            return Refusal(e);
        }
    }

    /// <returns>What the database did not allow, as a sentence; null when it failed for another reason.</returns>
    internal static string? Refusal(PostgresException e) => e.SqlState switch
    {
        SeparationViolated or KeysOnly or BeyondMaker => char.ToUpperInvariant(e.MessageText[0]) + e.MessageText[1..].TrimEnd('.') + ".",
        PostgresErrorCodes.ForeignKeyViolation => Unknown,
        _ => null,
    };

    /// <summary>A key was refused because of who makes it: it would carry what he does not have, or half of a pair whose other half he has.</summary>
    internal static bool IsBeyondMaker(PostgresException e) => e.SqlState is BeyondMaker or SeparationViolated;
}
