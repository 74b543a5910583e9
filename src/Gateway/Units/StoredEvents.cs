using System.Text;
using Epcis.Events;
using Epcis.Formats.JsonLd;
using Gateway.Database;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Units;

/// <summary>The stored events of some units, and of all that they met.</summary>
internal sealed class StoredEvents(Work work)
{
    private readonly Dictionary<long, LedgerEvent> _events = [];

    /// <summary>The events found so far, in no order.</summary>
    public IReadOnlyCollection<LedgerEvent> All => _events.Values;

    /// <summary>The keys of the units whose events they are.</summary>
    public HashSet<string> Keys { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether an event is among them.</summary>
    public bool Has(long number) => _events.ContainsKey(number);

    /// <summary>
    /// Adds the events of these units and of those that any event packs them with, until nothing is added: a set that holds
    /// together, as a replay needs it. A round is two statements, whatever the number of units.
    /// </summary>
    public async Task AddAsync(IEnumerable<string> keys, CancellationToken ct)
    {
        Keys.UnionWith(keys);
        var next = Keys.ToList(); // also those asked for before: something may have been said of them meanwhile
        while (next.Count > 0)
        {
            await ReadAsync("""
                select distinct x.event_id from unnest($1) e cross join lateral (select event_id from event_epc where epc = e and role < 10) x
                """, new NpgsqlParameter { Value = next.SelectMany(UnitKey.Spellings).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text }, ct);
            next = [.. _events.Values.SelectMany(EventFacts.Of).Where(f => f.Parent is not null).SelectMany(Together).Where(Keys.Add)];
        }
        // A declaration need not repeat the units of what it takes back.
        await ReadAsync("select event_id from event where event_uri = any($1)", new NpgsqlParameter
        {
            Value = _events.Values.Where(e => e.Event.ErrorDeclaration is null).Select(e => e.Event.EventId).OfType<string>().Select(id => id.Replace('\0', '\uFFFD')).ToArray(),
            NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text,
        }, ct);
    }

    private IEnumerable<string> Together(UnitFact packing)
    {
        var met = packing.Epcs.Append(packing.Parent!).Select(UnitKey.Of).OfType<string>().ToList();
        return met.Exists(Keys.Contains) ? met : [];
    }

    /// <summary>Reads one stored event back.</summary>
    public static EpcisEvent Parse(string body)
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(body), writable: false);
        using var reader = JsonEpcisReader.ReadBareEvent(stream, Epcis.Formats.ReaderLimits.Default);
        return reader.Read() ? reader.Current : throw new InvalidOperationException("A stored event cannot be read back: " + reader.Findings.All[0].Message);
    }

    private async Task ReadAsync(string ids, NpgsqlParameter parameter, CancellationToken ct)
    {
        await using var select = new NpgsqlCommand($"""
            select e.event_id, e.party_id, e.record_time, e.body from event e where e.event_id in ({ids}) and not e.event_id = any($2) and not e.told_again
            """, work.Connection, work.Transaction)
        {
            Parameters = { parameter, new NpgsqlParameter { Value = _events.Keys.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint } },
        };
        await using var rows = await select.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
        {
            var number = rows.GetInt64(0);
            _events.Add(number, new LedgerEvent(Parse(rows.GetString(3)), number) { PartyId = rows.GetInt32(1), RecordedAt = rows.GetDateTime(2) });
        }
    }
}
