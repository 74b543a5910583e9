using System.Runtime.CompilerServices;
using Dapper;
using Epcis.Events;
using Epcis.Identifiers;
using Gateway.Database;
using Npgsql;

namespace Gateway.Units;

/// <summary>
/// What was once in what, from the stored events: the ledger knows only what is. A round of statements for each level of packing,
/// whatever the number of containers.
/// </summary>
internal sealed class PackHistory(Work work)
{
    private const int KeysAtOnce = 2_000;

    /// <summary>The container, and whatever was ever in it at any depth.</summary>
    /// <returns>Keys.</returns>
    public Task<IReadOnlyCollection<string>> EverInAsync(string key, CancellationToken ct) => InsideAsync(new Dictionary<string, DateTime?> { [key] = null }, ct);

    /// <summary>Whatever a party was ever sent, with what was in it when it was shipped.</summary>
    /// <returns>Keys.</returns>
    public async Task<IReadOnlyCollection<string>> SentToAsync(string gln, CancellationToken ct)
    {
        var sent = new Dictionary<string, DateTime?>(StringComparer.Ordinal);
        // No index knows destinations, so the bodies of shipping events are looked through for the GLN as a Digital Link and as an EPC URI cut anywhere.
        var cuts = string.Join('|', Enumerable.Range(6, 7).Select(length => $"{gln[..length]}[.]{gln[length..12]}"));
        foreach (var body in await work.Connection.QueryAsync<string>(new CommandDefinition($"""
            select body from event e where e.biz_step = 'shipping' and not e.told_again and e.body ~ @pattern and not {IsTakenBack}
            """, new { pattern = $"/41[47]/{gln}|[sp]gln:({cuts})" }, work.Transaction, cancellationToken: ct)))
        {
            var e = StoredEvents.Parse(body);
            if (e.EventTime is { } time && e.Destinations.Any(d => Gln.TryFromAny(d.Value, out var to) && to == gln))
            {
                foreach (var key in e.Epcs.Where(x => x.Role is EpcRole.Epc or EpcRole.Parent).Select(x => UnitKey.Of(x.Epc)).OfType<string>())
                {
                    sent[key] = sent.GetValueOrDefault(key) is { } other && other > time.UtcDateTime ? other : time.UtcDateTime;
                }
            }
        }
        return await InsideAsync(sent, ct);
    }

    /// <summary>What was in containers at a moment, directly, and by which event it came there.</summary>
    /// <returns>For each container that anything was ever packed into: its contents, by their keys; and what had left it again.</returns>
    public async Task<Dictionary<string, PackedContents>> AsOfAsync(IReadOnlyList<string> keys, DateTime moment, CancellationToken ct)
    {
        var contents = new Dictionary<string, PackedContents>(StringComparer.Ordinal);
        await foreach (var packing in StreamAsync(keys, ct))
        {
            if (packing.Time > moment)
            {
                continue;
            }
            if (!contents.TryGetValue(packing.Key, out var packed))
            {
                contents.Add(packing.Key, packed = new PackedContents());
            }
            packed.See(packing.Action == "ADD", packing.Child, packing.EventId, packing.Time);
        }
        return contents;
    }

    // An error declaration has the eventID of what it declares, so it goes with it.
    internal const string IsTakenBack = "exists (select from event_identity i where i.event_uri = e.event_uri and i.declared_at <> '' and i.party_id = e.party_id)";

    /// <param name="containers">Each with the moment whose contents are meant; null: of any.</param>
    private async Task<IReadOnlyCollection<string>> InsideAsync(Dictionary<string, DateTime?> containers, CancellationToken ct)
    {
        var known = new HashSet<string>(containers.Keys, StringComparer.Ordinal);
        while (containers.Count > 0)
        {
            var inside = new Dictionary<string, DateTime?>(StringComparer.Ordinal);
            foreach (var some in containers.Chunk(KeysAtOnce))
            {
                var contents = new Dictionary<string, HashSet<string>>(StringComparer.Ordinal);
                foreach (var packing in (await PackingsAsync([.. some.Select(c => c.Key)], ct)).Where(p => containers[p.Key] is not { } until || p.Time <= until))
                {
                    if (!contents.TryGetValue(packing.Key, out var children))
                    {
                        contents.Add(packing.Key, children = []);
                    }
                    if (packing is { Action: "ADD", Child: { } child })
                    {
                        children.Add(child);
                    }
                    else if (packing.Action == "DELETE" && containers[packing.Key] is not null)
                    {
                        children.RemoveWhere(c => packing.Child is null || c == packing.Child);
                    }
                }
                foreach (var (parent, children) in contents)
                {
                    foreach (var child in children)
                    {
                        inside[child] = containers[parent];
                    }
                }
            }
            containers = inside.Where(c => c.Key.Length > 0 && known.Add(c.Key)).ToDictionary(StringComparer.Ordinal);
        }
        return known;
    }

    /// <summary>What was put into these containers and taken out of them, in the order in which it happened (ties: LINES.md section 9).</summary>
    private async Task<IEnumerable<Packing>> PackingsAsync(string[] keys, CancellationToken ct)
    {
        var packings = new List<Packing>();
        await foreach (var packing in StreamAsync(keys, ct))
        {
            packings.Add(packing);
        }
        return packings;
    }

    private async IAsyncEnumerable<Packing> StreamAsync(IReadOnlyList<string> keys, [EnumeratorCancellation] CancellationToken ct)
    {
        var named = keys.SelectMany(k => UnitKey.Spellings(k).Select(epc => (Key: k, Epc: epc))).ToList();
        // Row by row: one container may hold a hundred thousand.
        await using var select = new NpgsqlCommand($"""
            select n.key, e.action, e.event_time, c.epc, e.event_id
            from unnest($1, $2) n (key, epc) cross join lateral (select event_id from event_epc where epc = n.epc and role = {(int)EpcRole.Parent} offset 0) x
            cross join lateral (select * from event where event_id = x.event_id limit 1) e
            left join lateral (select epc from event_things(e.body, e.keys) where role = {(int)EpcRole.Child}) c on true
            where e.event_type = 'AggregationEvent' and e.action in ('ADD', 'DELETE') and not e.told_again and not {IsTakenBack}
            order by e.event_time, e.action desc, e.event_id
            """, work.Connection, work.Transaction)
        {
            Parameters = { new() { Value = named.Select(n => n.Key).ToArray() }, new() { Value = named.Select(n => n.Epc).ToArray() } },
        };
        await using var rows = await select.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
        {
            yield return new Packing(rows.GetString(0), rows.GetString(1), rows.GetDateTime(2), await rows.IsDBNullAsync(3, ct) ? null : UnitKey.Of(rows.GetString(3)) ?? "", rows.GetInt64(4));
        }
    }

    /// <param name="Child">Its key, empty for what is no unit; null when the event names none: all of them.</param>
    private sealed record Packing(string Key, string Action, DateTime Time, string? Child, long EventId);
}

/// <summary>What is directly in a container at a moment.</summary>
internal sealed class PackedContents
{
    private readonly Dictionary<string, (long EventId, DateTime Time)> _inside = new(StringComparer.Ordinal);
    private readonly HashSet<string> _left = new(StringComparer.Ordinal);

    /// <summary>Each unit, by its key, with the event that linked it.</summary>
    public IReadOnlyDictionary<string, (long EventId, DateTime Time)> Inside => _inside;

    /// <summary>What was in it before, and is not.</summary>
    public IReadOnlyCollection<string> Left => _left;

    /// <param name="child">Null for all of them.</param>
    public void See(bool isAdded, string? child, long eventId, DateTime time)
    {
        if (isAdded)
        {
            // Packed again where it is already, it came there by the first.
            if (child is { Length: > 0 } && _inside.TryAdd(child, (eventId, time)))
            {
                _left.Remove(child);
            }
            return;
        }
        foreach (var gone in child is null ? [.. _inside.Keys] : (string[])[child])
        {
            if (_inside.Remove(gone))
            {
                _left.Add(gone);
            }
        }
    }
}
