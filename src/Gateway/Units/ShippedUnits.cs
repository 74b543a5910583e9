using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Dapper;
using Epcis.Events;
using Gateway.Database;

namespace Gateway.Units;

/// <summary>What a unit of a shipment lacks, or what keeps it.</summary>
internal enum UnitLack
{
    /// <summary>It is no SGTIN or SSCC, so nothing can be followed.</summary>
    NotFollowed,

    /// <summary>No event commissioned it.</summary>
    NotCommissioned,

    /// <summary>It is a container, and nothing was packed into it.</summary>
    Empty,

    /// <summary>The ledger holds it.</summary>
    Held,
}

/// <summary>
/// Exactly what was shipped: the units that shipments name, and what was in them at their time, at any depth; of each the event that
/// commissioned it and the event that put it where it was. A unit takes some forty bytes, however it is spelled: a hash of its key stands for it.
/// </summary>
/// <param name="isContainer">Whether a product, by its GTIN, is one that holds others.</param>
internal sealed class ShippedUnits(Work work, Func<string, bool> isContainer)
{
    /// <summary>Of what is told by samples.</summary>
    public const int MaxSamples = 20;

    private const int KeysAtOnce = 500;

    private readonly Dictionary<UInt128, (long Made, long Packed)> _units = [];
    private readonly Dictionary<long, ShippedEvent> _events = [];
    private readonly Dictionary<long, bool> _makers = [];
    private readonly Dictionary<long, (string Reason, string Name)> _others = [];
    private readonly HashSet<long> _shipments = [];
    private readonly Dictionary<UnitLack, (int Count, List<string> Units)> _lacks = [];
    private readonly Dictionary<string, (int Count, List<string> Samples)> _unpacked = new(StringComparer.Ordinal);
    private readonly PackHistory _history = new(work);
    private readonly EverContainers _containers = new(work);

    /// <summary>How many units there are, at every level.</summary>
    public int Count => _units.Count;

    /// <summary>How many events are their history.</summary>
    public int EventCount => _events.Count;

    /// <summary>The history of exactly these units: what was commissioned before what was packed at one time.</summary>
    public IEnumerable<ShippedEvent> History => _events.Values.OrderBy(e => e.Time).ThenBy(e => e.IsPacking).ThenBy(e => e.EventId);

    /// <summary>What is wrong with how many of them, and some of these.</summary>
    public IReadOnlyDictionary<UnitLack, (int Count, List<string> Units)> Lacks => _lacks;

    /// <summary>What is told of the units elsewhere and is none of their history, by reason.</summary>
    public IReadOnlyDictionary<string, (int Count, List<string> Samples)> LeftOut()
    {
        var left = _unpacked.ToDictionary(StringComparer.Ordinal);
        foreach (var (number, (reason, name)) in _others.Where(o => !_events.ContainsKey(o.Key) && !_shipments.Contains(o.Key)).OrderBy(o => o.Key))
        {
            Note(left, reason, name);
        }
        return left;
    }

    /// <summary>Whether it is among what was shipped.</summary>
    /// <param name="epc">In any spelling.</param>
    public bool Holds(string epc) => HashOf(epc) is { } hash && _units.ContainsKey(hash);

    /// <summary>Whether this is the event that commissioned a unit of the shipment.</summary>
    public bool IsMadeBy(string epc, long eventId) => HashOf(epc) is { } hash && _units.TryGetValue(hash, out var unit) && unit.Made == eventId;

    /// <summary>Whether this is the event that put a unit of the shipment where it was when it was shipped.</summary>
    public bool IsPackedBy(string epc, long eventId) => HashOf(epc) is { } hash && _units.TryGetValue(hash, out var unit) && unit.Packed == eventId;

    /// <summary>Adds what a shipment names, with what was in it.</summary>
    /// <param name="numbers">Of the shipping events themselves, which are not left out.</param>
    public async Task AddAsync(IEnumerable<string> epcs, DateTime shippedAt, IReadOnlyCollection<long> numbers, CancellationToken ct)
    {
        _shipments.UnionWith(numbers);
        var next = new List<string>();
        foreach (var epc in epcs)
        {
            if (UnitKey.Of(epc) is { } key)
            {
                Take(key, 0, next);
            }
            else
            {
                Note(_lacks, UnitLack.NotFollowed, epc);
            }
        }
        foreach (var some in next.Chunk(KeysAtOnce))
        {
            await LearnAsync(some, ct);
        }
        while (next.Count > 0)
        {
            next = await InsideAsync(next, shippedAt, ct);
        }
    }

    /// <returns>What is inside and may hold something itself.</returns>
    private async Task<List<string>> InsideAsync(List<string> containers, DateTime shippedAt, CancellationToken ct)
    {
        var next = new List<string>();
        foreach (var some in containers.Chunk(KeysAtOnce))
        {
            await _containers.LearnAsync(some, ct);
            var asked = some.Where(_containers.MayHold).ToList();
            var contents = asked.Count == 0 ? [] : await _history.AsOfAsync(asked, shippedAt, ct);
            foreach (var empty in some.Where(k => (!contents.TryGetValue(k, out var c) || c.Inside.Count == 0) && (UnitKey.GtinOf(k) is var gtin && gtin.IsEmpty || isContainer(gtin.ToString()))))
            {
                Note(_lacks, UnitLack.Empty, UnitKey.ToEpc(empty, 0));
            }
            var added = new List<string>();
            foreach (var packed in contents.Values)
            {
                foreach (var left in packed.Left)
                {
                    Note(_unpacked, "unpacked before it was shipped", UnitKey.ToEpc(left, 0));
                }
                foreach (var (child, (eventId, time)) in packed.Inside)
                {
                    if (Take(child, eventId, added))
                    {
                        _events[eventId] = new ShippedEvent(eventId, time, IsPacking: true);
                    }
                }
            }
            foreach (var units in added.Chunk(KeysAtOnce))
            {
                await LearnAsync(units, ct);
            }
            await _containers.LearnAsync(added, ct);
            next.AddRange(added.Where(k => _containers.MayHold(k) || isContainer(UnitKey.GtinOf(k).ToString())));
        }
        return next;
    }

    private bool Take(string key, long packedBy, List<string> added)
    {
        if (!_units.TryAdd(Hash(key), (0, packedBy)))
        {
            return false;
        }
        added.Add(key);
        return true;
    }

    /// <summary>Of each unit, what commissioned it, whether it is held, and what else is told of it.</summary>
    private async Task LearnAsync(string[] keys, CancellationToken ct)
    {
        var rows = (await work.Connection.QueryAsync<(int N, long First, string? Holds, short Prefix)>(new CommandDefinition("""
            select n.n::int, u.first_event, u.holds, u.prefix_length from unnest(@heads, @hashes, @keys) with ordinality as n (head, hash, key, n)
            cross join lateral (select * from unit u where u.head = n.head and u.hash = n.hash and u.key = n.key limit 1) u
            """, new { heads = keys.Select(k => UnitKey.Head(k)).ToArray(), hashes = keys.Select(UnitKey.Hash).ToArray(), keys }, work.Transaction, cancellationToken: ct))).AsList();
        await LearnMakersAsync([.. rows.Select(r => r.First).Where(f => !_makers.ContainsKey(f)).Distinct()], ct);
        var known = rows.Where(r => _makers[r.First]).ToDictionary(r => r.N - 1, r => r.First);
        foreach (var held in rows.Where(r => r.Holds is not null))
        {
            Note(_lacks, UnitLack.Held, UnitKey.ToEpc(keys[held.N - 1], held.Prefix));
        }
        var others = Enumerable.Range(0, keys.Length).Where(n => !known.ContainsKey(n)).ToList();
        var found = others.Count == 0 ? [] : await LookAsync([.. others.Select(n => keys[n])], ct);
        for (var n = 0; n < keys.Length; n++)
        {
            if (known.TryGetValue(n, out var made) || found.TryGetValue(keys[n], out made))
            {
                var hash = Hash(keys[n]);
                _units[hash] = (made, _units[hash].Packed);
            }
            else
            {
                Note(_lacks, UnitLack.NotCommissioned, UnitKey.ToEpc(keys[n], rows.Find(r => r.N == n + 1).Prefix));
            }
        }
        await LearnOthersAsync([.. rows.Select(r => UnitKey.ToEpc(keys[r.N - 1], r.Prefix))], ct);
    }

    private const string Makes = $"e.event_type = 'ObjectEvent' and e.action = 'ADD' and not e.internal and not e.told_again and not {PackHistory.IsTakenBack}";

    private async Task LearnMakersAsync(long[] events, CancellationToken ct)
    {
        if (events.Length == 0)
        {
            return;
        }
        foreach (var number in events)
        {
            _makers[number] = false;
        }
        foreach (var (number, time) in await work.Connection.QueryAsync<(long, DateTime)>(new CommandDefinition(
            $"select e.event_id, e.event_time from event e where e.event_id = any(@events) and {Makes}", new { events }, work.Transaction, cancellationToken: ct)))
        {
            Made(number, time);
        }
    }

    /// <summary>What was told of a unit before it was commissioned came first; then its EPC finds the commissioning.</summary>
    private async Task<Dictionary<string, long>> LookAsync(string[] keys, CancellationToken ct)
    {
        var named = keys.SelectMany(k => UnitKey.Spellings(k).Select(epc => (Key: k, Epc: epc))).ToList();
        var found = new Dictionary<string, long>(StringComparer.Ordinal);
        var rows = await work.Connection.QueryAsync<(string Key, long Number, DateTime Time)>(new CommandDefinition($"""
            select n.key, e.event_id, e.event_time
            from unnest(@keys, @epcs) n (key, epc) cross join lateral (select event_id from event_epc where epc = n.epc and role = {(int)EpcRole.Epc} offset 0) x
            cross join lateral (select * from event where event_id = x.event_id limit 1) e
            where {Makes} order by e.event_time, e.event_id
            """, new { keys = named.Select(n => n.Key).ToArray(), epcs = named.Select(n => n.Epc).ToArray() }, work.Transaction, cancellationToken: ct));
        foreach (var (key, number, time) in rows.DistinctBy(r => r.Key))
        {
            found[key] = number;
            Made(number, time);
        }
        return found;
    }

    private void Made(long number, DateTime time)
    {
        _makers[number] = true;
        _events[number] = new ShippedEvent(number, time, IsPacking: false);
    }

    /// <summary>What else is told of the units: it stays here, and the delivery says so.</summary>
    private async Task LearnOthersAsync(string[] epcs, CancellationToken ct)
    {
        foreach (var (number, name, step, action, isInternal) in await work.Connection.QueryAsync<(long, string?, string?, string?, bool)>(new CommandDefinition("""
            select distinct e.event_id, e.event_uri, e.biz_step, e.action, e.internal
            from unnest(@epcs) n (epc) cross join lateral (select event_id from event_epc where epc = n.epc offset 0) x cross join lateral (select * from event where event_id = x.event_id limit 1) e
            """, new { epcs }, work.Transaction, cancellationToken: ct)))
        {
            _others.TryAdd(number, (isInternal ? "internal to a line" : step switch
            {
                "shipping" or "void_shipping" => "another shipment",
                "packing" => "another packing",
                "unpacking" => "unpacking",
                _ => $"{step ?? action ?? "event"}, which is no history of the shipment",
            }, name ?? FormattableString.Invariant($"event {number}")));
        }
    }

    private static void Note<T>(Dictionary<T, (int Count, List<string> Samples)> counts, T what, string sample) where T : notnull
    {
        var (count, samples) = counts.TryGetValue(what, out var known) ? known : (0, []);
        if (samples.Count < MaxSamples)
        {
            samples.Add(sample);
        }
        counts[what] = (count + 1, samples);
    }

    private static UInt128? HashOf(string epc) => UnitKey.Of(epc) is { } key ? Hash(key) : null;

    private static UInt128 Hash(string key)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        Span<byte> bytes = stackalloc byte[UnitKey.MaxLength];
        SHA256.HashData(bytes[..Encoding.ASCII.GetBytes(key, bytes)], hash);
        return BinaryPrimitives.ReadUInt128BigEndian(hash);
    }
}

/// <summary>An event of the history of what was shipped.</summary>
internal readonly record struct ShippedEvent(long EventId, DateTime Time, bool IsPacking);
