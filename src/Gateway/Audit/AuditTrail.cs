using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Audit;

/// <summary>One entry of the trail as a list shows it.</summary>
public sealed record AuditRow(long Ord, DateTime RecordedAt, string ActorName, string ActorRole, string Action, string Entity, string EntityKey, string? Reason);

/// <param name="What">Whose sign-in, or which caller, address and code.</param>
/// <param name="Origin">The address it came from.</param>
public sealed record RefusalRow(long Ord, DateTime RecordedAt, string Action, string What, string Origin);

/// <summary>The audit trail for reading.</summary>
public sealed class AuditTrail(GatewayDatabase database)
{
    // What people decide; captures and the gateway's own work have lists of their own.
    private static readonly string[] Human = ["partner", "route", "api_key", "delivery_decision", "exception_note", "operation", "person", "person_role", "role_permission", "product", "location"];

    /// <summary>Everything the trail holds about some records, newest first.</summary>
    public async Task<IReadOnlyList<AuditRow>> OfAsync(Actor reader, IReadOnlyList<(string Entity, string Key)> records, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<AuditRow>(new CommandDefinition("""
            select ord as Ord, recorded_at as RecordedAt, actor_name as ActorName, actor_role as ActorRole, action as Action, entity as Entity, entity_key as EntityKey, reason as Reason
            from unnest(@entities, @keys) as r (entity, entity_key) join audit_entry using (entity, entity_key) order by ord desc limit @limit
            """, new { entities = records.Select(r => r.Entity).ToArray(), keys = records.Select(r => r.Key).ToArray(), limit }, work.Transaction, cancellationToken: ct))).AsList();
    }

    /// <summary>What people changed or decided since a moment, newest first. A token that a device was given is its registration's.</summary>
    public async Task<IReadOnlyList<AuditRow>> HumanChangesAsync(Actor reader, DateTime since, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<AuditRow>(new CommandDefinition("""
            select ord as Ord, recorded_at as RecordedAt, actor_name as ActorName, actor_role as ActorRole, action as Action, entity as Entity, entity_key as EntityKey, reason as Reason
            from audit_entry where entity = any(@Human) and action <> 'refused' and recorded_at >= @since and actor not like 'system:%' and not (entity = 'api_key' and coalesce(new, old) ->> 'role' is not distinct from 'device') order by ord desc limit @limit
            """, new { Human, since, limit }, work.Transaction, cancellationToken: ct))).AsList();
    }

    /// <summary>Failed sign-ins and refused calls, newest first.</summary>
    public async Task<IReadOnlyList<RefusalRow>> RefusalsAsync(Actor reader, DateTime since, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<RefusalRow>(new CommandDefinition("""
            select ord as Ord, recorded_at as RecordedAt, action as Action, entity_key as What, origin as Origin
            from audit_entry where entity in ('sign_in', 'refused_call') and recorded_at >= @since order by ord desc limit @limit
            """, new { since, limit }, work.Transaction, cancellationToken: ct))).AsList();
    }
}
