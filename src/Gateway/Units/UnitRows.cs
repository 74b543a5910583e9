using System.Globalization;
using System.Runtime.CompilerServices;
using Dapper;
using Gateway.Database;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Units;

/// <summary>The stored units of one transaction: read by their keys with whatever decides about them, written as sets.</summary>
internal sealed class UnitRows(Work work, UnitReferences references)
{
    // Those in the book, by their numbers.
    private readonly Dictionary<long, Unit> _loaded = [];

    // The last one asked for: neighbours are mostly of one lot.
    private (Unit? Of, int? Id) _lot;

    private const string Columns =
        "unit_id, parent_id, first_event, last_event, last_at, party_id, lot_id, content_lot_id, holder_id, location_id, children, held_below, head, state, flags, level, last_kind, prefix_length, key, reason, holds, hash";

    private const string Stored = "unit_id, parent_id, first_event, last_event, last_at, party_id, lot_id, content_lot_id, holder_id, location_id, children, held_below, state, flags, level, last_kind, prefix_length, key, reason, holds";

    /// <summary>
    /// Takes into the book, locked until the transaction ends, the units that there are of these keys, the containers around them,
    /// and what the emptied containers hold. Rows are locked in the order of their numbers, so that transactions meet in one order.
    /// </summary>
    /// <param name="keys">None of them is in the book.</param>
    /// <param name="emptied">Keys of containers of which the contents are needed too.</param>
    public async Task LoadAsync(UnitBook book, IReadOnlyCollection<string> keys, IReadOnlyCollection<string> emptied, CancellationToken ct)
    {
        var rows = new Dictionary<long, Row>();
        // Found without a lock, for the order; what is locked then may have moved meanwhile, so the look is repeated until nothing is missing.
        var missing = await FindAsync(keys, emptied, ct);
        while (missing.Count > 0)
        {
            foreach (var row in await LockAsync(missing, ct))
            {
                rows[row.Id] = row;
            }
            missing = [.. rows.Values.Select(r => r.ParentId).OfType<long>().Where(id => !rows.ContainsKey(id) && !_loaded.ContainsKey(id)).Distinct()];
            if (missing.Count == 0 && emptied.Count > 0)
            {
                missing = [.. (await FindAsync([], emptied, ct)).Where(id => !rows.ContainsKey(id) && !_loaded.ContainsKey(id))];
            }
        }
        await ReferencesAsync(rows.Values, ct);
        foreach (var row in rows.Values)
        {
            Take(row);
        }

        Unit Take(Row row)
        {
            if (_loaded.TryGetValue(row.Id, out var known))
            {
                return known;
            }
            var parent = row.ParentId is not { } id ? null : rows.TryGetValue(id, out var around) ? Take(around) : _loaded[id];
            var unit = row.ToUnit(references);
            book.Load(unit, parent);
            _loaded.Add(row.Id, unit);
            return unit;
        }
    }

    /// <summary>A new book begins.</summary>
    public void Forget() => _loaded.Clear();

    /// <summary>The stored units of these keys by their keys, each by itself, locked.</summary>
    public async Task<Dictionary<string, Row>> LockAsync(IReadOnlyCollection<string> keys, CancellationToken ct) =>
        (await LockAsync(await FindAsync(keys, [], ct, withAround: false), ct)).ToDictionary(r => r.Key);

    /// <summary>The stored units of these keys, each by itself, for reading.</summary>
    public async Task<List<Row>> ReadAsync(IReadOnlyCollection<string> keys, CancellationToken ct)
    {
        await using var select = new NpgsqlCommand($"select u.* from unnest($1, $2, $3) k (key, head, hash) cross join lateral (select {Stored} from unit where {IsNamed} limit 1) u", work.Connection, work.Transaction);
        Name(select, keys);
        return await RowsAsync(select, keys.Count, ct);
    }

    /// <summary>Every unit by its number, with whether its first event is in the archive.</summary>
    public async IAsyncEnumerable<(long Id, string Epc, bool IsArchived)> AllAsync([EnumeratorCancellation] CancellationToken ct)
    {
        await using var select = new NpgsqlCommand("select unit_id, key, prefix_length, not exists (select from event where event_id = first_event) from unit", work.Connection, work.Transaction);
        await using var rows = await select.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
        {
            yield return (rows.GetInt64(0), UnitKey.ToEpc(rows.GetString(1), rows.GetInt16(2)), rows.GetBoolean(3));
        }
    }

    /// <summary>The first unit, by its key, whose row is not what a book says of it.</summary>
    /// <param name="live">The rows of all units that the book may have.</param>
    public async Task<LedgerDifference?> DifferenceAsync(List<Row> live, UnitBook rebuilt, CancellationToken ct)
    {
        await ReferencesAsync(live, ct);
        var keys = live.ToDictionary(r => r.Id, r => r.Key);
        var rows = live.ToDictionary(r => r.Key);
        foreach (var key in rows.Keys.Union(rebuilt.Units.Select(u => u.Key)).Order(StringComparer.Ordinal))
        {
            var row = rows.GetValueOrDefault(key);
            var stored = row is null ? null : Text(row.ToUnit(references), row.ParentId is { } id ? keys.GetValueOrDefault(id, "a unit that it never met") : null);
            var unit = rebuilt.OfKey(key);
            var made = unit is null ? null : Text(unit, unit.Parent?.Key);
            if (stored != made)
            {
                return new LedgerDifference(row is null ? unit!.Epc : UnitKey.ToEpc(key, row.PrefixLength), stored, made);
            }
        }
        return null;
    }

    private static string Text(Unit u, string? parent) => string.Create(CultureInfo.InvariantCulture,
        $"state {Lifecycle.Word(u.State)}, parent {parent}, flags {u.Flags}, level {u.Level}, lot {u.Lot}, expiry {u.Expiry:yyyy-MM-dd}, holder {u.Holder}, location {u.Location}, reason {u.Reason}, " +
        $"holds {string.Join(' ', u.Holds.Order(StringComparer.Ordinal))}, children {u.Children}, held below {u.HeldBelow}, content lot {u.ContentLot}, first event {u.FirstEvent}, last event {u.Last.Number} at {u.Last.Time:O} {u.Last.Kind}");

    private Task ReferencesAsync(IReadOnlyCollection<Row> rows, CancellationToken ct) => references.ReadAsync(
        rows.SelectMany(r => (int?[])[r.LotId, r.ContentLotId]).OfType<int>(), rows.SelectMany(r => (int?[])[r.HolderId, r.LocationId]).OfType<int>(), ct);

    /// <summary>Adds rows that there are not yet, each with a number, whose containers have numbers too.</summary>
    /// <exception cref="PostgresException">Unique violation: another transaction has added one of them meanwhile.</exception>
    public async Task AddAsync(IReadOnlyCollection<Unit> units, CancellationToken ct)
    {
        if (units.Count == 0)
        {
            return;
        }
        await using var copy = await BinaryCopy.BeginAsync(work, "unit_row", Columns, ct);
        foreach (var unit in units)
        {
            await copy.StartRowAsync(ct);
            copy.Write(unit.Id);
            copy.Write(unit.Parent?.Id);
            copy.Write(unit.FirstEvent!.Value);
            copy.Write(unit.Last.Number);
            copy.Write(unit.Last.Time.UtcDateTime);
            copy.Write(unit.PartyId);
            copy.Write(LotId(unit));
            copy.Write(ContentLotId(unit));
            copy.Write(PlaceId(unit, unit.Holder));
            copy.Write(PlaceId(unit, unit.Location));
            copy.Write(Count(unit.Children));
            copy.Write(Count(unit.HeldBelow));
            copy.Write(UnitKey.Head(unit.Key));
            copy.Write((short)unit.State);
            copy.Write((short)unit.Flags);
            copy.Write((short)unit.Level);
            copy.Write((short)unit.Last.Kind);
            copy.Write((short)unit.PrefixLength);
            copy.Write(unit.Key);
            copy.Write(unit.Reason);
            copy.Write(Holds(unit));
            copy.Write(UnitKey.Hash(unit.Key));
        }
        await copy.CompleteAsync(ct);
    }

    /// <summary>Writes rows that there are, with what their units are now.</summary>
    public async Task ChangeAsync(IReadOnlyCollection<Unit> units, CancellationToken ct)
    {
        if (units.Count == 0)
        {
            return;
        }
        await using var update = new NpgsqlCommand("""
            update unit u set parent_id = n.parent_id, first_event = n.first_event, last_event = n.last_event, last_at = n.last_at, lot_id = n.lot_id, content_lot_id = n.content_lot_id,
                holder_id = n.holder_id, location_id = n.location_id, children = n.children, held_below = n.held_below, state = n.state, flags = n.flags, level = n.level,
                last_kind = n.last_kind, reason = n.reason, holds = n.holds
            from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) as n (unit_id, parent_id, first_event, last_event, last_at, lot_id, content_lot_id, holder_id,
                location_id, children, held_below, state, flags, level, last_kind, reason, holds)
            where u.unit_id = n.unit_id
            """, work.Connection, work.Transaction);
        Add<long>(u => u.Id, NpgsqlDbType.Bigint);
        Add<long?>(u => u.Parent?.Id, NpgsqlDbType.Bigint);
        Add<long>(u => u.FirstEvent!.Value, NpgsqlDbType.Bigint);
        Add<long>(u => u.Last.Number, NpgsqlDbType.Bigint);
        Add<DateTime>(u => u.Last.Time.UtcDateTime, NpgsqlDbType.TimestampTz);
        Add<int?>(LotId, NpgsqlDbType.Integer);
        Add<int?>(ContentLotId, NpgsqlDbType.Integer);
        Add<int?>(u => PlaceId(u, u.Holder), NpgsqlDbType.Integer);
        Add<int?>(u => PlaceId(u, u.Location), NpgsqlDbType.Integer);
        Add<int?>(u => Count(u.Children), NpgsqlDbType.Integer);
        Add<int?>(u => Count(u.HeldBelow), NpgsqlDbType.Integer);
        Add<short>(u => (short)u.State, NpgsqlDbType.Smallint);
        Add<short>(u => (short)u.Flags, NpgsqlDbType.Smallint);
        Add<short>(u => u.Level, NpgsqlDbType.Smallint);
        Add<short>(u => (short)u.Last.Kind, NpgsqlDbType.Smallint);
        Add<string?>(u => u.Reason, NpgsqlDbType.Text);
        Add<string?>(Holds, NpgsqlDbType.Text);
        var changed = await update.ExecuteNonQueryAsync(ct);
        if (changed != units.Count)
        {
            throw new InvalidOperationException($"{units.Count} units were to be written and {changed} were.");
        }

        void Add<T>(Func<Unit, T> value, NpgsqlDbType type) => update.Parameters.Add(new NpgsqlParameter { Value = units.Select(value).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | type });
    }

    /// <summary>Removes units that no event names any more.</summary>
    public Task RemoveAsync(IReadOnlyCollection<long> ids, CancellationToken ct) =>
        ids.Count == 0 ? Task.CompletedTask : work.Connection.ExecuteAsync(new CommandDefinition("delete from unit where unit_id = any(@ids)", new { ids = ids.ToArray() }, work.Transaction, cancellationToken: ct));

    /// <summary>Gives numbers to the lots and places that units name and no row names yet.</summary>
    public Task ReferAsync(IReadOnlyCollection<Unit> units, CancellationToken ct)
    {
        var (lots, places) = (new HashSet<(int, LotName)>(), new HashSet<(int, string)>());
        Unit? before = null;
        _lot = default; // units change between two writes
        foreach (var unit in units)
        {
            // Neighbours mostly have all of it in common.
            if (before is null || !AreOfOneLot(unit, before) || unit.ContentLot != before.ContentLot || unit.Holder != before.Holder || unit.Location != before.Location)
            {
                foreach (var lot in (LotName?[])[LotOf(unit), ContentLotOf(unit)])
                {
                    _ = lot is { } name && lots.Add((unit.PartyId, name));
                }
                foreach (var place in (string?[])[unit.Holder, unit.Location])
                {
                    _ = place is not null && places.Add((unit.PartyId, place));
                }
            }
            before = unit;
        }
        return references.MakeAsync(lots, places, ct);
    }

    private static LotName? LotOf(Unit unit) => unit.Lot is null && unit.Expiry is null ? null : new LotName(UnitKey.GtinOf(unit.Key).ToString(), unit.Lot ?? "", unit.Expiry);

    // Of whichever product it is, so it is one of none.
    private static LotName? ContentLotOf(Unit unit) => unit.ContentLot is null ? null : new LotName("", unit.ContentLot, null);

    private static bool AreOfOneLot(Unit unit, Unit other) =>
        unit.PartyId == other.PartyId && unit.Lot == other.Lot && unit.Expiry == other.Expiry && UnitKey.GtinOf(unit.Key).SequenceEqual(UnitKey.GtinOf(other.Key));

    private int? LotId(Unit unit)
    {
        if (_lot.Of is not { } before || !AreOfOneLot(unit, before))
        {
            _lot = (unit, LotOf(unit) is { } lot ? references.IdOf(unit.PartyId, lot) : null);
        }
        return _lot.Id;
    }

    private int? ContentLotId(Unit unit) => ContentLotOf(unit) is { } lot ? references.IdOf(unit.PartyId, lot) : null;

    private int? PlaceId(Unit unit, string? uri) => uri is null ? null : references.IdOf(unit.PartyId, uri);

    private static int? Count(int count) => count == 0 ? null : count;

    private static string? Holds(Unit unit) => unit.Holds.Count == 0 ? null : string.Join(' ', unit.Holds);

    // As unit_once has them.
    private const string IsNamed = "head = k.head and hash = k.hash and key = k.key";

    private static void Name(NpgsqlCommand command, IReadOnlyCollection<string> keys)
    {
        command.Parameters.Add(new NpgsqlParameter { Value = keys.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
        command.Parameters.Add(new NpgsqlParameter { Value = keys.Select(k => UnitKey.Head(k)).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Integer });
        command.Parameters.Add(new NpgsqlParameter { Value = keys.Select(UnitKey.Hash).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint });
    }

    // One look for each key by its index, whatever the planner thinks of the number of rows.
    private async Task<List<long>> FindAsync(IReadOnlyCollection<string> keys, IReadOnlyCollection<string> emptied, CancellationToken ct, bool withAround = true)
    {
        await using var find = new NpgsqlCommand(!withAround
            ? $"select u.unit_id from unnest($1, $2, $3) k (key, head, hash) cross join lateral (select unit_id from unit where {IsNamed} limit 1) u order by 1"
            : $"""
            with recursive named as materialized (
                select u.unit_id, u.parent_id from unnest($1, $2, $3) k (key, head, hash) cross join lateral (select unit_id, parent_id from unit where {IsNamed} limit 1) u
                union
                select c.unit_id, c.parent_id from unnest($4, $5, $6) k (key, head, hash) cross join lateral (select unit_id from unit where {IsNamed} limit 1) u cross join lateral (select unit_id, parent_id from unit where parent_id = u.unit_id) c),
            around (unit_id, parent_id) as (
                select unit_id, parent_id from named
                union
                select u.unit_id, u.parent_id from around a cross join lateral (select unit_id, parent_id from unit where unit_id = a.parent_id limit 1) u)
            select unit_id from around order by 1
            """, work.Connection, work.Transaction);
        Name(find, keys);
        if (withAround)
        {
            Name(find, emptied);
        }
        var ids = new List<long>();
        await using var rows = await find.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
        {
            ids.Add(rows.GetInt64(0));
        }
        return ids;
    }

    private async Task<List<Row>> LockAsync(List<long> ids, CancellationToken ct)
    {
        if (ids.Count == 0)
        {
            return [];
        }
        ids.Sort();
        await using var select = new NpgsqlCommand($"select u.* from unnest($1) i cross join lateral (select {Stored} from unit where unit_id = i limit 1 for no key update) u", work.Connection, work.Transaction)
        {
            CommandTimeout = 0, // who has them may have a large document
            Parameters = { new NpgsqlParameter { Value = ids.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint } },
        };
        return await RowsAsync(select, ids.Count, ct);
    }

    private static async Task<List<Row>> RowsAsync(NpgsqlCommand select, int count, CancellationToken ct)
    {
        var read = new List<Row>(count);
        await using var rows = await select.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
        {
            read.Add(Row.Read(rows));
        }
        return read;
    }

    /// <summary>A row as it is stored.</summary>
    internal sealed record Row(
        long Id, long? ParentId, long FirstEvent, EventStamp Last, int PartyId, int? LotId, int? ContentLotId, int? HolderId, int? LocationId, int Children, int HeldBelow,
        UnitState State, UnitFlags Flags, byte Level, byte PrefixLength, string Key, string? Reason, string? Holds)
    {
        /// <param name="row">The columns of <see cref="Stored"/>.</param>
        public static Row Read(NpgsqlDataReader row)
        {
            return new Row(
                row.GetInt64(0), row.IsDBNull(1) ? null : row.GetInt64(1), row.GetInt64(2), new EventStamp(row.GetDateTime(4).Ticks, (FactKind)row.GetInt16(15), row.GetInt64(3)), row.GetInt32(5),
                Int(6), Int(7), Int(8), Int(9), Int(10) ?? 0, Int(11) ?? 0,
                (UnitState)row.GetInt16(12), (UnitFlags)row.GetInt16(13), (byte)row.GetInt16(14), (byte)row.GetInt16(16), row.GetString(17), Text(18), Text(19));

            int? Int(int column) => row.IsDBNull(column) ? null : row.GetInt32(column);

            string? Text(int column) => row.IsDBNull(column) ? null : row.GetString(column);
        }

        public Unit ToUnit(UnitReferences references) => new(Key, PrefixLength)
        {
            Id = Id,
            PartyId = PartyId,
            IsStored = true,
            FirstEvent = FirstEvent,
            Last = Last,
            Lot = LotId is { } lot && references.LotOf(lot).Lot is { Length: > 0 } name ? name : null,
            Expiry = LotId is { } same ? references.LotOf(same).Expiry : null,
            ContentLot = ContentLotId is { } content ? references.LotOf(content).Lot : null,
            Holder = HolderId is { } holder ? references.PlaceOf(holder) : null,
            Location = LocationId is { } location ? references.PlaceOf(location) : null,
            Children = Children,
            HeldBelow = HeldBelow,
            State = State,
            Flags = Flags,
            Level = Level,
            Reason = Reason,
            Holds = Holds is null ? [] : Holds.Split(' '),
        };
    }
}
