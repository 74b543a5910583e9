using System.Globalization;
using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Audit;

/// <summary>An entry of the trail with all it says.</summary>
/// <param name="Ord">Its number.</param>
/// <param name="Version">How many entries its record has up to this one.</param>
/// <param name="Old">The record before, as JSON; null when there was none, or none is shown.</param>
/// <param name="New">The record after, likewise.</param>
/// <param name="Epoch">Of its leaf; null while it is not sealed.</param>
/// <param name="Leaf">Its place in the tree.</param>
public sealed record AuditEntry(long Ord, DateTime RecordedAt, string Actor, string ActorName, string ActorRole, string Method, string Origin, string Action, string Entity, string EntityKey,
    int Version, string? Old, string? New, string? Reason, string? Correlation, int? Epoch, long? Leaf)
{
    /// <summary>Its place in the list: the next page asks for entries before it.</summary>
    public string Cursor => string.Create(CultureInfo.InvariantCulture, $"{RecordedAt.Ticks}.{Ord}");

    /// <summary>The fields of the record that this entry changed.</summary>
    public IReadOnlyList<FieldChange> Changes => FieldChange.Between(Old, New);
}

/// <summary>Finds entries by any of their fields, newest first. Only who sees every party's rows may search: the database refuses others.</summary>
public sealed class AuditSearch(GatewayDatabase database)
{
    internal const string Columns = """
        e.ord as Ord, e.recorded_at as RecordedAt, e.actor as Actor, e.actor_name as ActorName, e.actor_role as ActorRole, e.method as Method, e.origin as Origin, e.action as Action,
        e.entity as Entity, e.entity_key as EntityKey, e.version as Version, e.old::text as Old, e.new::text as New, e.reason as Reason, e.correlation as Correlation,
        l.epoch as Epoch, l.leaf as Leaf
        """;

    /// <param name="before">The cursor of the last entry already known; null: from the newest.</param>
    public async Task<IReadOnlyList<AuditEntry>> FindAsync(Actor reader, AuditFilter filter, string? before, int limit, CancellationToken ct)
    {
        var (at, ord) = before is null ? (null, null) : ReadCursor(before) is { } place ? ((DateTime?)place.At, (long?)place.Ord) : throw new ArgumentException("No cursor of ours.", nameof(before));
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<AuditEntry>(new CommandDefinition(
            $"select {Columns} from audit_find(@filter::jsonb, @at, @ord, @limit) e left join audit_leaf l using (ord) order by e.recorded_at desc, e.ord desc",
            new { filter = filter.ToJson(), at, ord, limit }, work.Transaction, cancellationToken: ct))).AsList();
    }

    public async Task<AuditEntry?> EntryAsync(Actor reader, long ord, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await work.Connection.QuerySingleOrDefaultAsync<AuditEntry>(new CommandDefinition($"select {Columns} from audit_entry e left join audit_leaf l using (ord) where e.ord = @ord", new { ord }, work.Transaction, cancellationToken: ct));
    }

    /// <returns>Null when it is no cursor of ours.</returns>
    public static (DateTime At, long Ord)? ReadCursor(string cursor) =>
        cursor.Split('.') is [var ticks, var number] && long.TryParse(ticks, NumberStyles.None, CultureInfo.InvariantCulture, out var t) && t <= DateTime.MaxValue.Ticks
            && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var ord)
            ? (new DateTime(t, DateTimeKind.Utc), ord)
            : null;
}
