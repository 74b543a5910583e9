using Gateway.Access;
using Gateway.Database;
using Gateway.MasterData;

namespace Gateway.Units;

/// <summary>Single units for reading. Each reader sees what row security lets it see; the way up ends where a container is another party's.</summary>
public sealed class UnitQueries(GatewayDatabase database, KnownMasterData masterData)
{
    // A pack is at most a handful of levels high. The rules admit no cycle; a row that somebody damaged ends here too.
    internal const int MaxHeight = 32;

    /// <summary>Where a unit is in the world: itself, and what is around it, the innermost first.</summary>
    private const string Up = """
        with recursive up as (
            select u.*, 0 as height from unit u where u.head = @head and u.hash = @hash and u.key = @key
            union all
            select p.*, up.height + 1 from up join unit p on p.unit_id = up.parent_id where up.height < @MaxHeight)
        """;

    /// <returns>The unit; null when nobody told of it, or another party did.</returns>
    /// <param name="key">See <see cref="UnitKey"/>.</param>
    public async Task<UnitFacts?> FindAsync(Actor reader, string key, CancellationToken ct)
    {
        var known = await masterData.ReadAsync(ct);
        // A limit keeps each join a look by its key: for three rows the planner would otherwise read whole tables.
        var rows = await database.ReadAsync<Row>(reader, $"""
            {Up}
            select up.key as Key, up.prefix_length as PrefixLength, up.state as State, up.flags as Flags, up.level as Level, up.reason as Reason, up.holds as Holds,
                   coalesce(up.children, 0) as Children, coalesce(up.held_below, 0) as HeldBelow, nullif(l.lot, '') as Lot, l.expiry as Expiry, c.lot as ContentLot,
                   h.uri as Holder, w.uri as Location, f.event_uri as FirstId, f.event_time as FirstTime, f.public_id as FirstCapture,
                   e.event_uri as LastId, e.event_time as LastTime, e.public_id as LastCapture
            from up left join lateral (select * from lot where lot_id = up.lot_id limit 1) l on true
            left join lateral (select * from lot where lot_id = up.content_lot_id limit 1) c on true
            left join lateral (select * from place where place_id = up.holder_id limit 1) h on true
            left join lateral (select * from place where place_id = up.location_id limit 1) w on true
            left join lateral (select * from event join capture on capture_id = up.first_event >> 20 where event_id = up.first_event and up.height = 0 limit 1) f on true
            left join lateral (select * from event join capture on capture_id = up.last_event >> 20 where event_id = up.last_event and up.height = 0 limit 1) e on true
            order by up.height
            """, new { key, head = UnitKey.Head(key), hash = UnitKey.Hash(key), MaxHeight }, ct);
        if (rows.Count == 0)
        {
            return null;
        }
        var (unit, top) = (rows[0], rows[^1]);
        return new UnitFacts(
            unit.Key, unit.Epc, unit.LevelWord(known), Text(UnitKey.GtinOf(unit.Key)), Text(UnitKey.SerialOf(unit.Key)), unit.Lot,
            unit.Expiry, unit.ContentLot, (UnitState)top.State, top.Reason, (UnitFlags)unit.Flags,
            unit.Children, unit.HeldBelow, unit.HoldReasons, [.. rows.Skip(1).Select(r => new UnitContainer(r.Epc, r.LevelWord(known), r.HoldReasons))], top.Holder, top.Location,
            new UnitEventName(unit.FirstId, unit.FirstTime, unit.FirstCapture), new UnitEventName(unit.LastId, unit.LastTime, unit.LastCapture));
    }

    /// <summary>What is in a container at any depth, in one statement; of what holds nothing, nothing.</summary>
    /// <param name="key">See <see cref="UnitKey"/>.</param>
    /// <param name="after"><see cref="UnitContents.Next"/> of the page before; null for the first.</param>
    /// <returns>Null when there is no such unit, or it is another party's.</returns>
    /// <exception cref="FormatException"><paramref name="after"/> is none of ours: see <see cref="IsPlace"/>.</exception>
    public async Task<UnitContents?> ContentsAsync(Actor reader, string key, string? after, int limit, CancellationToken ct)
    {
        var known = await masterData.ReadAsync(ct);
        // The path of unit numbers from the container down gives depth, order and the place of a page at once; as bytes, because they
        // compare faster than arrays. A unit has one parent, so whatever is reached from the container is a tree, unless the container
        // is in it itself: there it ends. What holds nothing, which is nearly all, is not asked for children.
        var rows = await database.ReadAsync<Row>(reader, $"""
            {Up},
            down as (
                select u.unit_id, u.lot_id, u.children, u.prefix_length, u.level, u.key, u.holds, 0 as height, u.key as parent_key, u.prefix_length as parent_prefix, ''::bytea as path from up u where u.height = 0
                union all
                select u.unit_id, u.lot_id, u.children, u.prefix_length, u.level, u.key, u.holds, d.height + 1, d.key, d.prefix_length, d.path || int8send(u.unit_id) from down d join unit u on u.parent_id = d.unit_id
                where d.children is not null and d.height < @MaxHeight and u.unit_id <> (select unit_id from up where height = 0))
            select d.key as Key, d.prefix_length as PrefixLength, d.level as Level, d.holds as Holds, coalesce(d.children, 0) as Children, d.height as Depth, d.parent_key as ParentKey,
                   d.parent_prefix as ParentPrefix, (select t.state from up t order by t.height desc limit 1) as State, nullif(l.lot, '') as Lot, d.path as Place,
                   case d.height when 0 then (select count(*) - 1 from down) end as Count
            from down d left join lot l on l.lot_id = d.lot_id
            where d.height = 0 or @after::bytea is null or d.path > @after order by d.path limit @limit
            """, new { key, head = UnitKey.Head(key), hash = UnitKey.Hash(key), MaxHeight, after = after is null ? null : Convert.FromHexString(after), limit = limit + 2 }, ct);
        if (rows.Count == 0)
        {
            return null;
        }
        var page = rows.Skip(1).Take(limit).Select(r => new ContainedUnit(
            r.Epc, r.LevelWord(known), UnitKey.ToEpc(r.ParentKey, r.ParentPrefix), r.Depth, (UnitState)r.State, r.Lot, r.Children, r.HoldReasons));
        return new UnitContents(rows[0].Epc, rows[0].Count!.Value, [.. page], rows.Count == limit + 2 ? Convert.ToHexStringLower(rows[limit].Place) : null);
    }

    /// <summary>Whether a text can be a <see cref="UnitContents.Next"/>.</summary>
    public static bool IsPlace(string text) => text.Length is > 0 and <= MaxHeight * 2 * sizeof(long) && text.Length % (2 * sizeof(long)) == 0 && text.All(char.IsAsciiHexDigit);

    private static string? Text(ReadOnlySpan<char> text) => text.IsEmpty ? null : text.ToString();

    private sealed record Row
    {
        public string Key { get; init; } = "";
        public short PrefixLength { get; init; }
        public short State { get; init; }
        public short Flags { get; init; }
        public short Level { get; init; }
        public string? Reason { get; init; }
        public string? Holds { get; init; }
        public int Children { get; init; }
        public int HeldBelow { get; init; }
        public string? Lot { get; init; }
        public DateOnly? Expiry { get; init; }
        public string? ContentLot { get; init; }
        public string? Holder { get; init; }
        public string? Location { get; init; }
        public string? FirstId { get; init; }
        public DateTime? FirstTime { get; init; }
        public Guid? FirstCapture { get; init; }
        public string? LastId { get; init; }
        public DateTime? LastTime { get; init; }
        public Guid? LastCapture { get; init; }
        public string ParentKey { get; init; } = "";
        public short ParentPrefix { get; init; }
        public int Depth { get; init; }
        public byte[] Place { get; init; } = [];
        public long? Count { get; init; }

        public string Epc => UnitKey.ToEpc(Key, PrefixLength);

        public IReadOnlyList<string> HoldReasons => Holds?.Split(' ') ?? [];

        public string LevelWord(MasterDataSnapshot known) => UnitLevels.WordOf(Key, Level, known);
    }
}
